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
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from curator.decide.alignment import Likeness, compare_aligned
from curator.decide.columns import as_arrow, read_bytes
from curator.decide.thumbnails import THUMBNAIL_BYTES, turn_thumbnails, unpack_thumbnails
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

_BLOCK_PAIRS = 512

Indices = npt.NDArray[np.intp]
BoolArray = npt.NDArray[np.bool_]
ByteArray = npt.NDArray[np.uint8]


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
    likeness = compare_thumbnails(pictures, i[doubtful], j[doubtful], turn[doubtful])
    same[doubtful] = are_one_picture(likeness)
    return same


def are_one_picture(likeness: Likeness, rules: Sequence[tuple[float, int]] = SAME_ALIGNED) -> BoolArray:
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


def compare_thumbnails(pictures: PictureEvidence, i: Indices, j: Indices, turn: ByteArray) -> Likeness:
    """Compare matched thumbnails, ``j`` turned by ``turn``, after aligning them: shape (matches,).

    Every thumbnail named must be there.
    """

    def read(block: slice) -> tuple[ByteArray, ByteArray]:
        left, right = (read_thumbnails(pictures.thumbnails, rows[block]) for rows in (i, j))
        return left, turn_thumbnails(right, turn[block])

    return compare_blocks(len(i), read)


def compare_blocks(n: int, read: Callable[[slice], tuple[npt.NDArray[Any], npt.NDArray[Any]]]) -> Likeness:
    """Compare ``n`` pairs of pictures, read block by block, on all cores: some 60 MB however many pairs."""
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        parts = list(threads.map(lambda block: compare_aligned(*read(block)), _blocks(n)))
    return Likeness(
        np.concatenate([np.empty(0, np.float32), *(part.outlines for part in parts)]),
        np.concatenate([np.empty(0, np.int16), *(part.bits for part in parts)]),
    )


def read_thumbnails(thumbnails: pa.Array, rows: Indices) -> ByteArray:
    """Read some of a column's thumbnails, all of which must be there: greys, shape (rows, 32, 32)."""
    return unpack_thumbnails(read_bytes(thumbnails.take(pa.array(rows)), THUMBNAIL_BYTES))


def _blocks(n: int) -> Iterator[slice]:
    return (slice(start, start + _BLOCK_PAIRS) for start in range(0, n, _BLOCK_PAIRS))
