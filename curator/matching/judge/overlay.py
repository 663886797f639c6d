"""Lay one picture over another by a known transform, and read both at the same cells.

A transform is a matrix, float64 (2, 3), that takes shares of the other picture's sides to shares of the one picture's.

>>> shrunk = np.array([[0.5, 0, 0.25], [0, 0.5, 0.25]])
>>> canvas = choose_canvas(shrunk)
>>> canvas.shape, covered(canvas, shrunk, (WHOLE, (0, 0, 1, 0.5))).mean(axis=1).round().tolist()[::13]
((40, 40), [1.0, 1.0, 0.0, 0.0])
>>> measure_overlap(shrunk)
(0.25, 1.0)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from curator.matching.judge.sketch import LUMA_SIDE

Floats = npt.NDArray[np.float32]
Matrix = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.uint8]
Box = tuple[float, float, float, float]

WHOLE: Box = (0.0, 0.0, 1.0, 1.0)
LEAST_CELLS = 10
"""Fewest cells along each side of what both pictures show: on fewer, nothing can be compared."""
_FEWEST = 60
"""Fewest cells that both pictures show."""
_SHADE, _GRAIN = 5.0, 0.8
"""Standard deviations, in cells, of the windows for what varies slowly, and for grain."""
_GRID = 64
"""Points along a side by which areas are measured."""
_CORNERS = np.array([[0, 1, 0, 1], [0, 0, 1, 1], [1, 1, 1, 1]])
_MARGIN = 0.012
"""Share of a side, along the edge of either picture, that is not looked at: a cell of 80."""


@dataclass(frozen=True)
class Canvas:
    """The box of the one picture that the other covers, in shares of its sides, and its cells (n_y, n_x)."""

    left: float
    top: float
    width: float
    height: float
    shape: tuple[int, int]

    def to_shares(self) -> Matrix:
        """Return the matrix (3, 3) that takes the places of cells to shares of the one picture's sides."""
        step_x, step_y = self.width / self.shape[1], self.height / self.shape[0]
        return np.array([[step_x, 0, self.left + step_x / 2], [0, step_y, self.top + step_y / 2], [0, 0, 1]])


def square(matrix: Matrix) -> Matrix:
    """Add the last row of a transform."""
    whole = np.zeros((3, 3))
    whole[:2], whole[2, 2] = matrix, 1
    return whole


def invert(matrix: Matrix) -> Matrix:
    """Return the inverse (3, 3) of a transform."""
    return square(np.asarray(cv2.invertAffineTransform(matrix), np.float64))


def choose_canvas(matrix: Matrix, most: int = LUMA_SIDE) -> Canvas | None:
    """Choose the cells, at most so many along a side, at which no picture is enlarged; None: they hardly overlap."""
    low, high = (matrix @ _CORNERS).min(axis=1).clip(0, 1), (matrix @ _CORNERS).max(axis=1).clip(0, 1)
    cell = np.maximum(np.hypot(matrix[:, 0], matrix[:, 1]), 1) / LUMA_SIDE
    n_x, n_y = np.rint((high - low) / cell).astype(int).tolist()
    if min(n_x, n_y) < LEAST_CELLS:
        return None
    width, height = (high - low).tolist()
    return Canvas(float(low[0]), float(low[1]), width, height, (min(n_y, most), min(n_x, most)))


def sample(picture: Bytes, canvas: Canvas, to_picture: Matrix) -> Floats:
    """Read a square picture at the cells of a canvas.

    Args:
        picture: uint8, shape (side, side) or (side, side, channels).
        to_picture: the matrix (3, 3) from the one picture's shares to this one's.

    Returns:
        float32, shape (n_y, n_x) or (n_y, n_x, channels).
    """
    side = picture.shape[0]
    whole = np.diag([side, side, 1.0]) @ to_picture @ canvas.to_shares()
    whole[:2, 2] -= 0.5
    excess = float(np.hypot(whole[0, :2], whole[1, :2]).mean()) ** 2 - 1
    values = picture.astype(np.float32)
    if excess > 0.2:  # several of its cells are one cell here
        values = np.asarray(
            cv2.GaussianBlur(values, (0, 0), 0.5 * excess**0.5, borderType=cv2.BORDER_REPLICATE), np.float32
        )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = canvas.shape[::-1]
    return np.asarray(cv2.warpAffine(values, whole[:2], size, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.float32)


def covered(canvas: Canvas, matrix: Matrix, boxes: tuple[Box, Box]) -> Floats:
    """Return which cells lie within both pictures' boxes, but for a thin margin: 1 or 0, shape (n_y, n_x)."""
    to_shares = canvas.to_shares()
    columns, rows = np.arange(canvas.shape[1]), np.arange(canvas.shape[0])[:, None]
    inside = np.ones(canvas.shape, bool)
    for lines, box in zip((to_shares, invert(matrix) @ to_shares), boxes, strict=True):
        for k in range(2):
            middle, half = (box[k] + box[k + 2]) / 2, (box[k + 2] - box[k]) / 2 - _MARGIN
            inside &= np.abs(lines[k, 0] * columns + (lines[k, 1] * rows + (lines[k, 2] - middle))) < half
    return inside.astype(np.float32)


@dataclass(frozen=True)
class Overlay:
    """Where two pictures lie over one another: the cells, the matrix (3, 3) back to the other's shares, the cover."""

    canvas: Canvas
    back: Matrix
    cover: Floats


def lay_over(matrix: Matrix, boxes: tuple[Box, Box], canvas: Canvas | None = None) -> Overlay | None:
    """Lay the other picture over the one, at the cells of a canvas if one is given; None: they hardly overlap."""
    canvas = choose_canvas(matrix) if canvas is None else canvas
    if canvas is None:
        return None
    cover = covered(canvas, matrix, boxes)
    return Overlay(canvas, invert(matrix), cover) if cover.sum() >= _FEWEST else None


def without_shade(pictures: Sequence[Floats], cover: Floats, shade: float = _SHADE) -> list[Floats]:
    """Take away what varies slowly, which brightness and grading change, and grain, over the covered cells."""
    layers = np.stack([*(picture * cover for picture in pictures), cover], axis=2)
    fine, coarse = (blur_within(layers, sigma) for sigma in (_GRAIN, shade))
    return [np.subtract(*both) for both in zip(fine, coarse, strict=True)]


def blur_within(layers: Floats, sigma: float) -> list[Floats]:
    """Blur the layers but the last, (n_y, n_x, layers), over the cells that the last one says are covered."""
    *blurred, weight = cv2.split(cv2.GaussianBlur(layers, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT))
    scale = 1 / np.maximum(weight, np.float32(1e-3))
    return [np.asarray(each * scale, np.float32) for each in blurred]


def correlate(a: Floats, b: Floats, weight: Floats) -> float:
    """Correlate two pictures without shades, each cell by its weight."""
    weighted = a * weight
    both = float((weighted * b).sum())
    size = max(float((weighted * a).sum()) * float((b * weight * b).sum()), 1e-6)
    return float(both / size**0.5)


def measure_overlap(matrix: Matrix) -> tuple[float, float]:
    """Return the share of the one picture that the other covers, and the share of the other that lies in the one."""
    steps = (np.arange(_GRID) + 0.5) / _GRID
    points = np.stack([*(axis.ravel() for axis in np.meshgrid(steps, steps)), np.ones(_GRID**2)])
    shares = []
    for back in (invert(matrix)[:2], matrix):
        shares.append(float((np.abs(back @ points - 0.5) < 0.5).all(axis=0).mean()))
    return shares[0], shares[1]
