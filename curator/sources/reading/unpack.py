r"""Unpack a stream as it is read: gzip and a gzipped tar's first file, known by their bytes and never by their name.

>>> unpacked = unpack(io.BufferedReader(io.BytesIO(gzip.compress(b"n00478262_1\thttp://example.org/a.jpg\n"))), 100)
>>> unpacked.read()
b'n00478262_1\thttp://example.org/a.jpg\n'
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from typing import IO, TYPE_CHECKING, cast

from curator.errors import SourceError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BUFFER_BYTES = 1 << 20
_TAR_MAGIC_AT, _TAR_MAGIC = 257, b"ustar"


def unpack(packed: io.BufferedReader, max_bytes: int) -> io.BufferedReader:
    """Return the plain bytes of ``packed``, whichever form it has, in constant memory.

    Raises:
        SourceError: (while reading) damaged or cut compressed data, or more than ``max_bytes`` when unpacked.
    """
    plain: IO[bytes] = packed
    if packed.peek(2)[:2] == b"\x1f\x8b":
        plain = io.BufferedReader(_Guarded(cast(IO[bytes], gzip.GzipFile(fileobj=packed)), max_bytes), BUFFER_BYTES)
    head = cast(io.BufferedReader, plain).peek(_TAR_MAGIC_AT + len(_TAR_MAGIC))
    if head[_TAR_MAGIC_AT:].startswith(_TAR_MAGIC):
        plain = _first_file(plain)
    return io.BufferedReader(_Guarded(plain, max_bytes), BUFFER_BYTES)


def _first_file(stream: IO[bytes]) -> IO[bytes]:
    try:
        archive = tarfile.open(fileobj=stream, mode="r|")  # noqa: SIM115 (read on by the caller, member by member)
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content is not None:
                return content
    except tarfile.TarError as error:
        raise SourceError(f"The tar archive is damaged ({error}).") from error
    raise SourceError("The tar archive holds no file.")


class _Guarded(io.RawIOBase):
    """Turns the errors of damaged data into one that a person can read, and stops at ``max_bytes``."""

    def __init__(self, inner: IO[bytes], max_bytes: int) -> None:
        super().__init__()
        self._inner, self._left = inner, max_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        try:
            data = self._inner.read(len(view))
        except (EOFError, zlib.error, gzip.BadGzipFile, tarfile.TarError) as error:
            raise SourceError(f"The compressed data is damaged or cut short ({error}).") from error
        self._left -= len(data)
        if self._left < 0:
            raise SourceError("There is more data than such a list can hold.")
        view[: len(data)] = data
        return len(data)
