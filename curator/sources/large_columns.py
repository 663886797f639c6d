"""Work on columns of many rows piece by piece; what comes of them is kept as the rows of a list are.

>>> whole = pa.chunked_array([["b ", " a"], ["c"]])
>>> changed(whole, pc.utf8_trim_whitespace).to_pylist()
['b', 'a', 'c']
>>> rows_where(pa.table({"x": whole}), pa.chunked_array([[True, False, True]])).to_pylist()
[{'x': 'b '}, {'x': 'c'}]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog
from curator.sources.budget import budget
from curator.store.spilled import ROWS_A_PART, pieces


def changed(
    column: pa.ChunkedArray, change: Callable[..., pa.ChunkedArray | pa.Array], *others: pa.ChunkedArray | pa.Array
) -> pa.ChunkedArray:
    """Change the values of a column, each by itself: ``change`` takes some of them at a time.

    Args:
        column: the values.
        change: takes some of them, and the same rows of each of ``others``.
        others: further columns of as many rows.
    """
    rows = budget().spilled()
    columns = [column, *others]
    for piece in pieces(pa.table(columns, names=[*map(str, range(len(columns)))])):
        rows.add(pa.table({"column": change(*piece.columns)}))
    return rows.whole()["column"]


def rows_where(table: pa.Table, is_meant: pa.Array | pa.ChunkedArray) -> pa.Table:
    """Return those of the rows that are meant; all of them are not copied."""
    if pc.all(is_meant, min_count=0, skip_nulls=False).as_py():
        return table
    rows = budget().spilled()
    for number, piece in enumerate(pieces(table)):
        rows.add(piece.filter(is_meant.slice(number * ROWS_A_PART, ROWS_A_PART)))
    return rows.whole()


def numbers_of_rows(n: int) -> pa.ChunkedArray:
    """Number rows from 0.

    >>> numbers_of_rows(3).to_pylist(), numbers_of_rows(0).to_pylist()
    ([0, 1, 2], [])
    """
    rows = budget().spilled()
    for start in range(0, max(n, 1), ROWS_A_PART):
        rows.add(pa.table({"row": np.arange(start, min(start + ROWS_A_PART, n))}))
    return rows.whole()["row"]


def rows_of_numbers(table: pa.Table, numbers: pa.ChunkedArray) -> pa.Table:
    """Return the rows of these numbers, in the table's order; what marks them, a byte a row, is not kept.

    >>> rows_of_numbers(pa.table({"x": ["a", "b", "c"]}), pa.chunked_array([[2], [0]])).to_pylist()
    [{'x': 'a'}, {'x': 'c'}]
    """
    is_meant = np.zeros(table.num_rows, bool)
    for some in numbers.chunks:
        is_meant[some.to_numpy()] = True
    return rows_where(table, pa.array(is_meant))


def table_of_parts(rows: pa.Table, same: Mapping[str, Any]) -> pa.Table:
    """Return a catalog of some columns, as the schema has them, and of what is the same in all rows; others are null.

    Args:
        rows: its columns stay where they are.
        same: columns to values.
    """
    arrays = [
        rows[field.name] if field.name in rows.column_names else repeated(same.get(field.name), len(rows), field.type)
        for field in catalog.SCHEMA
    ]
    return pa.Table.from_arrays(arrays, schema=catalog.SCHEMA)


def repeated(value: Any, n: int, kind: pa.DataType) -> pa.ChunkedArray:
    """Return a column of one value, or null: its chunks are one and the same, so that it takes next to no memory.

    >>> repeated("x", 100_000, pa.string()).num_chunks, repeated(None, 0, pa.int8()).to_pylist()
    (4, [])
    """
    chunk = pa.repeat(pa.scalar(value, kind), min(n, ROWS_A_PART))
    n_whole, n_rest = divmod(n, ROWS_A_PART)
    return pa.chunked_array([*[chunk] * n_whole, *([chunk.slice(0, n_rest)] if n_rest else [])], kind)
