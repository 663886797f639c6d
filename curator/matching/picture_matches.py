"""Match pictures by their perceptual hashes, in any of the eight orientations, and say in which.

>>> upright, mirrored = 0b1010, 0b0101
>>> hashes = np.array([[upright, 1 << 60, 1 << 61, 1 << 62, mirrored, 1 << 57, 1 << 58, 1 << 59],
...                    [mirrored, 1 << 40, 1 << 41, 1 << 42, upright, 1 << 37, 1 << 38, 1 << 39]], np.uint64)
>>> matches = match_pictures(hashes, radius=2, rotations=True)
>>> [(int(i), int(j), int(bits), ORIENTATIONS[orientation]) for i, j, bits, orientation in matches.rows()]
[(1, 0, 0, 'mirror'), (0, 1, 0, 'mirror')]
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, pairwise

import numpy as np
import numpy.typing as npt

from curator.matching.buckets import list_ranges
from curator.matching.hamming import Search, find_indexed_pairs, index_hashes, look_up_in
from curator.matching.multi_index import Pairs
from curator.matching.orientations import ORIENTATIONS, invert_orientation
from curator.matching.perceptual_hash import Hashes64
from curator.matching.pictures import BoolArray, Indices
from curator.matching.sort_order import sort_order

SmallInts = npt.NDArray[np.uint8]

MOST_QUERIES, LEAST_COLUMNS = 80_000_000, 4
"""Hashes looked up at once, some 80 bytes each, unless these are fewer columns of looks, of as many as there are
pictures: with fewer queries, more time goes into gathering what they are compared with."""
MANY, VERY_MANY, BITS_OF_MANY = 500_000, 5_000_000, 8
"""Of more than :data:`MANY` pictures rotated and mirrored copies are looked for within so many bits only, of more than
:data:`VERY_MANY` all copies: strangers that near come with the square of the pictures, as its time does."""
_BLOCK_PAIRS = 1 << 16


@dataclass(frozen=True)
class Matches:
    """Pairs of pictures: picture ``i`` looks like picture ``j`` in ``orientation``, ``distance`` bits apart.

    Four arrays of shape (matches,). A pair may occur several times, in either order, in several orientations.
    """

    i: Indices
    j: Indices
    distance: SmallInts
    orientation: SmallInts

    @classmethod
    def upright(cls, i: Indices, j: Indices, distance: SmallInts | None = None) -> Matches:
        """Match pictures as they are; without ``distance``, they are the same."""
        zeros = np.zeros(len(i), np.uint8)
        return cls(i, j, zeros if distance is None else distance, zeros)

    def rows(self) -> Iterator[tuple[int, int, int, int]]:
        """Go through the matches one by one."""
        return zip(self.i, self.j, self.distance, self.orientation, strict=True)

    def where(self, chosen: BoolArray | Indices | slice) -> Matches:
        """Return the chosen matches: bool of shape (matches,), or their places."""
        if not isinstance(chosen, slice) and chosen.dtype == bool and chosen.all():
            return self  # no copy of millions
        return Matches(self.i[chosen], self.j[chosen], self.distance[chosen], self.orientation[chosen])

    def renumber(self, i: Indices, j: Indices) -> Matches:
        """Call picture k of the left side ``i[k]``, and picture k of the right side ``j[k]``."""
        return Matches(narrow(i)[self.i], narrow(j)[self.j], self.distance, self.orientation)

    def both_ways(self) -> Matches:
        """Add to each match its mirror image: ``j`` against ``i``, in the inverse orientation."""
        inverse = np.array([invert_orientation(orientation) for orientation in range(len(ORIENTATIONS))], np.uint8)
        return join_matches([self, Matches(self.j, self.i, self.distance, inverse[self.orientation])])


Accept = Callable[[Matches], BoolArray]
"""Returns which matches are accepted: bool, shape (matches,)."""


def join_matches(parts: Iterable[Matches]) -> Matches:
    """Put lists of matches one after the other, their numbers in 32 bits where these are enough: there may be millions.

    >>> join_matches([Matches.upright(np.array([1]), np.array([2]))] * 2).i
    array([1, 1], dtype=int32)
    """
    arrays = [(narrow(part.i), narrow(part.j), part.distance, part.orientation) for part in parts if len(part.i)]
    if not arrays:
        return Matches.upright(np.empty(0, np.intp), np.empty(0, np.intp))
    return Matches(*(column[0] if len(arrays) == 1 else np.concatenate(column) for column in zip(*arrays, strict=True)))


def narrow(numbers: Indices) -> Indices:
    """Return numbers from 0 in 32 bits, if all fit."""
    return numbers.astype(np.int32, copy=False) if numbers.max(initial=0) < 1 << 31 else numbers


def match_pictures(
    hashes: Hashes64, radius: int, rotations: bool, accept: Accept | None = None, search: Search | None = None
) -> Matches:
    """Find all pairs of pictures whose distance is at most ``radius`` bits, and that ``accept`` agrees to.

    The distance of two pictures is the least Hamming distance between one as it is and the other in any orientation,
    taken both ways: a hash compares with its own median, so rotating one picture is not quite rotating the other.

    Args:
        hashes: uint64, shape (n, 8): each picture's hashes in the order of ``ORIENTATIONS``.
            Collapse equal rows first: n equal rows are n² matches.
        radius: the largest distance, in bits; of many pictures see :func:`limit_radius`.
        rotations: compare all eight orientations; else each picture only as it is.
        accept: called block by block of some 65,536 candidates, so that of a wide radius only the true matches are ever
            held together.
        search: does the search elsewhere, in another order; without it, here.
    """
    n = len(hashes)
    bits, bits_reoriented = limit_radius(radius, n), limit_radius(radius, n, reoriented=True)
    if not rotations:
        return match_upright(hashes, bits, accept, search)
    if bits == bits_reoriented:  # what is gathered to be compared is gathered once
        return _match_looks(hashes, bits, 0, accept, search)
    return join_matches(
        [match_upright(hashes, bits, accept, search), match_reoriented(hashes, bits_reoriented, accept, search)]
    )


def limit_radius(radius: int, n: int, *, reoriented: bool = False) -> int:
    """Return the radius within which copies, or reoriented ones, are looked for among ``n`` pictures.

    >>> limit_radius(10, 500_000, reoriented=True), limit_radius(10, 500_001, reoriented=True)
    (10, 8)
    >>> limit_radius(10, 500_001), limit_radius(10, 5_000_001), limit_radius(4, 5_000_001)
    (10, 8, 4)
    """
    return min(radius, BITS_OF_MANY) if n > (MANY if reoriented else VERY_MANY) else radius


def match_upright(hashes: Hashes64, radius: int, accept: Accept | None = None, search: Search | None = None) -> Matches:
    """Find the pairs that look alike as they are; see :func:`match_pictures`."""
    owners = Owners(hashes[:, :1])
    shared = np.flatnonzero(owners.counts > 1)
    same = Pairs(shared, shared, np.zeros(len(shared), np.uint8))

    def find() -> Iterator[Pairs]:
        if search:
            return search(None, owners.hashes, radius)
        return find_indexed_pairs(index_hashes(owners.hashes, radius))

    def blocks() -> Iterator[Matches]:
        for pairs in chain([same], find()):
            for i, j, distance in expand_pairs(pairs, owners, owners):
                once = (distance > 0) | (i < j)  # those of one hash occur both ways here, and each with itself
                yield Matches.upright(i[once], j[once], distance[once])

    return _join_accepted(blocks(), accept)


def match_reoriented(
    hashes: Hashes64, radius: int, accept: Accept | None = None, search: Search | None = None
) -> Matches:
    """Find the pairs that look alike if one is rotated or mirrored; see :func:`match_pictures`."""
    return _match_looks(hashes, radius, 1, accept, search)


def _match_looks(hashes: Hashes64, radius: int, least: int, accept: Accept | None, search: Search | None) -> Matches:
    """Look pictures up in the orientations from ``least`` on; upright ones are found both ways, and returned once."""
    owners, n = Owners(hashes[:, :1]), len(hashes)
    columns = cut_columns(n, len(ORIENTATIONS) - least)
    find = look_up_in(owners.hashes, radius, n * columns[0][1], search)

    def blocks() -> Iterator[Matches]:
        for first, n_columns in columns:
            looks = Owners(hashes[:, first + least : first + least + n_columns])
            for pairs in find(looks.hashes):
                for look, i, distance in expand_pairs(pairs, looks, owners):
                    step, j = np.divmod(look, n)  # look k is picture k % n in the orientation first + least + k // n
                    orientation = first + least + step
                    other = (i < j) | ((i > j) & (orientation > 0))
                    yield Matches(i[other], j[other], distance[other], orientation[other].astype(np.uint8))

    return _join_accepted(blocks(), accept)


def cut_columns(n: int, n_columns: int) -> list[tuple[int, int]]:
    """Cut the columns of looks of ``n`` pictures into parts that are looked up at once: where each begins, its width.

    >>> cut_columns(50_000_000, 7), cut_columns(10_000_000, 7)
    ([(0, 4), (4, 3)], [(0, 7)])
    """
    n_parts = -(-n_columns // max(LEAST_COLUMNS, MOST_QUERIES // max(1, n)))
    width = -(-n_columns // n_parts)
    return [(first, min(width, n_columns - first)) for first in range(0, n_columns, width)]


def _join_accepted(blocks: Iterable[Matches], accept: Accept | None) -> Matches:
    if accept is None:
        return join_matches(blocks)
    return join_matches(block.where(accept(block)) for block in gather_blocks(blocks))


def gather_blocks(parts: Iterable[Matches]) -> Iterator[Matches]:
    """Join small parts to blocks of some 65,536, so that what is worked out once a block is not worked out often."""
    gathered, n_gathered = list[Matches](), 0
    for part in parts:
        gathered.append(part)
        n_gathered += len(part.i)
        if n_gathered >= _BLOCK_PAIRS:
            yield join_matches(gathered)
            gathered, n_gathered = [], 0
    yield join_matches(gathered)


def expand_pairs(found: Pairs, left: Owners, right: Owners) -> Iterator[tuple[Indices, Indices, SmallInts]]:
    """Expand pairs of distinct hashes to pairs of what has them, block by block."""
    sizes = np.cumsum(left.counts[found.i].astype(np.int64) * right.counts[found.j])
    n_pairs = int(sizes[-1]) if len(sizes) else 0
    cuts = np.searchsorted(sizes, np.arange(_BLOCK_PAIRS, n_pairs, _BLOCK_PAIRS))
    for low, high in pairwise([0, *cuts, len(found)]):
        i, distance, j = left.spread(found.i[low:high], found.distance[low:high], found.j[low:high])
        j, distance, i = right.spread(j, distance, i)
        yield i, j, distance


class Owners:
    """The distinct hashes of each column of looks, and which looks have them: look ``c * n + r`` is row r of column c.

    Args:
        looks: uint64, shape (n, columns). The columns are collapsed by themselves, on all cores: one sort of all would
            take several times as long, and what two columns have in common is looked up twice at most.
    """

    def __init__(self, looks: Hashes64) -> None:
        number = np.int32 if looks.size < 1 << 31 else np.int64
        self.order = np.empty(looks.size, number)

        def sort(column: int) -> tuple[Hashes64, Indices]:
            first = len(looks) * column
            order = sort_order(looks[:, column])
            ordered = looks[order, column]
            starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[: len(looks)])
            self.order[first : first + len(looks)] = first + order
            return ordered[starts], (first + starts).astype(number)

        with ThreadPoolExecutor(os.cpu_count()) as threads:
            hashes, starts = zip(*threads.map(sort, range(looks.shape[1])), strict=True)
        self.hashes, self.starts = np.concatenate(hashes), np.concatenate(starts)
        self.counts = np.diff(np.append(self.starts, self.starts.dtype.type(looks.size)))

    def spread(self, values: Indices, distance: SmallInts, others: Indices) -> tuple[Indices, SmallInts, Indices]:
        """Replace each hash by the pictures that have it, repeating the two other arrays."""
        repeats = self.counts[values]
        places = list_ranges(self.starts[values], repeats)
        return self.order[places].astype(np.intp), np.repeat(distance, repeats), np.repeat(others, repeats)
