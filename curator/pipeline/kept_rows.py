"""The kept rows of a catalog in the manifest's order, a part at a time: no more than a part of them is in memory.

The catalog is read once, group by group. Of many rows, each goes to the file of its part, which is a range of record
ids; the files have no names, and go with the process however it ends.

>>> import pandas as pd
>>> import tempfile
>>> rows = {"record_id": ["x-3", "x-1", "x-2"], "label": "a", "source": "x", "kind": "x", "tier": 0}
>>> table = catalog.conform(pd.DataFrame(rows | {"drop_reason": [None, None, "dead"]}))
>>> rows = KeptRows(table, lambda: [catalog.to_arrow(table)], Path(tempfile.mkdtemp()), most=1)
>>> [[part["record_id"].tolist() for part in rows] for _ in range(2)], rows.optional
([[['x-1'], ['x-3']], [['x-1'], ['x-3']]], set())
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeAlias

import numpy as np
import pyarrow as pa

from curator import catalog
from curator.catalog import BoolArray, IntArray, as_arrow
from curator.decide.row_places import rank_texts
from curator.manifests.manifest import COLUMNS, OPTIONAL
from curator.sources.reading.lend import lend
from curator.store.whole_files import disk_errors

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 64_000
"""Of one part: some 200 MB, once they are Python's texts."""
_NEEDED = {*COLUMNS, *OPTIONAL, "local_path", "mode", "n_frames", "well_formed", *catalog.DECIDED}

Mend: TypeAlias = "Callable[[pd.DataFrame], pd.DataFrame]"


class KeptRows:
    """Iterates over the kept rows in parts, sorted by record id; each time anew."""

    def __init__(
        self,
        table: pd.DataFrame,
        groups: Callable[[], Iterable[pa.Table]],
        folder: Path,
        mend: Mend = lambda part: part,
        most: int = MOST_ROWS,
    ) -> None:
        """Read the catalog.

        Args:
            table: at least the columns ``record_id`` and ``drop_reason`` of the catalog.
            groups: returns its rows in the same order, whole, in groups.
            folder: where there is room for the rows.
            mend: fills in what an older version did not observe; called once for the kept rows of each group.
            most: rows of a part.

        Raises:
            DiskError: there is no room.
        """
        self.optional: set[str] = set()
        """Which columns that not every manifest has, these rows have."""
        kept = np.flatnonzero(catalog.is_kept(table))
        ranks = np.full(len(table), -1, np.int64)
        ranks[kept] = rank_texts(table["record_id"].iloc[kept])
        self._files: list[IO[bytes]] = []
        self._parts: list[pa.Table] = []
        n_parts = max(1, -(-len(kept) // most))
        with disk_errors(folder):
            if n_parts == 1:
                self._parts = [pa.concat_tables([part for _, part in self._read(groups, ranks, most, mend)])]
                return
            self._files = [tempfile.TemporaryFile(dir=folder) for _ in range(n_parts)]  # noqa: SIM115 (read again and again)
            with ExitStack() as writers:
                schema = _with_rank(catalog.schema_of(_NEEDED))
                into = [writers.enter_context(pa.ipc.new_stream(lend(file), schema)) for file in self._files]
                for number, part in self._read(groups, ranks, most, mend):
                    into[number].write_table(part)

    def _read(
        self, groups: Callable[[], Iterable[pa.Table]], ranks: IntArray, most: int, mend: Mend
    ) -> Iterator[tuple[int, pa.Table]]:
        """Yield kept rows with their ranks, each with the number of its part; of no rows, an empty table."""
        schema, done = catalog.schema_of(_NEEDED), 0
        yield 0, _ranked(schema.empty_table(), np.empty(0, np.int64))
        for group in groups():
            of_group = ranks[done : done + group.num_rows]
            done += group.num_rows
            is_kept: BoolArray = of_group >= 0
            if not is_kept.any():
                continue
            rows = mend(catalog.from_arrow(group.select(schema.names).filter(pa.array(is_kept))))
            self.optional |= {name for name in OPTIONAL if rows[name].notna().any()}
            found = _ranked(pa.Table.from_pandas(rows, schema, preserve_index=False), of_group[is_kept])
            numbers = of_group[is_kept] // most
            for number in np.unique(numbers):
                yield int(number), found.filter(pa.array(numbers == number))

    def __iter__(self) -> Iterator[pd.DataFrame]:
        """Yield the parts, in order."""
        for file in self._files:
            file.seek(0)
            with pa.ipc.open_stream(lend(file)) as stream:
                yield _in_order(stream.read_all())
        yield from map(_in_order, self._parts)


def _with_rank(schema: pa.Schema) -> pa.Schema:
    return schema.append(pa.field("rank", pa.int64()))


def _ranked(table: pa.Table, ranks: IntArray) -> pa.Table:
    return pa.Table.from_arrays([*table.columns, pa.array(ranks)], schema=_with_rank(table.schema.remove_metadata()))


def _in_order(part: pa.Table) -> pd.DataFrame:
    order = np.argsort(as_arrow(part["rank"]).to_numpy())
    return catalog.from_arrow(part.drop_columns(["rank"]).take(pa.array(order)).combine_chunks())
