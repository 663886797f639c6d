"""Long values that stay on disk: columns copied to files, which are mapped into memory and lose their names.

Of ten million rows a stage looks at one column after the other, and at the thumbnails of the few that are in doubt; the
system takes the memory of the mapped pages back when it needs it. What a killed run leaves, the next command removes.

>>> import tempfile
>>> import pyarrow.parquet as pq
>>> folder = Path(tempfile.mkdtemp())
>>> pq.write_table(pa.table({"title": ["ab", None, "c"]}), folder / "a.parquet")
>>> columns = map_columns(folder / "a.parquet", ["title"], folder)
>>> columns["title"].to_pylist(), [path.name for path in folder.iterdir()]
(['ab', None, 'c'], ['a.parquet'])
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curator import catalog
from curator.catalog import as_arrow
from curator.store.catalog_files import find_thumbnails, read_record, stored_groups, stored_schema
from curator.store.cells import check_cells
from curator.store.one_ahead import one_ahead
from curator.store.thumbnails_file import COLUMN, with_thumbnails
from curator.store.whole_files import disk_errors, temporary_beside

if TYPE_CHECKING:
    import pandas as pd

MAPPED = frozenset({"thumbnail"})
"""The columns of a catalog that only a stage looks at: half a kilobyte a row, of which few are looked at."""


def read_mapped(path: Path, columns: Collection[str]) -> pd.DataFrame:
    """Read columns of a catalog (see :func:`curator.store.catalog_files.read_catalog`); texts and bytes are mapped.

    What a stage decides (:data:`curator.catalog.DECIDED`) is in memory, as numbers are.

    Raises:
        StateError: see there.
        DiskError: there is no room for a copy of what is mapped.
    """
    import pandas as pd

    read_record(path)
    schema = catalog.schema_of(columns)
    arrays = map_columns(path, schema.names, path.parent)
    series = {name: pd.Series(array, dtype=pd.ArrowDtype(array.type), copy=False) for name, array in arrays.items()}
    table = pd.DataFrame(series, copy=False)
    check_cells(table, path)
    pa.default_memory_pool().release_unused()  # what the reader had: a fifth of a gigabyte of a million rows
    return table


def map_columns(path: Path, names: Collection[str], folder: Path) -> dict[str, pa.ChunkedArray]:
    """Read columns of a catalog, group by group; of those of texts or bytes, there is no copy in memory.

    Args:
        names: columns of the catalog; of one that the file lacks, all is null. What is mapped and has more than two
            gigabytes is of a kind of :data:`curator.catalog.WIDE`.
        folder: where there is room for what is mapped. Thumbnails are mapped where they are.

    Raises:
        DiskError: there is none.
        StateError: the file cannot be read.
    """
    schema = stored_schema(path, names)
    held: dict[str, list[pa.Array]] = {field.name: [] for field in schema if not _is_mapped(field)}
    with disk_errors(folder), ExitStack() as files:
        mapped = {field.name: files.enter_context(_Copy(folder, field)) for field in schema if _is_mapped(field)}
        for group in one_ahead(stored_groups(path, schema.names)):
            for name, column in zip(group.column_names, group.columns, strict=True):
                if name in mapped:
                    mapped[name].append(as_arrow(column))
                else:
                    held[name] += column.chunks
        columns = {name: copy.map() for name, copy in mapped.items()}
    for name in [*held]:
        columns[name] = pa.chunked_array([as_arrow(pa.chunked_array(held.pop(name), schema.field(name).type))])
    if COLUMN in columns:
        found = with_thumbnails(pa.table({COLUMN: columns[COLUMN]}), path, find_thumbnails(path))
        columns[COLUMN] = found[COLUMN]
    return {name: columns[name] for name in schema.names}


def _is_mapped(field: pa.Field) -> bool:
    return field.name not in catalog.DECIDED and field.type in (pa.string(), pa.binary(), pa.large_binary())


class _Copy:
    """A column that is copied to a file: first the values, then where each begins, then which are known."""

    def __init__(self, folder: Path, field: pa.Field) -> None:
        self._kind, self._path = field.type, temporary_beside(folder / field.name)
        self._places: npt.DTypeLike = np.int64 if field.type == pa.large_binary() else np.int32
        self._lengths, self._valid = [np.zeros(0, np.int64)], [np.zeros(0, bool)]
        self._file: IO[bytes] = self._path.open("wb")

    def __enter__(self) -> _Copy:
        return self

    def __exit__(self, *error: object) -> None:
        try:
            self._file.close()  # writes what is left, and raises again where there is no room
        finally:
            self._path.unlink(missing_ok=True)  # what is mapped stays until nobody holds it

    def append(self, column: pa.Array) -> None:
        """Write the values of some rows."""
        _, places, values = column.buffers()
        offsets = np.frombuffer(places or bytes(8), self._places)[column.offset :][: len(column) + 1]
        self._file.write(memoryview(values or b"")[int(offsets[0]) : int(offsets[-1])])
        self._lengths.append(np.diff(offsets).astype(np.int32))
        self._valid.append(column.is_valid().to_numpy(zero_copy_only=False))

    def map(self) -> pa.ChunkedArray:
        """Map the file into memory as one array, of the wide kind if the values have more than two gigabytes."""
        starts = np.cumsum(np.concatenate([np.zeros(1, np.int64), *self._lengths]))
        known = np.concatenate(self._valid)
        is_wide = self._kind == pa.large_binary() or starts[-1] > catalog.MOST_BYTES
        kind = catalog.WIDE.get(self._kind, self._kind) if is_wide else self._kind
        places = self._append_aligned(starts.astype(np.int64 if is_wide else np.int32))
        bits = self._append_aligned(np.packbits(known, bitorder="little"))
        self._file.close()
        data = pa.memory_map(str(self._path)).read_buffer()
        buffers = [data.slice(*bits), data.slice(*places), data.slice(0, int(starts[-1]))]
        return pa.chunked_array([pa.Array.from_buffers(kind, len(known), buffers)], kind)

    def _append_aligned(self, values: npt.NDArray[Any]) -> tuple[int, int]:
        """Write numbers where Arrow wants them, at a multiple of 64 bytes; return where, and how many bytes."""
        self._file.write(bytes(-self._file.tell() % 64))
        at = self._file.tell()
        self._file.write(values.tobytes())
        return at, values.nbytes
