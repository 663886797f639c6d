"""Real photographs, odd and broken files, placeholders and EXIF turns, from ../shared; skipped where that is absent."""

import io
from pathlib import Path

import imagehash
import numpy as np
import pytest
from PIL import Image

from curator.matching.perceptual_hash import detail, distance64, distance256, hash64, to_hex, transform, unpack_bytes
from curator.observe.luma import shrink
from curator.observe.observation import observe_image
from curator.observe.pixels import as_grey
from curator.reasons import Drop

SHARED = Path(__file__).parents[2] / "../shared"
ODD = SHARED / "odd_images/pillow/Tests/images"
pytestmark = [pytest.mark.real, pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared")]


def files(folder):
    """All files below a folder of ../shared."""
    return sorted(path for path in (SHARED / folder).rglob("*") if path.is_file())


def observe(path, max_pixels=100_000_000):
    """Observe a file with the recipe's default limit."""
    return observe_image(path.read_bytes(), max_pixels=max_pixels)


def hashes(observations):
    """Their 64-bit hashes, uint64."""
    return np.array([observation.phash for observation in observations], np.uint64)


@pytest.mark.parametrize("folder", ["odd_images/pillow", "neardup"])
def test_odd_files_have_hashes_or_a_flaw(folder, capfd):
    """Not one odd, broken or hostile file raises, is heard, or lacks both hashes and a reason."""
    observations = [observe(path) for path in files(folder)]
    assert len(observations) >= 74
    assert all((seen.flaw not in (None, Drop.BLANK)) != (seen.phash is not None) for seen in observations)
    assert all(seen.flaw_detail for seen in observations if seen.flaw)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("truncated_jpeg.jpg", None),  # all that it lacks is the last byte of its end
        ("bmp/b/shortfile.bmp", Drop.TRUNCATED),
        ("bmp/b/reallybig.bmp", Drop.TOO_MANY_PIXELS),
        ("decompression_bomb.gif", Drop.TOO_MANY_PIXELS),
        ("decompression_bomb.ico", Drop.TOO_MANY_PIXELS),
        ("broken_data_stream.png", Drop.CORRUPT),
        ("png_decompression_dos.png", Drop.BLANK),
        ("zero_width.gif", Drop.CORRUPT),
        ("libtiff_segfault.tif", Drop.CORRUPT),
        ("oom-225817ca0f8c663be7ab4b9e717b02c661e66834.tif", Drop.CORRUPT),
        ("crash-0c7e0e8e11ce787078f00b5b0ca409a167f070e0.tif", Drop.CORRUPT),
        ("bmp/b/badbitcount.bmp", Drop.CORRUPT),
        ("bmp/q/rgb24jpeg.bmp", Drop.UNSUPPORTED_FORMAT),
    ],
)
def test_hostile_files_have_their_reason(name, reason):
    """Bombs, cuts and crashes are told apart."""
    assert observe(ODD / name).flaw is reason


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("pil_sample_cmyk.jpg", ("jpeg", "CMYK", 1)),
        ("12in16bit.tif", ("tiff", "I;16", 1)),
        ("hopper_bw_500.png", ("png", "1", 1)),
        ("frame_size.mpo", ("mpo", "RGB", 2)),
        ("dispose_bgnd.gif", ("gif", "P", 5)),
        ("multipage.tiff", ("tiff", "P", 3, Drop.BLANK)),
        ("avif/hopper.avif", ("avif", "RGB", 1)),
        ("python.ico", ("ico", "RGBA", 1)),
        ("apng/delay.png", ("png", "RGBA", 5, Drop.BLANK)),
    ],
)
def test_odd_but_whole_files_are_observed(name, facts):
    """CMYK, deep, bilevel, Lab, stereo, animated and paged files are images like others."""
    seen = observe(ODD / name)
    assert (seen.format, seen.mode, seen.n_frames, *filter(None, [seen.flaw])) == facts
    assert seen.phash is not None


@pytest.mark.parametrize("name", ["Landscape", "Portrait"])
def test_exif_turned_copies_hash_alike(name):
    """One photograph stored in nine ways has one size and hashes within 2 bits."""
    seen = [observe(SHARED / f"odd_images/exif_orientation/{name}_{n}.jpg") for n in range(9)]
    assert [observation.orientation for observation in seen] == [1, *range(1, 9)]
    assert len({(observation.width, observation.height) for observation in seen}) == 1
    assert distance64(hashes(seen)[:, None], hashes(seen)).max() <= 2


@pytest.mark.parametrize(
    ("name", "words"), [("junk_image1.png", "Flickr's 'photo unavailable' PNG"), ("junk_image2.gif", "GIF")]
)
def test_flickrs_placeholders_are_known(name, words):
    """The two pictures that poison classes are flaws by name."""
    seen = observe(SHARED / "placeholders" / name)
    assert seen.flaw is Drop.PLACEHOLDER
    assert words in seen.flaw_detail


@pytest.fixture(scope="module")
def photos():
    """The bytes of all photographs, their observations, and their pixels decoded in full as 32x32 lumas."""
    contents = [path.read_bytes() for path in files("photos")]
    images = [Image.open(io.BytesIO(content)) for content in contents]
    lumas = np.stack([shrink(as_grey(image)) for image in images])
    return images, [observe_image(content, max_pixels=100_000_000) for content in contents], lumas


def test_every_photograph_is_whole(photos):
    """No real photograph is refused, none lacks a hash."""
    images, observations, _ = photos
    assert len(images) == 1582
    assert {seen.flaw for seen in observations} == {None}


def test_hashes_equal_imagehash_and_scaled_decoding_keeps_near(photos):
    """The same pixels give imagehash's bits, every one; from reduced decoding 95 in 100 are within 2 bits of it."""
    images, observations, lumas = photos
    theirs = [str(imagehash.phash(image)) for image in images]
    ours = to_hex(hash64(transform(lumas)))
    assert ours == theirs
    drift = distance64(hashes(observations), np.array([int(text, 16) for text in theirs], np.uint64))
    assert np.percentile(drift, 95) <= 2
    assert drift.mean() < 0.6


def test_nearly_all_photographs_have_detail(photos):
    """Asking for a detail of 4 sets aside fewer than 3 photographs in 1,000."""
    _, observations, lumas = photos
    assert (np.array([seen.detail for seen in observations]) < 4).mean() < 0.003
    assert (detail(transform(lumas)) < 4).mean() < 0.003


def test_copies_of_one_picture_are_near_in_256_bits_too():
    """A resized copy is near, another picture far, in both hashes."""
    folder = SHARED / "neardup/imagededup/tests/data/mixed_images"
    picture, copy, other = (
        observe(folder / name) for name in ("ukbench00120.jpg", "ukbench00120_resize.jpg", "ukbench09268.jpg")
    )
    long = unpack_bytes([seen.phash256 for seen in (picture, copy, other)])
    assert distance64(picture.phash, copy.phash) <= 2 < 16 < distance64(picture.phash, other.phash)
    assert distance256(long[0], long[1]) <= 16 < 64 < distance256(long[0], long[2])
