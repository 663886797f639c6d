"""Crops and borders are matched with the whole picture, either way round; strangers and known pairs are not."""

import numpy as np
import pyarrow as pa
import pytest

from curator.matching.confirm import PictureEvidence
from curator.matching.crops import CROPS, hash_crops, match_crops, unlike
from curator.matching.luma_signatures import SIGNATURE_BYTES, pack_signatures
from curator.matching.perceptual_hash import hash64, transform
from curator.matching.picture_matches import Matches

SIDE = 640


def drawings(n):
    """Blots on blots, 640x640, values 0 to 255; no two alike."""
    chance = np.random.default_rng(3)
    grids = [np.kron(chance.integers(0, 128, (n, k, k)), np.ones((1, SIDE // k, SIDE // k))) for k in (8, 20)]
    return grids[0] + grids[1]


def shrink(pictures):
    """To the 32x32 lumas that are hashed, by averaging what lies in each cell."""
    edges = np.linspace(0, pictures.shape[1], 33).round().astype(int)[:-1]
    sums = np.add.reduceat(np.add.reduceat(pictures, edges, axis=1), edges, axis=2)
    widths = np.diff(np.append(edges, pictures.shape[1]))
    return (sums / np.outer(widths, widths)).astype(np.uint8)


def search(*lumas, is_wanted=None):
    """Match all pictures; the pairs found, as a set."""
    everything = np.concatenate(lumas)
    thumbnails = pa.array(pack_signatures(everything), pa.binary(SIGNATURE_BYTES))
    evidence = PictureEvidence(np.zeros((len(everything), 32), np.uint8), thumbnails)
    nothing = unlike(Matches(*(np.empty(0, np.intp) for _ in range(4))), len(everything))
    found = match_crops(evidence, hash64(transform(everything)), 10, is_wanted or nothing)
    assert np.all(found.distance <= 8) and not found.orientation.any()
    return {tuple(sorted(pair)) for pair in zip(found.i.tolist(), found.j.tolist(), strict=True)}


@pytest.mark.parametrize("top, left", CROPS)
def test_a_tenth_cut_off_is_found_and_no_stranger(top, left):
    """Whole pictures and their crops: each pair once, whichever comes first."""
    whole = drawings(12)
    y, x = round(top * SIDE), round(left * SIDE)
    cut = whole[:, y : y + SIDE * 9 // 10, x : x + SIDE * 9 // 10]
    truth = {(k, k + 12) for k in range(12)}
    assert search(shrink(whole), shrink(cut)) == truth
    assert search(shrink(cut), shrink(whole)) == truth


def test_most_borders_are_found():
    """A white frame of one twentieth at each side; it changes the greys of a dark picture, so not every one."""
    whole = drawings(12)
    framed = np.pad(whole, ((0, 0), (SIDE // 20,) * 2, (SIDE // 20,) * 2), constant_values=255)
    found = search(shrink(whole), shrink(framed))
    assert found <= {(k, k + 12) for k in range(12)}
    assert len(found) >= 8


def test_what_is_matched_already_is_not_compared_again():
    """Every pair is known, so nothing is found."""
    whole = drawings(3)
    cut = whole[:, 16 : 16 + 576, 16 : 16 + 576]
    i, j = np.triu_indices(6, 1)
    known = Matches(j, i, np.zeros(len(i), np.uint8), np.zeros(len(i), np.uint8))
    assert search(shrink(whole), shrink(cut), is_wanted=unlike(known, 6)) == set()


def test_the_hash_of_a_crop_is_near_the_hash_of_the_cropped_picture():
    """From the thumbnail's sixteen greys alone, within 8 bits."""
    whole = drawings(20)
    greys = np.rint(shrink(whole) / 17).astype(np.uint8)
    for crop, (top, left) in enumerate(CROPS):
        y, x = round(top * SIDE), round(left * SIDE)
        exact = hash64(transform(shrink(whole[:, y : y + 576, x : x + 576])))
        assert np.bitwise_count(hash_crops(greys)[:, crop] ^ exact).max() <= 8
