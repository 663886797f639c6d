"""Compare hashes with all those of a table whose keys lie in a Hamming ball around theirs: many to a bucket, in bulk.

If buckets are full, looking hashes up one by one gathers the same neighbours again and again. So the neighbours of a
key are gathered once, for all the hashes that have it, and the two are compared as a matrix; keys with equally many
hashes make one array operation, large enough that both cores work and Python's own time does not count.

>>> table = Buckets(np.array([5, 9, 5 + 16], np.uint64), keys=np.array([5, 9, 5]), width=4)
>>> queries = Buckets(np.array([7], np.uint64), keys=np.array([7]), width=4)
>>> [(rows, places)] = find_in_balls(queries, table, keys=np.array([7]), masks=np.array([0, 0b0010]), radius=1)
>>> queries.order[rows], table.order[places]
(array([0]), array([0]))
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from curator.matching.buckets import Buckets, Indices, Places, UInt64s, list_ranges

BLOCK_NEIGHBOURS = 1 << 18
"""Neighbours gathered at once, about."""
TILE_ROWS, TILE_COLUMNS = 64, 4096
"""Most hashes and neighbours of one key compared at once; a larger bucket is cut."""
_LEAST_FILLED = 0.75
"""Keys are compared together if the least of their numbers of neighbours is at least this part of the most."""


@dataclass(frozen=True)
class _Tiles:
    """Ranges to compare: hashes ``row`` to ``row + height`` with neighbours ``column`` to ``column + width``."""

    row: Indices
    height: Indices
    column: Indices
    width: Indices


def cut_keys(queries: Buckets, table: Buckets, n_masks: int) -> Iterator[Indices]:
    """Yield the keys that the queries have, in blocks of about ``BLOCK_NEIGHBOURS`` neighbours.

    Keys with equally many queries come together, so that a block falls into few and large matrices.
    """
    keys = np.flatnonzero(queries.counts)
    keys = keys[np.argsort(queries.counts[keys], kind="stable")]
    load = max(1.0, len(table.hashes) / len(table.counts))
    step = max(1, int(BLOCK_NEIGHBOURS / (n_masks * load)))
    for start in range(0, len(keys), step):
        yield keys[start : start + step]


def find_in_balls(
    queries: Buckets, table: Buckets, keys: Indices, masks: Indices, radius: int, above: bool = False
) -> Iterator[Places]:
    """Compare the queries of ``keys`` with the hashes of the table in the buckets ``key ^ mask``, for all masks.

    Args:
        queries: the hashes to look up, by key.
        table: the hashes to find, by the same chunk.
        keys: those to look up now.
        masks: shape (masks,), without repeats.
        radius: the largest distance, in bits.
        above: look into the buckets of the same and of larger keys only, and of the own bucket return only what
            comes behind: each pair once if ``queries`` is ``table``.

    Yields:
        (rows, places): the hash at ``rows[k]`` of the queries is within ``radius`` of that at ``places[k]`` of the
        table. Each pair is found once.
    """
    places, tiles = _gather(queries, table, keys, masks, above)
    hashes = np.zeros(len(places) + TILE_COLUMNS, np.uint64)  # a row of a matrix may read beyond the last neighbour
    np.take(table.hashes, places, out=hashes[: len(places)], mode="clip")
    for rows, columns in _compare(queries.hashes, hashes, tiles, radius):
        found = places[columns]
        later = rows < found if above else slice(None)
        yield rows[later], found[later]


def _gather(queries: Buckets, table: Buckets, keys: Indices, masks: Indices, above: bool) -> tuple[Indices, _Tiles]:
    """List the places of each key's neighbours, key after key, and tiles by height, then by falling width."""
    buckets = keys[:, None] ^ masks
    counts = table.counts[buckets]
    if above:
        counts[buckets < keys[:, None]] = 0
    widths = counts.sum(axis=1, dtype=np.int64)
    places = list_ranges(table.starts[buckets].ravel(), counts.ravel())
    row, height = queries.starts[keys].astype(np.int64), queries.counts[keys].astype(np.int64)
    row, height, (column, width) = _cut(row, height, (np.cumsum(widths) - widths, widths), TILE_ROWS)
    column, width, (row, height) = _cut(column, width, (row, height), TILE_COLUMNS)
    order = np.lexsort((-width, height))
    order = order[width[order] > 0]
    return places, _Tiles(row[order], height[order], column[order], width[order])


def _cut(start: Indices, length: Indices, others: Places, most: int) -> tuple[Indices, Indices, Places]:
    """Cut ranges into pieces of at most ``most``, repeating what goes with them."""
    pieces = np.maximum(1, -(-length // most))
    skipped = list_ranges(np.zeros(len(pieces), np.int64), pieces) * most
    lengths = np.minimum(np.repeat(length, pieces) - skipped, most)
    return np.repeat(start, pieces) + skipped, lengths, (np.repeat(others[0], pieces), np.repeat(others[1], pieces))


def _compare(left: UInt64s, right: UInt64s, tiles: _Tiles, radius: int) -> Iterator[Places]:
    """Compare tile by tile, those of equal height and nearly equal width together: (index in left, index in right)."""
    size = TILE_ROWS * TILE_COLUMNS
    work = np.empty(size, np.uint64), np.empty(size, np.uint8), np.empty(size, np.bool_)
    for low, high in _batches(tiles):
        height, width = int(tiles.height[low]), int(tiles.width[low])
        rows = left[tiles.row[low:high, None] + np.arange(height)]
        columns = right[tiles.column[low:high, None] + np.arange(width)]
        hits = _near_pairs(rows, columns, radius, work)
        if len(hits):
            tile, cell = np.divmod(hits, height * width)
            row, column = np.divmod(cell, width)
            tile += low
            inside = column < tiles.width[tile]
            tile, row, column = tile[inside], row[inside], column[inside]
            yield tiles.row[tile] + row, tiles.column[tile] + column


def _batches(tiles: _Tiles) -> Iterator[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(tiles.height, prepend=-1, append=-1)).tolist()
    for first, end in pairwise(edges):
        falling, low, height = -tiles.width[first:end], first, int(tiles.height[first])
        while low < end:
            width = int(tiles.width[low])
            most = max(1, TILE_ROWS * TILE_COLUMNS // (height * width))
            narrower = first + int(np.searchsorted(falling, -_LEAST_FILLED * width + 8, side="right"))
            high = min(end, low + most, max(narrower, low + 1))
            yield low, high
            low = high


def _near_pairs(
    rows: UInt64s, columns: UInt64s, radius: int, work: tuple[UInt64s, npt.NDArray[np.uint8], npt.NDArray[np.bool_]]
) -> Indices:
    """Find the pairs of (tiles, height) and (tiles, width) hashes at most ``radius`` bits apart: flat indices."""
    size = rows.size * columns.shape[1]
    differing, bits, near = (array[:size] for array in work)
    shape = (len(rows), rows.shape[1], columns.shape[1])
    np.bitwise_xor(rows[:, :, None], columns[:, None, :], out=differing.reshape(shape))
    np.bitwise_count(differing, out=bits)
    np.less_equal(bits, radius, out=near)
    return np.flatnonzero(near)
