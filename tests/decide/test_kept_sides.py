"""Sides that a source lists are kept: nothing moves, nothing is dropped across them, and leaks are said."""

import numpy as np
import pytest

from curator.catalog import Drop, is_kept
from curator.decide.balance import balance_labels
from curator.decide.dedupe import find_duplicates
from curator.decide.growth import describe_divided_anew, drop_cross_split, find_listed_sides
from curator.decide.split import split_images
from curator.errors import RecipeError
from curator.manifests.read_recipe import parse_recipe
from curator.manifests.settings import BalanceSettings, DedupeSettings, SplitSettings
from curator.reasons import SPLITS
from curator.sources.registry import source_kinds
from tests.decide.rows import by_id, make_table, sha256, shuffled

LABELS = ("rugby", "soccer")
KEPT = SplitSettings(keep=True)


def row(content, side, label="rugby", **more):
    return {"sha256": sha256(content), "listed_split": side, "label": label} | more


def decide(rows, previous=None, seed=0):
    """Dedupe, balance and split with the listed sides kept; rows by id, and the notes of the split."""
    table = shuffled(make_table(rows), seed)
    table = find_duplicates(table, DedupeSettings(), LABELS, listed=find_listed_sides(table, keep=True))
    listed = find_listed_sides(table, keep=True)
    table = drop_cross_split(table, previous, KEPT.group_by, listed=listed)
    table = balance_labels(table, BalanceSettings("all"), LABELS, previous, listed=listed)
    decided = split_images(table, KEPT, LABELS, previous, listed=listed)
    return by_id(decided.table), decided.notes


def test_every_image_keeps_its_listed_side_whatever_the_order_of_the_rows() -> None:
    """Ten images a label, of which one is val and one is test, come out as they are listed."""
    sides = ["train"] * 8 + ["val", "test"]
    rows = [row(f"{label}{n}", side, label) for label in LABELS for n, side in enumerate(sides)]
    for seed in range(3):
        table, notes = decide(rows, seed=seed)
        assert table["split"].tolist() == sides * 2
        assert notes == ()


def test_a_leak_between_sides_is_said_and_not_mended() -> None:
    """The same bytes, or one author's pictures, in train and in test stay there; a note names a pair of each kind."""
    rows = [row(f"{label}{n}", "train" if n < 4 else "test", label) for label in LABELS for n in range(6)]
    rows += [
        row("rugby0", "test"),
        row("rugby0", "train"),
        row("new", "test", author="Ann"),
        row("old", "train", author="Ann"),
    ]
    table, notes = decide(rows)
    copies = table[table["sha256"] == sha256("rugby0")]
    assert copies["split"].fillna("").tolist() == ["train", "test", ""]
    assert copies["drop_reason"].tolist()[2] == Drop.EXACT_DUPLICATE
    assert [str(note).split(" of one ")[1].split(" ")[0] for note in notes if "LEAK" in note] == [
        "near-duplicate",
        "author",
    ]
    assert f"{copies['record_id'].iloc[0]} in train and {copies['record_id'].iloc[1]} in test" in notes[0]


def test_what_has_no_side_never_pushes_out_what_has_one() -> None:
    """A copy without a side is dropped for the listed image; one that belongs to two sides is a straddler."""
    rows = [row(f"{label}{n}", "train" if n < 4 else "test", label) for label in LABELS for n in range(6)]
    rows += [
        row("rugby5", None, width=9000, height=9000),
        row("a", "train", author="Bob"),
        row("b", "test", author="Bob"),
    ]
    table, _ = decide([*rows, row("c", None, author="Bob")])
    assert is_kept(table)[:12].all()
    assert table["drop_reason"].fillna("").tolist()[12:] == [Drop.EXACT_DUPLICATE, "", "", Drop.STRADDLES_SPLIT]
    assert (
        table["drop_detail"].iloc[-1]
        == f"belongs with {table['record_id'][13]} in train and with {table['record_id'][14]} in test"
    )


def test_a_listed_test_set_is_not_added_to_and_a_missing_one_is_drawn() -> None:
    """Images without a side go to train beside a listed test set; without one they are divided by the ratio."""
    rows = [row(f"rugby{n}", "train" if n < 4 else "test") for n in range(6)]
    rows += [row(f"more{n}", None) for n in range(10)] + [row(f"soccer{n}", None, "soccer") for n in range(10)]
    table, _ = decide(rows)
    counts = table.groupby(["label", "split"]).size().to_dict()
    assert counts == {("rugby", "train"): 14, ("rugby", "test"): 2, ("soccer", "train"): 8, ("soccer", "test"): 2}


def test_a_set_of_train_and_val_says_that_it_has_no_test() -> None:
    """Nothing is invented: val stays val, and the note says what to write for a test set."""
    rows = [row(f"{label}{n}", "train" if n < 4 else "val", label) for label in LABELS for n in range(6)]
    table, notes = decide(rows)
    assert table["split"].tolist() == (["train"] * 4 + ["val"] * 2) * 2
    assert [note.partition(":")[0] for note in notes] == list(LABELS)
    assert "keep = false" in notes[0]


def test_balance_takes_from_every_side_in_proportion() -> None:
    """`max` leaves the sides of the larger label in the same proportion."""
    rows = [row(f"r{n}", SPLITS[n // 10]) for n in range(30)] + [
        row(f"s{n}", SPLITS[n // 5], "soccer") for n in range(15)
    ]
    table = make_table(rows)
    listed = find_listed_sides(table, keep=True)
    balanced = balance_labels(table, BalanceSettings("max"), LABELS, listed=listed)
    kept = balanced[is_kept(balanced)]
    assert kept.groupby(["label", "listed_split"]).size().unique().tolist() == [5]
    assert np.array_equal(find_listed_sides(table, keep=True), listed)
    assert find_listed_sides(table, keep=False) is None


def test_exact_counts_and_kept_sides_exclude_each_other() -> None:
    """The recipe's reader refuses both together."""
    text = (
        'name = "x"\nlabels = ["a", "b"]\n[[sources]]\n'
        'kind = "open-images"\nclasses = { a = ["Rugby"], b = ["Soccer"] }\n'
        "[split]\nkeep = true\ntrain = 3\ntest = 1\n"
    )
    with pytest.raises(RecipeError, match="keep goes with ratio"):
        parse_recipe(text, source_kinds())


def test_sides_that_are_listed_and_not_kept_are_said() -> None:
    """Who has a column of sides may take them for kept; dropped rows do not count."""
    table = make_table([row("one", "train"), row("two", "test"), row("three", None), row("four", "test")])
    assert describe_divided_anew(table, keep=True) == ()
    table.loc[table["sha256"] == sha256("four"), "drop_reason"] = Drop.EXACT_DUPLICATE
    (note,) = describe_divided_anew(table, keep=False)
    assert note.startswith(
        "2 images that a source lists as train, val or test were divided anew; `[split] keep = true`"
    )
    assert describe_divided_anew(make_table([row("three", None)]), keep=False) == ()
