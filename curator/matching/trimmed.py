"""Find what borders, bars and padding are around a picture, so that the picture itself can be looked at.

A bar is of one colour, whatever is written on it, and ends at a straight edge: there, most of a row changes colour. A
ball on white ground fades in row by row, so its white is never taken for a bar.

>>> picture = np.random.default_rng(0).integers(0, 200, (60, 80, 3), dtype=np.uint8)
>>> trimmed_box(picture), trimmed_box(np.pad(picture, ((30, 0), (5, 5), (0, 0)), constant_values=255))
((0, 0, 80, 60), (5, 30, 85, 90))
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Box = tuple[int, int, int, int]
Bools = npt.NDArray[np.bool_]

_TOLERANCE = 24
"""Most difference of any channel, of 255, to the bar's own colour: what JPEG makes of an edge stays below."""
_FLAT = 5.0
"""Most mean difference, of 255, of a bar's pixels to its colour but for what is written on it: grass has more."""
_OPEN, _LEAST_STEP, _CLOSED = 0.2, 0.5, 0.7
"""Shares of a row that have another colour: at most before a bar ends, at least behind it, and at least between the
bars at both ends of that row."""
_MOST_WRITTEN, _MOST_IN_A_ROW = 0.5, 0.95
"""Most share of a bar, and of any row of it, that has another colour: the words on it."""
_MOST_WRITTEN_ON, _CLOSED_WRITTEN = 0.3, 0.95
"""A bar with words on it is at most such a part of the side, and behind it so much of the row has another colour: what
looks like words on white may be the object."""
_LEAST_LEFT = 0.3
"""Least share of each side that stays: what leaves less is no bar around a picture."""
_ROUNDS = 3
"""A border may have another one around it."""
_STRIDE = 2
"""Every so many pixels of a row are looked at."""
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
    box = (0, 0, width, height)
    for _ in range(_ROUNDS):
        left, top, right, bottom = _trim_once(rgb, box)
        if right - left < _LEAST_LEFT * width or bottom - top < _LEAST_LEFT * height:
            break
        if (left, top, right, bottom) == box:
            break
        box = (left, top, right, bottom)
    return box


def _trim_once(rgb: npt.NDArray[np.uint8], box: Box) -> Box:
    """Take one bar off each side that has one, unless what it leaves has the bar's colour along that side."""
    left, top, right, bottom = box
    inner = rgb[top:bottom, left:right]
    upright, lying = np.ascontiguousarray(inner[:, ::_STRIDE]), cv2.transpose(np.ascontiguousarray(inner[::_STRIDE]))
    views = [np.asarray(view, np.uint8) for view in (lying, upright, cv2.flip(lying, 0), cv2.flip(upright, 0))]
    bars = [_measure_bar(view) for view in views]
    while True:
        across = ((bars[1], bars[3]), (bars[0], bars[2])) * 2
        kept = [n if _is_closed(view, n, ends) else 0 for view, n, ends in zip(views, bars, across, strict=True)]
        if kept == bars:
            return left + bars[0], top + bars[1], right - bars[2], bottom - bars[3]
        bars = kept


def _find_colour(row: npt.NDArray[np.uint8]) -> npt.NDArray[np.int16]:
    return np.asarray(np.median(row, axis=0), np.int16)


def _differ(rows: npt.NDArray[np.uint8], colour: npt.NDArray[np.int16]) -> Bools:
    """Return which pixels have another colour than a bar's: bool, shape (rows, pixels)."""
    low, high = (tuple((colour + by).clip(0, 255).tolist()) for by in (-_TOLERANCE, _TOLERANCE))
    return np.asarray(cv2.inRange(rows, low, high) == 0)


def _measure_bar(rows: npt.NDArray[np.uint8]) -> int:
    """Return how many rows from the first on may be a bar, the most: uint8, shape (rows, pixels, 3).

    Between two lines of words a bar is plain again, so it is the last plain row that counts.
    """
    colour = _find_colour(rows[0])
    if len(rows) < 2 * _EDGE + 2 or _differ(rows[:1], colour).mean() > _OPEN / 2:
        return 0
    other = _differ(rows, colour)
    share = other.mean(axis=1)
    behind = np.lib.stride_tricks.sliding_window_view(share, _EDGE).min(axis=1)
    ahead = np.minimum.reduce([np.roll(share, k) for k in range(1, _EDGE + 1)])[: len(behind)]
    ends = np.flatnonzero((behind >= _LEAST_STEP) & (ahead <= _OPEN) & (np.roll(share, 1)[: len(behind)] < behind))
    for end in ends[ends > 0][::-1].tolist():
        plain = np.abs(rows[:end].astype(np.int16) - colour).max(axis=2)[~other[:end]]
        if other[:end].mean() <= _MOST_WRITTEN and plain.mean() <= _FLAT and share[:end].max() < _MOST_IN_A_ROW:
            return int(end)
    return 0


def _is_closed(rows: npt.NDArray[np.uint8], n: int, ends: tuple[int, int]) -> bool:
    """Say whether the first rows behind a bar have other colours than it all along, between the bars at both ends."""
    inside = rows[: n + _EDGE, ends[0] // _STRIDE : rows.shape[1] - ends[1] // _STRIDE]
    if not n or not inside.size:
        return not n
    share = _differ(inside, _find_colour(rows[0])).mean(axis=1)
    if share[:n].max() <= _OPEN:
        return float(share[n:].max()) >= _CLOSED
    return n <= _MOST_WRITTEN_ON * len(rows) and float(share[n:].max()) >= _CLOSED_WRITTEN
