"""Alter a picture as the web does, in known ways, so that it can be measured which copies are found again.

>>> picture = Image.effect_noise((100, 80), 50).convert("RGB")
>>> copies = alter(picture, seed="a")
>>> sorted(copies) == sorted(KINDS), copies["resize"].size, copies["turn"].size, copies["crop 10%"].size
(True, (50, 40), (80, 100), (90, 72))
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable

from PIL import Image, ImageDraw, ImageEnhance, ImageFont, ImageOps

Chance = random.Random

QUALITY, POOR_QUALITY = 88, 50
_WORDS = "photo agency"


def _crop(share: float) -> Callable[[Image.Image, Chance], Image.Image]:
    def crop(picture: Image.Image, chance: Chance) -> Image.Image:
        width, height = picture.size
        cut_x, cut_y = round(width * share), round(height * share)
        x, y = chance.randint(0, cut_x), chance.randint(0, cut_y)
        return picture.crop((x, y, x + width - cut_x, y + height - cut_y))

    return crop


def _write(share: float, left: float, top: float) -> Callable[[Image.Image, Chance], Image.Image]:
    """Write words as high as a share of the picture's height, from a place on it, in shares of its sides."""

    def write(picture: Image.Image, _: Chance) -> Image.Image:
        written = picture.copy()
        size = max(10, round(share * written.height))
        ImageDraw.Draw(written).text(
            (written.width * left, written.height * top),
            _WORDS,
            fill="white",
            font=ImageFont.load_default(size),
            stroke_width=max(1, size // 12),
            stroke_fill="black",
        )
        return written

    return write


def _caption(picture: Image.Image, chance: Chance) -> Image.Image:
    below = Image.new("RGB", (picture.width, picture.height + max(12, picture.height // 6)), "white")
    below.paste(picture)
    return _write(0.06, 0.05, 0.9)(below, chance)


def _watermark(picture: Image.Image, _: Chance) -> Image.Image:
    """Lay half-transparent words all over."""
    size = max(8, picture.height // 14)
    side = round(1.5 * max(picture.size))
    marks = Image.new("L", (side, side))
    for row, top in enumerate(range(0, side, 4 * size)):
        at, words = (-3 * size * (row % 2), top), "  ".join([_WORDS] * (side // (6 * size) + 2))
        ImageDraw.Draw(marks).text(at, words, fill=90, font=ImageFont.load_default(size))
    marked = picture.copy()
    marked.paste("white", mask=ImageOps.fit(marks.rotate(30), picture.size))
    return marked


def _grade(picture: Image.Image, _: Chance) -> Image.Image:
    """Make a picture warmer: more red, less blue."""
    channels = zip(picture.split(), (1.12, 1.0, 0.85), strict=True)
    return Image.merge("RGB", [channel.point(lambda value, by=by: min(255, by * value)) for channel, by in channels])


def _cut_out(picture: Image.Image, _: Chance) -> Image.Image:
    """Keep an ellipse of seven tenths of each side, on white."""
    mask = Image.new("L", picture.size)
    width, height = picture.size
    ImageDraw.Draw(mask).ellipse((0.15 * width, 0.15 * height, 0.85 * width, 0.85 * height), fill=255)
    return Image.composite(picture, Image.new("RGB", picture.size, "white"), mask)


def _frame(picture: Image.Image, share: float, colour: str) -> Image.Image:
    return ImageOps.expand(picture, max(1, round(share * max(picture.size))), colour)


def _collage(picture: Image.Image, chance: Chance) -> Image.Image:
    """Put a picture beside one of soft colours, of its own size."""
    colours = [tuple(chance.randint(0, 255) for _ in range(3)) for _ in range(12)]
    beside = Image.new("RGB", (4, 3))
    beside.putdata(colours)
    both = Image.new("RGB", (2 * picture.width, picture.height))
    both.paste(picture, (0, 0))
    both.paste(beside.resize(picture.size, Image.Resampling.BICUBIC), (picture.width, 0))
    return both


KINDS: dict[str, Callable[[Image.Image, Chance], Image.Image]] = {
    "resize": lambda picture, _: picture.resize((max(1, picture.width // 2), max(1, picture.height // 2))),
    "quality 50": lambda picture, _: picture,
    "crop 2%": _crop(0.02),
    "crop 5%": _crop(0.05),
    "crop 10%": _crop(0.10),
    "brightness": lambda picture, _: ImageEnhance.Brightness(picture).enhance(1.3),
    "contrast": lambda picture, _: ImageEnhance.Contrast(picture).enhance(1.4),
    "text": _write(1 / 16, 0.05, 0.88),
    "border": lambda picture, _: _frame(picture, 0.03, "white"),
    "mirror": lambda picture, _: ImageOps.mirror(picture),
    "turn": lambda picture, _: picture.transpose(Image.Transpose.ROTATE_90),
    "crop 30%": _crop(0.30),
    "crop 50%": _crop(0.50),
    "wide border": lambda picture, _: _frame(picture, 0.10, "black"),
    "padded": lambda picture, _: ImageOps.pad(picture, (max(picture.size), max(picture.size)), color="white"),
    "rotated by 5°": lambda picture, _: picture.rotate(5, Image.Resampling.BICUBIC),
    "collage": _collage,
    "caption": _caption,
    "large text": _write(0.2, 0.02, 0.4),
    "watermark": _watermark,
    "graded": _grade,
    "cut-out": _cut_out,
}
"""Name to alteration: half the size, low quality, a share of both sides cut off, a caption, a white frame …"""


def alter(picture: Image.Image, seed: str) -> dict[str, Image.Image]:
    """Make one altered copy of each of :data:`KINDS`; the same seed crops at the same place."""
    return {kind: change(picture, random.Random(f"{kind} {seed}")) for kind, change in KINDS.items()}  # noqa: S311


def encode(picture: Image.Image, kind: str) -> bytes:
    """Save a copy as JPEG, at quality 88, or 50 if that is what was altered."""
    file = io.BytesIO()
    picture.save(file, "jpeg", quality=POOR_QUALITY if kind == f"quality {POOR_QUALITY}" else QUALITY)
    return file.getvalue()
