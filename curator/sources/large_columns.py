"""Work on columns of many rows piece by piece; what comes of them is kept as the rows of a list are.

>>> whole = pa.chunked_array([["b ", " a"], ["c"]])
>>> changed(whole, pc.utf8_trim_whitespace).to_pylist()
['b', 'a', 'c']
>>> rows_where(pa.table({"x": whole}), pa.chunked_array([[True, False, True]])).to_pylist()
[{'x': 'b '}, {'x': 'c'}]
"""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from curator.sources.budget import budget
from curator.store.spilled import ROWS_A_PART, pieces


def changed(
    column: pa.ChunkedArray, change: Callable[[pa.ChunkedArray], pa.ChunkedArray | pa.Array]
) -> pa.ChunkedArray:
    """Change the values of a column, each by itself: ``change`` takes some of them at a time."""
    rows = budget().spilled()
    for piece in pieces(pa.table({"column": column})):
        rows.add(pa.table({"column": change(piece["column"])}))
    return rows.whole()["column"]


def rows_where(table: pa.Table, is_meant: pa.Array | pa.ChunkedArray) -> pa.Table:
    """Return those of the rows that are meant; all of them are not copied."""
    if pc.all(is_meant, min_count=0, skip_nulls=False).as_py():
        return table
    rows = budget().spilled()
    for number, piece in enumerate(pieces(table)):
        rows.add(piece.filter(is_meant.slice(number * ROWS_A_PART, ROWS_A_PART)))
    return rows.whole()
