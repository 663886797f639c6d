"""The pairs that deserve a look: all within the radius, of each picture the nearest, whatever blocks they come in."""

import numpy as np
import pytest

from curator.matching import candidates, crops
from curator.matching.candidates import find_candidates
from curator.matching.luma_signatures import pack_signatures
from curator.matching.perceptual_hash import distance64, hash64, hash256, transform
from curator.matching.picture_matches import Matches
from curator.matching.pictures import Pictures


def make(n, bits, seed=0):
    """Pictures whose upright hashes differ in a few of the same bits."""
    chance = np.random.default_rng(seed)
    hashes = chance.integers(0, 1 << 63, (n, 8), dtype=np.uint64)
    flips = np.array([sum(1 << int(b) for b in chance.choice(64, bits, replace=False)) for _ in range(n)], np.uint64)
    hashes[:, 0] = np.uint64(12345) ^ flips
    return Pictures(hashes, np.zeros((n, 32), np.uint8), np.zeros((0, 512), np.uint8), np.full(n, -1))


@pytest.mark.parametrize("most", [2, 5, 100])
def test_each_picture_has_its_nearest(most, monkeypatch):
    """Of a picture's look-alikes within the radius the nearest are named, of equally near ones the first."""
    monkeypatch.setattr(candidates, "MOST", most)
    pictures = make(40, 4)
    i, j = find_candidates(pictures, 8, rotations=False)
    distance = distance64(pictures.hashes[:, None, 0], pictures.hashes[None, :, 0]).astype(int)
    expected = set()
    for one in range(40):
        near = [(distance[one, other], other) for other in range(40) if other != one and distance[one, other] <= 8]
        expected |= {(min(one, other), max(one, other)) for _, other in sorted(near)[:most]}
    assert set(zip(i.tolist(), j.tolist(), strict=True)) == expected


def test_strangers_by_the_long_hash_are_left_out():
    """A 256-bit hash that is far apart rules a pair out."""
    pictures = make(3, 2)
    pictures.hashes256[2] = 255
    assert [pair.tolist() for pair in find_candidates(pictures, 8, rotations=False)] == [[0], [1]]


@pytest.mark.parametrize("n_theirs", [1, 3])
def test_what_is_not_wanted_takes_no_place_among_the_nearest(n_theirs):
    """Of 60 look-alikes the first few are theirs: all pairs with them are named, however near ours are."""
    i, j = find_candidates(make(60, 3), 8, False, lambda i, j: (i < n_theirs) != (j < n_theirs))
    assert set(zip(i.tolist(), j.tolist(), strict=True)) == {
        (a, b) for a in range(n_theirs) for b in range(n_theirs, 60)
    }


def test_blocks_give_what_all_at_once_gives_and_are_not_sorted_anew_each(monkeypatch):
    """Of 60 blocks of matches few are sorted together with all before, and the nearest are the same."""
    chance = np.random.default_rng(0)
    found = Matches(
        chance.integers(0, 50, 3_000),
        chance.integers(50, 99, 3_000),
        chance.integers(0, 9, 3_000, np.uint8),
        np.zeros(3_000, np.uint8),
    )
    whole, parts, sorts = candidates._Nearest(99), candidates._Nearest(99), []
    whole.add(found)
    sift = parts._sift
    monkeypatch.setattr(parts, "_sift", lambda both: sorts.append(1) or sift(both))
    for start in range(0, 3_000, 50):
        block = found.where(np.arange(start, start + 50))
        parts.add(block.where(parts.may_be(block)))
    pairs = [set(zip(one.take().i.tolist(), one.take().j.tolist(), strict=True)) for one in (whole, parts)]
    assert pairs[0] == pairs[1]
    assert len(sorts) < 15


def make_balls(n):
    """Pictures of one soft round thing, each with a little of its own: all look like all, and like crops of all."""
    chance, (y, x) = np.random.default_rng(0), (np.mgrid[:32, :32] - 15.5) / 16
    ball = 250 - 200 * (x**2 + y**2 < 0.6) * (1 - 0.3 * (x + y))
    own = np.kron(chance.normal(size=(n, 8, 8)), np.ones((4, 4)))
    lumas = (ball + 2 * own).clip(0, 255).astype(np.uint8)
    coefficients = transform(lumas)
    upright = hash64(coefficients)
    turned = chance.integers(0, 1 << 63, (n, 7), dtype=np.uint64)
    signatures = np.stack([np.frombuffer(one, np.uint8) for one in pack_signatures(lumas)])
    return Pictures(np.column_stack([upright, turned]), hash256(coefficients), signatures, np.arange(n))


def test_where_all_look_like_crops_of_all_few_are_compared(monkeypatch):
    """Of each picture the nearest pairs, whatever blocks they come in; and of those that fit the nearest are named."""
    monkeypatch.setattr(candidates, "MOST", most := 2)
    compared, are_copies = [], crops._are_copies
    monkeypatch.setattr(crops, "_are_copies", lambda *them: compared.append(them[1]) or are_copies(*them))
    pictures = make_balls(n := 120)
    found = find_candidates(pictures, 10, rotations=False)
    pairs = {
        (min(i, j), max(i, j)) for looks in compared for i, j in zip(looks.i // crops._LOOKS, looks.j, strict=True)
    }
    assert most * n / 2 < len(pairs) <= candidates.COMPARED * most * n
    assert len(found[0]) <= 3 * most * n
    monkeypatch.setattr("curator.matching.picture_matches._BLOCK_PAIRS", 500)
    assert all(map(np.array_equal, found, find_candidates(pictures, 10, rotations=False)))
