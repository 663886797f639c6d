"""Sort candidates out before a picture is decoded: their luma signatures, and how far they stand out among others.

Of a picture's nearest neighbours by a network's features most are strangers, and nearly as near as all the next ones:
a copy leads. And a copy, cropped, framed or in a collage, is a smaller picture within the other: its signature, made
small in seventeen ways, is searched all over the other's. Where that leaves a doubt, it is laid over the other there.
A cut-out has the middle of its original. docs/decisions/0035-first-look.md has the measurements.

>>> from curator.matching.luma_signatures import pack_signatures
>>> chance = np.random.default_rng(0)
>>> coarse = chance.integers(0, 256, (3, 8, 8), dtype=np.uint8)
>>> lumas = np.stack([cv2.resize(one, (64, 64), interpolation=cv2.INTER_CUBIC) for one in coarse])
>>> lumas[1] = cv2.resize(lumas[0, 10:42, 20:52], (64, 64))  # half of each side
>>> small = lumas.reshape(3, 32, 2, 32, 2).mean((2, 4)).astype(np.uint8)
>>> pictures = Pictures.unpack([bytes(64)] * 3, [bytes(32)] * 3, pack_signatures(small))
>>> nothing = np.zeros(2, np.float32)
>>> may_be_one(pictures, Neighbours(np.array([0, 0]), np.array([1, 2]), nothing, nothing)).tolist()
[True, False]
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import cv2 as cv2
import numpy as np
import numpy.typing as npt

from curator.matching.alignment import compare_aligned
from curator.matching.luma_signatures import SIDE
from curator.matching.neighbours import Neighbours
from curator.matching.pictures import BoolArray, Indices, Pictures
from curator.matching.threads import one_thread_a_core

LEAST_SCORE, LEAST_ALIGNED, OUTLINES, LEAST_MIDDLE = 0.85, 1.15, 0.4, 0.95
"""Least sum of lead and correlation; the same once a share of the correlation of aligned outlines is added; least sum
of lead and the correlation of both middles."""
LEAST_LEAD, LEAST_COSINE = 0.1, 0.8
"""What is so near, and so far ahead, deserves it whatever its signature: one thing turned or put on another ground."""
SLIGHT_LEAD, SLIGHT_COSINE = 0.035, 0.72
"""The same of a picture that has a copy."""

_CELLS = 16
_SIZES = (
    *((side, side) for side in (16, 15, 14, 13, 12, 10, 9, 8, 7, 6, 5)),
    *((16, side) for side in (13, 11, 8)),
    *((side, 16) for side in (13, 11, 8)),
)
"""Heights and widths, in cells of the other picture, of the smaller one within it; by bars it is narrower or lower."""
_LEAST_RIM = 6
"""Of what is larger the outermost cells do not count: an edge lies between two cells of the other."""
_MEAN, _PARTS = 30, 64
_AT_ONCE = 8
"""Pictures that are searched in another one together."""
_BLOCK, _BLOCK_PAIRS = 128, 256
_ALIGNED_SIDE, _STEPS = 24, 4

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]


def may_be_one(pictures: Pictures, near: Neighbours) -> BoolArray:
    """Return which neighbours deserve that their pixels are read: bool, shape (pairs,).

    Args:
        pictures: a pair of which one has no luma signature deserves it.
        near: pairs of them.
    """
    i, j, lead = near.i, near.j, near.lead
    deserves = ~(pictures.has_signature[i] & pictures.has_signature[j])
    deserves |= (lead >= LEAST_LEAD) & (near.cosine >= LEAST_COSINE)
    known = np.flatnonzero(~deserves)
    rows, places = np.unique(np.concatenate([i[known], j[known]]), return_inverse=True)
    greys = pictures.read_signatures(rows)
    cells = halve(greys)
    left, right = places[: len(known)], places[len(known) :]
    is_same = lead[known] + _compare_middles(cells, left, right) >= LEAST_MIDDLE
    rest = np.flatnonzero(~is_same)
    found = find_within(cells, left[rest], right[rest])
    score = lead[known[rest]] + found.correlation
    is_same[rest] = score >= LEAST_ALIGNED
    doubtful = np.flatnonzero((score >= LEAST_SCORE) & (score < LEAST_ALIGNED))
    is_same[rest[doubtful]] = score[doubtful] + OUTLINES * _align(greys, found, doubtful) >= LEAST_ALIGNED
    deserves[known] = is_same
    return deserves


def look_again(near: Neighbours, group: Integers, has_copy: BoolArray) -> BoolArray:
    """Return which neighbours deserve it if either has a copy already, another one: what has one often has more.

    Args:
        near: pairs that do not deserve it by themselves.
        group: shape (pictures,): those that are one picture, as far as is known, have one number.
        has_copy: shape (pictures,).
    """
    leads = (near.lead >= SLIGHT_LEAD) & (near.cosine >= SLIGHT_COSINE)
    return np.asarray(leads & (group[near.i] != group[near.j]) & (has_copy[near.i] | has_copy[near.j]))


def halve(greys: npt.NDArray[np.uint8]) -> npt.NDArray[np.int8]:
    """Sum four cells of signatures to one, about nothing: shape (n, 16, 16)."""
    sums = greys.reshape(-1, _CELLS, 2, _CELLS, 2).sum(axis=(2, 4), dtype=np.int16)
    return np.asarray(sums - _MEAN, np.int8)


def _compare_middles(cells: npt.NDArray[np.int8], i: Indices, j: Indices) -> Floats:
    """Correlate the middle of each picture with that of the other, mirrored or not: float32, shape (pairs,)."""
    quarter, rest = _CELLS // 4, _CELLS - _CELLS // 4
    middle, around = (np.s_[:, low:high, low:high] for low, high in ((quarter, rest), (quarter - 1, rest + 1)))

    def compare(rows: Indices) -> Floats:
        looks = cells[i[rows]][middle].astype(np.float32)
        both = np.stack([looks, looks[:, :, ::-1]], axis=1)
        return np.asarray(_correlate(cells[j[rows]][around].astype(np.float32), both)[1].max(axis=1))

    return _in_blocks(compare, np.arange(len(i)))


def _in_blocks(compare: Callable[[Indices], Floats], rows: Indices) -> Floats:
    """Compare pairs, given by their rows, on all cores."""
    blocks = [rows[start : start + _BLOCK_PAIRS] for start in range(0, len(rows), _BLOCK_PAIRS)]
    with one_thread_a_core() as threads:
        return np.concatenate([np.empty(0, np.float32), *threads.map(compare, blocks)])


@dataclass(frozen=True)
class Within:
    """Where one picture of each pair is likest to a part of the other; arrays of shape (pairs,).

    ``outer`` holds ``inner``, mirrored or not, at ``top`` and ``left``, in cells, in one of the ``size`` s.
    """

    outer: Indices
    inner: Indices
    correlation: Floats
    size: Integers
    is_mirrored: BoolArray
    top: Integers
    left: Integers


def find_within(cells: npt.NDArray[np.int8], i: Indices, j: Indices) -> Within:
    """Search either picture of each pair in the other."""
    outer, inner = np.concatenate([i, j]), np.concatenate([j, i])
    order = np.argsort(outer, kind="stable")
    starts = np.flatnonzero(np.diff(outer[order], prepend=-1))
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    slot = np.cumsum(rank % _AT_ONCE == 0) - 1
    members = np.full((int(slot[-1]) + 1 if len(slot) else 0, _AT_ONCE), -1)
    members[slot, rank % _AT_ONCE] = order
    filled = np.where(members < 0, members[:, :1], members)
    blocks = [filled[start : start + _BLOCK] for start in range(0, len(filled), _BLOCK)]
    correlation, where = np.zeros(len(outer), np.float32), np.zeros(len(outer), np.int64)
    with one_thread_a_core() as threads:
        answers = threads.map(lambda block: _search(cells, outer[block[:, 0]], inner[block]), blocks)
        for block, (likeness, place) in zip(blocks, answers, strict=True):
            correlation[block], where[block] = likeness, place
    is_second = correlation[len(i) :] > correlation[: len(i)]
    chosen = np.arange(len(i)) + len(i) * is_second
    size, is_mirrored, top, left = np.unravel_index(where[chosen], (len(_SIZES), 2, _CELLS, _CELLS))
    found = outer[chosen], inner[chosen], correlation[chosen], size, is_mirrored.astype(bool), top, left
    return Within(*found)


def _search(cells: npt.NDArray[np.int8], outer: Indices, inner: Indices) -> tuple[Floats, Integers]:
    """Search pictures in others.

    Args:
        cells: less :data:`_MEAN`, shape (pictures, 16, 16).
        outer: shape (n,).
        inner: shape (n, :data:`_AT_ONCE`): those to search in each.

    Returns:
        The highest correlation; and where it is: size, mirrored or not, top and left, as one number; as ``inner``.
    """
    grounds = cells[outer].astype(np.float32)
    who, place = np.unique(inner, return_inverse=True)
    small = cells[who].astype(np.float32)
    best, where = np.full((*inner.shape, 2), -1, np.float32), np.zeros((*inner.shape, 2), np.int64)
    for number, (height, width) in enumerate(_SIZES):
        looks = _shrink(small, height, width)
        both = np.stack([looks, looks[:, :, ::-1]], axis=1)[place.reshape(inner.shape)]
        across = _CELLS + 1 - looks.shape[2]
        at, highest = _correlate(grounds, both.reshape(len(outer), -1, *looks.shape[1:]))
        highest = highest.reshape(best.shape)
        numbers = (number * 2 + np.arange(2)) * _CELLS**2 + (at // across * _CELLS + at % across).reshape(best.shape)
        where = np.where(highest > best, numbers, where)
        best = np.maximum(best, highest)
    is_mirrored = best[..., 1] > best[..., 0]
    return best.max(axis=2), np.where(is_mirrored, where[..., 1], where[..., 0])


def _shrink(cells: Floats, height: int, width: int) -> Floats:
    """Make pictures small: whole numbers, so that all that is summed is exact, whatever sums it."""
    shrunk = np.rint(_AREAS[height] @ cells @ _AREAS[width].T / _PARTS)
    rim = _rim(height, width)
    return np.asarray(shrunk[:, rim : height - rim, rim : width - rim], np.float32)


def _rim(height: int, width: int) -> int:
    return int(min(height, width) > _LEAST_RIM)


def _measure_areas(side: int) -> Floats:
    """Return how much of each cell lies in each larger one, in parts of those: integers, shape (side, 16)."""
    edges = np.arange(side + 1) * _CELLS
    low, high = np.arange(_CELLS) * side, (np.arange(_CELLS) + 1) * side
    overlap = np.minimum(edges[1:, None], high) - np.maximum(edges[:-1, None], low)
    return overlap.clip(0).astype(np.float32)


_AREAS = {side: _measure_areas(side) for size in _SIZES for side in size}


def _correlate(grounds: Floats, looks: Floats) -> tuple[Integers, Floats]:
    """Correlate each look, (n, looks, height, width), with each part of its ground, (n, 16, 16).

    Returns:
        The number of the likest part, the first of equally like ones; and the correlation with it: (n, looks) both.
    """
    height, width = looks.shape[2:]
    n = np.float32(height * width)
    parts = np.lib.stride_tricks.sliding_window_view(grounds, (height, width), axis=(1, 2))
    parts = parts.reshape(len(grounds), -1, height * width)
    flat = looks.reshape(*looks.shape[:2], -1)
    (means, spread), (sums, own_spread) = (_measure(values, n) for values in (parts, flat))
    both = flat @ parts.swapaxes(1, 2)
    both -= (sums * n)[:, :, None] * means[:, None]
    both *= spread[:, None]
    at = both.argmax(axis=2)
    return at, np.take_along_axis(both, at[..., None], axis=2)[..., 0] * own_spread


def _measure(values: Floats, n: np.float32) -> tuple[Floats, Floats]:
    """Return the mean of some cells, and one by the root of their summed squares about it, for the last axis."""
    mean = values.mean(axis=-1)
    squares = np.einsum("...k,...k->...", values, values) - n * mean**2
    return mean, 1 / np.sqrt(np.maximum(squares, n))


def _align(greys: npt.NDArray[np.uint8], found: Within, chosen: Indices) -> Floats:
    """Lay the inner picture of chosen pairs over the part of the outer: the correlation of outlines, (chosen,)."""

    def compare(rows: Indices) -> Floats:
        heights, widths = np.array(_SIZES)[found.size[rows]].T
        outer, inner = (greys[side[rows]].astype(np.float32) for side in (found.outer, found.inner))
        inner = np.where(found.is_mirrored[rows, None, None], inner[:, :, ::-1], inner)
        rims = np.array([_rim(*size) for size in _SIZES])[found.size[rows]]
        parts = [
            np.stack([_read_lines(*line) for line in zip((start - rims).tolist(), sides.tolist(), strict=True)])
            for start, sides in ((found.top[rows], heights), (found.left[rows], widths))
        ]
        wholes = [np.stack([_read_small(side) for side in sides.tolist()]) for sides in (heights, widths)]
        pair = [down @ cells @ right.swapaxes(1, 2) for cells, (down, right) in ((outer, parts), (inner, wholes))]
        return np.asarray(compare_aligned(pair[0], pair[1], _STEPS).outlines)

    return _in_blocks(compare, chosen)


@cache
def _read_lines(start: int, n: int) -> Floats:
    """Return the matrix that reads 24 lines of a signature from a cell on, ``n`` cells long: shape (24, 32)."""
    at = (start + n * (np.arange(_ALIGNED_SIDE) + 0.5) / _ALIGNED_SIDE) * (SIDE / _CELLS) - 0.5
    near = 1 - np.abs(at.clip(0, SIDE - 1)[:, None] - np.arange(SIDE))
    return np.asarray(near.clip(0), np.float32)


@cache
def _read_small(n: int) -> Floats:
    """Return the matrix that makes a signature ``2 n`` lines small, and reads 24 lines of that: shape (24, 32)."""
    edges = np.linspace(0, SIDE, 2 * n + 1)
    areas = np.minimum(edges[1:, None], np.arange(1, SIDE + 1)) - np.maximum(edges[:-1, None], np.arange(SIDE))
    at = (2 * n * (np.arange(_ALIGNED_SIDE) + 0.5) / _ALIGNED_SIDE - 0.5).clip(0, 2 * n - 1)
    near = (1 - np.abs(at[:, None] - np.arange(2 * n))).clip(0)
    return np.asarray(near @ (areas.clip(0) * (2 * n / SIDE)), np.float32)
