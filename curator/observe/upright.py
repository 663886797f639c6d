"""Decode a whole picture as a viewer shows it: first frame, upright, RGB, transparent parts on white.

>>> import io
>>> file = io.BytesIO()
>>> Image.new("LA", (3, 2), (0, 0)).save(file, "png")
>>> decode_upright_rgb(file.getvalue()).getpixel((0, 0))
(255, 255, 255)
"""

from __future__ import annotations

from PIL import Image, ImageOps, JpegImagePlugin

from curator.observe.decode import flatten
from curator.observe.header import OPENERS, read_header
from curator.observe.sniff import sniff


def decode_upright_rgb(data: bytes, least_px: int | None = None) -> Image.Image:
    """Decode an image file; pixels deeper than 8 bits are scaled as they are for hashing.

    Args:
        data: the file's bytes.
        least_px: where the picture is to be made smaller than this: a JPEG may then come at 1/2, 1/4 or 1/8 of its
            size, its longer side still this long, in a fraction of the time.

    Raises:
        ValueError: the bytes are not of a format that can be decoded.
        Exception: whatever the decoder raises for a broken file.
    """
    found = sniff(data).format
    if found not in OPENERS:
        raise ValueError(f"no decoder for {found or 'these bytes'}")
    header = read_header(data, found)
    if least_px and isinstance(header.image, JpegImagePlugin.JpegImageFile):
        share = least_px / max(header.image.size)
        width, height = (max(1, int(side * share)) for side in header.image.size)
        header.image.draft(header.image.mode, (width, height))
    header.image.load()
    picture: Image.Image = header.image
    if found != "tiff":  # Pillow turns a TIFF upright while it loads
        picture = ImageOps.exif_transpose(picture)
    return _as_rgb(picture)


def _as_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode in ("F", "LAB") or picture.mode.startswith("I"):
        return flatten(picture).convert("RGB")
    if picture.has_transparency_data:
        rgba = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return picture.convert("RGB")
