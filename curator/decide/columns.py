"""Read columns of the catalog as NumPy arrays, so that a decision can be one pass over whole columns.

>>> column = pd.Series([b"ab", None], dtype=pd.ArrowDtype(pa.binary(2)))
>>> read_bytes(column, 2)
array([[97, 98],
       [ 0,  0]], dtype=uint8)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]


def as_arrow(column: Sequence[Any] | pd.Series[Any], kind: pa.DataType) -> pa.Array:
    """Give a column as one Arrow array of ``kind``."""
    array = pa.array(column, from_pandas=True)
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    return array if array.type == kind else array.cast(kind)


def read_bytes(column: pd.Series[Any] | pa.Array, width: int) -> npt.NDArray[np.uint8]:
    """Read a column of binary values of ``width`` bytes as uint8 of shape (n, width); a missing one is all zeros."""
    array = as_arrow(column, pa.binary(width))
    if array.null_count:
        array = pc.if_else(pc.is_valid(array), array, pa.scalar(bytes(width), pa.binary(width)))
    values = np.frombuffer(array.buffers()[1] or b"", np.uint8)
    return values[array.offset * width : (array.offset + len(array)) * width].reshape(-1, width)


def read_integers(column: pd.Series[Any], missing: int) -> IntArray:
    """Read a column of whole numbers as int64, with ``missing`` where there is none."""
    array = as_arrow(column, pa.int64())
    values: IntArray = pc.fill_null(array, missing).to_numpy(zero_copy_only=False)
    return values


def number_values(column: pd.Series[Any] | pa.Array) -> IntArray:
    """Number the distinct values of a column from 0; a missing one is -1. The numbers depend on the order of the rows.

    >>> number_values(pd.Series(["b", "a", None, "b"], dtype=pd.ArrowDtype(pa.string())))
    array([ 0,  1, -1,  0])
    """
    array = pa.array(column, from_pandas=True)
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    indices = array.dictionary_encode().indices.cast(pa.int64())
    values: IntArray = pc.fill_null(indices, -1).to_numpy(zero_copy_only=False)
    return values


def rank_texts(column: pd.Series[Any]) -> IntArray:
    """Give each text's place, from 0, in ascending order; equal texts in the order of the rows."""
    order = pc.sort_indices(as_arrow(column, pa.string())).to_numpy()
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    return ranks


def rank_among(column: pd.Series[Any], known: Sequence[str]) -> IntArray:
    """Give each text's place in ``known``; those that are not in it come after, in alphabetical order.

    >>> rank_among(pd.Series(["z", "b", "a"]), ["b"])
    array([2, 0, 1])
    """
    texts = as_arrow(column, pa.string())
    others = sorted(set(pc.unique(texts).to_pylist()) - set(known) - {None})
    places: IntArray = pc.index_in(texts, pa.array([*known, *others], pa.string())).fill_null(-1).to_numpy(False)
    return places.astype(np.int64)
