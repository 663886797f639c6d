"""What an image file says of itself before a pixel of it is decoded, so that a bomb is refused unopened.

>>> import io
>>> file = io.BytesIO()
>>> Image.new("L", (60, 40)).save(file, "png")
>>> header = read_header(file.getvalue(), "png")
>>> header.width, header.height, header.mode, header.n_frames
(60, 40, 'L', 1)
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    IcoImagePlugin,
    Image,
    ImageFile,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from curator.observe.frames import count_frames

# Pillow's classes are called directly, not through Image.open: its guesses are not needed after sniffing, and its
# pixel limit is global to the process, while ours is the recipe's.
OPENERS: dict[str, Callable[[io.BytesIO], ImageFile.ImageFile]] = {
    "jpeg": JpegImagePlugin.jpeg_factory,
    "png": PngImagePlugin.PngImageFile,
    "gif": GifImagePlugin.GifImageFile,
    "webp": WebPImagePlugin.WebPImageFile,
    "bmp": BmpImagePlugin.BmpImageFile,
    "tiff": TiffImagePlugin.TiffImageFile,
    "avif": AvifImagePlugin.AvifImageFile,
    "jp2": Jpeg2KImagePlugin.Jpeg2KImageFile,
    "ico": IcoImagePlugin.IcoImageFile,
    "ppm": PpmImagePlugin.PpmImageFile,
}
"""Catalog format to the decoder that opens it; an image of any other format is unsupported."""

_ORIENTATION_TAG = 0x0112
_SWAPPED_ORIENTATIONS = (5, 6, 7, 8)


@dataclass(frozen=True, slots=True)
class Header:
    """An image file opened but not decoded.

    Attributes:
        image: the file, open at its first frame.
        width, height: pixels, after the EXIF turn.
        orientation: EXIF orientation, 1 to 8.
        mode: Pillow's mode of the stored image.
        n_frames: frames or pages, counted up to ``frames.MAX_FRAMES``.
    """

    image: ImageFile.ImageFile
    width: int
    height: int
    orientation: int
    mode: str
    n_frames: int


def read_header(data: bytes, image_format: str) -> Header:
    """Open ``data`` as ``image_format``, one of :data:`OPENERS`, without decoding it.

    Raises:
        Exception: whatever the decoder raises for a broken header.
    """
    image = OPENERS[image_format](io.BytesIO(data))
    orientation = read_orientation(image)
    width, height = image.size
    # Pillow gives a TIFF's size after the turn, and turns it while loading.
    if orientation in _SWAPPED_ORIENTATIONS and image_format != "tiff":
        width, height = height, width
    return Header(image, width, height, orientation, image.mode, count_frames(data, image))


def read_orientation(image: Image.Image) -> int:
    """Give the EXIF orientation, 1 to 8; 1 where there is none, or none that can be read."""
    try:
        orientation = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # a broken EXIF block does not make the picture worse, and breaks in many ways
        return 1
    return orientation if orientation in range(1, 9) else 1


def canvas_size(data: bytes, image_format: str) -> tuple[int, int] | None:
    """Read width and height from the bytes of a GIF or WebP; None for other formats and headers that are not whole.

    These two decoders would judge or even allocate the canvas before they could be asked for its size. See
    https://www.w3.org/Graphics/GIF/spec-gif89a.txt and https://developers.google.com/speed/webp/docs/riff_container.
    """
    if image_format == "gif" and len(data) >= 10:
        return _uint(data[6:8]), _uint(data[8:10])
    if image_format != "webp" or len(data) < 30:
        return None
    if data[12:16] == b"VP8X":
        return _uint(data[24:27]) + 1, _uint(data[27:30]) + 1
    if data[12:16] == b"VP8L":
        bits = _uint(data[21:25])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return _uint(data[26:28]) & 0x3FFF, _uint(data[28:30]) & 0x3FFF


def _uint(data: bytes) -> int:
    return int.from_bytes(data, "little")
