"""The second stage: crops and borders are recognised, strangers are not, in any order, turn and block."""

import numpy as np
import pyarrow as pa
import pytest

from curator.matching import confirm as confirm_module
from curator.matching.alignment import compare_aligned
from curator.matching.confirm import PictureEvidence, are_one_picture, confirm_matches, count_bits256
from curator.matching.luma_signatures import SIGNATURE_BYTES, orient_signatures, pack_signatures, unpack_signatures
from curator.matching.orientations import invert_orientation, orient_hash256

FAR = np.packbits(np.arange(256) < 60)
"""As a 256-bit hash: neither near to nor far from one of zeros."""


def drawings(n, seed=0):
    """Soft blots, 128x128, values 0 to 255; no two alike."""
    chance = np.random.default_rng(seed)
    coarse = np.kron(chance.integers(0, 256, (n, 8, 8)).astype(float), np.ones((1, 16, 16)))
    kernel = np.ones(9) / 9
    for axis in (1, 2):
        coarse = np.apply_along_axis(np.convolve, axis, coarse, kernel, "same")
    return coarse


def shrink(pictures):
    """To the 32x32 lumas that are hashed, by nearest cell."""
    rows, columns = (np.linspace(0, size - 1, 32).round().astype(int) for size in pictures.shape[1:])
    return pictures[:, rows][:, :, columns].astype(np.uint8)


def evidence(left, right, turn=0):
    """Pictures, then as many more, turned: by their hashes, any of the first might be any of the second."""
    plain = np.zeros((1, 32), np.uint8)
    hashes = np.repeat(np.concatenate([plain, orient_hash256(plain, turn) ^ FAR]), len(left), axis=0)
    lumas = np.concatenate([left, right])
    return PictureEvidence(hashes, pa.array(pack_signatures(lumas), pa.binary(SIGNATURE_BYTES)))


def test_a_packed_thumbnail_keeps_the_picture_within_half_a_grey():
    """Sixteen greys from the darkest to the brightest cell."""
    luma = shrink(drawings(3))
    greys = unpack_signatures(np.stack([np.frombuffer(row, np.uint8) for row in pack_signatures(luma)]))
    low, high = luma.min(axis=(1, 2), keepdims=True).astype(float), luma.max(axis=(1, 2), keepdims=True)
    assert np.abs(greys - (luma - low) / (high - low) * 15).max() <= 0.5


@pytest.mark.parametrize("cut", [3, 6, 12])
def test_a_crop_is_the_same_picture_and_a_stranger_is_not(cut):
    """2, 5 and 10 in a hundred are cut off at two sides."""
    whole = drawings(20)
    left, right = shrink(whole).astype(float), shrink(whole[:, cut:, : 128 - cut]).astype(float)
    assert are_one_picture(compare_aligned(left, right)).all()
    strangers = compare_aligned(left, np.roll(right, 1, axis=0))
    assert strangers.outlines.max() < 0.7 and strangers.bits.min() > 50


def test_either_order_and_any_block_give_the_same_verdicts():
    """A pair is judged by its two pictures alone."""
    whole = drawings(40)
    pictures = evidence(shrink(whole), shrink(whole[:, 6:, 6:]))
    i, j = (ends.ravel() for ends in np.meshgrid(np.arange(40), np.arange(40, 80)))
    turn = np.zeros(len(i), np.uint8)
    verdicts = confirm_matches(pictures, i, j, turn)
    assert verdicts.sum() == 40
    assert np.array_equal(verdicts, confirm_matches(pictures, j, i, turn))
    alone = [confirm_matches(pictures, i[k : k + 1], j[k : k + 1], turn[:1])[0] for k in range(0, len(i), 39)]
    assert np.array_equal(verdicts[::39], alone)


@pytest.mark.parametrize("turn", range(8))
def test_a_turned_picture_is_compared_in_its_turn(turn):
    """Picture 1 is picture 0 turned; told of another turn, they are strangers."""
    luma = shrink(drawings(1))
    turned = orient_signatures(luma, np.array([turn], np.uint8))
    pictures = evidence(luma, turned, turn)
    one, zero = np.array([1]), np.array([0])
    assert confirm_matches(pictures, one, zero, np.array([turn], np.uint8)).all()
    assert confirm_matches(pictures, zero, one, np.array([invert_orientation(turn)], np.uint8)).all()
    assert not confirm_matches(pictures, one, zero, np.array([(turn + 4) % 8], np.uint8)).any()


def test_without_thumbnails_the_long_hashes_decide():
    """Unknown is not equal: 60 bits of 256 apart and nothing else known is no match."""
    pictures = PictureEvidence(np.stack([FAR * 0, FAR, FAR]), pa.nulls(3, pa.binary(SIGNATURE_BYTES)))
    i, j, turn = np.array([0, 1]), np.array([1, 2]), np.zeros(2, np.uint8)
    assert count_bits256(pictures.hashes, i, j, turn).tolist() == [60, 0]
    assert confirm_matches(pictures, i, j, turn).tolist() == [False, True]
    assert confirm_matches(pictures, i[:0], j[:0], turn[:0]).tolist() == []


def test_small_moves_are_worked_out_once_a_look(monkeypatch):
    """However many pairs a picture stands in: 40 pictures in 400 pairs are 40 planes, not 800."""
    worked_out = []
    spans = confirm_module.span_tangents
    monkeypatch.setattr(confirm_module, "span_tangents", lambda looks: worked_out.append(len(looks)) or spans(looks))
    whole = drawings(20)
    i, j = (ends.ravel() for ends in np.meshgrid(np.arange(20), np.arange(20, 40)))
    assert confirm_matches(evidence(shrink(whole), shrink(whole)), i, j, np.zeros(400, np.uint8)).sum() == 20
    assert sum(worked_out) == 40
