"""What is made of an image file: its pixels, or a JPEG or PNG of them, as they are or brought to a size.

Nothing here is called in a person's own process: :mod:`curator.observe.workers.render` has it done in one that may die.

>>> import io
>>> file = io.BytesIO()
>>> Image.new("RGB", (8, 4), "red").save(file, "png")
>>> for fit in ("squeeze", "pad"):
...     picture = draw(file.getvalue(), Rendering(side_px=4, fit=fit), max_pixels=32)
...     print(picture.size, picture.getpixel((1, 0)))
(4, 4) (255, 0, 0)
(4, 4) (0, 0, 0)
>>> draw(file.getvalue(), Rendering(), max_pixels=31)
Traceback (most recent call last):
ValueError: 8 x 4 pixels are more than `max_pixels` (31)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from PIL import Image, ImageFile, ImageOps

from curator.observe.pixels import decode_rgb
from curator.store.making import Making

_TURNS = {90: Image.Transpose.ROTATE_90, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_270}
"""Counter-clockwise, as Pillow turns."""
_LANCZOS = Image.Resampling.LANCZOS


def _within(picture: Image.Image, side_px: int) -> Image.Image:
    picture.thumbnail((side_px, side_px), Image.Resampling.BICUBIC, reducing_gap=2.0)
    return picture


def _squeeze(picture: Image.Image, side_px: int) -> Image.Image:
    return picture.resize((side_px, side_px), Image.Resampling.BILINEAR, reducing_gap=2.0)


FITS: Mapping[str, Callable[[Image.Image, int], Image.Image]] = {
    "whole": lambda picture, side_px: picture,
    "within": _within,
    "squeeze": _squeeze,
    "crop": lambda picture, side_px: ImageOps.fit(picture, (side_px, side_px), _LANCZOS),
    "pad": lambda picture, side_px: ImageOps.pad(picture, (side_px, side_px), _LANCZOS),
    "stretch": lambda picture, side_px: picture.resize((side_px, side_px), _LANCZOS),
}
"""How a picture is brought to a side: as it is; made smaller; a square of all of it as networks see it (bilinear); a
square of its middle, of all of it on black, or of all of it stretched (Lanczos)."""


@dataclass(frozen=True)
class Rendering:
    """What to make of a file.

    Attributes:
        form: ``RGB`` or ``L`` (luma), the bytes of the pixels row by row; or ``JPEG`` or ``PNG``.
        fit: one of :data:`FITS`.
        side_px: the side to bring it to, in pixels.
        options: of Pillow's ``save``.
        least: ``long_px`` or ``short_px``, see :func:`curator.observe.pixels.decode_rgb`.
        turn, box: what is done to the upright picture first: see :class:`curator.store.making.Making`.
    """

    form: str = "RGB"
    fit: str = "whole"
    side_px: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)
    least: Mapping[str, int] = field(default_factory=dict)
    turn: int = 0
    box: tuple[float, ...] = ()


def draw(data: bytes, rendering: Rendering, max_pixels: int) -> Image.Image:
    """Decode a file and bring it to its size.

    Raises:
        ValueError: it does not decode, or has more than ``max_pixels``.
    """
    picture = decode_rgb(data, max_pixels=max_pixels, **rendering.least)
    if rendering.turn:
        picture = picture.transpose(_TURNS[rendering.turn])
    if rendering.box:
        picture = picture.crop(Making(box=rendering.box).pixels(*picture.size))
    return FITS[rendering.fit](picture.convert("L") if rendering.form == "L" else picture, rendering.side_px)


_ROWS_BYTES = 1 << 18


def write(picture: Image.Image, rendering: Rendering, file: IO[bytes]) -> None:
    """Write a picture in its form, piece by piece."""
    if rendering.form not in ("RGB", "L"):
        before = ImageFile.MAXBLOCK
        if rendering.options.get("optimize"):  # which is one piece, and of noise a long one
            ImageFile.MAXBLOCK = max(before, 4 * picture.width * picture.height)
        try:
            picture.save(file, rendering.form, **rendering.options)
        finally:
            ImageFile.MAXBLOCK = before
        return
    n_rows = max(1, _ROWS_BYTES // (len(picture.mode) * picture.width))
    for top in range(0, picture.height, n_rows):
        file.write(picture.crop((0, top, picture.width, min(top + n_rows, picture.height))).tobytes())
