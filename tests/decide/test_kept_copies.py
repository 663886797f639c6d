"""Copies that dedupe found and kept stay on one side of the split, through growth too."""

import numpy as np
import pytest

from curator.catalog import is_kept
from curator.decide.dedupe import find_duplicates
from curator.decide.growth import drop_cross_split
from curator.decide.leak_groups import find_leak_groups, number_kept_copies
from curator.decide.reviews import apply_reviews
from curator.decide.split import split_images
from curator.manifests.reviews import Review
from curator.manifests.settings import DedupeSettings, SplitSettings
from tests.decide.rows import make_table, packed, sha256

LABELS = ("rugby", "soccer")
BY_PICTURE = ("near-duplicate",)


def look(number, copy, label):
    """A picture, or its copy: ten of 64 bits away, further than the split looks, and twenty of 256."""
    chance = np.random.default_rng(number)
    hashes = [int(value) ^ (1023 * copy) for value in chance.integers(0, 2**64, 8, dtype=np.uint64)]
    long = chance.integers(0, 256, 32, np.uint8) ^ np.packbits(np.arange(256) < 20 * copy)
    facts = {"phash": hashes[0], "phash_turns": packed(hashes), "phash256": long.tobytes(), "detail": 50.0}
    content = sha256((number, copy))
    return facts | {"record_id": f"folder-{content[:16]}", "sha256": content, "label": label, "width": 100}


def pairs(n, labels):
    """Each of ``n`` pictures and its copy, one after the other."""
    return make_table([look(number, copy, labels[copy]) for number in range(n) for copy in (0, 1)])


def torn(decided):
    """Count the pairs of which one stands in train and one in test."""
    side = decided["split"].to_numpy(object).reshape(-1, 2)
    return int((side[:, 0] != side[:, 1]).sum())


def test_one_picture_kept_under_two_labels_stays_on_one_side():
    """Where conflicts are ignored; the split alone would not have known."""
    ignoring = DedupeSettings(across_labels="ignore")
    table = find_duplicates(pairs(30, LABELS), ignoring, LABELS)
    assert is_kept(table).all()
    settings = SplitSettings(ratio=0.5, group_by=BY_PICTURE)
    assert torn(split_images(table, settings, LABELS).table) > 5
    copies = number_kept_copies(table, ignoring, {})
    assert torn(split_images(table, settings, LABELS, copies=copies).table) == 0


@pytest.mark.parametrize("new_label", ["", "soccer"])
def test_two_images_that_a_person_wants_stay_on_one_side(new_label):
    """Kept or relabelled by hand, they are what dedupe may not drop, and still one picture."""
    table = pairs(30, ("rugby", "rugby"))
    decision = "relabel" if new_label else "keep"
    made = [
        Review("2026-01-02T03:04:05Z", "ann", content, "rugby", decision, new_label=new_label)
        for content in table["sha256"]
    ]
    standing = {review.key: review for review in made}
    reviewed = apply_reviews(table, standing, LABELS)
    table = find_duplicates(reviewed.table, DedupeSettings(), LABELS, is_protected=reviewed.is_protected)
    assert is_kept(table).all()
    copies = number_kept_copies(table, DedupeSettings(), standing)
    label = (new_label or "rugby",)
    settings = SplitSettings(ratio=0.5, group_by=BY_PICTURE)
    assert torn(split_images(table, settings, label, copies=copies).table) == 0


def test_a_newcomer_that_copies_both_sides_is_left_out():
    """One picture stood in train under one label and in test under the other: a third one of it has no side."""
    table = make_table([look(1, 0, "rugby"), look(1, 1, "soccer"), look(2, 0, "rugby")])
    earlier = table.iloc[[0, 2]].assign(split=["train", "test"])[["sha256", "split"]]
    joined = drop_cross_split(table, earlier, BY_PICTURE, np.array([0, 0, 0]))
    assert is_kept(joined).tolist() == [True, False, True]
    assert is_kept(drop_cross_split(table, earlier, BY_PICTURE, np.array([0, 0, -1]))).all()


def test_copies_count_only_where_near_duplicates_are_grouped():
    """``group_by`` without near-duplicates asks for none."""
    table = pairs(2, LABELS)
    copies = np.array([0, 0, 1, 1])
    assert find_leak_groups(table, BY_PICTURE, copies).tolist() in (
        [0, 0, 2, 2],
        [1, 1, 3, 3],
        [0, 0, 3, 3],
        [1, 1, 2, 2],
    )
    assert find_leak_groups(table, ("author",), copies).tolist() == [0, 1, 2, 3]


def test_a_picture_stays_with_its_parts_whatever_is_grouped():
    """The whole has no other picture's name; its parts have its own."""
    rows = [{"sha256": "a" * 64}, {"sha256": "b" * 64, "made_of": "a" * 64}, {"sha256": "c" * 64, "made_of": "a" * 64}]
    rows += [{"sha256": "d" * 64}]
    assert find_leak_groups(make_table(rows), ()).tolist() == [0, 0, 0, 3]
