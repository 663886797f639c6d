"""Dedupe agrees with its definition applied row by row, whatever the order of the rows, and states true evidence."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.catalog import Drop, is_kept
from curator.decide.dedupe import describe_narrower, find_duplicates
from curator.decide.verdicts import explain_groups
from curator.manifests.settings import DedupeSettings
from curator.matching import picture_matches
from curator.matching.confirm import SAME_BITS
from curator.matching.orientations import ORIENTATIONS, invert_orientation, orient_hash256
from tests.decide.rows import (
    LABELS,
    by_id,
    make_table,
    packed,
    random_picture,
    sha256,
    shuffled,
    turn_picture,
)
from tests.fuzz.rounds import examples

BASES = [random_picture(np.random.default_rng(n)) for n in range(3)]
LONG_BASES = np.random.default_rng(9).integers(0, 256, (3, 32), np.uint8)
NAMES = ["record_id", "duplicate_of", "distance_bits", "turn", "drop_stage", "drop_reason", "drop_detail"]


def image(base=0, turn=0, bits=(), label="rugby", copy=0, side=100, detail=30.0, long_bits=0, **more):
    """One row; images of equal arguments but the label are the same bytes.

    ``bits`` of its 64-bit hashes and the first ``long_bits`` of its 256-bit hash differ from the base's.
    """
    hashes = turn_picture(BASES[base], turn)
    for bit in bits:
        hashes = [value ^ (1 << bit) for value in hashes]
    content = sha256((base, turn, sorted(bits), copy, side, detail, long_bits))
    facts = {"width": side, "height": side, "n_bytes": side + copy, "detail": detail}
    flipped = LONG_BASES[base] ^ np.packbits(np.arange(256) < long_bits)
    facts |= {
        "phash": hashes[0],
        "phash_turns": packed(hashes),
        "phash256": orient_hash256(flipped[None], turn).tobytes(),
    }
    return {"label": label, "sha256": content, **facts, **more}


def distances_and_turns(row, other, rotations=True):
    """The distances of two rows and how ``row`` is turned against ``other``, by the definition."""
    a, b = ([int.from_bytes(r["phash_turns"][k : k + 8], "big") for k in range(0, 64, 8)] for r in (row, other))
    found = [(bin(b[t] ^ a[0]).count("1"), t) for t in range(8)]
    found += [(bin(a[t] ^ b[0]).count("1"), invert_orientation(t)) for t in range(8)]
    return [pair for pair in found if rotations or pair[1] == 0]


def long_distance(row, other, turn):
    """The bits of 256 in which ``row`` differs from ``other`` turned."""
    a, b = (np.frombuffer(r["phash256"], np.uint8)[None] for r in (row, other))
    return np.bitwise_count(orient_hash256(b, turn) ^ a).sum()


def match(row, other, rules):
    """(distance, turn) of two rows that match, else None."""
    if row["sha256"] == other["sha256"]:
        return 0, 0
    if min(row["detail"], other["detail"]) < 4:
        return None
    near = [pair for pair in distances_and_turns(row, other, rules.rotations) if pair[0] <= rules.max_distance]
    return min((pair for pair in near if long_distance(row, other, pair[1]) <= SAME_BITS), default=None)


def rank(row):
    """The order of keepers: most pixels, most bytes, smallest id."""
    return -row["width"] * row["height"], -row["n_bytes"], row["record_id"]


def nearest(row, others, rules):
    """The nearest match among ``others``, of equally near ones the best keeper."""
    found = [(match(row, other, rules), other) for other in others]
    hits = [(hit[0], rank(other), hit[1], other) for hit, other in found if hit is not None]
    distance, _, turn, other = min(hits, key=lambda hit: hit[:3])
    return other["record_id"], distance, ORIENTATIONS[turn]


def judge_by_definition(rows, rules):
    """Verdicts by record id, from the definition: (reason, duplicate_of, distance, turn)."""
    verdicts = _conflicts(rows, rules)
    rest = sorted((row for row in rows if row["record_id"] not in verdicts), key=rank)
    keepers = []
    for row in rest:
        mine = [keeper for keeper in keepers if keeper["label"] == row["label"]]
        hits = [keeper for keeper in mine if match(row, keeper, rules)]
        if not hits:
            keepers.append(row)
            continue
        same = [keeper for keeper in hits if keeper["sha256"] == row["sha256"]]
        if same:
            verdicts[row["record_id"]] = (Drop.EXACT_DUPLICATE, same[0]["record_id"], 0, "none")
    for row in rest:
        if row not in keepers and row["record_id"] not in verdicts:
            mine = [keeper for keeper in keepers if keeper["label"] == row["label"]]
            verdicts[row["record_id"]] = (Drop.NEAR_DUPLICATE, *nearest(row, mine, rules))
    return verdicts


def _conflicts(rows, rules):
    verdicts, gone = {}, set()
    for label in LABELS if rules.across_labels != "ignore" else ():
        for row in rows:
            if row["label"] != label:
                continue
            if rules.across_labels == "drop-both":
                others = [other for other in rows if other["label"] != label]
            else:
                earlier = LABELS[: LABELS.index(label)]
                others = [other for other in rows if other["label"] in earlier and other["record_id"] not in gone]
            if any(match(row, other, rules) for other in others):
                gone.add(row["record_id"])
                verdicts[row["record_id"]] = (Drop.LABEL_CONFLICT, *nearest(row, others, rules))
    return verdicts


images = st.builds(
    image,
    base=st.integers(0, 2),
    turn=st.sampled_from([0, 0, 1, 3, 4, 6]),
    bits=st.frozensets(st.integers(0, 9), max_size=5),
    label=st.sampled_from(LABELS),
    copy=st.integers(0, 1),
    side=st.sampled_from([100, 200]),
    detail=st.sampled_from([30.0, 30.0, 30.0, 2.0]),
    long_bits=st.sampled_from([0, 0, 20, 40, 90]),
)
rule_sets = st.builds(
    DedupeSettings,
    max_distance=st.integers(0, 6),
    rotations=st.booleans(),
    across_labels=st.sampled_from(["drop-both", "keep-first", "ignore"]),
)


@settings(max_examples=examples(80), deadline=None)
@given(st.lists(images, max_size=14), rule_sets, st.integers(0, 9))
def test_verdicts_are_those_of_the_definition_in_any_order(rows, rules, seed):
    """Every verdict, its other image, distance and turn are as judged row by row, and the order does not matter."""
    table = make_table(rows)
    decided = by_id(find_duplicates(shuffled(table, seed), rules, LABELS))
    expected = judge_by_definition(table.to_dict("records"), rules)
    for row in decided.to_dict("records"):
        verdict = (row["drop_reason"], row["duplicate_of"], row["distance_bits"], row["turn"])
        if row["record_id"] in expected:
            assert verdict == expected[row["record_id"]]
        else:
            assert row["drop_reason"] is None or row["drop_reason"] != row["drop_reason"]
    in_order = by_id(find_duplicates(table, rules, LABELS))
    assert decided[NAMES].equals(in_order[NAMES])


@settings(max_examples=examples(40), deadline=None)
@given(st.lists(images, max_size=25), rule_sets)
def test_every_duplicate_points_at_a_kept_image_of_its_label(rows, rules):
    """No chain: what a duplicate was matched to is in the data set."""
    decided = find_duplicates(make_table(rows), rules, LABELS)
    kept = dict(decided[is_kept(decided)][["record_id", "label"]].to_numpy().tolist())
    duplicates = decided[decided["drop_reason"].isin([Drop.EXACT_DUPLICATE, Drop.NEAR_DUPLICATE])]
    for row in duplicates.to_dict("records"):
        assert kept[row["duplicate_of"]] == row["label"]
        assert row["drop_stage"] == "deduped"


def test_a_chain_of_matches_does_not_merge_strangers():
    """0 - 1 - 2 with 0 and 2 apart: 1 is dropped, 2 is kept."""
    rows = [image(bits=(), side=300), image(bits=(0, 1, 2, 3), side=200), image(bits=range(8), side=100)]
    decided = find_duplicates(make_table(rows), DedupeSettings(max_distance=4), LABELS)
    assert is_kept(decided).tolist() == [True, False, True]
    assert decided["drop_detail"][1] == "4 bits from folder-0000000000000000"


@pytest.mark.parametrize("turn", range(1, 8))
def test_a_turned_copy_is_found_and_its_turn_named(turn):
    """The turn is how the dropped image lies against the kept one; without rotations it is another picture."""
    rows = [image(side=300), image(turn=turn, bits=(5,), side=100)]
    decided = find_duplicates(make_table(rows), DedupeSettings(), LABELS)
    assert decided["drop_reason"][1] == Drop.NEAR_DUPLICATE
    assert (decided["turn"][1], decided["distance_bits"][1]) == (ORIENTATIONS[turn], 1)
    assert is_kept(find_duplicates(make_table(rows), DedupeSettings(rotations=False), LABELS)).all()


def test_a_look_alike_that_its_long_hash_does_not_confirm_is_another_picture():
    """Equal 64-bit hashes are a suspicion only: 33 differing bits of 256, and no thumbnails, do not make a copy."""
    rows = [image(side=300), image(long_bits=SAME_BITS), image(long_bits=SAME_BITS + 1)]
    decided = find_duplicates(make_table(rows), DedupeSettings(), LABELS)
    assert decided["duplicate_of"][1] == "folder-0000000000000000"
    assert is_kept(find_duplicates(make_table([rows[0], rows[2]]), DedupeSettings(), LABELS)).all()


def test_a_mirrored_copy_is_described_in_words():
    """The evidence can be read."""
    rows = [image(side=300), image(turn=4, bits=(5,), side=100)]
    decided = find_duplicates(make_table(rows), DedupeSettings(), LABELS)
    assert decided["drop_detail"][1] == "1 bit from folder-0000000000000000, mirrored"


def test_exact_copies_of_a_conflicted_picture_are_in_the_conflict():
    """Three files of the same bytes, one under another label: none is kept."""
    rows = [image(label=label) for label in ("rugby", "rugby", "soccer")]
    decided = find_duplicates(make_table(rows), DedupeSettings(), LABELS)
    assert decided["drop_reason"].tolist() == [Drop.LABEL_CONFLICT] * 3
    assert decided["drop_detail"][1] == "same bytes as folder-0000000000000002 under label soccer"


def test_exact_copies_of_a_near_duplicate_point_at_the_final_keeper():
    """A dropped image never points at a dropped one."""
    rows = [image(bits=(1,), side=100), image(bits=(1,), side=100), image(side=200)]
    decided = find_duplicates(make_table(rows), DedupeSettings(), LABELS)
    assert decided["drop_reason"].tolist()[:2] == [Drop.NEAR_DUPLICATE] * 2
    assert decided["duplicate_of"].tolist()[:2] == ["folder-0000000000000002"] * 2


def test_unknown_is_not_equal():
    """Missing hashes, missing bytes and missing detail match nothing."""
    blank = {"phash": None, "phash_turns": None, "phash256": None, "sha256": None}
    rows = [image(**blank), image(**blank), image(sha256=None, detail=None), image(sha256=None, detail=None)]
    rows += [image(sha256=None, phash256=None), image(sha256=None, phash256=None)]
    decided = find_duplicates(make_table(rows), DedupeSettings(), LABELS)
    assert is_kept(decided).all()


def test_flat_images_match_by_bytes_only():
    """Two blank pictures have equal hashes by chance; the same bytes are still copies."""
    rows = [image(detail=1.0, copy=0), image(detail=1.0, copy=1), image(detail=1.0, copy=1)]
    decided = find_duplicates(make_table(rows), DedupeSettings(), LABELS)
    assert decided["drop_reason"].tolist()[2] == Drop.EXACT_DUPLICATE
    assert is_kept(decided).tolist() == [True, True, False]


def test_keep_first_prefers_the_first_source_of_the_recipe():
    """Then the earlier tier, then the smaller id; size does not count."""
    rows = [image(side=300, source="b"), image(bits=(1,), source="a", tier=1), image(bits=(2,), source="a", tier=0)]
    decided = find_duplicates(make_table(rows), DedupeSettings(keep="first"), LABELS, ("a", "b"))
    assert is_kept(decided).tolist() == [False, False, True]


def test_dropped_images_neither_match_nor_change():
    """What fetch dropped keeps its reason and drops nobody."""
    earlier = {"drop_stage": "fetched", "drop_reason": Drop.TOO_SMALL, "drop_detail": "9 x 9 px"}
    table = make_table([image(side=300) | earlier, image()])
    assert find_duplicates(table, DedupeSettings(), LABELS).equals(table)


def test_groups_are_listed_largest_first():
    """Each keeper with its copies, exact and near."""
    rows = [image(side=300), image(bits=(1,)), image(bits=(2,)), image(base=1, side=300), image(base=1, bits=(1,))]
    groups = explain_groups(find_duplicates(make_table(rows), DedupeSettings(), LABELS))
    copies = [[copy["record_id"] for copy in group["copies"]] for group in groups]
    assert copies == [["folder-0000000000000001", "folder-0000000000000002"], ["folder-0000000000000004"]]


def test_a_million_equal_hashes_are_one_group():
    """Copies cost no pairs (here 100,000, to be quick)."""
    n = 100_000
    table = make_table([image()] * 2)
    table = table.iloc[np.zeros(n, int)].reset_index(drop=True)
    ids = [f"folder-{k:016x}" for k in range(n)]
    table = table.assign(record_id=ids, sha256=[f"{k:064x}" for k in range(n)])
    decided = find_duplicates(table, DedupeSettings(), LABELS)
    assert is_kept(decided).sum() == 1


def test_the_mode_says_what_counts_as_the_same_picture():
    """Near: copies of other bytes too. Exact: the same bytes only, under two labels as well. Off: nothing."""
    rows = [image(copy=0), image(copy=1), image(copy=0), image(base=1), image(base=1, label="soccer")]
    table = make_table(rows)
    found = {
        mode: find_duplicates(table, DedupeSettings(mode=mode), LABELS)["drop_reason"].fillna("").tolist()
        for mode in ("near", "exact", "off")
    }
    conflict = ["label-conflict", "label-conflict"]
    assert sorted(found["near"][:3]) == ["", "near-duplicate", "near-duplicate"] and found["near"][3:] == conflict
    assert found["exact"] == ["", "", "exact-duplicate", *conflict]
    assert found["off"] == [""] * 5


@pytest.mark.parametrize(
    ("change", "many", "very_many"),
    [
        ({}, "rotated and mirrored copies are looked for within 8 bits, not 10", "copies are looked for within 8 bits"),
        ({"rotations": False}, "", "copies are looked for within 8 bits, not 10"),
        ({"max_distance": 8}, "", ""),
        ({"mode": "exact"}, "", ""),
    ],
)
def test_a_narrower_look_at_many_is_said(monkeypatch, change, many, very_many):
    """Once, where it makes a difference; not of as many pictures as the limit."""
    table = make_table([image(base, copy=copy) for base in range(3) for copy in range(2)])
    for limits, said in (((6, 6), ""), ((5, 6), many), ((5, 5), very_many)):
        monkeypatch.setattr(picture_matches, "MANY", limits[0])
        monkeypatch.setattr(picture_matches, "VERY_MANY", limits[1])
        notes = describe_narrower(table, DedupeSettings(**change))
        assert len(notes) == bool(said)
        assert not said or f"different pictures, {said}" in notes[0]
