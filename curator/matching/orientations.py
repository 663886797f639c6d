"""The eight ways to turn or mirror a picture, and what each does to its 256-bit perceptual hash.

A turn is ``np.rot90(np.fliplr(pixels) if mirrored else pixels, k)``, ``np.rot90`` turning counter-clockwise.

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
"""Names of the turns, in the order of the eight hashes in the catalog's ``phash_turns``."""

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
"""The turns as a person would say them; nothing for the picture as it is."""

_BACK = (0, 3, 2, 1, 4, 5, 6, 7)
_SIDE = 16


def invert_orientation(turn: int) -> int:
    """Give the turn that undoes ``turn``: a mirrored turn undoes itself."""
    return _BACK[turn]


def orient_hash256(hashes: ByteArray, turn: int) -> ByteArray:
    """Give the 256-bit hashes of the turned pictures from those of the pictures as they are, without any pixel.

    A mirrored picture's discrete cosine transform has the same coefficients with the odd columns negated, an upturned
    one's with the odd rows negated, a transposed one's are transposed; and the hash is the coefficients' signs.

    Args:
        hashes: uint8, shape (n, 32): bits row by row over the 16x16 lowest coefficients, most significant first; bit 0
            is the constant coefficient, which no turn changes.
        turn: index in :data:`ORIENTATIONS`.

    Returns:
        uint8, shape (n, 32). Exact wherever no coefficient is zero.
    """
    bits = np.unpackbits(hashes, axis=1).reshape(-1, _SIDE, _SIDE)
    if turn >= 4:
        bits = _negate_odd(bits, axis=2)
    for _ in range(turn % 4):
        bits = _negate_odd(bits.transpose(0, 2, 1), axis=1)
    return np.packbits(bits.reshape(-1, _SIDE * _SIDE), axis=1)


def _negate_odd(bits: ByteArray, axis: int) -> ByteArray:
    odd = (np.arange(_SIDE) % 2).astype(np.uint8)
    return bits ^ (odd[:, None] if axis == 1 else odd[None, :])
