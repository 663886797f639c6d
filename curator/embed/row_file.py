"""Rows of fixed size by the content of a file, in one NumPy file that grows: any reader maps it with ``np.load``.

A row is added behind the others, then the header counts it: what a killed run has written and not counted is not there
for a reader, and is overwritten by the next. Rows are never changed; :func:`forget_rows` writes a file without some.
Each row ends with a checksum of itself (CRC-32), and so does the header: what the disk has damaged is not found again.

>>> import tempfile
>>> file = RowFile(Path(tempfile.mkdtemp()) / "features.npy", [("features", "<f4", (2,))])
>>> file.add(["ab" * 32], features=np.ones((1, 2)))
>>> file.find(["cd" * 32, "ab" * 32]).tolist(), file.rows["features"].tolist()
([-1, 0], [[1.0, 1.0]])
>>> np.load(file.path, mmap_mode="r")["sha256"].tolist() == [b"ab" * 32], find_damage(file.path)
(True, '')
"""

from __future__ import annotations

import fcntl
import os
import re
import zlib
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from curator.store.whole_files import disk_errors, whole_file

_HEADER_BYTES = 512
"""Room for the header, so that a larger count never moves the rows."""

_AT_ONCE = 1024
"""Rows that are copied together."""
_CHECK = "check"
_HEADER_CHECK = re.compile(rb"  # [0-9a-f]{8}(?= *\n)")
"""A comment behind the header's dict, which NumPy skips: the CRC-32 of the header without it."""


class RowFile:
    """The rows of one file; ``fields`` are NumPy fields besides ``sha256`` (64 hex digits) and the checksum."""

    def __init__(self, path: Path, fields: Sequence[tuple[Any, ...]]) -> None:
        self.path = path
        self.dtype = np.dtype([("sha256", "S64"), *fields, (_CHECK, "<u4")])
        self.rows: npt.NDArray[Any] = np.empty(0, self.dtype)
        self._place: dict[bytes, int] = {}
        self._sound: set[int] = set()
        self._read()

    def _read(self) -> None:
        """Map the rows that the file counts now; one that is damaged or has other fields counts none."""
        try:
            rows = open_rows(self.path)
        except (OSError, ValueError):
            rows = None
        self.rows = rows if rows is not None and rows.dtype == self.dtype else np.empty(0, self.dtype)
        n_known = len(self._place)
        if len(self.rows) < n_known:
            self._place, self._sound, n_known = {}, set(), 0
        for number, sha256 in enumerate(self.rows["sha256"][n_known:].tolist(), n_known):
            self._place[sha256] = number

    def find(self, sha256s: Sequence[str]) -> npt.NDArray[np.int64]:
        """Return the row of each content: int64, shape (contents,); -1: it has none, or one that is damaged."""
        found = [self._place.get(sha256.encode(), -1) for sha256 in sha256s]
        new = sorted({place for place in found if place >= 0} - self._sound)
        self._sound.update(np.array(new, dtype=np.int64)[is_sound(self.rows, new)].tolist())
        return np.array([place if place in self._sound else -1 for place in found], dtype=np.int64)

    def contents(self) -> list[str]:
        """Return the contents that have a row, in the order of their SHA-256s."""
        names = sorted(name.decode() for name in self._place if name.isascii())
        return [name for name, place in zip(names, self.find(names).tolist(), strict=True) if place >= 0]

    def add(self, sha256s: Sequence[str], **values: Any) -> None:
        """Add a row for each content; when this returns they are on the disk.

        Raises:
            DiskError: the disk refuses; the rows that were there before are kept.
        """
        new = np.empty(len(sha256s), self.dtype)
        new["sha256"] = [sha256.encode() for sha256 in sha256s]
        for name, column in values.items():
            new[name] = column
        new[_CHECK] = _checksums(new, range(len(new)))
        with disk_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                self._read()
                end = _HEADER_BYTES + len(self.rows) * self.dtype.itemsize
                os.ftruncate(descriptor, end)
                _write_at(descriptor, new.tobytes(), end)
                os.fsync(descriptor)
                _write_at(descriptor, _header(self.dtype, len(self.rows) + len(new)), 0)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        self._read()


def open_rows(path: Path) -> npt.NDArray[Any] | None:
    """Map a file of rows, of which only those are read that are used; None: it is none.

    Raises:
        OSError: it is not there.
        ValueError: its header is damaged, or it is shorter than that says.
    """
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    check = _HEADER_CHECK.search(header)
    if check is None and repr((_CHECK, "<u4")).encode() not in header:
        return None
    if check is None or _sealed(header[: check.start()]) != header:
        raise ValueError("its header is not as it was written: its checksum differs")
    rows: npt.NDArray[Any] = np.lib.format.open_memmap(path, mode="r")
    return rows


def _write_at(descriptor: int, data: bytes, at: int) -> None:
    view = memoryview(data)
    while view:
        n = os.pwrite(descriptor, view, at)
        view, at = view[n:], at + n


def _header(dtype: np.dtype[Any], n: int) -> bytes:
    """Write a header of NumPy's format (version 1.0, NEP 1) for ``n`` rows, always of the same length."""
    facts = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": (n,)}
    start = b"\x93NUMPY\x01\x00" + (_HEADER_BYTES - 10).to_bytes(2, "little") + repr(facts).encode("latin-1")
    is_checked = _CHECK in (dtype.names or ())
    return _sealed(start) if is_checked else start.ljust(_HEADER_BYTES - 1) + b"\n"


def _sealed(header: bytes) -> bytes:
    return (header + b"  # %08x" % zlib.crc32(header)).ljust(_HEADER_BYTES - 1) + b"\n"


def _checksums(rows: npt.NDArray[Any], places: Sequence[int]) -> list[int]:
    """Compute the CRC-32 of rows without their last field, the checksum: 1 GB a second and more."""
    data = np.ascontiguousarray(rows).view(np.uint8).reshape(len(rows), rows.dtype.itemsize)[:, :-4]
    return [zlib.crc32(data[place]) for place in places]


def is_sound(rows: npt.NDArray[Any], places: Sequence[int]) -> npt.NDArray[np.bool_]:
    """Return which of these rows are as they were written: bool, shape (places,)."""
    stated = rows[_CHECK][np.array(places, dtype=np.int64)]
    return np.asarray(stated == np.array(_checksums(rows, places), dtype=np.uint32), dtype=np.bool_)


def find_damage(path: Path) -> str | None:
    """Say what is damaged in a file of rows; nothing if nothing is, None if it states no checksums.

    Rows behind those that the header counts are what a killed run has left: the next one overwrites them.
    """
    try:
        rows = open_rows(path)
    except FileNotFoundError:
        return ""  # a command has removed it since it was listed
    except (OSError, ValueError) as error:
        return f"cannot be read ({str(error).splitlines()[0]})"
    if rows is None:
        return None
    wrong = np.flatnonzero(~is_sound(rows, range(len(rows))))
    if not len(wrong):
        return ""
    return f"row {wrong[0]:,} is not as it was written: its checksum differs" + (
        f"; and {len(wrong) - 1:,} more" if len(wrong) > 1 else ""
    )


def forget_rows(folder: Path, contents: Collection[str]) -> None:
    """Take contents (SHA-256s) out of every file of rows in a folder; one that is damaged goes whole.

    Raises:
        DiskError: the disk refuses.
    """
    gone = {sha256.encode() for sha256 in contents}
    for path in folder.glob("*.npy"):
        try:
            if find_damage(path):
                raise ValueError("a damaged row may be of any content")
            rows = np.lib.format.open_memmap(path, mode="r")
            stays = np.array([sha256 not in gone for sha256 in rows["sha256"].tolist()], dtype=bool)
        except (OSError, ValueError, IndexError):
            path.unlink(missing_ok=True)
            continue
        if not stays.all():
            with whole_file(path) as temporary, temporary.open("wb") as file:
                file.write(_header(rows.dtype, int(stays.sum())))
                for start in range(0, len(rows), _AT_ONCE):
                    block = slice(start, start + _AT_ONCE)
                    file.write(np.asarray(rows[block])[stays[block]].tobytes())
