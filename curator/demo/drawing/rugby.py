"""Rugby on the stage: scrum, ruck, line-out, run, kick at the posts, and the oval ball from near.

>>> stage = stage_rugby(np.random.default_rng(3), (320, 240))
>>> {prop.oval for prop in stage.props if hasattr(prop, "oval")}
{True}
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np

from curator.demo.drawing.camera import FloatArray
from curator.demo.drawing.equipment import RugbyPosts, make_ball
from curator.demo.drawing.figures import (
    BENT,
    CROUCHED,
    KICKING,
    LYING,
    REACHING,
    STANDING,
    Figure,
    Kit,
    choose_kit,
    make_figure,
    running,
)
from curator.demo.drawing.light import choose_light
from curator.demo.drawing.staging import SHOTS, Prop, Shot, Stage, choose_shot
from curator.demo.drawing.turf import RUGBY_MARKS

Group = Callable[[np.random.Generator, FloatArray, tuple[Kit, Kit], Shot], list[Prop]]


def stage_rugby(rng: np.random.Generator, size: tuple[int, int]) -> Stage:
    """Set one rugby scene for a picture of ``size`` (width, height)."""
    kind = str(rng.choice(list(_GROUPS), p=[share for _, share in _GROUPS.values()]))
    at_posts = kind == "kick" or rng.random() < 0.5
    centre = (rng.uniform(-9, 9), rng.uniform(-20, -6)) if at_posts else (rng.uniform(-26, 26), rng.uniform(-85, -15))
    bearing = rng.normal(0, 14) if at_posts else None
    lens = "macro" if kind == "ball" else str(rng.choice(SHOTS, p=[0.35, 0.45, 0.2]))
    shot = choose_shot(rng, lens, centre, size, bearing)
    props = _GROUPS[kind][0](rng, np.array(centre), (choose_kit(rng), choose_kit(rng)), shot)
    pads = choose_kit(rng).shirt if rng.random() < 0.7 else None
    white = (235.0, 238.0, 238.0) if rng.random() < 0.8 else choose_kit(rng).shirt
    top = rng.uniform(8, 14)
    posts = [RugbyPosts(y, top, white, pads) for y in (0.0, -100.0)]
    return Stage(shot, choose_light(rng), RUGBY_MARKS, (*props, *posts))


def _scrum(rng: np.random.Generator, centre: FloatArray, kits: tuple[Kit, Kit], shot: Shot) -> list[Prop]:
    """Two packs of eight, bent and bound against each other along the picture's width, and a scrum-half."""
    right, forward = shot.camera.right[:2], shot.camera.forward[:2]
    props: list[Prop] = []
    for side in (-1, 1):
        for row, count in enumerate((3, 4, 1)):
            for index in range(count):
                along = -side * (0.5 + 0.62 * row) + rng.normal(0, 0.05)
                aside = (index - (count - 1) / 2) * 0.52 + rng.normal(0, 0.06)
                place = centre + right * along + forward * aside
                pose = dataclasses.replace(
                    BENT, lean=rng.uniform(70, 88), thighs=(rng.uniform(15, 50), rng.uniform(-45, -15))
                )
                props.append(make_figure(rng, place, pose, kits[side > 0], side * rng.uniform(0.8, 1), 1.25))
    half = centre - forward * 1.1 + right * rng.uniform(-0.8, 0.8)
    props.append(make_figure(rng, half, CROUCHED, kits[0], rng.uniform(-1, 1)))
    return [*props, make_ball(rng, half - forward * 0.3, 0.35, oval=True), *_backs(rng, centre, kits, 5)]


def _ruck(rng: np.random.Generator, centre: FloatArray, kits: tuple[Kit, Kit], shot: Shot) -> list[Prop]:
    """A heap: some lie, some crouch over them from both sides, the ball at its edge."""
    right = shot.camera.right[:2]
    props: list[Prop] = []
    for index in range(int(rng.integers(6, 12))):
        side = 1 if index % 2 else -1
        place = centre + right * -side * rng.uniform(0, 1.0) + rng.normal(0, 0.35, 2)
        pose = (LYING, BENT, CROUCHED, BENT)[rng.integers(4)]
        props.append(make_figure(rng, place, pose, kits[side > 0], side * rng.uniform(0.6, 1), 1.2))
    edge = centre - shot.camera.forward[:2] * 0.9 + right * rng.uniform(-1.2, 1.2)
    return [*props, make_ball(rng, edge, 0.14, oval=True), *_backs(rng, centre, kits, 4)]


def _lineout(rng: np.random.Generator, centre: FloatArray, kits: tuple[Kit, Kit], shot: Shot) -> list[Prop]:
    """Two lines side by side; one jumper, lifted, reaches for the ball."""
    right, forward = shot.camera.right[:2], shot.camera.forward[:2]
    props: list[Prop] = []
    jumper = int(rng.integers(1, 5))
    for side in (-1, 1):
        for index in range(6):
            place = centre + right * side * 0.55 + forward * (index - 2.5) * 0.95 + rng.normal(0, 0.08, 2)
            lifted = index == jumper and side > 0
            pose = dataclasses.replace(REACHING, lift_m=rng.uniform(0.9, 1.4) if lifted else 0.0)
            held = lifted or abs(index - jumper) == 1
            props.append(make_figure(rng, place, pose if held else STANDING, kits[side > 0], -side * 0.7, 1.15))
    spot = centre + right * 0.4 + forward * (jumper - 2.5) * 0.95
    return [*props, make_ball(rng, spot, rng.uniform(3.2, 3.7), oval=True), *_backs(rng, centre, kits, 3)]


def _run(rng: np.random.Generator, centre: FloatArray, kits: tuple[Kit, Kit], shot: Shot) -> list[Prop]:
    """A carrier with the ball under an arm, tacklers closing on him."""
    right = shot.camera.right[:2]
    turn = float(rng.choice([-1.0, 1.0])) * rng.uniform(0.5, 1)
    props: list[Prop] = [make_figure(rng, centre, running(rng), kits[0], turn, 1.15)]
    for _ in range(int(rng.integers(2, 5))):
        place = centre + right * rng.uniform(-1.8, 1.8) + rng.normal(0, 0.7, 2)
        pose = (running(rng), CROUCHED, BENT)[rng.integers(3)]
        props.append(make_figure(rng, place, pose, kits[1], -turn, 1.15))
    held = centre + right * 0.2 * math.copysign(1, turn) - shot.camera.forward[:2] * 0.25
    return [*props, make_ball(rng, held, 1.15, oval=True), *_backs(rng, centre, kits, 5)]


def _kick(rng: np.random.Generator, centre: FloatArray, kits: tuple[Kit, Kit], shot: Shot) -> list[Prop]:
    """A kicker and the ball, on its tee or on its way to the posts."""
    turn = float(rng.choice([-0.6, 0.6]))
    kicker = make_figure(rng, centre, KICKING, kits[0], turn, 1.1)
    flown = rng.uniform(0.5, 5) if rng.random() < 0.5 else 0.0
    spot = centre + shot.camera.forward[:2] * (0.4 + flown) + shot.camera.right[:2] * turn
    return [kicker, make_ball(rng, spot, 0.22 + flown * 0.7, oval=True), *_backs(rng, centre, kits, 3)]


def _ball(rng: np.random.Generator, centre: FloatArray, kits: tuple[Kit, Kit], shot: Shot) -> list[Prop]:
    """The ball on the grass, near the camera, with a huddle out of focus behind it."""
    toward = shot.camera.position[:2] - centre
    far = centre - toward * rng.uniform(1.0, 3.5) + rng.normal(0, 0.5, 2)
    return [make_ball(rng, centre, 0.12, oval=True), *_ruck(rng, far, kits, shot)]


def _backs(rng: np.random.Generator, centre: FloatArray, kits: tuple[Kit, Kit], n: int) -> list[Figure]:
    """Stand a few players in a slanting line at some distance."""
    angle = rng.uniform(0, 2 * math.pi)
    step = np.array([math.cos(angle), math.sin(angle)]) * rng.uniform(3, 5)
    figures = []
    for place in [centre + step * 2 + step * index + rng.normal(0, 0.6, 2) for index in range(n)]:
        pose = STANDING if rng.random() < 0.5 else running(rng)
        figures.append(make_figure(rng, place, pose, kits[rng.integers(2)], rng.uniform(-1, 1)))
    return figures


_GROUPS: dict[str, tuple[Group, float]] = {
    "ball": (_ball, 0.1),
    "kick": (_kick, 0.16),
    "lineout": (_lineout, 0.14),
    "ruck": (_ruck, 0.18),
    "run": (_run, 0.18),
    "scrum": (_scrum, 0.24),
}
"""What happens on the pitch, and in what share of the scenes."""
