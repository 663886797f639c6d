"""The thumbnails of a data set's catalogs: a file beside them that the stages map, and that none of them writes again.

Thumbnails are two thirds of what is known of a picture, and never change after the fetch. So a catalog has, in place
of each, its row in their file, and in its metadata the name of that file, which is made of what is in it. The file is
there before the first catalog that names it, and until the last one that does: each has its own at every instant.

>>> import tempfile
>>> folder = Path(tempfile.mkdtemp())
>>> with ThumbnailsWriter(folder) as writer:
...     places = writer.put(pa.array([b"a" * 512, None, b"b" * 512], pa.large_binary()))
...     name = writer.finish()
>>> places.to_pylist(), [value and value[:2] for value in look_up(places, open_thumbnails(folder, name)).to_pylist()]
([0, None, 1], [b'aa', None, b'bb'])
>>> np.load(folder / name, mmap_mode="r").shape
(2, 512)
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from curator import catalog
from curator.catalog import as_arrow
from curator.store.beneath import list_names, remove
from curator.store.whole_files import temporary_beside, whole_file

COLUMN = "thumbnail"
THUMBNAIL_BYTES = 512
"""Of a thumbnail: 32x32 cells of 16 greys; see :mod:`curator.matching.luma_signatures`."""
NAMED = b"thumbnails"
"""The key of a catalog's metadata under which the name of the file is."""
PLACE = pa.int32()
STORED = catalog.SCHEMA.set(catalog.SCHEMA.get_field_index(COLUMN), pa.field(COLUMN, PLACE))
"""The columns of a catalog on disk."""
_NAME = re.compile(r"thumbnails-[0-9a-f]{16}\.npy")
_CATALOG = re.compile(r"[0-9]-[a-z]+\.parquet")


class ThumbnailsWriter:
    """Writes the thumbnails of a catalog that is being written, in the order of its rows."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._path = folder, temporary_beside(folder / "thumbnails.npy")
        self._file: IO[bytes] | None = None
        self._n, self._sums = 0, hashlib.sha256()

    def __enter__(self) -> ThumbnailsWriter:
        return self

    def __exit__(self, *error: object) -> None:
        if self._file:
            self._file.close()
        self._path.unlink(missing_ok=True)

    def take_from(self, group: pa.Table) -> pa.Table:
        """Write the thumbnails of a group of rows, if it has them itself, and return it as it is to be stored."""
        if group.schema.field(COLUMN).type == PLACE:
            return group
        at = group.schema.get_field_index(COLUMN)
        return group.set_column(at, STORED.field(COLUMN), self.put(group[COLUMN]))

    def put(self, column: pa.Array | pa.ChunkedArray) -> pa.Array:
        """Write the thumbnails of some rows, and return the number of each: int32; null where there is none.

        What has not :data:`THUMBNAIL_BYTES` is none.

        Raises:
            OSError: the disk refuses.
        """
        values = as_arrow(column, pa.large_binary())
        is_known = pc.fill_null(pc.equal(pc.binary_length(values), THUMBNAIL_BYTES), False)
        known = values if values.null_count == 0 and is_known.true_count == len(values) else values.filter(is_known)
        if len(known):
            self._write(known)
        marks = is_known.to_numpy(zero_copy_only=False)
        places = self._n + np.cumsum(marks) - 1
        self._n += len(known)
        return pa.array(places.astype(np.int32), PLACE, mask=~marks)

    def _write(self, known: pa.Array) -> None:
        if self._file is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("wb")
            _write_header(self._file, 0)
        _, offsets, data = known.buffers()
        start = int(np.frombuffer(offsets, np.int64)[known.offset])
        some = memoryview(data)[start : start + len(known) * THUMBNAIL_BYTES]
        self._file.write(some)
        self._sums.update(some)

    def finish(self) -> str:
        """Let the file have its name, and return that; nothing if there are no thumbnails."""
        if self._file is None:
            return ""
        self._file.seek(0)
        _write_header(self._file, self._n)
        self._file.close()
        name = f"thumbnails-{self._sums.hexdigest()[:16]}.npy"
        with whole_file(self._folder / name) as temporary:
            self._path.replace(temporary)
        return name


def _write_header(file: IO[bytes], n: int) -> None:
    """Write NumPy's header, whose length does not depend on ``n``: it has room for a larger one."""
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": (n, THUMBNAIL_BYTES)})


def open_thumbnails(folder: Path, name: str) -> pa.Buffer:
    """Map the file of this name, if there is one: the thumbnails of all its rows, one behind the other.

    Raises:
        OSError: it is not there.
        ValueError: it is damaged, or there can be no such file.
    """
    if not name:
        return pa.py_buffer(b"")
    if not is_thumbnails(name):
        raise ValueError(f"its thumbnails are said to be in {name!r}")
    rows = np.load(folder / name, mmap_mode="r", allow_pickle=False)
    if rows.dtype != np.uint8 or rows.shape[1:] != (THUMBNAIL_BYTES,) or not rows.flags.c_contiguous:
        raise ValueError(f"{name} has no thumbnails")
    return pa.py_buffer(rows)


def look_up(places: pa.Array | pa.ChunkedArray, rows: pa.Buffer) -> pa.Array:
    """Return the thumbnails of rows of a catalog, which are those of consecutive rows of the file: none is copied.

    Raises:
        ValueError: they are not, or the file has no such row.
    """
    places = as_arrow(places, PLACE)
    known = places.is_valid().to_numpy(zero_copy_only=False)
    numbers = places.drop_null().to_numpy()
    first = int(numbers[0]) if len(numbers) else 0
    are_there = 0 <= first <= rows.size // THUMBNAIL_BYTES - len(numbers)
    if not are_there or not np.array_equal(numbers, np.arange(first, first + len(numbers))):
        raise ValueError("its thumbnails are not in the order of its rows")
    offsets = (first + np.append(0, np.cumsum(known))) * THUMBNAIL_BYTES
    buffers = [pa.py_buffer(np.packbits(known, bitorder="little")), pa.py_buffer(offsets), rows]
    return pa.Array.from_buffers(pa.large_binary(), len(places), buffers)


def is_thumbnails(name: str) -> bool:
    """Say whether a file is named as one with thumbnails is."""
    return bool(_NAME.fullmatch(name))


def remove_unused(root: Path, folder: str) -> None:
    """Remove the files in a folder below ``root`` that no catalog there names; all stay if one cannot be read."""
    names = list_names(root, folder)
    if not (files := {name for name in names if is_thumbnails(name)}):
        return
    try:
        metadata = [pq.read_metadata(root / folder / name).metadata for name in names if _CATALOG.fullmatch(name)]
    except (OSError, pa.ArrowException):
        return
    for name in files - {(one or {}).get(NAMED, b"").decode("utf-8", "replace") for one in metadata}:
        remove(root, f"{folder}/{name}")
