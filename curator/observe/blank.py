"""Whether a picture is blank: one colour all over, as it is shown, so that nothing can be learned from it.

A blank page, a failed scan, a lens cap, a transparent pixel. Compression and noise may spread one colour a little;
fog, night and a thin line on white spread it further.

>>> import io
>>> from PIL import Image, ImageDraw
>>> def encoded(picture: Image.Image) -> bytes:
...     picture.save(file := io.BytesIO(), "png")
...     return file.getvalue()
>>> picture = Image.new("RGB", (300, 200), "navy")
>>> blank_colour(encoded(picture), bytes(1024))
'#000080'
>>> ImageDraw.Draw(picture).line((0, 20, 299, 20), "black")
>>> blank_colour(encoded(picture), bytes(1024)) is None
True
"""

from __future__ import annotations

import sys

from curator.observe.pixels import decode_rgb

MOST_SPREAD = 8
"""Levels of 255 between the least and the greatest value of each channel, over all pixels, in a blank picture."""

_MOST_LUMA_SPREAD = 12  # of a blank picture shrunk to 32x32: Lanczos' filter overshoots by less than a third


def blank_colour(data: bytes, luma: bytes) -> str | None:
    """Return the colour that all pixels of a file have, such as ``#ffffff``; None if they differ.

    Args:
        data: the file, which is decoded whole only if ``luma`` leaves it possible that it is blank.
        luma: the picture in 32x32 greys.
    """
    if any(max(part) - min(part) > _MOST_LUMA_SPREAD for part in (luma[::63], luma)):  # a few mostly tell
        return None
    try:
        picture = decode_rgb(data, max_pixels=sys.maxsize)  # the luma shows that it has not too many
    except ValueError:  # the luma came from another decoder
        return None
    ranges = [picture.getchannel(name).getextrema() for name in "RGB"]
    if any(high - low > MOST_SPREAD for low, high in ranges):  # type: ignore[operator]
        return None
    return "#" + "".join(f"{(low + high) // 2:02x}" for low, high in ranges)  # type: ignore[operator]
