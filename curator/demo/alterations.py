r"""What befalls a picture on the web: copies of it, and files that are broken, hostile or not pictures at all.

>>> from curator.demo.drawing.scenes import draw_scene, encode_jpeg
>>> picture = encode_jpeg(draw_scene("soccer", (2,)), 90)
>>> len(truncated(picture)) < len(picture), as_png(picture)[:4], tiny(picture) == tiny(picture)
(True, b'\x89PNG', True)
"""

from __future__ import annotations

import io
import struct
import zlib

import cv2
import numpy as np
from PIL import ExifTags
from PIL import Image as PillowImage

from curator.demo.drawing.camera import Image, to_pixels
from curator.demo.drawing.scenes import encode_jpeg, encode_png

HTML_PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>Photo not found</title></head>"
    b"<body><h1>Sorry</h1><p>This photo has moved.</p></body></html>\n"
)


def decode(data: bytes) -> Image:
    """Decode a picture as it is stored: uint8, blue, green, red."""
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), flags), np.uint8)


def resized(data: bytes, scale: float, quality: int = 85) -> bytes:
    """Make the picture smaller (``scale`` < 1) and encode it again."""
    smaller = cv2.resize(decode(data), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return encode_jpeg(to_pixels(smaller), quality)


def reencoded(data: bytes, quality: int) -> bytes:
    """Encode the picture again at another JPEG quality."""
    return encode_jpeg(decode(data), quality)


def mirrored(data: bytes, quality: int = 88) -> bytes:
    """Swap left and right."""
    return encode_jpeg(decode(data)[:, ::-1].copy(), quality)


def rotated(data: bytes, quarters: int, quality: int = 88) -> bytes:
    """Turn by quarters, counter-clockwise."""
    return encode_jpeg(np.rot90(decode(data), quarters).copy(), quality)


def exif_turned(data: bytes, quality: int = 90) -> bytes:
    """Store the picture on its side, with an EXIF orientation (6) that turns it upright again."""
    sideways = np.rot90(decode(data), 1)[..., ::-1]
    exif = PillowImage.Exif()
    exif[ExifTags.Base.Orientation] = 6
    stream = io.BytesIO()
    PillowImage.fromarray(sideways.copy()).save(stream, "JPEG", quality=quality, exif=exif)
    return stream.getvalue()


def as_png(data: bytes) -> bytes:
    """Store the same pixels as PNG."""
    return encode_png(decode(data))


def truncated(data: bytes) -> bytes:
    """Lose the second half of the file."""
    return data[: len(data) // 2]


def corrupted(data: bytes) -> bytes:
    """Store as PNG, then damage the compressed pixels in the middle of the file."""
    png = bytearray(as_png(data))
    middle = len(png) // 2
    png[middle : middle + 64] = bytes(byte ^ 0xA5 for byte in png[middle : middle + 64])
    return bytes(png)


def tiny(data: bytes) -> bytes:
    """Make a thumbnail of 48 x 36 pixels."""
    return encode_jpeg(to_pixels(cv2.resize(decode(data), (48, 36), interpolation=cv2.INTER_AREA)), 85)


def banner(data: bytes) -> bytes:
    """Cut a strip seven times as wide as high."""
    image = decode(data)
    high = max(1, image.shape[1] // 7)
    strip = to_pixels(cv2.resize(image[:high], (7 * 80, 80), interpolation=cv2.INTER_AREA))
    return encode_jpeg(strip, 85)


def pixel_bomb(side_px: int = 30_000) -> bytes:
    """Make a small PNG that claims ``side_px`` x ``side_px`` pixels."""
    header = struct.pack(">IIBBBBB", side_px, side_px, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(100_000), 9)
    png = b"\x89PNG\r\n\x1a\n"
    for kind, body in ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b"")):
        png += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return png


def placeholder() -> bytes:
    """Draw this world's own 'photo unavailable' picture: a PNG that no list of known placeholders holds."""
    image = np.full((240, 320, 3), 244, np.uint8)
    cv2.rectangle(image, (96, 60), (224, 150), (190, 190, 190), 3, cv2.LINE_AA)
    cv2.circle(image, (160, 105), 26, (190, 190, 190), 3, cv2.LINE_AA)
    cv2.line(image, (86, 160), (234, 50), (190, 190, 190), 3, cv2.LINE_AA)
    cv2.putText(image, "this photo is", (82, 190), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (120, 120, 120), 1, cv2.LINE_AA)
    cv2.putText(image, "no longer available", (62, 214), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (120, 120, 120), 1, cv2.LINE_AA)
    return encode_png(image)
