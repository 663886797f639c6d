"""Anti-aliased shapes with sub-pixel corners, the strokes that everything in a scene is drawn with.

>>> canvas = np.zeros((20, 20, 3), np.uint8)
>>> capsule(canvas, (5, 10), (15, 10), 3, 3, (255, 255, 255))
>>> canvas[10, 10].tolist(), canvas[1, 1].tolist()
([255, 255, 255], [0, 0, 0])
"""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from curator.demo.drawing.camera import FloatArray, Image
from curator.demo.drawing.light import Colour

_SHIFT = 4  # OpenCV reads corners in sixteenths of a pixel
_FAR = 20_000.0
_HALF_TURN = np.linspace(-math.pi / 2, math.pi / 2, 7)
_CAP = np.stack([np.cos(_HALF_TURN), np.sin(_HALF_TURN)], axis=-1)


def polygon(canvas: npt.NDArray[np.uint8], corners: npt.ArrayLike, colour: Colour | float) -> None:
    """Fill a polygon, corners of shape (n, 2) in pixels."""
    fixed = np.clip(np.asarray(corners, np.float64), -_FAR, _FAR) * (1 << _SHIFT)
    cv2.fillPoly(canvas, [np.rint(fixed).astype(np.int32)], colour, cv2.LINE_AA, _SHIFT)


def line(canvas: npt.NDArray[np.uint8], start: FloatArray, end: FloatArray, colour: Colour, width_px: float) -> None:
    """Draw a straight stroke; under one pixel wide it is drawn one pixel wide (fade it by its colour)."""
    if width_px > 1.5:
        capsule(canvas, start, end, width_px / 2, width_px / 2, colour)
        return
    ends = np.rint(np.clip(np.stack([start, end]), -_FAR, _FAR) * (1 << _SHIFT)).astype(np.int64)
    first, second = (tuple(map(int, point)) for point in ends)
    cv2.line(canvas, first, second, colour, 1, cv2.LINE_AA, _SHIFT)


def capsule(
    canvas: npt.NDArray[np.uint8],
    start: npt.ArrayLike,
    end: npt.ArrayLike,
    start_radius: float,
    end_radius: float,
    colour: Colour,
) -> None:
    """Fill a tapered limb: two discs, radii in pixels, and what lies between them."""
    first, second = np.asarray(start, np.float64), np.asarray(end, np.float64)
    along = second - first
    length = math.sqrt(float(along @ along))
    cos, sin = (along / length).tolist() if length > 1e-6 else (1.0, 0.0)
    turned = _CAP @ np.array([[cos, sin], [-sin, cos]])
    polygon(canvas, np.concatenate([second + end_radius * turned, first - start_radius * turned]), colour)


def ellipse(canvas: Image, centre: npt.ArrayLike, radii: tuple[float, float], angle_deg: float, colour: Colour) -> None:
    """Fill an ellipse, radii in pixels."""
    turn = np.linspace(0, 2 * math.pi, 24, endpoint=False)
    cos, sin = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    points = np.stack([radii[0] * np.cos(turn), radii[1] * np.sin(turn)], axis=-1) @ np.array([[cos, sin], [-sin, cos]])
    polygon(canvas, np.asarray(centre, np.float64) + points, colour)


def translucent(canvas: Image, alpha: float, draw: Callable[[Image], None]) -> None:
    """Let ``draw`` work on a copy and blend the copy in with weight ``alpha``."""
    layer = canvas.copy()
    draw(layer)
    cv2.addWeighted(layer, alpha, canvas, 1 - alpha, 0, dst=canvas)
