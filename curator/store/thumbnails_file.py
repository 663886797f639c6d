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
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tokenize import TokenError
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from curator import catalog
from curator.catalog import as_arrow
from curator.errors import StateError
from curator.store.beneath import list_names, remove
from curator.store.whole_files import temporary_beside, whole_file
from curator.text import Command

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
    """Writes the thumbnails of a catalog that is being written, in the order of its rows, unless they are there."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._path = folder, temporary_beside(folder / "thumbnails.npy")
        self._file: IO[bytes] | None = None
        self._n, self._sums = 0, hashlib.sha256()
        self._alike: dict[str, pa.Buffer] | None = None  # the files there that begin with what was put until now

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
        _, offsets, data = known.buffers()
        start = int(np.frombuffer(offsets, np.int64)[known.offset])
        some = data.slice(start, len(known) * THUMBNAIL_BYTES)
        self._sums.update(some)
        if self._file is None:
            before = _open_all(self._folder) if self._alike is None else self._alike
            at = self._n * THUMBNAIL_BYTES
            self._alike = {name: rows for name, rows in before.items() if rows[at : at + some.size].equals(some)}
            if self._alike:
                return
            self._file = self._begin(before)
        self._file.write(some)

    def _begin(self, alike: Mapping[str, pa.Buffer]) -> IO[bytes]:
        """Begin a file with the rows until now, which all of these files have."""
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._path.open("wb")
        _write_header(file, 0)
        for rows in [*alike.values()][:1]:
            file.write(rows[: self._n * THUMBNAIL_BYTES])
        return file

    def finish(self) -> str:
        """Let the file have its name, and return that; nothing if there are no thumbnails."""
        if not self._n:
            return ""
        name = f"thumbnails-{self._sums.hexdigest()[:16]}.npy"
        if self._file is None:
            alike = self._alike or {}
            if name in alike and alike[name].size == self._n * THUMBNAIL_BYTES:
                return name
            self._file = self._begin(alike)
        self._file.seek(0)
        _write_header(self._file, self._n)
        self._file.close()
        with whole_file(self._folder / name) as temporary:
            self._path.replace(temporary)
        return name


def _open_all(folder: Path) -> dict[str, pa.Buffer]:
    found = {}
    for name in filter(is_thumbnails, list_names(folder)):
        with suppress(OSError, ValueError):
            found[name] = open_thumbnails(folder, name)
    return found


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
        return pa.allocate_buffer(0)
    if not is_thumbnails(name):
        raise ValueError(f"its thumbnails are said to be in {name[:80]!r}")
    with (folder / name).open("rb") as file:
        try:
            np.lib.format.read_magic(file)
            shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        except (TokenError, MemoryError) as error:  # of NumPy's parser: a byte of the header has changed
            raise ValueError(f"{name} has no header of NumPy's") from error
        start = file.tell()
    rows = pa.memory_map(str(folder / name)).read_buffer().slice(start)
    if dtype != np.uint8 or shape[1:] != (THUMBNAIL_BYTES,) or rows.size != shape[0] * THUMBNAIL_BYTES:
        raise ValueError(f"{name} has no thumbnails")
    return rows


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
    buffers = [pa.array(known).buffers()[1], pa.array(offsets).buffers()[1], rows]
    return pa.Array.from_buffers(pa.large_binary(), len(places), buffers)


@contextmanager
def damage_of_thumbnails(path: Path, name: str) -> Iterator[None]:
    """Say of an error with the file ``name`` that the catalog ``path`` is damaged, and which command mends that."""
    try:
        yield
    except (OSError, ValueError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        again = (Command(writer_of(path.parent, name)), " writes them anew.")
        raise StateError(f"The thumbnails of the catalog {path} are damaged ({first}).", again) from error


def with_thumbnails(table: pa.Table, path: Path, name: str, rows: pa.Buffer | None = None) -> pa.Table:
    """Put the thumbnails of rows of the catalog ``path`` in the place of their numbers in the file ``name``.

    Args:
        rows: that file, if it is mapped already.

    Raises:
        StateError: they are not there, or damaged.
    """
    if COLUMN not in table.column_names or table[COLUMN].type != PLACE:
        return table
    with damage_of_thumbnails(path, name):
        found = look_up(table[COLUMN], open_thumbnails(path.parent, name) if rows is None else rows)
    return table.set_column(table.schema.get_field_index(COLUMN), catalog.SCHEMA.field(COLUMN), found)


def is_thumbnails(name: str) -> bool:
    """Say whether a file is named as one with thumbnails is."""
    return bool(_NAME.fullmatch(name))


def named_in(metadata: pq.FileMetaData) -> str:
    """Return the name of the file with the thumbnails of a catalog with these metadata; nothing if it has none."""
    name: bytes = (metadata.metadata or {}).get(NAMED, b"")
    return name.decode("utf-8", "replace")


def _named_by_all(folder: Path, names: Iterable[str]) -> list[str] | None:
    """Return what each catalog names, in the order of the stages; None if one of them cannot be read."""
    try:
        return [named_in(pq.read_metadata(folder / name)) for name in sorted(names) if _CATALOG.fullmatch(name)]
    except (OSError, pa.ArrowException):
        return None


def remove_unused(root: Path, folder: str) -> None:
    """Remove the files in a folder below ``root`` that no catalog there names; all stay if one cannot be read.

    Raises:
        StateError: the folder is a link.
        OSError: the disk refuses.
    """
    names = list_names(root, folder)
    files = {name for name in names if is_thumbnails(name)}
    named = _named_by_all(root / folder, names) if files else None
    for name in files - set(named) if named is not None else ():
        remove(root, f"{folder}/{name}")


def writer_of(folder: Path, name: str) -> str:
    """Return the command after which no catalog lacks the file ``name``: the fetch, if its catalog names that.

    A file that only later catalogs name is of an earlier fetch: the split makes them of this one's.
    """
    named = next(filter(None, _named_by_all(folder, list_names(folder)) or ()), name)
    return "fetch" if named == name else "split"
