r"""How the cells of a manifest are written, so that every reader of CSV sees the same texts.

A spreadsheet takes a cell that begins with ``=``, ``+``, ``-`` or ``@`` for a formula, whatever a stranger wrote there
(https://owasp.org/www-community/attacks/CSV_Injection), and pandas takes some words for a missing value, in quotes or
not (``keep_default_na``). An apostrophe stands before such a text; our own reader takes it away again. Line ends and
control characters, which readers of CSV understand each in its own way, are spaces: :func:`curator.text.on_one_line`.

>>> [guard(text) for text in ("=1+1", "null", "'=1", "'Tis", "a ball")]
["'=1+1", "'null", "''=1", "'Tis", 'a ball']
>>> [unguard(guard(text)) for text in ("=1+1", "null", "'=1", "'Tis", "a ball")]
['=1+1', 'null', "'=1", "'Tis", 'a ball']
>>> csv_text(["n", "title"], [[1, "two\nlines"], [2, None]])
'n,title\n1,two lines\n2,\n'
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from curator.text import HAS_CONTROLS, on_one_line

if TYPE_CHECKING:
    import pandas as pd

_MISSING = (
    "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA", "NULL",
    "NaN", "None", "n/a", "nan", "null",
)  # fmt: skip
"""What ``pandas.read_csv`` takes for a missing value unless it is told not to."""

_GUARDED = rf"^'*(?:[=+\-@＝＋－＠]|(?:{'|'.join(map(re.escape, _MISSING))})$)"  # noqa: RUF001 (full-width signs)
_IS_GUARDED = re.compile(_GUARDED)


def guard(text: str) -> str:
    """Put an apostrophe before a text that a reader would take for something else."""
    return f"'{text}" if _IS_GUARDED.search(text) else text


def unguard(text: str) -> str:
    """Take it away again."""
    return text[1:] if text.startswith("'") and _IS_GUARDED.search(text) else text


def arrow_array(values: Any) -> pa.Array | pa.ChunkedArray:
    r"""Turn values into an Arrow array, which holds no lone surrogates: a text with one is written on one line.

    >>> arrow_array(["a", None, "\udc80b"]).to_pylist()
    ['a', None, '?b']
    """
    try:
        return pa.array(values, from_pandas=True)
    except UnicodeEncodeError:
        return pa.array([on_one_line(value) if isinstance(value, str) else value for value in values], from_pandas=True)


def unguard_column(column: pa.Array) -> pa.Array:
    """Take the apostrophes away from a column of texts."""
    return _mapped(column, pc.match_substring_regex(column, _GUARDED), unguard)


def plain_column(column: pa.Array) -> pa.Array:
    """Write each text of a column on one line; an empty one is missing."""
    plain = _mapped(column, pc.match_substring_regex(column, HAS_CONTROLS), on_one_line)
    return pc.if_else(pc.equal(plain, ""), None, plain)


def _mapped(column: pa.Array, rows: pa.Array, change: Any) -> pa.Array:
    rows = pc.fill_null(rows, False)
    if not pc.any(rows).as_py():
        return column
    changed = [change(text) for text in column.filter(rows).to_pylist()]
    return pc.replace_with_mask(column, rows, pa.array(changed, column.type))


def table_text(table: pd.DataFrame, guarded: Collection[str] = (), *, header: bool = True) -> str:
    """Format a table as :func:`csv_text` does, in the order of its columns, and column by column: that is faster."""
    columns = [_written(arrow_array(table[name]), name in guarded) for name in table]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if header:
        writer.writerow(map(str, table))
    writer.writerows(zip(*(column.to_pylist() for column in columns), strict=True))
    return out.getvalue()


def _written(column: pa.Array | pa.ChunkedArray, is_guarded: bool) -> pa.Array | pa.ChunkedArray:
    """Write the texts of a column as a cell has them; other values stay as they are."""
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    column = _mapped(column, pc.match_substring_regex(column, HAS_CONTROLS), on_one_line)
    return _mapped(column, pc.match_substring_regex(column, _GUARDED), guard) if is_guarded else column


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Any]], guarded: Collection[str] = ()) -> str:
    """Format rows as CSV: LF, a field quoted only if it must be, unknown values empty, each text on one line.

    Args:
        header: the names of the columns.
        rows: values; a text among them is written on one line.
        guarded: the columns whose texts are written with :func:`guard`.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    is_guarded = [name in guarded for name in header]
    writer.writerows(list(map(_cell, row, is_guarded)) for row in rows)
    return out.getvalue()


def _cell(value: Any, is_guarded: bool) -> Any:
    if not isinstance(value, str):
        return value
    text = on_one_line(value)
    return guard(text) if is_guarded else text
