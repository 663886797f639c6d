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
from curator.decide.dedupe import find_duplicates
from curator.decide.folds import _follow_groups
from curator.decide.growth import drop_cross_split, hold_folds, hold_sides
from curator.decide.split import split_images
from curator.manifests.settings import BalanceSettings, DedupeSettings, SplitSettings
from tests.decide.rows import make_table, packed, sha256
from tests.fuzz.rounds import examples

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
        table = drop_cross_split(table, earlier, BY_AUTHOR)
    balanced = balance_labels(table, BalanceSettings(per_class), LABELS, earlier)
    decided = split_images(balanced, SplitSettings(group_by=BY_AUTHOR), LABELS, earlier)
    return catalog.kept(decided.table)


def sides(manifest: pd.DataFrame) -> dict[str, str]:
    return dict(zip(manifest["sha256"], manifest["split"], strict=True))


def id_of(number: int) -> str:
    return f"folder-{number:016x}"


@settings(deadline=None, max_examples=examples(30))
@given(st.integers(5, 40), st.integers(0, 60), st.dictionaries(st.integers(0, 99), st.sampled_from("AB")))
def test_no_image_changes_sides(n: int, more: int, authors: dict[int, str]) -> None:
    """Whatever comes and whoever took it, what stays in the manifest stays on its side; no author is on both sides."""
    before = split(make(n, authors={k: v for k, v in authors.items() if k < n}))
    after = split(make(n + more, authors=authors), before[["sha256", "split"]])
    old, new = sides(before), sides(after)
    assert {sha256: new[sha256] for sha256 in old.keys() & new.keys()} == {s: old[s] for s in old.keys() & new.keys()}
    assert after.groupby("author")["split"].nunique().max() == 1


@settings(deadline=None, max_examples=examples(20))
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


def look(cluster: int, place: int, side: int) -> dict[str, Any]:
    """One picture of a chain: its hashes are as many bits from those of another of its cluster as their places are."""
    chance = np.random.default_rng(cluster)
    hashes = [int(value) ^ ((1 << place) - 1) for value in chance.integers(0, 2**64, 8, dtype=np.uint64)]
    long = chance.integers(0, 256, 32, np.uint8) ^ np.packbits(np.arange(256) < place)
    facts = {"phash": hashes[0], "phash_turns": packed(hashes), "phash256": long.tobytes(), "detail": 50.0}
    content = sha256((cluster, place, side))
    return facts | {"sha256": content, "label": LABELS[cluster % 2], "width": side, "height": side, "n_bytes": side}


def grown(rows: list[dict[str, Any]], earlier: pd.DataFrame | None) -> pd.DataFrame:
    """Do what the pipeline does: dedupe, straddlers, balance, split."""
    held = earlier if earlier is None else earlier[["sha256", "split", "has_left"]]
    named = [row | {"record_id": f"folder-{row['sha256'][:16]}"} for row in rows]
    table = make_table(named)
    members = None if held is None else hold_sides(table, held).is_member
    table = find_duplicates(table, DedupeSettings(), LABELS, is_member=members)
    group_by = ("near-duplicate",)
    if held is not None:
        table = drop_cross_split(table, held, group_by)
    table = balance_labels(table, BalanceSettings("max"), LABELS, held)
    return split_images(table, SplitSettings(ratio=0.5, group_by=group_by), LABELS, held).table


picture_of_a_chain = st.builds(look, st.integers(0, 11), st.integers(0, 40), st.integers(100, 400))


@settings(deadline=None, max_examples=examples(60))
@given(st.lists(st.lists(picture_of_a_chain, max_size=12), min_size=2, max_size=5))
def test_growing_again_and_again_never_moves_an_image(rounds: list[list[dict[str, Any]]]) -> None:
    """Chains of look-alikes, better copies and ties to both sides: a side once given is for good, even after a leave.

    No two pictures that are alike stand on different sides, and each newcomer that is left out for both sides is named
    with an image of each.
    """
    base = [look(cluster, 20, 200) for cluster in range(12)]
    ever: dict[str, str] = {}
    rows, earlier = base, None
    for more in [[], *rounds]:
        rows = list({row["sha256"]: row for row in [*rows, *more]}.values())
        table = grown(rows, earlier)
        now = sides(catalog.kept(table))
        assert all(ever.get(content, split) == split for content, split in now.items())
        check_no_look_alikes_apart(catalog.kept(table))
        check_straddlers(table, ever)
        ever |= now
        left = [content for content in ever if content not in now]
        earlier = pd.DataFrame(
            {"sha256": [*now, *left], "split": [*now.values(), *map(ever.__getitem__, left)]},
        ).assign(has_left=[False] * len(now) + [True] * len(left))


def check_no_look_alikes_apart(kept: pd.DataFrame) -> None:
    hashes = kept["phash"].astype(object).to_numpy()
    for n, (one, side) in enumerate(zip(hashes, kept["split"], strict=True)):
        for other, other_side in zip(hashes[:n], kept["split"][:n], strict=True):
            assert (int(one) ^ int(other)).bit_count() > 8 or side == other_side


def check_straddlers(table: pd.DataFrame, ever: dict[str, str]) -> None:
    content = dict(zip(table["record_id"], table["sha256"], strict=True))
    out = table[(table["drop_reason"] == Drop.STRADDLES_SPLIT).fillna(False)]
    for detail in out["drop_detail"]:
        words = detail.split()
        assert ever[content[words[2]]] == "train" and ever[content[words[7]]] == "test"


def test_a_newcomer_that_is_like_images_of_both_sides_replaces_neither() -> None:
    """Larger than both and matching both, it is left out and named with one; neither leaves."""
    both = [look(0, 16, 100), look(0, 34, 100), *(look(cluster, 20, 200) for cluster in range(1, 12))]
    first = grown(both, None)
    manifest = catalog.kept(first)[["sha256", "split"]].assign(has_left=False)
    ids = {row["sha256"]: f"folder-{row['sha256'][:16]}" for row in both}
    for row, side in zip(both[:2], ("train", "test"), strict=True):
        manifest.loc[manifest["sha256"] == row["sha256"], "split"] = side
    newcomer = look(0, 25, 400)
    after = grown([*both, newcomer], manifest)
    assert sides(catalog.kept(after)) == sides(manifest)
    row = after[after["sha256"] == newcomer["sha256"]].iloc[0]
    assert row["drop_reason"] == Drop.NEAR_DUPLICATE
    assert row["duplicate_of"] in (ids[both[0]["sha256"]], ids[both[1]["sha256"]])


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
    left = drop_cross_split(joined, earlier, ("author", "page"))
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
    left = drop_cross_split(both, earlier, ("author", "page"))
    assert sorted(catalog.dropped(left)["record_id"]) == [id_of(20), id_of(21)]


def test_a_better_copy_takes_the_side_of_what_it_replaces() -> None:
    """A picture does not change sides by being found again in a larger size."""
    table = make(6)
    earlier = pd.DataFrame({"sha256": [table["sha256"][2]], "split": ["test"]})
    smaller = np.arange(len(table)) == 2
    table = catalog.with_columns(table, {"duplicate_of": [id_of(3) if is_it else None for is_it in smaller]})
    table = catalog.drop(table, smaller, Stage.DEDUPED, Drop.NEAR_DUPLICATE)
    held = hold_sides(table, earlier)
    assert held.sides[3].tolist() == [False, False, True]
    assert not held.is_member[3]
    decided = split_images(table, SplitSettings(ratio=0.5, group_by=BY_AUTHOR), LABELS, earlier)
    assert decided.table["split"][3] == "test"


def test_an_earlier_manifest_of_other_images_changes_nothing() -> None:
    """Only images that are here are held."""
    earlier = pd.DataFrame({"sha256": ["f" * 64], "split": ["test"]})
    assert sides(split(make(30), earlier)) == sides(split(make(30)))


def test_folds_are_held_by_those_that_stay():
    """An image that left from a fold that is no more does not end the holding of the others."""
    table = catalog.conform(pd.DataFrame({"record_id": list("abc"), "sha256": list("abc"), "label": "x"}))
    previous = pd.DataFrame(
        {"sha256": list("abz"), "split": "train", "fold": [1, 2, 3], "has_left": [False, False, True]}
    )
    assert hold_folds(table, previous, 2).tolist() == [[True, False], [False, True], [False, False]]
    assert not hold_folds(table, previous, 3).any()
    empty = previous.iloc[:0]
    assert not hold_sides(table, empty).sides.any() and not hold_folds(table, empty, 2).any()


@settings(max_examples=examples(60))
@given(st.data())
def test_a_group_follows_the_fold_that_most_of_it_had(data):
    """Of as many, the first fold."""
    n, folds = data.draw(st.integers(1, 12)), data.draw(st.integers(1, 4))
    first = np.array([data.draw(st.integers(0, row)) for row in range(n)])
    held = np.array(
        data.draw(st.lists(st.lists(st.booleans(), min_size=folds, max_size=folds), min_size=n, max_size=n))
    )
    found = _follow_groups(first, held)
    for row in range(n):
        counts = held[first == first[row]].sum(axis=0)
        assert found[row] == (counts.argmax() + 1 if counts.any() else 0)
