"""Blank pictures have a reason of their own; what has anything to see has not."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from curator.observe.observation import observe_image
from curator.reasons import Drop
from tests.observe.drawings import MAX_PIXELS, draw, encode

SIZE = (400, 300)


def look(data):
    """The observation of a file's bytes."""
    return observe_image(data, max_pixels=MAX_PIXELS)


def noisy(colour, spread):
    """One colour with noise of this standard deviation."""
    noise = np.random.default_rng(1).normal(0, spread, (300, 400, 3))
    return Image.fromarray(np.clip(np.rint(np.array(Image.new("RGB", SIZE, colour)) + noise), 0, 255).astype(np.uint8))


CLEAR = draw(*SIZE).convert("RGBA")
CLEAR.putalpha(0)
BLANK = {
    "black PNG": (encode(Image.new("RGB", SIZE)), "#000000"),
    "white JPEG": (encode(Image.new("RGB", SIZE, "white"), "JPEG"), "#ffffff"),
    "grey JPEG": (encode(Image.new("L", SIZE, 130), "JPEG", quality=30), "#838383"),
    "a colour": (encode(Image.new("RGB", SIZE, "#204080"), "WEBP", lossless=True), "#204080"),
    "transparent, with a picture stored": (encode(CLEAR), "#ffffff"),
    "palette": (encode(Image.new("P", SIZE, 0), "GIF"), "#000000"),
    "16 bits": (encode(Image.fromarray(np.full((300, 400), 30_000, np.uint16))), "#757575"),
    "float": (encode(Image.new("F", SIZE, 0.5), "TIFF"), "#000000"),
    "bilevel": (encode(Image.new("1", SIZE, 1)), "#ffffff"),
    "CMYK": (encode(Image.new("CMYK", SIZE), "JPEG"), "#ffffff"),
    "with noise": (encode(noisy("#808080", 1), "JPEG", quality=75), None),
    "large": (encode(Image.new("RGB", (1000, 900), "navy"), "JPEG"), None),
}


@pytest.mark.parametrize("name", BLANK)
def test_one_colour_is_blank(name):
    """Of any mode, depth and format; the detail is its colour."""
    data, colour = BLANK[name]
    seen = look(data)
    assert seen.flaw is Drop.BLANK
    assert seen.flaw_detail == f"every pixel is {colour}" or colour is None
    assert seen.phash is not None


def line(colour, width=1):
    """One line on white."""
    picture = Image.new("RGB", (1000, 900), "white")
    ImageDraw.Draw(picture).line((100, 100, 300, 260), colour, width)
    return picture


def gradient(low, high):
    """From one grey to another."""
    return Image.fromarray(np.linspace(low, high, 120_000).reshape(300, 400).astype(np.uint8))


SEEN = {
    "a thin line": encode(line("black")),
    "a thin grey line": encode(line("#c0c0c0")),
    "a thin line in JPEG": encode(line("black"), "JPEG"),
    "a dot": encode(line("red", 3).crop((95, 95, 995, 895))),
    "a fine checkerboard": encode(Image.fromarray(np.indices((300, 400)).sum(axis=0).astype(np.uint8) % 2 * 255)),
    "colours of one luma": encode(
        Image.fromarray(np.repeat([[[200, 50, 50], [70, 117, 50]]], 100, 1).astype(np.uint8))
    ),
    "night": encode(draw(*SIZE).point(lambda value: value // 16), "JPEG", quality=90),
    "fog": encode(draw(*SIZE).point(lambda value: 200 + value // 16).filter(ImageFilter.GaussianBlur(3)), "JPEG"),
    "a soft gradient": encode(gradient(120, 135)),
    "noise": encode(noisy("#808080", 6), "JPEG", quality=90),
}


@pytest.mark.parametrize("name", SEEN)
def test_what_has_anything_to_see_is_not_blank(name):
    """Little ink, night, fog, noise, and what only looks flat when it is shrunk."""
    assert look(SEEN[name]).flaw is None
