"""Rows by their places: those of texts in order and among others, and what is put at some of them.

>>> rank_texts(["b", "a"]).tolist(), find_places(["b", "z"], ["a", "b"]).tolist()
([1, 0], [1, -1])
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curator.catalog import BoolArray, Drop, IntArray, Rows, Stage, Table, as_arrow, drop
from curator.decide.ranks import rank_by_text


def rank_texts(column: Any) -> IntArray:
    """Return each text's place, from 0, in ascending order; equal texts in the order of the rows."""
    return rank_by_text(as_arrow(column, pa.string()))


def rank_among(column: Any, known: Sequence[str]) -> IntArray:
    """Return each text's place in ``known``; those that are not in it come after, in alphabetical order.

    >>> rank_among(["z", "b", "a"], ["b"])
    array([2, 0, 1])
    """
    texts = as_arrow(column, pa.string())
    others = sorted(set(pc.unique(texts).to_pylist()) - set(known) - {None})
    places: IntArray = pc.index_in(texts, pa.array([*known, *others], pa.string())).fill_null(-1).to_numpy(False)
    return places.astype(np.int64)


def find_places(column: Any, known: Any) -> IntArray:
    """Return each text's first place in ``known``; -1 if it is missing or not there."""
    found = pc.index_in(as_arrow(column, pa.string()), as_arrow(known, pa.string()), skip_nulls=True)
    return np.asarray(pc.fill_null(found, -1).to_numpy(zero_copy_only=False).astype(np.int64))


def drop_rows(table: Table, rows: Rows, stage: Stage, reason: Drop, details: Sequence[str] | pa.Array) -> Table:
    """Return a copy in which the numbered ``rows`` are dropped, each with its own one of ``details``."""
    return drop(table, mark(rows, len(table)), stage, reason, spread(pa.array(details, pa.string()), rows, len(table)))


def mark(rows: Rows, n: int) -> BoolArray:
    """Return which of ``n`` rows are among the numbered ``rows``: bool, shape (n,)."""
    marked = np.zeros(n, bool)
    marked[rows] = True
    return marked


def spread(values: pa.Array, rows: Rows, n: int) -> pa.Array:
    """Put each value at its own one of the numbered ``rows`` among ``n``; the other rows are null.

    >>> spread(pa.array(["b", "a"]), np.array([2, 0]), 4).to_pylist()
    ['a', None, 'b', None]
    """
    place = np.full(n, -1, np.int64)
    place[rows] = np.arange(len(rows))
    return values.take(pa.array(place, mask=place < 0))


def read_bytes(column: Any, width: int) -> npt.NDArray[np.uint8]:
    """Read a column of binary values of ``width`` bytes as uint8 of shape (n, width); a missing one is all zeros."""
    array = as_arrow(column, pa.binary(width))
    if array.null_count:
        array = pc.if_else(pc.is_valid(array), array, pa.scalar(bytes(width), pa.binary(width)))
    values = np.frombuffer(array.buffers()[1] or b"", np.uint8)
    return values[array.offset * width : (array.offset + len(array)) * width].reshape(-1, width)
