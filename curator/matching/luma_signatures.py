"""Small grey pictures of the catalog's ``thumbnail`` column: 32x32 cells of sixteen greys, two to a byte.

The darkest cell of a picture is 0 and its brightest 15, so that brightness and contrast are gone. Sixteen greys tell
copies from strangers as well as 256 do, in half the bytes; 16x16 cells of 256 greys lose a third of the 5% crops.

>>> luma = np.arange(1024, dtype=np.uint8).reshape(1, 32, 32) // 8
>>> thumbnails = unpack_signatures(np.frombuffer(pack_signatures(luma)[0], np.uint8)[None])
>>> thumbnails.shape, int(thumbnails.min()), int(thumbnails.max())
((1, 32, 32), 0, 15)
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

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


def orient_signatures(thumbnails: GreyArray, turns: GreyArray) -> GreyArray:
    """Turn or mirror each signature, shape (n, 32, 32), by its own orientation, shape (n,).

    An orientation is an index in :data:`curator.matching.orientations.ORIENTATIONS`.

    >>> corner = np.zeros((2, 32, 32), np.uint8)
    >>> corner[:, 0, 0] = 15
    >>> turned = orient_signatures(corner, np.array([1, 4], np.uint8))
    >>> [tuple(map(int, np.argwhere(picture)[0])) for picture in turned]
    [(31, 0), (0, 31)]
    """
    turned = thumbnails.copy()
    for turn in np.unique(turns):
        chosen = turns == turn
        pictures = thumbnails[chosen]
        pictures = pictures[:, :, ::-1] if turn >= 4 else pictures
        turned[chosen] = np.rot90(pictures, int(turn) % 4, axes=(1, 2))
    return turned
