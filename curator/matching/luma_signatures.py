"""Luma signatures: small grey pictures of 32x32 cells of sixteen greys, two to a byte; the catalog's ``thumbnail``.

The darkest cell of a picture is 0 and its brightest 15, so that brightness and contrast are gone. Sixteen greys tell
copies from strangers as well as 256 do, in half the bytes; 16x16 cells of 256 greys lose a third of the 5% crops.

>>> luma = np.arange(1024, dtype=np.uint8).reshape(1, 32, 32) // 8
>>> greys = unpack_signatures(np.frombuffer(pack_signatures(luma)[0], np.uint8)[None])
>>> greys.shape, int(greys.min()), int(greys.max())
((1, 32, 32), 0, 15)
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from curator.matching.orientations import orient_luma

SIDE = 32
"""Height and width, in cells."""
SIGNATURE_BYTES = SIDE * SIDE // 2

GreyArray = npt.NDArray[np.uint8]


def pack_signatures(lumas: GreyArray) -> list[bytes]:
    """Write lumas, uint8 of shape (n, 32, 32), as the catalog does: 512 bytes each, row by row, left cell high.

    A picture of one grey is all zeros.
    """
    values = lumas.reshape(-1, SIDE * SIDE)
    low, high = values.min(axis=1, keepdims=True), values.max(axis=1, keepdims=True)
    scaled = (values - low).astype(np.float32)
    scaled *= np.float32(15) / np.maximum(high - low, 1)
    scaled += 0.5
    greys = scaled.astype(np.uint8)
    return [row.tobytes() for row in greys[:, ::2] << 4 | greys[:, 1::2]]


def unpack_signatures(rows: GreyArray) -> GreyArray:
    """Read :func:`pack_signatures`'s bytes, uint8 of shape (n, 512): greys 0 to 15, shape (n, 32, 32)."""
    greys = np.stack([rows >> 4, rows & 15], axis=-1)
    return greys.reshape(-1, SIDE, SIDE)


def orient_signatures(greys: GreyArray, orientations: GreyArray) -> GreyArray:
    """Rotate or mirror each signature, shape (n, 32, 32), by its own index in ``ORIENTATIONS``, shape (n,).

    >>> corner = np.zeros((2, 32, 32), np.uint8)
    >>> corner[:, 0, 0] = 15
    >>> oriented = orient_signatures(corner, np.array([1, 4], np.uint8))
    >>> [tuple(map(int, np.argwhere(picture)[0])) for picture in oriented]
    [(31, 0), (0, 31)]
    """
    oriented = greys.copy()
    for orientation in np.unique(orientations):
        chosen = orientations == orientation
        oriented[chosen] = orient_luma(greys[chosen], int(orientation))
    return oriented
