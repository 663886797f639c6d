"""Make a transform between two pictures fit better than the points that it was found by.

Gauss and Newton's steps over all six numbers of it, on cells without slow shades (Baker and Matthews, "Lucas-Kanade 20
years on", IJCV 2004). Cells that differ much, as those under words, count little.

>>> chance = np.random.default_rng(0)
>>> large = cv2.resize(chance.integers(0, 256, (30, 30), dtype=np.uint8), (240, 240), interpolation=cv2.INTER_CUBIC)
>>> one, other = (cv2.resize(part, (80, 80), interpolation=cv2.INTER_AREA) for part in (large, large[24:, 24:]))
>>> near = np.array([[0.92, 0.01, 0.09], [0, 0.91, 0.085]])
>>> fitted, likeness = improve(one, other, near, (WHOLE, WHOLE))
>>> bool(np.abs(fitted - [[0.9, 0, 0.1], [0, 0.9, 0.1]]).max() < 0.003), likeness > 0.99
(True, True)
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from curator.matching.judge.overlay import (
    WHOLE as WHOLE,
)
from curator.matching.judge.overlay import (
    Box,
    Bytes,
    Canvas,
    Floats,
    Matrix,
    choose_canvas,
    correlate,
    invert,
    lay_over,
    sample,
    square,
    without_shade,
)

FINE, COARSE = 48, 28
"""Most cells along a side: more than the first cost more and add little; by the second, what is off by 1.5
hundredths of a side is off by half a cell."""
_FARTHEST = 3.0
"""Most change of any of the six numbers in one step, in cells at the edge."""
_STIFFNESS = 1e-3
"""Keeps what few cells decide from moving far."""


def improve(
    one: Bytes,
    other: Bytes,
    matrix: Matrix,
    boxes: tuple[Box, Box],
    where: Floats | None = None,
    most: int = FINE,
    steps: int = 4,
    least: float = -1.0,
) -> tuple[Matrix, float]:
    """Return the transform by which outlines correlate best on the way, and how they do, -1 to 1; -1: no overlap.

    Args:
        one, other, matrix: see :mod:`curator.matching.judge.overlay`; uint8, shape (side, side) both pictures.
        boxes: what to look at of each picture, in shares.
        where: the cells of the canvas of ``matrix`` to look at, 1 or 0; None: all.
        most, steps: cells along a side, and steps, at most.
        least: the correlation from which on it is worth a step.
    """
    canvas = choose_canvas(matrix, most)
    if canvas is None:
        return matrix, -1.0
    fixed = sample(one, canvas, np.eye(3))
    mask = None if where is None else cv2.resize(where, canvas.shape[::-1], interpolation=cv2.INTER_NEAREST)
    best, highest, now = matrix, -1.0, matrix
    for step in range(steps + 1):
        overlay = lay_over(now, boxes, canvas)
        if overlay is None:
            break
        cover = overlay.cover if mask is None else overlay.cover * mask
        a, b = without_shade((fixed, sample(other, canvas, overlay.back)), cover)
        likeness = correlate(a, b, cover)
        is_better = likeness > highest
        if is_better:
            best, highest = now, likeness
        if highest < least or not (is_better or step < 2):
            break
        if step < steps:
            now = (_to_edges(canvas, _step(a, b, cover)) @ square(now))[:2]
    return best, highest


def _step(fixed: Floats, moving: Floats, inside: Floats) -> Matrix:
    """Return by how many cells to move at the middle, the right edge and the lower edge: shape (2, 3)."""
    gain = np.sqrt((fixed**2 * inside).sum() / max(float((moving**2 * inside).sum()), 1e-3))
    moving = moving * gain
    misfit = moving - fixed
    usual = 1.5 * float(np.median(np.abs(misfit[inside > 0]))) + 0.5
    weight = (inside / (1 + (misfit / usual) ** 2)).ravel()
    both = (moving + fixed) / 2
    down, right = np.gradient(both)
    height, width = fixed.shape
    x, y = _across(width), _across(height)[:, None]
    slopes = np.stack([right, right * x, right * y, down, down * x, down * y]).reshape(6, -1)
    weighted = slopes * weight
    normal = weighted @ slopes.T + np.eye(6) * _STIFFNESS * (float(weight.sum()) + 1)
    move = np.linalg.solve(normal.astype(np.float64), weighted @ misfit.ravel())
    return np.asarray(np.clip(move, -_FARTHEST, _FARTHEST).reshape(2, 3), np.float64)


@cache
def _across(n: int) -> Floats:
    return np.linspace(-1, 1, n, dtype=np.float32)


def _to_edges(canvas: Canvas, move: Matrix) -> Matrix:
    """Return the matrix (3, 3) over the one picture's shares that makes a step of :func:`_step`."""
    half_x, half_y = (canvas.shape[1] - 1) / 2, (canvas.shape[0] - 1) / 2
    centre = canvas.to_shares() @ np.array([[half_x, 0, half_x], [0, half_y, half_y], [0, 0, 1]])
    change = np.eye(3)
    change[:2] += move[:, [1, 2, 0]] / ((half_x,), (half_y,))
    return np.asarray(centre @ change @ invert(centre[:2]))
