"""Rule out, at a small part of the cost, pictures that no shift or stretch will lay over one another.

What small shifts and stretches make of a picture is nearly a plane, and how well another picture fits that plane is one
product of matrices: the tangent distance of Simard, LeCun and Denker, "Efficient pattern recognition using a new
transformation distance", NIPS 1992; here of the 8x8 lowest coefficients of the cosine transform.

>>> chance = np.random.default_rng(0)
>>> pictures = np.kron(chance.random((2, 8, 8)), np.ones((4, 4)))
>>> planes, shifted = span_tangents(pictures), span_tangents(np.roll(pictures, 1, axis=2))
>>> bool(fit_tangents(planes, shifted).min() > 0.9), bool(fit_tangents(planes, shifted[::-1]).max() < 0.5)
(True, True)
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from curator.matching.luma_signatures import SIDE

Floats = npt.NDArray[np.float32]

_FREQUENCIES = 8


def span_tangents(pictures: npt.NDArray[np.generic]) -> Floats:
    """Compute each picture's plane: its own direction, then what small moves add, orthonormal.

    Args:
        pictures: numbers, shape (n, 32, 32); brightness and contrast do not matter.

    Returns:
        float32, shape (n, 5, 64): 1,280 bytes a picture.
    """
    both = _OPERATORS @ (pictures.astype(np.float32) @ _OPERATORS.T)  # small products: this runs on all cores already
    parts = both.reshape(-1, 3, _FREQUENCIES, 3, _FREQUENCIES)
    chosen = [parts[:, down, :, right] * _WEIGHTS for down, right in ((0, 0), (1, 0), (2, 0), (0, 1), (0, 2))]
    return _orthonormalise(np.stack(chosen, axis=1).reshape(-1, 5, _FREQUENCIES**2))


def fit_tangents(left: Floats, right: Floats) -> Floats:
    """Measure how much of each picture small moves of the other account for: 0 to 1, the better of both ways.

    Args:
        left, right: planes of :func:`span_tangents`, shape (n, 5, 64).

    Returns:
        float32, shape (n,).
    """
    return np.maximum(_project(left, right), _project(right, left))


def _operators() -> Floats:
    """Return the matrices that take a column to its coefficients, and to those of a shift and of a stretch of it."""
    frequency, position = np.arange(_FREQUENCIES)[:, None], np.arange(SIDE)
    cosines = np.cos(np.pi * frequency * (2 * position + 1) / (2 * SIDE)) * np.where(frequency, 1, 2**-0.5)
    slopes = cosines @ np.gradient(np.eye(SIDE), axis=0)
    stretch = (cosines * (position - (SIDE - 1) / 2)) @ np.gradient(np.eye(SIDE), axis=0)
    return np.concatenate([cosines, slopes, stretch]).astype(np.float32)


_OPERATORS = _operators()
_WEIGHTS = np.sqrt(np.hypot(*np.indices((_FREQUENCIES, _FREQUENCIES)))).astype(np.float32)
# The square root of each coefficient's frequency, so that the mean has no weight.


def _orthonormalise(vectors: Floats) -> Floats:
    """Make the vectors of each picture, shape (n, 5, 64), orthonormal (Gram and Schmidt), in place."""
    for k in range(vectors.shape[1]):
        vector = vectors[:, k]
        for _ in range(2):  # once more for what rounding leaves of nearly parallel ones
            along = np.matmul(vectors[:, :k], vector[:, :, None])
            vector -= np.matmul(along.swapaxes(1, 2), vectors[:, :k])[:, 0]
        vector /= np.maximum(np.sqrt(np.einsum("nk,nk->n", vector, vector)), np.float32(1e-6))[:, None]
    return vectors


def _project(plane: Floats, other: Floats) -> Floats:
    """Measure the length of the other picture's own direction within the plane."""
    along: Floats = np.matmul(plane, other[:, 0, :, None])[:, :, 0]
    return np.asarray(np.sqrt(np.einsum("nk,nk->n", along, along)))
