"""Compare what lies within a thing on plain ground, away from its edge: two balls have one outline.

>>> y, x = np.mgrid[:80, :80] - 39.5
>>> ball = np.where(np.hypot(x, y) < 30, 160 - x - y, 255).astype(np.float32)
>>> dimpled = ball + np.where(np.hypot(x, y) < 30, 8 * np.sin(x) * np.sin(y), 0).astype(np.float32)
>>> everywhere = np.ones_like(ball)
>>> [measure_inside(dimpled, other, everywhere) > 0.8 for other in (0.8 * dimpled, ball)]
[True, False]
"""

from __future__ import annotations

import cv2
import numpy as np

from curator.matching.judge.overlay import Floats, correlate, without_shade

_FLAT = 4.0
"""Greys by which the neighbours of a cell of plain ground differ, in either picture: less."""
_AROUND, _FAR = np.ones((3, 3), np.uint8), np.ones((11, 11), np.uint8)
"""A cell and its neighbours; and what is left out around plain ground, 5 cells each way."""
_SHADE = 2.0
"""Standard deviation, in cells, of the window for what varies slowly: an edge 5 cells away is not seen."""
_FEWEST = 150
"""Cells away from plain ground below which nothing is said."""


def measure_inside(a: Floats, b: Floats, cover: Floats) -> float | None:
    """Return how fine outlines correlate away from plain ground, -1 to 1; None: there are hardly any such cells.

    Args:
        a, b, cover: as of :func:`curator.matching.judge.agreement.compare_luma`.
    """
    spans = (cv2.dilate(each, _AROUND) - cv2.erode(each, _AROUND) for each in (a, b))
    flat = (cover > 0) & np.logical_and(*(span < _FLAT for span in spans))
    ground = cv2.dilate(cv2.morphologyEx(flat.astype(np.uint8), cv2.MORPH_OPEN, _AROUND), _FAR)
    inner = np.asarray(cover * (ground == 0), np.float32)
    if inner.sum() < _FEWEST:
        return None
    one, other = without_shade((a, b), cover, _SHADE)
    return correlate(one, other, inner)
