"""Tell which look-alikes are one picture: the second stage, after 64-bit hashes within a wide radius have named them.

A pair is the same picture where its 256-bit hashes are near. Where they are neither near nor far, its thumbnails are
laid over one another: a crop moves every bit of a hash a little, but an aligned crop has the same outlines and signs.

>>> chance = np.random.default_rng(0)
>>> luma = np.kron(chance.integers(0, 256, (2, 8, 8)), np.ones((1, 4, 4))).astype(np.uint8)
>>> thumbnails = pa.array(pack_signatures(luma)[:1] * 2 + pack_signatures(luma)[1:], pa.binary(SIGNATURE_BYTES))
>>> far = np.zeros((3, 32), np.uint8)
>>> far[1:, :8] = 255
>>> pictures = PictureEvidence(far, thumbnails)
>>> zero, one, two = np.array([0, 0, 0, 1]), np.array([0, 1, 2, 2]), np.zeros(4, np.uint8)
>>> confirm_matches(pictures, zero, one, two).tolist()
[True, True, False, True]
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from curator.catalog import as_arrow, read_bytes
from curator.matching.alignment import Likeness, compare_aligned
from curator.matching.luma_signatures import SIDE, SIGNATURE_BYTES, orient_signatures, unpack_signatures
from curator.matching.luma_signatures import pack_signatures as pack_signatures
from curator.matching.orientations import ORIENTATIONS, orient_hash256
from curator.matching.tangents import fit_tangents, span_tangents

SAME_BITS = 32
"""Of 256: at most so many differ in one picture saved anew; the nearest two strangers within 10 of 64 bits had 37."""
STRANGE_BITS = 124
"""Of 256: at least so many differ in strangers; the farthest crop of 10% within 10 of 64 bits had 117."""
SAME_ALIGNED = ((0.80, 26), (0.92, 255))
"""Of aligned thumbnails of one picture: least correlation of outlines, and at most so many of 255 signs that differ.

Either is enough; the nearest strangers have (0.82, 34) and (0.90, 30). Soft pictures have few signs to go by, so fully
alike outlines are enough for what two hashes already hold alike; see docs/decisions for the measurement.
"""

SAME_GREYS = 0.2
"""Mean difference, in sixteen greys, of the thumbnails of one picture saved anew, however soft; the nearest strangers
within 12 bits had 0.29."""

LEAST_FIT = 0.88
"""Of two whole pictures of one, the least part that small moves of either account for; the farthest copy within 10 of
64 bits had 0.92, and four in five strangers have less than 0.88."""
LEAST_SMALL_OUTLINES = 0.68
"""Of one picture, whole or cropped: least correlation of outlines at 16x16 cells; the farthest copy had 0.73."""

_BLOCK = 256

Indices = npt.NDArray[np.intp]
BoolArray = npt.NDArray[np.bool_]
ByteArray = npt.NDArray[np.uint8]
Numbers = npt.NDArray[Any]
ReadLooks = Callable[[Indices], Numbers]
Rules = Sequence[tuple[float, int]]


@dataclass(frozen=True)
class PictureEvidence:
    """What confirms a match: 256-bit hashes, uint8 of shape (n, 32), and packed thumbnails, n values or nulls."""

    hashes: ByteArray
    thumbnails: pa.Array

    @classmethod
    def read(cls, table: pd.DataFrame) -> PictureEvidence:
        """Read a catalog's ``phash256`` and ``thumbnail``."""
        thumbnails = as_arrow(table["thumbnail"], pa.large_binary())
        return cls(read_bytes(table["phash256"], 32), thumbnails)

    @cached_property
    def _packed(self) -> tuple[ByteArray, Indices]:
        """All thumbnails' bytes, shape (there, 512), and which of them each picture has: without copying a column."""
        column = self.thumbnails.cast(pa.large_binary())
        _, offsets, values = column.buffers()
        starts = np.frombuffer(offsets or b"", np.int64)[column.offset : column.offset + len(column)]
        usable = (values.size if values else 0) // SIGNATURE_BYTES * SIGNATURE_BYTES
        packed = np.frombuffer(values or b"", np.uint8)[:usable].reshape(-1, SIGNATURE_BYTES)
        return packed, starts // SIGNATURE_BYTES

    def read_signatures(self, rows: Indices) -> ByteArray:
        """Read the thumbnails of some pictures, all of which must have one: greys, shape (rows, 32, 32)."""
        packed, places = self._packed
        return unpack_signatures(packed[places[rows]])

    def take(self, rows: Indices) -> PictureEvidence:
        """Give the evidence of these pictures only."""
        return PictureEvidence(self.hashes[rows], self.thumbnails.take(pa.array(rows)))


def confirm_matches(pictures: PictureEvidence, i: Indices, j: Indices, turn: ByteArray) -> BoolArray:
    """Tell which matches are one picture: bool, shape (matches,).

    Args:
        pictures: the evidence.
        i, j, turn: shape (matches,): picture ``i`` looks like picture ``j`` turned by ``turn``.

    Two pictures of which one has no thumbnail are the same by their 256-bit hashes only.
    """
    bits = count_bits256(pictures.hashes, i, j, turn)
    same: BoolArray = bits <= SAME_BITS
    known = pictures.thumbnails.is_valid().to_numpy(zero_copy_only=False)
    doubtful = np.flatnonzero(~same & (bits < STRANGE_BITS) & known[i] & known[j])
    left, right = i * len(ORIENTATIONS), j * len(ORIENTATIONS) + turn  # a look is a picture in one turn

    def read(looks: Indices) -> ByteArray:
        rows, turns = np.divmod(looks, len(ORIENTATIONS))
        return orient_signatures(pictures.read_signatures(rows), turns.astype(np.uint8))

    same[doubtful] = judge_signatures(left[doubtful], right[doubtful], read, LEAST_FIT, SAME_ALIGNED)
    return same


def are_one_picture(likeness: Likeness, rules: Rules = SAME_ALIGNED) -> BoolArray:
    """Tell which pairs of aligned thumbnails are one picture by one of the rules: bool, shape (pairs,)."""
    verdicts = [(likeness.outlines >= outlines) & (likeness.bits <= bits) for outlines, bits in rules]
    same: BoolArray = np.logical_or.reduce(verdicts)
    return same


def count_bits256(hashes: ByteArray, i: Indices, j: Indices, turn: ByteArray) -> npt.NDArray[np.int16]:
    """Count the bits in which the 256-bit hashes of matches differ, ``j`` turned by ``turn``: shape (matches,)."""
    bits = np.zeros(len(i), np.int16)
    for code in range(len(ORIENTATIONS)):
        chosen = np.flatnonzero(turn == code)
        pictures, place = np.unique(j[chosen], return_inverse=True)
        turned = orient_hash256(hashes[pictures], code) if code else hashes[pictures]
        bits[chosen] = np.bitwise_count(turned[place] ^ hashes[i[chosen]]).sum(axis=1, dtype=np.int16)
    return bits


def judge_signatures(left: Indices, right: Indices, read: ReadLooks, least_fit: float, rules: Rules) -> BoolArray:
    """Tell which pairs of thumbnails are one picture, on all cores: bool, shape (pairs,).

    Nearly all look-alikes that are strangers are ruled out without laying them over one another in full: first those
    that small moves do not bring near, then those with other outlines at half the size. What small moves make of a look
    is worked out once, however many pairs it stands in: 1,280 bytes for each distinct look.

    Args:
        left, right: shape (pairs,): the numbers of the two looks, a look being a picture in some turn or crop.
        read: gives the thumbnails of looks by their numbers: shape (looks, 32, 32).
        least_fit: of :func:`curator.matching.tangents.fit_tangents`.
        rules: as :data:`SAME_ALIGNED`.
    """
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        open_pairs = np.flatnonzero(_fit(left, right, read, threads) >= least_fit)
        for may_be_one in (
            lambda one, other: _compare_small(one, other) >= LEAST_SMALL_OUTLINES,
            lambda one, other: are_one_picture(compare_aligned(one, other), rules) | _are_equal(one, other),
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
    """Tell how well each pair fits by small moves alone: float32, shape (pairs,)."""
    looks, places = np.unique(np.concatenate([left, right]), return_inverse=True)
    spans = threads.map(lambda block: span_tangents(read(block)), _cut(looks))
    planes = np.concatenate([span_tangents(read(looks[:0])), *spans])
    i, j = places[: len(left)], places[len(left) :]
    fits = threads.map(lambda block: fit_tangents(planes[i[block]], planes[j[block]]), _cut(np.arange(len(i))))
    return np.concatenate([np.empty(0, np.float32), *fits])


def _are_equal(left: Numbers, right: Numbers) -> BoolArray:
    differences = np.abs(left.astype(np.float32) - right).mean((1, 2))
    equal: BoolArray = differences <= SAME_GREYS
    return equal


def _compare_small(left: Numbers, right: Numbers) -> npt.NDArray[np.float32]:
    halves = [pictures.reshape(-1, SIDE // 2, 2, SIDE // 2, 2).mean((2, 4), np.float32) for pictures in (left, right)]
    return compare_aligned(halves[0], halves[1], steps=2).outlines
