"""Match pictures with crops of other pictures: a border put on or a side cut off moves too many bits of a whole hash.

From its thumbnail each picture is cropped in five known ways, to nine tenths of each side: in the middle and towards
the four corners. Where the hash of such a crop is near another picture's hash, the crop's thumbnail is laid over the
other's. A picture with a border is found by its own crop, which is near the picture without.

>>> chance = np.random.default_rng(0)
>>> luma = np.kron(chance.integers(0, 256, (2, 9, 9)), np.ones((1, 4, 4))).astype(np.uint8)[:, 2:34, 2:34]
>>> thumbnails = unpack_signatures(np.stack([np.frombuffer(row, np.uint8) for row in pack_signatures(luma)]))
>>> hash_crops(thumbnails).shape
(2, 5)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from curator.matching.confirm import PictureEvidence, judge_signatures
from curator.matching.hamming import HashArray, find_indexed, index_hashes
from curator.matching.luma_signatures import SIDE
from curator.matching.luma_signatures import pack_signatures as pack_signatures
from curator.matching.luma_signatures import unpack_signatures as unpack_signatures
from curator.matching.picture_matches import (
    MOST_QUERIES,
    Indices,
    Matches,
    Owners,
    expand_pairs,
    gather_blocks,
    join_matches,
)

CROPS = ((0.05, 0.05), (0.025, 0.025), (0.025, 0.075), (0.075, 0.025), (0.075, 0.075))
"""How much is cut off at the top and at the left, in sides; of each side nine tenths stay."""
MOST_BITS = 8
"""Of 64: the largest distance between a crop's hash and another picture's that gets a closer look, whatever
``max_distance``: 93 of a hundred crops of 10% and all borders of 3% are within it of one of the five."""
SAME_CROP = ((0.80, 22),)
"""As ``SAME_ALIGNED`` for whole pictures, but stricter: a crop of a ball fits its twin in another colour, with
(0.92, 32), and copies of two such balls have had (0.89, 24)."""

LEAST_FIT = 0.84
"""As for whole pictures; the farthest crop within 8 of 64 bits had 0.87."""

_SHARE = 0.9
_LOOKS = len(CROPS) + 1
_BLOCK_PICTURES = 512
_GRID = 2.0**-20
# As for whole hashes: far above the noise of floating point, so that ties are ties on every machine.

Greys = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IsWanted = Callable[[Indices, Indices], BoolArray]
"""Tells of pairs of pictures which are worth a look: bool, shape (pairs,)."""


def match_crops(pictures: PictureEvidence, hashes: HashArray, radius: int, is_wanted: IsWanted) -> Matches:
    """Find the pairs of pictures of which one is a crop of the other, or has a border, both upright.

    Args:
        pictures: the evidence; a picture without thumbnail matches nothing.
        hashes: uint64, shape (pictures,): the hash of each as it is.
        radius: most differing bits between a crop's hash and a picture's; at most :data:`MOST_BITS` are used.
        is_wanted: asked before a pair is compared; pairs that are matched otherwise need no look.

    Returns:
        Matches with the distance between the crop's hash and the other's, and no turn.
    """
    rows = np.flatnonzero(pictures.thumbnails.is_valid().to_numpy(zero_copy_only=False))
    owners, crops = Owners(hashes[rows, None]), _hash_all(pictures, rows)
    per_search = max(1, MOST_QUERIES // max(1, len(rows)))
    index = index_hashes(owners.hashes, min(radius, MOST_BITS), len(rows) * min(per_search, len(CROPS)))

    def candidates() -> Iterator[Matches]:
        for first in range(0, len(CROPS), per_search):
            looks = Owners(crops[:, first : first + per_search])
            for found in find_indexed(index, looks.hashes):
                for look, j, distance in expand_pairs(found, looks, owners):
                    step, i = np.divmod(look, max(1, len(rows)))
                    chosen = (i != j) & is_wanted(rows[i], rows[j])
                    yield _matches(_name_looks(rows[i], first + step + 1), rows[j], distance).where(chosen)

    parts = [near.where(_confirm(pictures, near)) for near in gather_blocks(candidates())]
    matches = join_matches(parts)
    return _matches(matches.i // _LOOKS, matches.j, matches.distance)


def unlike(matches: Matches, n: int) -> IsWanted:
    """Want all pairs of ``n`` pictures but those that are matched already, in either order.

    >>> found = Matches(np.array([2]), np.array([0]), np.zeros(1, np.uint8), np.zeros(1, np.uint8))
    >>> unlike(found, 3)(np.array([0, 1]), np.array([2, 2]))
    array([False,  True])
    """
    known = np.unique(_name_pairs(matches.i, matches.j, n))

    def is_wanted(i: Indices, j: Indices) -> BoolArray:
        names = _name_pairs(i, j, n)
        place = np.searchsorted(known, names)
        wanted: BoolArray = np.append(known, -1)[place] != names
        return wanted

    return is_wanted


def hash_crops(thumbnails: Greys) -> HashArray:
    """Give the pHash of each of :data:`CROPS` of each thumbnail: uint64, shape (n, 5), from greys of (n, 32, 32)."""
    both = _READ_COSINES @ (thumbnails.astype(np.float64) @ _READ_COSINES.T)
    both = both.reshape(-1, len(_STARTS), 8, len(_STARTS), 8)
    places = [(_STARTS.index(top), _STARTS.index(left)) for top, left in CROPS]
    chosen = np.stack([both[:, down, :, right] for down, right in places], axis=1)
    coefficients = np.rint(chosen / _GRID).reshape(-1, 64)
    ordered = np.sort(coefficients, axis=1)  # a tenth of the time of np.partition, which has no vector instructions
    above = coefficients > (ordered[:, 31:32] + ordered[:, 32:33]) / 2
    hashes: HashArray = np.packbits(above, axis=1).view(">u8").astype(np.uint64).reshape(-1, len(CROPS))
    return hashes


def crop_signatures(thumbnails: Greys, crops: Indices) -> npt.NDArray[np.float32]:
    """Give of each thumbnail its own one of :data:`CROPS`, stretched to its size: float32, shape (n, 32, 32)."""
    down, right = (_CROP_LINES[:, side][crops] for side in (0, 1))
    return down @ thumbnails.astype(np.float32) @ right.swapaxes(1, 2)


def _read_lines(start: float) -> Floats:
    """Give the matrix that reads 32 lines from ``start`` on, linearly between two: shape (32, 32)."""
    at = (start + _SHARE * (np.arange(SIDE) + 0.5) / SIDE) * SIDE - 0.5
    weights: Floats = np.maximum(0, 1 - np.abs(at[:, None] - np.arange(SIDE)))
    return weights


_COSINES: Floats = 2 * np.cos(np.pi * np.arange(8)[:, None] * (2 * np.arange(SIDE) + 1) / (2 * SIDE))
_STARTS = sorted({start for crop in CROPS for start in crop})
_READ_COSINES: Floats = np.concatenate([_COSINES @ _read_lines(start) for start in _STARTS])
_CROP_LINES = np.array([[_read_lines(start) for start in crop] for crop in CROPS], np.float32)


def _hash_all(pictures: PictureEvidence, rows: Indices) -> HashArray:
    blocks = [rows[start : start + _BLOCK_PICTURES] for start in range(0, len(rows), _BLOCK_PICTURES)]
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        hashed = threads.map(lambda block: hash_crops(pictures.read_signatures(block)), blocks)
        return np.concatenate([np.empty((0, len(CROPS)), np.uint64), *hashed])


def _confirm(pictures: PictureEvidence, near: Matches) -> BoolArray:
    """Tell which matches of a look ``i`` and a whole picture ``j`` are one picture: bool, shape (matches,)."""

    def read(looks: Indices) -> npt.NDArray[np.float32]:
        picture, crop = np.divmod(looks, _LOOKS)
        thumbnails = pictures.read_signatures(picture)
        cropped = np.flatnonzero(crop)
        read = thumbnails.astype(np.float32)
        read[cropped] = crop_signatures(thumbnails[cropped], crop[cropped] - 1)
        return read

    return judge_signatures(near.i, _name_looks(near.j, 0), read, LEAST_FIT, SAME_CROP)


def _name_looks(pictures: Indices, looks: Indices | int) -> Indices:
    """Number the looks of pictures: 0 is the whole, the others are :data:`CROPS`."""
    return pictures * _LOOKS + looks


def _matches(i: Indices, j: Indices, distance: npt.NDArray[np.uint8]) -> Matches:
    return Matches(i, j, distance, np.zeros(len(i), np.uint8))


def _name_pairs(i: Indices, j: Indices, n: int) -> npt.NDArray[np.int64]:
    return np.minimum(i, j).astype(np.int64) * n + np.maximum(i, j)
