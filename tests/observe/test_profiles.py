"""Colours are shown as their file means them: profiles applied, compared with the published matrices; or ignored."""

import io
import random
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from curator.observe.observation import look_at
from curator.observe.pixels import as_grey, decode_rgb
from curator.observe.profiles import MOST_PROFILE_BYTES, _make_transform, find_transform
from curator.observe.stated_colours import stated_profile
from curator.observe.thumbnails import encode_small
from tests.fuzz.rounds import examples
from tests.observe.drawings import draw, encode, png_chunk
from tests.observe.icc import (
    D50,
    SPACES,
    curve,
    grey_profile,
    in_srgb,
    ink_profile,
    linear,
    profile,
    rgb_profile,
    srgb_of_linear,
    xyz,
)
from tests.observe.test_one_decoder import MAX_PIXELS, build, jpeg, opened

STEPS = np.array([0, 30, 60, 100, 128, 170, 210, 255], np.uint8)
COLOURS = np.stack(np.meshgrid(STEPS, STEPS, STEPS), axis=-1).reshape(16, 32, 3)
PATCHES = Image.fromarray(COLOURS)
NAMES = sorted(set(SPACES) - {"sRGB"})


def shown(data):
    """What is shown of a file: int64, shape (height, width, 3)."""
    return np.asarray(decode_rgb(data)).astype(np.int64)


def apart(data, expected):
    """By how many levels at most what is shown differs from what is expected."""
    return np.abs(shown(data) - np.rint(expected)).max()


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("name", NAMES)
def test_a_profile_is_applied(name, kind):
    """512 colours in each space and lossless format are what the published matrices say, within 2 levels."""
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    data = encode(PATCHES, kind, icc_profile=rgb_profile(name), **options)
    expected = in_srgb(COLOURS, name)
    assert np.abs(expected - COLOURS).max() > 20
    assert apart(data, expected) <= 2


@pytest.mark.parametrize("kind", ["JPEG", "AVIF"])
def test_a_profile_is_applied_to_a_photograph(kind):
    """The same in a lossy format, and in a JPEG that is decoded at reduced size."""
    if kind == "AVIF":
        pytest.importorskip("PIL._avif")
    picture = draw(700, 500)
    data = encode(picture, kind, quality=100, subsampling="4:4:4", icc_profile=rgb_profile("Display P3"))
    expected = in_srgb(np.asarray(picture), "Display P3")
    assert np.abs(shown(data) - expected).mean() <= 2 < np.abs(np.asarray(picture) - expected).mean()
    if kind == "JPEG":
        reduced = np.asarray(decode_rgb(data, long_px=350)).astype(np.int64)
        assert np.abs(reduced - expected[::2, ::2]).mean() <= 4


def test_a_transparent_picture_of_a_space_is_shown_on_white():
    """The profile is of the colours, not of the white behind them."""
    clear = PATCHES.convert("RGBA")
    clear.putalpha(Image.new("L", PATCHES.size, 128))
    data = encode(clear, icc_profile=rgb_profile("ProPhoto"))
    expected = in_srgb(COLOURS, "ProPhoto") * (128 / 255) + 255 * (127 / 255)
    assert apart(data, expected) <= 2
    palette = PATCHES.convert("RGB").quantize(64)
    data = encode(palette, icc_profile=rgb_profile("Adobe RGB"))
    assert apart(data, in_srgb(np.asarray(palette.convert("RGB")), "Adobe RGB")) <= 2


@pytest.mark.parametrize("mode", ["L", "LA", "I;16"])
def test_a_grey_profile_is_applied(mode):
    """Grey of the exponent 1.8 is brought to sRGB's curve, with an alpha channel and at 16 bits too."""
    values = np.arange(256, dtype=np.uint8).reshape(8, 32)
    image = Image.fromarray(values.astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(values).convert(mode)
    expected = srgb_of_linear(linear(values, 1.8))[..., None].repeat(3, axis=-1)
    assert np.abs(expected - values[..., None]).max() > 15
    assert apart(encode(image, icc_profile=grey_profile(1.8)), expected) <= 2


def srgb_of_lab(lab):
    """CIE Lab of D50, shape (…, 3), in sRGB (CIE 15)."""
    middle = (lab[..., 0] + 16) / 116
    roots = np.stack([middle + lab[..., 1] / 500, middle, middle - lab[..., 2] / 200], axis=-1)
    light = np.where(roots > 6 / 29, roots**3, 3 * (6 / 29) ** 2 * (roots - 4 / 29)) * D50
    return srgb_of_linear(light @ np.linalg.inv(SPACES["sRGB"][0]).T)


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_an_ink_profile_is_applied(kind):
    """Sixteen pure inks are the colours of the profile's table, not those of their inversion."""
    inks = np.array([[255 * (n >> bit & 1) for bit in (3, 2, 1, 0)] for n in range(16)])
    image = Image.fromarray(inks.astype(np.uint8)[None].repeat(16, axis=0).repeat(16, axis=1), "CMYK")
    data = encode(image, kind, icc_profile=ink_profile(), **({"quality": 100} if kind == "JPEG" else {}))
    light = np.clip(1 - inks[:, :3] / 255 * [0.9, 0.8, 0.7] - 0.9 * inks[:, 3:] / 255, 0, 1)
    a, b = (np.rint(127.5 + 63.75 * (light[:, n] - light[:, n + 1])) - 128 for n in (0, 1))
    expected = srgb_of_lab(np.stack([light.mean(axis=1) * 100, a, b], axis=-1))
    assert np.abs(shown(data)[8, 8::16] - expected).max() <= 3
    assert np.abs(shown(data) - np.asarray(image.convert("RGB"))).max() > 40


@pytest.mark.parametrize("gamma", [None, "table", "old"])
def test_srgb_in_any_form_changes_nothing_and_costs_nothing(gamma):
    """A formula, a table of 1,024 points, Pillow's own: all are sRGB."""
    matrix, _ = SPACES["sRGB"]
    points = np.rint(linear(np.linspace(0, 255, 1024), None) * 65535).astype(">u2").tobytes()
    table = struct.pack(">4s4xI", b"curv", 1024) + points
    columns = dict(zip((b"rXYZ", b"gXYZ", b"bXYZ"), map(xyz, matrix.T), strict=True))
    curves = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), table if gamma else curve(None))
    found = profile({b"wtpt": xyz(D50), **columns, **curves})
    if gamma == "old":
        found = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert find_transform(found, "RGB") is None
    assert np.array_equal(shown(encode(PATCHES, icc_profile=found)), COLOURS)


def test_a_profile_is_examined_once():
    """It is known by its bytes, as most pictures of a set share theirs."""
    _make_transform.cache_clear()
    for _ in range(3):
        decode_rgb(encode(PATCHES, icc_profile=rgb_profile("Adobe RGB")))
    assert (_make_transform.cache_info().misses, _make_transform.cache_info().hits) == (1, 2)


WHOLE = rgb_profile("Adobe RGB")
REFUSED = {
    "empty": b"",
    "text": b"this is no profile " * 20,
    "cut in its header": WHOLE[:100],
    "cut in its table": WHOLE[:180],
    "cut in its tags": WHOLE[:-20],
    "of grey": grey_profile(1.8),
    "of inks": ink_profile(),
    "a link between devices": WHOLE[:12] + b"link" + WHOLE[16:],
    "without a signature": WHOLE[:36] + b"none" + WHOLE[40:],
    "with tags beyond its end": WHOLE[:136] + b"\xff\xff\xff\x00" + WHOLE[140:],
    "with a million tags": WHOLE[:128] + struct.pack(">I", 1_000_000) + WHOLE[132:],
    "with a larger size": struct.pack(">I", len(WHOLE) + 1) + WHOLE[4:],
    "huge": WHOLE + bytes(MOST_PROFILE_BYTES),
    "without curves": WHOLE.replace(b"TRC", b"xxx"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_profile_that_is_broken_or_of_other_colours_is_ignored(name):
    """The picture is shown as it is stored; in a JPEG, in a TIFF and in a PNG."""
    for kind in ("PNG", "TIFF", "JPEG"):
        if kind == "JPEG" and name == "huge":
            continue  # a JPEG has no room for it
        plain = encode(PATCHES, kind)
        assert np.array_equal(shown(encode(PATCHES, kind, icc_profile=REFUSED[name])), shown(plain))


@pytest.mark.torture("colour profiles with bytes wrong")
def test_a_profile_with_any_bytes_wrong_is_never_fatal_or_slow():
    """Profiles with flipped bytes, of RGB and of inks: a picture each, in a second or so."""
    chance = random.Random(11)
    started = time.process_time()
    for n in range(examples(400)):
        data = bytearray(ink_profile() if n % 4 == 0 else WHOLE)
        for _ in range(chance.randint(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        image = PATCHES.convert("CMYK") if n % 4 == 0 else PATCHES
        assert decode_rgb(encode(image, "TIFF", icc_profile=bytes(data))).size == PATCHES.size
    assert time.process_time() - started < 30


def png_with(*chunks):
    """The patches as a PNG with chunks before the pixels."""
    plain = encode(PATCHES)
    return plain[:33] + b"".join(png_chunk(*chunk) for chunk in chunks) + plain[33:]


def numbers(*values):
    """The body of a chunk gAMA or cHRM."""
    return struct.pack(f">{len(values)}I", *(round(value * 100_000) for value in values))


P3 = (b"cICP", bytes([12, 13, 0, 1]))
ADOBE = (b"cHRM", numbers(0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06))
OF_SRGB = (b"cHRM", numbers(0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06))
GAMMA = (b"gAMA", numbers(1 / 2.19921875))
ICC = (b"iCCP", b"wide\0\0" + zlib.compress(rgb_profile("ProPhoto")))


@pytest.mark.parametrize(
    ("chunks", "space"),
    [
        ([P3], "Display P3"),
        ([P3, ICC], "Display P3"),
        ([ICC, (b"sRGB", b"\0")], "ProPhoto"),
        ([ICC, GAMMA, ADOBE], "ProPhoto"),
        ([(b"gAMA", numbers(0.5)), ADOBE, (b"sRGB", b"\0")], "sRGB"),
        ([GAMMA, ADOBE], "sRGB-curved Adobe RGB"),
        ([GAMMA], "sRGB"),
        ([ADOBE], "sRGB"),
        ([(b"gAMA", numbers(0.45455)), OF_SRGB], "sRGB"),
        ([(b"gAMA", numbers(1 / 1.8)), OF_SRGB], "sRGB primaries, gamma 1.8"),
        ([(b"cICP", bytes([9, 16, 0, 1]))], "sRGB"),
        ([(b"cICP", bytes([2, 2, 0, 1]))], "sRGB"),
        ([(b"cICP", bytes([1, 1, 0, 1]))], "sRGB"),
    ],
)
def test_a_png_states_its_colours_in_an_order(chunks, space):
    """CICP before iCCP before sRGB before gAMA with cHRM; PQ and what is unspecified are shown as stored."""
    if space == "sRGB":
        expected = COLOURS
    elif space == "sRGB-curved Adobe RGB":
        to_srgb = np.linalg.inv(SPACES["sRGB"][0]) @ SPACES["Adobe RGB"][0]
        expected = srgb_of_linear(linear(COLOURS, None) @ to_srgb.T)
    elif space == "sRGB primaries, gamma 1.8":
        expected = srgb_of_linear(linear(COLOURS, 1.8))
    else:
        expected = in_srgb(COLOURS, space)
    assert apart(png_with(*chunks), expected) <= 2


def test_a_damaged_chunk_of_colours_says_nothing():
    """A wrong checksum, a wrong length, and colours that cannot be."""
    whole = png_with(P3)
    assert np.array_equal(shown(whole[:45] + bytes([whole[45] ^ 1]) + whole[46:]), COLOURS)
    for body in (b"", bytes([12, 13, 0]), bytes([12, 13, 1, 1]), bytes([12, 13, 0, 0])):
        assert np.array_equal(shown(png_with((b"cICP", body))), COLOURS)
    assert np.array_equal(shown(png_with((b"gAMA", numbers(0.5)), (b"cHRM", numbers(*[0.0] * 8)))), COLOURS)
    assert stated_profile({"gamma": 1e-9, "chromaticity": (0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3)}) == b""


def test_a_profile_of_over_a_megabyte_is_applied():
    """Pillow refuses such a PNG altogether."""
    large = profile(
        {
            **{b"wtpt": xyz(D50), b"pad ": b"data" + random.Random(0).randbytes(1_500_000)},
            **dict(zip((b"rXYZ", b"gXYZ", b"bXYZ"), map(xyz, SPACES["ProPhoto"][0].T), strict=True)),
            **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve(1.8)),
        }
    )
    assert apart(png_with((b"iCCP", b"large\0\0" + zlib.compress(large, 1))), in_srgb(COLOURS, "ProPhoto")) <= 2


def test_a_bmp_and_a_jpeg_2000_have_profiles_too():
    """BITMAPV5HEADER embeds one, and the box ``colr`` of a JP2."""
    wide, plain = rgb_profile("Adobe RGB"), encode(PATCHES, "BMP")
    header = struct.pack("<I", 124) + plain[18:54] + bytes(16) + b"DEBM" + bytes(48)
    header += struct.pack("<IIII", 4, 124 + len(plain) - 54, len(wide), 0)
    offset = struct.pack("<I", 138)
    assert apart(plain[:10] + offset + header + plain[54:] + wide, in_srgb(COLOURS, "Adobe RGB")) <= 2
    data = encode(PATCHES, "JPEG2000", irreversible=False)
    at = data.index(b"colr") - 4
    size = int.from_bytes(data[at : at + 4], "big")
    box = struct.pack(">I", 11 + len(wide)) + b"colr\2\0\0" + wide
    jp2h = data.index(b"jp2h") - 4
    longer = int.from_bytes(data[jp2h : jp2h + 4], "big") + len(box) - size
    data = data[:jp2h] + struct.pack(">I", longer) + data[jp2h + 4 : at] + box + data[at + size :]
    assert apart(data, in_srgb(COLOURS, "Adobe RGB")) <= 2


def test_what_is_hashed_has_no_profile_applied():
    """A copy whose profile was stripped hashes alike, bit for bit."""
    picture = draw(400, 300)
    for kind in ("PNG", "JPEG", "TIFF"):
        with_profile = look_at(encode(picture, kind, icc_profile=rgb_profile("ProPhoto")), max_pixels=MAX_PIXELS)
        assert with_profile.luma == look_at(encode(picture, kind), max_pixels=MAX_PIXELS).luma
    assert as_grey(picture).tobytes() == picture.convert("L").tobytes()


def test_what_is_written_is_srgb_and_carries_no_profile(tmp_path):
    """The folders' PNG of a picture of inks, of a TIFF and a WebP; and the pages' thumbnails."""
    wide = rgb_profile("ProPhoto")
    files = {
        "inks": encode(draw().convert("CMYK"), "JPEG", quality=97, icc_profile=ink_profile()),
        "tiff": encode(draw(), "TIFF", icc_profile=wide),
        "webp": encode(draw(), "WEBP", lossless=True, icc_profile=wide),
    }
    paths, written = build(tmp_path, files)
    for name, data in files.items():
        content = written[name].read_bytes()
        assert np.array_equal(opened(content), shown(data))
        sighting = look_at(data, max_pixels=MAX_PIXELS).observation
        small = encode_small(paths.image(sighting.sha256, sighting.format), 100)
        for image in (Image.open(io.BytesIO(content)), jpeg(small)):
            assert image.mode == "RGB"
            assert not {"icc_profile", "exif", "gamma"} & set(image.info)


def test_a_linked_original_keeps_its_bytes(tmp_path):
    """What is linked is the file as it came, its profile in it; what is shown and trained on is its sRGB."""
    data = encode(draw(), icc_profile=rgb_profile("Adobe RGB"))
    _, written = build(tmp_path, {"png": data})
    assert written["png"].read_bytes() == data
    assert np.abs(shown(data) - np.asarray(draw())).max() > 10


def test_a_tiff_of_lab_is_in_its_colours():
    """Reddish, greenish, bluish and grey of CIE Lab (D50), by the formulas of CIE 15."""
    lab = np.array([[54, 40, 30], [70, -40, 40], [40, 20, -40], [50, 0, 0], [90, 5, 20]], np.float64)
    stored = np.rint(np.stack([lab[:, 0] * 2.55, lab[:, 1] + 128, lab[:, 2] + 128], axis=-1)).astype(np.uint8)
    bands = [Image.fromarray(stored[None, :, n]) for n in range(3)]
    data = encode(Image.merge("LAB", bands), "TIFF")
    assert apart(data, srgb_of_lab(stored / [2.55, 1, 1] - [0, 128, 128])[None]) <= 2
