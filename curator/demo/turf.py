"""The pitch: grass with mowing stripes, wear and mud, and the white lines of either game, exact in perspective.

Lines are given in folded coordinates, so that one quarter of the pitch describes it all: ``across`` is the distance
from the long axis, ``inside`` the distance from the nearer goal line (negative behind it), both in metres.

>>> [mark.radius_m for mark in SOCCER_MARKS if isinstance(mark, Arc)]
[9.15, 9.15, 1.0]
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from curator.demo.camera import Camera, FloatArray, Ground, Image
from curator.demo.light import Light, vary

LENGTH_M = 100.0
HALF_WIDTH_M = 34.0
_HALF_LINE_M = 0.06


@dataclass(frozen=True)
class Cross:
    """A line parallel to the goal line, between two distances from the long axis; ``dash_m`` 0 is unbroken."""

    inside_m: float
    from_m: float
    to_m: float
    dash_m: float = 0.0


@dataclass(frozen=True)
class Long:
    """A line parallel to the touchline, between two distances from the goal line; ``dash_m`` 0 is unbroken."""

    across_m: float
    from_m: float
    to_m: float
    dash_m: float = 0.0


@dataclass(frozen=True)
class Arc:
    """A circle around a point of the pitch, drawn only deeper than ``beyond_m`` from the goal line."""

    across_m: float
    inside_m: float
    radius_m: float
    beyond_m: float = 0.0


Mark = Cross | Long | Arc
SOCCER_MARKS: tuple[Mark, ...] = (
    Cross(0, 0, HALF_WIDTH_M),
    Cross(LENGTH_M / 2, 0, HALF_WIDTH_M),
    Long(HALF_WIDTH_M, 0, LENGTH_M / 2),
    Cross(16.5, 0, 20.16),
    Long(20.16, 0, 16.5),
    Cross(5.5, 0, 9.16),
    Long(9.16, 0, 5.5),
    Arc(0, LENGTH_M / 2, 9.15),
    Arc(0, 11, 9.15, beyond_m=16.5),
    Arc(HALF_WIDTH_M, 0, 1.0),
)
RUGBY_MARKS: tuple[Mark, ...] = (
    Cross(0, 0, HALF_WIDTH_M),
    Cross(-9, 0, HALF_WIDTH_M),
    Cross(22, 0, HALF_WIDTH_M),
    Cross(LENGTH_M / 2, 0, HALF_WIDTH_M),
    Cross(5, 0, HALF_WIDTH_M, dash_m=2.5),
    Cross(40, 0, HALF_WIDTH_M, dash_m=2.5),
    Long(HALF_WIDTH_M, -9, LENGTH_M / 2),
    Long(HALF_WIDTH_M - 5, 0, LENGTH_M / 2, dash_m=2.5),
    Long(HALF_WIDTH_M - 15, 0, LENGTH_M / 2, dash_m=2.5),
)


def paint_turf(canvas: Image, camera: Camera, light: Light, marks: tuple[Mark, ...], rng: np.random.Generator) -> None:
    """Paint the pitch with its marks over ``canvas``, below the horizon."""
    ground = camera.ground()
    tone = 1 + _stripes(ground, rng) + _texture(ground, camera, rng)
    colour = np.array(_grass(light, rng), np.float32)
    soil = np.array(vary(rng, (62, 92, 122), 20), np.float32)
    turf = (colour + (soil - colour) * _wear(ground, rng)[..., None]) * tone[..., None]
    chalk = np.float32(225 * _brightness(light)) * np.float32(rng.uniform(0.75, 1.0))
    turf += (chalk - turf) * (draw_marks(ground, marks) * np.float32(rng.uniform(0.55, 0.95)))[..., None]
    far = (ground.depth / (ground.depth + np.float32(2.5 * light.fog_m)))[..., None]
    turf += (np.array(light.sky_low, np.float32) - turf) * far
    blended = canvas + (turf - canvas) * ground.cover[..., None]
    canvas[:] = np.clip(blended, 0, 255).astype(np.uint8)


def _grass(light: Light, rng: np.random.Generator) -> tuple[float, float, float]:
    dry, lush, artificial = (70, 128, 128), (48, 112, 68), (74, 118, 50)
    blue, green, red = vary(rng, (dry, lush, lush, artificial)[rng.integers(4)], 22)
    factor = _brightness(light)
    return blue * factor, green * factor, red * factor


def _brightness(light: Light) -> float:
    return {"floodlit": 0.8, "rain": 0.75, "golden": 0.95, "clear": 1.1}.get(light.weather, 1.0)


def _stripes(ground: Ground, rng: np.random.Generator) -> FloatArray:
    """Give the brightness of mowing stripes across, along or both ways, softened where they get thin."""
    strength, width = np.float32(rng.uniform(0, 0.13)), np.float32(rng.uniform(3, 9))
    kind = rng.integers(4)
    fade = np.clip(1 - ground.depth / 150, 0, 1)
    tone = np.zeros_like(ground.x)
    for bit, axis in ((1, ground.x), (2, ground.y)):
        if kind & bit:
            tone += (np.abs((axis / width) % 2 - 1) * 8 - 4).clip(-1, 1)
    return tone * strength * fade


def _texture(ground: Ground, camera: Camera, rng: np.random.Generator) -> FloatArray:
    """Give blades, tufts and patches: noise laid on the ground, each scale fading where a pixel outgrows it."""
    tone = np.zeros_like(ground.x)
    pixel_m = ground.depth / np.float32(camera.focal_px)
    grain = rng.random((128, 128), dtype=np.float32) * 2 - 1
    for cell_m, strength in ((0.015, 0.3), (0.06, 0.28), (0.3, 0.2), (1.6, 0.14), (7.0, 0.16)):
        x = (ground.x / np.float32(cell_m)) % 128
        y = (ground.y / np.float32(cell_m * 0.7)) % 128
        laid = cv2.remap(grain, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        tone += laid * np.float32(strength) * np.clip(1.6 * np.float32(cell_m) / pixel_m - 0.3, 0, 1)
    return tone


def _wear(ground: Ground, rng: np.random.Generator) -> FloatArray:
    """Give the share of bare soil, 0 to 0.8: patches some 5 m wide, on some pitches only."""
    amount = max(0.0, rng.uniform(-0.6, 0.6))
    grid = cv2.GaussianBlur(rng.random((64, 64), dtype=np.float32), (0, 0), 1.0)
    x, y = (ground.x / 3) % 63, (ground.y / 3) % 63
    patches = cv2.remap(grid, x, y, cv2.INTER_LINEAR)
    share: FloatArray = np.clip((patches - 0.62 + 0.12 * amount) * 8, 0, 1) * np.float32(amount)
    return share


def draw_marks(ground: Ground, marks: tuple[Mark, ...]) -> FloatArray:
    """Give each pixel's share of white line, 0 to 1: float32, the ground's shape."""
    across = np.abs(ground.x)
    inside = np.float32(LENGTH_M / 2) - np.abs(ground.y + np.float32(LENGTH_M / 2))
    cover = np.zeros_like(ground.x)
    for mark in marks:
        np.maximum(cover, _one_mark(mark, across, inside, ground), out=cover)
    return cover * ground.cover


def _one_mark(mark: Mark, across: FloatArray, inside: FloatArray, ground: Ground) -> FloatArray:
    if isinstance(mark, Arc):
        radius = np.sqrt((across - np.float32(mark.across_m)) ** 2 + (inside - np.float32(mark.inside_m)) ** 2)
        allowed = (inside >= mark.beyond_m) & (across <= HALF_WIDTH_M)
        return _band(radius - np.float32(mark.radius_m)) * allowed
    if isinstance(mark, Cross):
        offset, along, running = inside - np.float32(mark.inside_m), across, across
    else:
        offset, along, running = across - np.float32(mark.across_m), inside, ground.y
    allowed = (along >= mark.from_m - _HALF_LINE_M) & (along <= mark.to_m + _HALF_LINE_M)
    if mark.dash_m:
        allowed &= running % np.float32(2 * mark.dash_m) < mark.dash_m
    return _band(offset) * allowed


def _band(offset: FloatArray) -> FloatArray:
    """Give the share of each pixel within half a line's width of offset 0: a box filter one pixel wide."""
    slope = np.abs(np.diff(offset, axis=0, append=offset[-1:])) + np.abs(np.diff(offset, axis=1, append=offset[:, -1:]))
    half = np.maximum(slope, np.float32(1e-3)) / 2
    overlap = np.minimum(offset + half, _HALF_LINE_M) - np.maximum(offset - half, -_HALF_LINE_M)
    share: FloatArray = np.clip(overlap / (2 * half), 0, 1)
    return share
