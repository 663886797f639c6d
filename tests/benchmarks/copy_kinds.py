r"""Forty-seven ways in which the web alters a picture: crops, frames, turns, text, collages, cut-outs, colours.

Every way draws what it needs from a seeded chance, so that the same copy is made again; a collage and a new ground are
made with another picture.

>>> picture, other = (Image.effect_noise((200, 160), 60).convert("RGB") for _ in range(2))
>>> len(COPY_KINDS), make_copy("crop 50%", picture, other, "seed").size, make_copy("turned 90", picture, other, "").size
(47, (100, 80), (160, 200))
>>> make_copy("collage of four", picture, other, "seed").size, encode_copy("grey", picture)[:2]
((400, 320), b'\xff\xd8')
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

Picture = Image.Image
Alter = Callable[[Picture, Picture, random.Random], Picture]
WORDS = ("photo agency", "SALE 50% OFF", "www.example.org", "Match day", "FREE SHIPPING", "© J. Smith")
QUALITIES = {"quality 50": 50, "quality 20": 20, "small crop, quality 50": 50}
QUALITY = 88


def crop(picture, share, chance):
    """Cut a share of both sides off, somewhere."""
    width, height = picture.size
    cut_x, cut_y = round(width * share), round(height * share)
    x, y = chance.randint(0, cut_x), chance.randint(0, cut_y)
    return picture.crop((x, y, x + width - cut_x, y + height - cut_y))


def border(picture, share, colour):
    """Put a frame around, of a share of the longer side."""
    return ImageOps.expand(picture, max(1, round(share * max(picture.size))), colour)


def pad(picture, size, chance):
    """Put the picture in the middle of a larger plain one."""
    ground = Image.new("RGB", size, chance.choice(("white", "black", "black", "#dddddd")))
    ground.paste(picture, ((size[0] - picture.width) // 2, (size[1] - picture.height) // 2))
    return ground


def letterbox(picture, chance):
    """Bars above and below, or at both sides of an upright picture, of 8 to 18 in a hundred each."""
    share = 1 + 2 * chance.uniform(0.08, 0.18)
    width, height = picture.size
    size = (width, round(height * share)) if width >= height else (round(width * share), height)
    return pad(picture, size, chance)


def square(picture, chance):
    """Pad to a square, a square picture to a wide one."""
    side = max(picture.size)
    wide = (round(side * 4 / 3), side) if min(picture.size) > 0.95 * side else (side, side)
    return pad(picture, wide, chance)


def caption(picture, chance):
    """A bar with two lines of text below."""
    size = max(10, picture.height // 14)
    colours = chance.choice((("white", "black"), ("black", "white"), ("#ffd800", "black")))
    ground = Image.new("RGB", (picture.width, picture.height + 3 * size), colours[0])
    ground.paste(picture, (0, 0))
    draw, font = ImageDraw.Draw(ground), ImageFont.load_default(size)
    for line in range(2):
        words = " ".join(chance.choices(WORDS, k=2))
        draw.text((size // 2, picture.height + size * (0.2 + 1.3 * line)), words, fill=colours[1], font=font)
    return ground


def rotate(picture, degrees, chance):
    """Rotate either way; the corners are filled, or cut off."""
    angle = degrees * chance.choice((-1, 1))
    how = chance.choice(("white", "black", "cut"))
    turned = picture.rotate(angle, Image.Resampling.BICUBIC, fillcolor="white" if how == "white" else "black")
    if how != "cut":
        return turned
    margin = np.tan(np.deg2rad(degrees)) / 2
    cut_x, cut_y = round(picture.height * margin) + 1, round(picture.width * margin) + 1
    return turned.crop((cut_x, cut_y, picture.width - cut_x, picture.height - cut_y))


def write(picture, part, chance):
    """Write words whose height is a part of the picture's, somewhere."""
    written, text = picture.copy(), chance.choice(WORDS)
    size = max(10, int(picture.height * part))
    font = ImageFont.load_default(size)
    longest = 0.96 * picture.width / max(1, font.getlength(text))
    font = ImageFont.load_default(max(8, min(size, size * longest)))
    fill = chance.choice((("white", "black"), ("black", "white"), ("red", "white"), ("yellow", "black")))
    at = (chance.uniform(0.02, 0.2) * picture.width, chance.uniform(0.1, 0.85) * picture.height)
    stroke = max(1, size // 14)
    ImageDraw.Draw(written).text(at, text, fill=fill[0], font=font, stroke_width=stroke, stroke_fill=fill[1])
    return written


def watermark(picture, chance):
    """Write half-transparent words all over, aslant."""
    size = max(10, picture.height // chance.choice((8, 12, 16)))
    side = 2 * max(picture.size)
    sheet = Image.new("L", (side, side))
    draw, font, text = ImageDraw.Draw(sheet), ImageFont.load_default(size), chance.choice(WORDS)
    step = int(font.getlength(text) + 2 * size)
    for y in range(0, side, 3 * size):
        for x in range(-(y % step), side, step):
            draw.text((x, y), text, fill=chance.choice((70, 90, 110)), font=font)
    sheet = sheet.rotate(chance.choice((30, -30, 45)))
    at = ((side - picture.width) // 2, (side - picture.height) // 2)
    mask = sheet.crop((*at, at[0] + picture.width, at[1] + picture.height))
    return Image.composite(Image.new("RGB", picture.size, "white"), picture, mask)


def collage(picture, other, n, chance):
    """Put the picture beside another, or among three more, whole and at its own size."""
    cells = [ImageOps.fit(other, picture.size), ImageOps.mirror(ImageOps.fit(other, picture.size))]
    cells = [picture, cells[0]] if n == 2 else [picture, *cells, crop(cells[0], 0.4, chance).resize(picture.size)]
    chance.shuffle(cells)
    columns = 2 if n == 4 or chance.random() < 0.5 else 1
    rows = n // columns
    sheet = Image.new("RGB", (columns * picture.width, rows * picture.height))
    for k, cell in enumerate(cells):
        sheet.paste(cell, (k % columns * picture.width, k // columns * picture.height))
    return sheet


def cut_out(picture, ground, chance):
    """Cut an uneven round part out of the middle, some 55 to 80 in a hundred of each side, and put it on a ground."""
    width, height = picture.size
    angles = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    waves = [(k, chance.uniform(0, 0.06), chance.uniform(0, 7)) for k in (2, 3, 5)]
    radius = chance.uniform(0.6, 0.8) * (1 + sum(size * np.cos(k * angles + at) for k, size, at in waves)) / 2
    outline = [
        (width / 2 + width * r * np.cos(a), height / 2 + height * r * np.sin(a))
        for r, a in zip(radius, angles, strict=True)
    ]
    mask = Image.new("L", picture.size)
    ImageDraw.Draw(mask).polygon(outline, fill=255)
    return Image.composite(picture, ground, mask.filter(ImageFilter.GaussianBlur(1)))


def grade(picture, chance):
    """Grade colours as a film look does: a curve for each channel, less or more saturation."""
    tables = []
    for _ in range(3):
        gain, lift, gamma = chance.uniform(0.85, 1.1), chance.uniform(0, 20), chance.uniform(0.8, 1.25)
        tables += [int(min(255, lift + gain * 255 * (v / 255) ** gamma)) for v in range(256)]
    return ImageEnhance.Color(picture.point(tables)).enhance(chance.uniform(0.6, 1.4))


def blur(picture):
    """Blur by a 130th of the longer side."""
    return picture.filter(ImageFilter.GaussianBlur(max(picture.size) / 130))


def resize(picture, share):
    """Change both sides."""
    return picture.resize(tuple(max(8, round(side * share)) for side in picture.size), Image.Resampling.LANCZOS)


def turn(name):
    """Turn by quarters, or mirror."""
    return lambda p, o, c: p.transpose(getattr(Image.Transpose, name))


def cropping(percent):
    """The way that cuts so many per cent of both sides off."""
    return lambda p, o, c: crop(p, percent / 100, c)


COPY_KINDS: dict[str, Alter] = {
    "half size": lambda p, o, c: resize(p, 0.5),
    "quarter size": lambda p, o, c: resize(p, 0.25),
    "224x224": lambda p, o, c: p.resize((224, 224), Image.Resampling.LANCZOS),
    "quality 50": lambda p, o, c: p,
    "quality 20": lambda p, o, c: p,
    **{f"crop {percent}%": cropping(percent) for percent in (2, 5, 10, 15, 20, 30, 40, 50, 60, 70)},
    "crop 15%, mirrored": lambda p, o, c: ImageOps.mirror(crop(p, 0.15, c)),
    "crop 15%, border": lambda p, o, c: border(crop(p, 0.15, c), 0.05, c.choice(("white", "black"))),
    "border 3%": lambda p, o, c: border(p, 0.03, c.choice(("white", "black"))),
    "border 5%": lambda p, o, c: border(p, 0.05, c.choice(("white", "black"))),
    "border 10%": lambda p, o, c: border(p, 0.10, c.choice(("white", "black"))),
    "two borders": lambda p, o, c: border(border(p, 0.02, "white"), 0.06, c.choice(("#804020", "black", "#20304f"))),
    "letterbox": lambda p, o, c: letterbox(p, c),
    "square": lambda p, o, c: square(p, c),
    "caption bar": lambda p, o, c: caption(p, c),
    "rotated 1": lambda p, o, c: rotate(p, 1, c),
    "rotated 2": lambda p, o, c: rotate(p, 2, c),
    "rotated 5": lambda p, o, c: rotate(p, 5, c),
    "turned 90": turn("ROTATE_90"),
    "turned 180": turn("ROTATE_180"),
    "turned 270": turn("ROTATE_270"),
    "mirrored": turn("FLIP_LEFT_RIGHT"),
    "text": lambda p, o, c: write(p, 1 / 16, c),
    "large text": lambda p, o, c: write(p, 1 / 5, c),
    "watermark": lambda p, o, c: watermark(p, c),
    "collage of two": lambda p, o, c: collage(p, o, 2, c),
    "collage of four": lambda p, o, c: collage(p, o, 4, c),
    "cut-out on white": lambda p, o, c: cut_out(p, Image.new("RGB", p.size, "white"), c),
    "cut-out on a ground": lambda p, o, c: cut_out(p, blur(ImageOps.fit(o, p.size)), c),
    "graded": lambda p, o, c: grade(p, c),
    "grey": lambda p, o, c: p.convert("L").convert("RGB"),
    "brighter": lambda p, o, c: ImageEnhance.Brightness(p).enhance(1.3),
    "darker": lambda p, o, c: ImageEnhance.Brightness(p).enhance(0.6),
    "more contrast": lambda p, o, c: ImageEnhance.Contrast(p).enhance(1.4),
    "less contrast": lambda p, o, c: ImageEnhance.Contrast(p).enhance(0.6),
    "blurred": lambda p, o, c: blur(p),
    "small crop, quality 50": lambda p, o, c: resize(crop(p, 0.02, c), 0.5),
    "brighter, text": lambda p, o, c: write(ImageEnhance.Brightness(p).enhance(1.3), 1 / 16, c),
}
"""Name to alteration."""


def make_copy(kind: str, picture: Picture, other: Picture, seed: str) -> Picture:
    """Make a copy of one kind; the same seed makes the same copy."""
    return COPY_KINDS[kind](picture, other, random.Random(f"{kind} {seed}"))


def encode_copy(kind: str, picture: Picture) -> bytes:
    """Save a copy as JPEG, at quality 88 unless low quality is what it is about."""
    picture.save(file := io.BytesIO(), "jpeg", quality=QUALITIES.get(kind, QUALITY))
    return file.getvalue()
