"""A person's decision beats a rule: each decision against each rule, with the exact reasons."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from curator import catalog
from curator.catalog import Drop, Stage
from curator.decide.dedupe import find_duplicates
from curator.decide.reviews import apply_reviews
from curator.errors import StateError
from curator.manifests.reviews import Review, standing_reviews
from curator.manifests.settings import DedupeSettings
from tests.decide.rows import make_table, packed, random_picture, sha256

LABELS = ("rugby", "soccer")
TURNS = random_picture(np.random.default_rng(0))


def look(content: str, label: str = "rugby", **more: Any) -> dict[str, Any]:
    """A row with this content; all rows show the same picture."""
    facts = {"sha256": sha256(content), "phash_turns": packed(TURNS), "phash256": bytes(range(32)), "detail": 50.0}
    return facts | {"label": label, "width": 200, "height": 100, "n_bytes": 9} | more


def decide(content: str, decision: str, label: str = "rugby", new_label: str = "") -> Review:
    return Review("2026-01-02T03:04:05Z", "ann", sha256(content), label, decision, new_label, "because")


def judge(rows: list[dict[str, Any]], *reviews: Review, across: str = "drop-both") -> pd.DataFrame:
    """Apply the reviews and dedupe."""
    reviewed = apply_reviews(make_table(rows), standing_reviews(reviews), LABELS)
    return find_duplicates(
        reviewed.table, DedupeSettings(across_labels=across), LABELS, is_protected=reviewed.is_protected
    )


def fates(table: pd.DataFrame) -> list[str | None]:
    return [None if pd.isna(reason) else str(reason) for reason in table["drop_reason"]]


def test_a_dropped_image_is_reviewed_out_with_who_and_why() -> None:
    """Every row with that content and label goes; its near-duplicate is no longer one."""
    table = judge([look("a", width=900), look("a"), look("b")], decide("a", "drop"))
    assert fates(table) == [Drop.REVIEWED_OUT, Drop.REVIEWED_OUT, None]
    assert table["drop_detail"][0] == "ann, 2026-01-02: because" and table["drop_stage"][0] == Stage.DEDUPED


def test_a_decision_is_about_one_label() -> None:
    """The same bytes under another label are not touched, and then are in no conflict."""
    table = judge([look("a"), look("a", "soccer")], decide("a", "drop"))
    assert fates(table) == [Drop.REVIEWED_OUT, None]


def test_a_kept_image_is_the_keeper_though_smaller() -> None:
    """The larger near-duplicate is dropped for it."""
    table = judge([look("large", width=900), look("small")], decide("small", "keep"))
    assert fates(table) == [Drop.NEAR_DUPLICATE, None]
    assert table["duplicate_of"][0] == table["record_id"][1]


def test_two_kept_copies_are_both_kept() -> None:
    """Two decisions are two images; a third, undecided copy is dropped."""
    table = judge([look("a"), look("b"), look("c", width=900)], decide("a", "keep"), decide("b", "keep"))
    assert fates(table) == [None, None, Drop.NEAR_DUPLICATE]


def test_the_same_bytes_are_kept_once_all_the_same() -> None:
    """A decision is about content: its second listing under the same label is an exact duplicate."""
    assert sorted(map(str, fates(judge([look("a"), look("a")], decide("a", "keep"))))) == ["None", Drop.EXACT_DUPLICATE]


@pytest.mark.parametrize("across", ["drop-both", "keep-first"])
def test_a_kept_image_wins_a_label_conflict(across: str) -> None:
    """Only the undecided side is dropped, whichever label comes first in the recipe."""
    table = judge([look("a"), look("b", "soccer")], decide("b", "keep", "soccer"), across=across)
    assert fates(table) == [Drop.LABEL_CONFLICT, None]


@pytest.mark.parametrize("reason", [Drop.TOO_SMALL, Drop.EXTREME_ASPECT, Drop.PLACEHOLDER])
def test_a_kept_image_is_taken_back_from_a_quality_rule(reason: Drop) -> None:
    """The picture is whole; a person wants it."""
    row = look("a", drop_stage=Stage.FETCHED, drop_reason=reason, drop_detail="x")
    assert fates(judge([row], decide("a", "keep"))) == [None]


@pytest.mark.parametrize("reason", [Drop.CORRUPT, Drop.TRUNCATED, Drop.TOO_MANY_PIXELS, Drop.OPTED_OUT])
def test_nothing_brings_back_what_has_no_whole_picture(reason: Drop) -> None:
    """Damage is no opinion."""
    row = look("a", drop_stage=Stage.FETCHED, drop_reason=reason, drop_detail="x")
    assert fates(judge([row], decide("a", "keep"))) == [reason]


def test_a_relabelled_image_stands_under_its_new_label() -> None:
    """It contradicts its undecided near-duplicate under the old label, and remembers where it came from."""
    table = judge([look("a"), look("b")], decide("a", "relabel", new_label="soccer"))
    assert table["label"].tolist() == ["soccer", "rugby"]
    assert table["relabelled_from"][0] == "rugby" and pd.isna(table["relabelled_from"][1])
    assert fates(table) == [None, Drop.LABEL_CONFLICT]


def test_relabelling_mends_a_conflict_of_the_same_bytes() -> None:
    """Both listings now say the same: one is kept."""
    table = judge([look("a"), look("a", "soccer")], decide("a", "relabel", new_label="soccer"))
    assert table["label"].tolist() == ["soccer"] * 2
    assert sorted(map(str, fates(table))) == ["None", Drop.EXACT_DUPLICATE]


def test_an_unknown_label_is_told() -> None:
    """A recipe that lost a label is not silently relabelled to it."""
    with pytest.raises(StateError, match="relabels images to cricket, but the recipe's labels are rugby, soccer"):
        judge([look("a")], decide("a", "relabel", new_label="cricket"))


def test_rows_without_content_are_never_matched() -> None:
    """Unknown is not equal."""
    row = {"label": "rugby", "drop_stage": Stage.FETCHED, "drop_reason": Drop.GONE}
    assert fates(judge([row, look("a")], decide("a", "drop"))) == [Drop.GONE, Drop.REVIEWED_OUT]


def test_no_review_changes_nothing() -> None:
    """The table that goes in comes out."""
    table = make_table([look("a"), look("b")])
    reviewed = apply_reviews(table, {}, LABELS)
    assert reviewed.table.equals(table) and not reviewed.is_protected.any()
    assert catalog.counts(reviewed.table)["kept"] == 2
