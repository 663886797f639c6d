"""Perceptual hashes of pictures in their eight orientations, from one small cosine transform. NumPy in, NumPy out.

The 64-bit hash is pHash: the signs, about their median, of the 8x8 lowest coefficients of the 32x32 luma's
discrete cosine transform (https://www.hackerfactor.com/blog/index.php?/archives/432-Looks-Like-It.html), equal in
value to ``imagehash.phash``. The 256-bit hash holds the signs about zero of the 16x16 lowest coefficients.

A rotated or mirrored picture has the same coefficients, transposed or with changed signs, so that the hashes of all
eight orientations follow from one transform:

>>> from curator.matching.orientations import ORIENTATIONS, orient_luma
>>> luma = np.arange(1024, dtype=np.uint8).reshape(1, 32, 32) // 7
>>> coefficients = transform(luma)
>>> to_hex(hash64(coefficients))
['aa2a002a002a002a']
>>> rotated = transform(orient_luma(luma, ORIENTATIONS.index("rotate-90")))
>>> bool(hash64(rotated)[0] == orientation_hashes(coefficients)[0, ORIENTATIONS.index("rotate-90")])
True
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

HASH_VERSION = 4
"""Raised when the same bytes would get another hash or luma signature; what an older version saw is looked at again."""

FLAT_DETAIL = 4.0
"""Least ``detail`` of a picture that a hash can tell from others: below it, noise decides the bits.

Of 1,582 real photos of balls and scenes 2 lie below (near-empty pictures, 2.1 and 3.7); the rest have 4.4 or more.
"""

LUMA_SIDE = 32
"""Height and width, in pixels, of the luma that is hashed."""

# Coefficients are rounded to multiples of this: it is far above the noise of floating point and far below the
# steps that 8-bit pixels can make, so that ties and zeros stay exact on every machine and in every orientation.
_GRID = 2.0**-20

Lumas = npt.NDArray[np.uint8]
Coefficients = npt.NDArray[np.float64]
"""Shape (n, 16, 16), from :func:`transform`."""
Hashes64 = npt.NDArray[np.uint64]
HashBytes = npt.NDArray[np.uint8]

_COSINES: Coefficients = 2 * np.cos(np.pi * np.arange(16)[:, None] * (2 * np.arange(LUMA_SIDE) + 1) / (2 * LUMA_SIDE))
_PLAIN_AND_FLIPPED = np.ones(8), np.where(np.arange(8) % 2, -1.0, 1.0)
# What a flip does to the signs of the 8x8 lowest coefficients; index 2 * (top to bottom) + (left to right).
_SIGNS = np.stack([np.outer(rows, columns) for rows in _PLAIN_AND_FLIPPED for columns in _PLAIN_AND_FLIPPED])
# Each of ORIENTATIONS among four flips (none, left to right, top to bottom, both) and the same four, then transposed.
_AS_FLIPS = np.array([0, 5, 3, 6, 1, 4, 2, 7])


def transform(lumas: Lumas) -> Coefficients:
    """Compute the 16x16 lowest coefficients of the two-dimensional DCT-II (unnormalised, as SciPy's) of 32x32 lumas.

    Args:
        lumas: uint8, shape (n, 32, 32), rows from the top.

    Returns:
        float64, shape (n, 16, 16), vertical frequency first; rounded to multiples of 2**-20.
    """
    product = _COSINES @ lumas.astype(np.float64) @ _COSINES.T
    return np.rint(product / _GRID) * _GRID


def hash64(coefficients: Coefficients) -> Hashes64:
    """Compute the 64-bit pHash: a bit is set if its coefficient is above the median of the 8x8 lowest.

    Equal to ``imagehash.phash`` except where coefficients tie exactly (flat or symmetric pictures): there imagehash's
    bits are the noise of its floating point, and these are not set.

    Returns:
        uint64, shape (n,): row by row, the first bit the most significant.
    """
    return orientation_hashes(coefficients)[:, 0]


def orientation_hashes(coefficients: Coefficients) -> Hashes64:
    """Compute the 64-bit hashes of each picture in its eight orientations, in the order of ``ORIENTATIONS``.

    Returns:
        uint64, shape (n, 8); ``[:, k]`` is the hash of the picture in orientation ``k``, so ``[:, 0]`` is its own.
    """
    return orientation_bytes(coefficients).view(">u8")[..., 0].astype(np.uint64)


def orientation_bytes(coefficients: Coefficients) -> HashBytes:
    """Compute :func:`orientation_hashes` as the catalog's bytes: uint8, shape (n, 8, 8), each hash big-endian."""
    flipped = coefficients[:, None, :8, :8] * _SIGNS
    ordered = np.sort(flipped.reshape(-1, 4, 64), axis=-1)
    above = flipped > ((ordered[..., 31] + ordered[..., 32]) / 2)[..., None, None]
    both = np.concatenate([above, above.swapaxes(2, 3)], axis=1)
    packed: HashBytes = np.packbits(both.reshape(-1, 8, 64), axis=-1)
    return packed[:, _AS_FLIPS]


def hash256(coefficients: Coefficients) -> HashBytes:
    """Compute the 256-bit hash: a bit is set if its coefficient is above zero; the first bit, the mean's, is never set.

    Returns:
        uint8, shape (n, 32): row by row, the first bit the most significant of the first byte.
    """
    bits = coefficients > 0
    bits[:, 0, 0] = False
    return np.packbits(bits.reshape(-1, 256), axis=-1)


def detail(coefficients: Coefficients) -> npt.NDArray[np.float32]:
    """Measure how much there is for a 64-bit hash to hold on to: the median size of its 63 coefficients but the mean's.

    In units of the orthonormal transform. Under about 4 the signs are decided by noise, and compressing a picture again
    flips 4 to 30 of its 64 bits: flat colour, gradients, a clear sky, a dot or a page of small text on white. Contrast
    alone does not show it: a sky from dark to light has as much as a photograph.

    Returns:
        float32, shape (n,).
    """
    sizes = np.sort(np.abs(coefficients[:, :8, :8].reshape(-1, 64)[:, 1:]), axis=1)
    return (sizes[:, 31] / (2 * LUMA_SIDE)).astype(np.float32)


def distance64(left: npt.ArrayLike, right: npt.ArrayLike) -> HashBytes:
    """Count the bits in which 64-bit hashes differ (Hamming distance, 0 to 64); uint64 arrays that broadcast.

    >>> distance64(np.uint64(0b1011), np.array([0b1011, 0b0010], np.uint64))
    array([0, 2], dtype=uint8)
    """
    bits: HashBytes = np.bitwise_count(np.asarray(left, np.uint64) ^ np.asarray(right, np.uint64))
    return bits


def distance256(left: HashBytes, right: HashBytes) -> npt.NDArray[np.int16]:
    """Count the bits in which 256-bit hashes differ (0 to 256); uint8 arrays, shape (..., 32), that broadcast."""
    return np.asarray(np.bitwise_count(left ^ right).sum(axis=-1, dtype=np.int16))


def to_hex(hashes: Hashes64) -> list[str]:
    """Spell 64-bit hashes as imagehash does: 16 hexadecimal digits each."""
    return [f"{value:016x}" for value in hashes.tolist()]


def from_hex(texts: Iterable[str]) -> Hashes64:
    """Read 64-bit hashes from 16 hexadecimal digits each.

    Raises:
        ValueError: a text is not hexadecimal.
    """
    return np.array([int(text, 16) for text in texts], np.uint64)


def unpack_orientations(rows: Sequence[bytes]) -> Hashes64:
    """Read the hashes of eight orientations as the catalog has them, 64 bytes each: uint64, shape (n, 8)."""
    return np.frombuffer(b"".join(rows), ">u8").reshape(-1, 8).astype(np.uint64)


def unpack_bytes(rows: Sequence[bytes]) -> HashBytes:
    """Read 256-bit hashes of 32 bytes each: uint8, shape (n, 32)."""
    return np.frombuffer(b"".join(rows), np.uint8).reshape(-1, 32)
