"""Every kind of pixel is seen as a viewer would show it, upright, and hashed as that."""

import io

import imagehash
import numpy as np
import pytest
from PIL import Image, features

from curator.matching.perceptual_hash import distance64
from curator.observe.observation import observe_image
from curator.observe.pixels import decode_rgb
from curator.reasons import Drop
from tests.observe.drawings import MAX_PIXELS, draw, encode, encode_turned

needs_avif = pytest.mark.skipif(not features.check("avif"), reason="this Pillow writes no AVIF")


def observe(data):
    """Observe what must have no flaw."""
    observation = observe_image(data, max_pixels=MAX_PIXELS)
    assert observation.flaw is None, observation
    return observation


def bits_apart(left, right):
    """Distance of two observations' 64-bit hashes."""
    return int(distance64(left.phash, right.phash))


@pytest.mark.parametrize(
    ("kind", "options", "name", "most_bits"),
    [
        ("JPEG", {"quality": 90}, "jpeg", 2),
        ("JPEG", {"quality": 90, "progressive": True}, "jpeg", 2),
        ("BMP", {}, "bmp", 0),
        ("TIFF", {}, "tiff", 0),
        ("TIFF", {"compression": "tiff_lzw"}, "tiff", 0),
        ("WEBP", {"lossless": True}, "webp", 0),
        ("WEBP", {"quality": 90}, "webp", 4),
        ("JPEG2000", {}, "jp2", 0),
        ("PPM", {}, "ppm", 0),
        ("ICO", {"sizes": [(200, 150)]}, "ico", 0),
        pytest.param("AVIF", {"quality": 90}, "avif", 4, marks=needs_avif),
        ("GIF", {}, "gif", 4),
    ],
)
def test_one_picture_in_every_format_hashes_alike(kind, options, name, most_bits):
    """Lossless copies have the same hash, lossy ones nearly so; size, mode and format are told."""
    original, copy = observe(encode(draw())), observe(encode(draw(), kind, **options))
    assert (copy.format, copy.width, copy.height, copy.n_frames) == (name, 200, 150, 1)
    assert bits_apart(original, copy) <= most_bits


@pytest.mark.parametrize("mode", ["L", "RGB", "P", "1"])
def test_hash_is_imagehash_on_the_decoded_picture(mode):
    """For all but JPEG, which is decoded at reduced size, the hash is imagehash's to the bit."""
    for seed in range(5):
        image = draw(120 + 31 * seed, 90 + 17 * seed, seed, mode)
        assert f"{observe(encode(image)).phash:016x}" == str(imagehash.phash(image))


def test_scaled_jpeg_stays_near_imagehash():
    """Decoding at 1/2 to 1/8 and averaging move the hash by two bits of 64 at most on these."""
    for seed, size in enumerate([(300, 260), (700, 500), (1200, 800)]):
        data = encode(draw(*size, seed), "JPEG")
        theirs = int(str(imagehash.phash(Image.open(io.BytesIO(data)))), 16)
        assert distance64(observe(data).phash, theirs) <= 2


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("kind", "options", "most_bits"),
    [("PNG", {}, 0), ("TIFF", {}, 0), ("WEBP", {"lossless": True}, 0), ("JPEG", {"quality": 95}, 2)],
)
def test_exif_orientation_is_applied_before_measuring_and_hashing(kind, options, most_bits, orientation):
    """However the picture is stored, it is measured and hashed as it is shown."""
    upright, turned = observe(encode(draw())), observe(encode_turned(draw(), orientation, kind, **options))
    assert (turned.width, turned.height, turned.orientation) == (200, 150, orientation)
    assert bits_apart(upright, turned) <= most_bits


@pytest.mark.parametrize("exif", [b"Exif\0\0garbage", b"Exif\0\0II*\0\x08\0\0\0\xff\xff", b"Exif\0\0"])
def test_a_broken_exif_block_leaves_the_picture_as_it_is(exif):
    """What cannot be read turns nothing, and is no flaw."""
    assert observe(encode(draw(), "JPEG", exif=exif)).orientation == 1


def test_orientation_outside_the_standard_is_none():
    """Only 1 to 8 mean something."""
    exif = Image.Exif()
    exif[0x0112] = 9
    assert observe(encode(draw(), "JPEG", exif=exif)).orientation == 1


def test_sixteen_bits_are_scaled_not_clipped():
    """A 16-bit grey PNG or TIFF is the picture of its high bytes."""
    grey = draw(mode="L")
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    for kind in ("PNG", "TIFF"):
        observation = observe(encode(deep, kind))
        assert observation.mode == "I;16"
        assert observation.phash == observe(encode(grey)).phash


@pytest.mark.parametrize("kind", [np.float32, np.int32])
def test_floats_and_long_integers_are_stretched(kind):
    """Pixels without a known white are shown from their least to their greatest value."""
    grey = np.asarray(draw(mode="L"))
    assert (
        bits_apart(
            observe(encode(Image.fromarray((grey.astype(kind) - 90) * 1000), "TIFF")), observe(encode(draw(mode="L")))
        )
        <= 2
    )


def test_a_float_image_without_a_finite_spread_is_flat():
    """NaN and infinity break nothing."""
    pixels = np.full((40, 40), np.nan, np.float32)
    pixels[0, 0] = np.inf
    seen = observe_image(encode(Image.fromarray(pixels), "TIFF"), max_pixels=MAX_PIXELS)
    assert (seen.flaw, seen.flaw_detail, seen.detail) == (Drop.BLANK, "every pixel is #000000", 0)


def test_cmyk_is_seen_in_its_colours():
    """A CMYK JPEG hashes near its RGB original; its mode is told."""
    observation = observe(encode(draw(600, 450, mode="CMYK"), "JPEG", quality=95))
    assert (observation.mode, observation.width) == ("CMYK", 600)
    assert bits_apart(observation, observe(encode(draw(600, 450)))) <= 4


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_parts_are_seen_on_white(mode):
    """What is transparent shows the white behind it, not the colour stored there."""
    picture, mask = draw(mode="L"), draw(seed=1, mode="1").convert("L")
    clear = picture.convert("LA")
    clear.putalpha(mask)
    on_white = Image.composite(picture, Image.new("L", picture.size, 255), mask)
    data = encode(clear.convert("RGBA").quantize(256) if mode == "P" else clear.convert(mode))
    assert observe(data).mode == mode
    assert bits_apart(observe(data), observe(encode(on_white))) <= (2 if mode == "P" else 0)


def test_lab_is_seen_by_its_lightness():
    """Pillow cannot convert Lab to grey; its first channel is what is asked for."""
    grey = draw(mode="L")
    neutral = Image.new("L", grey.size, 128)
    data = encode(Image.merge("LAB", (grey, neutral, neutral)), "TIFF")
    assert observe(data).phash == observe(encode(grey)).phash
    assert decode_rgb(data).mode == "RGB"


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", pytest.param("AVIF", marks=needs_avif)])
def test_of_many_frames_the_first_is_observed(kind):
    """Animations and pages are counted, and hashed as a still of their first frame."""
    first, rest = draw(), [draw(seed=seed) for seed in (1, 2)]
    data = encode(first, kind, save_all=True, append_images=rest)
    observation = observe(data)
    assert observation.n_frames == 3
    assert bits_apart(observation, observe(encode(first))) <= 4


def test_mpo_is_its_first_picture():
    """A stereo JPEG is named mpo, counted, and observed as its first picture."""
    data = encode(draw(600, 450), "MPO", save_all=True, append_images=[draw(600, 450, 1)])
    observation = observe(data)
    assert (observation.format, observation.n_frames, observation.width) == ("mpo", 2, 600)
    assert bits_apart(observation, observe(encode(draw(600, 450)))) <= 4
