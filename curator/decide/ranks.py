"""Rank rows by one key after the other: each sorts only those that all keys before it left equal.

>>> rank_by(np.array([2, 1, 2, 2]), np.array([0, 5, 0, -1])).tolist()
[2, 0, 3, 1]
>>> rank_by_text(pa.array(["photo-b", "photo-a", None, "photo-b", "photo-"])).tolist()
[2, 1, 4, 3, 0]
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curator.catalog import IntArray
from curator.matching.sort_order import sort_order

Keys = npt.NDArray[Any]

_WORD = 8
"""Bytes of a text that are compared at once, as one number."""
_MOST_WORDS = 4
"""Words by which texts are compared before Arrow sorts what is still alike."""


def rank_by(*keys: Keys) -> IntArray:
    """Rank rows from 0 by keys, the first of which counts most; equal rows in their order.

    Args:
        keys: shape (rows,) each, whole numbers or bool.
    """
    rows = np.arange(len(keys[0]))
    ranks = np.zeros(len(rows), np.int64)
    for key in keys:
        rows = _refine(ranks, rows, key[rows])
    _refine(ranks, rows, rows)
    return ranks


def rank_by_text(texts: pa.Array) -> IntArray:
    """Rank texts or bytes from 0 by their bytes, missing ones last; equal ones in their order.

    From where they begin to differ they are compared by eight bytes at a time, as numbers: Arrow's own sort takes
    several times as long. It sorts what is alike for longer.
    """
    starts, values = _read_buffers(texts)
    known, depth = texts.is_valid().to_numpy(zero_copy_only=False), _count_common(texts)
    lengths = np.where(known, np.diff(starts), 0)
    rows = np.arange(len(texts))
    ranks = np.zeros(len(rows), np.int64)
    rows = _refine(ranks, rows, ~known)
    for _ in range(_MOST_WORDS):
        rows = _refine(ranks, rows, _read_words(values, starts[rows] + depth, lengths[rows] - depth))
        depth += _WORD
    place = np.empty(len(rows), np.int64)
    place[pc.sort_indices(texts.take(pa.array(rows))).to_numpy()] = np.arange(len(rows))
    _refine(ranks, rows, place)
    return ranks


def _refine(ranks: IntArray, rows: IntArray, key: Keys) -> IntArray:
    """Rank rows that share ranks by a key, too; return those that still share one, in their order."""
    if not len(rows) or key.min() == key.max():
        return rows
    shared = ranks[rows]
    order = np.lexsort((key, shared)) if shared.any() else sort_order(key.view(np.uint8) if key.dtype == bool else key)
    rows, shared, key = rows[order], shared[order], key[order]
    is_other = np.ones(len(rows), bool)
    is_other[1:] = shared[1:] != shared[:-1]
    before = _last(is_other)
    is_other[1:] |= key[1:] != key[:-1]
    ranks[rows] = shared + _last(is_other) - before
    is_tied = ~is_other
    is_tied[:-1] |= is_tied[1:]
    return np.sort(rows[is_tied])


def _last(begins: npt.NDArray[np.bool_]) -> IntArray:
    """Return, for each place, the last one up to it at which something begins."""
    return np.maximum.accumulate(np.where(begins, np.arange(len(begins)), 0))


def _read_buffers(texts: pa.Array) -> tuple[IntArray, npt.NDArray[np.uint8]]:
    """Return where each text starts, and the last one ends, and the bytes of all."""
    wide = texts.type in (pa.large_string(), pa.large_binary())
    _, offsets, values = texts.buffers()
    starts = np.frombuffer(offsets or bytes(8), np.int64 if wide else np.int32)[texts.offset :][: len(texts) + 1]
    return starts.astype(np.int64), np.frombuffer(values or b"", np.uint8)


def _count_common(texts: pa.Array) -> int:
    """Count the bytes with which all texts begin."""
    first, last = (end.as_buffer() or b"" for end in pc.min_max(texts).values())
    return next((place for place, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))


def _read_words(values: npt.NDArray[np.uint8], starts: IntArray, lengths: IntArray) -> npt.NDArray[np.uint64]:
    """Read up to eight bytes from each start on as one number, zeros behind the end."""
    if len(values) < _WORD:
        values = np.concatenate([values, np.zeros(_WORD, np.uint8)])
    every = np.ndarray(len(values) - _WORD + 1, ">u8", values, strides=(1,))
    places = np.minimum(starts, len(every) - 1)
    words = every[places].astype(np.uint64) << (8 * (starts - places)).astype(np.uint64)
    missing = (8 * (_WORD - lengths.clip(0, _WORD))).astype(np.uint64)
    return np.asarray(words >> missing << missing, np.uint64)
