"""Read the rows of a sheet of an Excel workbook (.xlsx) as text, through openpyxl.

>>> as_text(3.0), as_text("rugby"), as_text(None), as_text(datetime.date(2026, 1, 2)), as_text(True)
('3', 'rugby', None, '2026-01-02', 'true')
"""

from __future__ import annotations

import datetime
import io
import itertools
import zipfile
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from curator.errors import SourceError
from curator.manifests.toml_settings import suggest
from curator.sources.budget import budget
from curator.sources.reading.delimited import Rows
from curator.sources.reading.tally import FIELDS, Tally
from curator.sources.url_list.columns import count_titles, folded, refuse_repeated

_MOST_BYTES = 2 << 30
_N_LOOKED_AT, _ROWS_AT_ONCE, _MOST_ROWS = 50, 1024, 1 << 20
_EXTRA = (
    "Run `pip install 'imageset-curator[xlsx]'`, or save the sheet as \"CSV UTF-8\" and name that file in the recipe."
)


def read_workbook(file: io.BufferedIOBase | Any, sheet: str = "") -> Rows:
    """Read a sheet, the first one if none is named; the first row that is neither blank nor a title names the columns.

    Raises:
        SourceError: it is no workbook, has no such sheet, unpacks to more than 2 GiB, or openpyxl is not installed.
    """
    try:
        import openpyxl
    except ImportError as error:
        raise SourceError("is an Excel workbook, which openpyxl reads", _EXTRA) from error
    try:
        with zipfile.ZipFile(file) as archive:
            # A reader of the archive never unpacks more of a part than is stated here.
            if sum(part.file_size for part in archive.infolist()) > _MOST_BYTES:
                raise SourceError("is an Excel workbook that unpacks to more than 2 GiB", 'Save it as "CSV UTF-8".')
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
        return _rows_of(_sheet(book, sheet))
    except (SourceError, MemoryError):
        raise
    except Exception as error:  # what openpyxl raises on a damaged file is anything
        what = f"is no Excel workbook that can be read ({type(error).__name__}: {error})"
        raise SourceError(what, 'Save its sheet as "CSV UTF-8" and name that file in the recipe.') from error


def as_text(value: Any) -> str | None:
    """Write a cell as a person reads it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if isinstance(value, datetime.date | datetime.time) else str(value)


def _sheet(book: Any, name: str) -> Any:
    names = [sheet.title for sheet in book.worksheets]
    if name and name not in names:
        near = suggest(name, names) or f"; its sheets are {', '.join(names)}"
        raise SourceError(f"has no sheet {name!r}{near}")
    if not names:
        raise SourceError("is an Excel workbook without a sheet of cells")
    sheet = book[name or names[0]]
    sheet.reset_dimensions()  # what a file says of them may be wrong
    return sheet


def _rows_of(sheet: Any) -> Rows:
    rows = _filled_rows(sheet)
    first = list(itertools.islice(rows, _N_LOOKED_AT))
    n_titles = count_titles([row for _, row in first])
    rows = itertools.chain(first[n_titles:], rows)
    _, header = next(rows, (0, []))
    if not header:
        raise SourceError(f"has no row in its sheet {sheet.title!r}")
    written = [name if name and folded(name) else f"column {number}" for number, name in enumerate(header, 1)]
    refuse_repeated(written)
    names = [*map(folded, written)]
    tally, numbers, columns = Tally(unit="row", n_titles=n_titles), list[int](), [list[str | None]() for _ in names]
    for number, row in rows:
        tally.n_rows += 1
        if len(row) > len(names):
            tally.refuse(FIELDS, number)
            continue
        numbers.append(number)
        for column, value in itertools.zip_longest(columns, row):
            column.append(value)
    table = pa.table({name: pa.array(column, pa.string()) for name, column in zip(names, columns, strict=True)})
    return Rows(table, pa.chunked_array([pa.array(numbers, pa.int64())]), tally)


def _filled_rows(sheet: Any) -> Iterator[tuple[int, list[str | None]]]:
    """Yield the rows that are not blank, with their numbers, without the empty cells at their ends."""
    limits = budget()
    for number, cells in enumerate(sheet.iter_rows(values_only=True), 1):
        limits.rows(number)  # which the file states, and between which there are empty ones
        if number > _MOST_ROWS:
            what = f"states rows beyond the {_MOST_ROWS:,} that a workbook can have"
            raise SourceError(what, 'Save it as "CSV UTF-8".')
        if number % _ROWS_AT_ONCE == 0:
            limits.time()
        row = [as_text(value) for value in cells]
        while row and not (row[-1] or "").strip():
            row.pop()
        limits.columns(len(row))
        if row:
            yield number, row
