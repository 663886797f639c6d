"""Shrinking is Lanczos', the same on every machine, and changes no flat picture."""

import numpy as np
import pytest
from PIL import Image

from curator.observe.shrink import _add_pairs, _weights, shrink_grey
from tests.observe.drawings import draw


def noise(height, width):
    """The hardest picture there is: neighbouring pixels as unlike as can be."""
    return np.random.default_rng(height * width).integers(0, 2, (height, width), dtype=np.uint8) * 255


@pytest.mark.parametrize("size", [(1, 1), (5, 64), (32, 32), (100, 90), (127, 33)])
def test_small_pictures_are_shrunk_as_pillow_does(size):
    """Below 128 pixels a side nothing is halved; two roundings make at most two levels."""
    grey = noise(*size) // 4 + 96  # far from black and white, to which Pillow clips between its passes
    theirs = np.asarray(Image.fromarray(grey).resize((32, 32), Image.Resampling.LANCZOS))
    assert np.abs(shrink_grey(grey).astype(int) - theirs).max() <= 2


@pytest.mark.parametrize("size", [(128, 128), (129, 255), (224, 224), (500, 131)])
def test_halving_before_changes_pictures_little(size):
    """Of a picture with as much to see as a photograph, three levels of 255 at most."""
    grey = draw(*size, mode="L")
    theirs = np.asarray(grey.resize((32, 32), Image.Resampling.LANCZOS))
    assert np.abs(shrink_grey(np.asarray(grey)).astype(int) - theirs).max() <= 3


@pytest.mark.parametrize("size", [(128, 128), (255, 383), (224, 225), (90, 700), (31, 30)])
def test_sums_are_exact_in_any_order(size):
    """Single precision gives what double precision gives, to the bit: no order of adding can change the result."""
    grey, (height, width) = noise(*size), size
    halved = height >= 128, width >= 128
    sums, n_added = _add_pairs(grey, *halved)
    rows = np.rint(_weights(height, halved[0]).astype(np.float64) @ sums.astype(np.float64) / 4096)
    cells = np.rint(rows @ _weights(width, halved[1]).astype(np.float64).T / (4096 * n_added))
    assert np.array_equal(shrink_grey(grey), cells.clip(0, 255))
    magnitude = np.abs(_weights(width, halved[1])).sum(axis=1).max() * np.abs(rows).max()
    assert magnitude < 2**24


def test_flat_pictures_stay_flat():
    """Weights add up to one, whatever the size."""
    for side in (1, 31, 32, 100, 127, 128, 129, 255, 400):
        assert set(shrink_grey(np.full((side, 500 - side), 201, np.uint8)).ravel().tolist()) == {201}
