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
from typing import Any

import numpy as np
import numpy.typing as npt

AnyFloats = npt.NDArray[np.floating[Any]]
Complexes = npt.NDArray[np.complex128]
Bools = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]

_FEWEST, _TRIES = 3, 5
"""Fewest pairs that make a similarity; how many of the most voted for are fitted."""

_STEPS = 4
"""Most times that a fit is made anew of those near it."""
_LOOSE, _TIGHT = 0.06, 0.016
"""Most error of a point, in the longest sides of the picture it should be in: by one pair's word, and once fitted."""
_LEAST_PX = 1.5
_TURN, _SCALE = 0.5, 0.5
"""Most difference of a pair's turn, in radians, and of its scale, in natural logarithms, to the one that is tried."""


@dataclass(frozen=True)
class Points:
    """Paired points of one picture: places (n, 2) and sizes (n,) in pixels, angles (n,) in radians."""

    places: AnyFloats
    sizes: AnyFloats
    angles: AnyFloats


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
    if len(one.places) < _FEWEST:
        return None
    a, b = (points.places @ np.array([1, 1j]) for points in (one, other))  # places as complex numbers
    agrees = _vote(a, b, np.log(one.sizes / other.sizes), one.angles - other.angles, max(_LOOSE * side, _LEAST_PX))
    votes = agrees.sum(axis=1)
    best = np.empty(0, np.intp)
    for k in np.argsort(-votes, kind="stable")[:_TRIES]:
        if votes[k] < max(_FEWEST, len(best) + 1):  # a refined set has no more
            break
        best = max(best, _refine(a, b, agrees[k], max(_TIGHT * side, _LEAST_PX)), key=len)
    if len(best) < _FEWEST:
        return None
    factor, shift = _least_squares(a[best], b[best])
    return Fit(np.array([[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]]), best)


def _vote(a: Complexes, b: Complexes, scale: AnyFloats, turn: AnyFloats, loose: float) -> Bools:
    """Return which pairs agree with the similarity that each pair says: bool, shape (pairs, pairs)."""
    factor = np.exp(scale + 1j * turn)
    error = np.abs(factor[:, None] * b + (a - factor * b)[:, None] - a)
    turn = turn % (2 * np.pi)
    turned = np.abs(turn[:, None] - turn)
    turned = np.minimum(turned, 2 * np.pi - turned)
    return np.asarray((error <= loose) & (np.abs(scale[:, None] - scale) <= _SCALE) & (turned <= _TURN))


def _refine(a: Complexes, b: Complexes, agrees: Bools, tight: float) -> Indices:
    """Fit again and again to those of some pairs that are near the last fit; return which are within ``tight``."""
    chosen = np.flatnonzero(agrees)
    for _ in range(_STEPS):
        if len(chosen) < 2:
            return chosen
        error = _misses(a, b, chosen)
        ordered = np.sort(error[chosen])
        median = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
        nearer = np.flatnonzero((error <= max(tight, median)) & agrees)
        if np.array_equal(nearer, chosen):
            break
        chosen = nearer
    return chosen if len(chosen) < 2 else np.flatnonzero((_misses(a, b, chosen) <= tight) & agrees)


def _misses(a: Complexes, b: Complexes, chosen: Indices) -> npt.NDArray[np.float64]:
    """Return how far each pair is off the similarity that fits the chosen ones."""
    factor, shift = _least_squares(a[chosen], b[chosen])
    return np.asarray(np.abs(factor * b + shift - a))


def _least_squares(a: Complexes, b: Complexes) -> tuple[complex, complex]:
    """Solve ``a = factor * b + shift`` over the complex numbers."""
    middle_a, middle_b = a.mean(), b.mean()
    spread = (np.abs(b - middle_b) ** 2).sum()
    factor = ((a - middle_a) * np.conj(b - middle_b)).sum() / max(spread, 1e-9)
    return complex(factor), complex(middle_a - factor * middle_b)
