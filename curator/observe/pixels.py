"""The one decoder: from a file's bytes to the picture that a viewer shows, which is upright 8-bit sRGB on white.

The pixels that are written into the folders, trained on, and shown in the report and on the review page all come from
here, so that they are the same for every kind of image. What is hashed differs only in that no profile is applied.

>>> import io
>>> file = io.BytesIO()
>>> Image.new("LA", (3, 2), (0, 0)).save(file, "png")  # black, but fully transparent
>>> decode_rgb(file.getvalue()).getpixel((0, 0))
(255, 255, 255)
"""

from __future__ import annotations

from PIL import Image, ImageFile, JpegImagePlugin

from curator.observe.deep_pixels import load_deep, scale_grey
from curator.observe.header import canvas_size, read_header
from curator.observe.openers import lacking_decoder
from curator.observe.profiles import find_transform, lab_transform
from curator.observe.silence import silence
from curator.observe.sniff import sniff
from curator.observe.stated_colours import stated_profile

DECODER_VERSION = 3
"""Raised when any kind of image is decoded to other pixels than before, so that no cache holds pixels of both kinds."""

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


MAX_PIXELS = 100_000_000
"""Width times height above which nothing is decoded, unless a recipe says otherwise (``max_pixels``)."""


def decode_rgb(data: bytes, *, max_pixels: int = MAX_PIXELS, long_px: int = 0, short_px: int = 0) -> Image.Image:
    """Decode the first frame of an image file to an upright sRGB picture.

    A picture that is to be made smaller need not be decoded in full: given one of the two lengths, a JPEG is decoded
    at 1/2, 1/4 or 1/8 of its size, in a fraction of the time, if that side is still at least so long.

    Args:
        data: the file's bytes.
        max_pixels: width times height above which it is refused before a pixel is decoded.
        long_px: least length of the longer side, in pixels.
        short_px: least length of the shorter side, in pixels.

    Raises:
        ValueError: no decoder here opens these bytes, they are broken, or a picture of too many pixels; the message
            says what the decoder said.
    """
    sniffed = sniff(data)
    if sniffed.format is None or (lacking := lacking_decoder(sniffed.format, sniffed.name)):
        raise ValueError(lacking if sniffed.format else "the bytes are of no known kind")
    try:
        with silence(sniffed.format):
            picture = _decode_rgb(data, sniffed.format, max_pixels, long_px, short_px)
    except Exception as error:  # decoders raise whatever they like
        raise ValueError(str(error) or type(error).__name__) from error
    picture.info = {}  # an orientation applied again, or a profile of other colours, would spoil what is saved of it
    return picture


def _decode_rgb(data: bytes, image_format: str, max_pixels: int, long_px: int, short_px: int) -> Image.Image:
    if size := canvas_size(data, image_format):
        _check_size(*size, max_pixels)
    header = read_header(data, image_format)
    _check_size(header.width, header.height, max_pixels)
    image = header.open_whole()
    if (long_px or short_px) and isinstance(image, JpegImagePlugin.JpegImageFile):
        scale = max(1, max(image.size) // long_px if long_px else min(image.size) // short_px)
        image.draft(image.mode, (max(1, image.width // scale), max(1, image.height // scale)))
    picture = turn_upright(as_rgb(image), header.unapplied_orientation)
    # A file's own image would read its metadata once more, whenever it is saved.
    return picture.copy() if isinstance(picture, ImageFile.ImageFile) else picture


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise ValueError(f"{width} x {height} pixels are more than `max_pixels` ({max_pixels:,})")


def turn_upright(picture: Image.Image, orientation: int) -> Image.Image:
    """Apply an EXIF orientation, 1 to 8."""
    return picture.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else picture


def as_rgb(image: Image.Image, *, is_managed: bool = True) -> Image.Image:
    """Convert an opened image of any mode to RGB as a viewer shows it, not yet turned upright.

    Its colours are brought to sRGB (:mod:`curator.observe.profiles`), its transparent parts are shown on white. What is
    deeper than 8 bits is scaled (:mod:`curator.observe.deep_pixels`), not clipped.

    Args:
        is_managed: as a viewer that applies no profile otherwise; Lab is shown by its lightness.
    """
    load_deep(image)
    if image.format == "BMP" and image.mode == "RGBA" and not image.getchannel("A").getbbox():
        image = image.convert("RGB")  # the fourth byte is not in use
    profile = stated_profile(image.info) if is_managed else b""
    if image.mode == "LAB":
        return lab_transform().apply(image) if is_managed else image.getchannel("L").convert("RGB")
    if image.mode == "F" or image.mode.startswith("I"):
        return _in_srgb(Image.fromarray(scale_grey(image)), profile)
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        if profile:
            alpha = rgba.getchannel("A")
            rgba = _in_srgb(
                image.convert("LA").getchannel("L") if image.mode[0] == "L" else rgba.convert("RGB"), profile
            )
            rgba.putalpha(alpha)
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return _in_srgb(image, profile)


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Convert an opaque picture to RGB, by its profile if that fits and makes a difference."""
    if profile:
        if image.mode not in ("RGB", "L", "CMYK"):
            image = image.convert("L" if image.mode == "1" else "RGB")
        if transform := find_transform(profile, image.mode):
            return transform.apply(image)
    return image if image.mode == "RGB" else image.convert("RGB")


def as_grey(image: Image.Image) -> Image.Image:
    """Convert an opened image to the luma (``L``, ITU-R 601-2) of its stored colours, which copies have in common.

    A copy that another program wrote often lacks the profile; see docs/decisions/0013-colour.md.
    """
    is_grey = image.mode == "L" and not image.has_transparency_data
    return image if is_grey else as_rgb(image, is_managed=False).convert("L")
