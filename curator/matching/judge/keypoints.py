"""Find points that are found again in a copy, describe what is around each, and pair those of two pictures.

Points and descriptors are those of SIFT (Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 2004).
A descriptor is kept as the square roots of its 128 counts (Arandjelovic and Zisserman, "Three things everyone should
know to improve object retrieval", CVPR 2012), which are 0 to 15: four bits each.

>>> chance = np.random.default_rng(0)
>>> luma = cv2.resize(chance.integers(0, 256, (24, 24), dtype=np.uint8), (192, 192), interpolation=cv2.INTER_CUBIC)
>>> points, mirrored = find_keypoints(luma), find_keypoints(np.ascontiguousarray(luma[:, ::-1]))
>>> _, (i, j) = pair_keypoints(points.descriptors, mirrored.descriptors)
>>> bool(np.median(np.abs(points.places[i, 0] + mirrored.places[j, 0] - 191)) < 1), len(i) > 50
(True, True)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.intp]
Pairs = tuple[Indices, Indices]

N_POINTS = 224
"""Most points kept of a picture."""
PACKED_BYTES = 64
"""Bytes of a packed descriptor."""
_CONTRAST = 0.01
"""SIFT's threshold of contrast: a quarter of its usual one, since soft pictures have few points."""
_GRID = 6
"""The strongest points of each of 6x6 parts of the picture come first: a crop or a collage has some of its own."""
_RATIO = 0.88
"""Most distance of a pair's descriptors, in distances to the next best one (Lowe's test)."""
_FIRST = 64
_MIRRORED = np.arange(128).reshape(4, 4, 8)[::-1][:, :, -np.arange(8) % 8].ravel()[:_FIRST]
"""Where a mirrored picture's descriptor has each of the first counts: rows upside down, directions negated. So the
second half of all counts are those that the first ones become in the mirror."""


@dataclass(frozen=True)
class Keypoints:
    """Points of one picture; n is at most :data:`N_POINTS`.

    Attributes:
        places: float32, shape (n, 2): x and y, in pixels of the picture searched.
        sizes: float32, shape (n,): the diameter of what is described, in those pixels.
        angles: float32, shape (n,): its direction in radians, from the x axis to the y axis.
        descriptors: uint8, shape (n, 64): two counts a byte, each with the one that it is in the mirror.
    """

    places: Floats
    sizes: Floats
    angles: Floats
    descriptors: Bytes


def find_keypoints(luma: Bytes) -> Keypoints:
    """Find the points of a grey picture: uint8, shape (height, width)."""
    found, counts = cv2.SIFT.create(0, 3, _CONTRAST).detectAndCompute(luma, None)  # both in one: half of it is blurring
    kept = _choose(found, luma.shape) if found else np.empty(0, np.intp)
    chosen = [found[k] for k in kept]
    counts = counts[kept] if found else np.zeros((0, 128), np.float32)
    roots = np.minimum(np.rint(np.sqrt(counts)), 15).astype(np.uint8)
    return Keypoints(
        np.array([point.pt for point in chosen], np.float32).reshape(-1, 2),
        np.array([point.size for point in chosen], np.float32),
        np.deg2rad(np.array([point.angle for point in chosen], np.float32)),
        np.asarray(roots[:, :_FIRST] << 4 | roots[:, _MIRRORED], np.uint8),
    )


def _choose(found: Sequence[cv2.KeyPoint], shape: tuple[int, ...]) -> Indices:
    """Return which points to keep: the strongest of every part first, then the next of every part ..."""
    places = np.array([point.pt for point in found])
    strength = np.array([point.response for point in found])
    part = (places / (shape[1], shape[0]) * _GRID).astype(int).clip(0, _GRID - 1) @ (1, _GRID)
    order = np.lexsort((places[:, 0], places[:, 1], -strength, part))
    first = np.flatnonzero(np.diff(part[order], prepend=-1))
    rank = np.arange(len(order)) - np.repeat(first, np.diff(np.append(first, len(order))))
    return np.asarray(order[np.lexsort((-strength[order], rank))[:N_POINTS]])


def pair_keypoints(left: Bytes, right: Bytes) -> tuple[Pairs, Pairs]:
    """Pair descriptors that are each other's nearest and much nearer than the next: upright, and right mirrored.

    Args:
        left, right: as of :class:`Keypoints`.

    Returns:
        Two arrays of shape (pairs,), for each case.
    """
    if min(len(left), len(right)) < 2:
        none = np.zeros(0, np.intp), np.zeros(0, np.intp)
        return none, none
    (sums, differences), (other_sums, other_differences) = _unpack(left), _unpack(right)
    even, odd = sums @ other_sums.T, differences @ other_differences.T
    return _pair(even + odd), _pair(even - odd)


def _unpack(descriptors: Bytes) -> tuple[Floats, Floats]:
    """Return the sums and the differences of each two counts, of descriptors of length one: float32, shape (n, 64).

    The product of two descriptors is that of their sums and that of their differences; in the mirror, a difference is
    negated.
    """
    one, other = (descriptors >> 4).astype(np.float32), (descriptors & 15).astype(np.float32)
    squares = np.einsum("nk,nk->n", one, one) + np.einsum("nk,nk->n", other, other)
    scale = 1 / np.sqrt(2 * np.maximum(squares, np.float32(1)))[:, None]
    return (one + other) * scale, (one - other) * scale


def _pair(cosines: Floats) -> Pairs:
    best = cosines.argmax(axis=1)
    # Down the columns NumPy compares row with row, which is some times as fast as its argmax there.
    top = cosines[np.arange(len(cosines)), best]
    rows = np.flatnonzero(top == cosines.max(axis=0)[best])
    best, top = best[rows], top[rows]
    chosen = cosines[rows]
    chosen[np.arange(len(rows)), best] = -1
    next_best = np.maximum(chosen.max(axis=1), 0)
    near = 1 - top <= _RATIO**2 * (1 - next_best)
    return rows[near], best[near]
