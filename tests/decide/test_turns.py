"""Turning a hash is the same as hashing the turned picture."""

import numpy as np
import pytest

from curator.matching.orientations import ORIENTATION_PHRASES, ORIENTATIONS, invert_orientation, orient_hash256


def dct_matrix(n):
    """The DCT-II as a matrix."""
    k, x = np.mgrid[:n, :n]
    return np.cos(np.pi * k * (2 * x + 1) / (2 * n))


def hash256(pixels):
    """Signs of the 16x16 lowest DCT coefficients of a 32x32 picture."""
    matrix = dct_matrix(32)
    bits = (matrix @ pixels @ matrix.T)[:16, :16] > 0
    return np.packbits(bits.reshape(1, 256), axis=1)


def turned(pixels, turn):
    """The turn as the module defines it."""
    return np.rot90(np.fliplr(pixels) if turn >= 4 else pixels, turn % 4)


@pytest.mark.parametrize("turn", range(8))
def test_turning_a_hash_equals_hashing_the_turned_picture(turn):
    """Bit for bit, for pictures without symmetry."""
    pixels = np.random.default_rng(turn).normal(size=(32, 32)) + 3
    np.testing.assert_array_equal(orient_hash256(hash256(pixels), turn), hash256(turned(pixels, turn)))


@pytest.mark.parametrize("turn", range(8))
def test_turning_back_gives_the_picture_again(turn):
    """Each turn's inverse is named right."""
    pixels = np.arange(12).reshape(3, 4)
    np.testing.assert_array_equal(turned(turned(pixels, turn), invert_orientation(turn)), pixels)


def test_every_turn_has_a_name_and_a_phrase():
    """Names are distinct, since reports count by them."""
    assert len(set(ORIENTATIONS)) == len(set(ORIENTATION_PHRASES)) == 8
