r"""Read a list of URLs of any form into columns: a table (CSV, TSV, Parquet), JSON, or one URL a line.

>>> body = b'URL;label\nhttp://example.org/1.jpg;rugby\nhttp://example.org/2.jpg\n'
>>> found = read_url_table(io.BufferedReader(io.BytesIO(body)), "list.csv")
>>> found.rows.to_pylist(), found.lines.to_pylist(), found.tally.n_refused
([{'url': 'http://example.org/1.jpg', 'label': 'rugby'}], [2], 1)
"""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from curator.errors import SourceError
from curator.sources.reading.blocks import LineBlocks, is_utf8
from curator.sources.reading.delimited import Rows, read_delimited
from curator.sources.reading.lend import lend
from curator.sources.reading.records import Shape
from curator.sources.reading.tally import FIELDS, NOT_UTF8, UNCLOSED, Tally
from curator.sources.url_list.forms import (
    ADDRESS,
    DELIMITERS,
    folded,
    has_quoted_fields,
    is_address,
    is_remark,
    list_form,
    shown,
)
from curator.sources.url_list.json_rows import read_json, read_json_lines

QUOTING = ("auto", "csv", "none")
"""Whether fields of a table may be in double quotes."""
_LONGEST_HEADER_LINES = 20


def read_url_table(stream: io.BufferedReader, name: str, quoting: str = "auto") -> Rows:
    """Read a list of whatever form.

    Args:
        name: its file name.
        quoting: whether fields of a table may be in double quotes: ``csv`` (RFC 4180), ``none`` (a quote is a character
            like any other), or ``auto``: in a table with tabs only if the table itself shows it, else they may.

    Raises:
        SourceError: it is empty, no list, or none of its rows can be read; says why.
    """
    lines = LineBlocks(stream)
    if not lines.head().strip():
        raise SourceError("is empty")
    form = list_form(name, lines.head())
    found = _read_table(lines, DELIMITERS[form], quoting) if form in DELIMITERS else READERS[form](lines)
    if found.tally.n_refused and not found.rows.num_rows:
        raise SourceError(f"has no row that can be read: {found.tally.in_words()}")
    return found


def refusal_hint(tally: Tally, quoting: str) -> str:
    """Say what to write into the recipe if rows were refused for what may be in their quotes, or their encoding."""
    if NOT_UTF8 in tally.refused:
        return "Save the list as UTF-8, or mend these lines."
    if UNCLOSED in tally.refused:
        return 'If a quote is a character like any other in it, write `quoting = "none"` beside its path.'
    if FIELDS in tally.refused and quoting == "auto":
        return 'If its fields are in double quotes, write `quoting = "csv"` beside its path; if not, "none".'
    return ""


def _read_table(lines: LineBlocks, delimiter: str, quoting: str) -> Rows:
    head, header = lines.head(), _take_header(lines, delimiter)
    try:
        text = header.decode("utf-8")
    except UnicodeDecodeError as error:
        where = f"line {lines.line - 1} (byte {error.start}), its header"
        raise SourceError(f"has bytes that are not UTF-8 in {where}", "Save it as UTF-8.") from error
    if delimiter not in text:
        delimiter = "\t"  # one column: no sign divides an address
    fields = Shape(n_fields=0, delimiter=delimiter.encode()).fields_of_line(header)
    names = [folded(field.decode("utf-8")) for field in fields]
    if names.count("") > 1:
        names = [name or f"column {number}" for number, name in enumerate(names, 1)]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise SourceError(f"names a column twice: {', '.join(repeated)}")
    if "url" not in names and any(map(is_address, fields)):
        hint = "Write the names of its columns into its first line, such as `url` and `label`."
        raise SourceError(f"has no header: it begins with {shown(header)}", hint)
    is_quoted = quoting == "csv" or (quoting == "auto" and (delimiter != "\t" or has_quoted_fields(head, delimiter)))
    return read_delimited(lines, names, names, delimiter=delimiter, is_quoted=is_quoted, witness=("url", ADDRESS))


def _take_header(lines: LineBlocks, delimiter: str) -> bytes:
    """Take the header, behind comments and blank lines; a name of it may hold line ends."""
    header = lines.take_line()
    while header is not None and (not header.strip() or is_remark(header)):
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


def _read_lines(lines: LineBlocks) -> Rows:
    """Read one address a line, in quotes or not; comments are no rows."""
    # No URL holds a unit separator, so that each line is one field, commas and quotes included.
    found = read_delimited(lines, ["url"], ["url"], delimiter="\x1f", is_quoted=False)
    bare = pc.replace_substring_regex(found.rows["url"], r'^\s*"(.*)"\s*$', r"\1")
    found = Rows(found.rows.set_column(0, "url", bare), found.lines, found.tally)
    is_comment = pc.starts_with(found.rows["url"], "#")
    if not pc.any(is_comment).as_py():
        return found
    is_row = pc.invert(is_comment)
    rows, numbers = found.rows.filter(is_row), found.lines.filter(is_row)
    found.tally.n_rows -= found.rows.num_rows - rows.num_rows
    return Rows(rows, numbers, found.tally)


def _read_parquet(lines: LineBlocks) -> Rows:
    with tempfile.TemporaryFile() as whole:
        for piece in lines.rest():
            whole.write(piece)
        try:
            table = pq.read_table(pa.PythonFile(lend(whole), "r"))
            columns = {folded(name): _parquet_text(table[name]) for name in table.column_names}
        except (pa.ArrowException, OSError) as error:
            raise SourceError(f"is no Parquet file that can be read ({error})") from error
    tally = Tally(table.num_rows, unit="row")
    is_good = np.ones(table.num_rows, bool)
    for column in columns.values():
        if pa.types.is_binary(column.type):
            is_good &= np.array([value is None or is_utf8(value) for value in column.to_pylist()], bool)
    for number in np.flatnonzero(~is_good):
        tally.refuse(NOT_UTF8, int(number) + 1)
    good = pa.table(columns).filter(pa.array(is_good))
    texts = pa.table({name: good[name].cast(pa.string()) for name in good.column_names})
    return Rows(texts, pa.chunked_array([np.flatnonzero(is_good) + 1], pa.int64()), tally)


def _parquet_text(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    """Return a column as text; as bytes if some of it is no text."""
    if pa.types.is_nested(column.type):
        return pa.array([json.dumps(value, default=str) for value in column.to_pylist()], pa.string())
    try:
        text = column.cast(pa.string())
        text.validate(full=True)
    except pa.ArrowInvalid:
        return column.cast(pa.binary())
    return text


READERS: Mapping[str, Callable[[LineBlocks], Rows]] = {
    "jsonl": read_json_lines,
    "json": read_json,
    "parquet": _read_parquet,
    "lines": _read_lines,
}
"""How the forms are read that are no tables of text."""
