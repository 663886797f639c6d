"""What a picture looks like at the size that models see: how bright, how colourful, how fine; a few numbers.

>>> measure(np.full((224, 224, 3), 20, np.uint8)).round(2).tolist()
[20.0, 20.0, 0.0, 0.0, 0.0]
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

PixelArray = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float32]

SIDE = 224
"""Pictures are measured squeezed to so many pixels, whatever their size."""

FIELDS = ("low", "high", "colour", "fine", "medium")
"""The measures: 2nd and 98th percentile of luma, 98th percentile of chroma (the largest minus the smallest of red,
green and blue), each 0 to 255; and what is lost by shrinking to a half and to a quarter, as a share of the contrast."""

VERSION = 2

_SHARP = round(0.95 * SIDE**2)


def measure(pixels: PixelArray) -> FloatArray:
    """Measure a picture.

    Args:
        pixels: uint8 (224, 224, 3), RGB.

    Returns:
        float32 (5,): see :data:`FIELDS`.
    """
    luma = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    low, high = _percentiles(luma, 2, 98)
    red, green, blue = cv2.split(pixels[::2, ::2])
    chroma = cv2.max(cv2.max(red, green), blue) - cv2.min(cv2.min(red, green), blue)
    grey = luma.astype(np.float32)
    lost = []
    for side in (SIDE // 2, SIDE // 4):
        shrunk = cv2.resize(grey, (side, side), interpolation=cv2.INTER_AREA)
        again = cv2.resize(shrunk, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        # The sharpest twentieth: a sharp thing before a blurred ground is a sharp picture.
        lost.append(np.partition(cv2.absdiff(grey, again).ravel(), _SHARP)[_SHARP] / max(high - low, 1.0))
    return np.array([low, high, *_percentiles(chroma, 98), *lost], dtype=np.float32)


def _percentiles(values: npt.NDArray[Any], *shares: float) -> list[float]:
    """Return what ``np.percentile`` does of bytes, by counting: they need no sorting."""
    counted = np.bincount(values.ravel(), minlength=256).cumsum()
    places = np.array(shares) / 100 * (values.size - 1)
    below, above = (np.searchsorted(counted, side(places), "right") for side in (np.floor, np.ceil))
    found: list[float] = (below + (above - below) * (places % 1)).tolist()
    return found
