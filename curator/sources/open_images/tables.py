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

import pyarrow as pa

from curator.errors import SourceError
from curator.sources.reading.delimited import Rows, read_delimited

_LONGEST_HEADER_BYTES = 1 << 16


def filter_csv(
    stream: io.BufferedReader,
    columns: Sequence[str],
    key: str,
    wanted: Sequence[str] | pa.Array,
    optional: Sequence[str] = (),
) -> Rows:
    """Read the rows whose ``key`` is among ``wanted``: ``columns`` as text, of a CSV with a header line.

    Bytes that are not UTF-8 become U+FFFD.

    Args:
        optional: further columns, all null if the table does not have them.

    Raises:
        SourceError: it lacks a column, or cannot be parsed.
    """
    line = stream.readline(_LONGEST_HEADER_BYTES).decode("utf-8-sig", "replace")
    names = next(csv.reader([line.strip()]), [])
    if missing := [name for name in columns if name not in names]:
        seen = ", ".join(names)[:200] or "nothing"
        raise SourceError(f"The table has no column {', '.join(missing)}; its first line is: {seen}.")
    present = [*columns, *(name for name in optional if name in names)]
    values = pa.array(wanted, pa.string()).cast(pa.binary())
    found = read_delimited(stream, names, present, where=(key, values))
    texts = {name: _as_text(found.rows[name]) for name in present}
    nulls = pa.nulls(found.rows.num_rows, pa.string())
    return Rows(pa.table({name: texts.get(name, nulls) for name in (*columns, *optional)}), found.n_malformed)


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    try:
        return column.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.chunked_array([[value.decode("utf-8", "replace") for value in column.to_pylist()]], pa.string())
