"""One decode an image: from an opened file to the upright 32x32 luma that is hashed.

>>> grey = Image.new("LA", (10, 10), (0, 0))  # black, but fully transparent: seen as the white behind it
>>> int(shrink(flatten(grey))[0, 0])
255

Silence for libraries that write to the process's standard error themselves, past Python.

>>> with no_stderr():
...     _ = os.write(2, b"TIFFFillStrip: Read error")
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
from PIL import Image, JpegImagePlugin

from curator.matching.orientations import ORIENTATIONS
from curator.matching.perceptual_hash import LUMA_SIDE, orient_luma
from curator.observe.header import Header, read_header
from curator.observe.jpeg_header import SCALED_SIDE, PlainJpeg, decode_grey
from curator.observe.shrink import shrink_grey

_UPRIGHT = {
    2: ORIENTATIONS.index("mirror"),
    3: ORIENTATIONS.index("rotate-180"),
    4: ORIENTATIONS.index("mirror-rotate-180"),
    5: ORIENTATIONS.index("mirror-rotate-90"),
    6: ORIENTATIONS.index("rotate-270"),
    7: ORIENTATIONS.index("mirror-rotate-270"),
    8: ORIENTATIONS.index("rotate-90"),
}
"""EXIF orientation to the turn that brings the stored picture upright."""

Luma = npt.NDArray[np.uint8]


def decode_luma(data: bytes, header: Header | PlainJpeg) -> Luma:
    """Decode the first frame and shrink it: uint8, shape (32, 32), upright.

    A JPEG is decoded at reduced size, in grey, straight from its coefficients; all else in full.

    Raises:
        DamagedPixelsError: a JPEG's pixels are not what was written.
        Exception: whatever the decoder raises for a broken or truncated file.
    """
    if isinstance(header, PlainJpeg):
        try:
            grey, scale = decode_grey(data, header)
            return _upright(_shrink_reduced(grey, header.stored_size, scale), header.orientation)
        except ValueError:  # Pillow reads on past what does no harm, and names what does
            header = read_header(data, "jpeg")
    image = header.image
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        size = image.size
        image.draft("L", (SCALED_SIDE, SCALED_SIDE))
        scale = -(-size[0] // image.width)
        return _upright(_shrink_reduced(np.asarray(flatten(image)), size, scale), header.orientation)
    if image.format == "TIFF":
        with no_stderr():
            image.load()  # upright, too
        return shrink(flatten(image))
    return _upright(shrink(flatten(image)), header.orientation)


def _upright(luma: Luma, orientation: int) -> Luma:
    if orientation == 1:
        return luma
    return np.ascontiguousarray(orient_luma(luma, _UPRIGHT[orientation]))


def _shrink_reduced(grey: Luma, size: tuple[int, int], scale: int) -> Luma:
    return shrink(Image.fromarray(grey)) if scale == 1 else shrink_grey(grey, size, scale)


def shrink(grey: Image.Image) -> Luma:
    """Shrink a grey image to uint8, shape (32, 32), bit for bit as imagehash does (Lanczos)."""
    size = (LUMA_SIDE, LUMA_SIDE)
    return np.frombuffer(grey.resize(size, Image.Resampling.LANCZOS).tobytes(), np.uint8).reshape(size)


def flatten(image: Image.Image) -> Image.Image:
    """Make any mode grey (``L``) as a viewer would see it: transparent parts on white, deep pixels scaled, not clipped.

    Colours weigh as in ITU-R 601-2. 16-bit pixels are divided by 257; 32-bit integers beyond 16 bits and floats are
    stretched from their least to their greatest value.
    """
    if image.mode == "L" and "transparency" not in image.info:
        return image
    if image.mode == "LAB":
        return image.getchannel("L")
    if image.mode == "F" or image.mode.startswith("I"):
        return Image.fromarray(_scale_deep(np.asarray(image)))
    if image.has_transparency_data:
        return _on_white(image.convert("RGBA"))
    return image.convert("L")


def _on_white(image: Image.Image) -> Image.Image:
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("L")


def _scale_deep(pixels: npt.NDArray[np.generic]) -> Luma:
    values = np.nan_to_num(pixels.astype(np.float64), posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    if pixels.dtype.kind in "iu" and low >= 0 and high <= 65535:
        low, high = 0.0, 65535.0
    scaled = (values - low) * (255 / (high - low or 1.0))
    return np.rint(scaled).astype(np.uint8)


# Where a program has set up no logging, Python prints Pillow's log of broken files to standard error; this stops that.
logging.getLogger("PIL").addHandler(logging.NullHandler())

_one_at_a_time = threading.Lock()  # two at once could put each other's silence back for good


@contextmanager
def no_stderr() -> Iterator[None]:
    """Send the process's standard error (file descriptor 2) nowhere for a while; all threads' output to it is lost."""
    with _one_at_a_time:
        try:
            kept = os.dup(2)
        except OSError:  # there is no standard error to silence
            yield
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nowhere)
