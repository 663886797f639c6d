"""What was done to an image, as its copies show: so that what is kept is upright, whole and unmarked.

One of two copies has a flaw only against the other: a border that the other lacks, words, another orientation. Of two
orientations that is upright which most copies have; of as many, the one in which the picture is more like the others of
the set, since most of those are upright.

>>> pair = {"sha256": "a", "other_sha256": "b", "verdict": ONE, "orientation": 0, "flaws": OTHER_MARKED}
>>> judged = Judged.from_table(pa.table({name: [value] for name, value in pair.items()}))
>>> rate_flaws(judged, pd.Series(["b", "a", "c"])).tolist() == [MARKED, 0, 0]
True
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from curator.catalog import BoolArray, IntArray, as_arrow
from curator.decide.judged import (
    ONE,
    OTHER_COMPOSED,
    OTHER_FADED,
    OTHER_MARKED,
    THIS_COMPOSED,
    THIS_FADED,
    THIS_MARKED,
    TWO,
    Judged,
)
from curator.decide.row_places import find_places
from curator.matching.components import label_components
from curator.matching.orientations import compose_orientations, invert_orientation

FADED, MARKED, COMPOSED, SIDEWAYS = 1, 2, 4, 8
"""Flaws, the least first, so that their sum ranks."""

FLAW_PHRASES = {
    SIDEWAYS: "is turned or mirrored against the others",
    COMPOSED: "has a border or other pictures around it",
    MARKED: "has something written on it",
    FADED: "has lost its colours, its lights or its detail",
}
_SHOWN = {
    COMPOSED: (THIS_COMPOSED, OTHER_COMPOSED),
    MARKED: (THIS_MARKED, OTHER_MARKED),
    FADED: (THIS_FADED, OTHER_FADED),
}
_NEARLY = 0.9
"""Of a content's copies those tell of its flaws that cover nearly as much of it as any: a crop ends anywhere."""
_MOST_OF_A_TILE = 0.55
"""Most share of a composed picture that one of several in it takes: half of it, roughly."""

Indices = npt.NDArray[np.intp]


def rate_flaws(judged: Judged, sha256s: pd.Series[Any]) -> IntArray:
    """Return the flaws of each row's content, added up: int64, shape (rows,).

    A content has a flaw if a third of the copies say so that cover about as much of it as any does. The border of a
    copy covers a caption of the content, and nothing of its picture: a composed copy tells only if there is no other,
    and a doubtful one, whatever hashes say of it, only if there is none at all. Of a content in which several pictures
    lie, the copies of each tell for themselves whether it is composed: the picture in a corner of another one covers
    little of it.

    Args:
        judged: what pixels say of pairs of contents; those that are two pictures say nothing.
        sha256s: shape (rows,).
    """
    names, i, j = judged.names, judged.i, judged.j
    n, near = len(names), np.flatnonzero(judged.verdict != TWO)
    seen = _Seen(
        end=np.concatenate([i[near], j[near]]),
        other=np.concatenate([j[near], i[near]]),
        covered=np.nan_to_num(judged.overlap[near], nan=1.0).T.ravel(),
        is_one=np.tile(judged.verdict[near] == ONE, 2),
        shown={flaw: np.concatenate([judged.flaws[near] & bit for bit in bits]) > 0 for flaw, bits in _SHOWN.items()},
    )
    may_be = np.zeros(n, bool)
    may_be[seen.end[seen.is_one & seen.shown[COMPOSED]]] = True
    whole = seen.is_one & ~may_be[seen.end] & ~may_be[seen.other]
    pictures = label_components(n, seen.end[whole], seen.other[whole])
    others = np.roll(seen.shown[COMPOSED], len(near))
    is_composed = seen.vote(COMPOSED, may_be[seen.other], pictures)
    total = COMPOSED * is_composed.astype(np.int64)
    for flaw in (MARKED, FADED):
        total += flaw * seen.vote(flaw, others | is_composed[seen.other], np.zeros(n, np.int64))
    same = np.flatnonzero(judged.verdict == ONE)
    same = same[~_is_tile(judged, same, is_composed)]
    total += SIDEWAYS * _find_sideways(i[same], j[same], judged.orientation[same], _liken(judged, i, j, n))
    return np.append(total, 0)[find_places(as_arrow(sha256s, pa.string()), names)]


@dataclass(frozen=True)
class _Seen:
    """Every pair that is one picture, or may be, seen from both ends: arrays of shape (2 * pairs,).

    Attributes:
        end, other: the contents.
        covered: the share of the end that lies in the other.
        is_one: they surely are one picture.
        shown: whether the end has a flaw, against the other.
    """

    end: IntArray
    other: IntArray
    covered: npt.NDArray[np.float32]
    is_one: BoolArray
    shown: dict[int, BoolArray]

    def vote(self, flaw: int, composed: BoolArray, pictures: IntArray) -> BoolArray:
        """Return which contents have a flaw, by the copies that tell best: bool, shape (contents,).

        Args:
            flaw: which.
            composed: of each pair, whether the other is.
            pictures: of each content a number; those of one number tell together.
        """
        n, trusted = len(pictures), np.where(self.is_one, 2 - composed, 0)
        best = np.zeros(n, np.int64)
        np.maximum.at(best, self.end, trusted)
        told = np.flatnonzero(trusted == best[self.end])
        covered = np.where(trusted[told] == 2, self.covered[told], 1)
        _, voters = np.unique(self.end[told] * n + pictures[self.other[told]], return_inverse=True)
        most = np.zeros(len(told))
        np.maximum.at(most, voters, covered)
        tells = covered >= _NEARLY * most[voters]
        n_tell, n_show = (
            np.bincount(voters[each], minlength=len(told)) for each in (tells, tells & self.shown[flaw][told])
        )
        found = np.zeros(n, bool)
        found[self.end[told[(3 * n_show >= n_tell)[voters]]]] = True
        return found


def _is_tile(judged: Judged, pairs: Indices, composed: BoolArray) -> BoolArray:
    """Return of which pairs one is but a part of the other, a composed one: a tile of a collage may be mirrored."""
    is_part = np.nan_to_num(judged.overlap[pairs], nan=1.0) <= _MOST_OF_A_TILE
    return np.asarray((is_part & composed[np.stack([judged.i[pairs], judged.j[pairs]], axis=1)]).any(axis=1))


def _liken(judged: Judged, i: IntArray, j: IntArray, n: int) -> npt.NDArray[np.float32]:
    """Return how alike each content is to its nearest stranger: float32, shape (n,); -1: not known."""
    strangers = np.flatnonzero((judged.verdict == TWO) & np.isfinite(judged.cosine))
    nearest = np.full(n, -1, np.float32)
    for end in (i, j):
        np.maximum.at(nearest, end[strangers], judged.cosine[strangers])
    return nearest


def _find_sideways(
    i: IntArray, j: IntArray, orientation: npt.NDArray[np.uint8], likeness: npt.NDArray[np.float32]
) -> BoolArray:
    """Find the contents that lie otherwise than the upright ones of their picture: bool, shape (contents,)."""
    n, sideways = len(likeness), np.zeros(len(likeness), bool)
    group = label_components(n, i.astype(np.intp), j.astype(np.intp))
    turned = np.isin(group[i], group[i[orientation > 0]])
    links: dict[int, list[tuple[int, int]]] = {}
    for one, other, turn in zip(i[turned].tolist(), j[turned].tolist(), orientation[turned].tolist(), strict=True):
        links.setdefault(other, []).append((one, turn))  # the one looks like the other, turned
        links.setdefault(one, []).append((other, invert_orientation(turn)))
    for first in np.unique(group[i[turned]]).tolist():
        lies = _follow(links, first)
        members: dict[int, list[int]] = {}
        for content, turn in lies.items():
            members.setdefault(turn, []).append(content)
        scores = {turn: (len(each), float(max(likeness[each]))) for turn, each in members.items()}
        best = max(scores.values())
        upright = [turn for turn, score in scores.items() if score == best]
        if len(upright) == 1:
            sideways[[content for turn, each in members.items() if turn != upright[0] for content in each]] = True
    return sideways


def _follow(links: dict[int, list[tuple[int, int]]], first: int) -> dict[int, int]:
    """Return in which orientation, against the first, each content of a picture lies."""
    lies, open_contents = {first: 0}, [first]
    while open_contents:
        content = open_contents.pop()
        for other, turn in links.get(content, ()):
            if other not in lies:
                lies[other] = compose_orientations(turn, lies[content])
                open_contents.append(other)
    return lies
