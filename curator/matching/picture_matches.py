"""Match pictures by their perceptual hashes, in any of the eight orientations, and say how each is turned.

>>> upright, mirrored = 0b1010, 0b0101
>>> turns = np.array([[upright, 1 << 60, 1 << 61, 1 << 62, mirrored, 1 << 57, 1 << 58, 1 << 59],
...                   [mirrored, 1 << 40, 1 << 41, 1 << 42, upright, 1 << 37, 1 << 38, 1 << 39]], np.uint64)
>>> matches = match_pictures(turns, radius=2, rotations=True)
>>> [(int(i), int(j), int(bits), ORIENTATIONS[turn]) for i, j, bits, turn in matches.rows()]
[(1, 0, 0, 'mirror'), (0, 1, 0, 'mirror')]
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from curator.catalog import read_bytes
from curator.matching.buckets import list_ranges
from curator.matching.hamming import Pairs, find_indexed, find_indexed_pairs, index_hashes
from curator.matching.orientations import ORIENTATIONS, invert_orientation

OrientationHashes = npt.NDArray[np.uint64]
Indices = npt.NDArray[np.intp]
SmallInts = npt.NDArray[np.uint8]

FLAT_DETAIL = 4.0
"""Least ``detail`` of a picture that a hash can tell from others: below it, noise decides the bits.

Of 1,582 real photos of balls and scenes 2 lie below (near-empty pictures, 2.1 and 3.7); the rest have 4.4 or more.
"""
_BLOCK_PAIRS = 1 << 16
MOST_QUERIES = 1 << 23
"""Hashes looked up at once: those of all seven turns of a million pictures."""


@dataclass(frozen=True)
class Matches:
    """Pairs of pictures: picture ``i`` looks like picture ``j`` turned by ``turn``, ``distance`` bits apart.

    Four arrays of shape (matches,). A pair may stand here several times, in either order, with several turns.
    """

    i: Indices
    j: Indices
    distance: SmallInts
    orientation: SmallInts

    def rows(self) -> Iterator[tuple[int, int, int, int]]:
        """Go through the matches one by one."""
        return zip(self.i, self.j, self.distance, self.orientation, strict=True)

    def where(self, chosen: npt.NDArray[np.bool_]) -> Matches:
        """Keep the matches that ``chosen`` (bool, shape (matches,)) names."""
        return Matches(self.i[chosen], self.j[chosen], self.distance[chosen], self.orientation[chosen])

    def renumber(self, names: Indices) -> Matches:
        """Name picture k ``names[k]``."""
        return Matches(names[self.i], names[self.j], self.distance, self.orientation)

    def both_ways(self) -> Matches:
        """Add to each match its mirror: ``j`` against ``i``, turned back."""
        back = np.array([invert_orientation(turn) for turn in range(len(ORIENTATIONS))], np.uint8)
        turned_back = Matches(self.j, self.i, self.distance, back[self.orientation])
        return join_matches([self, turned_back])


Confirm = Callable[[Matches], npt.NDArray[np.bool_]]
"""Tells of each match whether it is one picture: bool, shape (matches,)."""


def join_matches(parts: list[Matches]) -> Matches:
    """Put lists of matches one after the other."""
    columns = ([getattr(part, name) for part in parts] for name in ("i", "j", "distance", "orientation"))
    i, j, distance, turn = (np.concatenate(column) for column in columns)
    return Matches(i, j, distance, turn)


def find_comparable(table: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Tell which rows can be compared by hash: bool, shape (rows,). Unknown ``detail`` and flat pictures cannot."""
    detailed = (table["detail"] >= FLAT_DETAIL).fillna(False).to_numpy(dtype=bool)
    return np.asarray(detailed & table["phash_turns"].notna().to_numpy(dtype=bool))


def read_orientation_hashes(column: pd.Series[Any]) -> OrientationHashes:
    """Read the catalog's ``phash_turns`` as uint64 of shape (n, 8); a missing one is all zeros."""
    return read_bytes(column, 64).view(">u8").astype(np.uint64)


def match_pictures(turns: OrientationHashes, radius: int, rotations: bool, confirm: Confirm | None = None) -> Matches:
    """Find all pairs of pictures whose distance is at most ``radius`` bits, and that ``confirm`` agrees to.

    The distance of two pictures is the least Hamming distance between one as it is and the other in any orientation,
    taken both ways: a hash compares with its own median, so that turning one picture is not quite turning the other.

    Args:
        turns: uint64, shape (n, 8): each picture's hashes in the order of ``ORIENTATIONS``.
            Collapse equal rows first: n equal rows are n² matches.
        radius: the largest distance, in bits.
        rotations: compare all eight orientations; else each picture only as it is.
        confirm: asked block by block of some 65,536 candidates which are matches, so that of a wide radius only the
            true ones are ever held together.
    """
    if not rotations:
        return match_upright(turns, radius, confirm)
    return join_matches([match_upright(turns, radius, confirm), match_reoriented(turns, radius, confirm)])


def match_upright(turns: OrientationHashes, radius: int, confirm: Confirm | None = None) -> Matches:
    """Find the pairs that look alike as they are; see :func:`match_pictures`."""
    owners = Owners(turns[:, :1])
    shared = np.flatnonzero(owners.counts > 1)
    same = Pairs(shared, shared, np.zeros(len(shared), np.uint8))
    found = chain([same], find_indexed_pairs(index_hashes(owners.hashes, radius)))
    parts = (_unturned(*block) for pairs in found for block in expand_pairs(pairs, owners, owners))
    return join_matches([_none(), *_agreed(parts, confirm)])


def match_reoriented(turns: OrientationHashes, radius: int, confirm: Confirm | None = None) -> Matches:
    """Find the pairs that look alike where one is turned or mirrored; see :func:`match_pictures`."""
    owners, parts = Owners(turns[:, :1]), [_none()]
    per_search = max(1, MOST_QUERIES // max(1, len(turns)))
    index = index_hashes(owners.hashes, radius, len(turns) * min(per_search, len(ORIENTATIONS) - 1))
    for first in range(1, len(ORIENTATIONS), per_search):
        looks = Owners(turns[:, first : first + per_search])
        found = find_indexed(index, looks.hashes)
        blocks = (_turned(*block, len(turns), first) for pairs in found for block in expand_pairs(pairs, looks, owners))
        parts.extend(_agreed(blocks, confirm))
    return join_matches(parts)


def _agreed(blocks: Iterable[Matches], confirm: Confirm | None) -> Iterator[Matches]:
    return (block.where(confirm(block)) for block in gather_blocks(blocks)) if confirm else iter(blocks)


def gather_blocks(parts: Iterable[Matches]) -> Iterator[Matches]:
    """Join small parts to blocks of some 65,536, so that what is worked out once a block is not worked out often."""
    gathered, n_gathered = [_none()], 0
    for part in parts:
        gathered.append(part)
        n_gathered += len(part.i)
        if n_gathered >= _BLOCK_PAIRS:
            yield join_matches(gathered)
            gathered, n_gathered = [_none()], 0
    yield join_matches(gathered)


def _none() -> Matches:
    nobody, nothing = np.empty(0, np.intp), np.empty(0, np.uint8)
    return Matches(nobody, nobody, nothing, nothing)


def _unturned(i: Indices, j: Indices, distance: SmallInts) -> Matches:
    """Give each pair of two pictures once: those of one hash stand here both ways, and each with itself."""
    once = (distance > 0) | (i < j)
    return Matches(i[once], j[once], distance[once], np.zeros(int(once.sum()), np.uint8))


def _turned(look: Indices, i: Indices, distance: SmallInts, n: int, first: int) -> Matches:
    """Give matches from looks: look ``k`` is picture ``k % n`` turned by ``first + k // n``."""
    step, j = np.divmod(look, n)
    other = i != j
    return Matches(i[other], j[other], distance[other], (first + step[other]).astype(np.uint8))


def expand_pairs(found: Pairs, left: Owners, right: Owners) -> Iterator[tuple[Indices, Indices, SmallInts]]:
    """Turn pairs of distinct hashes into pairs of what has them, block by block."""
    sizes = np.cumsum(left.counts[found.i] * right.counts[found.j])
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

    def __init__(self, looks: OrientationHashes) -> None:
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            columns = list(threads.map(_sort_looks, looks.T))
        starts = [len(looks) * number + starts for number, (_, starts, _) in enumerate(columns)]
        self.hashes = np.concatenate([hashes for hashes, _, _ in columns])
        self.order = np.concatenate([len(looks) * number + order for number, (_, _, order) in enumerate(columns)])
        self.starts = np.concatenate(starts)
        self.counts = np.diff(np.append(self.starts, looks.size))

    def spread(self, values: Indices, distance: SmallInts, others: Indices) -> tuple[Indices, SmallInts, Indices]:
        """Replace each hash by the pictures that have it, repeating the two other arrays."""
        repeats = self.counts[values]
        places = list_ranges(self.starts[values], repeats)
        return self.order[places], np.repeat(distance, repeats), np.repeat(others, repeats)


def _sort_looks(looks: OrientationHashes) -> tuple[OrientationHashes, Indices, Indices]:
    """Give the distinct hashes, ascending, where each starts among the sorted looks, and the looks in that order."""
    order = np.argsort(looks)
    ordered = looks[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[: len(looks)])
    return ordered[starts], starts, order
