"""Measure which copies dedupe would find and which strangers it would take for copies, at each radius.

>>> luma = np.kron(np.random.default_rng(0).integers(0, 256, (3, 8, 8)), np.ones((4, 4))).astype(np.uint8)
>>> chance = np.random.default_rng(1)
>>> hashes, long = chance.integers(0, 2**63, (3, 8), np.uint64), chance.integers(0, 256, (3, 32), np.uint8)
>>> thumbnails = pa.array(pack_signatures(luma), pa.binary(SIGNATURE_BYTES))
>>> pictures = Sample(hashes, PictureEvidence(long, thumbnails))
>>> measured = measure_copies(pictures, pictures, find_certain(pictures), rotations=True)
>>> measured.n, measured.found[0], measured.false[-1]
(3, 3, 0)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curator.matching.confirm import PictureEvidence, confirm_matches
from curator.matching.crops import match_crops
from curator.matching.luma_signatures import SIGNATURE_BYTES as SIGNATURE_BYTES
from curator.matching.luma_signatures import pack_signatures as pack_signatures
from curator.matching.picture_matches import Matches, OrientationHashes, join_matches, match_pictures

RADII = (2, 4, 6, 8, 10, 12)
"""Bits of 64; the distance of two such hashes is nearly always even."""
CERTAIN_BITS = 2
"""Confirmed matches as near as this are copies for certain: of 138 such pairs judged by eye none was not."""

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Sample:
    """Pictures to measure with: hashes of eight turns, uint64 of shape (n, 8), and what confirms a match."""

    turns: OrientationHashes
    evidence: PictureEvidence


@dataclass(frozen=True)
class Measured:
    """Copies found and strangers taken for copies, one number for each of :data:`RADII`.

    Attributes:
        n: copies made, one of each picture.
        n_strangers: pairs of a copy and a picture that it was not made of.
        found: copies matched to what they were made of, after confirmation.
        false: strangers matched, after confirmation.
        near: strangers whose 64-bit hashes are within the radius: what one stage would have matched.
    """

    n: int
    n_strangers: int
    found: tuple[int, ...]
    false: tuple[int, ...]
    near: tuple[int, ...]


def find_certain(pictures: Sample) -> BoolArray:
    """Tell which pairs of the pictures are copies of one another for certain: bool, shape (n, n)."""
    near = match_pictures(pictures.turns, CERTAIN_BITS, rotations=True)
    agreed = near.where(confirm_matches(pictures.evidence, near.i, near.j, near.orientation))
    certain = np.eye(len(pictures.turns), dtype=bool)
    certain[agreed.i, agreed.j] = certain[agreed.j, agreed.i] = True
    return certain


def measure_copies(pictures: Sample, copies: Sample, certain: BoolArray, rotations: bool) -> Measured:
    """Match copies, the k-th made of the k-th picture, with all pictures.

    Args:
        pictures, copies: of the same length.
        certain: from :func:`find_certain`; a copy's match with these pictures is no mistake.
        rotations: as in the recipe.
    """
    n = len(pictures.turns)
    both = PictureEvidence(
        np.concatenate([pictures.evidence.hashes, copies.evidence.hashes]),
        pa.concat_arrays([pictures.evidence.thumbnails, copies.evidence.thumbnails]),
    )
    turns = np.concatenate([pictures.turns, copies.turns])
    near = match_pictures(turns, RADII[-1], rotations)
    near = near.where((near.i < n) != (near.j < n))
    alike = near.where(confirm_matches(both, near.i, near.j, near.orientation))
    crops = match_crops(both, turns[:, 0], RADII[-1], lambda i, j: (i < n) != (j < n))
    agreed = join_matches([alike, crops])
    near_at, agreed_at = _nearest(near, n), _nearest(agreed, n)
    own = np.eye(n, dtype=bool)
    return Measured(
        n=n,
        n_strangers=int(np.sum(~certain)),
        found=_count_within(agreed_at[own]),
        false=_count_within(agreed_at[~certain]),
        near=_count_within(near_at[~certain]),
    )


def _nearest(matches: Matches, n: int) -> npt.NDArray[np.uint8]:
    """Give the least distance of each picture (row) and copy (column), 255 where they do not match."""
    nearest = np.full((n, n), 255, np.uint8)
    picture, copy = np.minimum(matches.i, matches.j), np.maximum(matches.i, matches.j) - n
    np.minimum.at(nearest, (picture, copy), matches.distance)
    return nearest


def _count_within(distances: npt.NDArray[np.uint8]) -> tuple[int, ...]:
    return tuple(int(np.sum(distances <= radius)) for radius in RADII)


def choose_radius(measured: Mapping[str, Measured], false_rate: float) -> int | None:
    """Give the largest radius at which the share of strangers matched is at most ``false_rate``; None if there is none.

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
