"""A stage for either game: where the camera is, who is on the pitch, what props; and how that becomes a picture.

>>> shot = choose_shot(np.random.default_rng(1), "wide", target=(0.0, -20.0), size=(320, 240))
>>> shot.camera.width, shot.camera.height
(320, 240)
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from curator.demo.drawing import brush
from curator.demo.drawing.backdrop import paint_backdrop, paint_sky
from curator.demo.drawing.camera import NEAR_M, Camera, Ground, Image, look_at
from curator.demo.drawing.equipment import Ball, RugbyPosts, SoccerGoal
from curator.demo.drawing.figures import Figure
from curator.demo.drawing.light import Light, grade
from curator.demo.drawing.turf import Mark, paint_turf

Prop = Figure | Ball | RugbyPosts | SoccerGoal
SHOTS = ("wide", "touchline", "close")
_LENSES = {  # metres away, metres high, metres of the scene across the picture's shorter side
    "wide": ((28, 60), (4, 16), (9, 17)),
    "touchline": ((14, 30), (1.2, 3.5), (4.0, 7.5)),
    "close": ((9, 20), (0.7, 2.2), (2.3, 3.6)),
    "macro": ((3, 7), (0.3, 1.1), (0.9, 1.7)),
}


@dataclass(frozen=True)
class Shot:
    """A camera, how far away it is focused, and how strongly it blurs what is further."""

    camera: Camera
    focus_m: float
    aperture: float


@dataclass(frozen=True)
class Stage:
    """Everything in one picture."""

    shot: Shot
    light: Light
    marks: tuple[Mark, ...]
    props: tuple[Prop, ...]


def choose_shot(
    rng: np.random.Generator,
    kind: str,
    target: tuple[float, float],
    size: tuple[int, int],
    bearing_deg: float | None = None,
) -> Shot:
    """Stand a camera ``kind`` ("wide", "touchline", "close" or "macro") away from ``target`` (x, y in metres).

    Args:
        bearing_deg: where the camera looks, 0 being +y; any direction if not given.
    """
    away, high, across = (rng.uniform(*limits) for limits in _LENSES[kind])
    bearing = math.radians(rng.uniform(0, 360) if bearing_deg is None else bearing_deg)
    place = (target[0] - away * math.sin(bearing), target[1] - away * math.cos(bearing), high)
    aim = (target[0] + rng.uniform(-0.12, 0.12) * across, target[1], rng.uniform(0.15, 0.45) * across)
    distance = math.dist(place, aim)
    focal = min(size) * distance / across
    roll = rng.uniform(-4, 4) if rng.random() < 0.5 else 0.0
    aperture = {"wide": 0.01, "touchline": 0.06, "close": 0.12, "macro": 0.06}[kind] * rng.uniform(0.3, 1.3)
    return Shot(look_at(size, place, aim, focal, roll), distance, aperture)


def photograph(stage: Stage, rng: np.random.Generator) -> Image:
    """Draw a stage from back to front, then render it as a camera would."""
    camera, light = stage.shot.camera, stage.light
    canvas = paint_sky(camera, light, rng)
    paint_backdrop(canvas, camera, light, rng, stage.shot.focus_m + rng.uniform(20, 70))
    ground = camera.ground()
    paint_turf(canvas[ground.top :], ground, camera.focal_px, light, stage.marks, rng)
    ordered = sorted(stage.props, key=lambda prop: -_depth(camera, prop))
    behind = [prop for prop in ordered if _depth(camera, prop) > stage.shot.focus_m * 1.35]
    _cast_shadows(canvas, camera, light, stage.props)
    for prop in behind:
        prop.draw(canvas, camera, light)
    _defocus(canvas, stage.shot, ground)
    for prop in ordered[len(behind) :]:
        prop.draw(canvas, camera, light)
    if light.weather == "rain":
        _rain(canvas, rng)
    cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.35, 0.85), dst=canvas)
    return grade(canvas, light, rng)


def _depth(camera: Camera, prop: Prop) -> float:
    place = prop.place if isinstance(prop, Figure | Ball) else (0.0, prop.y, 0.0)
    return float(camera.project([place])[1][0])


def _defocus(canvas: Image, shot: Shot, ground: Ground) -> None:
    """Blur what is out of focus: all that is behind the pitch, and the pitch where it is far or very near."""
    sigma = shot.aperture * shot.camera.focal_px / shot.focus_m * 0.55
    if sigma < 0.4:
        return
    blurred = cv2.GaussianBlur(canvas, (0, 0), sigma)
    canvas[: ground.top] = blurred[: ground.top]
    nearness = ground.depth / np.float32(shot.focus_m)
    weight = np.maximum(np.clip((nearness - 1.05) * 2.5, 0, 1), np.clip((0.8 - nearness) * 3, 0, 1))
    below = canvas[ground.top :]
    below[:] = (below + (blurred[ground.top :] - below.astype(np.float32)) * weight[..., None]).astype(np.uint8)


def _cast_shadows(canvas: Image, camera: Camera, light: Light, props: tuple[Prop, ...]) -> None:
    """Darken the ground beside each player, long and sharp in sun, a soft blot without it."""
    mask, sharp = np.zeros(canvas.shape[:2], np.uint8), light.strength > 0.3
    turn = np.linspace(0, 2 * math.pi, 16, endpoint=False)
    ring = np.stack([np.cos(turn), np.sin(turn)], axis=-1)
    ahead = (ring @ light.sun > 0)[:, None]
    for prop in props:
        if isinstance(prop, Figure | Ball):
            reach, wide = (1.7, 0.24) if isinstance(prop, Figure) else (0.15, 0.12)
            outline = (
                np.array(prop.place[:2]) + ring * wide + np.where(ahead, light.sun * (reach if sharp else 0.05), 0)
            )
            pixels, depths = camera.project(np.concatenate([outline, np.zeros((16, 1))], axis=1))
            if depths.min() > NEAR_M:
                brush.polygon(mask, pixels, 255.0)
    px_per_m = camera.focal_px / max(NEAR_M, float(np.median([_depth(camera, prop) for prop in props])))
    softened = cv2.GaussianBlur(mask, (0, 0), max(1.0, (0.03 if sharp else 0.1) * px_per_m))
    depth = np.float32((0.55 if sharp else 0.35) / 255)
    canvas[:] = (canvas * (1 - softened[..., None].astype(np.float32) * depth)).astype(np.uint8)


def _rain(canvas: Image, rng: np.random.Generator) -> None:
    height, width = canvas.shape[:2]
    slant, length = rng.uniform(-0.3, 0.3), rng.uniform(8, 22)
    starts = rng.uniform([0, -20], [width, height], (int(rng.integers(80, 260)), 2))

    def streaks(layer: Image) -> None:
        for start in starts:
            brush.line(layer, start, start + length * np.array([slant, 1.0]), (225, 225, 225), 1.0)

    brush.translucent(canvas, 0.22, streaks)
