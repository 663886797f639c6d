"""Compare small grey pictures after laying one over the other, so that a crop or a border does not hide a copy.

One picture is shifted and stretched, each axis by itself, until it fits the other: the inverse compositional form of
Lucas and Kanade's method (Baker and Matthews, "Lucas-Kanade 20 years on", IJCV 2004). Then the differences of
neighbouring cells are correlated: outlines count, which tell one ball on white ground from another; areas do not. And
the signs of the cosine transforms are compared: strong outlines count for no more than faint ones there.

>>> chance = np.random.default_rng(0)
>>> pictures = np.kron(chance.random((2, 8, 8)), np.ones((4, 4)))
>>> cropped = np.kron(pictures, np.ones((9, 9)))[:, 9:-9, 9:-9].reshape(2, 30, 9, 30, 9).mean(axis=(2, 4))
>>> stretched = np.pad(cropped, ((0, 0), (1, 1), (1, 1)), mode="edge")
>>> alike, unlike = compare_aligned(pictures, stretched), compare_aligned(pictures, pictures[::-1])
>>> bool(alike.outlines.min() > 0.9), bool(unlike.outlines.max() < 0.5)
(True, True)
>>> bool(alike.bits.max() < 40), bool(unlike.bits.min() > 80)
(True, True)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Pictures = npt.NDArray[np.float32]

_FREQUENCIES = 16
STEPS = 6
"""After so many, hardly anything moves."""
_FARTHEST = 0.12
"""Most shift, in half sides, and most stretch: a crop of 10% at one side needs 0.1."""
_LONGEST_STEP = 0.08
_STIFFNESS = 2e-3
"""Pulls the fit towards no movement if a picture has few outlines to hold on to."""


@dataclass(frozen=True)
class Likeness:
    """How alike pictures are, pair by pair, once one is laid over the other; two arrays of shape (n,).

    Attributes:
        outlines: float32: the correlation of the differences of neighbouring cells, at most 1; 0 for one grey.
        bits: int16: how many of the 255 lowest coefficients of the cosine transform differ in sign.
    """

    outlines: Pictures
    bits: npt.NDArray[np.int16]


def compare_aligned(left: npt.NDArray[np.generic], right: npt.NDArray[np.generic], steps: int = STEPS) -> Likeness:
    """Compare pictures, pair by pair, as they are and with either laid over the other; where outlines fit best counts.

    Args:
        left, right: numbers, shape (n, side, side), side 16 or more; brightness and contrast do not matter.
        steps: of Lucas and Kanade's method; after fewer, one may lie less well over the other.
    """
    a, b = _standardise(left), _standardise(right)
    everywhere = np.ones_like(a)
    outlines, bits = correlate_outlines(a, b, everywhere), _count_signs(a, b, everywhere)
    for moving, fixed in ((a, b), (b, a)):
        cells, covered = _lay_over(moving, fixed, steps)
        found = correlate_outlines(cells, fixed, covered)
        better = np.flatnonzero(found > outlines)
        outlines[better] = found[better]
        bits[better] = _count_signs(cells[better], fixed[better], covered[better])
    return Likeness(outlines, bits)


def correlate_outlines(left: Pictures, right: Pictures, covered: Pictures) -> Pictures:
    """Correlate the differences of neighbouring cells where both are covered: float32, shape (n,)."""
    dots = [np.zeros(len(left), np.float32) for _ in range(3)]
    for low, high in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:, :, :-1], np.s_[:, :, 1:])):
        both = covered[low] * covered[high]
        a, b = ((cells[high] - cells[low]) * both for cells in (left, right))
        for total, (x, y) in zip(dots, ((a, b), (a, a), (b, b)), strict=True):
            total += _dot(x, y)
    return np.asarray(dots[0] / np.sqrt(np.maximum(dots[1] * dots[2], np.float32(1e-12))))


def _dot(left: Pictures, right: Pictures) -> Pictures:
    return np.asarray(np.einsum("nij,nij->n", left, right))


def _count_signs(left: Pictures, right: Pictures, covered: Pictures) -> npt.NDArray[np.int16]:
    """Count the lowest coefficients, but for the mean's, whose signs differ over the covered cells: shape (n,)."""
    frequency, position = np.arange(_FREQUENCIES)[:, None], np.arange(left.shape[1])
    cosines = np.cos(np.pi * frequency * (2 * position + 1) / (2 * left.shape[1])).astype(np.float32)
    a, b = (cosines @ _centre(cells, covered) @ cosines.T > 0 for cells in (left, right))
    differing = a != b
    differing[:, 0, 0] = False
    return np.asarray(differing.sum(axis=(1, 2), dtype=np.int16))


def _centre(cells: Pictures, covered: Pictures) -> Pictures:
    """Take from the covered cells their mean, and set the others to nothing."""
    n_cells = covered.sum(axis=(1, 2), keepdims=True)
    return np.asarray((cells - (cells * covered).sum(axis=(1, 2), keepdims=True) / n_cells) * covered)


def _standardise(pictures: npt.NDArray[np.generic]) -> Pictures:
    values = pictures.astype(np.float32)
    values -= values.mean(axis=(1, 2), keepdims=True)
    values /= np.maximum(values.std(axis=(1, 2), keepdims=True), np.float32(1e-3))
    return values


def _lay_over(moving: Pictures, fixed: Pictures, steps: int) -> tuple[Pictures, Pictures]:
    """Move pictures until they fit others: their cells, and which of these they cover, shape (n, side, side) both."""
    side = fixed.shape[1]
    places = (np.arange(side, dtype=np.float32) - (side - 1) / 2) / np.float32(side / 2)
    down, right = (np.gradient(fixed, axis=axis) * np.float32(side / 2) for axis in (1, 2))
    slopes = np.stack([down, down * places[:, None], right, right * places], axis=1)  # of each cell, by each move
    slopes = slopes.reshape(len(fixed), 4, -1).astype(np.float32)
    inverse = np.linalg.inv(
        slopes @ slopes.swapaxes(1, 2) + np.eye(4, dtype=np.float32) * np.float32(_STIFFNESS * side**2)
    )
    moves = np.zeros((len(fixed), 4), np.float32)  # shift and stretch down, shift and stretch to the right
    for _ in range(steps):
        laid, covered = _move(moving, moves, places)
        a, b = (_centre(cells, covered) for cells in (laid, fixed))
        contrast = np.clip(_dot(a, b) / np.maximum(_dot(a, a), 1e-6), 0.5, 2).astype(np.float32, copy=False)
        misfit = contrast[:, None, None] * a - b
        step = (inverse @ (slopes @ misfit.reshape(len(fixed), -1, 1)))[:, :, 0]
        moves = _undo(moves, np.clip(step, -_LONGEST_STEP, _LONGEST_STEP))
    return _move(moving, moves, places)


def _move(pictures: Pictures, moves: Pictures, places: Pictures) -> tuple[Pictures, Pictures]:
    side = pictures.shape[1]
    half, middle = np.float32(side / 2), np.float32((side - 1) / 2)
    # Where on the moving picture, in cells, each row and column is read: shape (n, side).
    down, right = ((places * (1 + moves[:, k + 1 : k + 2]) + moves[:, k : k + 1]) * half + middle for k in (0, 2))
    cells = np.matmul(_interpolation(down, side) @ pictures, _interpolation(right, side).swapaxes(1, 2))
    rows, columns = ((at >= -0.5) & (at <= side - 0.5) for at in (down, right))
    return cells.astype(np.float32, copy=False), (rows[:, :, None] & columns[:, None, :]).astype(np.float32)


def _interpolation(at: Pictures, side: int) -> Pictures:
    """Return the matrices, (n, side, side), that take a picture's rows to those at ``at``, linearly between two."""
    inside = np.clip(at, 0, side - 1)
    return np.asarray(np.maximum(0, 1 - np.abs(inside[:, :, None] - np.arange(side, dtype=np.float32))))


def _undo(moves: Pictures, steps: Pictures) -> Pictures:
    """Compose the moves with the inverse of a step that the fixed picture would have to make."""
    moved = moves.copy()
    for k in (0, 2):
        stretch = 1 / (1 + steps[:, k + 1])
        moved[:, k] -= (1 + moves[:, k + 1]) * steps[:, k] * stretch
        moved[:, k + 1] = (1 + moves[:, k + 1]) * stretch - 1
    return np.clip(moved, -_FARTHEST, _FARTHEST)
