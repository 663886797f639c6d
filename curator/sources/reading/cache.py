"""Keep what was read of lists and metadata as Parquet files, so that the next run reads none of it again.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     context = ListingContext(labels=(), cache_dir=Path(folder))
...     entry = CacheEntry(context, "labels", {"place": "https://example.org/labels.csv"})
...     before = entry.load()
...     entry.save(pa.table({"ImageID": ["000a1249af2bc5f0"]}), {"origin": "https://example.org/labels.csv"})
...     before, entry.load().num_rows
(None, 1)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from curator.sources.base import ListingContext
from curator.sources.budget import budget
from curator.store.spilled import ROWS_A_PART
from curator.store.whole_files import whole_file
from curator.text import hide_in_settings


@dataclass(frozen=True)
class CacheEntry:
    """One cached table: ``stem`` is for people, ``key`` holds everything that determines the table's content."""

    context: ListingContext
    stem: str
    key: Mapping[str, Any]

    @property
    def path(self) -> Path:
        """The Parquet file, in the context's cache folder."""
        text = json.dumps({"version": 1, **self.key}, sort_keys=True)
        return self.context.cache_dir / f"{self.stem}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.parquet"

    @property
    def exists(self) -> bool:
        """Whether the table can be loaded: it was read before, and is not to be read again."""
        return self._found is not None

    @property
    def _of_this_run(self) -> Path:
        return self.path.with_suffix(".once.parquet")

    @property
    def _found(self) -> Path | None:
        if self._of_this_run in self.context.fresh:
            return self._of_this_run
        is_kept = self.path.is_file() and (not self.context.refresh or self.path in self.context.fresh)
        return self.path if is_kept else None

    def load(self) -> pa.Table | None:
        """Read the table, or return None if it is not cached, to be read afresh, or damaged."""
        if (path := self._found) is None:
            return None
        try:
            with pq.ParquetFile(path) as file:
                rows = budget().spilled()
                rows.add(file.schema_arrow.remove_metadata().empty_table())
                for batch in file.iter_batches(ROWS_A_PART):
                    rows.add(pa.Table.from_batches([batch]).replace_schema_metadata(None))
                return rows.whole().replace_schema_metadata(file.schema_arrow.metadata)
        except (OSError, pa.ArrowException):
            return None

    def save(self, table: pa.Table, facts: Mapping[str, Any]) -> None:
        """Write the table whole, with facts about it; if it may lack its end, only for this run.

        Raises:
            DiskError: the disk refused; nothing is left behind.
        """
        described = table.replace_schema_metadata({b"curator": json.dumps(hide_in_settings(dict(facts))).encode()})
        path = self._of_this_run if facts.get("origin") in self.context.doubted else self.path
        with whole_file(path) as temporary:
            pq.write_table(described, temporary, compression="zstd", row_group_size=ROWS_A_PART)
        self.context.fresh.add(path)
