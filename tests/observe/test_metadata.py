"""Broken metadata of any format is no flaw, stops nothing and is not heard."""

import io
import random
import struct

import numpy as np
import pytest
from PIL import features

from curator.observe.observation import look_at
from curator.observe.pixels import decode_rgb
from tests.observe.drawings import MAX_PIXELS, draw, encode
from tests.observe.odd_jpegs import _BODIES as BODIES

PICTURE = draw(80, 60)
EXIF = b"Exif\0\0II*\0\x08\0\0\0\0\0"
WEBP = encode(PICTURE, "WEBP", lossless=True, exif=EXIF, xmp=b"<x/>", icc_profile=bytes(128))
GIF = encode(PICTURE.quantize(32), "GIF")
TAGS = (270, 271, 274, 282, 296, 305, 306, 315, 330, 700, 33723, 34377, 34665, 34675, 34853, 37500, 65000)


def webp_with(name, body):
    """A WebP whose chunk of this name is another."""
    at, parts = 12, []
    while at < len(WEBP):
        kind, length = WEBP[at : at + 4], int.from_bytes(WEBP[at + 4 : at + 8], "little")
        content = body if kind == name else WEBP[at + 8 : at + 8 + length]
        parts.append(kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) & 1))
        at += 8 + length + (length & 1)
    content = b"WEBP" + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(content)) + content


def gif_with(label, body):
    """A GIF with one more extension before its picture."""
    at = 13 + 3 * (2 << (GIF[10] & 7))
    block = bytes([len(body)]) + body if body else b""
    return GIF[:at] + b"\x21" + bytes([label]) + block + b"\0" + GIF[at:]


def tiff_with(*tag):
    """A TIFF with one more tag: number, type, count, value or offset."""
    rows = PICTURE.tobytes()
    tags = [(256, 4, 1, 80), (257, 4, 1, 60), (258, 3, 3, 8 + len(rows)), (259, 3, 1, 1), (262, 3, 1, 2),
            (273, 4, 1, 8), (277, 3, 1, 3), (278, 4, 1, 60), (279, 4, 1, len(rows)), (284, 3, 1, 1)]  # fmt: skip
    entries = b"".join(struct.pack("<HHII", *one) for one in sorted([*tags, tag]))
    head = b"II*\0" + struct.pack("<I", 8 + len(rows) + 6) + rows + struct.pack("<3H", 8, 8, 8)
    return head + struct.pack("<H", len(tags) + 1) + entries + bytes(4)


def files():
    """Files of every format with something broken in what is not their picture."""
    for name in (b"EXIF", b"XMP ", b"ICCP"):
        for body in BODIES:
            yield webp_with(name, body)
            yield webp_with(name, b"Exif\0\0" + body)
    for label in (0xFE, 0xFF, 0xF9, 0x01, 0x42):
        for body in BODIES:
            yield gif_with(label, body if label != 0xF9 or len(body) != 4 else body + b"?")
    for tag in TAGS:
        for kind in (0, 1, 2, 3, 4, 5, 7, 10, 12, 13, 16, 99):
            for count, value in ((0, 0), (1, 0), (1, 0xFFFFFFFF), (0xFFFFFFFF, 8), (5, 0xFFFFFFF0), (3, 14)):
                if (tag, kind) != (330, 4):
                    yield tiff_with(tag, kind, count, value)
    if features.check("avif"):
        avif = encode(PICTURE, "AVIF", exif=EXIF)
        at = avif.find(b"II*\0")
        for body in BODIES:
            yield avif[:at] + body[:8].ljust(8, b"?") + avif[at + 8 :]


FILES = list(files())


@pytest.mark.parametrize("part", range(8))
def test_broken_metadata_is_no_flaw_and_is_not_heard(part, capfd, recwarn):
    """A tenth of the files, drawn anew only if the list changes; each is observed, decoded, shrunk and saved."""
    for data in random.Random(part).sample(FILES, len(FILES) // 10):
        assert look_at(data, max_pixels=MAX_PIXELS).observation.flaw is None, data[:60]
        picture = decode_rgb(data, short_px=20)
        for kind in ("JPEG", "PNG"):
            picture.save(io.BytesIO(), kind)
        if data[:4] == b"II*\0":
            assert picture.size != PICTURE.size or np.array_equal(np.asarray(picture), np.asarray(PICTURE))
    assert capfd.readouterr() == ("", "")
    assert not list(recwarn)
