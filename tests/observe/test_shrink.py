"""Shrinking is Lanczos', of the whole picture however small it was decoded, the same on every machine."""

import numpy as np
import pytest
from PIL import Image

from curator.observe.luma import _ONE, _weights, shrink_reduced
from tests.observe.drawings import draw


def noise(height, width):
    """The hardest picture there is: neighbouring pixels as unlike as can be."""
    return np.random.default_rng(height * width).integers(0, 2, (height, width), dtype=np.uint8) * 255


def reduce(grey, scale):
    """Mean squares of pixels, the last row and column of what there is of them: what a decoder gives at 1/scale."""
    height, width = grey.shape
    rows, columns = np.arange(0, height, scale), np.arange(0, width, scale)
    sums = np.add.reduceat(np.add.reduceat(grey.astype(np.int64), rows, axis=0), columns, axis=1)
    counts = np.outer(np.diff(np.append(rows, height)), np.diff(np.append(columns, width)))
    return np.rint(sums / counts).astype(np.uint8)


@pytest.mark.parametrize("scale", [2, 4, 8])
@pytest.mark.parametrize("rest", [0, 1, 3, 7])
def test_a_reduced_picture_is_shrunk_as_the_whole_one(scale, rest):
    """Whatever the last row and column stand for: two levels of 255 in the mean, where one of them counts most."""
    width, height = 50 * scale + rest, 70 * scale + rest
    grey = np.asarray(draw(width, height, mode="L"))
    theirs = np.asarray(Image.fromarray(grey).resize((32, 32), Image.Resampling.LANCZOS)).astype(int)
    ours = shrink_reduced(reduce(grey, scale), (width, height), scale)
    assert np.abs(ours - theirs).mean() < 2


def test_the_last_column_counts_only_for_what_there_is_of_it():
    """Of a white column of one pixel that an eighth shows as one of eight, an eighth of the weight is left."""
    one, eight = (_weights(8 * 48 + n_left, 8)[-1, -1] / _ONE for n_left in (1, 8))
    assert 0 < one < eight / 6


@pytest.mark.parametrize("size", [(48, 48), (128, 128), (255, 383), (90, 700)])
@pytest.mark.parametrize("scale", [2, 8])
def test_sums_are_exact_in_any_order(size, scale):
    """Single precision gives what double precision gives, to the bit: no order of adding can change the result."""
    grey, (height, width) = noise(*size), (side * scale - scale // 2 for side in size)
    across, down = (_weights(side, scale).astype(np.float64) for side in (width, height))
    columns = np.rint(grey.astype(np.float64) @ across / _ONE)
    cells = np.rint(down.T @ columns / _ONE)
    assert np.array_equal(shrink_reduced(grey, (width, height), scale), cells.clip(0, 255))
    assert np.abs(down).sum(axis=0).max() * np.abs(columns).max() < 2**24


def test_flat_pictures_stay_flat():
    """Weights add up to one, whatever the size."""
    for side in (49, 64, 99, 128, 400):
        grey = np.full((side, 500 - side), 201, np.uint8)
        for n_missing in (0, 1, 3):
            size = 4 * (500 - side) - n_missing, 4 * side - n_missing
            assert set(shrink_reduced(grey, size, 4).ravel().tolist()) == {201}
