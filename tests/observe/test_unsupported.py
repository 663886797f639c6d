"""A whole file that no decoder here reads is unsupported, and named; only one that breaks its own rules is corrupt."""

import io
import struct
import sys
import time

import numpy as np
import pytest
from PIL import Image, features

from curator.observe.observation import look_at
from curator.observe.pixels import decode_rgb
from curator.observe.sniff import sniff
from curator.reasons import Drop
from tests.observe.drawings import MAX_PIXELS, draw, encode, encode_turned

PICTURE = draw(64, 48)
PIXELS = np.asarray(PICTURE)


def look(data):
    """The observation of a file's bytes."""
    return look_at(data, max_pixels=MAX_PIXELS).observation


def tiff(pixels, order="<", big=False, **tags):
    """An uncompressed TIFF of one strip: pixels of shape (height, width[, samples]), or in planes; and other tags."""
    planar = tags.get("planes", 1) == 2
    height, width = pixels.shape[1:] if planar else pixels.shape[:2]
    n_samples = pixels.shape[0] if planar else (pixels.shape[2] if pixels.ndim == 3 else 1)
    body = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    kind = {"u": 1, "i": 2, "f": 3, "c": 6}[pixels.dtype.kind]
    bits = tags.get("bits", pixels.dtype.itemsize * 8)
    values = {
        256: width, 257: height, 258: bits, 259: tags.get("compression", 1), 277: n_samples, 339: kind,
        262: tags.get("photometric", 2 if n_samples >= 3 else 1), 278: height, 284: tags.get("planes", 1),
    }  # fmt: skip
    start = 16 if big else 8
    if planar:
        length = len(body) // n_samples
        values |= {273: tuple(start + n * length for n in range(n_samples)), 279: (length,) * n_samples}
    else:
        values |= {273: start, 279: len(body)}
    at, extra, entries = start + len(body), b"", b""
    word, room = ("Q", 8) if big else ("I", 4)
    for tag, value in sorted(values.items()):
        numbers = value if isinstance(value, tuple) else (value,)
        packed = struct.pack(f"{order}{len(numbers)}I", *numbers)
        if len(packed) > room:
            place, extra = struct.pack(order + word, at + len(extra)), extra + packed
        else:
            place = packed.ljust(room, b"\0")
        entries += struct.pack(f"{order}HH{word}", tag, 4, len(numbers)) + place
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "H", 43 if big else 42)
    head += struct.pack(order + "HHQ", 8, 0, at + len(extra)) if big else struct.pack(order + "I", at + len(extra))
    count = struct.pack(order + ("Q" if big else "H"), len(values))
    return head + body + extra + count + entries + bytes(8 if big else 4)


def grown(dtype):
    """The picture's samples in another type."""
    return (PIXELS / 255).astype(dtype) if dtype[0] in "fc" else PIXELS.astype(dtype)


TIFFS = {
    "16-bit float": (tiff(grown("f2")), "3 samples of 16 bits a pixel, float"),
    "32-bit float": (tiff(grown("f4")), "3 samples of 32 bits a pixel, float"),
    "64-bit float grey": (tiff(grown("f8")[..., 0]), "1 sample of 64 bits a pixel, float"),
    "complex": (tiff(grown("c8")[..., 0]), "1 sample of 64 bits a pixel, complex, float"),
    "float, in planes": (tiff(np.moveaxis(grown("f4"), -1, 0).copy(), planes=2), "float, in separate planes"),
    "16 bits in planes": (
        tiff(np.moveaxis(grown("u2"), -1, 0).copy(), planes=2),
        "16 bits a pixel, in separate planes",
    ),
    "signed": (tiff(grown("i2")), "3 samples of 16 bits a pixel, signed"),
    "32 bits": (tiff(grown("u4")), "3 samples of 32 bits a pixel"),
    "14 bits": (tiff(grown("u2")[..., 0], bits=14), "1 sample of 14 bits a pixel"),
    "16-bit Lab": (tiff(grown("u2"), photometric=8), "16 bits a pixel, CIE Lab"),
    "ICC Lab": (tiff(grown("u1"), photometric=9), "ICC Lab"),
    "colour filters": (tiff(grown("u1")[..., 0], photometric=32803), "a colour filter array"),
    "5 samples": (tiff(np.dstack([PIXELS, PIXELS])[..., :5].copy(), photometric=1), "5 samples of 8 bits a pixel"),
    "JPEG 2000": (tiff(PIXELS, compression=34712), "compression 34712 (JPEG 2000)"),
    "LERC": (tiff(PIXELS, compression=34887), "compression 34887 (LERC)"),
    "a compression of its own": (tiff(PIXELS, compression=65123), "compression 65123"),
    "big-endian float": (tiff(grown("f4"), ">"), "3 samples of 32 bits a pixel, float"),
    "big-endian BigTIFF": (tiff(PIXELS, ">", big=True), "a big-endian BigTIFF"),
    "float BigTIFF": (tiff(grown("f4"), big=True), "3 samples of 32 bits a pixel, float"),
}


@pytest.mark.parametrize("name", TIFFS)
def test_a_tiff_of_a_kind_without_a_decoder_is_unsupported(name):
    """And its detail says of what kind."""
    data, words = TIFFS[name]
    seen = look(data)
    assert seen.flaw is Drop.UNSUPPORTED_FORMAT, seen
    assert words in seen.flaw_detail


@pytest.mark.parametrize("name", TIFFS)
def test_the_same_cut_short_is_not_called_unsupported(name):
    """What ends before its pixels do has no kind."""
    data, _ = TIFFS[name]
    assert look(data[: len(data) // 2]).flaw in (Drop.TRUNCATED, Drop.CORRUPT)


@pytest.mark.parametrize(("order", "big"), [("<", False), (">", False), ("<", True)])
def test_tiffs_written_here_are_read_if_they_are_ordinary(order, big):
    """So that it is their kind which is refused, not how these tests write them."""
    assert np.array_equal(np.asarray(decode_rgb(tiff(PIXELS, order, big))), PIXELS)


def test_deep_tiffs_are_scaled_by_what_they_use():
    """12 bits in 16, in colours and grey; white is zero; 32 bits without a sign; 15 bits with one."""
    twelve = np.rint(PIXELS * (4095 / 255)).astype("u2")
    for order in "<>":
        assert np.array_equal(np.asarray(decode_rgb(tiff(twelve, order))), PIXELS)
        assert np.array_equal(np.asarray(decode_rgb(tiff(twelve[..., 0], order)))[..., 0], PIXELS[..., 0])
    inverse = (255 - PIXELS[..., 0]).astype("u2") * 257
    assert np.array_equal(np.asarray(decode_rgb(tiff(inverse, photometric=0)))[..., 0], PIXELS[..., 0])
    signed = np.rint(PIXELS[..., 0] * (32767 / 255)).astype("i2")
    assert np.abs(np.asarray(decode_rgb(tiff(signed)))[..., 0].astype(int) - PIXELS[..., 0]).max() <= 1
    low, high = int(PIXELS[..., 0].min()), int(PIXELS[..., 0].max())
    wide = PIXELS[..., 0].astype("u4") * 16843009
    stretched = (PIXELS[..., 0].astype(int) - low) * 255 / (high - low)
    assert np.abs(np.asarray(decode_rgb(tiff(wide)))[..., 0] - stretched).max() <= 1


def frame(data, marker, bits=8, n_components=None, height=None):
    """A JPEG with another frame header."""
    at = data.index(b"\xff\xc0")
    changed = bytearray(data)
    changed[at + 1], changed[at + 4] = marker, bits
    if n_components is not None:
        changed[at + 9] = n_components
    if height is not None:
        changed[at + 5 : at + 7] = struct.pack(">H", height)
    return bytes(changed)


@pytest.mark.parametrize(
    ("marker", "more", "words"),
    [
        (0xC1, {"bits": 12}, "a JPEG of 12 bits a sample"),
        (0xC3, {}, "a lossless JPEG"),
        (0xC3, {"bits": 16}, "a lossless JPEG"),
        (0xC5, {}, "a hierarchical JPEG"),
        (0xCB, {}, "a lossless, arithmetic-coded JPEG"),
        (0xF7, {}, "a lossless (JPEG-LS) JPEG"),
        (0xC0, {"height": 0}, "a JPEG whose height follows its pixels (DNL)"),
    ],
)
def test_a_jpeg_of_another_process_is_unsupported(marker, more, words):
    """Told from the frame header, as of ITU-T T.81."""
    seen = look(frame(encode(PICTURE, "JPEG"), marker, **more))
    assert (seen.flaw, seen.flaw_detail) == (Drop.UNSUPPORTED_FORMAT, f"no decoder here reads {words}")


def test_a_jpeg_2000_of_five_samples_is_unsupported():
    """Pillow says that its header is malformed."""
    data = bytearray(encode(PICTURE, "JPEG2000", no_jp2=True))
    data[40:42] = b"\0\5"
    assert look(bytes(data)).flaw is Drop.UNSUPPORTED_FORMAT


@pytest.mark.parametrize("mode", ["RGB", "L", "P"])
@pytest.mark.parametrize("kind", ["TGA", "TGA packed", "PCX", "SGI", "DDS", "ICNS", "QOI"])
def test_an_image_without_a_decoder_is_named(kind, mode):
    """TGA and PCX have no signature, and are known by their headers; TGA without its footer too."""
    names = {"TGA": "a TGA", "PCX": "a PCX", "SGI": "an SGI", "DDS": "a DirectDraw", "ICNS": "a macOS", "QOI": "a QOI"}
    options = {"compression": "tga_rle"} if "packed" in kind else {}
    name = kind.split()[0]
    if (name, mode) in {("QOI", "L"), ("QOI", "P"), ("SGI", "P"), ("DDS", "P")}:
        pytest.skip("there is no such file")
    data = encode(draw(64, 64).convert(mode), name, **options)
    for version in {data, data.removesuffix(b"TRUEVISION-XFILE.\0")}:
        seen = look(version)
        assert (seen.flaw, seen.format) == (Drop.UNSUPPORTED_FORMAT, name.lower())
        assert seen.flaw_detail.startswith(f"no decoder here opens {names[name]}")


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"#define im_width 16\n#define im_height 16\nstatic char im_bits[] = {", "xbm"),
        (b"P7\nWIDTH 4\nHEIGHT 4\nDEPTH 3\nMAXVAL 255\nENDHDR\n", "ppm"),
        (b"PF\n4 4\n-1.0\n" + bytes(192), "ppm"),
        (b"\0\0\2\0\1\0\x20\x20\0\0\1\0\1\0\0\4\0\0\x16\0\0\0" + bytes(40), "cur"),
        (b"\0\0\2\0\0\0\0\0\0\0\0\0\x40\0\x30\0\x18\0" + bytes(40), "tga"),
        (b"II\xbc\1" + bytes(40), "jxr"),
        (b"\x28\0\0\0\x40\0\0\0\x30\0\0\0\1\0\x18\0" + bytes(40), "dib"),
        (bytes(4) + b"\x12\xaf\1\0\x40\1\xc8\0\x08\0\3\0", "fli"),
        (bytes(128) + b"DICM" + bytes(40), "dicom"),
        (b"\x8aMNG\r\n\x1a\n", "mng"),
        (b"farbfeld" + bytes(40), "farbfeld"),
        (b"DanM" + bytes(40), "msp"),
    ],
)
def test_more_images_are_known_by_their_bytes(data, name):
    """None of them is called something else."""
    found = sniff(data)
    assert (found.format, found.is_image) == (name, True)


@pytest.mark.parametrize(
    "data", [bytes(600), b"\0\0\2\0" + bytes(600), b"\n\5\1\x08" + b"\xff" * 200, b"BM, said he", b"P7 is a gun\n"]
)
def test_noise_is_no_image(data):
    """A header of which a field cannot be is none."""
    assert not sniff(data).is_image


def bmp_with(size, reserved=b"\0\0\0\0", more=b""):
    """A BMP whose second header has this size, other reserved bytes, and something behind its end."""
    whole = encode(PICTURE, "BMP")
    header = whole[18:54][: size - 4].ljust(size - 4, b"\0")
    if size == 12:
        header = struct.pack("<HHHH", 64, 48, 1, 24)
    return whole[:6] + reserved + struct.pack("<II", 14 + size, size) + header + whole[54:] + more


@pytest.mark.parametrize("size", [12, 16, 20, 24, 36, 40, 42, 48, 52, 56, 60, 64, 108, 124])
def test_a_bmp_with_any_header_is_read(size):
    """OS/2's, Windows', and OS/2's cut short; whatever is reserved, and whatever follows."""
    for data in (bmp_with(size), bmp_with(size, b"\1\2\3\4"), bmp_with(size, b"ABCD", b"more" * 100)):
        seen = look(data)
        assert (seen.flaw, seen.format, seen.width, seen.height) == (None, "bmp", 64, 48)
        assert np.array_equal(np.asarray(decode_rgb(data)), PIXELS)


def test_a_bmp_with_too_large_a_palette_is_read():
    """300 entries, of which 8 bits reach 256; and one whose fourth byte of a pixel is not used as alpha."""
    few = PICTURE.quantize(64)
    whole = encode(few, "BMP")
    palette = whole[54 : int.from_bytes(whole[10:14], "little")].ljust(1200, b"\0")
    head = whole[:10] + struct.pack("<I", 54 + 1200) + whole[14:46] + struct.pack("<I", 300) + whole[50:54]
    data = head + palette + whole[int.from_bytes(whole[10:14], "little") :]
    assert np.array_equal(np.asarray(decode_rgb(data)), np.asarray(few.convert("RGB")))
    head = b"BM" + struct.pack("<IIIIiiHHIIiiII", 0, 0, 66 + 16, 56, 64, -48, 1, 32, 3, 0, 0, 0, 0, 0)
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    body = np.dstack([PIXELS[..., ::-1], PIXELS[..., 0] * 0]).tobytes()
    assert np.array_equal(np.asarray(decode_rgb(head[:10] + struct.pack("<I", 70) + head[14:] + masks + body)), PIXELS)


EXTRAS = {"heic": "pillow_heif", "jxl": "pillow_jxl"}
STARTS = {"heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "jxl": b"\xff\x0a\x7f\0"}


@pytest.mark.parametrize("kind", EXTRAS)
def test_without_its_extra_a_format_is_unsupported_by_name(kind, monkeypatch):
    """The detail is what to type."""
    monkeypatch.setitem(sys.modules, EXTRAS[kind], None)
    seen = look(STARTS[kind])
    assert (seen.flaw, seen.format) == (Drop.UNSUPPORTED_FORMAT, kind)
    assert f"pip install 'imageset-curator[{kind}]'" in seen.flaw_detail
    with pytest.raises(ValueError, match=f"needs the extra {kind}"):
        decode_rgb(STARTS[kind])


@pytest.mark.parametrize("orientation", [1, 6])
def test_heic_is_read_with_its_extra(orientation):
    """Upright, whatever its EXIF block says, and as every other format is."""
    as_plugin = pytest.importorskip("pillow_heif.as_plugin", reason="needs the extra heic")
    from pillow_heif import from_pillow

    picture, exif, file = draw(), Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    heif = from_pillow(picture)
    heif.save(file, quality=95, exif=exif.tobytes())
    data = file.getvalue()
    seen, shown = look(data), decode_rgb(data)
    expected = picture if orientation == 1 else picture.transpose(Image.Transpose.ROTATE_270)
    assert as_plugin.HeifImageFile
    assert (seen.flaw, seen.format, seen.orientation, (seen.width, seen.height)) == (None, "heic", 1, expected.size)
    assert np.abs(np.asarray(shown).astype(int) - np.asarray(expected)).mean() < 6
    assert look(data[: len(data) // 2]).flaw is Drop.TRUNCATED
    assert look_at(data, max_pixels=100).observation.flaw is Drop.TOO_MANY_PIXELS


def test_jpeg_xl_is_read_with_its_extra():
    """Its size is known before it is decoded; its pixels are upright already, unless they are those of a JPEG."""
    pillow_jxl = pytest.importorskip("pillow_jxl", reason="needs the extra jxl")
    picture = draw()
    data = pillow_jxl.Encoder(mode="RGB", lossless=True, quality=100)(
        picture.tobytes(), *picture.size, jpeg_encode=False
    )
    seen = look(data)
    assert (seen.flaw, seen.format, seen.width, seen.height) == (None, "jxl", 200, 150)
    assert np.array_equal(np.asarray(decode_rgb(data)), np.asarray(picture))
    assert look_at(data, max_pixels=100).observation.flaw_detail == "200 x 150 pixels"
    turned = encode_turned(picture, 6, "JPEG", quality=95)
    data = pillow_jxl.Encoder(mode="RGB", lossless=True, quality=100)(turned, 150, 200, jpeg_encode=True)
    assert (look(data).orientation, decode_rgb(data).size) == (6, (200, 150))
    assert look(b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(20)).flaw in (Drop.CORRUPT, Drop.TRUNCATED)


def test_webp_in_a_tiff_is_read_or_unsupported():
    """As this build of libtiff has it; never corrupt."""
    seen = look(tiff(PIXELS, compression=50001))
    assert seen.flaw in (Drop.UNSUPPORTED_FORMAT, Drop.CORRUPT)
    assert seen.flaw is Drop.UNSUPPORTED_FORMAT or features.check("libtiff")


def test_a_directory_of_many_fields_costs_little():
    """65,000 fields that all point to one megabyte."""
    entry = struct.pack("<HHII", 273, 4, 250_000, 8)
    data = (
        b"II*\0"
        + struct.pack("<I", 1_000_008)
        + bytes(1_000_000)
        + struct.pack("<H", 65_000)
        + entry * 65_000
        + bytes(4)
    )
    started = time.process_time()
    assert look(data).flaw in (Drop.CORRUPT, Drop.TRUNCATED)
    assert time.process_time() - started < 30


def bitmap(width=64, height=48, bits=8, compression=0, size=40, n_colours=0, masks=(), pixels=bytes(range(256)) * 48):
    """A BMP of these fields, whether there can be such a one or not."""
    fields = struct.pack("<IiiHHIIiiII", size, width, height, 1, bits, compression, 0, 2835, 2835, n_colours, 0)
    behind = struct.pack(f"<{len(masks)}I", *masks) + (b"".join(bytes([n, n, n, 0]) for n in range(256)) * (bits == 8))
    start = 54 + len(behind)
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + fields + behind + pixels


RUNS = b"".join(bytes([8, (7 * x * y) % 251]) * 8 + b"\0\0" for y in range(48) for x in [y + 1]) + b"\0\1"


@pytest.mark.parametrize(
    ("data", "flaw", "said"),
    [
        (bitmap(height=-48), None, None),
        (bitmap(compression=1, pixels=RUNS), None, None),
        (bitmap(width=-64), Drop.CORRUPT, "the header says -64 x 48 pixels"),
        (bitmap(height=0), Drop.CORRUPT, "the header says 64 x 0 pixels"),
        (bitmap(size=66), Drop.CORRUPT, "the second header has 66 bytes, as none has"),
        (bitmap(n_colours=305402420), Drop.CORRUPT, "the header says 305,402,420 colours"),
        (bitmap(bits=30000), Drop.CORRUPT, "the header says 30000 bits a pixel, in compression 0"),
        (bitmap(bits=24, compression=1), Drop.CORRUPT, "the header says 24 bits a pixel, in compression 1"),
        (
            bitmap(bits=32, compression=3, masks=(255, 255, 255)),
            Drop.CORRUPT,
            "the header says that colours share bits",
        ),
        (bitmap(compression=9), Drop.CORRUPT, "the header says 8 bits a pixel, in compression 9"),
        (bitmap(compression=1, pixels=RUNS[:-200]), Drop.TRUNCATED, "ValueError: not enough image data"),
        (bitmap(bits=2), Drop.UNSUPPORTED_FORMAT, "no decoder here reads a BMP of 2 bits a pixel"),
        (bitmap(compression=4), Drop.UNSUPPORTED_FORMAT, "no decoder here reads a BMP that holds a JPEG"),
        (
            bitmap(bits=16, compression=3, masks=(0xF00, 0xF0, 0xF)),
            Drop.UNSUPPORTED_FORMAT,
            "no decoder here reads a BMP of 4-4-4 bits for red, green and blue",
        ),
    ],
)
def test_a_bmp_that_cannot_be_is_corrupt_and_one_without_a_decoder_unsupported(data, flaw, said):
    """What no BMP can say is damage; what one may say is named if nothing here reads it; cut runs are cut."""
    seen = look_at(data, max_pixels=10**8).observation
    assert (seen.flaw, seen.flaw_detail) == (flaw, said)
