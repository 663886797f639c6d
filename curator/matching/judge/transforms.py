"""Propose how one picture may lie on another: the whole on the whole, or as the points say that are in both.

>>> orient_shares(1) @ [0, 0, 1]  # the upper left corner of a picture turned counter-clockwise is at the lower left
array([0., 1., 1.])
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from curator.matching.judge.geometry import Points, fit_similarity
from curator.matching.judge.keypoints import pair_keypoints
from curator.matching.judge.overlay import Bytes, Matrix, square
from curator.matching.judge.sketch import POINTS_SIDE
from curator.matching.orientations import ORIENTATIONS

Row = Mapping[str, Any]

_MIRROR = np.array([[-1, 0, 1], [0, 1, 0], [0, 0, 1]], np.float64)
_QUARTER = np.array([[0, 1, 0], [-1, 0, 1], [0, 0, 1]], np.float64)
"""A quarter counter-clockwise: shares (x, y) to (y, 1 - x)."""
_SMALL = 20
"""Cells along a side of the pictures that are compared as a whole."""
_CELLS = np.arange(_SMALL * _SMALL).reshape(_SMALL, _SMALL)
_TURNED = np.stack([np.rot90(_CELLS[:, ::-1] if k >= 4 else _CELLS, k % 4).ravel() for k in range(len(ORIENTATIONS))])
"""Which cell comes where in each orientation: (8, cells)."""
_LEAST_WHOLE = 0.6
"""Least correlation of those."""
_ZOOM = 8.0
"""Most enlargement, and reduction, of one side."""


@dataclass(frozen=True)
class Proposal:
    """A transform, other's shares to one's, float64 (2, 3), and how many paired points say so: 0 for the whole."""

    matrix: Matrix
    n_points: int


def propose(one: Row, other: Row) -> Iterator[Proposal]:
    """Propose transforms, the likeliest first; each costs some work only once it is asked for."""
    likeness = _compare_whole(one["luma"], other["luma"])
    orientation = int(likeness.argmax())
    if likeness[orientation] >= _LEAST_WHOLE:
        yield Proposal(orient_shares(orientation)[:2], 0)
    paired = pair_keypoints(*(row["descriptors"][: int(row["n_points"])] for row in (one, other)))
    for mirrored, (i, j) in zip((False, True), paired, strict=True):
        fit = fit_similarity(_points(one, i, False), _points(other, j, mirrored), POINTS_SIDE)
        if fit is None:
            continue
        matrix = np.linalg.inv(_to_points(one)) @ square(fit.matrix) @ _to_points(other)
        if 1 / _ZOOM < abs(np.linalg.det(matrix[:2, :2])) ** 0.5 < _ZOOM:
            yield Proposal((matrix @ _MIRROR if mirrored else matrix)[:2], len(fit.inliers))


def orient_shares(orientation: int) -> Matrix:
    """Return the matrix (3, 3) that takes shares of a picture to those of it mirrored, if 4 or more, then rotated."""
    turn = np.linalg.matrix_power(_QUARTER, orientation % 4)
    return np.asarray(turn @ _MIRROR if orientation >= 4 else turn)


def describe_turn(one: Row, other: Row, matrix: Matrix) -> tuple[int, float, float]:
    """Return the orientation nearest to a transform, the degrees beyond it, and how much more one axis is stretched."""
    linear = (_to_points(one) @ square(matrix) @ np.linalg.inv(_to_points(other)))[:2, :2]
    orientation = int(np.argmax([(orient_shares(k)[:2, :2] * linear).sum() for k in range(len(ORIENTATIONS))]))
    rest = linear @ orient_shares(orientation)[:2, :2].T
    most, least = np.linalg.svd(linear, compute_uv=False)
    degrees = float(np.degrees(np.arctan2(rest[1, 0] - rest[0, 1], rest[0, 0] + rest[1, 1])))
    return orientation, degrees, float(most / max(least, 1e-9))


def _compare_whole(one: Bytes, other: Bytes) -> npt.NDArray[np.float64]:
    """Correlate two pictures, small, in each orientation of the other: float64, shape (8,)."""
    size = (_SMALL, _SMALL)
    a, b = (cv2.resize(luma, size, interpolation=cv2.INTER_AREA).ravel().astype(np.float64) for luma in (one, other))
    a, b = a - a.mean(), b - b.mean()
    return np.asarray(b[_TURNED] @ a / float(np.sqrt(a @ a * (b @ b) + 1)))


def _to_points(row: Row) -> Matrix:
    """Return the matrix that takes shares of the sides to pixels of a picture with a longest side of 192."""
    width, height = (float(side) for side in row["size"])
    scale = POINTS_SIDE / max(width, height)
    return np.diag([width * scale, height * scale, 1.0])


def _points(row: Row, chosen: npt.NDArray[np.intp], mirrored: bool) -> Points:
    places = row["places"][chosen].astype(np.float64) / 65_535
    angles = row["angles"][chosen].astype(np.float64) * (2 * np.pi / 65_536)
    if mirrored:
        places[:, 0] = 1 - places[:, 0]
        angles = np.pi - angles
    return Points(places @ _to_points(row)[:2, :2], row["sizes"][chosen].astype(np.float64), angles)
