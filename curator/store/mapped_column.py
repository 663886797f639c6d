"""A column of long values that stays on disk: copied to a file, which is mapped into memory and loses its name.

Of ten million thumbnails no stage looks at more than the few that are in doubt, or at one after the other; the system
takes the memory of the mapped pages back when it needs it. What a killed run leaves, the next command removes.

>>> import tempfile
>>> import pyarrow.parquet as pq
>>> folder = Path(tempfile.mkdtemp())
>>> pq.write_table(pa.table({"thumbnail": pa.array([b"ab", None, b"c"], pa.large_binary())}), folder / "a.parquet")
>>> map_column(folder / "a.parquet", "thumbnail", folder).to_pylist(), [path.name for path in folder.iterdir()]
([b'ab', None, b'c'], ['a.parquet'])
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from curator import catalog
from curator.catalog import as_arrow
from curator.store.catalog_files import read_catalog, read_groups
from curator.store.whole_files import disk_errors, temporary_beside

MAPPED = frozenset({"thumbnail"})
"""The columns of a catalog that stay on disk: half a kilobyte a row, of which few are looked at."""


def read_mapped(path: Path, columns: Collection[str]) -> pd.DataFrame:
    """Read columns of a catalog (see :func:`curator.store.catalog_files.read_catalog`); map those of :data:`MAPPED`.

    Raises:
        StateError: see there.
        DiskError: there is no room for a copy of what is mapped.
    """
    table = read_catalog(path, set(columns) - MAPPED)
    for name in sorted(MAPPED & set(columns)):
        kind = catalog.SCHEMA.field(name).type
        table[name] = pd.Series(map_column(path, name, path.parent), index=table.index, dtype=pd.ArrowDtype(kind))
    pa.default_memory_pool().release_unused()  # what the reader had: a fifth of a gigabyte of a million rows
    return table


def map_column(path: Path, name: str, folder: Path) -> pa.LargeBinaryArray:
    """Map a column of binary values of a Parquet file: one array, without a copy in memory.

    Args:
        folder: where there is room for the column.

    Raises:
        DiskError: there is none.
        StateError: the file cannot be read.
    """
    lengths, valid = [np.zeros(1, np.int64)], [np.zeros(0, bool)]
    copy = temporary_beside(folder / name)
    with disk_errors(folder):
        try:
            with copy.open("wb") as values:
                for group in read_groups(path, [name]):
                    column = as_arrow(group[name], pa.large_binary())
                    offsets = np.frombuffer(column.buffers()[1], np.int64)[column.offset :][: len(column) + 1]
                    values.write(memoryview(column.buffers()[2] or b"")[offsets[0] : offsets[-1]])
                    lengths.append(np.diff(offsets))
                    valid.append(column.is_valid().to_numpy(zero_copy_only=False))
            data = pa.memory_map(str(copy)).read_buffer() if copy.stat().st_size else pa.allocate_buffer(0)
        finally:
            copy.unlink(missing_ok=True)  # what is mapped stays until nobody holds it
    starts, known = np.cumsum(np.concatenate(lengths)), np.concatenate(valid)
    buffers = [pa.array(known).buffers()[1], pa.array(starts).buffers()[1], data]
    return pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(known), buffers)
