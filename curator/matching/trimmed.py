"""Find what borders, bars and padding are around a picture, so that the picture itself can be looked at.

A bar is of one colour, whatever is written on it, and ends at a straight edge: from one row to the next one at least half
of the pixels have another colour. A ball on white ground fades in row by row, so its white is never taken for a bar.

>>> picture = np.random.default_rng(0).integers(0, 200, (60, 80, 3), dtype=np.uint8)
>>> trimmed_box(picture), trimmed_box(np.pad(picture, ((30, 0), (5, 5), (0, 0)), constant_values=255))
((0, 0, 80, 60), (5, 30, 85, 90))
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Box = tuple[int, int, int, int]
Bools = npt.NDArray[np.bool_]

_TOLERANCE = 24
"""Most difference of any channel, of 255, to the bar's own colour: what JPEG makes of an edge stays below."""
_MOST_WRITTEN = 0.5
"""Most share of a row of a bar that has another colour: the words on it."""
_LEAST_STEP = 0.5
"""Least share of a row's pixels that leave the bar's colour where it ends."""
_LEAST_LEFT = 0.3
"""Least share of each side that stays: what leaves less is no bar around a picture."""
_ROUNDS = 3
"""A border may have another one around it."""
_EDGE = 3
"""Rows over which a bar may end: the edge of a small or a strongly compressed picture is blurred."""


def trimmed_box(rgb: npt.NDArray[np.uint8]) -> Box:
    """Return the part of a picture within its borders, bars and padding.

    Args:
        rgb: uint8, shape (height, width, 3); a longest side of some 256 pixels is enough.

    Returns:
        (left, top, right, bottom) in pixels, the last two exclusive: the whole picture if nothing is around it.
    """
    height, width = rgb.shape[:2]
    left, top, right, bottom = 0, 0, width, height
    for _ in range(_ROUNDS):
        before = (left, top, right, bottom)
        inner = rgb[top:bottom, left:right]
        turned = inner.swapaxes(0, 1)
        above, below = _bar(inner), _bar(inner[::-1])
        beside, behind = _bar(turned), _bar(turned[::-1])
        left, top, right, bottom = left + beside, top + above, right - behind, bottom - below
        if right - left < _LEAST_LEFT * width or bottom - top < _LEAST_LEFT * height:
            return before
        if (left, top, right, bottom) == before:
            break
    return left, top, right, bottom


def _bar(rows: npt.NDArray[np.uint8]) -> int:
    """Return how many rows from the first on are a bar: uint8, shape (rows, pixels, 3)."""
    if len(rows) < 2 * _EDGE + 2:
        return 0
    colour = np.median(rows[0].astype(np.int16), axis=0)
    other = (np.abs(rows.astype(np.int16) - colour) > _TOLERANCE).any(axis=2).mean(axis=1)
    if other[0] > 0.1:
        return 0
    written = np.flatnonzero(other > _MOST_WRITTEN)
    if not len(written):
        return 0
    end = int(written[0])
    before = float(other[max(0, end - _EDGE) : end].min())
    after = float(np.median(other[end : end + _EDGE]))
    return end if after - before >= _LEAST_STEP else 0
