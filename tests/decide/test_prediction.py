"""Samples and predictions: every stratum has its share, the sample is repeatable, and intervals hold what they say."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from curator.decide.target import choose_candidates, choose_sample, share_sample
from curator.inspect.forecast.prediction import LEVEL, Stratum, predict_images
from tests.decide.rows import make_table

SIZES = np.array([3000, 1500, 400, 60])
RATES = np.array([0.05, 0.3, 0.9, 0.5])


def tried(ok, n_tried, n_listed):
    return Stratum("rugby", "imagenet", int(n_listed), int(n_listed), int(n_tried), int(ok))


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=12), st.integers(0, 3000))
def test_shares_add_up_and_fit(sizes, n):
    """As many as asked, none more than there are, and a larger stratum never gets less than a smaller one."""
    sizes = np.array(sizes)
    shares = share_sample(sizes, n)
    assert shares.sum() == min(n, sizes.sum())
    assert (shares >= 0).all()
    assert (shares <= sizes).all()
    assert all(shares[i] >= shares[j] - 1 for i in range(len(sizes)) for j in range(len(sizes)) if sizes[i] > sizes[j])


def test_small_strata_are_measured_too():
    """Between shares in proportion, which would give the last one 2, and equal ones."""
    shares = share_sample(SIZES, 200)
    assert shares.tolist() == sorted(shares, reverse=True)
    assert shares[3] > 8
    assert shares[0] < 100


def test_a_sample_is_the_same_each_time_and_another_by_another_seed():
    """Whatever the order of the rows; rows of no stratum are never chosen."""
    table = make_table([{} for _ in range(60)])
    strata = np.arange(60) % 3 - 1
    chosen = choose_sample(table, strata, 10, seed=0)
    assert chosen.sum() == 10
    assert not chosen[strata < 0].any()
    assert (choose_sample(table.iloc[::-1], strata[::-1], 10, seed=0)[::-1] == chosen).all()
    assert (choose_sample(table, strata, 10, seed=1) != chosen).any()


def test_with_seed_0_the_fetch_would_have_asked_for_the_sample_first():
    """So no request of a probe is one too many."""
    table = make_table([{"label": "rugby"} for _ in range(50)])
    first = choose_candidates(table, np.zeros(50, bool), {"rugby": 12})
    assert (choose_sample(table, np.zeros(50, int), 12, seed=0) == first).all()


@pytest.mark.parametrize("n", [40, 200])
def test_intervals_hold_the_truth_as_often_as_they_say(n):
    """200 simulated listings, sampled without replacement: strata of all sizes and rates, each and together."""
    rng = np.random.default_rng(7)
    n_runs, n_each_runs, n_whole, n_each = 200, 80, 0, np.zeros(len(SIZES))
    shares = share_sample(SIZES, n)
    for run in range(n_runs):
        good = rng.binomial(SIZES, RATES)
        ok = rng.hypergeometric(good, SIZES - good, shares)
        strata = [tried(*facts) for facts in zip(ok, shares, SIZES, strict=True)]
        whole = predict_images(strata, run)
        n_whole += whole.low <= good.sum() <= whole.high
        for number, stratum in enumerate(strata if run < n_each_runs else ()):
            one = predict_images([stratum], run)
            n_each[number] += one.low <= good[number] <= one.high
    assert abs(n_whole / n_runs - LEVEL) < 0.04
    assert (n_each / n_each_runs > 0.87).all()
    assert abs((n_each / n_each_runs).mean() - LEVEL) < 0.04


def test_intervals_narrow_as_more_is_asked():
    """And are a point where all was asked."""
    widths = [(p := predict_images([tried(n // 2, n, 1000)], 0)).high - p.low for n in (0, 10, 100, 900)]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] > 900
    all_asked = predict_images([tried(37, 1000, 1000)], 0)
    assert (all_asked.low, all_asked.expected, all_asked.high) == (37, 37, 37)


def test_chances_are_probabilities():
    """Of what is sure, of what is out of reach, and of the middle."""
    prediction = predict_images([tried(50, 100, 1000)], 0)
    assert prediction.chance_of(50) == 1
    assert prediction.chance_of(951) == 0
    assert 0.4 < prediction.chance_of(500) < 0.6
