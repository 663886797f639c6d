"""Which pairs of pictures deserve a look at their pixels, as far as hashes tell: each picture's nearest ones.

>>> nothing = Pictures.unpack([], [], [])
>>> find_candidates(nothing, radius=10, rotations=True)
(array([], dtype=int64), array([], dtype=int64))
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from curator.matching.confirm import STRANGE_BITS, count_bits256
from curator.matching.copies import exclude
from curator.matching.crops import IsWanted, find_near_crops, match_crops
from curator.matching.hamming import Search
from curator.matching.parts import match_parts
from curator.matching.picture_matches import Matches, gather_blocks, join_matches, match_pictures
from curator.matching.pictures import BoolArray, Indices, Pictures

Numbers = npt.NDArray[np.integer[Any]]

MOST = 16
"""Candidates of each picture, the nearest by hash, as many that are crops of it or it of them, and as many that hold a
part of it or are one of its parts: of more, all look like all, and a copy is linked to it by others."""
COMPARED = 2
"""Times as many pairs of each picture, the nearest by hash, are compared for one being a crop of the other."""


def find_candidates(
    pictures: Pictures,
    radius: int,
    rotations: bool,
    is_wanted: IsWanted | None = None,
    search: Search | None = None,
) -> tuple[Indices, Indices]:
    """Find pairs of pictures that may be one: within the radius, whether confirmed or not, or one a part of the other.

    Args:
        pictures: of different hashes, in an order that does not change from run to run.
        radius: the largest distance of two 64-bit hashes, in bits.
        rotations: look at all eight orientations.
        is_wanted: whether pairs are worth a look; others take no place among the nearest. Without it all are.
        search: see :func:`curator.matching.picture_matches.match_pictures`.

    Returns:
        i < j, each pair once, in order.
    """
    nearest = _Nearest(len(pictures))

    def accept(found: Matches) -> BoolArray:
        near = found.where(nearest.may_be(found))
        near = near if is_wanted is None else near.where(is_wanted(near.i, near.j))
        near = near.where(count_bits256(pictures.hashes256, near) < STRANGE_BITS)
        nearest.add(near)
        return np.zeros(len(found.i), bool)

    match_pictures(pictures.hashes, radius, rotations, accept, search)
    alike = nearest.take()
    is_new = exclude(alike, len(pictures))
    both_wanted = is_new if is_wanted is None else lambda i, j: is_wanted(i, j) & is_new(i, j)
    crops = _match_few_crops(pictures, radius, both_wanted, search)
    n = max(1, len(pictures))
    both = join_matches([alike, crops, _match_few_parts(pictures, radius, both_wanted, search)])
    names = np.minimum(both.i, both.j).astype(np.int64) * n + np.maximum(both.i, both.j)
    names.sort()  # np.unique takes many times as long
    i, j = np.divmod(names[np.diff(names, prepend=-1) != 0], n)
    return i, j


def _match_few_crops(pictures: Pictures, radius: int, is_wanted: IsWanted, search: Search | None) -> Matches:
    """Match crops, but compare only the pairs that are near by hash: else those of all if all look like all."""
    compared = _Nearest(len(pictures), COMPARED)
    for block in gather_blocks(find_near_crops(pictures, radius, is_wanted, search)):
        compared.add(block.where(compared.may_be(block)))
    is_other = exclude(compared.take(), len(pictures))
    nearest = _Nearest(len(pictures))
    nearest.add(match_crops(pictures, radius, lambda i, j: ~is_other(i, j), search))
    return nearest.take()


def _match_few_parts(pictures: Pictures, radius: int, is_wanted: IsWanted, search: Search | None) -> Matches:
    nearest = _Nearest(len(pictures))
    for part in match_parts(pictures, radius, is_wanted, nearest.may_be, search):
        nearest.add(part)
    return nearest.take()


class _Nearest:
    """The nearest of each picture, ``times`` :data:`MOST`, of what was added so far: memory for these only."""

    def __init__(self, n: int, times: int = 1) -> None:
        self._n, self._most = max(1, n), times * MOST
        self._farthest = np.full(n, np.iinfo(np.int64).max)  # of the nearest, once there are enough: see _far
        self._found, self._more, self._n_more = join_matches([]), list[Matches](), 0

    def may_be(self, found: Matches) -> BoolArray:
        """Return which matches may be among the nearest of one of their two pictures."""
        ends = (found.i, found.j), (found.j, found.i)
        near = [self._far(found.distance, other) <= self._farthest[end] for end, other in ends]
        return np.asarray(near[0] | near[1])

    def add(self, found: Matches) -> None:
        """Take matches in, and sort all again when as many are new as were kept: not for each block anew."""
        self._more.append(found)
        self._n_more += len(found.i)
        if self._n_more > len(self._found.i):
            self.take()

    def take(self) -> Matches:
        """Let go of those that are not among the nearest, and return the others: each pair once, in order."""
        if self._n_more:
            self._found = self._sift(join_matches([self._found, *self._more]))
        self._more, self._n_more = [], 0
        return self._found

    def _far(self, distance: Numbers, other: Indices) -> Numbers:
        """Number matches by how far they are, and those that are equally far by the other picture."""
        return np.asarray(distance.astype(np.int64) * self._n + other)

    def _sift(self, both: Matches) -> Matches:
        low, high = np.minimum(both.i, both.j), np.maximum(both.i, both.j)
        order = np.lexsort((both.distance, high, low))
        is_first = np.ones(len(order), bool)
        is_first[1:] = (np.diff(low[order]) != 0) | (np.diff(high[order]) != 0)
        both = both.where(order[is_first])
        ends, others = np.concatenate([both.i, both.j]), np.concatenate([both.j, both.i])
        distance = np.concatenate([both.distance, both.distance])
        order = np.lexsort((others, distance, ends))
        starts = np.flatnonzero(np.diff(ends[order], prepend=-1))
        place = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
        last = order[place == self._most - 1]
        self._farthest[ends[last]] = self._far(distance[last], others[last])
        stays = np.zeros(len(both.i), bool)
        stays[order[place < self._most] % max(1, len(both.i))] = True
        return both.where(stays)
