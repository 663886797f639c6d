"""The article's augmentation, really applied: rotation, zoom, shift and flip as one warp of 8-bit pixels.

>>> image = np.zeros((32, 32, 3), dtype=np.uint8)
>>> augment_image(image, np.random.default_rng(0)).shape
(32, 32, 3)
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

ROTATION_DEGREES, ZOOM, SHIFT = 30.0, 0.2, 0.1
"""Largest turn either way, largest zoom in or out, and largest shift as a share of the side."""

PixelArray = npt.NDArray[np.uint8]


def augment_image(image: PixelArray, rng: np.random.Generator) -> PixelArray:
    """Turn, zoom, shift and perhaps mirror one image by chance; what moves in from outside is a reflection.

    Args:
        image: uint8, shape (side, side, 3).
        rng: the source of chance; the same state produces the same image.
    """
    side = image.shape[0]
    degrees = rng.uniform(-ROTATION_DEGREES, ROTATION_DEGREES)
    matrix = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), degrees, 1 + rng.uniform(-ZOOM, ZOOM))
    matrix[:, 2] += rng.uniform(-SHIFT, SHIFT, size=2) * side
    if rng.random() < 0.5:
        matrix[0] = [0, 0, side - 1] - matrix[0]
    warped = cv2.warpAffine(image, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(warped, dtype=np.uint8)


def augment_images(images: PixelArray, image_keys: Sequence[int], *key: int) -> PixelArray:
    """Augment a batch; each image's chance depends on ``key`` and its own key only, never on the order of batches.

    Args:
        images: uint8, shape (batch, side, side, 3).
        image_keys: a number from 0 for each image, such as its position or a part of its hash.
        key: what else seeds the chance, such as the run's seed and the epoch.
    """
    pairs = zip(images, image_keys, strict=True)
    return np.stack([augment_image(image, np.random.default_rng([*key, int(own)])) for image, own in pairs])
