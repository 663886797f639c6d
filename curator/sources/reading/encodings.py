"""Read text of any encoding as UTF-8, as a stream: a declared one, or UTF-16 and UTF-32 by their byte order mark.

>>> stream = io.BufferedReader(io.BytesIO("url,Käfer".encode("utf-16")))
>>> as_utf8(stream).read().decode()
'url,Käfer'
>>> as_utf8(io.BufferedReader(io.BytesIO(bytes([75, 228]))), "cp1252").read().decode()
'Kä'
>>> encoding_problem("cp1251"), encoding_problem("latin-99")
(None, "must be an encoding that Python knows, such as 'cp1252' or 'gb18030', not 'latin-99'")
"""

from __future__ import annotations

import codecs
import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PIECE_BYTES = 1 << 20
_ODD = "\udcff"  # what does not decode: written as bytes that are not UTF-8, so that its row is refused like any other
_HANDLER = "curator.odd"
codecs.register_error(_HANDLER, lambda error: (_ODD, getattr(error, "end", 0)))


def encoding_problem(name: str) -> str | None:
    """Say that an encoding is none that Python can decode text of, or None."""
    try:
        if isinstance(codecs.getincrementaldecoder(name)().decode(b""), str):
            return None
    except (LookupError, ValueError):
        pass
    return f"must be an encoding that Python knows, such as 'cp1252' or 'gb18030', not {name!r}"


def as_utf8(stream: io.BufferedReader[Any], encoding: str = "") -> io.BufferedReader[Any]:
    """Return a stream's text in UTF-8; bytes that do not decode come out as bytes that are not UTF-8.

    Args:
        encoding: its name in Python; none: UTF-16 or UTF-32 by their byte order mark, else the bytes as they are.
    """
    head = stream.peek(4)[:4]
    name = encoding or next((name for mark, name in _MARKS if head.startswith(mark)), "")
    if not name or codecs.lookup(name).name == "utf-8":
        return stream
    return io.BufferedReader(_Decoded(stream, name), _PIECE_BYTES)


class _Decoded(io.RawIOBase):
    """The text of a stream, decoded piece by piece."""

    def __init__(self, inner: io.BufferedReader[Any], encoding: str) -> None:
        super().__init__()
        self._inner, self._decoder = inner, codecs.getincrementaldecoder(encoding)(_HANDLER)
        self._ready, self._has_ended = b"", False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        while not (self._ready or self._has_ended):
            piece = self._inner.read(_PIECE_BYTES)
            self._has_ended = not piece
            self._ready = self._decoder.decode(piece, final=self._has_ended).encode("utf-8", "surrogatepass")
        n_bytes = min(len(view), len(self._ready))
        view[:n_bytes] = self._ready[:n_bytes]
        self._ready = self._ready[n_bytes:]
        return n_bytes
