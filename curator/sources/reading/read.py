"""Read a list or a table from an http(s) URL or a local path as a stream of plain bytes, whatever happens on the way.

>>> import tempfile
>>> from pathlib import Path
>>> with tempfile.TemporaryDirectory() as folder:
...     context = ListingContext(labels=(), cache_dir=Path(), base_dir=Path(folder))
...     _ = Path(folder, "list.txt").write_text("http://example.org/a.jpg")
...     read_place("list.txt", lambda stream: stream.read(), context)
b'http://example.org/a.jpg'
"""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path as Path
from typing import TYPE_CHECKING, Any, TypeVar

from curator.errors import SourceError, why
from curator.events import MetadataFinished, MetadataRead, MetadataStarted
from curator.fetch.network.content_coding import CodingError, undone
from curator.reasons import Drop
from curator.sources.base import ListingContext
from curator.sources.budget import budget
from curator.sources.reading.http import ask_size, origin_of
from curator.sources.reading.places import is_url, local_path, scheme_problem, shown_name
from curator.sources.reading.resume import ResumedStream, VersionChangedError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Answer = TypeVar("Answer")
BUFFER_BYTES = 1 << 20
_TAR_MAGIC_AT, _TAR_MAGIC = 257, b"ustar"
_HEAD_BYTES, _BLANK = 512, b"\xef\xbb\xbf \t\r\n"
_MARKUP = re.compile(rb"<(?:[!?]|[a-z][a-z0-9]*[\s/>])")


def read_place(
    place: str, read: Callable[[io.BufferedReader], Answer], context: ListingContext, max_bytes: int = 0
) -> Answer:
    """Open ``place``, unpack it and have ``read`` read its bytes; once more from the start if it changed meanwhile.

    Emits ``MetadataStarted``, ``MetadataRead`` (transferred bytes) and ``MetadataFinished``.

    Args:
        max_bytes: of this file; 0: what the budget of the source allows.

    Raises:
        SourceError: it cannot be read, is damaged, a web page, or holds more than ``max_bytes`` when unpacked.
    """
    max_bytes = max_bytes or budget().max_bytes
    try:
        return _read_once(place, read, context, max_bytes)
    except VersionChangedError:
        return _read_once(place, read, context, max_bytes)


def _read_once(
    place: str, read: Callable[[io.BufferedReader], Answer], context: ListingContext, max_bytes: int
) -> Answer:
    name = shown_name(place)
    raw, total_bytes = _open(place, context)
    context.emit(MetadataStarted(name, total_bytes))
    try:
        guarded = _Guarded(raw, max_bytes, lambda n_bytes: context.emit(MetadataRead(name, n_bytes)))
        with io.BufferedReader(guarded, BUFFER_BYTES) as packed:
            is_packed = packed.peek(2)[:2] == b"\x1f\x8b" or bool(getattr(raw, "codings", ()))
            stream = unpack(undone(packed, getattr(raw, "codings", ()), max_bytes), max_bytes)
            # What a retired server answers, with status 200.
            if _MARKUP.match(stream.peek(_HEAD_BYTES)[:_HEAD_BYTES].lstrip(_BLANK).lower()):
                found = "answered with" if is_url(place) else "is"
                raise SourceError(f"{place} {found} a web page (HTML) and not a list.")
            read_whole = read(stream)
            if not (is_packed or getattr(raw, "says_its_end", True)):
                context.doubt(place, name)
            return read_whole
    except CodingError as error:
        if error.reason == Drop.TOO_MANY_BYTES:
            raise _too_long(max_bytes) from error
        raise SourceError(f"{place} could not be read ({error}).") from error
    except OSError as error:
        raise SourceError(f"{place} could not be read ({why(error)}).") from error
    finally:
        context.emit(MetadataFinished(name))


def _open(place: str, context: ListingContext) -> tuple[io.RawIOBase, int | None]:
    if is_url(place):
        stream = ResumedStream(place, context.fetch, headers_for(place, context))
        return stream, stream.version.total_bytes
    path = local_path(place, context.base_dir)
    if not path.is_file():
        raise SourceError(f"The place {problem}." if (problem := scheme_problem(place)) else f"{path} is not a file.")
    try:
        return path.open("rb", buffering=0), path.stat().st_size
    except OSError as error:
        raise SourceError(f"{path} could not be read ({why(error)}).") from error


def unpack(packed: io.BufferedReader[Any], max_bytes: int) -> io.BufferedReader[Any]:
    r"""Return the plain bytes of ``packed``, as they are read: of gzip, of a gzipped tar's first file, or as they are.

    The form is known by the bytes and never by a name.

    >>> unpack(io.BufferedReader(io.BytesIO(gzip.compress(b"n00478262_1\thttp://example.org/a.jpg"))), 100).read()
    b'n00478262_1\thttp://example.org/a.jpg'

    Raises:
        SourceError: (while reading) damaged or cut compressed data, or more than ``max_bytes`` when unpacked.
    """
    plain, is_packed = packed, packed.peek(2)[:2] == b"\x1f\x8b"
    if is_packed:
        plain = io.BufferedReader(_Guarded(gzip.GzipFile(fileobj=packed), max_bytes), BUFFER_BYTES)
    head = plain.peek(_TAR_MAGIC_AT + len(_TAR_MAGIC))
    if not head[_TAR_MAGIC_AT:].startswith(_TAR_MAGIC):
        return plain if is_packed else io.BufferedReader(_Guarded(packed, max_bytes), BUFFER_BYTES)
    try:
        archive = tarfile.open(fileobj=plain, mode="r|")  # noqa: SIM115 (read on by the caller, member by member)
        for member in archive:
            if member.isfile() and (content := archive.extractfile(member)):
                return io.BufferedReader(_Guarded(content, max_bytes), BUFFER_BYTES)
    except tarfile.TarError as error:
        raise SourceError(f"The tar archive is damaged ({error}).") from error
    raise SourceError("The tar archive holds no file.")


def _too_long(max_bytes: int) -> SourceError:
    if max_bytes == budget().max_bytes:
        return budget().too_long()
    return SourceError(f"has more than {max_bytes:,} bytes, once unpacked: more than such a list can hold")


class _Guarded(io.RawIOBase):
    """Counts the bytes of a stream, stops at ``max_bytes``, and says in a sentence that data is damaged."""

    def __init__(self, inner: Any, max_bytes: int, on_bytes: Callable[[int], None] = lambda n_bytes: None) -> None:
        super().__init__()
        self._inner, self._left, self._on_bytes = inner, max_bytes, on_bytes
        self._max_bytes, self._budget = max_bytes, budget()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        try:
            n_bytes: int = self._inner.readinto(buffer) or 0
        except (EOFError, zlib.error, gzip.BadGzipFile, tarfile.TarError) as error:
            raise SourceError(f"The compressed data is damaged or cut short ({error}).") from error
        self._on_bytes(n_bytes)
        self._left -= n_bytes
        if self._left < 0:
            raise _too_long(self._max_bytes)
        self._budget.time()
        return n_bytes

    def close(self) -> None:
        self._inner.close()
        super().close()


def probe_size(place: str, context: ListingContext) -> int | None:
    """Find out how many bytes reading ``place`` would transfer; None if nobody says. Never raises."""
    if not is_url(place):
        path = local_path(place, context.base_dir)
        return path.stat().st_size if path.is_file() else None
    return ask_size(place, context.fetch, headers_for(place, context))


def headers_for(place: str, context: ListingContext) -> list[str]:
    """Return the further lines of a request for this address, which are for its origin (RFC 6454) alone.

    >>> context = ListingContext((), Path(), headers={"https://h.example": "Authorization: Bearer t"})
    >>> headers_for("https://H.example/a", context), headers_for("https://h.example.evil.org/a", context)
    (['Authorization: Bearer t'], [])
    >>> headers_for("http://h.example/a", context)
    []
    """
    line = context.headers.get(origin_of(place)) if context.headers else None
    return [line] if line else []
