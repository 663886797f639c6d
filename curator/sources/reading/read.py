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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, TypeVar, cast
from urllib.parse import urlsplit

from curator.errors import SourceError
from curator.events import MetadataFinished, MetadataRead, MetadataStarted
from curator.sources.base import ListingContext
from curator.sources.reading.http import ask_size
from curator.sources.reading.places import is_url, local_path, scheme_problem
from curator.sources.reading.resume import ResumedStream, VersionChangedError
from curator.sources.reading.unpack import BUFFER_BYTES, unpack

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Answer = TypeVar("Answer")
MAX_BYTES = 64 << 30
"""More than any list or table holds: the largest known, the machine labels of Open Images, has 7 GB."""

_HTML_STARTS = (b"<!doctype", b"<html", b"<head", b"<?xml", b"<body", b"<!--")


def read_place(
    place: str, read: Callable[[io.BufferedReader], Answer], context: ListingContext, max_bytes: int = MAX_BYTES
) -> Answer:
    """Open ``place``, unpack it and give its bytes to ``read``; once more from the start where it changed meanwhile.

    Tells ``MetadataStarted``, ``MetadataRead`` (transferred bytes) and ``MetadataFinished``.

    Raises:
        SourceError: it cannot be read, is damaged, or holds more than ``max_bytes`` when unpacked.
    """
    for last_try in (False, True):
        try:
            with _open_unpacked(place, context, max_bytes) as stream:
                return read(stream)
        except VersionChangedError:
            if last_try:
                raise
    raise AssertionError("unreachable")


@contextmanager
def _open_unpacked(place: str, context: ListingContext, max_bytes: int) -> Iterator[io.BufferedReader]:
    name = shown_name(place)

    def tell(n_bytes: int) -> None:
        context.emit(MetadataRead(name, n_bytes))

    raw, total_bytes = _open_raw(place, context, tell)
    context.emit(MetadataStarted(name, total_bytes))
    try:
        with io.BufferedReader(raw, BUFFER_BYTES) as packed:
            yield unpack(cast(io.BufferedReader, packed), max_bytes)
    except OSError as error:
        raise SourceError(f"{place} could not be read ({error.strerror or error}).") from error
    finally:
        context.emit(MetadataFinished(name))


def _open_raw(place: str, context: ListingContext, tell: Callable[[int], None]) -> tuple[io.RawIOBase, int | None]:
    if is_url(place):
        stream = ResumedStream(place, context.fetch, tell)
        return stream, stream.version.total_bytes
    path = local_path(place, context.base_dir)
    if not path.is_file():
        raise SourceError(f"The place {problem}." if (problem := scheme_problem(place)) else f"{path} is not a file.")
    try:
        return _CountedFile(path, tell), path.stat().st_size
    except OSError as error:
        raise SourceError(f"{path} could not be read ({error.strerror}).") from error


class _CountedFile(io.FileIO):
    """A local file that tells how many bytes of it were read."""

    def __init__(self, path: Path, tell: Callable[[int], None]) -> None:
        super().__init__(path, "rb")
        self._tell = tell

    def readinto(self, buffer: WriteableBuffer) -> int:
        n_bytes = super().readinto(buffer) or 0
        self._tell(n_bytes)
        return n_bytes


def file_name(place: str) -> str:
    """Name a place by the last part of its path.

    >>> file_name("https://example.org/v7/labels.csv?x=1"), file_name("https://example.org/?wnid=n1")
    ('labels.csv', 'example.org')
    """
    if not is_url(place):
        return Path(place).name
    parts = urlsplit(place)
    return PurePosixPath(parts.path).name or parts.netloc.rpartition("@")[2]


def shown_name(place: str) -> str:
    """Name a place for a person: shortly, and apart from others of the same server.

    >>> shown_name("https://example.org/api/geturls?wnid=n00470966")
    'geturls?wnid=n00470966'
    """
    query = urlsplit(place).query if is_url(place) else ""
    return file_name(place) + (f"?{query}" if query else "")


def probe_size(place: str, context: ListingContext) -> int | None:
    """Ask how many bytes reading ``place`` would transfer; None where nobody says. Never raises."""
    if not is_url(place):
        path = local_path(place, context.base_dir)
        return path.stat().st_size if path.is_file() else None
    return ask_size(place, context.fetch)


def looks_like_html(head: bytes) -> bool:
    r"""Tell whether the first bytes of an answer are a web page and not a list.

    >>> looks_like_html(b"\n<!DOCTYPE html>"), looks_like_html(b"http://example.org/<a>.jpg")
    (True, False)
    """
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_HTML_STARTS)
