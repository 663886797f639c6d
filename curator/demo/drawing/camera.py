"""A pinhole camera over a flat pitch: metres in, pixels out.

World axes in metres: x to the right along the goal line, y into the picture, z up; the pitch is z = 0.

>>> camera = look_at((400, 300), position=(0, -10, 2), target=(0, 0, 2), focal_px=500)
>>> pixels, depth_m = camera.project([[0, 0, 2], [1, 0, 2]])
>>> pixels.tolist(), depth_m.tolist()
([[200.0, 150.0], [250.0, 150.0]], [10.0, 10.0])
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating[Any]]
Image = npt.NDArray[np.uint8]
"""A picture in OpenCV's channel order: blue, green, red; shape (height, width, 3)."""
NEAR_M = 0.3
"""Nothing nearer to the camera is drawn."""


@dataclass(frozen=True)
class Ground:
    """What each pixel sees of the pitch: coordinates and depth in metres, and its share of ground.

    All of shape (height - top, width): the rows above ``top`` see none of it.
    """

    top: int
    x: FloatArray
    y: FloatArray
    depth: FloatArray
    cover: FloatArray


@dataclass(frozen=True)
class Camera:
    """Where the camera is, where it looks (three unit vectors) and how long its lens is, in pixels."""

    width: int
    height: int
    position: FloatArray
    right: FloatArray
    up: FloatArray
    forward: FloatArray
    focal_px: float

    def project(self, points: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Project points, shape (n, 3) in metres, to pixels (n, 2) and depths in metres (n,)."""
        offset = np.asarray(points, np.float64) - self.position
        depth = offset @ self.forward
        scale = self.focal_px / np.maximum(depth, NEAR_M)
        columns = self.width / 2 + scale * (offset @ self.right)
        rows = self.height / 2 - scale * (offset @ self.up)
        return np.stack([columns, rows], axis=-1), depth

    def horizon(self) -> tuple[FloatArray, FloatArray]:
        """Return the horizon as one point on it and its direction, both in pixels."""
        far = self.position * [1, 1, 0] + np.array([self.forward[0], self.forward[1], 0.0]) * 1e5
        (point, other), _ = self.project([far, far + np.array([self.right[0], self.right[1], 0.0]) * 1e4])
        return point, (other - point) / np.linalg.norm(other - point)

    def ground(self) -> Ground:
        """Intersect each pixel's ray with the pitch; ``cover`` softens the horizon over one pixel."""
        across = (np.arange(self.width, dtype=np.float32) + 0.5 - self.width / 2) / self.focal_px
        down = (np.arange(self.height, dtype=np.float32)[:, None] + 0.5 - self.height / 2) / self.focal_px
        falls = across[[0, -1]] * self.right[2] - down * self.up[2] + self.forward[2] < 0
        top = int(falls.any(axis=1).argmax()) if falls.any() else self.height
        x, y, z = (
            np.float32(self.forward[axis])
            + across * np.float32(self.right[axis])
            - down[top:] * np.float32(self.up[axis])
            for axis in range(3)
        )
        steps = np.float32(self.position[2]) / np.maximum(-z, np.float32(1e-3))
        cover = np.clip(-z * np.float32(self.focal_px), 0, 1)
        here = self.position.astype(np.float32)
        return Ground(top, x * steps + here[0], y * steps + here[1], steps, cover)

    def upright(self, distance_m: float, first: int, last: int) -> tuple[FloatArray, FloatArray]:
        """Intersect the rays of rows ``first`` to ``last`` with a wall that faces the camera, ``distance_m`` away.

        Returns:
            How far to the right of the camera and how far above the pitch, in metres; (last - first, width).
        """
        level = np.array([self.forward[0], self.forward[1], 0.0]) / math.hypot(self.forward[0], self.forward[1])
        across = (np.arange(self.width) + 0.5 - self.width / 2) / self.focal_px
        down = (np.arange(first, last)[:, None] + 0.5 - self.height / 2) / self.focal_px
        x, y, z = (self.forward[axis] + across * self.right[axis] - down * self.up[axis] for axis in range(3))
        steps = distance_m / np.maximum(x * level[0] + y * level[1], 1e-6)
        return steps * (x * level[1] - y * level[0]), self.position[2] + steps * z


def to_pixels(values: npt.NDArray[Any]) -> Image:
    """Cut values to 0 to 255 and drop their fractions."""
    return np.asarray(np.clip(values, 0, 255).astype(np.uint8))


def look_at(
    size: tuple[int, int], position: npt.ArrayLike, target: npt.ArrayLike, focal_px: float, roll_deg: float = 0.0
) -> Camera:
    """Point a camera of ``size`` (width, height) from ``position`` at ``target``, both in metres."""
    place = np.asarray(position, np.float64)
    forward = np.asarray(target, np.float64) - place
    forward /= math.sqrt(float(forward @ forward))
    right = np.array([forward[1], -forward[0], 0.0])
    right /= math.sqrt(float(right @ right))
    up = np.cross(right, forward)
    cos, sin = math.cos(math.radians(roll_deg)), math.sin(math.radians(roll_deg))
    right, up = cos * right + sin * up, cos * up - sin * right
    return Camera(size[0], size[1], place, right, up, forward, focal_px)
