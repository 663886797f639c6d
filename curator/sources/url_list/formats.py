r"""Read a list of URLs of any form into columns: a table (CSV, TSV, Parquet), JSON, or one URL a line.

>>> body = b'URL;label\nhttp://example.org/1.jpg;rugby\nhttp://example.org/2.jpg\n'
>>> found = read_url_table(io.BufferedReader(io.BytesIO(body)), "list.csv")
>>> found.rows.to_pylist(), found.lines.to_pylist(), found.tally.n_refused
([{'url': 'http://example.org/1.jpg', 'label': 'rugby'}], [2], 1)
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

import pyarrow.compute as pc

from curator.errors import SourceError
from curator.sources.budget import budget
from curator.sources.reading.blocks import LineBlocks
from curator.sources.reading.delimited import Rows, Wanted, read_delimited, rows_wanted
from curator.sources.reading.encodings import as_utf8, encoding_problem
from curator.sources.reading.records import Shape
from curator.sources.reading.tally import FIELDS, NOT_UTF8, UNCLOSED, Tally
from curator.sources.url_list.columns import ADDRESS, count_titles, folded, refuse_repeated
from curator.sources.url_list.forms import (
    DELIMITERS,
    has_quoted_fields,
    head_lines,
    is_address,
    is_remark,
    list_form,
    no_header,
)
from curator.sources.url_list.json_rows import AS_OBJECTS, NO_OBJECT, read_json, read_json_lines
from curator.sources.url_list.parquet_rows import read_parquet
from curator.sources.url_list.workbook import read_workbook

QUOTING = ("auto", "csv", "none")
"""Whether fields of a table may be in double quotes."""
TWO_ADDRESSES = "with two addresses"
_SECOND_ADDRESS = rf"""\S\s*[\s,;|]["']?{ADDRESS}"""
_LONGEST_HEADER_LINES = 20
_N_LOOKED_AT = 50
_ENCODING = (
    'Write its encoding beside its path in the recipe, such as `encoding = "cp1252"` (Western Europe), "gb18030" '
    '(Chinese) or "shift_jis" (Japanese), or save it as UTF-8.'
)


@dataclass(frozen=True)
class Writing:
    """How a table is written, as far as a recipe says so.

    Attributes:
        quoting: whether fields of a table may be in double quotes: ``csv`` (RFC 4180), ``none`` (a quote is a character
            like any other), or ``auto``: in a table with tabs only if the table itself shows it, else they may.
        delimiter: the sign between fields; none: the one that the table shows.
        encoding: none: UTF-8, or UTF-16 or UTF-32 by their byte order mark.
        sheet: of a workbook; none: its first.
        beside: what the column beside the addresses is called in a table of two whose first line is a row.
    """

    quoting: str = "auto"
    delimiter: str = ""
    encoding: str = ""
    sheet: str = ""
    beside: str = ""

    def problems(self) -> list[tuple[str, str]]:
        """List what a recipe says of it that cannot be, as (key, message) pairs."""
        found = []
        if self.delimiter and (len(self.delimiter.encode()) != 1 or self.delimiter in '"\r\n'):
            found.append(("delimiter", f'must be one sign, such as ";" or "\\t", not {self.delimiter!r}'))
        if self.encoding and (problem := encoding_problem(self.encoding)):
            found.append(("encoding", problem))
        return found


def read_url_table(
    stream: io.BufferedReader, name: str, writing: Writing | None = None, where: Wanted | None = None
) -> Rows:
    """Read a list of whatever form.

    Args:
        name: its file name.
        where: says which rows of some are wanted, so that the others take no memory; none: all.

    Raises:
        SourceError: it is empty, no list, or none of its rows can be read; says why.
    """
    writing = writing or Writing()
    is_packed = stream.peek(4)[:4] in (b"PAR1", b"PK\x03\x04")
    lines = LineBlocks(stream if is_packed else as_utf8(stream, writing.encoding))
    if not lines.head().strip():
        raise SourceError("is empty")
    form = "" if writing.delimiter and not is_packed else list_form(name, lines.head())
    if form in READERS:
        found = READERS[form](lines, where)
    elif form == "xlsx":
        found = rows_wanted(_in_a_file(lines, partial(read_workbook, sheet=writing.sheet)), where)
    else:
        found = _read_table(lines, writing.delimiter or DELIMITERS[form], writing, where)
    if found.tally.n_refused == found.tally.n_rows and found.tally.n_refused:
        raise SourceError(f"has no row that can be read: {found.tally.in_words()}", refusal_hint(found.tally, writing))
    return found


def refusal_hint(tally: Tally, writing: Writing) -> str:
    """Say what to write into the recipe if rows were refused for what may be in their quotes, or their encoding."""
    if NOT_UTF8 in tally.refused:
        return (
            f"Mend these lines, or try another `encoding` than {writing.encoding}." if writing.encoding else _ENCODING
        )
    if NO_OBJECT in tally.refused:
        return AS_OBJECTS
    if UNCLOSED in tally.refused:
        return 'If a quote is a character like any other in it, write `quoting = "none"` beside its path.'
    if FIELDS in tally.refused and writing.quoting == "auto":
        return 'If its fields are in double quotes, write `quoting = "csv"` beside its path; if not, "none".'
    return ""


def _read_table(lines: LineBlocks, delimiter: str, writing: Writing, where: Wanted | None) -> Rows:
    head, n_titles = lines.head(), _count_titles(lines.head(), delimiter)
    header = _take_header(lines, delimiter, n_titles)
    try:
        text = header.decode("utf-8")
    except UnicodeDecodeError as error:
        place = f"line {lines.line - 1} (byte {error.start}), its header"
        raise SourceError(f"has bytes that are not UTF-8 in {place}", _ENCODING) from error
    if delimiter not in text:
        delimiter = "\t"  # one column: no sign divides an address
    budget().columns(header.count(delimiter.encode()) + 1)
    fields = Shape(n_fields=0, delimiter=delimiter.encode()).fields_of_line(header)
    written = [field.decode("utf-8") for field in fields]
    if [*map(folded, written)].count("") > 1:
        written = [name if folded(name) else f"column {number}" for number, name in enumerate(written, 1)]
    if any(map(is_address, fields)):
        if not writing.beside or len(fields) != 2:
            raise no_header(header, delimiter)
        written = ["url" if is_address(field) else writing.beside for field in fields]
        lines.give_back(header + b"\n")
        lines.line -= header.count(b"\n") + 1
    refuse_repeated(written)
    names, quoting = [*map(folded, written)], writing.quoting
    is_quoted = quoting == "csv" or (quoting == "auto" and (delimiter != "\t" or has_quoted_fields(head, delimiter)))
    found = read_delimited(
        lines,
        names,
        names,
        delimiter=delimiter,
        is_quoted=is_quoted,
        where=where,
        witness=_witness(head, names, delimiter),
    )
    found.tally.n_titles = n_titles
    return found


def _count_titles(head: bytes, delimiter: str) -> int:
    """Count the lines above the header that are titles; a header whose name goes on in the next line is none."""
    shape, first = Shape(n_fields=0, delimiter=delimiter.encode()), list(islice(head_lines(head), _N_LOOKED_AT))
    if not first or shape.fields(first[0])[1]:
        return 0
    return count_titles([[field.decode("utf-8", "replace") for field in shape.fields_of_line(line)] for line in first])


def _witness(head: bytes, names: Sequence[str], delimiter: str) -> tuple[str, str] | None:
    """Find the column whose values are addresses, which tells a row from what is within quotes."""
    shape = Shape(n_fields=0, delimiter=delimiter.encode())
    rows = [row for line in head_lines(head) if len(row := shape.fields_of_line(line)) == len(names)][1:]
    n_of = [sum(is_address(row[column]) for row in rows) for column in range(len(names))]
    most = max(n_of, default=0)
    return (names[n_of.index(most)], ADDRESS) if 2 * most > len(rows) else None


def _take_header(lines: LineBlocks, delimiter: str, n_titles: int) -> bytes:
    """Take the header, behind titles, comments and blank lines; a name of it may hold line ends."""
    header = lines.take_line()
    while header is not None and (not header.strip() or is_remark(header) or n_titles):
        n_titles -= bool(header.strip() and not is_remark(header))
        header = lines.take_line()
    taken, shape = [header or b""], Shape(n_fields=0, delimiter=delimiter.encode())
    while shape.fields(b"\n".join(taken))[1] and len(taken) < _LONGEST_HEADER_LINES:
        if (line := lines.take_line()) is None:
            break
        taken.append(line)
    if len(taken) > 1 and not shape.is_plain(b"\n".join(taken)):
        lines.give_back(b"\n".join([*taken[1:], b""]))
        lines.line -= len(taken) - 1
        return taken[0]
    return b"\n".join(taken)


def _read_lines(lines: LineBlocks, where: Wanted | None) -> Rows:
    """Read one address a line, in quotes or not; comments are no rows."""
    # No URL holds a unit separator, so that each line is one field, commas and quotes included.
    found = read_delimited(lines, ["url"], ["url"], delimiter="\x1f", is_quoted=False)
    bare = pc.replace_substring_regex(found.rows["url"], r'^\s*"(.*)"\s*$', r"\1")
    found = Rows(found.rows.set_column(0, "url", bare), found.lines, found.tally)
    is_comment = pc.starts_with(found.rows["url"], "#")
    has_two = pc.match_substring_regex(found.rows["url"], _SECOND_ADDRESS)
    if not pc.any(pc.or_(is_comment, has_two)).as_py():
        return rows_wanted(found, where)
    found.tally.n_rows -= pc.sum(is_comment).as_py()
    for number in found.lines.filter(pc.and_not(has_two, is_comment)).to_pylist():
        found.tally.refuse(TWO_ADDRESSES, number)
    is_row = pc.invert(pc.or_(is_comment, has_two))
    return rows_wanted(Rows(found.rows.filter(is_row), found.lines.filter(is_row), found.tally), where)


def _read_parquet(lines: LineBlocks, where: Wanted | None) -> Rows:
    return _in_a_file(lines, partial(read_parquet, where=where))


def _in_a_file(lines: LineBlocks, read: Callable[[Any], Rows]) -> Rows:
    """Read what must be read at any place of it."""
    with tempfile.TemporaryFile() as whole:
        for piece in lines.rest():
            whole.write(piece)
        whole.seek(0)
        return read(whole)


READERS: Mapping[str, Callable[[LineBlocks, Wanted | None], Rows]] = {
    "jsonl": read_json_lines,
    "json": read_json,
    "parquet": _read_parquet,
    "lines": _read_lines,
}
"""How the forms are read that are no tables of text."""
