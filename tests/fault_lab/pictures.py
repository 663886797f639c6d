"""The files that the fault lab serves: whole, odd, broken and hostile pictures, all made here."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

PLACEHOLDERS = Path(__file__).parents[2] / "../shared/placeholders"
"""Real ones, where they are at hand."""


@lru_cache(maxsize=4096)
def photo(name: str, size: tuple[int, int] = (120, 90)) -> bytes:
    """Give a JPEG that belongs to ``name`` alone: the same bytes each time."""
    return encode(scene(name, size), "JPEG", quality=80)


def scene(name: str, size: tuple[int, int] = (120, 90), mode: str = "RGB") -> Image.Image:
    """Draw coarse coloured noise from the name."""
    coarse = Image.frombytes("RGB", (6, 5), random.Random(name).randbytes(90))
    return coarse.resize(size, Image.Resampling.BICUBIC).convert(mode)


def encode(image: Image.Image, image_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def bomb() -> bytes:
    """A PNG whose header announces 50,000 x 50,000 pixels."""
    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(bytes(1000)))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def animated_gif() -> bytes:
    frames = [scene(f"frame {n}") for n in range(3)]
    return encode(frames[0], "GIF", save_all=True, append_images=frames[1:])


def mpo() -> bytes:
    return encode(scene("left"), "MPO", save_all=True, append_images=[scene("right")])


def palette_with_alpha() -> bytes:
    image = scene("palette").convert("P", palette=Image.Palette.ADAPTIVE, colors=16)
    return encode(image, "PNG", transparency=bytes(range(0, 256, 16)))


def unavailable(name: str) -> bytes:
    """A drawing that says nothing, the same for each name; its bytes are not, as where a server stamps its files."""
    image = Image.new("RGB", (240, 180), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((60, 45, 180, 135), outline="grey", width=3)
    draw.line((60, 45, 180, 135), fill="grey", width=3)
    stamp = PngInfo()
    stamp.add_text("Comment", name)
    return encode(image, "PNG", pnginfo=stamp)


PICTURES: dict[str, Callable[[], bytes]] = {
    "bomb.png": bomb,
    "truncated.jpg": lambda: photo("truncated", (640, 480))[:-4000],
    "trailing.png": lambda: encode(scene("trailing"), "PNG") + b"something after the end" * 10,
    "animated.gif": animated_gif,
    "cmyk.jpg": lambda: encode(scene("cmyk", mode="CMYK"), "JPEG"),
    "sixteen-bit.png": lambda: encode(scene("sixteen").convert("I").convert("I;16"), "PNG"),
    "palette.png": palette_with_alpha,
    "mpo.jpg": mpo,
    "vector.svg": lambda: b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><circle r="9"/></svg>',
    "paper.jpg": lambda: b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n",
    "zero.jpg": lambda: b"",
    "flickr.png": (PLACEHOLDERS / "junk_image1.png").read_bytes,
    "flickr.gif": (PLACEHOLDERS / "junk_image2.gif").read_bytes,
    "garbage.jpg": lambda: b"\xff\xd8\xff" + random.Random(1).randbytes(500) + b"\xff\xd9",
}
