"""Find the similarity (shift, turn, scale) that takes most of one picture's points to those they are paired with.

One pair says all of it: where, how large, in which direction. So every pair is tried, the one that most others agree
with is taken, and those are fitted by least squares: nothing is drawn by chance.

>>> places = np.array([[10, 10], [50, 12], [30, 40], [12, 55], [60, 60]], np.float32)
>>> turned = places @ np.array([[0, 2], [-2, 0]], np.float32) + 5
>>> one = Points(turned, np.full(5, 8, np.float32), np.full(5, np.pi / 2, np.float32))
>>> other = Points(places, np.full(5, 4, np.float32), np.zeros(5, np.float32))
>>> fit = fit_similarity(one, other)
>>> (fit.matrix.round(2) + 0).tolist(), fit.inliers.tolist()
([[0.0, -2.0, 5.0], [2.0, 0.0, 5.0]], [0, 1, 2, 3, 4])
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.intp]

_LOOSE, _TIGHT = 0.06, 0.016
"""Most error of a point, in the longest sides of the picture it should be in: by one pair's word, and once fitted."""
_LEAST_PX = 1.5
_TURN, _SCALE = 0.5, 0.5
"""Most difference of a pair's turn, in radians, and of its scale, in natural logarithms, to the one that is tried."""


@dataclass(frozen=True)
class Points:
    """Paired points of one picture: places (n, 2), sizes (n,) and angles (n,), float32, in pixels and radians."""

    places: Floats
    sizes: Floats
    angles: Floats


@dataclass(frozen=True)
class Fit:
    """The similarity found: float64, shape (2, 3), other's pixels to one's; and the pairs that agree with it."""

    matrix: npt.NDArray[np.float64]
    inliers: Indices


def fit_similarity(one: Points, other: Points, side: float = 192) -> Fit | None:
    """Fit the similarity that takes most of the other's points to one's; None: no three pairs agree.

    Args:
        one, other: shape (pairs,) each.
        side: the longest side of the one picture, in pixels.
    """
    if len(one.places) < 3:
        return None
    scale = np.log(one.sizes / other.sizes)
    turn = one.angles - other.angles
    factor = np.exp(scale) * np.exp(1j * turn)
    a, b = (points.places @ np.array([1, 1j]) for points in (one, other))
    shift = a - factor * b
    error = np.abs(factor[:, None] * b + shift[:, None] - a)
    agrees = (
        (error <= max(_LOOSE * side, _LEAST_PX))
        & (np.abs(scale[:, None] - scale) <= _SCALE)
        & (np.abs(np.angle(np.exp(1j * (turn[:, None] - turn)))) <= _TURN)
    )
    best: Indices | None = None
    for k in np.argsort(-agrees.sum(axis=1), kind="stable")[:5]:
        chosen = _refine(a, b, agrees[k], max(_TIGHT * side, _LEAST_PX))
        if best is None or len(chosen) > len(best):
            best = chosen
    if best is None or len(best) < 3:
        return None
    factor_, shift_ = _least_squares(a[best], b[best])
    matrix = np.array([[factor_.real, -factor_.imag, shift_.real], [factor_.imag, factor_.real, shift_.imag]])
    return Fit(matrix, best)


def _refine(
    a: npt.NDArray[np.complex128], b: npt.NDArray[np.complex128], agrees: npt.NDArray[np.bool_], tight: float
) -> Indices:
    candidates = agrees
    chosen = np.flatnonzero(agrees)
    for _ in range(4):
        if len(chosen) < 2:
            return np.zeros(0, np.intp)
        factor, shift = _least_squares(a[chosen], b[chosen])
        error = np.abs(factor * b + shift - a)
        limit = max(tight, float(np.median(error[chosen])))
        again = np.flatnonzero((error <= limit) & candidates)
        if np.array_equal(again, chosen):
            break
        chosen = again
    if len(chosen) < 2:
        return chosen
    factor, shift = _least_squares(a[chosen], b[chosen])
    return np.flatnonzero((np.abs(factor * b + shift - a) <= tight) & candidates)


def _least_squares(a: npt.NDArray[np.complex128], b: npt.NDArray[np.complex128]) -> tuple[complex, complex]:
    """Solve ``a = factor * b + shift`` over the complex numbers."""
    middle_a, middle_b = a.mean(), b.mean()
    spread = (np.abs(b - middle_b) ** 2).sum()
    factor = ((a - middle_a) * np.conj(b - middle_b)).sum() / max(spread, 1e-9)
    return complex(factor), complex(middle_a - factor * middle_b)
