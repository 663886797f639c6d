"""Players: a two-dimensional skeleton with joint angles, dressed in a kit and stood on the pitch.

>>> joints = pose_joints(STANDING, turn=0.0)
>>> round(float(joints["head"][1]), 1), float(min(joints["left_foot"][1], joints["right_foot"][1]))
(1.6, 0.0)
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curator.demo.drawing import brush
from curator.demo.drawing.camera import NEAR_M, Camera, FloatArray, Image
from curator.demo.drawing.light import Colour, Light, haze, shade, vary

_THIGH_M, _SHIN_M, _TORSO_M, _ARM_M, _FOREARM_M = 0.44, 0.44, 0.54, 0.29, 0.26
_SKINS: tuple[Colour, ...] = ((150, 180, 226), (120, 150, 205), (84, 116, 172), (56, 78, 122), (36, 50, 82))
_BOLD: tuple[Colour, ...] = (
    *((40, 40, 190), (170, 70, 30), (60, 130, 40), (40, 200, 230), (235, 235, 235)),
    *((30, 30, 30), (120, 40, 120), (40, 120, 240), (220, 190, 120)),
)
_HAIR: tuple[Colour, ...] = ((20, 22, 28), (30, 44, 66), (60, 96, 140), (110, 160, 200), (40, 60, 130))


@dataclass(frozen=True)
class Pose:
    """Joint angles in degrees, forward positive, from hanging straight down; ``lift_m`` raises the feet."""

    lean: float = 4
    thighs: tuple[float, float] = (6, -6)
    knees: tuple[float, float] = (4, 4)
    arms: tuple[float, float] = (-12, 14)
    elbows: tuple[float, float] = (20, 20)
    lift_m: float = 0.0


STANDING = Pose()
BENT = Pose(lean=82, thighs=(38, -30), knees=(35, 20), arms=(80, 95), elbows=(10, 10))
CROUCHED = Pose(lean=48, thighs=(60, 40), knees=(75, 65), arms=(50, 70), elbows=(30, 20))
REACHING = Pose(lean=3, thighs=(5, -5), knees=(6, 6), arms=(165, 172), elbows=(8, 8))
LYING = Pose(lean=92, thighs=(-80, -95), knees=(20, 10), arms=(110, 70), elbows=(30, 30))
KICKING = Pose(lean=-14, thighs=(62, -8), knees=(12, 14), arms=(-60, 70), elbows=(25, 25))
DIVING = Pose(lean=78, thighs=(-70, -95), knees=(25, 10), arms=(165, 150), elbows=(10, 10), lift_m=0.6)


def running(rng: np.random.Generator) -> Pose:
    """Draw one moment of a runner's stride."""
    swing, knee = rng.uniform(22, 58), rng.uniform(30, 100)
    return Pose(
        lean=rng.uniform(4, 24),
        thighs=(swing, -swing * rng.uniform(0.5, 0.9)),
        knees=(knee * rng.uniform(0.2, 1), knee),
        arms=(-swing, swing),
        elbows=(rng.uniform(40, 95), rng.uniform(40, 95)),
        lift_m=rng.uniform(0, 0.12),
    )


@dataclass(frozen=True)
class Kit:
    """What one side wears."""

    shirt: Colour
    trim: Colour
    shorts: Colour
    socks: Colour
    pattern: str


def choose_kit(rng: np.random.Generator) -> Kit:
    """Draw a kit; every label draws from the same ones."""
    patterns = ("plain", "plain", "hoops", "stripes", "sleeves", "sash")
    shirt, trim, shorts, socks = (vary(rng, _BOLD[rng.integers(len(_BOLD))], 18) for _ in range(4))
    return Kit(shirt, trim, shorts, socks if rng.random() < 0.4 else shirt, str(rng.choice(patterns)))


@dataclass(frozen=True)
class Figure:
    """One player on the pitch; ``turn`` is -1 facing left, 0 facing the camera, 1 facing right."""

    place: tuple[float, float, float]
    pose: Pose
    kit: Kit
    turn: float
    skin: Colour
    hair: Colour
    height_m: float = 1.8
    bulk: float = 1.0

    def draw(self, canvas: Image, camera: Camera, light: Light) -> None:
        """Draw a player, from the far limbs to the near ones."""
        feet, depth = camera.project([self.place])
        if depth[0] < NEAR_M + 0.5:
            return
        scale = camera.focal_px / float(depth[0]) * self.height_m / 1.8
        joints = {name: feet[0] + scale * joint * [1, -1] for name, joint in pose_joints(self.pose, self.turn).items()}
        painter = _Painter(canvas, joints, scale * self.bulk, light, float(depth[0]))
        far, near = ("left", "right") if self.turn >= 0 else ("right", "left")
        painter.arm(far, self, 0.78)
        painter.leg(far, self, 0.8)
        painter.leg(near, self, 1.0)
        painter.torso(self)
        painter.head(self)
        painter.arm(near, self, 1.0)


def make_figure(
    rng: np.random.Generator, place: npt.ArrayLike, pose: Pose, kit: Kit, turn: float, bulk: float = 1.0
) -> Figure:
    """Dress a player of random build at ``place`` (x, y in metres)."""
    skin, hair = _SKINS[rng.integers(len(_SKINS))], _HAIR[rng.integers(len(_HAIR))]
    size, width = rng.uniform(1.68, 1.95), bulk * rng.uniform(0.92, 1.1)
    x, y = np.asarray(place, np.float64).tolist()
    return Figure((x, y, 0.0), pose, kit, turn, vary(rng, skin, 10), hair, size, width)


def pose_joints(pose: Pose, turn: float) -> dict[str, FloatArray]:
    """Return each joint's (sideways, up) position in metres for a body 1.8 m tall, lowest at ``lift_m``."""
    depth = max(abs(turn), 0.25) * (1 if turn >= 0 else -1)
    spread = 1 - 0.65 * abs(turn)

    def step(start: FloatArray, length: float, degrees: float) -> FloatArray:
        angle = math.radians(degrees)
        return start + length * np.array([math.sin(angle) * depth, -math.cos(angle)])

    hip = np.zeros(2)
    chest = step(hip, _TORSO_M, 180 - pose.lean)
    joints = {"hip": hip, "chest": chest, "head": step(chest, 0.2, 180 - pose.lean * 0.75)}
    for index, side in enumerate(("left", "right")):
        sign = 1 if index else -1
        thigh = hip + np.array([sign * 0.11 * spread, 0])
        joints[f"{side}_hip"] = thigh
        knee = step(thigh, _THIGH_M, pose.thighs[index])
        ankle = step(knee, _SHIN_M, pose.thighs[index] - pose.knees[index])
        toe = ankle + np.array([0.17 * depth + sign * 0.04 * spread, -0.03])
        shoulder = chest + np.array([sign * 0.19 * spread, -0.04])
        elbow = step(shoulder, _ARM_M, pose.arms[index]) + np.array([sign * 0.08 * spread, 0])
        hand = step(elbow, _FOREARM_M, pose.arms[index] + pose.elbows[index])
        joints |= {f"{side}_knee": knee, f"{side}_ankle": ankle, f"{side}_foot": toe}
        joints |= {f"{side}_shoulder": shoulder, f"{side}_elbow": elbow, f"{side}_hand": hand}
    floor = min(joint[1] for joint in joints.values())
    return {name: joint + np.array([0, pose.lift_m - floor]) for name, joint in joints.items()}


class _Painter:
    """Draws the parts of one figure; ``scale`` is pixels a metre."""

    def __init__(
        self, canvas: Image, joints: dict[str, FloatArray], scale: float, light: Light, depth_m: float
    ) -> None:
        self.canvas, self.joints, self.scale, self.light, self.depth_m = canvas, joints, scale, light, depth_m

    def limb(self, start: str, end: str, radii: tuple[float, float], colour: Colour, factor: float) -> None:
        """Draw one limb, darker away from the sun and lighter along the side that faces it."""
        first, last = self.joints[start], self.joints[end]
        wide, thin = radii[0] * self.scale, radii[1] * self.scale
        seen = haze(shade(colour, factor * (1 - 0.25 * self.light.strength)), self.depth_m, self.light)
        brush.capsule(self.canvas, first, last, wide, thin, seen)
        if wide > 2:
            aside = np.array([-self.light.side * 0.35, -0.15])
            bright = haze(shade(colour, factor * (1 + 0.18 * self.light.strength)), self.depth_m, self.light)
            brush.capsule(self.canvas, first + aside * wide, last + aside * thin, wide * 0.55, thin * 0.55, bright)

    def leg(self, side: str, figure: Figure, factor: float) -> None:
        knee, ankle = f"{side}_knee", f"{side}_ankle"
        self.limb(knee, ankle, (0.062, 0.045), figure.kit.socks, factor)
        self.limb(f"{side}_hip", knee, (0.088, 0.062), figure.skin, factor)
        self.joints["mid"] = self.joints[f"{side}_hip"] * 0.35 + self.joints[knee] * 0.65
        self.limb(f"{side}_hip", "mid", (0.11, 0.1), figure.kit.shorts, factor)
        self.limb(ankle, f"{side}_foot", (0.048, 0.036), (35, 35, 38), factor)

    def arm(self, side: str, figure: Figure, factor: float) -> None:
        elbow = f"{side}_elbow"
        sleeve = figure.kit.trim if figure.kit.pattern == "sleeves" else figure.kit.shirt
        self.limb(elbow, f"{side}_hand", (0.042, 0.035), figure.skin, factor)
        self.limb(f"{side}_shoulder", elbow, (0.062, 0.046), sleeve, factor)

    def torso(self, figure: Figure) -> None:
        kit = figure.kit
        self.limb("hip", "hip", (0.145, 0.145), kit.shorts, 0.95)
        self.limb("chest", "hip", (0.175, 0.14), kit.shirt, 1.0)
        axis = self.joints["hip"] - self.joints["chest"]
        aside = np.array([-axis[1], axis[0]]) / max(1e-6, float(np.hypot(*axis))) * self.scale * 0.15
        bands: list[tuple[FloatArray, FloatArray]] = []
        if kit.pattern == "hoops":
            middles = [self.joints["chest"] + axis * share for share in (-0.05, 0.35, 0.75)]
            bands = [(middle - aside, middle + aside) for middle in middles]
        elif kit.pattern == "stripes":
            bands = [(self.joints["chest"] + aside * k, self.joints["hip"] + aside * k * 0.8) for k in (-0.7, 0.0, 0.7)]
        elif kit.pattern == "sash":
            bands = [(self.joints["chest"] - aside * 0.9, self.joints["hip"] + aside * 0.9)]
        colour = haze(shade(kit.trim, 0.95), self.depth_m, self.light)
        for start, end in bands:
            brush.line(self.canvas, start, end, colour, max(1.0, 0.075 * self.scale))

    def head(self, figure: Figure) -> None:
        head = self.joints["head"]
        self.limb("chest", "head", (0.06, 0.06), figure.skin, 0.8)
        radii = (0.098 * self.scale, 0.125 * self.scale)
        seen = haze(shade(figure.hair, 1.0), self.depth_m, self.light)
        brush.ellipse(self.canvas, head, radii, 0, seen)
        face = haze(shade(figure.skin, 1 + 0.08 * self.light.strength), self.depth_m, self.light)
        offset = np.array([0.03 * figure.turn, 0.035]) * self.scale
        brush.ellipse(self.canvas, head + offset, (radii[0] * 0.86, radii[1] * 0.76), 0, face)
