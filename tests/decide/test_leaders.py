"""Whoever leads a group is its best row, whatever numbers groups and ranks have."""

from __future__ import annotations

import numpy as np
import pytest

from curator.decide import representatives
from curator.decide.representatives import find_leaders, put_first


@pytest.mark.parametrize("bits", [63, 12], ids=["usual", "groups of large numbers"])
@pytest.mark.parametrize("n", [0, 1, 2, 200])
def test_the_leader_is_the_first_row_of_the_least_rank(n, bits, monkeypatch):
    """Ranks may be equal or negative; a row without a group leads itself."""
    monkeypatch.setattr(representatives, "_BITS", bits)
    chance = np.random.default_rng(n)
    for n_groups in (1, 7, 2000):
        groups, ranks = chance.integers(-1, n_groups, n), chance.integers(-5, 50, n)
        expected = [
            row
            if groups[row] < 0
            else min((other for other in range(n) if groups[other] == groups[row]), key=lambda k: (ranks[k], k))
            for row in range(n)
        ]
        assert find_leaders(groups, ranks).tolist() == expected


def test_none_put_first_changes_no_rank():
    """Most often nobody was chosen."""
    ranks = np.array([2, 0, 1])
    assert put_first(ranks, np.zeros(3, bool)).tolist() == [2, 0, 1]
    assert put_first(ranks, np.array([True, False, True])).tolist() == [1, 2, 0]
