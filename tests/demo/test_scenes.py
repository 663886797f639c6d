"""The scenes: repeatable, of natural sizes, told apart by shape and not by colour."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from curator.demo.drawing.camera import Image, look_at
from curator.demo.drawing.equipment import Ball
from curator.demo.drawing.light import choose_light
from curator.demo.drawing.scenes import LABELS, draw_scene
from curator.demo.drawing.turf import RUGBY_MARKS, SOCCER_MARKS, Arc, draw_marks

N_PER_LABEL = 40


@pytest.fixture(scope="module")
def scenes() -> dict[str, list[Image]]:
    with ThreadPoolExecutor(max_workers=2) as pool:
        return {
            label: list(pool.map(lambda index, label=label: draw_scene(label, (8, index)), range(N_PER_LABEL)))
            for label in LABELS
        }


@pytest.mark.parametrize("label", LABELS)
def test_a_seed_gives_the_same_picture_each_time(label: str) -> None:
    """Two draws of one seed agree in every byte; another seed gives another picture."""
    first, again, other = (draw_scene(label, (seed,)).tobytes() for seed in (5, 5, 6))
    assert hashlib.sha256(first).digest() == hashlib.sha256(again).digest()
    assert first != other


def test_sides_are_240_to_640_pixels(scenes: dict[str, list[Image]]) -> None:
    """Sizes and aspects vary within what photographs have."""
    sides = np.array([image.shape[:2] for images in scenes.values() for image in images])
    assert sides.min() >= 240
    assert sides.max() <= 640
    assert len(np.unique(sides, axis=0)) > N_PER_LABEL
    assert (sides[:, 0] > sides[:, 1]).any()
    assert (sides[:, 0] < sides[:, 1]).any()


def test_mean_colour_does_not_separate_the_labels(scenes: dict[str, list[Image]]) -> None:
    """A nearest-mean-colour classifier, each picture left out of its own mean, stays under 0.65."""
    means = {label: np.array([image.mean(axis=(0, 1)) for image in images]) for label, images in scenes.items()}
    right = 0
    for label in LABELS:
        other = next(name for name in LABELS if name != label)
        for index, colour in enumerate(means[label]):
            own = np.delete(means[label], index, axis=0).mean(axis=0)
            right += np.linalg.norm(colour - own) < np.linalg.norm(colour - means[other].mean(axis=0))
    assert right / (2 * N_PER_LABEL) < 0.65


def test_pictures_are_neither_black_nor_burnt_out(scenes: dict[str, list[Image]]) -> None:
    """Every picture has something to see: its mean is not extreme and its luma varies."""
    for image in (image for images in scenes.values() for image in images):
        assert 15 < image.mean() < 225
        assert image.mean(axis=2).std() > 8


@pytest.mark.parametrize(("oval", "least", "most"), [(True, 1.35, 1.65), (False, 0.95, 1.05)])
def test_only_the_rugby_ball_is_longer_than_wide(oval: bool, least: float, most: float) -> None:
    """The oval ball's outline is half again as long as it is wide, the round one's is a circle."""
    canvas = np.zeros((300, 300, 3), np.uint8)
    camera = look_at((300, 300), (0, -3, 1), (0, 0, 1), focal_px=900)
    ball = Ball((0, 0, 1), oval, (255, 255, 255), (255, 255, 255), 0.0, 0.12)
    ball.draw(canvas, camera, choose_light(np.random.default_rng(0)))
    rows, columns = np.nonzero(canvas.max(axis=2) > 20)
    assert least < np.ptp(columns) / np.ptp(rows) < most


def test_the_ground_inverts_the_projection() -> None:
    """What a pixel sees of the pitch projects to that pixel."""
    camera = look_at((200, 160), (3, -30, 6), (1, 5, 0), focal_px=300, roll_deg=3)
    ground = camera.ground()
    row, column = 100, 40
    point = [ground.x[row, column], ground.y[row, column], 0.0]
    pixels, depths = camera.project([point])
    assert pixels[0] == pytest.approx([column + 0.5, ground.top + row + 0.5], abs=0.05)
    assert depths[0] == pytest.approx(ground.depth[row, column], rel=1e-3)


def test_the_lines_are_where_the_rules_put_them() -> None:
    """The penalty area's front is 16.5 m out in soccer; rugby has no line there, and no circle anywhere."""
    camera = look_at((400, 300), (10, -22, 12), (10, -16.5, 0), focal_px=400)
    ground = camera.ground()
    on_line = np.abs(ground.y + 16.5) < 0.02
    inside = on_line & (np.abs(ground.x) < 15)
    assert draw_marks(ground, SOCCER_MARKS)[inside].min() > 0.5
    assert draw_marks(ground, RUGBY_MARKS)[inside].max() == 0
    assert not any(isinstance(mark, Arc) for mark in RUGBY_MARKS)
