r"""Split a block of a table into its rows where a closer look is needed: at quotes, line ends, or odd bytes.

A quoted field may hold line ends (RFC 4180). A quote that is never closed would take all that follows it into one
field; it does not, if a line further on is a row by itself: it has as many fields as the header, and an address (or
whatever bears witness) where the header says so.

>>> shape = Shape(n_fields=2, witness=(1, re.compile(rb"http://")))
>>> block = b'5" disc,http://e.org/1\n"Big one,http://e.org/2\n"two\nlines",http://e.org/3\n"cut\nx,http://e.org/4\n'
>>> split = split_records(block, shape, is_last=True)
>>> [shape.fields(record)[0] for record in split.records][1:]
[[b'"Big one', b'http://e.org/2'], [b'two\nlines', b'http://e.org/3'], [b'x', b'http://e.org/4']]
>>> split.starts, split.refused
([0, 1, 2, 5], [('with a quote that is not closed', 4)])
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

from curator.sources.reading.blocks import is_utf8
from curator.sources.reading.tally import NOT_UTF8, UNCLOSED

LONGEST_RECORD_BYTES = 1 << 20
"""A row that runs over several lines is not looked for any further than this."""

_REST_OF_QUOTED = re.compile(rb'(?:[^"]++|"")*+("?)')


@dataclass(frozen=True)
class Shape:
    """What the rows of a table look like.

    Attributes:
        n_fields: as many as the header has.
        is_quoted: whether fields may be in double quotes; else a quote is a character like any other.
        witness: the number of a column, and what begins a value of it: a line that has that there is a row.
        is_text: whether a row that is not UTF-8 is refused; else its bytes are nobody's business here.
    """

    n_fields: int
    delimiter: bytes = b","
    is_quoted: bool = True
    witness: tuple[int, re.Pattern[bytes]] | None = None
    is_text: bool = True

    @cached_property
    def _field(self) -> re.Pattern[bytes]:
        sign = re.escape(self.delimiter)
        return re.compile(rb'(?:"((?:[^"]++|"")*+)("?)([^%b]*+)|([^%b]*+))(%b|\Z)' % (sign, sign, sign))

    @cached_property
    def plain_row(self) -> re.Pattern[bytes]:
        """A row that can only be read in one way: each quote opens a field, closes it, or is doubled within it."""
        if not self.is_quoted:
            return re.compile(rb'[^"\r\n]*+')
        one, sign = self._plain_field
        return re.compile(rb"%b(?:%b%b)*+" % (one, sign, one))

    @cached_property
    def whole_row(self) -> re.Pattern[bytes]:
        """A plain row with as many fields as the header."""
        one, sign = self._plain_field
        return re.compile(rb"%b(?:%b%b){%d}" % (one, sign, one, max(self.n_fields - 1, 0)))

    @property
    def _plain_field(self) -> tuple[bytes, bytes]:
        sign = re.escape(self.delimiter)
        return rb'(?:"(?:[^"]++|"")*+"|[^"%b\r\n]*+)' % sign, sign

    def is_plain(self, text: bytes) -> bool:
        """Return whether a row can be read in one way only, and does not end with a field too many."""
        return not text.endswith(self.delimiter) and bool(self.plain_row.fullmatch(text))

    def seems_plain(self, text: bytes) -> bool:
        """Return whether a row is probably plain."""
        is_even = text.count(b'"') % 2 == 0 if self.is_quoted else b'"' not in text
        return is_even and not text.endswith(self.delimiter) and b"\r" not in text

    def fields(self, text: bytes) -> tuple[list[bytes], bool]:
        """Split a row into its fields, and say whether its last one is quoted and not closed (then it is as it is)."""
        if not self.is_quoted or b'"' not in text:
            return text.split(self.delimiter), False
        found: list[bytes] = []
        for match in self._field.finditer(text):
            quoted, closing, behind, plain, end = match.groups()
            if quoted is not None and not closing:
                return [*found, quoted], True
            found.append(plain if quoted is None else quoted.replace(b'""', b'"') + behind)
            if not end:
                break
        return found, False

    def fields_of_line(self, text: bytes) -> list[bytes]:
        """Split a line as a row of its own: a quote that is not closed is a character like any other."""
        found, is_open = self.fields(text)
        if not is_open:
            return found
        *before, last = found
        # Behind it may be other fields; if there are none, it is only the other quote that is missing.
        return [*before, *(b'"' + last).split(self.delimiter)] if self.delimiter in last else found

    def is_row(self, text: bytes) -> bool:
        """Return whether a line is a row by itself, as a witness tells."""
        if self.witness is None or not self.witness[1].search(text):
            return False
        found, (column, beginning) = self.fields_of_line(text), self.witness
        return len(found) == self.n_fields and bool(beginning.match(found[column].strip(b'" ')))

    def trimmed(self, found: list[bytes]) -> list[bytes]:
        """Leave out empty fields beyond those of the header."""
        return found if any(found[self.n_fields :]) else found[: self.n_fields]

    def written(self, found: list[bytes]) -> bytes:
        """Write fields as a row that can only be read in one way."""
        return self.delimiter.join(b'"' + value.replace(b'"', b'""') + b'"' for value in found)


@dataclass
class SplitBlock:
    """Rows that can only be read in one way, the line in the block (from 0) that each begins in, and what is refused.

    ``n_lines`` were looked at; ``tail`` is what was not: a row that may go on in the next block.
    """

    records: list[bytes] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    refused: list[tuple[str, int]] = field(default_factory=list)
    n_lines: int = 0
    tail: bytes = b""


def split_records(block: bytes, shape: Shape, *, is_last: bool, quickly: bool = False) -> SplitBlock:
    """Split a block of whole lines into rows; blank lines are none.

    Args:
        is_last: nothing follows it.
        quickly: a line with an even number of quotes is taken for a row as it is, which is nearly always right: the
            number of rows shows it.
    """
    is_plain = shape.seems_plain if quickly else shape.is_plain
    lines, split = split_lines(block, shape), SplitBlock()
    has_odd_bytes = shape.is_text and not is_utf8(block)
    while split.n_lines < len(lines):
        here = split.n_lines
        text, n_lines, reason = lines[here].rstrip(b"\r\n"), 1, ""
        # Of the last line the number of rows shows nothing.
        if not (is_plain if here + 1 < len(lines) else shape.is_plain)(text):
            text, n_lines, reason = _look_closer(lines, here, shape, is_last=is_last)
        if not n_lines:
            split.tail = b"".join(lines[here:])
            break
        split.n_lines += n_lines
        if has_odd_bytes and not is_utf8(text):
            reason = NOT_UTF8
        if reason:
            split.refused.append((reason, here))
        elif text:
            split.records.append(text)
            split.starts.append(here)
    return split


def split_lines(block: bytes, shape: Shape) -> list[bytes]:
    """Split a block into lines, with their ends; where others end with LF, a CR within a row belongs to its field."""
    lines = block.splitlines(keepends=True)
    if b"\n" not in block or block.count(b"\r") == block.count(b"\r\n"):
        return lines
    found: list[bytes] = []
    for whole in re.findall(rb"[^\n]*\n", block if block.endswith(b"\n") else block + b"\n"):
        parts = whole.splitlines(keepends=True)
        are_rows = all(len(shape.fields_of_line(part.rstrip(b"\r\n"))) == shape.n_fields for part in parts)
        is_one = not are_rows and len(shape.fields(whole.rstrip(b"\r\n"))[0]) == shape.n_fields
        found += [whole] if is_one else parts
    return found


def _whole_record(lines: list[bytes], here: int, shape: Shape) -> tuple[bytes, int, str] | None:
    """Read a row over several lines that is as it should be: nearly all are, and a pattern sees it at once."""
    n_bytes = len(lines[here])
    for at in range(here + 1, len(lines)):
        line = lines[at]
        n_bytes += len(line)
        closes = bool(_REST_OF_QUOTED.match(line)[1])  # type: ignore[index]  # it matches whatever there is
        if n_bytes > LONGEST_RECORD_BYTES or (not closes and shape.is_row(line.rstrip(b"\r\n"))):
            return None
        if closes:
            text = b"".join(lines[here : at + 1]).rstrip(b"\r\n")
            swallows = shape.is_row(line.rstrip(b"\r\n")) and shape.is_row(lines[here].rstrip(b"\r\n"))
            return (text, at + 1 - here, "") if shape.whole_row.fullmatch(text) and not swallows else None
    return None


def _look_closer(lines: list[bytes], here: int, shape: Shape, *, is_last: bool) -> tuple[bytes, int, str]:
    """Read the row that begins in a line: its text, how many lines it has, and why it is refused.

    No lines: it may go on in the next block.
    """
    if whole := _whole_record(lines, here, shape):
        return whole
    first = lines[here].rstrip(b"\r\n")
    found, is_open = shape.fields(first)
    if not is_open:
        return shape.written(shape.trimmed(found)), 1, ""
    n_bytes = len(first)
    for at in range(here + 1, len(lines)):
        line, n_lines = lines[at], at + 1 - here
        closes = bool(_REST_OF_QUOTED.match(line)[1])  # type: ignore[index]  # it matches whatever there is
        n_bytes += len(line)
        if n_bytes > LONGEST_RECORD_BYTES or (not closes and shape.is_row(line.rstrip(b"\r\n"))):
            break
        if not closes:
            continue
        text = b"".join(lines[here : here + n_lines]).rstrip(b"\r\n")
        found, is_open = shape.fields(text)
        if is_open and len(found) <= shape.n_fields:
            continue
        are_rows = (shape.is_row(first), shape.is_row(line.rstrip(b"\r\n")))
        swallows = all(are_rows) if len(found) == shape.n_fields else any(are_rows)
        if is_open or swallows or not shape.plain_row.fullmatch(text):
            break
        return shape.written(shape.trimmed(found)), n_lines, ""
    else:
        if not is_last and n_bytes <= LONGEST_RECORD_BYTES:
            return b"", 0, ""
    alone = shape.fields_of_line(first)
    return (shape.written(alone), 1, "") if len(alone) == shape.n_fields else (b"", 1, UNCLOSED)
