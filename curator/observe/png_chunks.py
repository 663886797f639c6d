"""What of a PNG its picture depends on: the chunks that Pillow is given, and the colour that the others tell of.

A chunk whose checksum is wrong is passed over if the picture can do without it, as libpng does; a text of any length is
no reason to refuse a picture.

>>> import io
>>> from PIL import Image
>>> file = io.BytesIO()
>>> Image.new("L", (3, 2)).save(file, "png", dpi=(72, 72))
>>> data = file.getvalue()
>>> len(data) - len(without_needless_chunks(data))  # pHYs: 9 bytes, with its length, name and checksum
21
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any

MOST_PROFILE_BYTES = 4 << 20
"""Longest ICC profile that is read, unpacked; the longest in common use, of inks, take 3 MB."""

_SIGNATURE_BYTES = 8
_MOST_TEXT_BYTES = 1 << 20
_PIXELS = frozenset({b"IHDR", b"PLTE", b"IDAT"})
_TEXTS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_TELLING_TEXTS = (b"Raw profile type exif\0", b"XML:com.adobe.xmp\0")  # of all texts, these may hold an orientation


def read_chunks(data: bytes) -> Iterator[tuple[bytes, memoryview, bool]]:
    """Iterate over a PNG's chunks: name, body, and whether its checksum is right; the file's end may cut off the last.

    See https://www.w3.org/TR/png-3/#5Chunk-layout.
    """
    view, at = memoryview(data), _SIGNATURE_BYTES
    while at + 8 <= len(data):
        name, body = data[at + 4 : at + 8], view[at + 8 : at + 8 + int.from_bytes(data[at : at + 4], "big")]
        end = at + 8 + len(body)
        # Pixels are checked elsewhere, and once.
        checks = name == b"IDAT" or zlib.crc32(body, zlib.crc32(name)) == int.from_bytes(data[end : end + 4], "big")
        yield name, body, checks
        at = end + 4


def without_needless_chunks(data: bytes) -> bytes:
    """Return a PNG with only what its first picture is made of: its pixels, palette, transparency and orientation.

    Frames of an animation are left out: its first one, or what stands for it, is stored as in a file without any.
    """
    parts: list[bytes | memoryview] = [data[:_SIGNATURE_BYTES]]
    for name, body, checks in read_chunks(data):
        if name in _PIXELS or (checks and _is_needed(name, body)):
            checksum = zlib.crc32(body, zlib.crc32(name)) if name != b"IDAT" else 0  # Pillow passes over these
            parts += [struct.pack(">I4s", len(body), name), body, struct.pack(">I", checksum)]
    parts.append(b"\0\0\0\0IEND\xaeB`\x82")
    return b"".join(parts)


def _is_needed(name: bytes, body: memoryview) -> bool:
    if name not in _TEXTS:
        return name in (b"tRNS", b"eXIf")
    text = bytes(body)
    if not text.startswith(_TELLING_TEXTS) or len(text) > _MOST_TEXT_BYTES:
        return False
    key, _, rest = text.partition(b"\0")
    if name == b"zTXt":
        return rest[:1] == b"\0" and unpack(rest[1:], _MOST_TEXT_BYTES) is not None
    if name == b"iTXt" and rest[:1] == b"\1":
        packed = rest[2:].split(b"\0", 2)[-1]
        return unpack(packed, _MOST_TEXT_BYTES) is not None
    return bool(key)


def unpack(packed: bytes, most_bytes: int) -> bytes | None:
    """Unpack a zlib stream of at most so many bytes; None if it is longer, or broken.

    >>> unpack(zlib.compress(bytes(10)), 10) == bytes(10), unpack(zlib.compress(bytes(11)), 10)
    (True, None)
    """
    stream = zlib.decompressobj()
    try:
        found = stream.decompress(packed, most_bytes + 1)
    except zlib.error:
        return None
    return found if stream.eof and len(found) <= most_bytes else None


def read_png_extras(data: bytes) -> dict[str, Any]:
    """Read what a PNG says of its colours before its pixels; what is damaged says nothing.

    Returns:
        ``icc_profile``: bytes; ``cicp``: primaries and transfer, as numbered in ITU-T H.273; ``srgb``: True; ``gamma``:
        a float; ``chromaticity``: eight floats; ``significant_bits``: of the samples as they were before they were
        stored. Only what is there.
    """
    found: dict[str, Any] = {}
    for name, body, checks in read_chunks(data):
        if name == b"IDAT":
            break
        if checks and name in _COLOURS:
            found |= _read_colour(name, bytes(body))
    return found


_COLOURS = frozenset({b"iCCP", b"cICP", b"sRGB", b"gAMA", b"cHRM", b"sBIT"})


def count_png_frames(data: bytes) -> int:
    """Count the frames that an animation announces, with a first picture that is no part of it; else 1."""
    n_animated, is_first = 0, False
    for name, body, checks in read_chunks(data):
        if name == b"IDAT":
            break
        if name == b"acTL" and checks and len(body) == 8:
            n_animated = int.from_bytes(body[:4], "big")
        is_first |= name == b"fcTL" and checks
    return n_animated + (not is_first) if 0 < n_animated < 1 << 31 else 1


def _read_colour(name: bytes, body: bytes) -> dict[str, Any]:
    """See https://www.w3.org/TR/png-3/#11addnlcolinfo."""
    if name == b"iCCP":
        _, _, rest = body.partition(b"\0")
        profile = unpack(rest[1:], MOST_PROFILE_BYTES) if rest[:1] == b"\0" else None
        return {"icc_profile": profile} if profile else {}
    if name == b"cICP" and len(body) == 4 and body[2] == 0 and body[3] == 1:
        return {"cicp": (body[0], body[1])}
    if name == b"sRGB" and len(body) == 1:
        return {"srgb": True}
    if name == b"gAMA" and len(body) == 4 and any(body):
        return {"gamma": int.from_bytes(body, "big") / 100_000}
    if name == b"cHRM" and len(body) == 32:
        return {"chromaticity": tuple(value / 100_000 for value in struct.unpack(">8I", body))}
    if name == b"sBIT" and body:
        return {"significant_bits": max(body[:3])}
    return {}
