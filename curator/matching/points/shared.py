"""Find pairs of pictures that share points: two corners, at least, that say the same of how one lies on the other.

>>> from curator.matching.points.glimpse import take_glimpse
>>> chance = np.random.default_rng(0)
>>> coarse = chance.integers(0, 256, (2, 24, 32), dtype=np.uint8)
>>> one, other = (cv2.resize(each, (384, 288), interpolation=cv2.INTER_CUBIC) for each in coarse)
>>> rows = np.zeros(4, GLIMPSE_FIELDS)
>>> for number, luma in enumerate([one, other, one[100:250, 20:220], one[:, ::-1]]):
...     for name, value in take_glimpse(np.ascontiguousarray(luma)).items():
...         rows[name][number] = value
>>> shared = find_shared(rows)
>>> sure = shared.where(shared.votes >= 8)
>>> sure.i.tolist(), sure.j.tolist(), sure.is_mirrored.tolist()
([0, 0, 2], [2, 3, 3], [False, True, True])
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import cv2 as cv2
import numpy as np
import numpy.typing as npt

from curator.matching.points.glimpse import GLIMPSE_FIELDS as GLIMPSE_FIELDS
from curator.matching.points.glimpse import N_POINTS, N_WORDS, PACE
from curator.matching.points.meetings import Meetings, find_meetings

LEAST_VOTES = 2
"""Fewest points that say the same."""
_MOST_POINTS = 48
"""Most points of a pair that are asked: some on each level, if there are more."""
_LOOSE, MOST_SCALE, LEAST_TURN = 14.0, 0.5, 0.92
"""Most difference of what two points say: pixels of that picture which shows less of them, and natural logarithms of
the scale; and least cosine of the turn."""
_APART = 6.0
"""Least distance of two points, in pixels of both pictures: nearer ones are one corner on two levels, and one vote."""
_FAR = 20.0
"""Root of the summed squares, in pixels, from which on where points are says more exactly how one picture is turned."""
_AT_ONCE = 1 << 20
"""Pairs of points of a pair of pictures that are compared together."""

_PICTURES = 1024
"""Pictures whose points are read together."""

Integers = npt.NDArray[np.int64]
Pair = tuple[Integers, Integers]
Floats = npt.NDArray[np.float32]
Complexes = npt.NDArray[np.complex64]
Rows = npt.NDArray[Any]


@dataclass(frozen=True)
class Shared:
    """Pairs of pictures i < j that share points, in order; arrays of shape (pairs,).

    Attributes:
        i, j: numbers of pictures.
        is_mirrored: one is as the other is in the mirror; a pair may be there both ways.
        votes: how many corners say the same of how the other lies on the one.
        factor, shift: what they say: the one's place is factor * other's place + shift, in pixels of the pictures
            that points were searched in, as complex numbers; the other's place in the mirror if ``is_mirrored``.
    """

    i: Integers
    j: Integers
    is_mirrored: npt.NDArray[np.bool_]
    votes: Integers
    factor: Complexes
    shift: Complexes

    def where(self, chosen: npt.NDArray[np.bool_]) -> Shared:
        """Return the chosen pairs."""
        return Shared(*(getattr(self, field.name)[chosen] for field in fields(self)))


_NONE = tuple(np.empty(0, kind) for kind in (np.int64, np.int64, np.bool_, np.int64, np.complex64, np.complex64))


def find_shared(rows: Rows, chosen: Integers | None = None) -> Shared:
    """Find the pairs of pictures that share points.

    Args:
        rows: of :data:`curator.matching.points.glimpse.GLIMPSE_FIELDS`; they may be mapped.
        chosen: int64, shape (pictures,): the row of each picture, in an order that does not change from run to run;
            None: all, as they are.
    """
    chosen = np.arange(len(rows)) if chosen is None else chosen
    n_points = rows["n_points"][chosen].astype(np.int64)
    starts = np.concatenate([[0], np.cumsum(n_points)])
    words, mirrored = (_join(rows[name], chosen, n_points) for name in ("words", "mirrored"))
    found = [_agree(rows, chosen, starts, meetings) for meetings in find_meetings(starts, words, mirrored)]
    i, j, is_mirrored, *said = (
        np.concatenate([kind, *(getattr(part, field.name) for part in found)])
        for field, kind in zip(fields(Shared), _NONE, strict=True)
    )
    order = np.lexsort((is_mirrored, j, i))
    return Shared(*(values[order] for values in (i, j, is_mirrored, *said)))


def _agree(rows: Rows, chosen: Integers, starts: Integers, meetings: Meetings) -> Shared:
    """Return the pairs of pictures of which several meetings say the same, those of the same pictures in order."""
    ends = tuple(np.searchsorted(starts, points, side="right") - 1 for points in (meetings.x, meetings.y))
    name = ends[0] * max(1, len(chosen)) + ends[1]
    order = np.argsort(name, kind="stable")
    first = np.flatnonzero(np.diff(name[order], prepend=-1) != 0)
    counts = np.diff(np.append(first, len(order)))
    several = counts >= LEAST_VOTES
    first, found, counts = first[several], counts[several], np.minimum(counts[several], _MOST_POINTS)
    asked = order[np.repeat(first, counts) + _count_up(counts) * np.repeat(found, counts) // np.repeat(counts, counts)]
    of, met = tuple(end[asked] for end in ends), (meetings.x[asked], meetings.y[asked])
    at = tuple(point - starts[picture] for point, picture in zip(met, of, strict=True))
    says = _say(rows, (chosen[of[0]], chosen[of[1]]), at, meetings.is_mirrored)
    votes, factor, shift = _vote(says, counts)
    kept = votes >= LEAST_VOTES
    pair = (np.cumsum(counts) - counts)[kept]
    is_mirrored = np.full(len(pair), meetings.is_mirrored)
    return Shared(of[0][pair], of[1][pair], is_mirrored, votes[kept], factor[kept], shift[kept])


def _join(described: npt.NDArray[np.uint64], chosen: Integers, n_points: Integers) -> npt.NDArray[np.uint64]:
    """Return the words of all points, one picture's after the other: uint64, shape (points, 2)."""
    joined = np.empty((int(n_points.sum()), N_WORDS), np.uint64)
    end = 0
    for start in range(0, len(chosen), _PICTURES):
        block, n = described[chosen[start : start + _PICTURES]], n_points[start : start + _PICTURES]
        own = block[np.arange(N_POINTS) < n[:, None]]
        joined[end : end + len(own)] = own
        end += len(own)
    return joined


def _count_up(counts: Integers) -> Integers:
    """Count from 0 for each: [2, 3] becomes [0, 1, 0, 1, 2]."""
    return np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)


def place_points(row: Any, in_mirror: bool = False) -> tuple[Complexes, Floats, Complexes]:
    """Return where the points of a picture are, in pixels, the logarithms of their scales, and their directions.

    Args:
        row: of :data:`curator.matching.points.glimpse.GLIMPSE_FIELDS`.
        in_mirror: as it is in the mirror.

    Returns:
        complex64, float32, and complex64 of length 1, each of shape (points,).
    """
    n = int(row["n_points"])
    x, y = (row["places"][:n].astype(np.float32) / 65_535 * row["size"]).T
    turn = np.exp(row["angles"][:n].astype(np.float32) * np.float32(2 * np.pi / 256) * 1j)
    places = (x + 1j * y).astype(np.complex64)
    if in_mirror:
        places, turn = np.float32(row["size"][0]) - places.conj(), -turn.conj()
    return places.astype(np.complex64), row["levels"][:n] * np.float32(np.log(PACE)), turn.astype(np.complex64)


@dataclass(frozen=True)
class _Says:
    """Where the two points of meetings are; by how much the one is larger, in logarithms; and that with the turn."""

    a: Complexes
    b: Complexes
    scale: Floats
    factor: Complexes


def _say(rows: Rows, of: Pair, at: Pair, is_mirrored: bool) -> _Says:
    """Return what pairs of points say: the ``at``-th of the pictures with the rows ``of``."""
    places, levels, angles = [], [], []
    for row, point in zip(of, at, strict=True):
        x, y = (rows["places"][row, point].astype(np.float32) / 65_535 * rows["size"][row]).T
        places.append((x + 1j * y).astype(np.complex64))
        levels.append(rows["levels"][row, point].astype(np.float32))
        angles.append(rows["angles"][row, point].astype(np.float32) * np.float32(2 * np.pi / 256))
    width = rows["size"][of[1], 0].astype(np.float32)
    b = (width - places[1].conj()).astype(np.complex64) if is_mirrored else places[1]
    turn = angles[0] - (np.float32(np.pi) - angles[1] if is_mirrored else angles[1])
    scale = (levels[0] - levels[1]) * np.float32(np.log(PACE))
    return _Says(places[0], b, scale, np.exp(scale + 1j * turn).astype(np.complex64))


def _vote(says: _Says, counts: Integers) -> tuple[Integers, Complexes, Complexes]:
    """Return how many points agree with the one that most agree with, of each pair of pictures; and what these say."""
    votes = np.zeros(len(counts), np.int64)
    factors, shifts = (np.zeros(len(counts), np.complex64) for _ in range(2))
    starts = np.cumsum(counts) - counts
    for pairs in _cut(counts):
        place = starts[pairs, None] + np.arange(counts[pairs[0]])
        a, b, scale, factor = says.a[place], says.b[place], says.scale[place], says.factor[place]
        miss = factor[:, :, None] * (b[:, None] - b[:, :, None]) - (a[:, None] - a[:, :, None])
        agrees = np.abs(miss) <= _LOOSE * np.maximum(1, np.abs(factor))[:, :, None]
        agrees &= np.abs(scale[:, :, None] - scale[:, None]) <= MOST_SCALE
        turn = factor / np.abs(factor)
        agrees &= (turn[:, :, None] * turn[:, None].conj()).real >= LEAST_TURN
        near = np.minimum(*(np.abs(points[:, :, None] - points[:, None]) for points in (a, b))) <= _APART
        is_first = ~np.tril(near, -1).any(axis=2)
        agrees &= ~near & is_first[:, None]
        top, at = agrees.sum(axis=2).argmax(axis=1), np.arange(len(pairs))
        chosen = agrees[at, top]
        chosen[at, top] = True
        votes[pairs] = chosen.sum(axis=1)
        factors[pairs], shifts[pairs] = _fit(a, b, chosen, factor[at, top])
    return votes, factors, shifts


def _fit(a: Complexes, b: Complexes, chosen: npt.NDArray[np.bool_], factor: Complexes) -> tuple[Complexes, Complexes]:
    """Return factor and shift by which the chosen points of each row fit best; the factor only of those far apart.

    Either picture may be the one: that of the other way round is the inverse.

    Args:
        a, b: where the points are, shape (rows, points).
        chosen: those that agree.
        factor: what the point says with which they agree; it stays where the fit would contradict it.
    """
    n = chosen.sum(axis=1)
    middles = [(points * chosen).sum(axis=1) / n for points in (a, b)]
    one, other = ((points - middle[:, None]) * chosen for points, middle in zip((a, b), middles, strict=True))
    far, other_far = (np.sqrt((np.abs(each) ** 2).sum(axis=1)) for each in (one, other))
    is_far = np.minimum(far, other_far) >= _FAR
    product = np.where(is_far, (one * other.conj()).sum(axis=1), 1)
    turn = product / np.maximum(np.abs(product), _FAR)
    fitted = turn * np.where(is_far, far, 1) / np.where(is_far, other_far, 1)
    change = fitted / factor
    size = np.abs(change)
    fits = is_far & (change.real >= LEAST_TURN * size) & (size >= np.exp(-MOST_SCALE)) & (size <= np.exp(MOST_SCALE))
    factor = np.where(fits, fitted, factor).astype(np.complex64)
    return factor, (middles[0] - factor * middles[1]).astype(np.complex64)


def _cut(counts: Integers) -> Iterator[Integers]:
    """Cut pairs of pictures into blocks of as many points each."""
    order = np.argsort(counts, kind="stable")
    first = np.flatnonzero(np.diff(counts[order], prepend=-1))
    for alike in np.split(order, first[1:]) if len(order) else ():
        at_once = max(1, _AT_ONCE // int(counts[alike[0]]) ** 2)
        yield from (alike[start : start + at_once] for start in range(0, len(alike), at_once))
