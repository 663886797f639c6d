"""Confirm which look-alikes are one picture: the second stage, after 64-bit hashes within a wide radius named them.

A pair is the same picture if its 256-bit hashes are near. If they are neither near nor far, its luma signatures are
laid over one another: a crop moves every bit of a hash a little, but an aligned crop has the same outlines and signs.

>>> from curator.matching.luma_signatures import pack_signatures
>>> chance = np.random.default_rng(0)
>>> luma = np.kron(chance.integers(0, 256, (2, 8, 8)), np.ones((1, 4, 4))).astype(np.uint8)
>>> one, other = pack_signatures(luma)
>>> pictures = Pictures.unpack([bytes(64)] * 3, [bytes(32), bytes([255] * 8 + [0] * 24), bytes(32)], [one, one, other])
>>> zero = np.zeros(3, np.uint8)
>>> confirm_matches(pictures, Matches(np.array([0, 0, 1]), np.array([0, 1, 2]), zero, zero)).tolist()
[True, True, False]
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from curator.matching.alignment import Likeness, compare_aligned
from curator.matching.luma_signatures import SIDE, orient_signatures
from curator.matching.orientations import ORIENTATIONS, orient_hash256
from curator.matching.perceptual_hash import HashBytes
from curator.matching.picture_matches import Matches
from curator.matching.pictures import BoolArray, Indices, Pictures
from curator.matching.tangents import fit_tangents, span_tangents
from curator.matching.threads import one_thread_a_core

SAME_BITS = 32
"""Of 256: at most so many differ in one picture saved anew; the nearest two strangers within 10 of 64 bits had 37."""
STRANGE_BITS = 124
"""Of 256: at least so many differ in strangers; the farthest crop of 10% within 10 of 64 bits had 117."""
SAME_ALIGNED = ((0.80, 26), (0.92, 255))
"""Of aligned signatures of one picture: least correlation of outlines, and at most so many of 255 signs that differ.

Either is enough; the nearest strangers have (0.82, 34) and (0.90, 30). Soft pictures have few signs to go by, so fully
alike outlines are enough for what two hashes already hold alike; see docs/decisions for the measurement.
"""

SAME_GREYS = 0.2
"""Mean difference, in sixteen greys, of the signatures of one picture saved anew, however soft; the nearest strangers
within 12 bits had 0.29."""

LEAST_FIT = 0.88
"""Of two whole pictures of one, the least part that small moves of either account for; the farthest copy within 10 of
64 bits had 0.92, and four in five strangers have less than 0.88."""
LEAST_SMALL_OUTLINES = 0.68
"""Of one picture, whole or cropped: least correlation of outlines at 16x16 cells; the farthest copy had 0.73."""

_BLOCK = 256
_BLOCK_MATCHES = 1 << 16

Numbers = npt.NDArray[Any]
ReadLooks = Callable[[Indices], Numbers]
Rules = Sequence[tuple[float, int]]


def confirm_matches(pictures: Pictures, matches: Matches) -> BoolArray:
    """Confirm which matches are one picture: bool, shape (matches,).

    Two pictures of which one has no luma signature are the same by their 256-bit hashes only.
    """
    i, j, known = matches.i, matches.j, pictures.has_signature
    bits = count_bits256(pictures.hashes256, matches)
    same: BoolArray = bits <= SAME_BITS
    doubtful = np.flatnonzero(~same & (bits < STRANGE_BITS) & known[i] & known[j])
    n_looks = len(ORIENTATIONS)  # a look is a picture in one orientation

    def read(looks: Indices) -> HashBytes:
        rows, orientations = np.divmod(looks, n_looks)
        return orient_signatures(pictures.read_signatures(rows), orientations.astype(np.uint8))

    left, right = (side[doubtful].astype(np.int64) * n_looks for side in (i, j))
    right += matches.orientation[doubtful]
    same[doubtful] = judge_signatures(left, right, read, LEAST_FIT, SAME_ALIGNED)
    return same


def are_one_picture(likeness: Likeness, rules: Rules = SAME_ALIGNED) -> BoolArray:
    """Return which pairs of aligned signatures are one picture by one of the rules: bool, shape (pairs,)."""
    verdicts = [(likeness.outlines >= outlines) & (likeness.bits <= bits) for outlines, bits in rules]
    return np.asarray(np.logical_or.reduce(verdicts))


def count_bits256(hashes: HashBytes, matches: Matches) -> npt.NDArray[np.int16]:
    """Count the bits in which the 256-bit hashes of matches differ, in the orientation that matched: (matches,)."""
    bits = np.zeros(len(matches.i), np.int16)
    for orientation in range(len(ORIENTATIONS)):
        chosen = np.flatnonzero(matches.orientation == orientation)
        for start in range(0, len(chosen), _BLOCK_MATCHES):
            block = chosen[start : start + _BLOCK_MATCHES]
            pictures, place = np.unique(matches.j[block], return_inverse=True)
            differing = orient_hash256(hashes[pictures], orientation)[place] ^ hashes[matches.i[block]]
            bits[block] = np.bitwise_count(differing).sum(axis=1, dtype=np.int16)
    return bits


def judge_signatures(left: Indices, right: Indices, read: ReadLooks, least_fit: float, rules: Rules) -> BoolArray:
    """Return which pairs of luma signatures are one picture, on all cores: bool, shape (pairs,).

    Nearly all look-alikes that are strangers are ruled out without laying them over one another in full: first those
    that small moves do not bring near, then those with other outlines at half the size. What small moves make of a look
    is worked out once, however many pairs it is in: 1,280 bytes for each distinct look.

    Args:
        left, right: shape (pairs,): the numbers of the two looks, a look being a picture in some orientation or crop.
        read: returns the signatures of looks by their numbers: shape (looks, 32, 32).
        least_fit: of :func:`curator.matching.tangents.fit_tangents`.
        rules: as :data:`SAME_ALIGNED`.
    """
    with one_thread_a_core() as threads:
        open_pairs = np.flatnonzero(_fit(left, right, read, threads) >= least_fit)
        for may_be_one in (
            lambda one, other: _compare_small(one, other) >= LEAST_SMALL_OUTLINES,
            lambda one, other: (
                are_one_picture(compare_aligned(one, other), rules)
                | (np.abs(one.astype(np.float32) - other).mean((1, 2)) <= SAME_GREYS)
            ),
        ):
            answers = threads.map(
                lambda block, judge=may_be_one: judge(read(left[block]), read(right[block])), _cut(open_pairs)
            )
            open_pairs = open_pairs[np.concatenate([np.empty(0, bool), *answers])]
    same = np.zeros(len(left), bool)
    same[open_pairs] = True
    return same


def _cut(numbers: Indices) -> list[Indices]:
    return [numbers[start : start + _BLOCK] for start in range(0, len(numbers), _BLOCK)]


def _fit(left: Indices, right: Indices, read: ReadLooks, threads: ThreadPoolExecutor) -> npt.NDArray[np.float32]:
    """Measure how well each pair fits by small moves alone: float32, shape (pairs,)."""
    looks, places = np.unique(np.concatenate([left, right]), return_inverse=True)
    spans = threads.map(lambda block: span_tangents(read(block)), _cut(looks))
    planes = np.concatenate([span_tangents(read(looks[:0])), *spans])
    i, j = places[: len(left)], places[len(left) :]
    fits = threads.map(lambda block: fit_tangents(planes[i[block]], planes[j[block]]), _cut(np.arange(len(i))))
    return np.concatenate([np.empty(0, np.float32), *fits])


def _compare_small(left: Numbers, right: Numbers) -> npt.NDArray[np.float32]:
    halves = [pictures.reshape(-1, SIDE // 2, 2, SIDE // 2, 2).mean((2, 4), np.float32) for pictures in (left, right)]
    return compare_aligned(halves[0], halves[1], steps=2).outlines
