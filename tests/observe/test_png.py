"""A PNG is kept only if every row of it is what was written; what is kept, every reader of the folders can read."""

import random
import struct
import subprocess
import sys
import time
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image, features

from curator.observe.observation import observe_image
from curator.observe.pixels import decode_rgb
from curator.reasons import Drop
from tests.observe.drawings import MAX_PIXELS, draw, encode, png_bomb, png_chunk
from tests.observe.png_parts import PALETTE, TYPES, Parts, split_chunks
from tests.peak_memory import PEAK

BROKEN = (Drop.CORRUPT, Drop.TRUNCATED)


def observe(data):
    """Observe with the tests' limit."""
    return observe_image(data, max_pixels=MAX_PIXELS)


def of_type(kind, **more):
    """The parts of a PNG of one of the :data:`TYPES`."""
    bits, colour, interlaced = kind
    return Parts(bits, colour, interlaced, **more)


@pytest.mark.parametrize("kind", TYPES)
def test_a_whole_png_of_every_type_is_well_formed(kind):
    """Each has its pixels, and libpng's through OpenCV."""
    data = of_type(kind).build()
    seen = observe(data)
    assert (seen.flaw, seen.well_formed) == (None, True)
    plain = kind[0] <= 8 and kind[1] in (0, 2, 3)
    if plain:
        theirs = cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
        assert np.array_equal(np.asarray(decode_rgb(data)), theirs)


def test_a_flipped_bit_in_the_pixel_data_is_corrupt():
    """Two hundred of them, over all types, each with the chunk's checksum made right again: not one is kept."""
    chance = random.Random(11)
    for number in range(200):
        parts = of_type(TYPES[number % len(TYPES)], seed=number)
        packed = bytearray(parts.packed())
        at = chance.randrange(len(packed))
        packed[at] ^= 1 << chance.randrange(8)
        seen = observe(parts.build(bytes(packed)))
        # The two bits of the header that say how hard the packer tried mean nothing.
        assert seen.flaw is Drop.CORRUPT or (at == 1 and seen.flaw is None), (TYPES[number % len(TYPES)], at)


def cut(parts):
    """Half of the pixel data is not there."""
    packed = parts.packed()
    return parts.build(packed[: len(packed) // 2])


def lost_middle(parts):
    """The second of three IDATs is not there."""
    chunks = split_chunks(parts.build())
    at = [name for name, _ in chunks].index(b"IDAT")
    return parts.join([*chunks[: at + 1], *chunks[at + 2 :]])


def no_pixels(parts):
    """There is no IDAT at all."""
    return parts.join([chunk for chunk in split_chunks(parts.build()) if chunk[0] != b"IDAT"])


def not_consecutive(parts):
    """A text stands between two IDATs."""
    chunks = split_chunks(parts.build())
    at = [name for name, _ in chunks].index(b"IDAT")
    return parts.join([*chunks[: at + 1], (b"tEXt", b"Comment\0no"), *chunks[at + 1 :]])


def wrong_checksum(parts):
    """The pixel data's own checksum is another's."""
    packed = parts.packed()
    return parts.build(packed[:-4] + bytes(byte ^ 0x55 for byte in packed[-4:]))


def no_checksum(parts):
    """The pixel data ends before its checksum."""
    return parts.build(parts.packed()[:-4])


def bad_filter(parts):
    """The last row has a filter of 5."""
    rows = bytearray(parts.rows)
    rows[-parts.row_bytes] = 5
    parts.rows = bytes(rows)
    return parts.build()


def missing_rows(parts):
    """The stream ends well, three rows early."""
    parts.rows = parts.rows[: -3 * parts.row_bytes]
    return parts.build()


def missing_byte(parts):
    """The stream ends well, one byte early."""
    parts.rows = parts.rows[:-1]
    return parts.build()


def surplus_rows(parts):
    """The stream holds two rows more than the header says."""
    parts.rows += parts.rows[-2 * parts.row_bytes :]
    return parts.build()


def wrong_width(parts):
    """The header says one pixel more in each row, or seven."""
    parts.header[0] += 7 if parts.header[2] < 8 else 1
    return parts.build()


def narrower(parts):
    """The header says half the width."""
    parts.header[0] //= 2
    return parts.build()


def wrong_height(parts):
    """The header says ten rows more."""
    parts.header[1] += 10
    return parts.build()


def lower(parts):
    """The header says ten rows less."""
    parts.header[1] -= 10
    return parts.build()


def second_header(parts):
    """A second IHDR says another size."""
    header = parts.ihdr()
    parts.header[1] -= 10
    chunks = split_chunks(parts.build())
    return parts.join([header, *chunks])


def impossible_depth(parts):
    """No PNG has samples of 3 bits."""
    parts.header[2] = 3
    return parts.build()


DAMAGES = (
    *(
        cut,
        lost_middle,
        no_pixels,
        not_consecutive,
        wrong_checksum,
        no_checksum,
        bad_filter,
        missing_rows,
        missing_byte,
    ),
    *(surplus_rows, wrong_width, narrower, wrong_height, lower, second_header, impossible_depth),
)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_png_is_corrupt(damage, kind):
    """Whatever Pillow would show of it, with the reason in words."""
    data = damage(of_type(kind))
    seen = observe(data)
    assert seen.flaw is Drop.CORRUPT
    assert seen.phash is None
    assert seen.flaw_detail
    with pytest.raises(ValueError, match=r"\w"):
        decode_rgb(data)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("share", [0.3, 0.7, 0.98])
def test_a_png_that_was_cut_off_is_truncated(kind, share):
    """The end of the download is missing."""
    data = of_type(kind).build()
    seen = observe(data[: min(int(len(data) * share), len(data) - 24)])
    assert seen.flaw is Drop.TRUNCATED


@pytest.mark.parametrize(
    ("chunks", "words"),
    [
        ([], "no palette"),
        ([(b"PLTE", b"")], "palette"),
        ([(b"PLTE", PALETTE[:50])], "palette"),
        ([(b"PLTE", PALETTE[:30])], "a colour that the palette lacks"),
        ([(b"PLTE", PALETTE), (b"PLTE", PALETTE)], "a second chunk PLTE"),
    ],
)
@pytest.mark.parametrize("interlaced", [False, True])
def test_a_picture_without_its_palette_is_corrupt(chunks, words, interlaced):
    """One that is missing, too short for the pixels, of broken length, or there twice."""
    parts = Parts(8, 3, interlaced)
    parts.before = chunks
    seen = observe(parts.build())
    assert seen.flaw is Drop.CORRUPT
    assert words in seen.flaw_detail


def trailing(parts):
    """Bytes follow the end."""
    return parts.build() + b"<!-- served by a proxy -->" * 40


def second_picture(parts):
    """A whole PNG follows the end."""
    return parts.build() + Parts(8, 2, seed=5).build()


def no_end(parts):
    """IEND is missing."""
    return parts.build(end=False)


def unknown_critical(parts):
    """A chunk of which the standard says that who does not know it must not show the picture."""
    parts.before.append((b"SPeC", b"?"))
    return parts.build()


def packed_trailer(parts):
    """Bytes follow the stream within IDAT."""
    return parts.build(parts.packed() + b"padding")


def few_surplus_bytes(parts):
    """The stream holds a byte after the last row."""
    parts.rows += b"\0"
    return parts.build()


def empty_idat(parts):
    """An IDAT comes late, after a text."""
    parts.after = [(b"tEXt", b"Comment\0no"), (b"IDAT", b"")]
    return parts.build()


def broken_text(parts):
    """A text's checksum is wrong."""
    data = parts.build()
    return data[:33] + png_chunk(b"tEXt", b"a\0b")[:-1] + b"!" + data[33:]


def long_text(parts):
    """A packed text of 2 MiB."""
    parts.before.insert(0, (b"zTXt", b"Comment\0\0" + zlib.compress(bytes(1 << 21))))
    return parts.build()


def broken_density(parts):
    """PHYs is too short."""
    parts.before.insert(0, (b"pHYs", b"\0\0"))
    return parts.build()


def broken_colours(parts):
    """CICP is too long."""
    parts.before.insert(0, (b"cICP", bytes([12, 13, 0, 1, 0])))
    return parts.build()


def broken_profile(parts):
    """ICCP does not unpack."""
    parts.before.insert(0, (b"iCCP", b"name\0\0rubbish"))
    return parts.build()


def broken_transparency(parts):
    """TRNS is of no length that fits."""
    parts.before.append((b"tRNS", bytes(300)))
    return parts.build()


def broken_animation(parts):
    """AcTL and fcTL are too short."""
    parts.before += [(b"acTL", b"\0"), (b"fcTL", b"\0")]
    return parts.build()


ODDITIES = (
    *(trailing, second_picture, no_end, unknown_critical, packed_trailer, few_surplus_bytes, empty_idat, broken_text),
    *(long_text, broken_density, broken_colours, broken_profile, broken_transparency, broken_animation),
)


@pytest.mark.parametrize("kind", [(8, 2, False), (8, 0, True), (8, 3, False), (16, 2, False)])
@pytest.mark.parametrize("oddity", ODDITIES)
def test_a_whole_picture_in_an_odd_png_is_kept_but_not_well_formed(oddity, kind):
    """All its rows are there, so it is kept; as some readers refuse the file, the folders get another."""
    whole = decode_rgb(of_type(kind).build())
    data = oddity(of_type(kind))
    seen = observe(data)
    assert (seen.flaw, seen.well_formed) == (None, False)
    assert np.array_equal(np.asarray(decode_rgb(data)), np.asarray(whole))


def test_a_profile_of_two_megabytes_is_read():
    """It is of the picture, whatever Pillow says of its length."""
    parts = Parts(8, 2)
    parts.before = [(b"iCCP", b"wide\0\0" + zlib.compress(bytes(1 << 21)))]
    assert observe(parts.build()).flaw is None


def test_an_iphones_own_png_is_unsupported():
    """It is no damage: another packing of other pixels, which its makers call PNG."""
    data = Parts(8, 6).build()
    seen = observe(data[:8] + png_chunk(b"CgBI", b"\x50\0\x20\6") + data[8:])
    assert seen.flaw is Drop.UNSUPPORTED_FORMAT


def test_many_tiny_chunks_cost_little():
    """A megabyte of empty chunks is read once."""
    data = Parts(8, 2).build()
    started = time.process_time()
    assert observe(data[:33] + png_chunk(b"teXt", b"") * 90_000 + data[33:]).flaw is None
    assert time.process_time() - started < 10


def icon(picture, width=32, height=32):
    """An icon of one picture, whose list says this size of it."""
    return struct.pack("<HHHBBBBHHII", 0, 1, 1, width, height, 0, 0, 1, 32, len(picture), 22) + picture


def test_an_icon_is_as_large_and_as_whole_as_the_png_in_it():
    """What its list says of the size counts for nothing."""
    seen = observe(icon(encode(draw(300, 200))))
    assert (seen.flaw, seen.format, seen.width, seen.height) == (None, "ico", 300, 200)
    assert observe(icon(png_bomb(5000, 4000))).flaw is Drop.TOO_MANY_PIXELS
    assert observe(icon(wrong_checksum(Parts(8, 2)))).flaw is Drop.CORRUPT
    bitmap = struct.pack("<IiiHHIIiiII", 40, 5000, 8000, 1, 1, 0, 0, 0, 0, 0, 0)
    assert observe(icon(bitmap + bytes(1000))).flaw is Drop.TOO_MANY_PIXELS


MEASURE = f"""{PEAK}
import pathlib, sys
from curator.observe.observation import observe_image
for path in sys.argv[1:]:
    data = pathlib.Path(path).read_bytes()
    before = peak_bytes()
    flaw = observe_image(data, max_pixels=1_000_000).flaw
    print(flaw, (peak_bytes() - before) // 1024)
"""


def bombs():
    """Files of few bytes and 16 million pixels."""
    flat, grey = (Image.new(mode, (4000, 4000)) for mode in "1L")
    yield "ico", icon(encode(grey))
    yield "png", encode(grey)
    yield "gif", encode(flat, "GIF")
    yield "tiff", encode(flat, "TIFF", compression="group4")
    yield "bmp", encode(flat, "BMP")
    yield "ppm", b"P6 4000 4000 255\n" + bytes(1000)
    yield "jp2", encode(grey, "JPEG2000")
    yield "jpeg", encode(grey, "JPEG")
    yield "webp", encode(grey, "WEBP", lossless=True, method=0)
    if features.check("avif"):
        yield "avif", encode(grey, "AVIF", speed=10)


@pytest.mark.skipif(sys.platform != "linux", reason="measures in Linux' units")
def test_a_bomb_of_any_format_is_refused_by_its_header(tmp_path):
    """No memory is taken for what is never decoded: under 3 MB, where the pixels would take 16."""
    names = []
    for name, data in bombs():
        names.append(name)
        (tmp_path / name).write_bytes(data)
    command = [sys.executable, "-c", MEASURE, *(str(tmp_path / name) for name in names)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    for name, line in zip(names, done.stdout.splitlines(), strict=True):
        flaw, kilobytes = line.split()
        assert (name, flaw) == (name, "too-many-pixels")
        assert int(kilobytes) < 3000, name
