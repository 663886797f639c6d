"""Pictures that show a part of one another share points, whatever their order; strangers are let go."""

import cv2
import numpy as np
import pytest

from curator.matching.points import meetings
from curator.matching.points.glimpse import GLIMPSE_FIELDS, N_POINTS, take_glimpse
from curator.matching.points.laid import agree_where_laid
from curator.matching.points.meetings import FARTHEST, MOST_ALIKE, find_meetings
from curator.matching.points.shared import find_shared


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
