"""What is kept of every picture to find others that show a part of it: its corners.

Corners and their bits are those of ORB (Rublee, Rabaud, Konolige and Bradski, "ORB: an efficient alternative to SIFT or
SURF", ICCV 2011), each described as it is and as it is in the mirror. docs/decisions/0038-shared-points.md has the
measurements.

>>> chance = np.random.default_rng(0)
>>> luma = cv2.resize(chance.integers(0, 256, (24, 24), dtype=np.uint8), (384, 288), interpolation=cv2.INTER_CUBIC)
>>> glimpse = take_glimpse(luma)
>>> int(glimpse["n_points"]) > 300, sum(value.nbytes for value in glimpse.values()) < 23_000
(True, True)
>>> int(take_glimpse(np.zeros((9, 16), np.uint8))["n_points"])
0
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Glimpse = dict[str, npt.NDArray[Any]]

GLIMPSE_SIDE = 512
"""Longest side, in pixels, of the picture that corners are searched in; a smaller one is taken as it is."""
N_POINTS = 600
"""Most points kept of a picture: with 400, fewer small crops and collages are found."""
N_WORDS = 2
"""Words of 64 bits that describe a point: of ORB's 256 bits the half that depend on one another least."""
PACE = 1.3
"""By how much each level of the pyramid is smaller than the one before."""
_LEVELS, _PATCH, _CONTRAST = 6, 15, 5
"""How many levels there are; the side of what is described, in pixels of its level: with 31, as is usual, half of the
crops to 40% of a side are lost; and the least step of grey at a corner."""
_SHARES = PACE ** -np.arange(_LEVELS, dtype=np.float64)
_ROOM = np.floor(N_POINTS * _SHARES / _SHARES.sum()).astype(np.int64)
"""Points kept of each level: fewer, the smaller it is."""
_FOUND, _CELLS = 3, 16
"""So many times as many corners are searched for as are kept; and cells along each side of which each keeps its own:
else a strong crop shows where its original has no corner, since all are where the contrast is."""
_CHOSEN = np.flatnonzero(
    np.unpackbits(
        np.frombuffer(bytes.fromhex("55e06ac1c54e49b8b473263afd31f7ac1407d23cb6fab9cdc2b862c09eac618d"), np.uint8),
        bitorder="little",
    )
)
"""Which of the 256 bits: one after the other, so that none correlates much with those before it, on the corners of 260
of 1,575 photographs."""

GLIMPSE_FIELDS: list[tuple[str, str, tuple[int, ...]]] = [
    ("size", "<u2", (2,)),
    ("n_points", "<u2", ()),
    ("places", "<u2", (N_POINTS, 2)),
    ("levels", "|u1", (N_POINTS,)),
    ("angles", "|u1", (N_POINTS,)),
    ("words", "<u8", (N_POINTS, N_WORDS)),
    ("mirrored", "<u8", (N_POINTS, N_WORDS)),
]
"""Name, dtype and shape of each field: width and height in pixels; how many points there are; x and y in 65,535ths of
the sides, the level of the pyramid, the direction in 256ths of a turn, and the bits, as they are and in the mirror."""


def take_glimpse(luma: Bytes) -> Glimpse:
    """Take the glimpse of an upright grey picture, a longest side of 512 pixels at most: uint8 (height, width)."""
    row = {name: np.zeros(shape, dtype) for name, dtype, shape in GLIMPSE_FIELDS}
    row["size"][:] = luma.shape[::-1]
    if min(luma.shape) <= 2 * _PATCH:  # what is nearer to an edge is not described
        return row
    orb = cv2.ORB.create(_FOUND * N_POINTS, PACE, _LEVELS, _PATCH, 0, 2, cv2.ORB_FAST_SCORE, _PATCH, _CONTRAST)
    found = orb.detect(luma)
    if not found:
        return row
    size = row["size"].astype(np.float64)
    strongest = _choose(np.array([(*point.pt, point.response, point.octave) for point in found], np.float64), size)
    points, bits = orb.compute(luma, [found[number] for number in strongest])
    fields = [(*point.pt, point.angle, point.octave) for point in points]
    turned = [
        cv2.KeyPoint(size[0] - 1 - x, y, float(_PATCH), (180 - angle) % 360, 0.0, int(level), number)
        for number, (x, y, angle, level) in enumerate(fields)
    ]
    kept, mirrored = orb.compute(np.ascontiguousarray(luma[:, ::-1]), turned)
    chosen = np.array([point.class_id for point in kept], np.intp)
    x, y, angle, level = np.array(fields, np.float64)[chosen].reshape(-1, 4).T
    n = len(chosen)
    row["n_points"][...] = n
    row["places"][:n] = np.rint((np.stack([x, y], axis=1) + 0.5) / size * 65_535)
    row["levels"][:n] = level
    row["angles"][:n] = np.rint(angle * (256 / 360)).astype(np.int64) % 256
    if n:
        row["words"][:n], row["mirrored"][:n] = _pack(np.asarray(bits)[chosen]), _pack(np.asarray(mirrored))
    return row


def _choose(found: npt.NDArray[np.float64], size: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """Choose corners of each level, as many as it has room for: the strongest of each cell, then the second of each.

    Args:
        found: x, y, strength and level, shape (points, 4).
        size: width and height.
    """
    x, y, strength, level = found.T
    across, down = (found[:, :2] * _CELLS // size).T
    place = _rank(level * _CELLS**2 + across * _CELLS + down, -strength, y, x)
    return np.flatnonzero(_rank(level, place, -strength, y, x) < _ROOM[level.astype(np.intp)])


def _rank(group: npt.NDArray[np.float64], *keys: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """Return each one's place in its group, from 0, ordered by the keys, the first of which counts most."""
    order = np.lexsort((*keys[::-1], group))
    first = np.flatnonzero(np.diff(group[order], prepend=-1))
    place = np.empty(len(order), np.intp)
    place[order] = np.arange(len(order)) - np.repeat(first, np.diff(np.append(first, len(order))))
    return place


def _pack(described: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    bits = np.unpackbits(described, axis=1, bitorder="little").take(_CHOSEN, axis=1)
    return np.packbits(bits, axis=1, bitorder="little").view("<u8")
