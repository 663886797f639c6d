"""The comparison with the truth, on catalogs made by hand."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from curator import catalog
from curator.catalog import Drop
from curator.demo.listing import World
from curator.demo.truth import (
    TRUTH_COLUMNS,
    Comparison,
    KindResult,
    compare_with_truth,
    world_truth,
    write_truth,
)

TRUTH = pd.DataFrame(
    [
        ("rugby", "n1_1", "u1", "clean", "p1", "kept|near-duplicate"),
        ("rugby", "n1_2", "u2", "mirrored-copy", "p1", "kept|near-duplicate"),
        ("rugby", "n1_3", "u3", "gone", "p3", "gone"),
        ("rugby", "n1_4", "u4", "clean", "p4", "kept"),
        ("soccer", "n2_1", "u5", "both-labels", "p5", "label-conflict"),
        ("soccer", "n2_2", "u6", "verified-negative", "p4", "not-listed"),
    ],
    columns=list(TRUTH_COLUMNS),
)
GOOD = {"n1_1": None, "n1_2": "near-duplicate", "n1_3": "gone", "n1_4": None, "n2_1": "label-conflict"}


def compare(decided: dict[str, str | None]) -> Comparison:
    """Compare a catalog that holds these source ids with these drop reasons."""
    label = {"n1": "rugby", "n2": "soccer"}
    rows = [
        (f"imagenet-{key}", label[key[:2]], "imagenet", "imagenet", key, 0, reason) for key, reason in decided.items()
    ]
    columns = ["record_id", "label", "source", "kind", "source_id", "tier", "drop_reason"]
    return compare_with_truth(catalog.conform(pd.DataFrame(rows, columns=columns)), TRUTH)


def result(comparison: Comparison, kind: str) -> KindResult:
    return next(row for row in comparison.kinds if row.kind == kind)


def test_right_decisions_agree() -> None:
    """Everything found, nothing missed, no false drop; each kind is counted."""
    comparison = compare(GOOD)
    assert comparison.agrees
    assert comparison.false_drops == 0
    assert result(comparison, "clean") == KindResult("clean", planted=2, found=2, missed=0, unreached=0)
    assert {row.kind for row in comparison.kinds} == set(TRUTH["planted"])


def test_either_of_a_pair_may_be_the_keeper() -> None:
    """The original dropped and its copy kept is as right as the other way round."""
    assert compare(GOOD | {"n1_1": "near-duplicate", "n1_2": None}).agrees


def test_a_pair_of_which_both_are_kept_is_missed() -> None:
    """The duplicate was not found: both rows show one picture twice."""
    comparison = compare(GOOD | {"n1_2": None})
    assert result(comparison, "mirrored-copy").missed == 1
    assert comparison.false_drops == 0


def test_a_pair_of_which_none_is_kept_is_a_false_drop() -> None:
    """The picture is lost although each row's reason is one that was expected."""
    comparison = compare(GOOD | {"n1_1": "near-duplicate"})
    assert comparison.false_drops == 1
    assert not comparison.agrees


def test_a_wrong_reason_is_a_miss_with_its_evidence() -> None:
    """The miss names the image, what came of it and what was expected."""
    comparison = compare(GOOD | {"n1_3": "timeout"})
    assert [(miss.url, miss.outcome, miss.expected) for miss in comparison.misses] == [("u3", "timeout", "gone")]
    assert result(comparison, "gone") == KindResult("gone", 1, 0, 1, 0)


def test_a_sound_picture_that_is_dropped_is_a_false_drop() -> None:
    """Clean pictures dropped for any reason about themselves are counted."""
    assert compare(GOOD | {"n1_4": "corrupt"}).false_drops == 1


def test_surplus_is_no_false_drop() -> None:
    """What balance left out was found sound before."""
    assert compare(GOOD | {"n1_4": str(Drop.SURPLUS)}).agrees


def test_a_listed_negative_is_a_miss() -> None:
    """An image verified not to show the class was listed all the same."""
    comparison = compare(GOOD | {"n2_2": "label-conflict"})
    assert result(comparison, "verified-negative").missed == 1


@pytest.mark.parametrize("lost", ["beyond-target", None], ids=["beyond-target", "not-listed"])
def test_what_was_never_fetched_is_not_judged(lost: str | None) -> None:
    """A row beyond the target, or of a tier that was not read, is unreached: neither found nor missed."""
    decided = {key: reason for key, reason in GOOD.items() if key != "n1_3"} | ({"n1_3": lost} if lost else {})
    comparison = compare(decided)
    assert result(comparison, "gone") == KindResult("gone", planted=1, found=0, missed=0, unreached=1)
    assert comparison.agrees


def test_a_pair_that_was_half_fetched_is_not_missed() -> None:
    """Where one of two copies was never fetched, none of them need be kept."""
    decided = GOOD | {"n1_1": "beyond-target", "n1_2": None}
    assert compare(decided).agrees


def test_truth_round_trips(tmp_path: Path, world: World) -> None:
    """What is written is read again, row for row; every listing whose fate is known is there."""
    origins = dict.fromkeys(("main", "farm", "dead", "slow", "busy"), "http://host.example")
    truth = world_truth(world, origins)
    write_truth(tmp_path / "truth.csv", truth)
    written = pd.read_csv(tmp_path / "truth.csv", dtype=str, keep_default_na=False)
    assert written.equals(truth.astype(written.dtypes))
    assert len(truth) == len(world.listings)
    reasons = {reason for expected in truth["expected"] for reason in expected.split("|")}
    assert reasons <= {"kept", "not-listed", *map(str, Drop)}
