"""Sort out pairs of pictures that share points by chance: lay one over the other as they say, and look for more.

Of a picture and a part of it many a corner lies on one that is described alike; of strangers hardly one in fifty does,
but for outlines and textures that they have in common.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from curator.matching.points.meetings import FARTHEST
from curator.matching.points.shared import LEAST_TURN, MOST_SCALE, Complexes, Floats, Shared, place_points
from curator.matching.threads import one_thread_a_core

LEAST_SHARE = 0.03
"""Least share, of the points of that picture of which fewer lie in the other, that lie on a point described alike."""
NEAR = 8.0
"""Most distance of two points that lie on one another, along both axes, in pixels of the picture that shows less."""
_AT_ONCE = 64

Rows = npt.NDArray[Any]
Integers = npt.NDArray[np.int64]


def agree_where_laid(rows: Rows, chosen: Integers, shared: Shared) -> npt.NDArray[np.bool_]:
    """Return which pairs deserve that their pixels are compared: bool, shape (pairs,).

    Args:
        rows: of :data:`curator.matching.points.glimpse.GLIMPSE_FIELDS`.
        chosen: int64, shape (pictures,): the row of each picture.
        shared: pairs of the pictures.
    """
    n = len(shared.votes)
    blocks = [range(start, min(start + _AT_ONCE, n)) for start in range(0, n, _AT_ONCE)]
    with one_thread_a_core() as threads:
        found = threads.map(lambda block: [_agrees(rows, chosen, shared, pair) for pair in block], blocks)
        return np.array([one for block in found for one in block], bool)


def _agrees(rows: Rows, chosen: Integers, shared: Shared, pair: int) -> bool:
    one, other = (rows[chosen[end[pair]]] for end in (shared.i, shared.j))
    factor, shift, is_mirrored = shared.factor[pair], shared.shift[pair], bool(shared.is_mirrored[pair])
    a, scale, turn = place_points(one)
    b, other_scale, other_turn = place_points(other, is_mirrored)
    laid = factor * b + shift
    inside = np.flatnonzero(_is_in(laid, one["size"]))
    n_inside = min(len(inside), int(_is_in((a - shift) / factor, other["size"]).sum()))
    x, y = _near(a, laid[inside], NEAR * max(1.0, float(np.abs(factor))))
    y = inside[y]
    words = other["mirrored" if is_mirrored else "words"]
    alike = np.bitwise_count(one["words"][x] ^ words[y]).sum(axis=1) <= FARTHEST
    x, y = x[alike], y[alike]
    alike = np.abs(scale[x] - other_scale[y] - np.log(np.abs(factor))) <= MOST_SCALE
    alike &= (turn[x] * (other_turn[y] * factor / np.abs(factor)).conj()).real >= LEAST_TURN
    n_found = min(len(np.unique(ends[alike])) for ends in (x, y))
    return n_found > 0 and n_found >= LEAST_SHARE * n_inside


def _is_in(places: Complexes, size: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    x, y = places.real, places.imag
    return np.asarray((x >= 0) & (x <= size[0]) & (y >= 0) & (y <= size[1]))


def _near(a: Complexes, b: Complexes, most: float) -> tuple[Integers, Integers]:
    """Return all pairs of places, as numbers in each, that are at most so far from one another along both axes."""
    order = np.argsort(a.real)
    along: Floats = a.real[order]
    first = np.searchsorted(along, b.real - most)
    counts = np.searchsorted(along, b.real + most, side="right") - first
    y = np.repeat(np.arange(len(b)), counts)
    x = order[np.arange(len(y)) - np.repeat(np.cumsum(counts) - counts - first, counts)]
    near = np.abs(a.imag[x] - b.imag[y]) <= most
    return x[near], y[near]
