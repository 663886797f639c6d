"""The hashes equal imagehash's, turn by arithmetic alone, and tell when there is nothing to hold on to."""

import imagehash
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from curator.matching import perceptual_hash
from curator.matching.perceptual_hash import ORIENTATIONS
from curator.matching.picture_matches import FLAT_DETAIL
from curator.observe.luma import shrink
from curator.observe.pixels import as_grey
from tests.observe.drawings import draw

LUMAS = arrays.arrays(np.uint8, (2, 32, 32))
HASHES = arrays.arrays(np.uint64, st.tuples(st.integers(0, 5)))


def turned_by_definition(lumas, turn):
    """The definition of a turn, in curator.matching.orientations."""
    return np.rot90(lumas[..., ::-1] if turn >= 4 else lumas, turn % 4, axes=(-2, -1))


def noise(n=200, seed=0):
    """Pixels without ties: no coefficient is zero, none equals another."""
    return np.random.default_rng(seed).integers(0, 256, (n, 32, 32), dtype=np.uint8)


def drawn_lumas(n=20):
    """Lumas of drawn pictures."""
    return np.stack([shrink(as_grey(draw(seed=seed))) for seed in range(n)])


@pytest.mark.parametrize("lumas", [noise(), drawn_lumas()], ids=["noise", "pictures"])
def test_hash64_is_imagehash_on_the_same_luma(lumas):
    """The same 64 bits, spelt alike."""
    ours = perceptual_hash.to_hex(perceptual_hash.hash64(perceptual_hash.transform(lumas)))
    assert ours == [str(imagehash.phash(Image.fromarray(luma))) for luma in lumas]


@pytest.mark.parametrize("size", [(32, 32), (33, 77), (500, 20), (640, 480), (9, 5)])
def test_hash64_is_imagehash_on_pictures_of_any_size(size):
    """Shrinking is imagehash's too."""
    image = draw(*size, seed=sum(size))
    (ours,) = perceptual_hash.to_hex(perceptual_hash.hash64(perceptual_hash.transform(shrink(as_grey(image))[None])))
    assert ours == str(imagehash.phash(image))


@pytest.mark.parametrize("turn", range(8), ids=ORIENTATIONS)
def test_turned_hashes_are_the_hashes_of_turned_pixels(turn):
    """All eight turns of both hashes follow from one transform, bit for bit."""
    lumas = noise()
    coefficients = perceptual_hash.transform(lumas)
    turned = perceptual_hash.transform(turned_by_definition(lumas, turn))
    assert np.array_equal(perceptual_hash.orient_luma(lumas, turn), turned_by_definition(lumas, turn))
    assert np.array_equal(perceptual_hash.orientation_hashes(coefficients)[:, turn], perceptual_hash.hash64(turned))
    assert np.array_equal(
        perceptual_hash.orient_hash256(perceptual_hash.hash256(coefficients), turn), perceptual_hash.hash256(turned)
    )


@given(LUMAS)
def test_turned_hashes_hold_for_pixels_with_ties(lumas):
    """Flat and symmetric pixels, where coefficients tie or vanish, hash alike however they are turned."""
    hashes = perceptual_hash.orientation_hashes(perceptual_hash.transform(lumas))
    for turn in range(len(ORIENTATIONS)):
        turned = perceptual_hash.transform(turned_by_definition(lumas, turn))
        assert np.array_equal(perceptual_hash.hash64(turned), hashes[:, turn])


@given(LUMAS)
def test_a_batch_hashes_as_its_images_do_one_by_one(lumas):
    """The hash of an image does not depend on what it is hashed with."""
    batch = perceptual_hash.transform(lumas)
    single = np.concatenate([perceptual_hash.transform(luma[None]) for luma in lumas])
    assert np.array_equal(batch, single)


@pytest.mark.parametrize("grey", [0, 1, 77, 255])
def test_a_flat_picture_has_no_bits_but_the_mean(grey):
    """Rounding noise never decides a bit: every flat picture hashes alike, and its detail is nothing."""
    coefficients = perceptual_hash.transform(np.full((1, 32, 32), grey, np.uint8))
    assert perceptual_hash.to_hex(perceptual_hash.hash64(coefficients)) == [
        "8000000000000000" if grey else "0000000000000000"
    ]
    assert perceptual_hash.hash256(coefficients).sum() == 0
    assert perceptual_hash.detail(coefficients) == [0]


def empty_pictures():
    """Grey pictures, 0 to 255, in which there is nothing to see."""
    rows, columns = np.mgrid[:300, :400]
    chance = np.random.default_rng(0)
    return {
        "grain on grey": 128 + chance.normal(0, 3, (300, 400)),
        "gradient": rows * 0.8,
        "diagonal gradient": (rows + columns) * 0.36,
        "vignette": 255 - 0.8 * np.hypot(rows - 150, columns - 200),
        "sky": 150 + rows * 0.2 + chance.normal(0, 2, (300, 400)),
    }


@pytest.mark.parametrize("name", empty_pictures())
def test_near_empty_pictures_have_less_detail_than_dedupe_asks_for(name):
    """Gradients and skies have contrast, yet their hashes are noise: detail says so, and dedupe listens."""
    image = Image.fromarray(empty_pictures()[name].clip(0, 255).astype(np.uint8))
    coefficients = perceptual_hash.transform(shrink(image)[None])
    assert perceptual_hash.detail(coefficients)[0] < FLAT_DETAIL


def test_pictures_have_more_detail_than_dedupe_asks_for():
    """What a photograph is like lies far above the threshold."""
    assert perceptual_hash.detail(perceptual_hash.transform(drawn_lumas())).min() > 2 * FLAT_DETAIL


@given(HASHES, HASHES)
def test_distances_count_differing_bits(left, right):
    """Both distances agree with counting the ones of the binary numbers."""
    expected = [[(int(a) ^ int(b)).bit_count() for b in right] for a in left]
    assert perceptual_hash.distance64(left[:, None], right).tolist() == expected
    as_bytes = [np.repeat(hashes.astype(">u8"), 4).view(np.uint8).reshape(-1, 32) for hashes in (left, right)]
    assert perceptual_hash.distance256(as_bytes[0][:, None], as_bytes[1]).tolist() == [
        [4 * bits for bits in row] for row in expected
    ]


@given(HASHES)
def test_hexadecimal_round_trip(hashes):
    """What is spelt can be read."""
    assert np.array_equal(perceptual_hash.from_hex(perceptual_hash.to_hex(hashes)), hashes)


@given(arrays.arrays(np.uint64, st.tuples(st.integers(0, 4), st.just(8))))
def test_turns_round_trip(hashes):
    """The catalog's 64 bytes a picture hold its eight hashes, identity first, big-endian."""
    packed = perceptual_hash.pack_orientations(hashes)
    assert np.array_equal(perceptual_hash.unpack_orientations(packed), hashes)
    assert all(
        int.from_bytes(row[:8], "big") == first for row, first in zip(packed, hashes[:, 0].tolist(), strict=True)
    )


def test_unpacking_the_catalogs_256_bit_hashes():
    """32 bytes a row become rows of 32 numbers."""
    hashes = perceptual_hash.hash256(perceptual_hash.transform(noise(3)))
    assert np.array_equal(perceptual_hash.unpack_bytes([row.tobytes() for row in hashes]), hashes)
