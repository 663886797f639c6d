r"""Undo the ``Content-Encoding`` of an answer (RFC 9110, 8.4), with a limit on what comes out of every layer.

None is requested; a server may apply one all the same. What is no such encoding, because the server only says so or
because nobody knows it, is left as it is, as browsers do.

>>> undo(zlib.compress(b"GIF89a and so on"), codings_of([b"Content-Encoding: Deflate, utf-8\r\n"]), max_bytes=100)
b'GIF89a and so on'
>>> undo(zlib.compress(bytes(10_000_000)), ("deflate",), max_bytes=100)
Traceback (most recent call last):
curator.fetch.network.content_coding.CodingError: more than max_bytes once its deflate is undone
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from curator.fetch.policy import header_values
from curator.observe.sniff import sniff
from curator.reasons import Drop

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MOST_CODINGS = 5
"""More layers than these are refused, as by libcurl and browsers."""

_ALIASES = {"x-gzip": "gzip", "brotli": "br", "x-br": "br", "x-zstd": "zstd", "x-deflate": "deflate"}
_BY_ARROW = {"br": "brotli", "zstd": "zstd"}
_KNOWN = ("gzip", "deflate", *_BY_ARROW)
_BLOCK_BYTES = 1 << 16
_LEAST_HEAD_BYTES = 4


class CodingError(Exception):
    """An encoding cannot be undone: ``reason`` is ``incomplete``, ``bad-response`` or ``too-many-bytes``."""

    def __init__(self, reason: Drop, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def codings_of(headers: Sequence[bytes]) -> tuple[str, ...]:
    """List the encodings that an answer's head names, in the order in which they were applied.

    >>> codings_of([b"Content-Encoding: x-gzip, identity", b"content-encoding:BR"])
    ('gzip', 'br')
    """
    values = header_values(headers, b"content-encoding")
    if not values:
        return ()
    names = [name.strip().lower() for value in values for name in value.split(",")]
    return tuple(_ALIASES.get(name, name) for name in names if name not in ("", "identity"))


def undo(body: bytes, codings: Sequence[str], max_bytes: int, pardoned: Collection[Drop] = ()) -> bytes:
    """Return a body without its encodings.

    Args:
        codings: as :func:`codings_of` lists them.
        max_bytes: the most that may come out of any layer.
        pardoned: the reasons after which what came out until then is returned.

    Raises:
        CodingError: it ends early, is damaged, or holds more than ``max_bytes``.
    """
    pieces: list[bytes] = []
    stream = undone(io.BufferedReader(io.BytesIO(body), _BLOCK_BYTES), codings, max_bytes)
    try:
        while piece := stream.read1(_BLOCK_BYTES):
            pieces.append(piece)
    except CodingError as error:
        if error.reason == Drop.BAD_RESPONSE and sniff(body).is_image:
            return body
        if error.reason not in pardoned:
            raise
    return b"".join(pieces)


def undone(stream: io.BufferedReader[Any], codings: Sequence[str], max_bytes: int) -> io.BufferedReader[Any]:
    """Return a stream of what ``stream`` holds without its encodings, undone as it is read.

    Raises:
        CodingError: (while reading, too) as for :func:`undo`.
    """
    if len(codings) > MOST_CODINGS:
        raise CodingError(Drop.BAD_RESPONSE, f"{len(codings)} content encodings")
    for coding in reversed(codings):
        head = stream.peek(_BLOCK_BYTES)[:_BLOCK_BYTES]
        if not head or coding not in _KNOWN or _is_plain(head, coding):
            continue
        stream = io.BufferedReader(_Undone(stream, coding, max_bytes), _BLOCK_BYTES)
    return stream


def _is_plain(head: bytes, coding: str) -> bool:
    """Return whether a body, by its beginning, is of another known kind than the encoding that its server names."""
    kind = sniff(head).format if len(head) >= _LEAST_HEAD_BYTES else None
    if kind in (None, coding):
        return False
    try:
        _Undone(io.BytesIO(head), coding, _BLOCK_BYTES).read(_BLOCK_BYTES)
    except CodingError as error:
        return error.reason != Drop.TOO_MANY_BYTES
    return False


class _Undone(io.RawIOBase):
    """One layer: counts what comes out of it, and says in a reason what is wrong with it."""

    def __init__(self, inner: Any, coding: str, max_bytes: int) -> None:
        super().__init__()
        self._coding, self._left = coding, max_bytes
        if coding not in _BY_ARROW:
            self._inner: Any = _Inflated(inner, coding)
        elif pa.Codec.is_available(_BY_ARROW[coding]):
            self._inner = pa.CompressedInputStream(pa.PythonFile(inner, mode="r"), _BY_ARROW[coding])
        else:
            raise CodingError(Drop.BAD_RESPONSE, f"its Content-Encoding {coding} cannot be undone here")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        try:
            data: bytes = self._inner.read(len(view))
        except EOFError as error:
            raise CodingError(Drop.INCOMPLETE, f"its {self._coding} ends early") from error
        except (zlib.error, OSError) as error:
            if "Truncated" in str(error):  # as pyarrow says it
                raise CodingError(Drop.INCOMPLETE, f"its {self._coding} ends early") from error
            raise CodingError(Drop.BAD_RESPONSE, f"its {self._coding} is damaged") from error
        self._left -= len(data)
        if self._left < 0:
            raise CodingError(Drop.TOO_MANY_BYTES, f"more than max_bytes once its {self._coding} is undone")
        view[: len(data)] = data
        return len(data)


class _Inflated:
    """What zlib undoes: gzip of any number of members, and deflate with or without the head that RFC 9110 demands."""

    def __init__(self, inner: Any, coding: str) -> None:
        self._inner, self._is_gzip = inner, coding == "gzip"
        self._packed = b""
        self._zlib: Any = None

    def read(self, n_bytes: int) -> bytes:
        """Return up to ``n_bytes`` bytes, at least one; none at the end.

        Raises:
            EOFError: the data ends early.
            zlib.error: it is damaged.
        """
        while True:
            self._packed = self._packed or self._inner.read1(_BLOCK_BYTES)
            if self._zlib is None:
                self._packed += self._inner.read1(_BLOCK_BYTES) if len(self._packed) == 1 else b""
                self._zlib = zlib.decompressobj(self._window_bits())
            elif self._zlib.eof:
                if not self._is_gzip or self._packed[:1] != b"\x1f":  # what follows the end is nobody's
                    return b""
                self._zlib = zlib.decompressobj(31)
            at_end = not self._packed
            data: bytes = self._zlib.decompress(self._packed, n_bytes)
            self._packed = self._zlib.unused_data if self._zlib.eof else self._zlib.unconsumed_tail
            if data:
                return data
            if at_end and not self._zlib.eof:
                raise EOFError

    def _window_bits(self) -> int:
        """Tell gzip, zlib and raw deflate apart (RFC 1950, 2.2: the first two bytes of zlib)."""
        if self._is_gzip:
            return 31
        head = self._packed[:2]
        return 15 if len(head) == 2 and head[0] & 15 == 8 and int.from_bytes(head, "big") % 31 == 0 else -15
