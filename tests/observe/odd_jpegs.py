"""JPEGs whose picture is whole in a file that is odd: its end, its metadata, its padding."""

import random
import struct

from tests.observe.drawings import draw, encode

PICTURE = draw(240, 180, seed=4)
WHOLE = encode(PICTURE, "JPEG", quality=90)
NAKED = WHOLE[:2] + WHOLE[20:]
"""Without the JFIF segment that libjpeg writes first."""


def segment(marker, body):
    """A marker segment."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def with_segment(marker, body, file=NAKED):
    """The picture with one more segment at the beginning."""
    return file[:2] + segment(marker, body) + file[2:]


ENDS = {
    "without its end": WHOLE[:-2],
    "half its end": WHOLE[:-1],
    "text behind it": WHOLE + b"<!-- cached by a proxy -->",
    "a page behind it": WHOLE + b"<html><body>" + b"x" * 9000,
    "zeros behind it": WHOLE + bytes(5000),
    "a telephone's trailer": WHOLE + b"SEFH" + bytes(range(256)) * 40 + b"SEFT",
    "another JPEG behind it": WHOLE + encode(draw(40, 30), "JPEG"),
    "its end twice": WHOLE + b"\xff\xd9",
    "zeros before its end": WHOLE[:-2] + bytes(400) + WHOLE[-2:],
    "text before its end": WHOLE[:-2] + b"Made by a telephone. " * 20 + WHOLE[-2:],
    "bytes before its tables": WHOLE[:20] + b"junk" + WHOLE[20:],
    "fill bytes": WHOLE[:20] + b"\xff\xff\xff" + WHOLE[20:],
}
"""Files that a strict reader warns of or refuses, or whose end it does not find where the file ends."""

_BODIES = (
    *(b"", b"XX*\0\x08\0\0\0", b"II+\0\x08\0\0\0", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff", b"\xff" * 60),
    *(b"II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0", b"II*\0\x08\0\0\0\1\0\x1a\1\5\0\1\0\0\0\xff\xff\0\0\0\0\0\0"),
    *(b"8BIM\3\xed\0\0\xff\xff\xff\xff", b"8BIM\4\4\0\0\0\0\0\4\x1c\2", b"\1\1\0\0\0\0\0", b"\2\0\0"),
    *(random.Random(number).randbytes(number * 7) for number in range(1, 7)),
)
_NAMES = {
    "EXIF": (0xE1, b"Exif\0\0"),
    "XMP": (0xE1, b"http://ns.adobe.com/xap/1.0/\0"),
    "ICC": (0xE2, b"ICC_PROFILE\0\1\1"),
    "ICC short": (0xE2, b"ICC_PROFILE\0"),
    "MPF": (0xE2, b"MPF\0"),
    "FlashPix": (0xE2, b"FPXR\0"),
    "Photoshop": (0xED, b"Photoshop 3.0\0"),
    "JFIF": (0xE0, b"JFIF\0"),
    "JFXX": (0xE0, b"JFXX\0"),
    "comment": (0xFE, b""),
}
METADATA = {
    f"{name} {number}": with_segment(marker, start + body)
    for name, (marker, start) in _NAMES.items()
    for number, body in enumerate(_BODIES)
} | {"Adobe short": with_segment(0xEE, b"Adobe"), "Adobe shorter": with_segment(0xEE, b"Adobe\0\0\0")}
"""Files whose metadata is broken, every kind in many ways."""
