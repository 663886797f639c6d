"""The Hamming search is exact: it agrees with brute force, on random hashes and on sets made to trip it."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.matching import hamming, hamming_balls, multi_index
from curator.matching.perceptual_hash import distance64
from tests.fuzz.rounds import examples

ALL_ONES = 2**64 - 1
EDGE_BITS = (0, 1, 11, 12, 15, 16, 20, 21, 31, 32, 41, 42, 47, 48, 62, 63)


def brute_force(left, right, radius):
    """Compare every hash with every other one."""
    distance = distance64(left[:, None], right[None, :])
    i, j = np.nonzero(distance <= radius)
    return i, j, distance[i, j]


def assert_pairs_agree(hashes, radius):
    """Fail unless the search finds what brute force finds."""
    values = hamming.collapse(np.array(hashes, np.uint64)).values
    i, j, distance = brute_force(values, values, radius)
    below = i < j
    found = hamming.find_pairs(values, radius)
    np.testing.assert_array_equal(found.i, i[below])
    np.testing.assert_array_equal(found.j, j[below])
    np.testing.assert_array_equal(found.distance, distance[below])


def flipped(value, bits):
    """Turn these bits of a hash over."""
    for bit in bits:
        value ^= 1 << int(bit)
    return value


bit_sets = st.sets(st.one_of(st.sampled_from(EDGE_BITS), st.integers(0, 63)), max_size=10)
centres = st.sampled_from([0, ALL_ONES, 0x5555555555555555, 0x0123456789ABCDEF])
clustered = st.lists(st.builds(flipped, centres, bit_sets), max_size=60)


@settings(max_examples=examples(150), deadline=None)
@given(clustered, st.integers(0, 20))
def test_pairs_in_dense_clusters_agree_with_brute_force(hashes, radius):
    """Neighbours at chunk edges, equal hashes, all zeros and all ones: none is missed, none is found twice."""
    assert_pairs_agree(hashes, radius)


@settings(max_examples=examples(100), deadline=None)
@given(clustered, clustered, st.integers(0, 12))
def test_matches_between_two_sets_agree_with_brute_force(queries, hashes, radius):
    """The cross form finds equal hashes too, and keeps the order of its inputs."""
    left, right = np.array(queries, np.uint64), np.array(hashes, np.uint64)
    i, j, distance = brute_force(left, right, radius)
    found = hamming.find_matches(left, right, radius)
    np.testing.assert_array_equal(found.i, i)
    np.testing.assert_array_equal(found.j, j)
    np.testing.assert_array_equal(found.distance, distance)


@pytest.mark.parametrize("radius", [0, 1, 4, 8, 10])
def test_planted_neighbours_among_thousands_are_found(radius):
    """At a size where tables are wide, pairs agree with brute force."""
    chance = np.random.default_rng(1)
    hashes = chance.integers(0, 2**64, 2_000, dtype=np.uint64)
    near = [flipped(int(value), chance.choice(64, 1 + n % 10, replace=False)) for n, value in enumerate(hashes[:500])]
    assert_pairs_agree([*hashes.tolist(), *near], radius)


@pytest.mark.parametrize("n_chunks", range(1, 6))
def test_every_plan_is_exact(monkeypatch, n_chunks):
    """The number of chunks and the size of blocks change the time, never the result."""
    monkeypatch.setattr(multi_index, "plan_chunks", lambda *_: multi_index.cut_bits(n_chunks, 4, 60, 60))
    monkeypatch.setattr(hamming_balls, "BLOCK_NEIGHBOURS", 50)
    monkeypatch.setattr(hamming_balls, "TILE_ROWS", 3)
    monkeypatch.setattr(hamming_balls, "TILE_COLUMNS", 4)
    chance = np.random.default_rng(n_chunks)
    centre = chance.integers(0, 2**64, dtype=np.uint64)
    hashes = [flipped(int(centre), chance.choice(64, 1 + n % 4)) for n in range(60)]
    assert_pairs_agree(hashes, 4)
    left, right = np.array(hashes[:25], np.uint64), np.array(hashes[20:], np.uint64)
    i, j, distance = brute_force(left, right, 4)
    found = hamming.find_matches(left, right, 4)
    assert list(zip(found.i, found.j, found.distance, strict=True)) == list(zip(i, j, distance, strict=True))


@pytest.mark.parametrize("n_hashes", [60, 1_000_000])
@pytest.mark.parametrize("radius", range(0, 17))
def test_chunks_leave_no_gap(radius, n_hashes):
    """The radii plus one add up to more than the radius, whatever the number of chunks: the pigeonhole holds."""
    for n_chunks in range(1, radius + 2):
        plan = multi_index.cut_bits(n_chunks, radius, n_hashes, 7 * n_hashes)
        holds_all = any(chunk.radius == chunk.width for chunk in plan)
        assert holds_all or sum(chunk.radius + 1 for chunk in plan) == radius + 1
        assert all(a.shift + a.width <= b.shift for a, b in pairwise(plan))
        assert plan[-1].shift + plan[-1].width <= 64
        assert all(chunk.width >= 1 for chunk in plan)


@pytest.mark.parametrize("n_chunks", range(1, 7))
@pytest.mark.parametrize("radius", [0, 1, 4, 8, 10])
def test_some_chunk_has_a_mask_for_every_difference(radius, n_chunks):
    """Of what differs by up to the radius nothing is missed, though the last chunk looks at a part of a bucket only."""
    plan = multi_index.cut_bits(min(n_chunks, radius + 1), radius, 100_000, 700_000)
    masks = [chunk.list_masks() for chunk in plan]
    chance = np.random.default_rng(n_chunks)
    differing = [flipped(0, chance.choice(64, bits, replace=False)) for bits in range(radius + 1) for _ in range(400)]
    keys = [chunk.key(np.array(differing, np.uint64)).astype(np.int64) for chunk in plan]
    assert np.logical_or.reduce([np.isin(*both) for both in zip(keys, masks, strict=True)]).all()
    assert [len(set(mask.tolist())) for mask in masks] == [chunk.n_masks() for chunk in plan]
    assert all(chunk.n_key_bits <= multi_index.MAX_WIDTH for chunk in plan)
    assert not any(chunk.others for chunk in plan[:-1])
    assert len(plan) == 1 or plan[-1].others == plan[:-1]


@pytest.mark.parametrize("n_chunks", range(1, 5))
def test_a_chunk_narrower_than_its_radius_holds_all(monkeypatch, n_chunks):
    """A radius of more bits than a chunk has finds everything in it."""
    monkeypatch.setattr(multi_index, "plan_chunks", lambda *_: multi_index.cut_bits(n_chunks, 47, 40, 40))
    chance = np.random.default_rng(n_chunks)
    left, right = (np.unique(chance.integers(0, 2**64, 40, dtype=np.uint64)) for _ in range(2))
    found = hamming.find_matches(left, right, 47)
    i, j, distance = brute_force(left, right, 47)
    assert list(zip(found.i, found.j, found.distance, strict=True)) == list(zip(i, j, distance, strict=True))


def test_a_million_equal_hashes_are_one_value():
    """Equal hashes are collapsed, so copies cost no pairs."""
    distinct = hamming.collapse(np.full(1_000_000, 7, np.uint64))
    assert distinct.values.tolist() == [7]
    assert len(hamming.find_pairs(distinct.values, 8)) == 0


def test_repeated_hashes_and_bad_radii_are_refused():
    """Wrong use is an error, not a wrong answer."""
    with pytest.raises(ValueError, match="distinct"):
        hamming.find_pairs(np.array([1, 1], np.uint64), 2)
    with pytest.raises(ValueError, match="0 to 64"):
        hamming.find_matches(np.array([1], np.uint64), np.array([1], np.uint64), 65)
