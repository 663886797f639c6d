"""The eight orientations of a picture: their names, and what each does to pixels and to a 256-bit perceptual hash.

>>> [ORIENTATIONS[invert_orientation(ORIENTATIONS.index(name))] for name in ("rotate-90", "mirror-rotate-90")]
['rotate-270', 'mirror-rotate-90']
>>> hashes = np.arange(32, dtype=np.uint8)[None]
>>> np.array_equal(orient_hash256(orient_hash256(hashes, 1), invert_orientation(1)), hashes)
True
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

ByteArray = npt.NDArray[np.uint8]

ORIENTATIONS = (
    "none",
    "rotate-90",
    "rotate-180",
    "rotate-270",
    "mirror",
    "mirror-rotate-90",
    "mirror-rotate-180",
    "mirror-rotate-270",
)
"""Names of the orientations, in the order of the eight hashes in the catalog's ``phash_turns``."""

ORIENTATION_PHRASES = (
    "",
    "turned by 90 degrees",
    "turned by 180 degrees",
    "turned by 270 degrees",
    "mirrored",
    "mirrored and turned by 90 degrees",
    "mirrored and turned by 180 degrees",
    "mirrored and turned by 270 degrees",
)
"""The orientations as a person would say them; empty for the picture as it is."""

_SIDE = 16


def invert_orientation(orientation: int) -> int:
    """Return the orientation that undoes another one; a mirrored one undoes itself."""
    return (0, 3, 2, 1, 4, 5, 6, 7)[orientation]


def compose_orientations(second: int, first: int) -> int:
    """Return the orientation that does what ``first`` does, then ``second``.

    >>> picture = np.arange(9).reshape(3, 3)
    >>> both = orient_luma(orient_luma(picture, 5), 3)
    >>> np.array_equal(both, orient_luma(picture, compose_orientations(3, 5)))
    True
    """
    turn = second % 4 + (first % 4 if second < 4 else -first % 4)
    return 4 * ((second >= 4) != (first >= 4)) + turn % 4


def orient_luma(pictures: ByteArray, orientation: int) -> ByteArray:
    """Mirror square pictures, shape (..., side, side), if ``orientation`` is 4 or more, then rotate counter-clockwise.

    Args:
        pictures: rows from the top.
        orientation: index in :data:`ORIENTATIONS`.
    """
    return np.rot90(pictures[..., ::-1] if orientation >= 4 else pictures, orientation % 4, axes=(-2, -1))


def orient_hash256(hashes: ByteArray, orientation: int) -> ByteArray:
    """Compute the 256-bit hashes of rotated or mirrored pictures from those of the pictures as they are.

    A mirrored picture's discrete cosine transform has the same coefficients with the odd columns negated, an upturned
    one's with the odd rows negated, a transposed one's are transposed; and the hash is the coefficients' signs.

    Args:
        hashes: uint8, shape (n, 32): bits row by row over the 16x16 lowest coefficients, most significant first; bit 0
            is the constant coefficient, which no orientation changes.
        orientation: index in :data:`ORIENTATIONS`.

    Returns:
        uint8, shape (n, 32). Exact wherever no coefficient is zero.
    """
    if orientation == 0:
        return hashes
    odd = (np.arange(_SIDE) % 2).astype(np.uint8)
    bits = np.unpackbits(hashes, axis=1).reshape(-1, _SIDE, _SIDE)
    if orientation >= 4:
        bits ^= odd
    for _ in range(orientation % 4):
        bits = bits.transpose(0, 2, 1) ^ odd[:, None]
    return np.packbits(bits.reshape(-1, _SIDE * _SIDE), axis=1)
