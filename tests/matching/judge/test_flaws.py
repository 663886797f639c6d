"""Of two copies, the one that was framed, put beside another, written on, made grey or overexposed is told."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFont, ImageOps

from curator.matching.judge.flaws import Flaws, find_faded, find_flaws
from curator.matching.judge.sketch import make_sketch
from tests.small_worlds import picture

SAME = np.array([[1.0, 0, 0], [0, 1, 0]])


def photo(seed, size=(240, 180)):
    """A picture with fine and coarse parts."""
    return Image.blend(picture(seed, size), picture(seed + 500, (48, 36)).resize(size), 0.4)


def sketch(image):
    return make_sketch(np.asarray(image))


def flaws(one, other, matrix):
    return find_flaws(sketch(one)["luma"], sketch(other)["luma"], np.asarray(matrix, float))


@pytest.mark.parametrize("seed", range(5))
def test_a_frame_padding_and_a_collage_are_told_of_the_larger(seed):
    """The smaller one ends where the larger has a seam."""
    whole = photo(seed)
    framed = ImageOps.expand(whole, 24, "white")
    share = (240 / 288, 180 / 228)
    inside = [[share[0], 0, (1 - share[0]) / 2], [0, share[1], (1 - share[1]) / 2]]
    assert flaws(framed, whole, inside) == Flaws((True, False), (False, False))
    padded = ImageOps.pad(whole, (240, 240), color="black")
    assert flaws(padded, whole, [[1, 0, 0], [0, 0.75, 0.125]]).composed == (True, False)
    both = Image.new("RGB", (480, 180))
    both.paste(whole, (0, 0))
    both.paste(ImageOps.invert(whole), (240, 0))
    assert flaws(both, whole, [[0.5, 0, 0], [0, 1, 0]]).composed == (True, False)


@pytest.mark.parametrize("seed", range(5))
def test_a_crop_leaves_no_seam_in_the_whole(seed):
    """Where it ends, the whole one goes on."""
    whole = photo(seed)
    crop = whole.crop((30, 20, 210, 160))
    assert flaws(whole, crop, [[0.75, 0, 0.125], [0, 140 / 180, 20 / 180]]) == Flaws((False, False), (False, False))


@pytest.mark.parametrize("seed", range(5))
def test_a_small_crop_that_ends_at_a_line_of_the_whole_is_no_tile(seed):
    """Of a picture that covers under a fifth, all edges must be seams, as of one of nine; a grey sky is no padding."""
    whole = photo(seed, (240, 240))
    whole.paste(ImageOps.invert(whole.crop((0, 0, 240, 144))), (0, 0))
    crop, to_whole = whole.crop((0, 144, 96, 240)), [[0.4, 0, 0], [0, 0.4, 0.6]]
    assert flaws(whole, crop, to_whole) == Flaws((False, False), (False, False))
    tiles = [photo(seed + 10 * n, (80, 80)) for n in range(9)]
    nine = Image.new("RGB", (240, 240))
    for n, tile in enumerate(tiles):
        tiles[n] = Image.blend(tile, Image.new("RGB", tile.size, "white" if n % 2 else "black"), 0.7)
        nine.paste(tiles[n], (n % 3 * 80, n // 3 * 80))
    assert flaws(nine, tiles[4], [[1 / 3, 0, 1 / 3], [0, 1 / 3, 1 / 3]]).composed == (True, False)


@pytest.mark.parametrize("seed", range(5))
def test_a_tile_that_shows_a_part_is_told_by_where_it_agrees(seed):
    """The seams of a collage are where its tile ends, though the picture would go on."""
    whole = photo(seed)
    collage = Image.new("RGB", (480, 360))
    for n, tile in enumerate((whole.crop((48, 36, 192, 144)), *(photo(seed + 10 * n) for n in (1, 2, 3)))):
        collage.paste(tile.resize(whole.size), (n % 2 * 240, n // 2 * 180))
    to_collage = [[5 / 6, 0, -1 / 6], [0, 5 / 6, -1 / 6]]
    assert flaws(collage, whole, to_collage).composed == (False, False)
    tile = np.array([[0.46, 0, 0.02], [0, 0.47, 0.01]])
    found = find_flaws(sketch(collage)["luma"], sketch(whole)["luma"], np.array(to_collage), tile)
    assert found.composed == (True, False)


@pytest.mark.parametrize("seed", range(5))
def test_white_that_a_crop_left_out_is_no_border(seed):
    """The whole one is white beyond the crop, and white just within it, too; a border ends where the picture begins."""
    whole = Image.new("RGB", (240, 240), "white")
    whole.paste(photo(seed, (120, 120)), (60, 60))
    crop = whole.crop((10, 0, 220, 200))
    to_whole = [[210 / 240, 0, 10 / 240], [0, 200 / 240, 0]]
    assert flaws(whole, crop, to_whole) == Flaws((False, False), (False, False))
    inner = whole.crop((60, 60, 180, 180))
    assert flaws(whole, inner, [[0.5, 0, 0.25], [0, 0.5, 0.25]]).composed == (True, False)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("degrees", [2, -3, 5])
@pytest.mark.parametrize("fill", ["white", "black"])
def test_the_corners_that_a_rotation_left_are_told(seed, degrees, fill):
    """Neither the picture before, nor one that was rotated and cut, has any."""
    whole = Image.blend(photo(seed, (240, 240)), Image.new("RGB", (240, 240), "grey"), 0.3)
    turned = whole.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=fill)
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    to_whole = np.concatenate([turn, (0.5 - turn @ [0.5, 0.5])[:, None]], axis=1)
    assert flaws(whole, turned, to_whole).composed == (False, True)
    cut = turned.crop((20, 20, 220, 220))
    to_turned = np.array([[200 / 240, 0, 20 / 240], [0, 200 / 240, 20 / 240], [0, 0, 1]])
    assert flaws(whole, cut, to_whole @ to_turned).composed == (False, False)


def test_what_is_written_on_is_told_and_what_is_blurred_is_not():
    """Mostly, and never of the wrong one; a copy at another quality has nothing written on it."""
    found = []
    for seed in range(12):
        whole = ImageEnhance.Contrast(picture(seed, (240, 180))).enhance(0.6)
        written = whole.copy()
        font = ImageFont.load_default(44)
        ImageDraw.Draw(written).text((20, 70), "PHOTO 24", fill="white", font=font, stroke_width=3, stroke_fill="black")
        found += [flaws(written, whole, SAME).marked, flaws(whole, written, SAME).marked[::-1]]
        small = whole.resize((60, 45)).resize((240, 180))
        assert flaws(whole, small, SAME).marked == (False, False)
    assert found.count((True, False)) >= 8
    assert not found.count((False, True))


@pytest.mark.parametrize("seed", range(5))
def test_a_logo_hides_detail_and_is_told_by_its_edge(seed):
    """What lies on a picture may have fewer outlines than what it covers; so have rounded corners."""
    whole = photo(seed)
    logo, corners = whole.copy(), Image.new("RGB", whole.size, "white")
    ImageDraw.Draw(logo).rectangle((150, 20, 215, 60), fill="yellow")
    mask = Image.new("L", whole.size)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, 239, 179), 50, fill=255)
    corners.paste(whole, (0, 0), mask)
    for changed in (logo, corners):
        assert flaws(changed, whole, SAME).marked == (True, False)
        assert flaws(whole, changed, SAME).marked == (False, True)


@pytest.mark.parametrize(
    ("jpeg", "other", "expected"),
    [
        ((20, 4000), (75, 1000), (True, False)),
        ((75, 1000), (20, 4000), (False, True)),
        ((20, 9000), (75, 1000), (False, False)),
        ((20, 4000), (50, 1000), (False, False)),
        ((0, 0), (75, 1000), (False, False)),
    ],
)
def test_a_strongly_compressed_copy_has_lost_detail(jpeg, other, expected):
    """However large it was made; but for a copy of many times as many pixels, and where nothing is known of it."""
    one, two = ({**sketch(photo(5)), "jpeg": np.array(values, np.uint32)} for values in (jpeg, other))
    assert find_faded(one, two, SAME) == expected


def test_a_grey_and_an_overexposed_copy_are_told():
    """Colours and lights that are lost do not come back."""
    whole = photo(3)
    grey = whole.convert("L").convert("RGB")
    assert find_faded(sketch(grey), sketch(whole), SAME) == (True, False)
    bright = ImageEnhance.Brightness(whole).enhance(1.9)
    assert find_faded(sketch(whole), sketch(bright), SAME) == (False, True)
    assert find_faded(sketch(whole), sketch(whole), SAME) == (False, False)


def test_a_small_crop_of_a_white_thing_has_lost_no_lights():
    """What is white here is beside what is white there: they are laid over one another first."""
    whole = Image.new("RGB", (240, 240), "white")
    whole.paste(photo(4, (120, 120)), (60, 60))
    crop = whole.crop((8, 8, 240, 240))
    to_whole = np.array([[232 / 240, 0, 8 / 240], [0, 232 / 240, 8 / 240]])
    assert find_faded(sketch(whole), sketch(crop), to_whole) == (False, False)
