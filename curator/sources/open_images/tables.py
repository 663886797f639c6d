r"""Filter a CSV table of Open Images while it streams past: constant memory, whatever its size.

>>> lines = b"ImageID,Source,LabelName,Confidence\n0a,verification,/m/06bqd,1\n0b,verification,/m/02vx4,0\n"
>>> found = filter_csv(io.BufferedReader(io.BytesIO(lines)), ("ImageID", "LabelName"), "LabelName", ["/m/06bqd"])
>>> found.rows.to_pylist()
[{'ImageID': '0a', 'LabelName': '/m/06bqd'}]
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from curator.errors import SourceError
from curator.sources.reading.read import looks_like_html

_BLOCK_BYTES = 4 << 20
_LONGEST_HEADER_BYTES = 1 << 16


@dataclass(frozen=True)
class FilteredRows:
    """The rows wanted, as text columns, and how many rows were left out because they have another number of fields."""

    rows: pa.Table
    n_malformed: int


def filter_csv(
    stream: io.BufferedReader,
    columns: Sequence[str],
    key: str,
    wanted: Sequence[str] | pa.Array,
    optional: Sequence[str] = (),
) -> FilteredRows:
    """Read the rows whose ``key`` is among ``wanted``: ``columns`` as text, of a CSV with a header line.

    Quoted commas, quotes and newlines are understood (RFC 4180). Bytes that are not UTF-8 become U+FFFD.

    Args:
        optional: further columns, all null where the table does not have them.

    Raises:
        SourceError: it is a web page, lacks a column, or cannot be parsed.
    """
    names = _read_header(stream, columns)
    present = [*columns, *(name for name in optional if name in names)]
    counter = _MalformedCounter()
    values = pa.array(wanted, pa.string()).cast(pa.binary())
    found = []
    try:
        for batch in _batches(stream, names, present, counter):
            rows = batch.filter(pc.is_in(batch[key], value_set=values))
            found += [rows] if rows.num_rows else []
    except pa.ArrowInvalid as error:
        raise SourceError(f"The table cannot be parsed ({error}).") from error
    table = pa.Table.from_batches(found, pa.schema([(name, pa.binary()) for name in present]))
    texts = {name: _as_text(table[name]) for name in present}
    nulls = pa.nulls(table.num_rows, pa.string())
    return FilteredRows(pa.table({name: texts.get(name, nulls) for name in (*columns, *optional)}), counter.n_rows)


@dataclass
class _MalformedCounter:
    """Skips and counts the rows that have another number of fields than the header."""

    n_rows: int = 0

    def __call__(self, row: Any) -> str:
        self.n_rows += 1
        return "skip"


def _read_header(stream: io.BufferedReader, columns: Sequence[str]) -> list[str]:
    if looks_like_html(stream.peek(512)):
        raise SourceError("A web page (HTML) stands there, not a table.")
    line = stream.readline(_LONGEST_HEADER_BYTES).decode("utf-8-sig", "replace")
    names = next(csv.reader([line.strip()]), [])
    if missing := [name for name in columns if name not in names]:
        found = ", ".join(names)[:200] or "nothing"
        raise SourceError(f"The table has no column {', '.join(missing)}; its first line is: {found}.")
    return names


def _batches(stream: io.BufferedReader, names: list[str], columns: Sequence[str], skip: Any) -> Any:
    if not stream.peek(1):
        return iter(())
    return pa.csv.open_csv(
        stream,
        # One thread: parsing is faster than any network here, and a second reader would only copy.
        pa.csv.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES, column_names=names),
        pa.csv.ParseOptions(newlines_in_values=True, invalid_row_handler=skip),
        pa.csv.ConvertOptions(include_columns=list(columns), column_types=dict.fromkeys(columns, pa.binary())),
    )


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    try:
        return column.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.chunked_array([[value.decode("utf-8", "replace") for value in column.to_pylist()]], pa.string())
