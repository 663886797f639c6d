"""Copies are one picture however they were altered; strangers, other colourways and shared small parts are not."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

from curator.matching.judge.judge import judge_pair, judge_pairs
from curator.matching.judge.sketch import SKETCH_FIELDS, make_sketch
from curator.matching.orientations import ORIENTATIONS

SIZE = (240, 180)


def made_photo(seed):
    """A picture with detail at all scales, in colours."""
    chance = np.random.default_rng(seed)
    layers = [chance.integers(0, 256, (3 * n, 4 * n, 3), dtype=np.uint8) for n in (2, 5, 12, 30)]
    layers = [np.asarray(Image.fromarray(layer).resize(SIZE, Image.Resampling.BICUBIC), float) for layer in layers]
    mixed = sum(weight * layer for weight, layer in zip((0.45, 0.3, 0.15, 0.1), layers, strict=True))
    return Image.fromarray(np.clip(1.7 * (mixed - 128) + 128, 0, 255).astype(np.uint8))


def sketch(picture):
    return make_sketch(np.asarray(picture.convert("RGB")))


def judge(one, other):
    return judge_pair(sketch(one), sketch(other))


def cropped(picture, share):
    width, height = picture.size
    x, y = round(width * share * 0.7), round(height * share * 0.4)
    return picture.crop((x, y, x + round(width * (1 - share)), y + round(height * (1 - share))))


def written(picture):
    out = picture.copy()
    font = ImageFont.load_default(30)
    ImageDraw.Draw(out).text((20, 100), "SALE 50%", fill="white", font=font, stroke_width=2, stroke_fill="black")
    return out


def captioned(picture):
    out = Image.new("RGB", (picture.width, picture.height + 40), "black")
    out.paste(picture, (0, 0))
    ImageDraw.Draw(out).text((10, picture.height + 8), "a caption of some words", fill="white")
    return out


def beside(picture, other):
    out = Image.new("RGB", (2 * picture.width, picture.height))
    out.paste(other, (0, 0))
    out.paste(picture, (picture.width, 0))
    return out


COPIES = {
    "half size": lambda p: p.resize((120, 90)),
    "square": lambda p: p.resize((160, 160)),
    "crop 10%": lambda p: cropped(p, 0.1),
    "crop 30%": lambda p: cropped(p, 0.3),
    "crop 50%": lambda p: cropped(p, 0.5),
    "crop, mirrored": lambda p: ImageOps.mirror(cropped(p, 0.15)),
    "crop, border": lambda p: ImageOps.expand(cropped(p, 0.15), 14, "white"),
    "border": lambda p: ImageOps.expand(p, 24, "black"),
    "letterbox": lambda p: ImageOps.pad(p, (240, 240)),
    "caption": captioned,
    "rotated": lambda p: p.rotate(5, Image.Resampling.BICUBIC),
    "text": written,
    "collage": lambda p: beside(p, made_photo(99)),
    "grey": lambda p: p.convert("L"),
    "darker": lambda p: ImageEnhance.Brightness(p).enhance(0.6),
    "less contrast": lambda p: ImageEnhance.Contrast(p).enhance(0.6),
    "blurred": lambda p: p.filter(ImageFilter.GaussianBlur(4)),
    "blurred, cropped": lambda p: cropped(p.filter(ImageFilter.GaussianBlur(4)), 0.1),
    "burnt out": lambda p: ImageEnhance.Brightness(p).enhance(1.5),
    "burnt out at both ends": lambda p: ImageEnhance.Contrast(p).enhance(1.8),
    "burnt out, blurred": lambda p: ImageEnhance.Brightness(p).enhance(1.5).filter(ImageFilter.GaussianBlur(2)),
    "squeezed": lambda p: p.resize((60, 200)),
}


@pytest.mark.parametrize("kind", COPIES)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_copy_is_one_picture(kind, seed):
    """Of each kind, seen from either side."""
    photo = made_photo(seed)
    copy = COPIES[kind](photo)
    assert judge(photo, copy).same
    assert judge(copy, photo).same


@pytest.mark.parametrize("orientation", range(8))
def test_a_turned_copy_names_its_orientation(orientation):
    """The orientation is the one to turn the other picture by to lie like the one, as it is for hashes."""
    photo = made_photo(3)
    pixels = np.asarray(photo)
    back = np.rot90(pixels, -(orientation % 4))
    turned = np.ascontiguousarray(back[:, ::-1] if orientation >= 4 else back)
    judgement = judge_pair(make_sketch(pixels), make_sketch(turned))
    assert judgement.same
    assert ORIENTATIONS[judgement.orientation] == ORIENTATIONS[orientation]


def test_a_crop_is_found_where_it_was_cut_out():
    """The transform takes the copy's corners to their places in the picture, and both shares are known."""
    photo = made_photo(4)
    judgement = judge(photo, photo.crop((60, 45, 180, 135)))
    corners = judgement.transform @ np.array([[0, 1], [0, 1], [1, 1]])
    assert np.allclose(corners, [[0.25, 0.75], [0.25, 0.75]], atol=0.01)
    assert np.allclose(judgement.overlap, [0.25, 1], atol=0.02)
    assert judgement.differs == ("25% of one in the other",)


def test_where_a_zoomed_tile_agrees_is_said():
    """A collage shows a part of a picture, enlarged: the box of that on either, whichever comes first."""
    whole, (width, height) = made_photo(1), SIZE
    collage = Image.new("RGB", (2 * width, 2 * height))
    part = whole.crop((width // 5, height // 5, width - width // 5, height - height // 5))
    for n, tile in enumerate((part, *map(made_photo, (11, 12, 13)))):
        collage.paste(tile.resize(SIZE), (n % 2 * width, n // 2 * height))
    for one, other, box in (
        (collage, whole, [[0.5, 0, 0], [0, 0.5, 0]]),
        (whole, collage, [[0.6, 0, 0.2], [0, 0.6, 0.2]]),
    ):
        judged = judge(one, other)
        assert judged.same
        assert np.abs(judged.part - box).max() < 0.12
    assert judge(whole, whole).part is None


def test_strangers_are_two_pictures():
    """However many: none is one, none is doubtful."""
    sketches = [sketch(made_photo(seed)) for seed in range(20, 32)]
    pairs = [(one, other) for k, one in enumerate(sketches) for other in sketches[:k]]
    assert not any(judgement.same or judgement.doubtful for judgement in judge_pairs(pairs))


def ball(colour, ground="white"):
    """A round thing with few outlines."""
    out = Image.new("RGB", (200, 200), ground)
    draw = ImageDraw.Draw(out)
    draw.ellipse((40, 40, 160, 160), fill=colour, outline="black", width=3)
    draw.arc((0, 60, 120, 140), -60, 60, fill="black", width=3)
    draw.text((90, 90), "make", fill="black")
    return out


@pytest.mark.parametrize("colours", [("#d02020", "#2040d0"), ("#303030", "#d02020"), ("#e0a020", "#e04060")])
def test_another_colourway_of_one_template_is_another_picture(colours):
    """Of the same outlines, in other colours: one of them grey in one case."""
    one, other = (ball(colour) for colour in colours)
    assert not judge(one, other).same
    assert judge(one, ball(colours[0])).same


def turned_hues(picture, degrees, where=None):
    """The picture with the hues turned, greys as they were, all over or in a box."""
    y, cb, cr = (np.asarray(band, float) for band in picture.convert("YCbCr").split())
    turned = ((cb - 128) + 1j * (cr - 128)) * np.exp(1j * np.deg2rad(degrees))
    bands = (
        Image.fromarray(np.clip(band, 0, 255).astype(np.uint8)) for band in (y, turned.real + 128, turned.imag + 128)
    )
    recoloured = Image.merge("YCbCr", tuple(bands)).convert("RGB")
    if where is not None:
        picture = picture.copy()
        picture.paste(recoloured.crop(where), where)
        return picture
    return recoloured


RECOLOURED = {
    **{f"hues turned by {d}": lambda p, d=d: turned_hues(p, d) for d in (45, 90, 150, 180, 240, 300)},
    **{f"a part of them by {d}": lambda p, d=d: turned_hues(p, d, (60, 40, 180, 140)) for d in (60, 120, 180, 300)},
    **{f"a small part by {d}": lambda p, d=d: turned_hues(p, d, (84, 63, 156, 117)) for d in (60, 120, 180)},
    **{
        f"channels {order}": lambda p, order=order: Image.merge("RGB", [p.getchannel(one) for one in order])
        for order in ("GBR", "BRG", "BGR", "RBG", "GRB")
    },
}
GRADED = {
    "gamma": lambda p: p.point([round(255 * (v / 255) ** 0.7) for v in range(256)] * 3),
    "saturated": lambda p: ImageEnhance.Color(p).enhance(1.5),
    "pale": lambda p: ImageEnhance.Color(p).enhance(0.4),
    "warm": lambda p: p.point([min(255, round(v * gain)) for gain in (1.1, 1.0, 0.85) for v in range(256)]),
    "cold": lambda p: p.point([min(255, round(v * gain)) for gain in (0.88, 1.0, 1.12) for v in range(256)]),
    "faded": lambda p: p.point(
        [round(low + v * gain) for low, gain in ((25, 0.85), (20, 0.85), (40, 0.8)) for v in range(256)]
    ),
    "sepia": lambda p: p.convert("RGB", (0.35, 0.69, 0.17, 0, 0.31, 0.62, 0.15, 0, 0.24, 0.48, 0.12, 0)),
    "toned": lambda p: Image.merge("YCbCr", (p.convert("L"), *(Image.new("L", p.size, tone) for tone in (118, 138)))),
    "grey": lambda p: p.convert("L"),
    "grey, brighter": lambda p: p.convert("L").point(lambda grey: min(255, round(1.1 * grey))),
    "grey, more contrast": lambda p: p.convert("L").point(lambda grey: round(1.2 * (grey - 128) + 128)),
}


@pytest.mark.parametrize("way", RECOLOURED)
def test_what_was_recoloured_is_another_picture(way):
    """Though its greys are equal: neither one picture nor doubtful, since of a doubtful pair hashes decide."""
    for seed in (11, 12, 13):
        judgement = judge(made_photo(seed), RECOLOURED[way](made_photo(seed)))
        assert not judgement.same and not judgement.doubtful


@pytest.mark.parametrize("change", [0.6, 1.4])
def test_the_grey_version_of_a_coloured_thing_is_another_picture(change):
    """A round thing on white, in grey darker or lighter: the ground is as it was, so no line makes both equal."""
    for seed in (11, 12, 13):
        mask = Image.new("L", (300, 300))
        ImageDraw.Draw(mask).ellipse((20, 20, 280, 280), fill=255)
        thing, white = made_photo(seed).resize((300, 300)), Image.new("RGB", (300, 300), "white")
        grey = ImageEnhance.Brightness(thing.convert("L").convert("RGB")).enhance(change)
        one, other = (Image.composite(each, white, mask) for each in (thing, grey))
        assert not judge(one, other).same


@pytest.mark.parametrize("way", GRADED)
def test_what_was_graded_is_the_same_picture(way):
    """Curves, balance, more or less colour, one tone or none."""
    for seed in (11, 12, 13):
        assert judge(made_photo(seed), GRADED[way](made_photo(seed))).same


def test_the_next_step_of_a_drawing_is_another_picture():
    """Lines on white: what was added is no text on a photograph."""

    def draw(steps):
        out = Image.new("RGB", (220, 220), "white")
        pen = ImageDraw.Draw(out)
        for k in range(steps):
            pen.arc((20 + 9 * k, 20 + 7 * k, 200 - 3 * k, 200 - 11 * k), 40 * k, 40 * k + 300, fill="black", width=2)
        return out

    assert not judge(draw(4), draw(6)).same


def test_a_small_part_in_both_does_not_make_one_picture():
    """The same small picture pasted into two photographs, in different corners."""
    one, other, mark = made_photo(5), made_photo(6), made_photo(7).resize((70, 52))
    one.paste(mark, (5, 5))
    other.paste(mark, (160, 120))
    assert not judge(one, other).same


def test_plain_and_tiny_pictures_are_judged_without_error():
    """A picture of one colour has no points; one of a few pixels hardly any cells."""
    pictures = [Image.new("RGB", size, "grey") for size in ((1, 1), (3, 200), (200, 200))]
    for one in pictures:
        for other in [*pictures, made_photo(8)]:
            assert not judge(one, other).same


def made_sky(seed):
    """Clouds: nothing but slow shades, on the slope that every sky has."""
    small = np.random.default_rng(seed).integers(0, 256, (5, 6), dtype=np.uint8)
    clouds = np.asarray(Image.fromarray(small).resize(SIZE, Image.Resampling.BICUBIC), float)
    slope = np.linspace(-25, 25, SIZE[1])[:, None]
    greys = 150 + slope + (clouds - 128) / 16
    return Image.fromarray(np.stack([greys - 20, greys, greys + 30], axis=2).clip(0, 255).astype(np.uint8))


@pytest.mark.parametrize("seed", range(5))
def test_a_picture_without_outlines_is_known_by_its_shades(seed):
    """A sky made smaller, or compressed, is one; another sky, lighter downwards too, is not; nor is it turned."""
    sky = made_sky(seed)
    sky.save(file := io.BytesIO(), "jpeg", quality=60)
    for copy in (sky.resize((80, 60)), Image.open(file), sky.filter(ImageFilter.GaussianBlur(2))):
        assert judge(sky, copy).same
    for other in (*(made_sky(seed + k) for k in range(10, 30)), ImageOps.flip(sky), ImageOps.mirror(sky)):
        assert not judge(sky, other).same


def test_what_is_small_before_a_sky_counts():
    """A bird elsewhere, words, a hut in the fog, and a sky of another colour with the same greys are other pictures."""
    sky = made_sky(1)
    birds = [sky.copy(), sky.copy()]
    for bird, x in zip(birds, (40, 150), strict=True):
        ImageDraw.Draw(bird).ellipse((x, 60, x + 9, 67), fill="black")
    birds[0].save(file := io.BytesIO(), "jpeg", quality=85)
    assert judge(birds[0], Image.open(file)).same
    assert not judge(*birds).same and not judge(sky, birds[0]).same
    assert not judge(sky, turned_hues(sky, 120)).same


def on_waves(draw):
    """A grey backdrop with strong slow shades, and what is drawn on it in a darker grey."""
    out = Image.fromarray((170 + 12 * np.sin(np.linspace(-6, 6, 480)) * np.ones((360, 1))).astype(np.uint8))
    draw(ImageDraw.Draw(out))
    return out.filter(ImageFilter.GaussianBlur(1)).convert("RGB")


def test_what_is_faint_on_one_backdrop_counts():
    """Words, and a hut at two places in the fog, before one backdrop; and that in grey and in another colour."""
    words = on_waves(lambda pen: pen.text((150, 200), "One of two", 110, ImageFont.load_default(20)))
    huts = [on_waves(lambda pen, x=x: pen.rectangle((x, 200, x + 70, 270), 161)) for x in (110, 300)]
    plain = on_waves(lambda pen: None)
    assert judge(plain, plain.resize((240, 180))).same
    for one, other in (huts, (plain, huts[0]), (plain, words)):
        assert not judge(one, other).same
    greys = np.asarray(plain, float)
    for colour in ((-40, -10, 40), (30, -20, -60), (35, 30, 25)):
        assert not judge(plain, Image.fromarray((greys + colour).clip(0, 255).astype(np.uint8))).same


def test_a_black_thing_is_no_grey_copy_of_a_red_one():
    """One template on black, whatever the light: its greys are not as they were."""
    shade = np.asarray(made_photo(3).convert("L").resize((200, 200)), float)[..., None] / 255

    def thing(colour):
        out = np.zeros((240, 240, 3))
        out[20:220, 20:220] = (0.5 + 0.5 * shade) * colour
        return Image.fromarray(out.astype(np.uint8))

    for colour in ((200, 30, 30), (30, 40, 180), (90, 60, 30)):
        assert not judge(thing((40, 40, 40)), thing(colour)).same


def test_a_small_thing_of_less_contrast_is_one_picture():
    """What has detail says so already; how far colours moved is asked only of what has none."""
    ball = Image.new("RGB", (240, 240), "#909090")
    texture = made_photo(6).crop((0, 0, 40, 40))
    mask = Image.new("L", (40, 40))
    ImageDraw.Draw(mask).ellipse((2, 2, 38, 38), fill=255)
    ball.paste(ImageEnhance.Color(texture).enhance(2), (100, 90), mask)
    assert judge(ball, ImageEnhance.Contrast(ball).enhance(0.5)).same


def test_a_recoloured_copy_in_another_light_is_another_picture():
    """However much of it is burnt out: light moves all channels alike."""
    for seed in (11, 12, 13):
        photo = made_photo(seed)
        for way in RECOLOURED:
            for light in (0.7, 1.3):
                assert not judge(photo, ImageEnhance.Brightness(RECOLOURED[way](photo)).enhance(light)).same


def test_it_does_not_matter_which_picture_comes_first():
    """All that is said of a pair is the same, seen from the other side."""
    one, other = sketch(made_photo(10)), sketch(ImageOps.mirror(cropped(made_photo(10), 0.3)).rotate(90, expand=True))
    first, second = judge_pair(one, other), judge_pair(other, one)
    assert first.same and second.same
    assert first.differs == second.differs and first.overlap == second.overlap[::-1]
    there_and_back = np.vstack([first.transform, [0, 0, 1]]) @ np.vstack([second.transform, [0, 0, 1]])
    assert np.allclose(there_and_back, np.eye(3), atol=1e-6)


def test_the_same_pixels_make_the_same_sketch_and_judgement():
    """On any thread."""
    one, other = sketch(made_photo(9)), sketch(cropped(made_photo(9), 0.2))
    again = sketch(made_photo(9))
    assert all(np.array_equal(one[name], again[name]) for name, _, _ in SKETCH_FIELDS)
    first, *rest = judge_pairs([(one, other)] * 8)
    assert first.same
    assert all(np.array_equal(first.transform, judgement.transform) for judgement in rest)
