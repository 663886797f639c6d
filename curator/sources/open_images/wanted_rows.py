r"""The rows of Open Images' tables that are wanted, filtered while they stream past.

>>> rows = b"ImageID,Source,LabelName,Confidence\n0a,verification,/m/06bqd,1\n0b,verification,/m/06bqd,perhaps\n"
>>> found = filter_labels(io.BufferedReader(io.BytesIO(rows)), ["/m/06bqd"], "human")
>>> found.rows["ImageID"].to_pylist(), found.tally.in_words()
(['0a'], '1 of 2 rows were refused: 1 with a Confidence that is not a number (line 3)')
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from curator.errors import SourceError
from curator.sources.budget import budget
from curator.sources.large_columns import changed, repeated, rows_where
from curator.sources.open_images.boxes import CROP, BoxFilter
from curator.sources.reading.blocks import LineBlocks
from curator.sources.reading.delimited import Rows, read_delimited
from curator.sources.reading.records import Shape
from curator.store.spilled import pieces

_LINE = " line"
_NUMBER = r"^\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*$"


def filter_labels(
    stream: io.BufferedReader,
    mids: Sequence[str],
    labels_from: str,
    boxes: BoxFilter | None = None,
    anyway: Sequence[str] = (),
) -> Rows:
    """Read the rows of these classes; of boxes those that are wanted, and ``anyway`` those of some classes."""
    boxes = boxes or BoxFilter()
    columns = boxes.columns if labels_from == "boxes" else ("Confidence",)
    found = filter_csv(stream, ("ImageID", "LabelName", *columns), "LabelName", mids)
    if labels_from == "boxes":
        readable = boxes.readable(found.rows)
        for line in found.lines.filter(pc.invert(readable)).to_pylist():
            found.tally.refuse("with a box that is none", line)
        rows = rows_where(found.rows.append_column(_LINE, found.lines), readable)
        kept = pc.or_(boxes.keep(rows), pc.is_in(rows["LabelName"], value_set=pa.array(anyway, pa.string())))
        rows = rows_where(rows, kept)
        whole = budget().spilled()
        for piece in pieces(rows):
            crops = {CROP: boxes.crops(piece)} if boxes.cropped else {}
            whole.add(pa.table({"ImageID": piece["ImageID"], "LabelName": piece["LabelName"], **crops}))
        return Rows(whole.whole(), rows[_LINE], found.tally)
    is_number = pc.match_substring_regex(found.rows["Confidence"], _NUMBER)
    if found.rows.num_rows and not pc.any(is_number).as_py():
        raise SourceError("The labels hold a Confidence that is not a number in every row.")
    for line in found.lines.filter(pc.invert(is_number)).to_pylist():
        found.tally.refuse("with a Confidence that is not a number", line)
    rows = rows_where(found.rows.append_column(_LINE, found.lines), is_number)
    return Rows(rows.drop_columns([_LINE]), rows[_LINE], found.tally)


def filter_csv(
    stream: io.BufferedReader,
    columns: Sequence[str],
    key: str,
    wanted: Sequence[str] | Callable[[pa.ChunkedArray], pa.Array],
    optional: Sequence[str] = (),
) -> Rows:
    r"""Read the rows whose ``key`` is wanted: ``columns`` as text, of a CSV with a header line.

    Bytes that are not UTF-8 become U+FFFD.

    >>> lines = b"ImageID,Source,LabelName,Confidence\n0a,verification,/m/06bqd,1\n0b,verification,/m/02vx4,0\n"
    >>> found = filter_csv(io.BufferedReader(io.BytesIO(lines)), ("ImageID", "LabelName"), "LabelName", ["/m/06bqd"])
    >>> found.rows.to_pylist()
    [{'ImageID': '0a', 'LabelName': '/m/06bqd'}]

    Args:
        wanted: the values of ``key``, or what says which of some values are wanted.
        optional: further columns, all null if the table does not have them.

    Raises:
        SourceError: it lacks a column, or cannot be parsed.
    """
    lines = LineBlocks(stream)
    line = (lines.take_line() or b"").decode("utf-8", "replace")
    budget().columns(line.count(",") + 1)
    names = [name.decode() for name in Shape(n_fields=0).fields_of_line(line.strip().encode())]
    if missing := [name for name in columns if name not in names]:
        seen = ", ".join(names)[:200] or "nothing"
        raise SourceError(f"The table has no column {', '.join(missing)}; its first line is: {seen}.")
    present = [*columns, *(name for name in optional if name in names)]
    values = None if callable(wanted) else pa.array(wanted, pa.string()).cast(pa.binary())
    are_wanted = wanted if callable(wanted) else partial(pc.is_in, value_set=values)
    where, witness = (lambda rows: are_wanted(rows[key])), ("ImageID", "[0-9a-f]{16}")
    found = read_delimited(lines, names, present, is_text=False, where=where, witness=witness)
    texts = {name: changed(found.rows[name], _as_text) for name in present}
    nulls = repeated(None, found.rows.num_rows, pa.string())
    table = pa.table({name: texts.get(name, nulls) for name in (*columns, *optional)})
    return Rows(table, found.lines, found.tally)


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    try:
        return column.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.chunked_array([[value.decode("utf-8", "replace") for value in column.to_pylist()]], pa.string())
