"""Read a list or a table from an http(s) URL or a local path as a stream of plain bytes, whatever happens on the way.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     context = ListingContext(labels=(), cache_dir=Path(), base_dir=Path(folder))
...     _ = Path(folder, "list.txt").write_text("http://example.org/a.jpg")
...     read_place("list.txt", lambda stream: stream.read(), context)
b'http://example.org/a.jpg'
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from curator.errors import SourceError
from curator.events import MetadataFinished, MetadataRead, MetadataStarted
from curator.sources.base import ListingContext
from curator.sources.reading.http import ask_size
from curator.sources.reading.places import is_url, local_path, scheme_problem, shown_name
from curator.sources.reading.resume import ResumedStream, VersionChangedError
from curator.sources.reading.unpack import BUFFER_BYTES, unpack

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Answer = TypeVar("Answer")
MAX_BYTES = 64 << 30
"""More than any list or table holds: the largest known, the machine labels of Open Images, has 7 GB."""

_HEAD_BYTES, _BLANK = 512, b"\xef\xbb\xbf \t\r\n"
_HTML_STARTS = (b"<!doctype", b"<html", b"<head", b"<?xml", b"<body", b"<!--")


def read_place(
    place: str, read: Callable[[io.BufferedReader], Answer], context: ListingContext, max_bytes: int = MAX_BYTES
) -> Answer:
    """Open ``place``, unpack it and have ``read`` read its bytes; once more from the start if it changed meanwhile.

    Emits ``MetadataStarted``, ``MetadataRead`` (transferred bytes) and ``MetadataFinished``.

    Raises:
        SourceError: it cannot be read, is damaged, a web page, or holds more than ``max_bytes`` when unpacked.
    """
    try:
        return _read_once(place, read, context, max_bytes)
    except VersionChangedError:
        return _read_once(place, read, context, max_bytes)


def _read_once(
    place: str, read: Callable[[io.BufferedReader], Answer], context: ListingContext, max_bytes: int
) -> Answer:
    name = shown_name(place)

    def count(n_bytes: int) -> None:
        context.emit(MetadataRead(name, n_bytes))

    raw, total_bytes = _open(place, context, count)
    context.emit(MetadataStarted(name, total_bytes))
    try:
        with io.BufferedReader(raw, BUFFER_BYTES) as packed:
            stream = unpack(cast(io.BufferedReader, packed), max_bytes)
            # What a retired server answers, with status 200.
            if stream.peek(_HEAD_BYTES)[:_HEAD_BYTES].lstrip(_BLANK).lower().startswith(_HTML_STARTS):
                raise SourceError(
                    f"{place} {'answered with' if is_url(place) else 'is'} a web page (HTML) and not a list."
                )
            return read(stream)
    except OSError as error:
        raise SourceError(f"{place} could not be read ({error.strerror or error}).") from error
    finally:
        context.emit(MetadataFinished(name))


def _open(place: str, context: ListingContext, count: Callable[[int], None]) -> tuple[io.RawIOBase, int | None]:
    if is_url(place):
        stream = ResumedStream(place, context.fetch, count)
        return stream, stream.version.total_bytes
    path = local_path(place, context.base_dir)
    if not path.is_file():
        raise SourceError(f"The place {problem}." if (problem := scheme_problem(place)) else f"{path} is not a file.")
    try:
        return _CountedFile(path, count), path.stat().st_size
    except OSError as error:
        raise SourceError(f"{path} could not be read ({error.strerror}).") from error


class _CountedFile(io.FileIO):
    """A local file that counts how many bytes of it were read."""

    def __init__(self, path: Path, count: Callable[[int], None]) -> None:
        super().__init__(path, "rb")
        self._count = count

    def readinto(self, buffer: WriteableBuffer) -> int:
        n_bytes = super().readinto(buffer) or 0
        self._count(n_bytes)
        return n_bytes


def probe_size(place: str, context: ListingContext) -> int | None:
    """Ask how many bytes reading ``place`` would transfer; None if nobody says. Never raises."""
    if not is_url(place):
        path = local_path(place, context.base_dir)
        return path.stat().st_size if path.is_file() else None
    return ask_size(place, context.fetch)
