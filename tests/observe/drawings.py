"""Pictures for the tests of observing: drawn from a seed, with as much to see as a photograph; and files of them."""

import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps

MAX_PIXELS = 1_000_000


def draw(width=200, height=150, seed=0, mode="RGB"):
    """A picture of soft shapes of many sizes, as a PIL image."""
    chance = np.random.default_rng(seed)
    total = np.zeros((height, width, 3))
    for cells in (3, 6, 12, 24):
        coarse = chance.integers(0, 256, (cells, cells, 3), dtype=np.uint8)
        total += np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)) / cells
    total -= total.min()
    return Image.fromarray((total * (255 / total.max())).astype(np.uint8)).convert(mode)


def encode(image, kind="PNG", **options):
    """The bytes of a PIL image as a file of this kind."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


# What to do to an upright picture so that its EXIF orientation turns it upright again.
STORED_FOR_ORIENTATION = {
    1: lambda image: image,
    2: ImageOps.mirror,
    3: lambda image: image.transpose(Image.Transpose.ROTATE_180),
    4: ImageOps.flip,
    5: lambda image: image.transpose(Image.Transpose.TRANSPOSE),
    6: lambda image: image.transpose(Image.Transpose.ROTATE_90),
    7: lambda image: image.transpose(Image.Transpose.TRANSVERSE),
    8: lambda image: image.transpose(Image.Transpose.ROTATE_270),
}


def encode_turned(image, orientation, kind="PNG", **options):
    """A file that stores the picture turned, and says so in its EXIF block."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encode(STORED_FOR_ORIENTATION[orientation](image), kind, exif=exif, **options)


def png_chunk(name, content):
    """One chunk of a PNG file."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png_with_chunk(name, content):
    """A small whole PNG with one more chunk after its header."""
    png = encode(draw(40, 30))
    return png[:33] + png_chunk(name, content) + png[33:]


def png_bomb(width, height):
    """A PNG of a few bytes whose header announces this many pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [png_chunk(b"IHDR", header), png_chunk(b"IDAT", zlib.compress(bytes(1000))), png_chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def gif_of_frames(n_frames):
    """A GIF of 1 x 1 frames that takes 15 bytes a frame."""
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff" + frame * n_frames + b";"


def webp_bomb(width, height):
    """A WebP of a few bytes whose extended header announces this canvas."""
    canvas = bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", len(canvas)) + canvas
    return b"RIFF" + struct.pack("<I", len(body)) + body
