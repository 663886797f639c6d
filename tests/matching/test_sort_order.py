"""Sorting numbers with their places in one word is what a stable argsort does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.matching.sort_order import sort_order
from tests.fuzz.rounds import examples

KINDS = (np.uint8, np.int8, np.int16, np.int32, np.uint32, np.int64, np.uint64)


@settings(max_examples=examples(200), deadline=None)
@given(st.sampled_from(KINDS), st.integers(0, 300), st.integers(1, 64), st.integers(0, 999))
def test_the_order_is_that_of_a_stable_argsort(kind, n, bits, seed):
    """Of all integers, of few and of many values, near zero and near both ends."""
    chance, info = np.random.default_rng(seed), np.iinfo(kind)
    span = min(2**bits - 1, info.max - info.min)
    lowest = chance.choice(np.array([info.min, info.max - span], object))
    offsets = chance.integers(0, span, n, dtype=np.uint64, endpoint=True)
    values = np.array([lowest + int(offset) for offset in offsets], object).astype(kind)
    assert (sort_order(values) == np.argsort(values, kind="stable")).all()


@pytest.mark.parametrize("n_equal", [2, 50])
def test_numbers_that_differ_in_their_lowest_bits_are_in_order(n_equal):
    """The place takes ten bits of the word: what differs there alone is sorted again."""
    chance = np.random.default_rng(n_equal)
    high = chance.integers(0, 2**54, 1000 // n_equal, dtype=np.uint64) << np.uint64(10)
    values = chance.permutation(np.repeat(high, n_equal) + chance.integers(0, 3, high.size * n_equal, dtype=np.uint64))
    values = np.append(values, np.array([0, 2**64 - 1], np.uint64))
    assert (sort_order(values) == np.argsort(values, kind="stable")).all()
