"""Posts, nets and balls: what tells the two games apart.

>>> sphere_patches(np.array([[0.0, 0.0, 1.0]]), np.eye(3)).shape
(1,)
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from curator.demo.drawing import brush
from curator.demo.drawing.camera import NEAR_M, Camera, FloatArray, Image
from curator.demo.drawing.light import Colour, Light, haze, shade

_GOLDEN = (1 + 5**0.5) / 2
_CORNERS = np.array([(0, a, b * _GOLDEN) for a in (-1, 1) for b in (-1, 1)])
_ICOSAHEDRON = np.concatenate([np.roll(_CORNERS, shift, axis=1) for shift in range(3)]) / math.sqrt(1 + _GOLDEN**2)


@dataclass(frozen=True)
class RugbyPosts:
    """An H: two uprights 5.6 m apart, a crossbar at 3 m, perhaps padded; on the goal line at ``y``."""

    y: float
    top_m: float
    colour: Colour
    pads: Colour | None

    def draw(self, canvas: Image, camera: Camera, light: Light) -> None:
        """Draw the H and its pads."""
        for x in (-2.8, 2.8):
            _bar(canvas, camera, [[x, self.y, 0], [x, self.y, self.top_m]], 0.075, self.colour, light)
        _bar(canvas, camera, [[-2.8, self.y, 3], [2.8, self.y, 3]], 0.07, self.colour, light)
        if self.pads:
            for x in (-2.8, 2.8):
                _bar(canvas, camera, [[x, self.y, 0.1], [x, self.y, 1.8]], 0.24, self.pads, light)


@dataclass(frozen=True)
class SoccerGoal:
    """A frame 7.32 m by 2.44 m with a net ``depth_m`` deep behind it (``behind`` is the sign of y there)."""

    y: float
    behind: float
    depth_m: float
    net: Colour
    cells: int

    def draw(self, canvas: Image, camera: Camera, light: Light) -> None:
        """Draw the net (back, roof and sides), then the frame in front of it."""
        y, half, high = self.y, 3.66, 2.44
        back = y + self.behind * self.depth_m
        roof = y + self.behind * self.depth_m * 0.45
        panels = [
            [(-half, back, 0), (half, back, 0), (half, roof, high), (-half, roof, high)],
            [(-half, y, high), (half, y, high), (half, roof, high), (-half, roof, high)],
            [(-half, y, 0), (-half, back, 0), (-half, roof, high), (-half, y, high)],
            [(half, y, 0), (half, back, 0), (half, roof, high), (half, y, high)],
        ]
        depth = float(camera.project([[0, back, 1]])[1][0])
        if depth > NEAR_M:
            mesh = haze(self.net, depth, light)
            sides = (self.cells // 2, self.cells)
            counts = ((self.cells * 3, self.cells), (self.cells * 3, self.cells // 3), sides, sides)
            clear = float(np.clip(camera.focal_px / depth / 55, 0.3, 0.75))
            brush.translucent(canvas, clear, lambda layer: _nets(layer, camera, panels, counts, mesh))
        white = (238.0, 238.0, 238.0)
        for x in (-half, half):
            _bar(canvas, camera, [[x, y, 0], [x, y, high]], 0.065, white, light)
            _bar(canvas, camera, [[x, y, high], [x, roof, high]], 0.03, white, light)
        _bar(canvas, camera, [[-half, y, high], [half, y, high]], 0.065, white, light)


@dataclass(frozen=True)
class Ball:
    """A ball at a point in metres; an oval one shows its long axis at ``angle_deg``."""

    place: tuple[float, float, float]
    oval: bool
    base: Colour
    patch: Colour
    angle_deg: float
    radius_m: float

    def draw(self, canvas: Image, camera: Camera, light: Light) -> None:
        """Draw the ball as a lit solid, pixel by pixel, at least two pixels in radius."""
        centre, depth = camera.project([self.place])
        if depth[0] < NEAR_M:
            return
        radius = max(2.2, self.radius_m * camera.focal_px / float(depth[0]))
        long_axis = radius * (1.5 if self.oval else 1.0)
        reach = math.ceil(long_axis) + 2
        left, top = (int(value) - reach for value in np.clip(centre[0], -10_000, 10_000))
        rows = slice(max(top, 0), min(top + 2 * reach, camera.height))
        columns = slice(max(left, 0), min(left + 2 * reach, camera.width))
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return
        dx = np.arange(columns.start, columns.stop) + 0.5 - centre[0][0]
        dy = np.arange(rows.start, rows.stop)[:, None] + 0.5 - centre[0][1]
        cos, sin = math.cos(math.radians(self.angle_deg)), math.sin(math.radians(self.angle_deg))
        u, v = (dx * cos + dy * sin) / long_axis, (dy * cos - dx * sin) / radius
        colour, cover = self._lit(u, v, radius, light)
        seen = np.array(light.sky_low) * (hazed := float(depth[0]) / (float(depth[0]) + 2.5 * light.fog_m))
        window = canvas[rows, columns]
        window[:] = np.clip(window + (colour * (1 - hazed) + seen - window) * cover[..., None], 0, 255).astype(np.uint8)

    def _lit(self, u: FloatArray, v: FloatArray, radius: float, light: Light) -> tuple[FloatArray, FloatArray]:
        """Return colours (h, w, 3) and coverage (h, w) of the solid on its own axes, 1 at the outline."""
        squared = u * u + v * v
        cover = np.clip((1 - np.sqrt(squared)) * radius + 0.5, 0, 1)
        normals = np.stack([u, v, np.sqrt(np.clip(1 - squared, 0, 1))], axis=-1)
        first, second = math.radians(self.angle_deg), math.radians(self.angle_deg * 1.7 + 20)
        cos, sin = math.cos(first), math.sin(first)
        about_z = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
        about_x = np.array(
            [[1, 0, 0], [0, math.cos(second), -math.sin(second)], [0, math.sin(second), math.cos(second)]]
        )
        marked = _panels(u, v) if self.oval else sphere_patches(normals, about_z @ about_x)
        colour = np.array(self.base) + (np.array(self.patch) - np.array(self.base)) * marked[..., None]
        upward = -(normals[..., 0] * sin + normals[..., 1] * cos)
        sideward = -(normals[..., 0] * cos - normals[..., 1] * sin) * light.side
        lit = 0.68 + 0.27 * upward + 0.2 * light.strength * sideward + 0.12 * normals[..., 2]
        return colour * np.clip(lit, 0.2, 1.15)[..., None], cover


def make_ball(rng: np.random.Generator, place: FloatArray, high_m: float, *, oval: bool) -> Ball:
    """Make a rugby ball, or a soccer ball in the same colours."""
    bases = ((240.0, 240.0, 240.0), (225.0, 232.0, 235.0), (60.0, 215.0, 235.0), (60.0, 130.0, 240.0))
    patches = ((30.0, 30.0, 30.0), (40.0, 40.0, 180.0), (160.0, 70.0, 30.0), (60.0, 120.0, 40.0))
    base, patch, most_deg = bases[rng.integers(4)], patches[rng.integers(4)], 70 if oval else 180
    angle_deg = float(rng.uniform(-most_deg, most_deg))
    return Ball((float(place[0]), float(place[1]), high_m), oval, base, patch, angle_deg, 0.125 if oval else 0.15)


def _bar(canvas: Image, camera: Camera, ends: list[list[float]], radius_m: float, colour: Colour, light: Light) -> None:
    points, depths = camera.project(ends)
    if depths.min() < NEAR_M:
        return
    radii = radius_m * camera.focal_px / depths
    depth = float(depths.mean())
    first, second = np.maximum(radii, 0.6).tolist()
    brush.capsule(canvas, points[0], points[1], first, second, haze(shade(colour, 0.82), depth, light))
    if radii.max() > 1.2:
        lit = points + np.array([-light.side * 0.3, 0.0]) * radii[:, None]
        first, second = (radii * 0.5).tolist()
        brush.capsule(canvas, lit[0], lit[1], first, second, haze(shade(colour, 1.05), depth, light))


def _nets(
    canvas: Image,
    camera: Camera,
    panels: list[list[tuple[float, float, float]]],
    counts: tuple[tuple[int, int], ...],
    colour: Colour,
) -> None:
    for panel, (n_across, n_up) in zip(panels, counts, strict=True):
        low_left, low_right, top_right, top_left = np.array(panel, np.float64)
        across, up = np.linspace(0, 1, n_across + 1)[:, None], np.linspace(0, 1, n_up + 1)[:, None]
        starts = np.concatenate([low_left + (low_right - low_left) * across, low_left + (top_left - low_left) * up])
        ends = np.concatenate([top_left + (top_right - top_left) * across, low_right + (top_right - low_right) * up])
        (first, near), (second, far) = camera.project(starts), camera.project(ends)
        for start, end, visible in zip(first, second, np.minimum(near, far) > NEAR_M, strict=True):
            if visible:
                brush.line(canvas, start, end, colour, 1.0)


def sphere_patches(normals: FloatArray, turn: FloatArray) -> FloatArray:
    """Return the share of dark patch at each surface normal (…, 3): twelve patches, at an icosahedron's corners."""
    nearest = (normals @ turn @ _ICOSAHEDRON.T).max(axis=-1)
    return np.asarray(np.clip((nearest - 0.915) * 25, 0, 1))


def _panels(u: FloatArray, v: FloatArray) -> FloatArray:
    ends = np.clip((np.abs(u) - 0.55) * 14, 0, 1) * np.clip((0.85 - np.abs(u)) * 14, 0, 1)
    bulge = np.sqrt(np.clip(1 - u * u, 1e-3, 1))
    seams = np.clip(1 - np.abs(np.abs(v / bulge) - 0.35) * 22, 0, 1) * 0.5
    return np.asarray(np.clip(ends + seams + np.clip(1 - np.abs(u) * 30, 0, 1) * 0.3, 0, 1))
