"""Lay one picture over another by a known transform, make it fit better, and compare them cell by cell.

A transform takes shares of the other picture's sides to shares of the one picture's: float64, shape (2, 3).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from curator.matching.judge.sketch import COLOUR_SIDE, LUMA_SIDE

Floats = npt.NDArray[np.float32]
Matrix = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

LEAST_CELLS = 10
_MARGIN = 0.012


@dataclass(frozen=True)
class Canvas:
    """The box of the one picture that the other covers, in shares, and how many cells it has."""

    left: float
    top: float
    width: float
    height: float
    n_x: int
    n_y: int

    def to_shares(self) -> Matrix:
        """Return the matrix (3, 3) that takes cells to shares of the one picture's sides."""
        step_x, step_y = self.width / self.n_x, self.height / self.n_y
        return np.array([[step_x, 0, self.left + step_x / 2], [0, step_y, self.top + step_y / 2], [0, 0, 1]])


def square(matrix: Matrix) -> Matrix:
    """Add the last row."""
    return np.vstack([matrix, [0, 0, 1]])


def choose_canvas(matrix: Matrix) -> Canvas | None:
    """Choose the canvas on which neither picture has to be enlarged; None: they hardly overlap."""
    corners = matrix @ np.array([[0, 1, 0, 1], [0, 0, 1, 1], [1, 1, 1, 1]])
    low, high = corners.min(axis=1).clip(0, 1), corners.max(axis=1).clip(0, 1)
    width, height = high - low
    cell = np.maximum(np.hypot(matrix[:, 0], matrix[:, 1]), 1) / LUMA_SIDE
    n_x, n_y = (int(round(length / size)) for length, size in zip((width, height), cell, strict=True))
    if min(n_x, n_y) < LEAST_CELLS:
        return None
    return Canvas(low[0], low[1], width, height, min(n_x, LUMA_SIDE), min(n_y, LUMA_SIDE))


def sample(picture: npt.NDArray[np.uint8], canvas: Canvas, to_picture: Matrix) -> Floats:
    """Read a square picture at a canvas' cells; ``to_picture`` takes the one picture's shares to this one's."""
    side = picture.shape[0]
    whole = np.diag([side, side, 1.0]) @ to_picture @ canvas.to_shares()
    whole[:2, 2] -= 0.5
    factors = np.hypot(whole[0, :2], whole[1, :2])
    values = picture.astype(np.float32)
    excess = float(factors.mean()) ** 2 - 1
    if excess > 0.2:
        values = cv2.GaussianBlur(values, (0, 0), 0.5 * excess**0.5, borderType=cv2.BORDER_REPLICATE)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpAffine(values, whole[:2], (canvas.n_x, canvas.n_y), flags=flags, borderMode=cv2.BORDER_REPLICATE),
        np.float32,
    )


def covered(canvas: Canvas, matrix: Matrix) -> Floats:
    """Return which cells lie within both pictures, but for a thin margin: 1 or 0, shape (n_y, n_x)."""
    to_shares = canvas.to_shares()
    inverse = np.linalg.inv(square(matrix)) @ to_shares
    columns, rows = np.arange(canvas.n_x), np.arange(canvas.n_y)[:, None]
    inside = np.ones((canvas.n_y, canvas.n_x), bool)
    for k in range(2):
        for line in (to_shares, inverse):
            at = line[k, 0] * columns + line[k, 1] * rows + line[k, 2]
            inside &= (at > _MARGIN) & (at < 1 - _MARGIN)
    return inside.astype(np.float32)


def improve(one: npt.NDArray[np.uint8], other: npt.NDArray[np.uint8], matrix: Matrix, steps: int = 4) -> Matrix:
    """Make a transform fit better, by Gauss and Newton's steps over all six numbers (Lucas and Kanade's method).

    Cells that differ much, as those under a text, count little.
    """
    canvas = choose_canvas(matrix)
    if canvas is None:
        return matrix
    fixed = _without_shade(sample(one, canvas, np.eye(3)))
    columns, rows = np.meshgrid(np.linspace(-1, 1, canvas.n_x), np.linspace(-1, 1, canvas.n_y))
    basis = [np.ones_like(columns), columns, rows]
    to_shares = canvas.to_shares()
    centre = to_shares @ np.array(
        [[(canvas.n_x - 1) / 2, 0, (canvas.n_x - 1) / 2], [0, (canvas.n_y - 1) / 2, (canvas.n_y - 1) / 2], [0, 0, 1]]
    )
    # centre takes -1..1 to shares; cells = centre coordinates
    best, best_score = matrix, -1.0
    now = matrix
    for step in range(steps + 1):
        inside = covered(canvas, now)
        if inside.sum() < LEAST_CELLS**2 / 2:
            break
        moving = _without_shade(sample(other, canvas, np.linalg.inv(square(now))))
        score = _correlate(fixed, moving, inside)
        if score > best_score + 1e-4:
            best, best_score = now, score
        if step == steps:
            break
        gain = np.sqrt(((fixed**2) * inside).sum() / max(((moving**2) * inside).sum(), 1e-3))
        moving *= gain
        misfit = moving - fixed
        scale = 1.5 * np.median(np.abs(misfit[inside > 0])) + 0.5
        weight = inside / (1 + (misfit / scale) ** 2)
        mean = (moving + fixed) / 2
        down, right = np.gradient(mean)
        slopes = np.stack([s * b for s in (right, down) for b in basis], axis=-1).reshape(-1, 6)
        w = weight.reshape(-1, 1)
        normal = slopes.T @ (slopes * w) + np.eye(6) * (1e-3 * weight.sum() + 1e-3)
        move = np.linalg.solve(normal, slopes.T @ (w[:, 0] * misfit.ravel()))
        move = np.clip(move, -3, 3)
        # the moving picture should be read at cell + d(cell); d in cells
        change = np.array(
            [
                [
                    1 + move[1] * 2 / max(canvas.n_x - 1, 1),
                    move[2] * 2 / max(canvas.n_x - 1, 1),
                    move[0] * 2 / max(canvas.n_x - 1, 1),
                ],
                [
                    move[4] * 2 / max(canvas.n_y - 1, 1),
                    1 + move[5] * 2 / max(canvas.n_y - 1, 1),
                    move[3] * 2 / max(canvas.n_y - 1, 1),
                ],
                [0, 0, 1],
            ]
        )
        now = (centre @ change @ np.linalg.inv(centre) @ square(now))[:2]
    return best


def _correlate(a: Floats, b: Floats, inside: Floats) -> float:
    return float((a * b * inside).sum() / np.sqrt(max((a * a * inside).sum() * (b * b * inside).sum(), 1e-6)))


def _without_shade(picture: Floats) -> Floats:
    """Take away what varies slowly, which brightness and grading change."""
    smooth = cv2.GaussianBlur(picture, (0, 0), 5, borderType=cv2.BORDER_REPLICATE)
    return cv2.GaussianBlur(picture, (0, 0), 0.8, borderType=cv2.BORDER_REPLICATE) - smooth


@dataclass(frozen=True)
class Agreement:
    """How two overlaid pictures agree; arrays of shape (n_y, n_x)."""

    canvas: Canvas
    inside: Bools
    one: Floats
    other: Floats
    local: Floats
    detail_one: Floats
    detail_other: Floats


def compare(
    one: npt.NDArray[np.uint8], other: npt.NDArray[np.uint8], matrix: Matrix, sigma: float = 2.0
) -> Agreement | None:
    """Correlate two pictures around each cell."""
    canvas = choose_canvas(matrix)
    if canvas is None:
        return None
    inside = covered(canvas, matrix)
    a, b = sample(one, canvas, np.eye(3)), sample(other, canvas, np.linalg.inv(square(matrix)))

    def blur(values: Floats) -> Floats:
        return cv2.GaussianBlur(values * inside, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT) / weight

    weight = np.maximum(cv2.GaussianBlur(inside, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT), 1e-3)
    mean_a, mean_b = blur(a), blur(b)
    var_a, var_b = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2
    both = blur(a * b) - mean_a * mean_b
    var_a, var_b = np.maximum(var_a, 0), np.maximum(var_b, 0)
    local = both / (np.sqrt(var_a * var_b) + 2.0)
    return Agreement(canvas, inside > 0, a, b, local, np.sqrt(var_a), np.sqrt(var_b))


def compare_colours(one, other, found: Agreement, matrix: Matrix) -> tuple[Floats, Floats]:
    """Return Cb and Cr less 128 of both on a canvas."""
    canvas = found.canvas
    a = sample(one, canvas, np.eye(3)) - 128
    b = sample(other, canvas, np.linalg.inv(square(matrix))) - 128
    return a, b


def measure_overlap(matrix: Matrix) -> tuple[float, float]:
    """Return the share of the one picture that the other covers, and the share of the other that lies in the one."""
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    moved = (corners @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
    area, _ = cv2.intersectConvexConvex(corners, moved)
    return min(float(area), 1.0), min(float(area / max(abs(np.linalg.det(matrix[:, :2])), 1e-6)), 1.0)
