"""Blur the sharper of two pictures until it is as soft as the other: a blurred copy then agrees as any other copy does.

The blur is a Gaussian of one width in pixels, which on stretched cells is wider one way than the other.

>>> chance = np.random.default_rng(0)
>>> sharp = cv2.resize(chance.integers(0, 256, (40, 40)).astype(np.float32), (80, 80))
>>> soft = cv2.GaussianBlur(sharp, (0, 0), 1.2)
>>> everywhere = np.ones_like(sharp)
>>> a, b = match_sharpness(sharp, soft, everywhere, 1.0)
>>> b is soft, correlate(*without_shade((a, b), everywhere), everywhere) > 0.999
(True, True)
"""

from __future__ import annotations

import cv2
import numpy as np

from curator.matching.judge.overlay import Floats, correlate, without_shade

_WIDTHS = (0.5, 0.7, 0.9, 1.15, 1.45, 1.8, 2.2)
"""Standard deviations that are tried, in cells of the canvas (in the mean of both sides of one)."""


def match_sharpness(a: Floats, b: Floats, cover: Floats, stretch: float) -> tuple[Floats, Floats]:
    """Blur the sharper one as far as both correlate best; not at all, if they do so as they are.

    Args:
        a, b: both pictures at the cells of a canvas, float32 of shape (n_y, n_x).
        cover: the cells that count, 1 or 0.
        stretch: how many times as high as wide a cell is, in pixels of the pictures.
    """
    wide = stretch**0.5
    fine = [float(np.abs(each - cv2.GaussianBlur(each, (0, 0), 0.8))[cover > 0].mean()) for each in (a, b)]
    spread = [float(each[cover > 0].std()) for each in (a, b)]
    is_first = fine[0] * spread[1] >= fine[1] * spread[0]
    sharp, soft = (a, b) if is_first else (b, a)
    best, highest = sharp, _compare_outlines(sharp, soft, cover)
    for width in _WIDTHS:
        blurred = np.asarray(cv2.GaussianBlur(sharp, (0, 0), sigmaX=width * wide, sigmaY=width / wide), np.float32)
        likeness = _compare_outlines(blurred, soft, cover)
        if likeness <= highest:
            break
        best, highest = blurred, likeness
    return (best, soft) if is_first else (soft, best)


def _compare_outlines(a: Floats, b: Floats, cover: Floats) -> float:
    one, other = without_shade((a, b), cover)
    return correlate(one, other, cover)
