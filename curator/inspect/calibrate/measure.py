"""Measure which copies dedupe would find and which strangers it would take for copies, at each radius.

>>> chance = np.random.default_rng(1)
>>> hashes, long = chance.integers(0, 256, (3, 64), np.uint8), chance.integers(0, 256, (3, 32), np.uint8)
>>> pictures = Pictures.unpack([row.tobytes() for row in hashes], [row.tobytes() for row in long], [None] * 3)
>>> measured = measure_copies(pictures, pictures, find_certain(pictures), rotations=True)
>>> measured.n, measured.found[0], measured.false[-1]
(3, 3, 0)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curator.matching.confirm import confirm_matches
from curator.matching.crops import match_crops
from curator.matching.judge.judge import judge_pairs
from curator.matching.judge.sketch import Sketch
from curator.matching.picture_matches import Matches, join_matches, match_pictures
from curator.matching.pictures import BoolArray, Pictures

RADII = (2, 4, 6, 8, 10, 12)
"""Bits of 64; the distance of two such hashes is nearly always even."""
CERTAIN_BITS = 2
"""Confirmed matches as near as this are copies for certain: of 138 such pairs judged by eye none was not."""


@dataclass(frozen=True)
class Measured:
    """Copies found and strangers taken for copies, one number for each of :data:`RADII`.

    Attributes:
        n: copies made, one of each picture.
        n_strangers: pairs of a copy and a picture that it was not made of.
        found: copies matched to what they were made of, after confirmation.
        false: strangers matched, after confirmation.
        near: strangers whose 64-bit hashes are within the radius: what one stage would have matched.
        by_pixels: copies that pixels hold to be what they were made of, whatever the radius; one number for all.
        false_by_pixels: strangers within the largest radius that pixels hold to be one picture.
    """

    n: int
    n_strangers: int
    found: tuple[int, ...]
    false: tuple[int, ...]
    near: tuple[int, ...]
    by_pixels: int = 0
    false_by_pixels: int = 0


def judge_copies(
    pictures: Pictures,
    copies: Pictures,
    sketches: Sequence[Sketch],
    sketches_of_copies: Sequence[Sketch],
    certain: BoolArray,
) -> tuple[int, int]:
    """Count the copies that pixels hold to be what they were made of, and the strangers near by hash that they do.

    Args:
        pictures, copies, certain: see :func:`measure_copies`.
        sketches, sketches_of_copies: of each picture and of each copy.
    """
    n, both = len(pictures), pictures.append(copies)
    near = match_pictures(both.hashes, RADII[-1], rotations=True)
    near = near.where((near.i < n) != (near.j < n))
    names = {(min(i, j), max(i, j) - n) for i, j, _, _ in near.rows()}
    strangers = sorted((int(i), int(j)) for i, j in names if not certain[i, j])
    own = [(k, k) for k in range(n)]
    judged = judge_pairs([(sketches[i], sketches_of_copies[j]) for i, j in [*own, *strangers]])
    return sum(one.same for one in judged[:n]), sum(one.same for one in judged[n:])


def find_certain(pictures: Pictures) -> BoolArray:
    """Find the pairs of pictures that are copies of one another for certain: bool, shape (n, n)."""
    near = match_pictures(pictures.hashes, CERTAIN_BITS, rotations=True)
    same = near.where(confirm_matches(pictures, near))
    certain = np.eye(len(pictures), dtype=bool)
    certain[same.i, same.j] = certain[same.j, same.i] = True
    return certain


def measure_copies(pictures: Pictures, copies: Pictures, certain: BoolArray, rotations: bool) -> Measured:
    """Match copies, the k-th made of the k-th picture, with all pictures.

    Args:
        certain: from :func:`find_certain`; a copy's match with these pictures is no mistake.
        rotations: as in the recipe.
    """
    n, both = len(pictures), pictures.append(copies)
    near = match_pictures(both.hashes, RADII[-1], rotations)
    near = near.where((near.i < n) != (near.j < n))
    crops = match_crops(both, RADII[-1], lambda i, j: (i < n) != (j < n))
    same = join_matches([near.where(confirm_matches(both, near)), crops])
    near_at, same_at = _nearest(near, n), _nearest(same, n)
    return Measured(
        n=n,
        n_strangers=int(np.sum(~certain)),
        found=_count_within(same_at.diagonal()),
        false=_count_within(same_at[~certain]),
        near=_count_within(near_at[~certain]),
    )


def _nearest(matches: Matches, n: int) -> npt.NDArray[np.uint8]:
    """Return the least distance of each picture (row) and copy (column); 255 if they do not match."""
    nearest = np.full((n, n), 255, np.uint8)
    picture, copy = np.minimum(matches.i, matches.j), np.maximum(matches.i, matches.j) - n
    np.minimum.at(nearest, (picture, copy), matches.distance)
    return nearest


def _count_within(distances: npt.NDArray[np.uint8]) -> tuple[int, ...]:
    return tuple(int(np.sum(distances <= radius)) for radius in RADII)


def choose_radius(measured: Mapping[str, Measured], false_rate: float) -> int | None:
    """Choose the largest radius that matches at most a share ``false_rate`` of the strangers; None if there is none.

    >>> one = Measured(10, 1000, (5, 6, 7, 8, 9, 10), (0, 0, 0, 1, 2, 9), (0, 1, 5, 9, 20, 90))
    >>> choose_radius({"crop": one}, false_rate=0.001), choose_radius({"crop": one}, false_rate=1e-9)
    (8, 6)
    """
    strangers = sum(one.n_strangers for one in measured.values())
    allowed = [
        radius
        for place, radius in enumerate(RADII)
        if sum(one.false[place] for one in measured.values()) <= false_rate * strangers
    ]
    return max(allowed, default=None)
