"""Tell which look-alikes are one picture: the second stage, after 64-bit hashes within a wide radius have named them.

A pair is the same picture where its 256-bit hashes are near. Where they are neither near nor far, its thumbnails are
laid over one another: a crop moves every bit of a hash a little, but an aligned crop has the same outlines and signs.

>>> chance = np.random.default_rng(0)
>>> luma = np.kron(chance.integers(0, 256, (2, 8, 8)), np.ones((1, 4, 4))).astype(np.uint8)
>>> thumbnails = pa.array(pack_thumbnails(luma)[:1] * 2 + pack_thumbnails(luma)[1:], pa.binary(THUMBNAIL_BYTES))
>>> far = np.zeros((3, 32), np.uint8)
>>> far[1:, :8] = 255
>>> pictures = PictureEvidence(far, thumbnails)
>>> zero, one, two = np.array([0, 0, 0, 1]), np.array([0, 1, 2, 2]), np.zeros(4, np.uint8)
>>> confirm(pictures, zero, one, two).tolist()
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

from curator.decide.alignment import Likeness, compare_aligned
from curator.decide.columns import as_arrow, read_bytes
from curator.decide.tangents import fit_tangents
from curator.decide.thumbnails import SIDE, THUMBNAIL_BYTES, turn_thumbnails, unpack_thumbnails
from curator.decide.thumbnails import pack_thumbnails as pack_thumbnails
from curator.decide.turns import TURNS, turn_hash256

SAME_BITS = 32
"""Of 256: at most so many differ in one picture saved anew; the nearest two strangers within 10 of 64 bits had 37."""
STRANGE_BITS = 124
"""Of 256: at least so many differ in strangers; the farthest crop of 10% within 10 of 64 bits had 117."""
SAME_ALIGNED = ((0.80, 26), (0.92, 255))
"""Of aligned thumbnails of one picture: least correlation of outlines, and at most so many of 255 signs that differ.

Either is enough; the nearest strangers have (0.82, 34) and (0.90, 30). Soft pictures have few signs to go by, so fully
alike outlines are enough for what two hashes already hold alike; see docs/decisions for the measurement.
"""

LEAST_FIT = 0.88
"""Of two whole pictures of one, the least part that small moves of either account for; the farthest copy within 10 of
64 bits had 0.92, and four in five strangers have less than 0.88."""
LEAST_SMALL_OUTLINES = 0.68
"""Of one picture, whole or cropped: least correlation of outlines at 16x16 cells; the farthest copy had 0.73."""

_BLOCK_PAIRS = 256

Indices = npt.NDArray[np.intp]
BoolArray = npt.NDArray[np.bool_]
ByteArray = npt.NDArray[np.uint8]
Numbers = npt.NDArray[Any]
ReadPairs = Callable[[Indices], tuple[Numbers, Numbers]]
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
        usable = (values.size if values else 0) // THUMBNAIL_BYTES * THUMBNAIL_BYTES
        packed = np.frombuffer(values or b"", np.uint8)[:usable].reshape(-1, THUMBNAIL_BYTES)
        return packed, starts // THUMBNAIL_BYTES

    def read_thumbnails(self, rows: Indices) -> ByteArray:
        """Read the thumbnails of some pictures, all of which must have one: greys, shape (rows, 32, 32)."""
        packed, places = self._packed
        return unpack_thumbnails(packed[places[rows]])

    def take(self, rows: Indices) -> PictureEvidence:
        """Give the evidence of these pictures only."""
        return PictureEvidence(self.hashes[rows], self.thumbnails.take(pa.array(rows)))


def confirm(pictures: PictureEvidence, i: Indices, j: Indices, turn: ByteArray) -> BoolArray:
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
    near, at, turned = i[doubtful], j[doubtful], turn[doubtful]

    def read(pairs: Indices) -> tuple[ByteArray, ByteArray]:
        left, right = (pictures.read_thumbnails(rows[pairs]) for rows in (near, at))
        return left, turn_thumbnails(right, turned[pairs])

    same[doubtful] = judge_thumbnails(len(doubtful), read, LEAST_FIT, SAME_ALIGNED)
    return same


def are_one_picture(likeness: Likeness, rules: Rules = SAME_ALIGNED) -> BoolArray:
    """Tell which pairs of aligned thumbnails are one picture by one of the rules: bool, shape (pairs,)."""
    verdicts = [(likeness.outlines >= outlines) & (likeness.bits <= bits) for outlines, bits in rules]
    same: BoolArray = np.logical_or.reduce(verdicts)
    return same


def count_bits256(hashes: ByteArray, i: Indices, j: Indices, turn: ByteArray) -> npt.NDArray[np.int16]:
    """Count the bits in which the 256-bit hashes of matches differ, ``j`` turned by ``turn``: shape (matches,)."""
    bits = np.zeros(len(i), np.int16)
    for code in range(len(TURNS)):
        chosen = np.flatnonzero(turn == code)
        pictures, place = np.unique(j[chosen], return_inverse=True)
        turned = turn_hash256(hashes[pictures], code) if code else hashes[pictures]
        bits[chosen] = np.bitwise_count(turned[place] ^ hashes[i[chosen]]).sum(axis=1, dtype=np.int16)
    return bits


def judge_thumbnails(n: int, read: ReadPairs, least_fit: float, rules: Rules) -> BoolArray:
    """Tell which pairs of thumbnails are one picture, on all cores, in some 100 MB however many pairs: shape (n,).

    Nearly all look-alikes that are strangers are ruled out without laying them over one another in full: first those
    that small moves do not bring near, then those with other outlines at half the size.

    Args:
        n: how many pairs.
        read: gives the left and the right thumbnails, numbers of shape (pairs, 32, 32), of pairs by their numbers.
        least_fit: of :func:`curator.decide.tangents.fit_tangents`.
        rules: as :data:`SAME_ALIGNED`.
    """
    open_pairs = np.arange(n)
    for may_be_one in (
        lambda one, other: fit_tangents(one, other) >= least_fit,
        lambda one, other: _compare_small(one, other) >= LEAST_SMALL_OUTLINES,
        lambda one, other: are_one_picture(compare_aligned(one, other), rules),
    ):
        open_pairs = open_pairs[_ask(open_pairs, read, may_be_one)]
    same = np.zeros(n, bool)
    same[open_pairs] = True
    return same


def _ask(pairs: Indices, read: ReadPairs, judge: Callable[[Numbers, Numbers], BoolArray]) -> BoolArray:
    blocks = [pairs[start : start + _BLOCK_PAIRS] for start in range(0, len(pairs), _BLOCK_PAIRS)]
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        answers = threads.map(lambda block: judge(*read(block)), blocks)
        return np.concatenate([np.empty(0, bool), *answers])


def _compare_small(left: Numbers, right: Numbers) -> npt.NDArray[np.float32]:
    halves = [pictures.reshape(-1, SIDE // 2, 2, SIDE // 2, 2).mean((2, 4), np.float32) for pictures in (left, right)]
    return compare_aligned(halves[0], halves[1], steps=2).outlines
