"""JPEGs are decoded no larger than hashing needs; damage within their pixels is told from harmless oddity."""

import random
from contextlib import nullcontext
from pathlib import Path

import pytest

from curator.matching.perceptual_hash import distance64
from curator.observe.jpeg_header import read_plain_jpeg
from curator.observe.luma import decode_reduced_grey
from curator.observe.observation import observe_image
from curator.reasons import Drop
from tests.observe.drawings import MAX_PIXELS, draw, encode, encode_turned

PHOTOS = Path(__file__).parents[2] / "../shared/photos"
PICTURE = encode(draw(700, 500), "JPEG", quality=90)
PROGRESSIVE = encode(draw(700, 500), "JPEG", quality=90, progressive=True)


def cut_out(data, at, n_bytes):
    """The file without some bytes of its pixels; its end stays."""
    start = data.index(b"\xff\xda") + 14
    at = start + int((len(data) - start - n_bytes) * at)
    return data[:at] + data[at + n_bytes :]


@pytest.mark.parametrize(
    ("size", "decoded", "scale"),
    [
        ((95, 300), (300, 95), 1),
        ((96, 300), (150, 48), 2),
        ((97, 301), (151, 49), 2),
        ((192, 700), (175, 48), 4),
        ((390, 385), (49, 49), 8),
        ((4000, 3000), (375, 500), 8),
        ((60, 2000), (2000, 60), 1),
    ],
)
def test_the_short_side_keeps_48_pixels(size, decoded, scale):
    """A half, a quarter or an eighth, whichever is the smallest that leaves as much; sides are rounded up."""
    data = encode(draw(*size, mode="L"), "JPEG")
    grey, n_pixels = decode_reduced_grey(data, read_plain_jpeg(data))
    assert (grey.shape, n_pixels) == (decoded, scale)


def test_a_turned_picture_is_decoded_as_it_is_stored():
    """The turn is made after shrinking, where it costs nothing."""
    data = encode_turned(draw(512, 700), 6, "JPEG")
    assert decode_reduced_grey(data, read_plain_jpeg(data))[0].shape == (64, 88)


@pytest.mark.parametrize("data", [PICTURE, PROGRESSIVE], ids=["baseline", "progressive"])
@pytest.mark.parametrize("at", [0.1, 0.4, 0.9])
def test_missing_pixel_data_is_corrupt_though_the_file_ends_well(data, at):
    """A file that lost a block in the middle ends as it should and shows a shifted, grey rest."""
    seen = observe_image(cut_out(data, at, 2000), max_pixels=MAX_PIXELS)
    assert (seen.flaw, seen.width, seen.phash) == (Drop.CORRUPT, 700, None)
    assert "premature end of data segment" in seen.flaw_detail or "bad Huffman code" in seen.flaw_detail


@pytest.mark.parametrize("padding", [b"\0", bytes(40), bytes(5000), b"\x55" * 600, b"Shot on a telephone. " * 30])
def test_padding_between_the_pixels_and_the_end_is_harmless(padding):
    """Cameras and sites pad: the picture is whole, kept, and hashed as without them."""
    padded = PICTURE[:-2] + padding + PICTURE[-2:]
    whole, seen = (observe_image(data, max_pixels=MAX_PIXELS) for data in (PICTURE, padded))
    with pytest.raises(ValueError, match="extraneous bytes") if len(padding) > 20 else nullcontext():
        decode_reduced_grey(padded, read_plain_jpeg(padded))
    assert (seen.flaw, seen.phash) == (None, whole.phash)


@pytest.mark.parametrize("n_bytes", [40, 500])
def test_more_pixel_data_than_the_picture_has_is_corrupt(n_bytes):
    """What is left in a scan after its last pixel was pixels once, of a picture whose rest is shifted."""
    surplus = random.Random(n_bytes).randbytes(n_bytes).replace(b"\xff", b"\0")
    seen = observe_image(PICTURE[:-2] + surplus + PICTURE[-2:], max_pixels=MAX_PIXELS)
    assert seen.flaw is Drop.CORRUPT
    assert "extraneous bytes" in seen.flaw_detail


def test_both_decoders_hash_alike():
    """What is opened the long way, such as a stereo file's first picture, has the hash of the same bytes alone."""
    plain, stereo = draw(700, 500), encode(draw(700, 500), "MPO", save_all=True, append_images=[draw(700, 500, 1)])
    hashes = [observe_image(data, max_pixels=MAX_PIXELS).phash for data in (encode(plain, "JPEG"), stereo)]
    assert distance64(*hashes) == 0


def spoil(data, chance, how, n_bytes):
    """Damage a block of the scan, whose end and whose file's end stay: repeated, blanked or made of chance."""
    start = data.rindex(b"\xff\xda") + 14
    at = chance.randrange(start, len(data) - 2 * n_bytes)
    if how == "repeated":
        return data[: at + n_bytes] + data[at:]
    filling = bytes(n_bytes) if how == "zeros" else chance.randbytes(n_bytes)
    return data[:at] + filling + data[at + n_bytes :]


def rate_kept(photos, how, n_bytes, seed):
    """The share of damaged photographs that pass as whole."""
    chance = random.Random(seed)
    spoilt = [spoil(data, chance, how, n_bytes) for data in photos if len(data) > 6 * n_bytes]
    flaws = [observe_image(data, max_pixels=100_000_000).flaw for data in spoilt]
    return sum(flaw is None for flaw in flaws) / len(flaws)


DAMAGES = [("repeated", 4096, 0.0), ("zeros", 4096, 0.02), ("random", 512, 0.15)]


@pytest.mark.parametrize(("how", "n_bytes", "most"), DAMAGES)
def test_damage_within_the_scan_is_seen(how, n_bytes, most):
    """As far as libjpeg and the scan's surplus tell; docs/reasons.md has the rates of photographs."""
    photos = [encode(draw(700, 500, seed=seed).effect_spread(4), "JPEG", quality=92) for seed in range(4)] * 10
    assert rate_kept(photos, how, n_bytes, seed=1) <= most


@pytest.mark.real
@pytest.mark.skipif(not PHOTOS.is_dir(), reason="needs ../shared")
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("how", "n_bytes", "most"), DAMAGES)
def test_damage_within_photographs_is_seen(how, n_bytes, most, seed):
    """None of the same photographs is refused whole: test_real_images.py."""
    paths = sorted(path for path in PHOTOS.rglob("*") if path.is_file())[seed::15]
    photos = [data for data in (path.read_bytes() for path in paths) if data.startswith(b"\xff\xd8")]
    assert rate_kept(photos, how, n_bytes, seed) <= most
