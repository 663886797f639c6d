"""The pitch: grass with mowing stripes, wear and mud, and the white lines of either game, exact in perspective.

Lines are given in folded coordinates, so that one quarter of the pitch describes it all: ``across`` is the distance
from the long axis, ``inside`` the distance from the nearer goal line (negative behind it), both in metres.

>>> [mark.radius_m for mark in SOCCER_MARKS if isinstance(mark, Arc)]
[9.15, 9.15, 1.0]
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from curator.demo.drawing.backdrop import smooth_noise
from curator.demo.drawing.camera import FloatArray, Ground, Image, to_pixels
from curator.demo.drawing.light import Light, shade, vary

LENGTH_M = 100.0
HALF_WIDTH_M = 34.0
_HALF_LINE_M = 0.06
_GRAIN_PX, _TEXELS = 512, 4  # the grain's sides, and its pixels a cell


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


def paint_turf(
    canvas: Image, ground: Ground, focal_px: float, light: Light, marks: tuple[Mark, ...], rng: np.random.Generator
) -> None:
    """Paint the pitch with its marks over ``canvas``, the rows that see ``ground``."""
    tone = 1 + _stripes(ground, rng) + _texture(ground, focal_px, rng)
    bright = {"floodlit": 0.8, "rain": 0.75, "golden": 0.95, "clear": 1.1}.get(light.weather, 1.0)
    dry, lush, artificial = (70, 128, 128), (48, 112, 68), (74, 118, 50)
    grass = shade(vary(rng, (dry, lush, lush, artificial)[rng.integers(4)], 22), bright)
    colour, soil = np.array(grass, np.float32), np.array(vary(rng, (62, 92, 122), 20), np.float32)
    turf = (colour + (soil - colour) * _wear(ground, rng)[..., None]) * tone[..., None]
    chalk = np.float32(225 * bright) * np.float32(rng.uniform(0.75, 1.0))
    turf += (chalk - turf) * (draw_marks(ground, marks) * np.float32(rng.uniform(0.55, 0.95)))[..., None]
    far = (ground.depth / (ground.depth + np.float32(2.5 * light.fog_m)))[..., None]
    turf += (np.array(light.sky_low, np.float32) - turf) * far
    canvas[:] = to_pixels(canvas + (turf - canvas) * ground.cover[..., None])


def _stripes(ground: Ground, rng: np.random.Generator) -> FloatArray:
    """Return the brightness of mowing stripes across, along or both ways, softened where they get thin."""
    strength, width = np.float32(rng.uniform(0, 0.13)), np.float32(rng.uniform(3, 9))
    kind = rng.integers(4)
    tone = np.zeros_like(ground.x)
    for bit, axis in ((1, ground.x), (2, ground.y)):
        if kind & bit:
            tone += (np.abs((axis / width) % 2 - 1) * 8 - 4).clip(-1, 1)
    return tone * strength * np.clip(1 - ground.depth / 150, 0, 1)


def _texture(ground: Ground, focal_px: float, rng: np.random.Generator) -> FloatArray:
    """Return blades, tufts and patches: noise laid on the ground, each scale fading where a pixel outgrows it."""
    tone = np.zeros_like(ground.x)
    cells_per_pixel = np.float32(focal_px) / ground.depth
    for cell_m, strength in ((0.015, 0.3), (0.06, 0.28), (0.3, 0.2), (1.6, 0.14), (7.0, 0.16)):
        fade = np.clip(1.6 * np.float32(cell_m) * cells_per_pixel - np.float32(0.3), 0, 1)
        rows = slice(int((fade.max(axis=1, initial=0) > 0).argmax()), None)
        tone[rows] += _laid(ground, rows, cell_m, rng) * fade[rows] * np.float32(strength)
    return tone


def _laid(ground: Ground, rows: slice, cell_m: float, rng: np.random.Generator) -> FloatArray:
    """Lay the grain on the ground, ``cell_m`` a cell, somewhat finer into the picture, from a random place on."""
    offset = rng.integers(_GRAIN_PX, size=2)
    texels = np.float32(_TEXELS / cell_m)
    column = (ground.x[rows] * texels).astype(np.int32) + offset[0]
    row = (ground.y[rows] * (texels / np.float32(0.7))).astype(np.int32) + offset[1]
    return np.asarray(_grain()[row & (_GRAIN_PX - 1), column & (_GRAIN_PX - 1)])


@functools.cache
def _grain() -> FloatArray:
    return smooth_noise(np.random.default_rng(11), (_GRAIN_PX, _GRAIN_PX), _TEXELS)


def _wear(ground: Ground, rng: np.random.Generator) -> FloatArray:
    """Return the share of bare soil, 0 to 0.8: patches some metres wide, on some pitches only."""
    amount = rng.uniform(-0.6, 0.6)
    if amount < 0:
        return np.zeros_like(ground.x)
    patches = _laid(ground, slice(None), 4.0, rng) + np.float32(0.5) * _laid(ground, slice(None), 1.1, rng)
    return np.clip((patches - np.float32(0.5 - 0.5 * amount)) * 2, 0, 1) * np.float32(amount)


def draw_marks(ground: Ground, marks: tuple[Mark, ...]) -> FloatArray:
    """Return each pixel's share of white line, 0 to 1: float32, the ground's shape."""
    folded = _Folded(ground)
    cover = np.zeros_like(ground.x)
    for mark in marks:
        if isinstance(mark, Arc):
            folded.add_arc(mark, cover)
        else:
            folded.add_line(mark, cover)
    return cover * ground.cover


class _Folded:
    """The ground in folded coordinates, with how much they change from pixel to pixel."""

    def __init__(self, ground: Ground) -> None:
        self.y = ground.y
        self.across = np.abs(ground.x)
        self.inside = np.float32(LENGTH_M / 2) - np.abs(ground.y + np.float32(LENGTH_M / 2))
        self.across_slope, self.inside_slope = _slope(ground.x), _slope(ground.y)

    def add_arc(self, mark: Arc, cover: FloatArray) -> None:
        across, inside = self.across - np.float32(mark.across_m), self.inside - np.float32(mark.inside_m)
        near = np.flatnonzero((across**2 + inside**2).min(axis=1, initial=np.inf) < (mark.radius_m + 1) ** 2)
        if near.size:
            rows = slice(near[0], near[-1] + 1)
            offset = np.sqrt(across[rows] ** 2 + inside[rows] ** 2) - np.float32(mark.radius_m)
            allowed = (self.inside[rows] >= mark.beyond_m) & (self.across[rows] <= HALF_WIDTH_M)
            np.maximum(cover[rows], _band(offset, _slope(offset)) * allowed, out=cover[rows])

    def add_line(self, mark: Cross | Long, cover: FloatArray) -> None:
        if isinstance(mark, Cross):
            offset, slope = self.inside - np.float32(mark.inside_m), self.inside_slope
            along = running = self.across
        else:
            offset, slope = self.across - np.float32(mark.across_m), self.across_slope
            along, running = self.inside, self.y
        rows, columns = np.nonzero(np.abs(offset) < slope / 2 + _HALF_LINE_M)
        allowed = (along[rows, columns] >= mark.from_m) & (along[rows, columns] <= mark.to_m)
        if mark.dash_m:
            allowed &= running[rows, columns] % np.float32(2 * mark.dash_m) < mark.dash_m
        rows, columns = rows[allowed], columns[allowed]
        seen = _band(offset[rows, columns], slope[rows, columns])
        cover[rows, columns] = np.maximum(cover[rows, columns], seen)


def _slope(offset: FloatArray) -> FloatArray:
    """Return how much a coordinate changes over one pixel, down and across."""
    down, right = np.diff(offset, axis=0, append=offset[-1:]), np.diff(offset, axis=1, append=offset[:, -1:])
    return np.abs(down) + np.abs(right)


def _band(offset: FloatArray, slope: FloatArray) -> FloatArray:
    """Return the share of each pixel within half a line's width of offset 0: a box filter one pixel wide."""
    half = np.maximum(slope, np.float32(1e-3)) / 2
    overlap = np.minimum(offset + half, _HALF_LINE_M) - np.maximum(offset - half, -_HALF_LINE_M)
    return np.clip(overlap / (2 * half), 0, 1)
