"""Two round things on white have one silhouette; one picture they are if what lies within it agrees."""

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from curator.matching.judge.inside import measure_inside
from curator.matching.judge.judge import judge_pair
from curator.matching.judge.sketch import make_sketch

SIDE = 256


def drawn_ball(seed, n_dimples):
    """A ball on white in a light and a place of its own, with so many faint dimples around it, or smooth."""
    chance = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5 - chance.normal(0, 0.01, (2, 1, 1))
    x, y = x / 0.36, y / 0.36
    far = np.hypot(x, y)
    z = np.sqrt(np.clip(1 - far**2, 0, 1))
    light = np.array([chance.normal(-0.4, 0.1), chance.normal(-0.5, 0.1), 1])
    greys = 90 + 150 * np.clip((np.stack([x, y, z], axis=2) @ light) / np.linalg.norm(light), 0, 1)
    if n_dimples:
        across = np.arctan2(x, np.maximum(z, 1e-3)) * n_dimples
        down = np.arcsin(np.clip(y, -1, 1)) * n_dimples
        greys -= chance.uniform(10, 25) * (np.cos(across) * np.cos(down) > 0.4)
    greys = np.where(far < 1, greys, 255) + chance.normal(0, 1.2, far.shape)
    ball = Image.fromarray(np.clip(greys, 0, 255).astype(np.uint8)).convert("RGB")
    return ball.filter(ImageFilter.GaussianBlur(1))


def judge(one, other):
    return judge_pair(*(make_sketch(np.asarray(each)) for each in (one, other)))


@pytest.mark.parametrize("seed", range(3))
def test_a_dimpled_and_a_smooth_ball_are_two_pictures(seed):
    """Nor doubtful, since of a doubtful pair hashes would decide; upright, mirrored or turned."""
    smooth = [drawn_ball(20 + k, 0) for k in range(3)]
    for dimpled in (drawn_ball(seed, 9), drawn_ball(10 + seed, 14)):
        for other in (*smooth, ImageOps.mirror(smooth[0]), smooth[1].rotate(90)):
            judgement = judge(dimpled, other)
            assert not judgement.same and not judgement.doubtful


@pytest.mark.parametrize("n_dimples", [0, 9, 14])
def test_a_copy_of_a_ball_is_one_picture(n_dimples):
    """However faint its dimples, and if it has none."""
    ball = drawn_ball(3, n_dimples)
    for copy in (
        ball.resize((128, 128)),
        ImageOps.mirror(ball),
        ball.rotate(90),
        ball.crop((12, 12, 250, 250)),
        ball.filter(ImageFilter.GaussianBlur(2)),
        ImageEnhance.Contrast(ball).enhance(0.7),
    ):
        assert judge(ball, copy).same


def test_plain_ground_alone_says_nothing():
    """There is hardly a cell away from it."""
    plain = np.full((80, 80), 200, np.float32)
    assert measure_inside(plain, plain, np.ones_like(plain)) is None
