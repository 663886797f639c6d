"""The one decoder: from a file's bytes to the picture that a viewer shows, which is upright 8-bit RGB on white.

The pixels that are hashed, linked or written into the folders, trained on, and shown in the report and on the review
page all come from here, so that they are the same for every kind of image.

>>> import io
>>> file = io.BytesIO()
>>> Image.new("LA", (3, 2), (0, 0)).save(file, "png")  # black, but fully transparent
>>> decode_rgb(file.getvalue()).getpixel((0, 0))
(255, 255, 255)
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile, JpegImagePlugin, TiffImagePlugin

from curator.observe.header import OPENERS, read_header
from curator.observe.silence import silence
from curator.observe.sniff import sniff

DECODER_VERSION = 2
"""Raised when any kind of image is decoded to other pixels than before, so that no cache holds pixels of both kinds."""

_BITS_PER_SAMPLE = 258
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation to what brings the stored picture upright."""


def decode_rgb(data: bytes, *, long_px: int = 0, short_px: int = 0) -> Image.Image:
    """Decode the first frame of an image file to an upright RGB picture.

    A picture that is to be made smaller need not be decoded in full: given one of the two lengths, a JPEG is decoded
    at 1/2, 1/4 or 1/8 of its size, in a fraction of the time, if that side is still at least so long.

    Args:
        data: the file's bytes.
        long_px: least length of the longer side, in pixels.
        short_px: least length of the shorter side, in pixels.

    Raises:
        ValueError: no decoder here opens these bytes, or they are broken; the message says what the decoder said.
    """
    found = sniff(data).format
    if found is None or found not in OPENERS:
        raise ValueError(f"no decoder for {found or 'these bytes'}")
    try:
        with silence(found):
            picture = _decode_rgb(data, found, long_px, short_px)
    except Exception as error:  # decoders raise whatever they like
        raise ValueError(str(error) or type(error).__name__) from error
    picture.info = {}  # an orientation applied again, or a profile of other colours, would spoil what is saved of it
    return picture


def _decode_rgb(data: bytes, image_format: str, long_px: int, short_px: int) -> Image.Image:
    header = read_header(data, image_format)
    image = header.open_whole()
    if (long_px or short_px) and isinstance(image, JpegImagePlugin.JpegImageFile):
        scale = max(1, max(image.size) // long_px if long_px else min(image.size) // short_px)
        image.draft(image.mode, (max(1, image.width // scale), max(1, image.height // scale)))
    picture = turn_upright(as_rgb(image), header.unapplied_orientation)
    # A file's own image would read its metadata once more, whenever it is saved.
    return picture.copy() if isinstance(picture, ImageFile.ImageFile) else picture


def turn_upright(picture: Image.Image, orientation: int) -> Image.Image:
    """Apply an EXIF orientation, 1 to 8."""
    return picture.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else picture


def as_rgb(image: Image.Image) -> Image.Image:
    """Convert an opened image of any mode to RGB as a viewer shows it, not yet turned upright.

    Transparent parts are shown on white. Grey deeper than 8 bits is scaled, not clipped: 16 bits are divided by 257;
    32-bit integers beyond 16 bits and floats are stretched from their least to their greatest value. Lab is shown by
    its lightness, as Pillow has no colours for it.
    """
    image.load()
    if image.mode == "LAB":
        return image.getchannel("L").convert("RGB")
    if image.mode == "F" or image.mode.startswith("I"):
        return Image.fromarray(_scale_deep(image)).convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def as_grey(image: Image.Image) -> Image.Image:
    """Convert an opened image of any mode to the luma (``L``, ITU-R 601-2) of what :func:`as_rgb` returns."""
    return image if image.mode == "L" and not image.has_transparency_data else as_rgb(image).convert("L")


def _scale_deep(image: Image.Image) -> npt.NDArray[np.uint8]:
    pixels = np.asarray(image)
    values = np.nan_to_num(pixels.astype(np.float64), posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    if pixels.dtype.kind in "iu" and low >= 0 and high <= 65535:
        # Pillow scales the 12 bits of a TIFF's sample no further.
        bits = image.tag_v2.get(_BITS_PER_SAMPLE, (16,))[0] if isinstance(image, TiffImagePlugin.TiffImageFile) else 16
        low, high = 0.0, 4095.0 if bits == 12 else 65535.0
    scaled = (values - low) * (255 / (high - low or 1.0))
    grey = np.rint(scaled).astype(np.uint8)
    if "transparency" in image.info:
        grey[pixels == image.info["transparency"]] = 255
    return grey
