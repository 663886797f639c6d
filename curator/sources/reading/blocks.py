r"""Read a text file in blocks of whole lines, in constant memory, whichever way its lines end (LF, CR LF or CR).

>>> lines = LineBlocks(io.BufferedReader(io.BytesIO(b"\xef\xbb\xbfurl\rhttp://e.org/1.jpg\rhttp://e.org/2.jpg")))
>>> lines.take_line(), list(numbered_lines(lines))
(b'url', [(2, b'http://e.org/1.jpg'), (3, b'http://e.org/2.jpg')])
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
import pyarrow as pa

from curator.errors import SourceError
from curator.sources.budget import budget

BLOCK_BYTES = 4 << 20
_LF, _CR = b"\n\r"
LONGEST_LINE_BYTES = 16 << 20
_SHORT_BYTES = 4096


class LineBlocks:
    """The lines of a stream, without a byte order mark; ``line`` is the number of the next one, from 1.

    Iterating yields blocks of whole lines, each with whether it is the last; whoever takes one adds the number of its
    lines to ``line``, and may give back the end of it. A block holds only until the next one. A line of more than
    16 MiB is blank in it, and its number is in ``too_long``.
    """

    def __init__(self, stream: io.BufferedReader) -> None:
        self.line = 1
        self.too_long: list[int] = []
        self._stream, self._kept = stream, b""
        self._fill()
        self._kept = self._kept.removeprefix(codecs.BOM_UTF8)

    def head(self) -> bytes:
        """Return the first bytes of what is left, at most :data:`BLOCK_BYTES`."""
        return self._kept

    def rest(self) -> Iterator[bytes]:
        """Yield all that is left, in pieces."""
        while self._kept or self._fill():
            piece, self._kept = self._kept, b""
            yield piece

    def take_line(self) -> bytes | None:
        """Take one line, without its end; None if there is none.

        Raises:
            SourceError: it is longer than 16 MiB.
        """
        while not (end := _first_end(self._kept)) and self._fill():
            if len(self._kept) > LONGEST_LINE_BYTES:
                raise SourceError(f"has a line of more than {LONGEST_LINE_BYTES >> 20} MiB (line {self.line:,})")
        if not self._kept:
            return None
        line, self._kept = self._kept[: end or None], self._kept[end:] if end else b""
        self.line += 1
        return line.rstrip(b"\r\n")

    def give_back(self, tail: bytes) -> None:
        """Let the next block begin with these last lines of the one before."""
        self._kept = tail + self._kept

    def __iter__(self) -> Iterator[tuple[memoryview, bool]]:
        """Yield the blocks that are left."""
        buffer = bytearray(BLOCK_BYTES)
        if end := _last_end(self._kept, len(self._kept)):
            block, self._kept = self._kept[:end], self._kept[end:]
            yield memoryview(block), False
        while True:
            if len(self._kept) > LONGEST_LINE_BYTES:
                self._skip_long_line()
            n_kept = len(self._kept)
            if len(buffer) < n_kept + BLOCK_BYTES:  # one for all blocks: to ask for memory takes longer than to count
                buffer = bytearray(n_kept + BLOCK_BYTES)
            buffer[:n_kept] = self._kept
            n_read = self._stream.readinto(memoryview(buffer)[n_kept : n_kept + BLOCK_BYTES])
            if not n_read:
                break
            n_bytes = n_kept + n_read
            end = _last_end(buffer, n_bytes)
            self._kept = bytes(memoryview(buffer)[end:n_bytes])
            if end:
                yield memoryview(buffer)[:end], False
        if self._kept:
            block, self._kept = self._kept, b""
            yield memoryview(block if block.endswith((b"\n", b"\r")) else block + b"\n"), True

    def _fill(self) -> bool:
        data = self._stream.read(BLOCK_BYTES)
        self._kept = self._kept + data if self._kept else data
        return bool(data)

    def _skip_long_line(self) -> None:
        """Read on to the end of the line that is being read, and leave a blank one in its place."""
        before = self._kept[: _last_end(self._kept, len(self._kept))]
        self.too_long.append(self.line + len(before.splitlines()))
        rest = b""
        while not (end := _first_end(rest)) and (data := self._stream.read(BLOCK_BYTES)):
            rest = rest[-1:] + data if rest.endswith(b"\r") else data
        self._kept = before + b"\n" + (rest[end:] if end else b"")


def _first_end(data: bytes) -> int:
    """Find where the first line has ended, or 0. A CR at the very end may be half of a CR LF."""
    lf, cr = data.find(b"\n"), data.find(b"\r")
    if cr >= 0 and cr + 1 < len(data) and (lf < 0 or cr < lf):
        return cr + 1 + (data[cr + 1 : cr + 2] == b"\n")
    return lf + 1


def _last_end(data: bytes | bytearray, n_bytes: int) -> int:
    return data.rfind(b"\n", 0, n_bytes) + 1 or data.rfind(b"\r", 0, max(n_bytes - 1, 0)) + 1


def numbered_lines(lines: LineBlocks) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are left, with their numbers and without their ends."""
    limits = budget()
    for block, _ in lines:
        found = bytes(block).splitlines()
        limits.rows(lines.line + len(found) - 1)
        yield from enumerate(found, lines.line)
        lines.line += len(found)


@dataclass(frozen=True)
class Census:
    """What there is in a block whose last line is ended, counted without splitting it."""

    n_lines: int
    has_quotes: bool
    has_cr_in_lines: bool
    """Whether there are a CR and a LF that are not one end of a line."""


def take_census(block: memoryview) -> Census:
    """Count lines, and look for what needs a closer look.

    >>> take_census(memoryview(bytes([97, 13, 10, 98, 13, 10])))
    Census(n_lines=2, has_quotes=False, has_cr_in_lines=False)
    """
    whole = cast(bytearray, block.obj)  # it begins as the block does, and can be searched
    codes = np.frombuffer(block, np.uint8)
    n_lines, has_cr_in_lines = int(np.count_nonzero(codes == _LF)), False
    if whole.find(b"\r", 0, len(block)) >= 0:
        n_lf, is_cr = n_lines, codes == _CR
        n_alone = int(np.count_nonzero(is_cr)) - int(np.count_nonzero(is_cr[:-1] & (codes[1:] == _LF)))
        n_lines, has_cr_in_lines = n_lf + n_alone, n_lf > 0 and n_alone > 0
    has_quotes = whole.find(b'"', 0, len(block)) >= 0
    return Census(n_lines, has_quotes, has_cr_in_lines)


def last_line(block: memoryview) -> bytes:
    r"""Return the last line of a block, without its end.

    >>> last_line(memoryview(b"a,b\nc,d\n"))
    b'c,d'
    """
    whole, end = cast(bytearray, block.obj), len(block)
    while end and block[end - 1] in b"\r\n":
        end -= 1
    start = max(whole.rfind(b"\n", 0, end), whole.rfind(b"\r", 0, end)) + 1
    return bytes(block[start:end])


def is_utf8(data: bytes | memoryview) -> bool:
    r"""Return whether these bytes are UTF-8; Arrow looks at a block ten times as fast as it is decoded.

    >>> is_utf8("Käfer".encode()), is_utf8(b"K\xe4fer"), is_utf8(b"x" * 10_000 + b"\xed\xa0\x80")
    (True, False, False)
    """
    try:
        if len(data) < _SHORT_BYTES:
            return bool(str(data, "utf-8")) or not data
        ends = pa.py_buffer(np.array([0, len(data)], np.int32))
        pa.Array.from_buffers(pa.string(), 1, [None, ends, pa.py_buffer(data)]).validate(full=True)
    except (UnicodeDecodeError, pa.ArrowInvalid):
        return False
    return True
