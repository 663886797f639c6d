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

from collections.abc import Iterator
from dataclasses import dataclass

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


def _sort(parts: Iterator[Pairs]) -> Pairs:
    nothing = np.empty(0, np.intp)
    arrays = [(nothing, nothing, np.empty(0, np.uint8)), *((part.i, part.j, part.distance) for part in parts)]
    i, j, distance = (np.concatenate(columns) for columns in zip(*arrays, strict=True))
    order = np.lexsort((j, i))
    return Pairs(i[order], j[order], distance[order])
