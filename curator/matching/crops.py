"""Match pictures with crops of other pictures: a border put on or a side cut off moves too many bits of a whole hash.

Each picture's luma signature is cropped in five known ways, to nine tenths of each side: in the middle and towards the
four corners. If the hash of such a crop is near another picture's hash, the crop's signature is laid over the other's.
A picture with a border is found by its own crop, which is near the picture without.

>>> chance = np.random.default_rng(0)
>>> hash_crops(chance.integers(0, 16, (2, 32, 32), np.uint8)).shape
(2, 5)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from curator.matching.confirm import judge_signatures
from curator.matching.hamming import Search, look_up_in
from curator.matching.luma_signatures import SIDE
from curator.matching.perceptual_hash import HashBytes, Hashes64
from curator.matching.picture_matches import Matches, Owners, cut_columns, expand_pairs, gather_blocks, join_matches
from curator.matching.pictures import BoolArray, Indices, Pictures
from curator.matching.threads import one_thread_a_core

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

_LOOKS = len(CROPS) + 1  # of each picture: 0 is the whole, the others are its crops
_BLOCK_PICTURES = 128  # what is worked out of so many stays in a core's cache
_GRID = 2.0**-20
# As for whole hashes: far above the noise of floating point, so that ties are ties on every machine.

Floats = npt.NDArray[np.float64]
IsWanted = Callable[[Indices, Indices], BoolArray]
"""Returns which pairs of pictures are worth a look: bool, shape (pairs,)."""


def match_crops(pictures: Pictures, radius: int, is_wanted: IsWanted, search: Search | None = None) -> Matches:
    """Find the pairs of pictures of which one is a crop of the other, or has a border, both upright.

    Args:
        pictures: one without luma signature matches nothing.
        radius: most differing bits between a crop's hash and a picture's; at most :data:`MOST_BITS` are used.
        is_wanted: called before a pair is compared; pairs that are matched otherwise need no look.
        search: see :func:`curator.matching.picture_matches.match_pictures`.

    Returns:
        Matches with the distance between the crop's hash and the other's, in no orientation but upright.
    """
    looks = gather_blocks(_find_looks(pictures, radius, is_wanted, search))
    return _name_pictures(join_matches([block.where(_are_copies(pictures, block)) for block in looks]))


def find_near_crops(
    pictures: Pictures, radius: int, is_wanted: IsWanted, search: Search | None = None
) -> Iterator[Matches]:
    """Find the pairs that :func:`match_crops` compares, in small blocks: a pair may occur several times."""
    return map(_name_pictures, _find_looks(pictures, radius, is_wanted, search))


def _find_looks(pictures: Pictures, radius: int, is_wanted: IsWanted, search: Search | None) -> Iterator[Matches]:
    """Find matches of a look ``i``, which is a picture in one of :data:`CROPS`, with a picture ``j``."""
    rows = np.flatnonzero(pictures.has_signature)
    owners, crops = Owners(pictures.hashes[rows, :1]), _hash_all(pictures, rows)
    columns = cut_columns(len(rows), len(CROPS))
    find = look_up_in(owners.hashes, min(radius, MOST_BITS), len(rows) * columns[0][1], search)
    for first, n_columns in columns:
        looks = Owners(crops[:, first : first + n_columns])
        for found in find(looks.hashes):
            for look, j, distance in expand_pairs(found, looks, owners):
                step, i = np.divmod(look, max(1, len(rows)))
                chosen = (i != j) & is_wanted(rows[i], rows[j])
                names = rows[i] * _LOOKS + first + step + 1
                yield Matches.upright(names[chosen], rows[j[chosen]], distance[chosen])


def _name_pictures(looks: Matches) -> Matches:
    return Matches.upright(looks.i // _LOOKS, looks.j, looks.distance)


def hash_crops(greys: HashBytes) -> Hashes64:
    """Compute the pHash of each of :data:`CROPS` of each signature: uint64, shape (n, 5), from greys of (n, 32, 32)."""
    both = _READ_COSINES @ (greys.astype(np.float64) @ _READ_COSINES.T)
    both = both.reshape(-1, len(_STARTS), 8, len(_STARTS), 8)
    places = [(_STARTS.index(top), _STARTS.index(left)) for top, left in CROPS]
    chosen = np.stack([both[:, down, :, right] for down, right in places], axis=1)
    return sign_coefficients(chosen.reshape(-1, 64)).reshape(-1, len(CROPS))


def sign_coefficients(values: Floats) -> Hashes64:
    """Say which of 64 coefficients are above their median: float64 (n, 64) to uint64 (n,)."""
    coefficients = np.rint(values / _GRID)
    ordered = np.sort(coefficients, axis=1)  # a tenth of the time of np.partition, which has no vector instructions
    above = coefficients > (ordered[:, 31:32] + ordered[:, 32:33]) / 2
    return np.packbits(above, axis=1).view(">u8").astype(np.uint64).ravel()


def crop_signatures(greys: HashBytes, crops: Indices) -> npt.NDArray[np.float32]:
    """Crop each signature by its own one of :data:`CROPS`, and stretch it to its size: float32, shape (n, 32, 32)."""
    down, right = (_CROP_LINES[:, side][crops] for side in (0, 1))
    return down @ greys.astype(np.float32) @ right.swapaxes(1, 2)


def _read_lines(start: float) -> Floats:
    """Return the matrix that reads 32 lines from ``start`` on, linearly between two: shape (32, 32)."""
    at = (start + 0.9 * (np.arange(SIDE) + 0.5) / SIDE) * SIDE - 0.5
    return np.asarray(np.maximum(0, 1 - np.abs(at[:, None] - np.arange(SIDE))))


_COSINES: Floats = 2 * np.cos(np.pi * np.arange(8)[:, None] * (2 * np.arange(SIDE) + 1) / (2 * SIDE))
_STARTS = sorted({start for crop in CROPS for start in crop})
_READ_COSINES: Floats = np.concatenate([_COSINES @ _read_lines(start) for start in _STARTS])
_CROP_LINES = np.array([[_read_lines(start) for start in crop] for crop in CROPS], np.float32)


def _hash_all(pictures: Pictures, rows: Indices) -> Hashes64:
    blocks = [rows[start : start + _BLOCK_PICTURES] for start in range(0, len(rows), _BLOCK_PICTURES)]
    with one_thread_a_core() as threads:
        hashed = threads.map(lambda block: hash_crops(pictures.read_signatures(block)), blocks)
        return np.concatenate([np.empty((0, len(CROPS)), np.uint64), *hashed])


def _are_copies(pictures: Pictures, near: Matches) -> BoolArray:
    """Return which matches of a look ``i`` and a whole picture ``j`` are one picture: bool, shape (matches,)."""

    def read(looks: Indices) -> npt.NDArray[np.float32]:
        picture, crop = np.divmod(looks, _LOOKS)
        greys = pictures.read_signatures(picture)
        cropped = np.flatnonzero(crop)
        read = greys.astype(np.float32)
        read[cropped] = crop_signatures(greys[cropped], crop[cropped] - 1)
        return read

    return judge_signatures(near.i, near.j.astype(np.int64) * _LOOKS, read, LEAST_FIT, SAME_CROP)
