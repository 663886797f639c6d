"""Matching pictures in eight orientations is exact: it agrees with comparing every look of each with every other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.matching import picture_matches
from curator.matching.picture_matches import match_pictures, match_reoriented, match_upright
from tests.fuzz.rounds import examples


def brute_force(turns, radius, rotations):
    """Every (i, j, distance, turn) within the radius: unturned pairs once, turned ones as each lies to the other."""
    bits = np.bitwise_count(turns[:, None, 0, None] ^ turns[None, :, :])
    found = set()
    for i, j, turn in np.argwhere(bits <= radius).tolist():
        if i < j or (turn and i != j and rotations):
            found.add((i, j, int(bits[i, j, turn]), turn))
    return {match for match in found if match[3] == 0 or rotations}


def as_set(matches):
    """Matches as tuples, unturned ones in ascending order; fails where one stands there twice."""
    rows = [(min(i, j), max(i, j), d, t) if t == 0 else (i, j, d, t) for i, j, d, t in matches.rows()]
    assert len(rows) == len(set(rows))
    return {tuple(map(int, row)) for row in rows}


def crowd(chance, n, centres, flips):
    """``n`` pictures whose eight hashes are each near one of a few centres; many are equal."""
    values = chance.integers(0, 2**64, centres, dtype=np.uint64)
    values[0] = 0
    hashes = values[chance.integers(0, centres, (n, 8))]
    for _ in range(flips):
        flip = np.uint64(1) << chance.integers(0, 64, (n, 8)).astype(np.uint64)
        hashes = np.where(chance.random((n, 8)) < 0.5, hashes ^ flip, hashes)
    return hashes


@settings(max_examples=examples(40), deadline=None)
@given(st.integers(0, 60), st.integers(1, 4), st.integers(0, 6), st.integers(0, 12), st.booleans(), st.integers(0, 99))
def test_crowded_looks_agree_with_brute_force(n, centres, flips, radius, rotations, seed):
    """Few centres, many equal hashes, all zeros: every match is found once, with its distance and turn."""
    turns = crowd(np.random.default_rng(seed), n, centres, flips)
    assert as_set(match_pictures(turns, radius, rotations)) == brute_force(turns, radius, rotations)


@pytest.mark.parametrize("columns", [1, 2, 4, 7])
def test_blocks_do_not_change_the_matches(monkeypatch, columns):
    """One turn a search or all seven at once: the same."""
    monkeypatch.setattr(picture_matches, "MOST_QUERIES", 0)
    monkeypatch.setattr(picture_matches, "LEAST_COLUMNS", columns)
    monkeypatch.setattr(picture_matches, "_BLOCK_PAIRS", 50)
    turns = crowd(np.random.default_rng(1), 300, 40, 5)
    assert as_set(match_pictures(turns, 5, True)) == brute_force(turns, 5, True)


@pytest.mark.parametrize(
    ("many", "very_many", "reoriented", "upright"), [(30, 30, 10, 10), (29, 30, 8, 10), (0, 29, 8, 8)]
)
def test_of_many_pictures_copies_must_be_nearer(monkeypatch, many, very_many, reoriented, upright):
    """Up to the limits all within 10 bits; above the first, of reoriented ones those within 8; above both, of all."""
    monkeypatch.setattr(picture_matches, "MANY", many)
    monkeypatch.setattr(picture_matches, "VERY_MANY", very_many)
    turns = crowd(np.random.default_rng(5), 30, 3, 8)
    everything = brute_force(turns, 10, True)
    far = [{turn > 0 for _, _, bits, turn in everything if bits > 8}]
    assert far == [{True, False}], "the pictures have no such pairs"
    expected = {match for match in everything if match[2] <= (reoriented if match[3] else upright)}
    assert as_set(match_pictures(turns, 10, True)) == expected


def test_upright_and_turned_matches_make_up_all():
    """The split searches each with a radius of its own."""
    turns = crowd(np.random.default_rng(2), 200, 20, 5)
    upright, turned = as_set(match_upright(turns, 5)), as_set(match_reoriented(turns, 5))
    assert {match[3] for match in upright} == {0}
    assert 0 not in {match[3] for match in turned}
    assert upright | turned == brute_force(turns, 5, True)


def test_only_what_is_accepted_is_returned_and_blocks_stay_small(monkeypatch):
    """A wide radius never holds all candidates at once: they are judged block by block."""
    monkeypatch.setattr(picture_matches, "_BLOCK_PAIRS", 1_000)
    turns = crowd(np.random.default_rng(3), 300, 1, 6)
    sizes = []

    def accept(found):
        sizes.append(len(found.i))
        return found.orientation == 3

    found = match_pictures(turns, 10, True, accept)
    assert set(found.orientation.tolist()) == {3}
    assert sum(sizes) == len(brute_force(turns, 10, True)) > 100_000
    assert max(sizes) < 2_100
