"""What a PNG says of its colours in chunks of its own, beside the profile; what is damaged says nothing.

>>> import io
>>> from PIL import Image, PngImagePlugin
>>> file, chunks = io.BytesIO(), PngImagePlugin.PngInfo()
>>> chunks.add(b"cICP", bytes([12, 13, 0, 1]))
>>> Image.new("RGB", (3, 2)).save(file, "png", pnginfo=chunks)
>>> read_png_colours(file.getvalue())
{'cicp': (12, 13)}
"""

from __future__ import annotations

import struct
from typing import Any

from curator.observe.png import LENGTHS, checksum_of, iterate_chunks

_READ = frozenset({b"cICP", b"sRGB", b"gAMA", b"cHRM", b"sBIT"})


def read_png_colours(data: bytes) -> dict[str, Any]:
    """Read the chunks before the pixels, see https://www.w3.org/TR/png-3/#11addnlcolinfo.

    Returns:
        ``cicp``: primaries and transfer, as numbered in ITU-T H.273; ``srgb``: True; ``gamma``: a float;
        ``chromaticity``: x and y of white, red, green and blue; ``significant_bits``: of the samples as they were
        before they were stored. Only what is there.
    """
    found: dict[str, Any] = {}
    for name, body, checksum in iterate_chunks(data):
        if name == b"IDAT":
            break
        if name in _READ and len(body) in LENGTHS[name] and checksum_of(name, body) == checksum:
            found |= _read(name, bytes(body))
    return found


def _read(name: bytes, body: bytes) -> dict[str, Any]:
    if name == b"sRGB":
        return {"srgb": True}
    if name == b"gAMA":
        return {"gamma": int.from_bytes(body, "big") / 100_000}
    if name == b"cHRM":
        return {"chromaticity": tuple(value / 100_000 for value in struct.unpack(">8I", body))}
    if name == b"sBIT":
        return {"significant_bits": max(body[:3])}
    is_rgb_of_full_range = body[2:] == b"\0\1"
    return {"cicp": (body[0], body[1])} if is_rgb_of_full_range else {}
