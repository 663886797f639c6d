"""Write a large catalog in row groups, so that it never is in memory as a whole.

>>> import tempfile
>>> path = Path(tempfile.mkdtemp()) / "2-fetched.parquet"
>>> groups = lambda: [catalog.to_arrow(catalog.empty())]
>>> record = StageRecord("fetched", "f1", {}, {})
>>> write_if_changed(path, groups, record), write_if_changed(path, groups, record)
(True, False)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from curator import catalog
from curator.errors import StateError
from curator.store.catalog_files import StageRecord, metadata_of, read_record
from curator.store.whole_files import whole_file

GROUP_ROWS = 32_000
"""Rows of a group: some 20 MB of a catalog whose pictures have hashes and thumbnails."""


def row_groups(table: pd.DataFrame) -> Iterator[pa.Table]:
    """Cut a catalog into Arrow tables of at most :data:`GROUP_ROWS` rows; an empty one is one group."""
    for start in range(0, max(len(table), 1), GROUP_ROWS):
        yield catalog.to_arrow(table.iloc[start : start + GROUP_ROWS])


def write_if_changed(path: Path, groups: Callable[[], Iterable[pa.Table]], record: StageRecord) -> bool:
    """Write a catalog, whole or not at all, unless one with the same rows and record stands there.

    Args:
        path: the file.
        groups: gives the catalog's row groups; called once to compare and once to write.
        record: what it was made from.

    Returns:
        Whether it was written.
    """
    if _holds(path, groups, record):
        return False
    with whole_file(path) as temporary:
        schema = catalog.SCHEMA.with_metadata(metadata_of(record))
        with pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
            for group in groups():
                writer.write_table(group, row_group_size=GROUP_ROWS)
    return True


def _holds(path: Path, groups: Callable[[], Iterable[pa.Table]], record: StageRecord) -> bool:
    try:
        if read_record(path) != record:
            return False
    except StateError:
        return False
    with pq.ParquetFile(path) as file:
        if not file.schema_arrow.equals(catalog.SCHEMA):
            return False
        standing = (file.read_row_group(number) for number in range(file.num_row_groups))
        try:
            return all(one.equals(other) for one, other in zip(standing, groups(), strict=True))
        except (ValueError, OSError, pa.ArrowException):
            return False
