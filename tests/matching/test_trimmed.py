"""Borders, bars and padding are trimmed, whatever is written on them; the ground of a picture is not."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont, ImageOps

from curator.matching.trimmed import trimmed_box


def made_photo(size=(240, 160), seed=0):
    """A picture whose every part has detail."""
    chance = np.random.default_rng(seed)
    coarse = Image.fromarray(chance.integers(0, 256, (10, 15, 3), dtype=np.uint8))
    return coarse.resize(size, Image.Resampling.BICUBIC)


def box_of(picture):
    return trimmed_box(np.asarray(picture.convert("RGB")))


def is_near(box, wanted, px=2):
    return bool(np.abs(np.subtract(box, wanted)).max() <= px)


@pytest.mark.parametrize("colour", ["white", "black", "#804020"])
@pytest.mark.parametrize("width", [3, 8, 30])
def test_a_border_is_trimmed(colour, width):
    """Of any colour, from three pixels on."""
    framed = ImageOps.expand(made_photo(), width, colour)
    assert is_near(box_of(framed), (width, width, 240 + width, 160 + width))


def test_a_border_around_a_border_is_trimmed():
    """White in brown."""
    framed = ImageOps.expand(ImageOps.expand(made_photo(), 6, "white"), 14, "#804020")
    assert is_near(box_of(framed), (20, 20, 260, 180))


@pytest.mark.parametrize("size", [(240, 240), (320, 160)])
def test_bars_and_padding_are_trimmed(size):
    """On two sides only."""
    padded = ImageOps.pad(made_photo(), size, color="black")
    left, top = (size[0] - 240) // 2, (size[1] - 160) // 2
    assert is_near(box_of(padded), (left, top, left + 240, top + 160))


def test_words_on_a_bar_do_not_keep_it():
    """Two lines of them, as below a picture on a web page."""
    out = Image.new("RGB", (240, 210), "black")
    out.paste(made_photo(), (0, 0))
    draw, font = ImageDraw.Draw(out), ImageFont.load_default(14)
    for line in range(2):
        draw.text((8, 164 + 20 * line), "photo agency www.example.org", fill="white", font=font)
    assert is_near(box_of(out), (0, 0, 240, 160))


def test_a_compressed_border_is_trimmed(tmp_path):
    """JPEG at quality 30 leaves traces on both sides of the edge."""
    ImageOps.expand(made_photo(), 16, "white").save(tmp_path / "a.jpg", quality=30)
    assert is_near(box_of(Image.open(tmp_path / "a.jpg")), (16, 16, 256, 176))


def test_the_ground_of_a_thing_is_kept():
    """A ball, a word and a row of boxes on white: what is round them is the picture's own."""
    pictures = [Image.new("RGB", (200, 200), "white") for _ in range(3)]
    ImageDraw.Draw(pictures[0]).ellipse((50, 40, 150, 140), fill="navy")
    ImageDraw.Draw(pictures[1]).text((40, 80), "WORD", fill="black", font=ImageFont.load_default(50))
    for x in (20, 85, 150):
        ImageDraw.Draw(pictures[2]).rectangle((x, 80, x + 30, 120), fill="green")
    for picture in pictures:
        assert box_of(picture) == (0, 0, 200, 200)


def test_a_plain_part_of_a_photograph_is_kept():
    """Sky above a skyline, grass with some grain below."""
    sky = np.full((160, 240, 3), (120, 170, 230), np.uint8)
    heights = 60 + (30 * np.sin(np.arange(240) / 20)).astype(int)
    sky[np.arange(160)[:, None] > heights] = (40, 40, 40)
    assert trimmed_box(sky) == (0, 0, 240, 160)
    grass = np.asarray(made_photo()).copy()
    grain = np.random.default_rng(1).normal(0, 9, (60, 240, 3))
    grass[100:] = np.clip(np.add(grain, (60, 130, 50)), 0, 255).astype(np.uint8)
    assert trimmed_box(grass) == (0, 0, 240, 160)


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (300, 2), (200, 200)])
def test_plain_and_tiny_pictures_are_whole(size):
    """There is nothing in them that a bar could end at."""
    assert box_of(Image.new("RGB", size, "grey")) == (0, 0, *size)
