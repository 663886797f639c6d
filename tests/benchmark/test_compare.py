"""The statistics, held against independent computations."""

from __future__ import annotations

import numpy as np
import pytest

from curator.benchmark.compare import calibration_bins, estimate, expected_calibration_error, mcnemar_p
from curator.benchmark.models.mobilenet_v2 import ilsvrc_synsets, overlap_warning


@pytest.mark.parametrize(("only_first", "only_second"), [(0, 0), (1, 0), (5, 5), (12, 3), (3, 12), (60, 31)])
def test_mcnemar_is_the_exact_binomial_test(only_first: int, only_second: int) -> None:
    """The p value is that of scipy's two-sided binomial test at one half."""
    stats = pytest.importorskip("scipy.stats")
    n = only_first + only_second
    expected = stats.binomtest(only_first, n, 0.5).pvalue if n else 1.0
    assert mcnemar_p(only_first, only_second) == pytest.approx(expected)


def test_the_bootstrap_interval_covers_as_theory_says() -> None:
    """For single images the interval is near the normal approximation's."""
    correct = (np.arange(400) % 5 > 0).astype(float)
    found = estimate(correct, np.arange(400))
    half = 1.96 * np.sqrt(0.8 * 0.2 / 400)
    assert found["mean"] == pytest.approx(0.8)
    assert (found["low"], found["high"]) == pytest.approx((0.8 - half, 0.8 + half), abs=0.006)


def test_groups_widen_the_interval() -> None:
    """Images that stand and fall together count as one: ten copies of each widen the interval by sqrt(10)."""
    correct = np.repeat((np.arange(40) % 5 > 0).astype(float), 10)
    single, grouped = (estimate(correct, groups) for groups in (np.arange(400), np.arange(400) // 10))
    assert (grouped["high"] - grouped["low"]) / (single["high"] - single["low"]) == pytest.approx(np.sqrt(10), rel=0.1)


def test_calibration_error_is_the_distance_from_the_diagonal() -> None:
    """Always 0.9 sure and right 70 times of 100 is an error of 0.2."""
    probabilities = np.tile([0.9, 0.1], (100, 1))
    labels = (np.arange(100) >= 70).astype(np.int64)
    assert expected_calibration_error(probabilities, labels) == pytest.approx(0.2)
    assert calibration_bins(probabilities, labels) == [{"n": 100, "confidence": pytest.approx(0.9), "accuracy": 0.7}]


def test_ball_synsets_overlap_with_the_pretraining_and_sports_do_not() -> None:
    """The thousand synsets hold rugby ball and soccer ball, not the two sports."""
    assert len(ilsvrc_synsets()) == 1000
    assert "n04118538, n04254680" in overlap_warning(["n04254680", "n04118538", "n00470966", None])
    assert overlap_warning(["n00470966", "n00478262", "/m/06bqd"]) == ""
