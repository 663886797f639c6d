"""A data set grows without leaks: no image changes sides, and no newcomer joins the two sides."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from curator import catalog
from curator.catalog import Drop, Stage
from curator.decide.balance import balance_labels
from curator.decide.growth import drop_straddlers, hold_sides
from curator.decide.split import split_images
from curator.recipe import BalanceSettings, SplitSettings

LABELS = ("rugby", "soccer")
BY_AUTHOR = ("author",)


def make(n: int, first: int = 0, authors: dict[int, str] | None = None) -> pd.DataFrame:
    """Make ``n`` kept images a label; an author of their own each, but those named."""
    numbers = [*range(first, first + n), *range(1000 + first, 1000 + first + n)]
    rows: dict[str, Any] = {
        "record_id": [f"folder-{n:016x}" for n in numbers],
        "sha256": [f"{n * 2654435761 % 2**64:064x}" for n in numbers],
        "label": [LABELS[n >= 1000] for n in numbers],
        "author": [(authors or {}).get(n, f"author {n}") for n in numbers],
    }
    return catalog.conform(pd.DataFrame(rows).assign(source="x", kind="folder", tier=0))


def split(table: pd.DataFrame, earlier: pd.DataFrame | None = None, per_class: int | str = "max") -> pd.DataFrame:
    """Do what the pipeline does after dedupe; give the manifest's rows."""
    if earlier is not None:
        table = drop_straddlers(table, earlier, BY_AUTHOR)
    balanced = balance_labels(table, BalanceSettings(per_class), LABELS, earlier)
    decided = split_images(balanced, SplitSettings(group_by=BY_AUTHOR), LABELS, earlier)
    return catalog.kept(decided.table)


def sides(manifest: pd.DataFrame) -> dict[str, str]:
    return dict(zip(manifest["sha256"], manifest["split"], strict=True))


def id_of(number: int) -> str:
    return f"folder-{number:016x}"


@settings(deadline=None, max_examples=30)
@given(st.integers(5, 40), st.integers(0, 60), st.dictionaries(st.integers(0, 99), st.sampled_from("AB")))
def test_no_image_changes_sides(n: int, more: int, authors: dict[int, str]) -> None:
    """Whatever comes and whoever took it, what stays in the manifest stays on its side; no author is on both sides."""
    before = split(make(n, authors={k: v for k, v in authors.items() if k < n}))
    after = split(make(n + more, authors=authors), before[["sha256", "split"]])
    old, new = sides(before), sides(after)
    assert {sha256: new[sha256] for sha256 in old.keys() & new.keys()} == {s: old[s] for s in old.keys() & new.keys()}
    assert after.groupby("author")["split"].nunique().max() == 1


@settings(deadline=None, max_examples=20)
@given(st.integers(5, 40), st.integers(0, 60))
def test_the_images_of_the_manifest_are_chosen_first(n: int, more: int) -> None:
    """With the same number a label, newcomers change nothing; with more, nobody leaves and the counts are exact."""
    before = split(make(n), per_class=n)
    held = before[["sha256", "split"]]
    assert sides(split(make(n + more), held, per_class=n)) == sides(before)
    after = split(make(n + more), held, per_class=n + more)
    assert sides(before).items() <= sides(after).items()
    for label in LABELS:
        have = int((after["label"] == label).sum())
        assert int(((after["label"] == label) & (after["split"] == "train")).sum()) == round(0.8 * have)


def test_fewer_a_label_keep_both_sides_in_proportion() -> None:
    """A smaller number takes from train and test alike."""
    before = split(make(100))
    after = split(make(100), before[["sha256", "split"]], per_class=50)
    assert after.groupby(["label", "split"]).size().to_dict() == {
        ("rugby", "train"): 40,
        ("rugby", "test"): 10,
        ("soccer", "train"): 40,
        ("soccer", "test"): 10,
    }


def test_a_newcomer_that_joins_both_sides_is_left_out_and_named() -> None:
    """It is dropped before the balance, with one image of each side as its evidence; its author's others are kept."""
    table = make(10, authors={0: "Ann", 1: "Bob", 20: "Ann", 21: "Ann"})
    newcomers = make(2, first=20, authors={20: "Ann", 21: "Ann"})
    earlier = pd.DataFrame({"sha256": table["sha256"], "split": ["train"] * 20})
    earlier.loc[1, "split"] = "test"
    both = pd.concat([table, newcomers], ignore_index=True)
    both = catalog.with_columns(both, {"landing_url": [None] * len(both)})
    joined = catalog.with_columns(
        both,
        {
            "landing_url": [
                "https://www.flickr.com/photos/zoe/12345678" if r in (id_of(1), id_of(20)) else None
                for r in both["record_id"]
            ]
        },
    )
    left = drop_straddlers(joined, earlier, ("author", "page"))
    row = left[left["record_id"] == id_of(20)].iloc[0]
    assert (row["drop_stage"], row["drop_reason"]) == (Stage.BALANCED, Drop.STRADDLES_SPLIT)
    assert row["drop_detail"] == f"belongs with {id_of(0)} in train and with {id_of(1)} in test"
    assert catalog.counts(left)["dropped"] == {"straddles-split": 1}


def test_newcomers_that_join_the_sides_only_together_are_left_out() -> None:
    """A chain from train to test through two newcomers is cut by leaving both out."""
    table = make(2, authors={0: "Ann", 1: "Bob"})
    newcomers = make(2, first=20, authors={20: "Ann", 21: "Bob"})
    both = pd.concat([table, newcomers], ignore_index=True)
    pages = {
        id_of(20): "https://www.flickr.com/photos/zoe/12345678",
        id_of(21): "https://www.flickr.com/photos/zoe/12345678",
    }
    both = catalog.with_columns(both, {"landing_url": [pages.get(r) for r in both["record_id"]]})
    earlier = pd.DataFrame({"sha256": table["sha256"], "split": ["train", "test", "train", "train"]})
    left = drop_straddlers(both, earlier, ("author", "page"))
    assert sorted(catalog.dropped(left)["record_id"]) == [id_of(20), id_of(21)]


def test_a_better_copy_takes_the_side_of_what_it_replaces() -> None:
    """A picture does not change sides by being found again in a larger size."""
    table = make(6)
    earlier = pd.DataFrame({"sha256": [table["sha256"][2]], "split": ["test"]})
    smaller = np.arange(len(table)) == 2
    table = catalog.with_columns(table, {"duplicate_of": [id_of(3) if is_it else None for is_it in smaller]})
    table = catalog.drop(table, smaller, Stage.DEDUPED, Drop.NEAR_DUPLICATE)
    held = hold_sides(table, earlier)
    assert held.sides[3].tolist() == [False, True]
    assert not held.is_member[3]
    decided = split_images(table, SplitSettings(ratio=0.5, group_by=BY_AUTHOR), LABELS, earlier)
    assert decided.table["split"][3] == "test"


def test_an_earlier_manifest_of_other_images_changes_nothing() -> None:
    """Only images that are here are held."""
    earlier = pd.DataFrame({"sha256": ["f" * 64], "split": ["test"]})
    assert sides(split(make(30), earlier)) == sides(split(make(30)))
