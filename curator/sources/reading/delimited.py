r"""Read the rows of a CSV or TSV while they stream past: those wanted, in constant memory, whatever its size.

Arrow parses block by block. Where it finds as many rows as the block has lines, counted apart, no row took in another;
any other block is split into rows first (:mod:`curator.sources.reading.records`), and the numbers compared again.

>>> import io
>>> lines = LineBlocks(io.BufferedReader(io.BytesIO(b"0a,verification,/m/06bqd\nshort\n0b,verification,/m/02vx4\n")))
>>> found = read_delimited(lines, ["id", "by", "mid"], ["id"])
>>> found.rows.to_pylist(), found.lines.to_pylist()
([{'id': '0a'}, {'id': '0b'}], [1, 3])
>>> found.tally.in_words()
'1 of 3 rows were refused: 1 with another number of fields than the header (line 2)'
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv

from curator.errors import SourceError
from curator.sources.budget import Kept, budget
from curator.sources.reading.blocks import Census, LineBlocks, is_utf8, last_line, take_census
from curator.sources.reading.lend import await_return
from curator.sources.reading.records import Shape, SplitBlock, split_records
from curator.sources.reading.tally import FIELDS, TOO_LONG, Tally
from curator.store.spilled import pieces
from curator.text import plural, was

_NUMBER = " number"

Wanted = Callable[[pa.Table], pa.ChunkedArray]
"""Says which rows of some that were read are wanted: true or false for each."""


@dataclass(frozen=True)
class Rows:
    """The rows of a table, the line (or row, or entry) of each, from 1, and what became of all that the file has."""

    rows: pa.Table
    lines: pa.ChunkedArray
    tally: Tally


def rows_wanted(found: Rows, where: Wanted | None) -> Rows:
    """Return those of some rows that are wanted, looking at a few at a time."""
    if where is None:
        return found
    kept = budget().spilled()
    for piece in pieces(found.rows.append_column(_NUMBER, found.lines)):
        kept.add(piece.filter(where(piece.drop_columns([_NUMBER]))))
    whole = kept.whole()
    return Rows(whole.drop_columns([_NUMBER]), whole[_NUMBER], found.tally)


def read_delimited(
    lines: LineBlocks,
    names: Sequence[str],
    columns: Sequence[str],
    *,
    delimiter: str = ",",
    is_quoted: bool = True,
    is_text: bool = True,
    where: Wanted | None = None,
    witness: tuple[str, str] | None = None,
) -> Rows:
    """Read ``columns`` of a table whose columns are called ``names`` (RFC 4180).

    Args:
        lines: read on from behind the header line.
        is_quoted: whether fields may be in double quotes; else a quote is a character like any other.
        is_text: return text, and refuse rows that are not UTF-8; else return bytes, whatever their encoding.
        where: says which rows of a block are wanted; none: all.
        witness: a column, and how (a regular expression) a value of it begins: a line that has that is a row.

    Raises:
        SourceError: it cannot be parsed.
    """
    sign = (names.index(witness[0]), re.compile(witness[1].encode())) if witness and witness[0] in names else None
    shape = Shape(len(names), delimiter.encode(), is_quoted=is_quoted, witness=sign, is_text=is_text)
    reading = _Reading(names, pa.schema([(name, pa.string() if is_text else pa.binary()) for name in columns]), shape)
    kept, needs_look = Kept(len(names)), False
    kept.keep(_numbered(reading.schema.empty_table(), pa.array([], pa.int64())))
    for block, is_last in lines:
        census, split = take_census(block), None
        found = None if needs_look else reading.read_at_once(block, lines.line, census)
        if found is None:
            found, split = reading.read_closely(bytes(block), lines.line, is_last=is_last)
            needs_look = len(split.starts) + len(split.refused) < split.n_lines
            lines.give_back(split.tail)
        lines.line += split.n_lines if split else census.n_lines
        kept.keep(_numbered(*found) if where is None else _numbered(*found).filter(where(found[0])))
    reading.tally.add_refused(TOO_LONG, lines.too_long)
    whole = kept.whole()
    return Rows(whole.drop_columns([_NUMBER]), whole[_NUMBER], reading.tally)


def _numbered(table: pa.Table, at: pa.Array) -> pa.Table:
    return table.append_column(_NUMBER, at)


_Found = tuple[pa.Table, pa.Array]
"""Rows, and their lines."""


@dataclass
class _Reading:
    """Reads blocks, and counts."""

    names: Sequence[str]
    schema: pa.Schema
    shape: Shape
    tally: Tally = field(default_factory=Tally)

    def read_at_once(self, block: memoryview, line: int, census: Census) -> _Found | None:
        """Read a block each of whose lines is a row; None if that is not so, or if there is anything odd about it.

        Returns:
            The rows and their lines; the first line of the block is ``line``.
        """
        if census.has_cr_in_lines or (self.shape.is_text and not is_utf8(block)):
            return None
        try:
            table, bad = self._parse(block, is_quoted=self.shape.is_quoted and census.has_quotes)
        except pa.ArrowInvalid:
            return None
        if table.num_rows + len(bad) != census.n_lines or any(text.endswith(self._delimiter) for _, text in bad):
            return None
        if census.has_quotes and self.shape.fields(last_line(block))[1]:
            return None  # it goes on behind the block, or swallows its own end
        return self._counted(table, np.arange(line, line + census.n_lines), bad)

    def read_closely(self, block: bytes, line: int, *, is_last: bool) -> tuple[_Found, SplitBlock]:
        """Read a block that is split into rows first.

        Raises:
            SourceError: the rows that were read are not as many as there are.
        """
        for quickly in (True, False):
            split = split_records(block, self.shape, is_last=is_last, quickly=quickly)
            clean = b"\n".join([*split.records, b""])
            try:
                table, bad = self._parse(clean, is_quoted=True) if split.records else (self.schema.empty_table(), [])
            except pa.ArrowInvalid as error:
                raise SourceError(f"cannot be parsed ({error})") from error
            if table.num_rows + len(bad) == len(split.records):
                break
        else:
            n_rows = table.num_rows + len(bad)
            rows = plural(len(split.records), "row")
            raise SourceError(f"has {rows} from line {line:,} on, of which {n_rows:,} {was(n_rows)} read")
        self.tally.n_rows += len(split.refused)
        for reason, at in split.refused:
            self.tally.refuse(reason, line + at)
        return self._counted(table, np.array(split.starts, np.int64) + line, bad), split

    @property
    def _delimiter(self) -> str:
        return self.shape.delimiter.decode()

    def _counted(self, table: pa.Table, lines: Any, bad: list[tuple[int, str]]) -> _Found:
        self.tally.n_rows += len(lines)
        for number, _ in bad:
            self.tally.refuse(FIELDS, int(lines[number - 1]))
        return table, pa.array(np.delete(lines, [number - 1 for number, _ in bad]) if bad else lines)

    def _parse(self, block: bytes | memoryview, *, is_quoted: bool) -> tuple[pa.Table, list[tuple[int, str]]]:
        """Let Arrow parse a block; rows with another number of fields are returned by number, from 1, and text."""
        bad: list[tuple[int, str]] = []

        def skip(row: Any) -> str:
            bad.append((row.number, row.text))
            return "skip"

        table = pa.csv.read_csv(
            pa.py_buffer(await_return(memoryview(block)[:])),
            # One thread: parsing is faster than any network here, and a second reader would only copy.
            pa.csv.ReadOptions(use_threads=False, block_size=len(block) + 1, column_names=list(self.names)),
            pa.csv.ParseOptions(
                delimiter=self._delimiter,
                quote_char='"' if is_quoted else False,
                newlines_in_values=is_quoted,
                invalid_row_handler=await_return(skip),
            ),
            pa.csv.ConvertOptions(
                include_columns=self.schema.names,
                column_types=self.schema,
                check_utf8=False,  # it was checked
            ),
        )
        return table, bad
