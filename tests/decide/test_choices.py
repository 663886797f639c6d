"""Keyed choices, candidates and quality: repeatable, independent of the order of rows, with reasons."""

import numpy as np
import pytest

from curator.catalog import Drop
from curator.decide.keyed_hash import choose_order
from curator.decide.quality import drop_poor_images
from curator.decide.target import choose_candidates
from curator.manifests.settings import QualitySettings
from tests.decide.rows import make_table, sha256


def test_keys_are_uniform_distinct_and_independent_of_other_purposes():
    """Another purpose or seed is an unrelated order."""
    names = [sha256(n) for n in range(4_000)]
    keys = [choose_order(names, purpose, seed) for purpose, seed in (("split", 0), ("split", 1), ("balance", 0))]
    for one in keys:
        assert len(np.unique(one)) == len(names)
        assert abs((one < 2**63).mean() - 0.5) < 0.03
    for a, b in ((0, 1), (0, 2)):
        assert abs(np.corrcoef(keys[a].astype(float), keys[b].astype(float))[0, 1]) < 0.06


def test_keys_depend_on_each_name_alone():
    """Neither on the other names nor on their order."""
    names = [sha256(n) for n in range(9)]
    np.testing.assert_array_equal(choose_order(names, "x", 0)[::-1], choose_order(names[::-1], "x", 0))


@pytest.mark.parametrize("name", [None, "short", "folder-00000000000000zz"])
def test_names_without_digits_are_refused(name):
    """A wrong name is an error, not a key of zero."""
    with pytest.raises(ValueError, match="16 hexadecimal digits"):
        choose_order([sha256(1), name], "x", 0)


def test_candidates_come_label_by_label_and_tier_by_tier():
    """Tried and dropped rows are passed over; a label that is not wanted gets none."""
    rows = [{"label": label, "tier": tier} for label in ("rugby", "soccer") for tier in (1, 0, 0, 1)]
    rows[1] |= {"drop_stage": "fetched", "drop_reason": Drop.GONE}
    tried = np.zeros(8, bool)
    tried[2] = True
    assert choose_candidates(make_table(rows), tried, {"rugby": 1}).sum() == 1
    assert (
        choose_candidates(make_table(rows), tried, {"rugby": 2**62}).tolist()
        == [True, False, False, True] + [False] * 4
    )
    chosen = choose_candidates(make_table(rows), tried, {"rugby": 0, "soccer": 2})
    assert np.flatnonzero(chosen).tolist() == [5, 6]


def test_waves_of_candidates_are_one_order():
    """Asking for two and then for three more is asking for five."""
    table = make_table([{"label": "rugby"} for _ in range(20)])
    none = np.zeros(20, bool)
    first = choose_candidates(table, none, {"rugby": 2})
    second = choose_candidates(table, first, {"rugby": 3})
    assert not (first & second).any()
    np.testing.assert_array_equal(first | second, choose_candidates(table, none, {"rugby": 5}))


def test_candidates_of_nothing():
    """An empty catalog has none."""
    assert choose_candidates(make_table([]), np.zeros(0, bool), {"rugby": 3}).shape == (0,)


@pytest.mark.parametrize(
    ("width", "height", "reason", "detail"),
    [
        (63, 300, Drop.TOO_SMALL, "63 x 300 px: shorter side under 64 px"),
        (64, 320, None, None),
        (64, 321, Drop.EXTREME_ASPECT, "64 x 321 px: longer side over 5 times the shorter"),
        (1001, 1000, Drop.TOO_MANY_PIXELS, "1001 x 1000 px: more than 1000000 pixels"),
        (None, None, None, None),
    ],
)
def test_each_limit_gives_its_reason_and_evidence(width, height, reason, detail):
    """At the limit an image stays; past it the text says by what rule it went."""
    table = make_table([{"width": width, "height": height}])
    decided = drop_poor_images(table, QualitySettings(min_side=64, max_pixels=1_000_000, max_aspect=5))
    row = decided.astype(object).where(decided.notna(), None).iloc[0]
    assert (row["drop_reason"], row["drop_detail"]) == (reason, detail)
    assert row["drop_stage"] == ("fetched" if reason else None)
