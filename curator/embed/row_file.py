"""Rows of fixed size by the content of a file, in one NumPy file that grows: any reader maps it with ``np.load``.

A row is added behind the others, then the header counts it: what a killed run has written and not counted is not there
for a reader, and is overwritten by the next. Rows are never changed; :func:`forget_rows` writes a file without some.

>>> import tempfile
>>> file = RowFile(Path(tempfile.mkdtemp()) / "features.npy", [("features", "<f4", (2,))])
>>> file.add(["ab" * 32], features=np.ones((1, 2)))
>>> file.find(["cd" * 32, "ab" * 32]).tolist(), file.rows["features"].tolist()
([-1, 0], [[1.0, 1.0]])
>>> np.load(file.path, mmap_mode="r")["sha256"].tolist() == [b"ab" * 32]
True
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from curator.store.whole_files import disk_errors, whole_file

_HEADER_BYTES = 512
"""Room for the header, so that a larger count never moves the rows."""


class RowFile:
    """The rows of one file; ``fields`` are NumPy fields besides ``sha256`` (64 hex digits)."""

    def __init__(self, path: Path, fields: Sequence[tuple[Any, ...]]) -> None:
        self.path = path
        self.dtype = np.dtype([("sha256", "S64"), *fields])
        self.rows: npt.NDArray[Any] = np.empty(0, self.dtype)
        self._place: dict[bytes, int] = {}
        self._read()

    def _read(self) -> None:
        """Map the rows that the file counts now; one that is damaged or has other fields counts none."""
        try:
            rows: npt.NDArray[Any] = np.lib.format.open_memmap(self.path, mode="r")
        except (OSError, ValueError):
            rows = np.empty(0, self.dtype)
        self.rows = rows if rows.dtype == self.dtype and rows.ndim == 1 else np.empty(0, self.dtype)
        n_known = len(self._place)
        if len(self.rows) < n_known:
            self._place, n_known = {}, 0
        for number, sha256 in enumerate(self.rows["sha256"][n_known:].tolist(), n_known):
            self._place[sha256] = number

    def find(self, sha256s: Sequence[str]) -> npt.NDArray[np.int64]:
        """Return the row of each content: int64, shape (contents,); -1: it has none."""
        return np.array([self._place.get(sha256.encode(), -1) for sha256 in sha256s], dtype=np.int64)

    def add(self, sha256s: Sequence[str], **values: Any) -> None:
        """Add a row for each content; when this returns they are on the disk.

        Raises:
            DiskError: the disk refuses; the rows that were there before are kept.
        """
        new = np.empty(len(sha256s), self.dtype)
        new["sha256"] = [sha256.encode() for sha256 in sha256s]
        for name, column in values.items():
            new[name] = column
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


def _write_at(descriptor: int, data: bytes, at: int) -> None:
    view = memoryview(data)
    while view:
        n = os.pwrite(descriptor, view, at)
        view, at = view[n:], at + n


def _header(dtype: np.dtype[Any], n: int) -> bytes:
    """Write a header of NumPy's format (version 1.0, NEP 1) for ``n`` rows, always of the same length."""
    facts = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": (n,)}
    text = repr(facts).ljust(_HEADER_BYTES - 11) + "\n"
    return b"\x93NUMPY\x01\x00" + (_HEADER_BYTES - 10).to_bytes(2, "little") + text.encode("latin-1")


def forget_rows(folder: Path, contents: Collection[str]) -> None:
    """Take contents (SHA-256s) out of every file of rows in a folder; one that is damaged goes whole.

    Raises:
        DiskError: the disk refuses.
    """
    gone = {sha256.encode() for sha256 in contents}
    for path in folder.glob("*.npy"):
        try:
            rows = np.lib.format.open_memmap(path, mode="r")
            stays = np.array([sha256 not in gone for sha256 in rows["sha256"].tolist()], dtype=bool)
        except (OSError, ValueError, IndexError):
            path.unlink(missing_ok=True)
            continue
        if not stays.all():
            with whole_file(path) as temporary, temporary.open("wb") as file:
                file.write(_header(rows.dtype, int(stays.sum())))
                file.write(np.asarray(rows)[stays].tobytes())
