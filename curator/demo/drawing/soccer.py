"""Soccer on the stage: goalmouth, penalty, dribble, midfield, free kick, and the round ball from near.

>>> stage = stage_soccer(np.random.default_rng(3), (320, 240))
>>> {prop.oval for prop in stage.props if hasattr(prop, "oval")}
{False}
"""

from __future__ import annotations

import numpy as np

from curator.demo.drawing.camera import FloatArray
from curator.demo.drawing.equipment import SoccerGoal, make_ball
from curator.demo.drawing.figures import (
    CROUCHED,
    DIVING,
    KICKING,
    STANDING,
    Figure,
    Kit,
    Pose,
    choose_kit,
    make_figure,
    running,
)
from curator.demo.drawing.light import choose_light
from curator.demo.drawing.rugby import Group
from curator.demo.drawing.staging import SHOTS, Prop, Shot, Stage, choose_shot
from curator.demo.drawing.turf import SOCCER_MARKS


def stage_soccer(rng: np.random.Generator, size: tuple[int, int]) -> Stage:
    """Set one soccer scene for a picture of ``size`` (width, height)."""
    kind = str(rng.choice(list(_GROUPS), p=[share for _, share in _GROUPS.values()]))
    at_goal = kind in ("goalmouth", "penalty") or rng.random() < 0.35
    centre = (rng.uniform(-9, 9), rng.uniform(-14, -4)) if at_goal else (rng.uniform(-26, 26), rng.uniform(-85, -15))
    bearing = rng.normal(0, 18) if at_goal else None
    lens = "macro" if kind == "ball" else str(rng.choice(SHOTS, p=_LENS_SHARES[kind in ("dribble", "wall")]))
    shot = choose_shot(rng, lens, centre, size, bearing)
    props = _GROUPS[kind][0](rng, np.array(centre), (choose_kit(rng), choose_kit(rng)), shot)
    net = tuple(np.array([225.0, 225.0, 225.0]) * rng.uniform(0.7, 1.05))
    depth, cells = rng.uniform(1.2, 2.4), int(rng.integers(9, 15))
    goals = [SoccerGoal(y, sign, depth, (net[0], net[1], net[2]), cells) for y, sign in ((0.0, 1.0), (-100.0, -1.0))]
    return Stage(shot, choose_light(rng), SOCCER_MARKS, (*props, *goals))


def _goalmouth(rng: np.random.Generator, centre: FloatArray, kits: tuple[Kit, Kit], shot: Shot) -> list[Prop]:
    """A keeper on his line, attackers and defenders before him, the ball in the air between."""
    keeper = _keeper(rng, -0.7, (DIVING, CROUCHED, STANDING))
    ball = make_ball(rng, centre * rng.uniform(0.2, 0.8), rng.uniform(0.15, 2.2), oval=False)
    return [keeper, ball, *_spread(rng, centre, kits, int(rng.integers(3, 8)), 5.0)]


def _keeper(rng: np.random.Generator, y: float, poses: tuple[Pose, ...]) -> Figure:
    place, pose = (rng.uniform(-2.5, 2.5), y), poses[rng.integers(len(poses))]
    return make_figure(rng, place, pose, choose_kit(rng), rng.uniform(-1, 1))


def _penalty(rng: np.random.Generator, centre: FloatArray, kits: tuple[Kit, Kit], shot: Shot) -> list[Prop]:
    """A taker, the keeper, nobody else near."""
    keeper = _keeper(rng, -0.5, (DIVING, CROUCHED))
    side = float(rng.choice([-0.7, 0.7]))
    taker = make_figure(rng, centre, KICKING, kits[0], side)
    return [keeper, taker, make_ball(rng, centre + shot.camera.right[:2] * side * 0.9, 0.15, oval=False)]


def _dribble(rng: np.random.Generator, centre: FloatArray, kits: tuple[Kit, Kit], shot: Shot) -> list[Prop]:
    """One player with the ball at the feet, one or two opponents a few metres off, the rest far apart."""
    right = shot.camera.right[:2]
    side = float(rng.choice([-1.0, 1.0]))
    runner = make_figure(rng, centre, running(rng), kits[0], side * rng.uniform(0.5, 1))
    spot = centre + right * side * rng.uniform(0.5, 1.0) - shot.camera.forward[:2] * 0.15
    rival = centre + right * side * rng.uniform(1.6, 3.2) + rng.normal(0, 0.8, 2)
    opponent = make_figure(rng, rival, running(rng), kits[1], -side * rng.uniform(0.4, 1))
    ball = make_ball(rng, spot, 0.15, oval=False)
    return [runner, opponent, ball, *_spread(rng, centre, kits, int(rng.integers(2, 7)), 9.0)]


def _midfield(rng: np.random.Generator, centre: FloatArray, kits: tuple[Kit, Kit], shot: Shot) -> list[Prop]:
    """Many players, well spread, the ball among them."""
    lift = rng.uniform(0, 3) if rng.random() < 0.4 else 0.0
    spot = centre - shot.camera.forward[:2] * 0.8 + rng.normal(0, 0.5, 2)
    ball = make_ball(rng, spot, 0.15 + lift, oval=False)
    return [ball, *_spread(rng, centre, kits, int(rng.integers(7, 15)), 8.0)]


def _wall(rng: np.random.Generator, centre: FloatArray, kits: tuple[Kit, Kit], shot: Shot) -> list[Prop]:
    """A free kick: four or five upright players shoulder to shoulder, and a taker some way off."""
    right, forward = shot.camera.right[:2], shot.camera.forward[:2]
    props: list[Prop] = []
    n = int(rng.integers(3, 6))
    for index in range(n):
        place = centre + right * (index - n / 2) * 0.58
        props.append(make_figure(rng, place, STANDING, kits[1], rng.uniform(-0.2, 0.2)))
    spot = centre - forward * rng.uniform(2, 4) + right * rng.uniform(-1.5, 1.5)
    props.append(make_figure(rng, spot - right * 0.8, KICKING, kits[0], 0.8))
    return [*props, make_ball(rng, spot, 0.15, oval=False), *_spread(rng, centre, kits, 3, 9.0)]


def _ball(rng: np.random.Generator, centre: FloatArray, kits: tuple[Kit, Kit], shot: Shot) -> list[Prop]:
    """The ball on the grass, near the camera, players out of focus behind it."""
    toward = shot.camera.position[:2] - centre
    far = centre - toward * rng.uniform(1.0, 3.5) + rng.normal(0, 0.5, 2)
    ball = make_ball(rng, centre, 0.14, oval=False)
    return [ball, *_spread(rng, far, kits, int(rng.integers(2, 7)), 4.0)]


def _spread(rng: np.random.Generator, centre: FloatArray, kits: tuple[Kit, Kit], n: int, spread_m: float) -> list[Prop]:
    """Stand ``n`` players apart: of three random places, each takes the one furthest from the others."""
    taken = [centre]
    figures: list[Prop] = []
    for index in range(n):
        options = centre + rng.normal(0, spread_m, (3, 2))
        clear = [min(float(np.hypot(*(option - other))) for other in taken) for option in options]
        place = options[int(np.argmax(clear))]
        taken.append(place)
        pose = STANDING if rng.random() < 0.35 else running(rng)
        figures.append(make_figure(rng, place, pose, kits[index % 2], rng.uniform(-1, 1)))
    return figures


_GROUPS: dict[str, tuple[Group, float]] = {
    "ball": (_ball, 0.1),
    "dribble": (_dribble, 0.22),
    "goalmouth": (_goalmouth, 0.24),
    "midfield": (_midfield, 0.2),
    "penalty": (_penalty, 0.14),
    "wall": (_wall, 0.1),
}
"""What happens on the pitch, and in what share of the scenes."""
_LENS_SHARES = {True: [0.25, 0.4, 0.35], False: [0.5, 0.5, 0.0]}  # by whether the group is small enough for a close-up
