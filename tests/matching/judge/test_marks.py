"""Half-transparent marks all over are on a copy; what is thick, differs both ways, or lies in a part is not a mark."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFont

from curator.matching.judge.agreement import compare_luma
from curator.matching.judge.flaws import find_flaws
from curator.matching.judge.judge import judge_pair
from curator.matching.judge.marks import Marks, measure_marks
from curator.matching.judge.pose import Pose
from curator.matching.judge.rules import is_marked, may_be_marked
from curator.matching.judge.sketch import make_sketch
from tests.matching.judge.test_judge import SIZE, made_photo

WHOLE = Pose((1.0, 1.0), 0, 1.0, 0)
FOUND = Marks(share=0.14, against=0.02, thick=0.0, strength=0.3, spread=1.0, rest=0.99)


def worded(picture, fill, alpha):
    """Words all over, aslant."""
    sheet = Image.new("L", (480, 480))
    for y in range(0, 480, 30):
        for x in range(-(y % 90), 480, 90):
            ImageDraw.Draw(sheet).text((x, y), "an agency", round(255 * alpha), ImageFont.load_default(14))
    left, top = (480 - SIZE[0]) // 2, (480 - SIZE[1]) // 2
    mask = sheet.rotate(30).crop((left, top, left + SIZE[0], top + SIZE[1]))
    return Image.composite(Image.new("RGB", SIZE, fill), picture, mask)


def striped(picture, alpha, box, width):
    """White stripes within a box."""
    mask = Image.new("L", SIZE)
    for x in range(0, SIZE[0], 22):
        ImageDraw.Draw(mask).line((x, 0, x, SIZE[1]), round(255 * alpha), width)
    inside = Image.new("L", SIZE)
    inside.paste(255, box)
    return Image.composite(Image.new("RGB", SIZE, "white"), picture, ImageChops.multiply(mask, inside))


def cells(picture):
    return make_sketch(np.asarray(picture))["luma"].astype(np.float32)


def rate_marks(one, other):
    """Whether the rule holds, by cells that lie on one another."""
    a, b = cells(one), cells(other)
    everywhere = np.ones_like(a)
    agreement, _, _ = compare_luma(a, b, everywhere)
    return is_marked(replace(agreement, marks=measure_marks(a, b, everywhere)), WHOLE)


def with_one_other(marks, what, value):
    """An agreement with these marks, and a pose, of which one value is another."""
    photo, change = cells(made_photo(2)), {what: value}
    agreement, _, _ = compare_luma(photo, photo, np.ones_like(photo))
    pose = replace(WHOLE, **change) if hasattr(WHOLE, what) else WHOLE
    marks = replace(marks, **change) if hasattr(marks, what) else marks
    return replace(agreement, marks=marks, **(change if hasattr(agreement, what) else {})), pose


@pytest.mark.parametrize("fill", ["white", "black"])
@pytest.mark.parametrize("seed", range(3))
def test_words_all_over_lie_on_one_picture(seed, fill):
    """Whichever comes first; those on a stranger do not make it a copy."""
    photo, stranger = made_photo(seed), made_photo(seed + 10)
    marked = worded(photo, fill, 0.4)
    assert rate_marks(photo, marked) and rate_marks(marked, photo)
    assert not rate_marks(stranger, marked)
    one, other = (make_sketch(np.asarray(each)) for each in (photo, marked))
    judged = judge_pair(one, other)
    assert judged.same
    assert find_flaws(one["luma"], other["luma"], judged.transform).marked == (False, True)
    back = judge_pair(other, one).transform
    assert find_flaws(other["luma"], one["luma"], back).marked == (True, False)


def test_what_is_no_mark_is_refused():
    """A guest, stripes of a shirt on its ground, opaque bars, pieces that moved, and other words on the other."""
    photo = made_photo(1)
    everywhere = (0, 0, *SIZE)
    guest = photo.copy()
    guest.paste("white", (80, 40, 150, 170), Image.new("L", (70, 130), 130))
    moved = photo.copy()
    for x in range(5, 220, 40):
        moved.paste(photo.crop((x, 20, x + 14, 160)), (x + 14, 20))
    assert rate_marks(photo, striped(photo, 0.3, everywhere, 3))
    for other in (
        guest,
        moved,
        striped(photo, 0.3, (60, 45, 180, 135), 3),
        striped(photo, 1, everywhere, 3),
        striped(photo, 0.3, everywhere, 12),
    ):
        assert not rate_marks(photo, other)
    assert not rate_marks(worded(photo, "white", 0.4), striped(photo, 0.3, everywhere, 3))


@pytest.mark.parametrize(
    ("what", "good", "bad"),
    [
        ("share", 0.051, 0.049),
        ("share", 0.209, 0.211),
        ("against", 0.149, 0.151),
        ("thick", 0.0049, 0.0051),
        ("strength", 0.379, 0.381),
        ("spread", 0.6, 0.59),
        ("rest", 0.971, 0.969),
        ("agreeing", 0.51, 0.49),
        ("outlines", 0.76, 0.74),
        ("fit", 0.841, 0.839),
        ("equal", 0.861, 0.859),
        ("plain", 0.74, 0.76),
        ("n_detail", 1000, 999),
        ("overlap", (0.91, 0.4), (0.89, 0.89)),
        ("stretch", 2.9, 3.1),
    ],
)
def test_every_condition_of_the_rule_counts(what, good, bad):
    """A little beyond its limit, each refuses by itself."""
    assert is_marked(*with_one_other(FOUND, what, good))
    assert not is_marked(*with_one_other(FOUND, what, bad))


def test_a_pattern_of_thin_lines_on_one_ground_is_another_thing():
    """A plain cloth and the same with a net: opaque lines that are thinner than a cell."""
    cloth = made_photo(4)
    net = cloth.copy()
    draw = ImageDraw.Draw(net)
    for at in range(0, SIZE[0], 12):
        draw.line((at, 0, at, SIZE[1]), "white", 1)
        draw.line((0, at, SIZE[0], at), "white", 1)
    assert not rate_marks(cloth, net)


def test_marks_that_were_not_looked_for_say_nothing():
    """As of a pair that agrees anyway."""
    photo = cells(made_photo(2))
    agreement, _, _ = compare_luma(photo, photo, np.ones_like(photo))
    assert not is_marked(agreement, WHOLE)


def gridded(picture):
    """White lines across all of it, and a word."""
    marked, (width, height) = picture.copy(), picture.size
    draw = ImageDraw.Draw(marked)
    for at in range(0, width, 30):
        draw.line((at, 0, at, height), "white", 2)
        draw.line((0, at, width, at), "white", 2)
    draw.text((width // 6, height // 3), "PREVIEW", "white", ImageFont.load_default(height // 6))
    return marked


@pytest.mark.parametrize("mark", [lambda photo: worded(photo, "white", 1), gridded], ids=["words", "grid"])
@pytest.mark.parametrize("seed", range(3))
def test_opaque_marks_all_over_leave_a_doubt_at_least(seed, mark):
    """Hashes decide then, and the marked one is known; a stranger stays one."""
    photo, stranger = made_photo(seed), made_photo(seed + 10)
    one, marked, other = (make_sketch(np.asarray(each)) for each in (photo, mark(photo), mark(stranger)))
    judged = judge_pair(one, marked)
    assert judged.same or judged.doubtful
    assert find_flaws(one["luma"], marked["luma"], judged.transform).marked == (False, True)
    stranger = judge_pair(one, other)
    assert not stranger.same and not stranger.doubtful


@pytest.mark.parametrize(
    ("what", "good", "bad"),
    [
        ("share", 0.449, 0.451),
        ("against", 0.249, 0.251),
        ("thick", 0.0699, 0.0701),
        ("spread", 0.9, 0.89),
        ("rest", 0.981, 0.979),
        ("agreeing", 0.26, 0.24),
        ("plain", 0.59, 0.61),
        ("n_detail", 3000, 2999),
        ("overlap", (0.91, 0.91), (1.0, 0.89)),
        ("orientation", 0, 4),
        ("stretch", 1.14, 1.16),
    ],
)
def test_every_condition_of_the_doubt_counts(what, good, bad):
    """A little beyond its limit, each refuses by itself."""
    opaque = replace(FOUND, strength=0.9)
    assert may_be_marked(*with_one_other(opaque, what, good))
    assert not may_be_marked(*with_one_other(opaque, what, bad))
