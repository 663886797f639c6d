"""Small moves of a picture are accounted for, other pictures are not, whichever comes first and however bright."""

import numpy as np
import pytest

from curator.matching.confirm import LEAST_FIT
from curator.matching.tangents import fit_tangents, span_tangents

SIDE = 160


def drawings(n):
    """Soft blots, 160x160; no two alike."""
    chance = np.random.default_rng(7)
    coarse = np.kron(chance.integers(0, 256, (n, 8, 8)).astype(float), np.ones((1, 20, 20)))
    kernel = np.ones(21) / 21
    for axis in (1, 2):
        coarse = np.apply_along_axis(np.convolve, axis, coarse, kernel, "same")
    return coarse


def shrink(pictures):
    """To 32x32, by averaging; the sides must be divisible."""
    n, height, width = pictures.shape
    return pictures.reshape(n, 32, height // 32, 32, width // 32).mean(axis=(2, 4))


def crop(pictures, cut):
    """Cut some pixels off the top and the right, and stretch what is left to its former size, by nearest pixel."""
    rows = cut + np.arange(SIDE) * (SIDE - cut) // SIDE
    return pictures[:, rows][:, :, rows - cut]


@pytest.mark.parametrize("cut", [0, 3, 8])
def test_crops_fit_and_strangers_do_not(cut):
    """Up to 5 in a hundred at two sides: above what lets a pair of whole pictures go on."""
    whole = drawings(30)
    left, right = (span_tangents(shrink(pictures)) for pictures in (whole, crop(whole, cut)))
    assert fit_tangents(left, right).min() > LEAST_FIT
    assert fit_tangents(left, np.roll(right, 1, axis=0)).max() < LEAST_FIT - 0.1


def test_order_brightness_and_contrast_do_not_matter():
    """The same fit either way, within rounding, and after an affine change of greys; all between 0 and 1."""
    whole = drawings(30)
    left = span_tangents(shrink(whole))
    right = np.roll(left, 1, axis=0)
    fit = fit_tangents(left, right)
    assert np.array_equal(fit, fit_tangents(right, left))
    assert np.allclose(fit, fit_tangents(span_tangents(shrink(whole) * 0.5 + 20), right), atol=1e-4)
    assert fit.min() >= 0 and fit.max() <= 1 + 1e-5


def test_a_picture_without_outlines_fits_nothing():
    """One grey has no direction; no warning, no NaN."""
    planes = span_tangents(np.zeros((1, 32, 32), np.uint8))
    assert fit_tangents(planes, planes).tolist() == [0]
    assert fit_tangents(planes[:0], planes[:0]).shape == (0,)
