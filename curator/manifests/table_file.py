r"""Read a table that a program wrote or a person saved: CSV as spreadsheets save it too, every mistake with its place.

Read right are: a byte order mark, UTF-16, the line ends of any system, semicolons or tabs for commas (as Excel saves in
Europe), ``sep=;``, blank rows, empty columns at the right, and line ends within quotes. A carriage return within a line
is a space.

>>> table = parse_table(b"\xef\xbb\xbfid;title\r\n1;\"a;b\"\r\n;\r\n", ["id"])
>>> table.columns["title"].to_pylist(), table.lines, table.mistakes
(['a;b'], [2], [])
>>> parse_table(b"id,title\n1\n", ["id", "sha"]).mistakes
[Mistake(line=1, column='', message='it has no column sha')]
>>> parse_table(b"id,title\n1\n2,caf\xe9\n", ["id"]).mistakes[0]
Mistake(line=2, column='', message='it has 1 cell, the header 2')
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from curator.text import on_one_line, plural

_DELIMITERS = (",", ";", "\t")
_CHUNK_ROWS = 50_000
_LONGEST_FIELD = 2**31 - 1
_SEPARATOR_LINE = re.compile(r"\ufeff?sep=(.)\s*\n", re.IGNORECASE)
_NOT_UTF8 = re.compile(r"[\ud800-\udfff]")


class Mistake(NamedTuple):
    """A mistake: its line from 1, its column if it is in one, and what it is."""

    line: int
    column: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line:,}{f', column {self.column}' if self.column else ''}: {self.message}"


@dataclass
class Table:
    """The cells of a table as Arrow texts, null where one is empty; the line of each row; and every mistake found."""

    columns: dict[str, pa.Array] = field(default_factory=dict)
    lines: list[int] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)

    def check(self, name: str, rows: pa.Array, message: str) -> None:
        """Note a mistake in each row of a column that is marked (bool; null is no mistake); ``{}`` is the cell."""
        for row in pc.indices_nonzero(pc.fill_null(rows, False)).to_pylist():
            cell = self.columns[name][row].as_py()
            shown = "an empty cell" if cell is None else repr(cell if len(cell) <= 40 else f"{cell[:39]}…")
            self.mistakes.append(Mistake(self.lines[row], name, message.format(shown)))


def parse_table(data: bytes, required: Sequence[str]) -> Table:
    """Parse a table with a header line; ``required`` columns must be there."""
    text, has_other_bytes = _decode(data)
    delimiter, text, n_skipped = _find_delimiter(text, required)
    csv.field_size_limit(_LONGEST_FIELD)
    reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=delimiter, strict=True)
    table = Table()
    rows = _read_rows(reader, table, n_skipped)
    line, header = next(rows, (1, []))
    names = [on_one_line(name.strip()) for name in header]
    if has_other_bytes and (found := _NOT_UTF8.search("".join(header))):
        table.mistakes.append(Mistake(line, "", _not_utf8(found)))
        return table
    if (twice := sorted({name for name in names if name and names.count(name) > 1})) or not any(names):
        what = f"it names the column {', '.join(twice)} twice" if twice else "it holds no names of columns"
        table.mistakes.append(Mistake(line, "", what))
        return table
    if missing := [name for name in required if name not in names]:
        table.mistakes.append(Mistake(line, "", f"it has no column {', '.join(missing)}"))
        return table
    chunks: list[list[pa.Array]] = []
    for chunk in _chunked(_fitting(rows, names, table)):
        table.lines += [line for line, _ in chunk]
        cells = [row for _, row in chunk]
        if has_other_bytes:
            _note_other_bytes(chunk, names, table)
            cells = [[_NOT_UTF8.sub("\ufffd", cell) for cell in row] for row in cells]
        chunks.append([pa.array(column, pa.string()) for column in zip(*cells, strict=True)])
    for place, name in enumerate(names):
        if name:
            column = pa.concat_arrays([chunk[place] for chunk in chunks] or [pa.array([], pa.string())])
            table.columns[name] = pc.if_else(pc.equal(column, ""), None, column)
    return table


def _decode(data: bytes) -> tuple[str, bool]:
    """Decode a file, its line ends as LF; a byte that is not UTF-8 becomes a lone surrogate, and that is told."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = data.decode("utf-16", "replace")
    else:
        text = data.decode("utf-8-sig", "surrogateescape")
    text = text.replace("\r\n", "\n")
    # A file of an old Macintosh, or a text that holds a carriage return.
    text = text.replace("\r", " " if "\n" in text else "\n")
    return text, _NOT_UTF8.search(text) is not None


def _find_delimiter(text: str, required: Sequence[str]) -> tuple[str, str, int]:
    """Find what separates cells; return it, the text from the header on, and the number of lines before."""
    if found := _SEPARATOR_LINE.match(text):
        return found[1], text[found.end() :], 1
    first = next((line for line in io.StringIO(text, newline="\n") if line.strip()), "")

    def n_known(delimiter: str) -> int:
        return len({name.strip().strip('"') for name in first.split(delimiter)} & set(required))

    return max(_DELIMITERS, key=n_known), text, 0


def _read_rows(reader: Iterator[list[str]], table: Table, n_skipped: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the line and the cells of each row that is not blank; a row that cannot be parsed is the last one."""
    while True:
        line = reader.line_num + n_skipped + 1  # type: ignore[attr-defined]
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            what = "a quote is not closed" if "end of data" in str(error) else str(error)
            table.mistakes.append(Mistake(line, "", f"{what}; nothing was read from there on"))
            return
        if any(cell.strip() for cell in row):
            yield line, row


def _fitting(
    rows: Iterator[tuple[int, list[str]]], names: Sequence[str], table: Table
) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that have as many cells as the header; cells without a name must be empty."""
    nameless = [place for place, name in enumerate(names) if not name]
    for line, row in rows:
        n_cells = len(row)
        if n_cells > len(names) and not any(row[len(names) :]):
            row = row[: len(names)]
        if len(row) != len(names):
            cells = plural(n_cells, "cell")
            table.mistakes.append(Mistake(line, "", f"it has {cells}, the header {len(names)}"))
        elif any(row[place] for place in nameless):
            table.mistakes.append(Mistake(line, "", "a cell is in a column that has no name"))
        else:
            yield line, row


def _chunked(rows: Iterator[tuple[int, list[str]]]) -> Iterator[list[tuple[int, list[str]]]]:
    chunk: list[tuple[int, list[str]]] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == _CHUNK_ROWS:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _note_other_bytes(chunk: Sequence[tuple[int, list[str]]], names: Sequence[str], table: Table) -> None:
    for line, row in chunk:
        for name, cell in zip(names, row, strict=True):
            if found := _NOT_UTF8.search(cell):
                table.mistakes.append(Mistake(line, name, _not_utf8(found)))


def _not_utf8(found: re.Match[str]) -> str:
    return f"the byte 0x{ord(found[0]) - 0xDC00:02x} is not UTF-8: save the file as CSV UTF-8"
