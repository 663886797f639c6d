"""Compare hashes with all those of a table whose keys lie in a Hamming ball around theirs: many to a bucket, in bulk.

Looking hashes up one by one gathers the same neighbours again and again. So the neighbours of a key are gathered once,
for all the hashes that have it, and the two are compared as a matrix; keys with equally many hashes make one array
operation, large enough that both cores work and Python's own time does not count.

>>> table = Buckets(np.array([5, 9, 5 + 16], np.uint64), keys=np.array([5, 9, 5], np.uint64), width=4)
>>> queries = Buckets(np.array([7], np.uint64), keys=np.array([7], np.uint64), width=4)
>>> rows, places = find_in_balls(queries, table, keys=np.array([7]), masks=np.array([0, 0b0010]), radius=1)
>>> queries.order[rows], table.order[places]
(array([0], dtype=int32), array([0], dtype=int32))
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from curator.matching.buckets import Buckets, Indices, Places, UInt64s, list_ranges

BLOCK_NEIGHBOURS = 1 << 19
"""Neighbours gathered at once, about."""
TILE_ROWS, TILE_COLUMNS = 64, 4096
"""Most hashes and neighbours of one key compared at once; a larger bucket is cut."""
_RANGE_BITS = 12
"""Of a key, the lower bits, by which keys of one range differ: the buckets of a range stay in a core's cache."""
_LEAST_FILLED = 0.75
"""Keys are compared together if the least of their numbers of neighbours is at least this part of the most."""
_BUFFER = 1024
"""Of NumPy's, for a row of a matrix: it copies what is shorter than a third of its buffer, for three times the time."""

_Work = tuple[UInt64s, npt.NDArray[np.uint8]]


def cut_keys(queries: Buckets, table: Buckets, n_masks: int) -> Iterator[Indices]:
    """Yield the keys that the queries have, in blocks of about ``BLOCK_NEIGHBOURS`` neighbours.

    Keys of one range come together, since their neighbours lie near one another in memory; of these, keys with equally
    many queries, so that a block falls into few and large matrices.
    """
    keys = np.flatnonzero(queries.counts)
    keys = keys[np.lexsort((queries.counts[keys], keys >> _RANGE_BITS))]
    load = max(1.0, len(table.hashes) / len(table.counts))
    step = max(1, int(BLOCK_NEIGHBOURS / (n_masks * load)))
    for start in range(0, len(keys), step):
        yield keys[start : start + step]


def find_in_balls(
    queries: Buckets, table: Buckets, keys: Indices, masks: Indices, radius: int, above: bool = False
) -> Places:
    """Compare the queries of ``keys`` with the hashes of the table in the buckets ``key ^ mask``, for all masks.

    Args:
        queries: the hashes to look up, by key.
        table: the hashes to find, by the same chunk.
        keys: those to look up now.
        masks: shape (masks,), without repeats.
        radius: the largest distance, in bits.
        above: look into the buckets of the same and of larger keys only, and of the own bucket return only what
            comes behind: each pair once if ``queries`` is ``table``.

    Returns:
        (rows, places): the hash at ``rows[k]`` of the queries is within ``radius`` of that at ``places[k]`` of the
        table. Each pair is found once.
    """
    balls = _gather(queries, table, keys, masks, above)
    hashes = np.take(table.hashes, balls.places, mode="clip")
    found = [(np.empty(0, np.intp), np.empty(0, np.intp))]
    work = np.empty(TILE_ROWS * TILE_COLUMNS, np.uint64), np.empty(TILE_ROWS * TILE_COLUMNS, np.uint8)
    with np.errstate():  # puts the size of the buffer back
        np.setbufsize(_BUFFER)
        for low, high in balls.batches:
            found += _compare(queries.hashes, hashes, balls, low, high, radius, work)
    rows, columns = (np.concatenate(ends) for ends in zip(*found, strict=True))
    found_places = balls.places[columns]
    later = rows < found_places if above else slice(None)
    return rows[later], found_places[later]


@dataclass(frozen=True)
class _Balls:
    """The neighbours of keys, one key after the other, those of a batch padded to the most of one of its keys.

    Attributes:
        places: of all neighbours in the table.
        column, width: shape (keys,): where the neighbours of each key begin in ``places``, and how many there are.
        row, height: shape (keys,): where the queries of each key begin, and how many there are.
        batches: ranges of keys that are compared together, all of one height.
    """

    places: Indices
    column: Indices
    width: Indices
    row: Indices
    height: Indices
    batches: list[tuple[int, int]]


def _gather(queries: Buckets, table: Buckets, keys: Indices, masks: Indices, above: bool) -> _Balls:
    """List the places of the neighbours of those keys that have any."""
    buckets = keys[:, None] ^ masks
    starts, counts = table.find(buckets)
    if above:
        counts[buckets < keys[:, None]] = 0
    width, (row, height) = counts.sum(axis=1, dtype=np.int64), queries.find(keys)
    order = np.lexsort((-width, height))
    order = order[width[order] > 0]
    row, height, width = row[order].astype(np.int64), height[order].astype(np.int64), width[order]
    batches = list(_batch(height, width))
    padded = np.repeat(width[[low for low, _ in batches]], [high - low for low, high in batches])
    padding = (padded - width).astype(np.int32)[:, None]
    firsts, lengths = np.append(starts[order], 0 * padding, axis=1), np.append(counts[order], padding, axis=1)
    return _Balls(list_ranges(firsts.ravel(), lengths.ravel()), np.cumsum(padded) - padded, width, row, height, batches)


def _batch(height: Indices, width: Indices) -> Iterator[tuple[int, int]]:
    """Cut keys, by height and falling width, into ranges of equal height and nearly equal width."""
    edges = np.flatnonzero(np.diff(height, prepend=-1, append=-1)).tolist()
    for first, end in pairwise(edges):
        falling, low = -width[first:end], first
        rows = min(int(height[first]), TILE_ROWS)
        while low < end:
            most = max(1, TILE_ROWS * TILE_COLUMNS // (rows * min(int(width[low]), TILE_COLUMNS)))
            narrower = first + int(np.searchsorted(falling, -_LEAST_FILLED * width[low] + 8, side="right"))
            high = min(end, low + most, max(narrower, low + 1))
            yield low, high
            low = high


def _compare(
    left: UInt64s, right: UInt64s, balls: _Balls, low: int, high: int, radius: int, work: _Work
) -> Iterator[Places]:
    """Compare the queries and neighbours of a batch, tile by tile: (index in left, index in right) of near ones."""
    height, padded, start = int(balls.height[low]), int(balls.width[low]), int(balls.column[low])
    rows = left[balls.row[low:high, None] + np.arange(height)]
    columns = right[start : start + (high - low) * padded].reshape(high - low, padded)
    for top in range(0, height, TILE_ROWS):
        for first in range(0, padded, TILE_COLUMNS):
            tile = rows[:, top : top + TILE_ROWS], columns[:, first : first + TILE_COLUMNS]
            key, row, column = _find_near(*tile, radius, work)
            inside = first + column < balls.width[low + key]
            key, row, column = key[inside], row[inside], column[inside]
            if len(key):
                yield balls.row[low + key] + top + row, balls.column[low + key] + first + column


def _find_near(rows: UInt64s, columns: UInt64s, radius: int, work: _Work) -> tuple[Indices, Indices, Indices]:
    """Find the pairs of (keys, rows) and (keys, columns) hashes at most ``radius`` bits apart: key, row and column."""
    shape = (*rows.shape, columns.shape[1])
    differing, bits = (array[: rows.size * columns.shape[1]] for array in work)
    np.bitwise_xor(rows[:, :, None], columns[:, None, :], out=differing.reshape(shape))
    np.bitwise_count(differing, out=bits)
    if bits.min(initial=64) > radius:  # mostly: a tenth of what it takes to list them
        return (np.empty(0, np.intp),) * 3
    key, row, column = np.unravel_index(np.flatnonzero(bits <= radius), shape)
    return key, row, column
