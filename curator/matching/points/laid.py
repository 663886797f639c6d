"""Sort out pairs of pictures that share points by chance: lay one over the other as they say, and compare the greys.

A cut-out, whose ground is another, shares many points: of those nothing more is asked.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from curator.matching.judge.improve import COARSE, improve
from curator.matching.judge.overlay import WHOLE, Matrix
from curator.matching.points.shared import Shared
from curator.matching.threads import one_thread_a_core

MANY_VOTES = 12
"""So many points that say the same are enough."""
LEAST_START, LEAST_NEAR, LEAST_FITTED = 0.35, 0.5, 0.65
"""Least correlation of outlines as the points say; once that is made to fit on few cells; and once it fits."""
_ZOOM = 8.0
"""Most enlargement, and reduction."""
_AT_ONCE = 64
_MIRROR = np.array([[-1, 0, 1], [0, 1, 0], [0, 0, 1]], np.float64)

Rows = npt.NDArray[Any]
Integers = npt.NDArray[np.int64]


def agree_in_greys(rows: Rows, chosen: Integers, shared: Shared) -> npt.NDArray[np.bool_]:
    """Return which pairs deserve that their pixels are compared: bool, shape (pairs,).

    Args:
        rows: of :data:`curator.matching.points.glimpse.GLIMPSE_FIELDS`.
        chosen: int64, shape (pictures,): the row of each picture.
        shared: pairs of the pictures.
    """
    deserves = shared.votes >= MANY_VOTES
    few = np.flatnonzero(~deserves)
    blocks = [few[start : start + _AT_ONCE].tolist() for start in range(0, len(few), _AT_ONCE)]
    with one_thread_a_core() as threads:
        found = threads.map(
            lambda block: [
                _agrees(rows[chosen[shared.i[pair]]], rows[chosen[shared.j[pair]]], shared, pair) for pair in block
            ],
            blocks,
        )
        deserves[few] = np.array([one for block in found for one in block], bool)
    return deserves


def _agrees(one: Any, other: Any, shared: Shared, pair: int) -> bool:
    matrix = _to_shares(one, other, shared, pair)
    if not 1 / _ZOOM < abs(np.linalg.det(matrix[:, :2])) ** 0.5 < _ZOOM:
        return False
    boxes = WHOLE, WHOLE
    matrix, likeness = improve(one["luma"], other["luma"], matrix, boxes, most=COARSE, steps=2, least=LEAST_START)
    if likeness < LEAST_START:
        return False
    return improve(one["luma"], other["luma"], matrix, boxes, least=LEAST_NEAR)[1] >= LEAST_FITTED


def _to_shares(one: Any, other: Any, shared: Shared, pair: int) -> Matrix:
    """Return the transform that the points say, other's shares of the sides to one's: float64 (2, 3)."""
    factor, shift = complex(shared.factor[pair]), complex(shared.shift[pair])
    pixels = np.array([[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag], [0, 0, 1]])
    matrix = np.diag([*(1 / one["size"]), 1.0]) @ pixels @ np.diag([*other["size"], 1.0])
    return np.asarray((matrix @ _MIRROR if shared.is_mirrored[pair] else matrix)[:2], np.float64)
