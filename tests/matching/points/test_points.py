"""Pictures that show a part of one another share points, whatever their order; strangers are let go."""

import cv2
import numpy as np
import pytest

from curator.matching.points import meetings
from curator.matching.points.glimpse import GLIMPSE_FIELDS, N_POINTS, PACE, take_glimpse
from curator.matching.points.laid import agree_where_laid
from curator.matching.points.meetings import FARTHEST, MOST_ALIKE, find_meetings
from curator.matching.points.shared import Shared, find_shared, place_points


def scene(seed, size=(384, 288)):
    """A grey picture with corners."""
    coarse = np.random.default_rng(seed).integers(0, 256, (24, 32), dtype=np.uint8)
    return cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)


def glimpses(pictures):
    """Their rows."""
    rows = np.zeros(len(pictures), GLIMPSE_FIELDS)
    for number, picture in enumerate(pictures):
        for name, value in take_glimpse(np.ascontiguousarray(picture)).items():
            rows[name][number] = value
    return rows


def parts_of(picture):
    """Ways to show a part of it."""
    turned = cv2.warpAffine(picture, cv2.getRotationMatrix2D((192, 144), 5, 1), (384, 288))
    other = scene(77)
    collage = np.vstack([np.hstack([other, picture]), np.hstack([picture[:, ::-1], other])])[::2, ::2]
    cut_out = np.full_like(picture, 255)
    cv2.circle(cut_out, (192, 144), 100, 0, -1)
    cut_out = np.where(cut_out == 0, picture, 255).astype(np.uint8)
    return {
        "half of each side": picture[100:244, 150:342],
        "mirrored": picture[20:, -1:30:-1],
        "upside down": picture[::-1, ::-1],
        "a frame": np.pad(picture, 60, constant_values=255)[::2, ::2],
        "turned a little": turned,
        "a collage": collage,
        "a cut-out": cut_out,
        "half as large": cv2.resize(picture, (192, 144), interpolation=cv2.INTER_AREA),
    }


@pytest.mark.parametrize("way", parts_of(scene(0)))
def test_a_part_is_found_among_strangers_and_lies_where_it_is(way):
    """So much that more of its points are found there."""
    picture = scene(0)
    rows = glimpses([picture, *(scene(seed) for seed in range(1, 9)), parts_of(picture)[way]])
    shared = find_shared(rows)
    assert (shared.i < shared.j).all()
    deserves = agree_where_laid(rows, np.arange(len(rows)), shared)
    named = set(zip(shared.i[deserves].tolist(), shared.j[deserves].tolist(), strict=True))
    assert (0, 9) in named
    assert not {pair for pair in named if 9 not in pair}


def test_what_is_found_does_not_depend_on_others():
    """Which points are rare does, but not what shares many."""
    rows = glimpses([scene(0), scene(1), scene(0)[40:200, 60:300], scene(1)[:, ::-1], *map(scene, range(2, 8))])

    def pairs(chosen):
        shared = find_shared(rows, np.array(chosen))
        shared = shared.where(agree_where_laid(rows, np.array(chosen), shared) & (shared.votes >= 8))
        ends = (np.array(chosen)[end].tolist() for end in (shared.i, shared.j))
        return set(zip(*ends, shared.is_mirrored.tolist(), strict=True))

    for chosen in ([0, 1, 2, 3], range(10), [9, 8, 0, 7, 1, 2, 5, 3]):
        assert pairs(chosen) == {(0, 2, False), (1, 3, True)}


@pytest.mark.parametrize("shape", [(1, 1), (1, 384), (384, 1), (3, 5), (31, 31), (40, 40), (20, 384)])
def test_a_plain_or_tiny_picture_has_no_points(shape):
    """Nor does that stop anything."""
    rows = glimpses([np.full(shape, 77, np.uint8), scene(0), np.zeros(shape, np.uint8)])
    assert rows["n_points"].tolist()[::2] == [0, 0] and rows["n_points"][1] > 300
    assert len(find_shared(rows).i) == 0


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_pictures_share_nothing(n):
    """Not even with themselves."""
    rows = glimpses([scene(0)][:n])
    shared = find_shared(rows)
    assert len(shared.i) == 0 and len(agree_where_laid(rows, np.arange(n), shared)) == 0


def test_there_are_no_more_points_than_there_is_room_for():
    """Noise has thousands of corners: each level keeps its own."""
    noise = np.random.default_rng(0).integers(0, 256, (384, 384), dtype=np.uint8)
    assert N_POINTS - 6 < take_glimpse(noise)["n_points"] <= N_POINTS


def boxes(seed):
    """A grey picture of boxes, with a corner here and there."""
    chance, picture = np.random.default_rng(seed), np.full((288, 384), 128, np.uint8)
    for x, y, width, height, grey in chance.integers((0, 0, 4, 4, 0), (384, 288, 50, 50, 256), (120, 5)):
        picture[y : y + height, x : x + width] = grey
    return picture


def test_where_there_is_little_contrast_corners_are_kept_too():
    """Else a crop to that part would share none with the whole."""
    picture = np.hstack([boxes(0), 110 + boxes(1) // 8])
    points = take_glimpse(picture)
    assert (points["places"][: points["n_points"], 0] > 32_768).mean() > 0.15
    rows = glimpses([picture, picture[40:240, 450:700], *(boxes(seed) for seed in range(2, 8))])
    shared = find_shared(rows)
    assert (0, 1) in set(zip(*(end[shared.votes >= 8].tolist() for end in (shared.i, shared.j)), strict=True))


@pytest.mark.parametrize("is_mirrored", [False, True])
def test_points_say_exactly_how_one_lies_on_the_other(is_mirrored):
    """More so than each by itself, whose scale is that of its level and whose turn is a few degrees off."""
    part = scene(0)[60:260, 90:330]
    rows = glimpses([scene(0), part[:, ::-1] if is_mirrored else part])
    shared = find_shared(rows)
    best = shared.votes.argmax()
    assert shared.votes[best] > 10 and shared.is_mirrored[best] == is_mirrored
    assert abs(shared.factor[best] - 1) < 0.01
    assert abs(shared.shift[best] - (90 + 60j)) < 1.5


def test_meetings_are_those_of_the_definition():
    """Points of different pictures with the bits of a mask in common, which few have, near in all bits."""
    chance = np.random.default_rng(0)
    words = np.repeat(chance.integers(0, 1 << 63, (300, 2), dtype=np.uint64), 3, axis=0)
    flips = chance.random((900, 2, 64)) < 0.03
    words ^= (flips * (np.uint64(1) << np.arange(64, dtype=np.uint64))).sum(axis=2, dtype=np.uint64)
    words = words[chance.permutation(900)]
    words[:60:5] = words[0]  # which more have than count
    mirrored = np.roll(words, 450, axis=0)
    starts = np.arange(0, 901, 30)
    blocks = [*find_meetings(starts, words, mirrored)]
    picture = np.repeat(np.arange(30), 30)
    for is_mirrored, others in ((False, words), (True, mirrored)):
        expected = set()
        for mask in meetings._MASKS:
            keys = [tuple(row) for row in (words & mask).tolist()]
            few = {key for key in keys if keys.count(key) <= MOST_ALIKE}
            for y, key in enumerate(tuple(row) for row in (others & mask).tolist()):
                for x in (x for x, own in enumerate(keys) if own == key and key in few):
                    a, b = (x, y) if is_mirrored else sorted((x, y), key=lambda point: picture[point])
                    if picture[a] < picture[b] and np.bitwise_count(words[a] ^ others[b]).sum() <= FARTHEST:
                        expected.add((a, b))
        (found,) = (block for block in blocks if block.is_mirrored == is_mirrored)
        assert expected
        assert list(zip(found.x.tolist(), found.y.tolist(), strict=True)) == sorted(expected)


def test_blocks_change_nothing(monkeypatch):
    """Points are looked up a few at a time, if there are many."""
    rows = glimpses([scene(0), scene(1), scene(0)[40:200, 60:300, None][..., 0][:, ::-1]])
    whole = find_shared(rows)
    monkeypatch.setattr(meetings, "_AT_ONCE", 100)
    monkeypatch.setattr(meetings, "_BLOCK", 50)
    assert all((getattr(whole, name) == getattr(find_shared(rows), name)).all() for name in vars(whole))


def drawn(places, words, levels=0, angles=0, size=(512, 512), mirrored=None):
    """The row of a picture with points at these places."""
    row, n = np.zeros(1, GLIMPSE_FIELDS)[0], len(places)
    row["size"], row["n_points"] = size, n
    row["places"][:n] = np.rint(np.asarray(places) / np.asarray(size) * 65_535)
    row["levels"][:n], row["angles"][:n], row["words"][:n] = levels, angles, words
    row["mirrored"][:n] = ~np.asarray(words) if mirrored is None else mirrored
    return row


def some_words(n, seed=0):
    """Bits of points that are not alike."""
    return np.random.default_rng(seed).integers(0, 1 << 63, (n, 2), dtype=np.uint64)


def table(*rows):
    """The rows of pictures."""
    return np.concatenate([np.atleast_1d(row) for row in rows])


def share(*rows):
    """What two pictures share."""
    return find_shared(table(*rows))


def test_points_in_the_mirror_are_those_of_the_picture_in_the_mirror():
    """Where they are, and their directions."""
    row, mirrored = glimpses([scene(0), scene(0)[:, ::-1]])
    places, _, turns = place_points(row, in_mirror=True)
    others, _, other_turns = place_points(mirrored)
    nearest = np.abs(places[:, None] - others).argmin(axis=1)
    is_same = np.abs(places - others[nearest]) < 1.5
    agree = (turns * other_turns[nearest].conj()).real[is_same] > 0.95
    assert is_same.mean() > 0.7
    assert agree.mean() > 0.7


def test_a_corner_on_several_levels_has_one_vote():
    """And others have theirs."""
    words = some_words(5)
    places = [(100, 100), (102, 101), (99, 98), (300, 100), (100, 300)]
    row = drawn(places, words, levels=[0, 1, 2, 0, 0])
    assert share(row, row).votes.tolist() == [3]


def test_points_that_are_turned_otherwise_do_not_agree():
    """Though they lie where they should."""
    words, places = some_words(3), [(100, 100), (300, 100), (100, 300)]
    assert share(drawn(places, words), drawn(places, words)).votes.tolist() == [3]
    assert share(drawn(places, words), drawn(places, words, angles=[0, 0, 30])).votes.tolist() == [2]
    assert share(drawn(places, words), drawn(places, words, angles=[0, 64, 128])).votes.tolist() == []


def test_points_near_one_another_do_not_say_how_large_a_picture_is():
    """A pixel is an eighth of their distance; that of their levels counts."""
    words = some_words(2)
    near = share(drawn([(100, 100), (109, 100)], words), drawn([(100, 100), (107, 100)], words))
    far = share(drawn([(100, 100), (190, 100)], words), drawn([(100, 100), (180, 100)], words))
    assert abs(near.factor[0] - 1) < 1e-6
    assert abs(far.factor[0] - 90 / 80) < 1e-2


def test_what_points_say_together_contradicts_none_of_them():
    """Two that lie otherwise than they are turned: their directions count."""
    words = some_words(2)
    shared = share(drawn([(100, 100), (127, 113)], words), drawn([(100, 100), (130, 100)], words))
    assert shared.votes.tolist() == [2]
    assert abs(shared.factor[0] - 1) < 1e-6


@pytest.mark.parametrize("is_mirrored", [False, True])
@pytest.mark.parametrize("factor", [0.3, 1, 2.5 * np.exp(0.4j)])
def test_which_picture_is_the_first_does_not_matter(factor, is_mirrored):
    """What is said of the one way round is the inverse of what is said of the other."""
    chance = np.random.default_rng(1)
    words, others = some_words(40), some_words(40, seed=1)
    a = chance.uniform(200, 312, (40, 2)) @ (1, 1j)
    b = (a - 256 - 256j) / factor + 256 + 256j + chance.normal(0, 3, (40, 2)) @ (1, 1j)
    level, angle = round(np.log(abs(factor)) / np.log(PACE)), round(np.angle(factor) * 128 / np.pi)
    b, words_b, angle_b = (512 - b.conj(), others, 128 + angle) if is_mirrored else (b, words, -angle % 256)
    one = drawn(np.stack([a.real, a.imag], axis=1), words, max(0, level), mirrored=others)
    other = drawn(np.stack([b.real, b.imag], axis=1), words_b, max(0, -level), angle_b, mirrored=words)
    if not is_mirrored:
        other["mirrored"], one["mirrored"] = 7, 7
    first, second = share(one, other), share(other, one)
    for shared in (first, second):
        assert shared.is_mirrored.tolist() == [is_mirrored]
    assert first.votes.tolist() == second.votes.tolist()
    assert np.abs(np.abs(first.factor * second.factor) - 1).max() < 1e-4


def laid_over(one, other, factor=1, shift=0):
    """Whether more points agree where the one is laid over the other like this."""
    known = {"i": [0], "j": [1], "is_mirrored": [False], "votes": [2], "factor": [factor], "shift": [shift]}
    kinds = (np.int64, np.int64, bool, np.int64, np.complex64, np.complex64)
    shared = Shared(*(np.array(value, kind) for value, kind in zip(known.values(), kinds, strict=True)))
    return agree_where_laid(table(one, other), np.arange(2), shared).tolist() == [True]


def grid(step=45):
    """Places all over a picture."""
    return np.stack(np.meshgrid(np.arange(10, 500, step), np.arange(10, 500, step)), axis=-1).reshape(-1, 2)


def test_points_that_lie_on_others_count_if_all_agrees():
    """Their bits, their sizes and their directions, of one in thirty three at least."""
    places = grid()
    words = some_words(len(places))
    one = drawn(places, words)
    assert laid_over(one, one)
    assert not laid_over(one, one, shift=20)
    assert laid_over(one, one, shift=6 + 6j)
    assert not laid_over(one, drawn(places, some_words(len(places), seed=1)))
    assert not laid_over(one, drawn(places, words, levels=3))
    assert not laid_over(one, drawn(places, words, angles=64))
    for n, enough in ((3, False), (4, True)):
        few = np.where(np.arange(len(places))[:, None] < n, words, some_words(len(places), seed=1))
        assert laid_over(one, drawn(places, few)) == enough, n


def test_what_lies_beside_the_one_does_not_count_against_it():
    """Of a part that is shown in both, only the points in it are asked, of the picture that has fewer there."""
    places = grid()
    words = some_words(len(places))
    shift = 400
    is_shown = places[:, 0] >= shift
    beside, strange = grid(step=40) + np.array([112, 0]), some_words(169, seed=1)
    beside, strange = beside[beside[:, 0] > 112], strange[beside[:, 0] > 112]
    moved = np.concatenate([beside, places[is_shown] - (shift, 0)])
    assert laid_over(drawn(places, words), drawn(moved, np.concatenate([strange, words[is_shown]])), shift=shift)
    other_words = some_words(len(places), seed=1)
    other_words[60] = words[60]
    sparse = drawn(places[5::11], words[5::11])
    assert laid_over(sparse, drawn(places, other_words))
    assert laid_over(drawn(places, other_words), sparse)
    assert not laid_over(drawn(places, words), drawn(places, other_words))


@pytest.mark.parametrize("far", [6, 10])
def test_how_far_is_too_far_is_said_in_pixels_of_the_coarser_picture(far):
    """Of which the other has two each way."""
    places = grid()
    words = some_words(len(places))
    fine = drawn(places, words, levels=3)
    coarse = drawn(places / 2, words, size=(256, 256))
    assert laid_over(fine, coarse, factor=2, shift=2 * far) == (far < 8)
    assert laid_over(coarse, fine, factor=0.5, shift=-far) == (far < 8)
