"""Find all pairs of 64-bit hashes within a Hamming distance: exact, in NumPy, near linear in the number of hashes.

Equal hashes are collapsed first, so that a million copies of one hash are one value and no pair.

>>> hashes = np.array([0b1111, 0b0000, 0b0001, 0b1111], np.uint64)
>>> distinct = collapse(hashes)
>>> distinct.values, distinct.inverse
(array([ 0,  1, 15], dtype=uint64), array([2, 0, 1, 2]))
>>> find_pairs(distinct.values, radius=3)
Pairs(i=array([0, 1]), j=array([1, 2]), distance=array([1, 3], dtype=uint8))
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from curator.matching.buckets import Indices, UInt64s
from curator.matching.multi_index import HashIndex, Pairs


@dataclass(frozen=True)
class Distinct:
    """Hashes without repeats: ``values`` (uint64, ascending) and ``inverse``, with ``values[inverse]`` the input."""

    values: UInt64s
    inverse: Indices


def collapse(hashes: UInt64s) -> Distinct:
    """Collapse equal hashes, shape (n,), into ascending distinct values and each hash's place among them."""
    values, inverse = np.unique(np.asarray(hashes, np.uint64), return_inverse=True)
    return Distinct(values, inverse)


def find_pairs(hashes: UInt64s, radius: int) -> Pairs:
    """Find every pair i < j of distinct hashes at most ``radius`` bits apart.

    Args:
        hashes: uint64, shape (n,), without repeats (see :func:`collapse`), in any order.
        radius: the largest distance, in bits, 0 to 64.

    Returns:
        All such pairs, each once. The search is exact; its memory is some ten arrays of n plus the result.

    Raises:
        ValueError: a hash occurs twice, or the radius is out of range.

    The method is multi-index hashing: Norouzi, Punjani and Fleet, "Fast search in Hamming space with multi-index
    hashing", CVPR 2012; see :mod:`curator.matching.multi_index`.
    """
    if len(np.unique(hashes)) != len(hashes):
        raise ValueError("find_pairs needs distinct hashes: collapse them first")
    return _sort(find_indexed_pairs(index_hashes(hashes, radius)))


def find_matches(queries: UInt64s, hashes: UInt64s, radius: int) -> Pairs:
    """Find every (query i, hash j) at most ``radius`` bits apart; equal ones are matches at distance 0.

    Args:
        queries: uint64, shape (n,).
        hashes: uint64, shape (m,); collapse both first, since every repeat repeats its matches.
        radius: the largest distance, in bits, 0 to 64.

    Raises:
        ValueError: the radius is out of range.

    >>> find_matches(np.array([6], np.uint64), np.array([1, 7, 6], np.uint64), radius=2)
    Pairs(i=array([0, 0]), j=array([1, 2]), distance=array([1, 0], dtype=uint8))
    """
    return _sort(find_indexed(index_hashes(hashes, radius, len(queries)), queries))


Search = Callable[[UInt64s | None, UInt64s, int], Iterator[Pairs]]
"""Finds every (query i, hash j) within a radius, or for no queries every pair i < j of ascending distinct hashes."""

Part = tuple[int, int, int, int]
"""A slice of the queries and a block of the hashes: where each starts and ends."""


def cut_search(n_queries: int | None, n_hashes: int, n_parts: int, least: int = 50_000) -> list[Part]:
    """Cut a search into parts that are searched apart, each (query, hash) in one of them.

    Args:
        n_queries: None: the hashes are compared with one another.
        n_parts: how many, about; fewer if a part would have less than ``least`` hashes.

    >>> cut_search(None, 4, n_parts=3, least=2)
    [(0, 2, 0, 2), (0, 2, 2, 4), (2, 4, 2, 4)]
    >>> cut_search(6, 4, n_parts=4, least=2)
    [(0, 3, 0, 2), (0, 3, 2, 4), (3, 6, 0, 2), (3, 6, 2, 4)]
    """
    n_blocks = max(1, min(math.isqrt(2 * n_parts if n_queries is None else n_parts), n_hashes // least))
    n_slices = n_blocks if n_queries is None else max(1, min(-(-n_parts // n_blocks), n_queries // least))
    blocks = [(n_hashes * k // n_blocks, n_hashes * (k + 1) // n_blocks) for k in range(n_blocks)]
    if n_queries is None:
        return [(*blocks[s], *blocks[t]) for s in range(n_blocks) for t in range(s, n_blocks)]
    slices = [(n_queries * k // n_slices, n_queries * (k + 1) // n_slices) for k in range(n_slices)]
    return [(*one, *block) for one in slices for block in blocks]


def search_part(searched: tuple[UInt64s, int], part: Part, queries: UInt64s | None = None) -> Pairs:
    """Search one part, in no certain order.

    Args:
        searched: all hashes, and the radius.
        part: what of the search.
        queries: this part's slice of them; None: the hashes are compared with one another.

    >>> search_part((np.array([0, 1, 3, 7], np.uint64), 1), (0, 2, 2, 4))
    Pairs(i=array([1]), j=array([2]), distance=array([1], dtype=uint8))
    """
    hashes, radius = searched
    first, end, start, stop = part
    index = index_hashes(hashes[start:stop], radius, end - first)
    if queries is None and first == start:
        found = _sort(find_indexed_pairs(index))
    else:
        found = _sort(find_indexed(index, hashes[first:end] if queries is None else queries))
    return Pairs(found.i + first, found.j + start, found.distance)


def index_hashes(hashes: UInt64s, radius: int, n_queries: int | None = None) -> HashIndex:
    """Lay hashes out for several searches of one radius; see :func:`find_matches` for the arguments and errors.

    ``n_queries`` is how many will be looked up at once, if not as many as there are hashes.
    """
    if not 0 <= radius <= 64:
        raise ValueError(f"radius must be 0 to 64 bits, not {radius}")
    return HashIndex(np.ascontiguousarray(hashes, np.uint64), radius, len(hashes) if n_queries is None else n_queries)


def find_indexed(index: HashIndex, queries: UInt64s) -> Iterator[Pairs]:
    """Find every (query i, hash j of the index) within the index's radius: part after part, in no certain order."""
    return index.join(np.ascontiguousarray(queries, np.uint64))


def find_indexed_pairs(index: HashIndex) -> Iterator[Pairs]:
    """Find every pair of the index's hashes, which must be distinct: part after part, in no certain order."""
    for found in index.join(None):
        yield Pairs(np.minimum(found.i, found.j), np.maximum(found.i, found.j), found.distance)


def look_up_in(
    hashes: UInt64s, radius: int, n_queries: int, search: Search | None = None
) -> Callable[[UInt64s], Iterator[Pairs]]:
    """Return what looks queries up among some hashes, as many at once as ``n_queries``: ``search``, or this process."""
    if search:
        return lambda queries: search(queries, hashes, radius)
    return partial(find_indexed, index_hashes(hashes, radius, n_queries))


def _sort(parts: Iterator[Pairs]) -> Pairs:
    nothing = np.empty(0, np.intp)
    arrays = [(nothing, nothing, np.empty(0, np.uint8)), *((part.i, part.j, part.distance) for part in parts)]
    i, j, distance = (np.concatenate(columns) for columns in zip(*arrays, strict=True))
    order = np.lexsort((j, i))
    return Pairs(i[order], j[order], distance[order])
