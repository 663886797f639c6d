"""Samples of more than 8 bits, as 8: by the bits that they use, which need not be all that they are stored in.

Cameras and microscopes write 10 or 12 bits into 16 as they are, so that every pixel is nearly black. A file says how
many (PNG's sBIT, TIFF's BitsPerSample); else the greatest sample tells: no photograph that uses 16 bits ends below a
sixteenth of white.

>>> used_bits(np.array([0, 4000])), used_bits(np.array([0, 900])), used_bits(np.array([0, 9000]))
(12, 10, 16)
>>> used_bits(np.array([3, 9001]), 14), used_bits(np.array([4, 9000]), 14)  # the second holds 14 bits, times 4
(14, 16)
"""

from __future__ import annotations

import io
import sys
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, TiffImagePlugin

from curator.observe.tiff_tags import BITS, FORMAT, PHOTOMETRIC

_DEPTHS = (8, 10, 12)
_LOW_BYTES = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
# How Pillow unpacks samples of 16 bits to their high byte, and how to their low one.

_SIGNED = 2


def used_bits(samples: npt.NDArray[Any], stated: int = 16) -> int:
    """Return how many bits samples use that are stored in 16, none of them negative.

    Args:
        samples: the whole picture's.
        stated: how many the file says that they had before they were stored: in the low bits, or scaled to 16 (as PNG
            asks, by a shift or by a product), which leaves the bits below empty.
    """
    most = int(samples.max(initial=0))
    if stated < 16 and most < 1 << stated and (samples & ((1 << 16 - stated) - 1) > 1).any():
        return stated
    return next((bits for bits in _DEPTHS if most < 1 << bits), 16)


def load_deep(image: Image.Image) -> None:
    """Load an opened image; if it has colours of 16 bits and uses fewer, scale what Pillow keeps, the high byte."""
    tiles, file = getattr(image, "tile", None), getattr(image, "fp", None)
    image.load()
    raw = _raw_mode(tiles[0]) if tiles else ""
    if not isinstance(file, io.BytesIO) or raw[-4:-1] != ";16" or "a" in raw or image.mode not in ("RGB", "RGBA"):
        return
    stated = image.info.get("significant_bits", 16)
    most_bits = max(_DEPTHS) if stated >= 16 else max(stated, *_DEPTHS)
    extrema = np.array(image.getextrema())
    if extrema[:3, 1].max() >= 1 << most_bits - 8:
        return
    samples = np.asarray(image).astype(np.uint16) << 8 | _low_bytes(image, file, raw)
    bits = used_bits(samples[..., :3], stated)
    if bits < 16:
        image.im = Image.fromarray(_scaled(samples, bits)).im


def _raw_mode(tile: Any) -> str:
    """Return how the samples of a tile are stored, such as ``RGB;16B``."""
    found = tile.args[0] if isinstance(tile.args, tuple) and tile.args else tile.args
    return found if isinstance(found, str) else ""


def _low_bytes(image: Image.Image, file: io.BytesIO, raw: str) -> npt.NDArray[np.uint8]:
    """Decode the file once more, to the low bytes of its samples: shape (height, width, channels)."""
    again: Any = type(image)(io.BytesIO(file.getvalue()))  # type: ignore[call-arg]
    low_raw = "RGBA" if raw.startswith("LA") else raw[:-1] + _LOW_BYTES[raw[-1]]
    for n, tile in enumerate(again.tile):
        rest = tile.args[1:] if isinstance(tile.args, tuple) else None
        again.tile[n] = tile._replace(args=low_raw if rest is None else (low_raw, *rest))
    again.load()
    low = np.asarray(again)
    return low[..., [1, 1, 1, 3]] if raw.startswith("LA") else low  # all four bytes of each grey and its alpha


def _scaled(samples: npt.NDArray[Any], bits: int) -> npt.NDArray[np.uint8]:
    """Scale all channels; one that uses more bits than the colours, an alpha channel of 16, by its high byte."""
    most = (1 << bits) - 1
    scaled: npt.NDArray[np.uint8] = np.rint(np.minimum(samples, most) * (255 / most)).astype(np.uint8)
    if samples[..., -1].max(initial=0) > most:
        scaled[..., -1] = samples[..., -1] >> 8
    return scaled


def scale_grey(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Scale a loaded image of deep grey (mode ``I``, ``I;16`` or ``F``): uint8, shape (height, width).

    Integers of up to 16 bits are divided by the greatest that the bits in use can hold; 32-bit integers beyond and
    floats are stretched from their least to their greatest value. One transparent grey is shown white.
    """
    pixels = np.asarray(image)
    tags = image.tag_v2 if isinstance(image, TiffImagePlugin.TiffImageFile) else {}
    is_signed = tags.get(FORMAT, (1,))[0] == _SIGNED
    values = np.nan_to_num(pixels.astype(np.float64), posinf=0.0, neginf=0.0)
    if pixels.dtype == np.int32 and tags.get(FORMAT, (1,))[0] == 1 and tags.get(BITS, (16,))[0] == 32:
        values = pixels.view(np.uint32).astype(np.float64)
    low, high = float(values.min()), float(values.max())
    if pixels.dtype.kind in "iu" and low >= 0 and high <= 65535:
        stated = tags.get(BITS, (image.info.get("significant_bits", 16),))[0]
        bits = 12 if tags and stated == 12 else used_bits(values.astype(np.uint16), stated)
        low, high = 0.0, float((1 << bits - (is_signed and bits == 16)) - 1)
    scaled = (values - low) * (255 / (high - low or 1.0))
    grey = np.rint(scaled).astype(np.uint8)
    if tags.get(PHOTOMETRIC) == 0 and image.mode != "L":
        grey = 255 - grey
    if "transparency" in image.info:
        grey[pixels == image.info["transparency"]] = 255
    return grey
