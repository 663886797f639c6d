"""What pixels say overrules hashes, chains stop at strangers, and who is kept is upright, whole and unmarked."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from curator.catalog import Drop, is_kept
from curator.decide.dedupe import find_duplicates
from curator.decide.elsewhere import find_elsewhere, other_images
from curator.decide.flaws import COMPOSED, MARKED, SIDEWAYS, rate_flaws
from curator.decide.judged import (
    DOUBTFUL,
    ONE,
    OTHER_COMPOSED,
    THIS_COMPOSED,
    THIS_MARKED,
    TWO,
    Judged,
)
from curator.decide.leak_groups import find_leak_groups, number_kept_copies
from curator.manifests.settings import DedupeSettings
from curator.matching.orientations import ORIENTATIONS
from tests.decide.rows import LABELS, make_table, shuffled
from tests.decide.test_dedupe import image

WHOLE = [1, 0, 0, 0, 1, 0]
LEFT, RIGHT = [0.5, 0, 0, 0, 1, 0], [0.5, 0, 0.5, 0, 1, 0]
"""What takes a picture's places to those on a collage of which it is the left or the right half."""


def judge(table, *pairs):
    """Verdicts on pairs of rows: (row, other, verdict), and (orientation, transform, flaws, cosine, overlap), free."""
    columns = ("orientation", "transform", "flaws", "cosine", "overlap")
    default = {"orientation": 0, "transform": WHOLE, "flaws": 0, "cosine": None, "overlap": [1, 1]}
    rows = []
    for i, j, verdict, *more in pairs:
        values = default | dict(zip(columns, more, strict=False))
        one, other = table["sha256"].iloc[i], table["sha256"].iloc[j]
        if one > other:
            one, other = other, one
            matrix = np.linalg.inv(np.array([*values["transform"], 0, 0, 1], float).reshape(3, 3))
            values["transform"] = matrix[:2].ravel().tolist()
            values["flaws"] = (values["flaws"] & 5) << 1 | (values["flaws"] & 10) >> 1
            values["overlap"] = values["overlap"][::-1]
        rows.append({"sha256": one, "other_sha256": other, "verdict": verdict, **values})
    schema = [
        ("sha256", pa.string()),
        ("other_sha256", pa.string()),
        ("verdict", pa.int8()),
        ("orientation", pa.int8()),
    ]
    schema += [("transform", pa.list_(pa.float32(), 6)), ("flaws", pa.int8()), ("cosine", pa.float32())]
    schema += [("overlap", pa.list_(pa.float32(), 2))]
    return Judged.from_table(pa.Table.from_pylist(rows, pa.schema(schema)))


def decide(table, judged, seed=0, **settings):
    """Dedupe in another order of the rows: the rows by record id."""
    decided = find_duplicates(shuffled(table, seed), DedupeSettings(**settings), LABELS, judged=judged)
    return decided.set_index("record_id", drop=False)


@pytest.mark.parametrize("seed", range(3))
def test_pixels_part_what_hashes_match_and_join_what_they_do_not(seed):
    """Two pictures are no copies however near; one picture is, however far; of a doubtful pair hashes decide."""
    rows = [image(), image(bits=(1,), copy=1), image(base=1), image(base=2), image(bits=(1, 2, 3), copy=2)]
    table = make_table(rows)
    judged = judge(table, (0, 1, TWO), (2, 3, ONE), (0, 4, DOUBTFUL), (1, 4, TWO))
    decided = decide(table, judged, seed)
    ids = table["record_id"].tolist()
    kept = [pd.isna(decided.loc[name, "drop_reason"]) for name in ids]
    assert kept.count(False) == 2
    assert {decided.loc[ids[3], "duplicate_of"], decided.loc[ids[2], "duplicate_of"]} & {ids[2], ids[3]}
    assert {decided.loc[ids[4], "duplicate_of"], decided.loc[ids[0], "duplicate_of"]} & {ids[0], ids[4]}
    assert kept[1]


def test_equal_hashes_of_two_colours_are_parted():
    """Contents that no hash tells apart are two pictures if their pixels are."""
    table = make_table([image(copy=0), image(copy=1), image(copy=2)])
    assert is_kept(find_duplicates(table, DedupeSettings(), LABELS)).sum() == 1
    order = np.argsort(table["sha256"].to_numpy())
    judged = judge(table, (order[0], order[1], TWO), (order[0], order[2], ONE))
    assert is_kept(find_duplicates(table, DedupeSettings(), LABELS, judged=judged)).sum() == 2


@pytest.mark.parametrize("seed", range(3))
def test_a_copy_of_a_copy_is_dropped_and_says_by_way_of_what(seed):
    """Image 2 matches only image 1, a copy of image 0: none of both stays."""
    table = make_table([image(base=0, side=300), image(base=1, side=200), image(base=2)])
    ids = table["record_id"].tolist()
    decided = decide(table, judge(table, (0, 1, ONE), (1, 2, ONE, ORIENTATIONS.index("mirror"))), seed)
    assert decided.loc[ids[2], ["drop_reason", "duplicate_of", "turn"]].tolist() == ["near-duplicate", ids[0], "mirror"]
    assert decided.loc[ids[2], "drop_detail"].endswith(f"bits from {ids[0]}, mirrored, by way of {ids[1]}")


def test_the_halves_of_a_collage_are_not_one_picture():
    """Both are in it, and neither shows a part of the other: of the three, one half and the collage's own half go."""
    table = make_table([image(base=0, side=300), image(base=1, side=200), image(base=2, side=250)])
    judged = judge(table, (1, 0, ONE, 0, LEFT), (1, 2, ONE, 0, RIGHT))
    decided = decide(table, judged)
    ids = table["record_id"].tolist()
    assert decided.loc[ids, "drop_reason"].isna().tolist() == [True, False, True]


@pytest.mark.parametrize("seed", range(6))
def test_a_copy_of_half_a_collage_goes_whichever_half_is_seen_first(seed):
    """Images 1 and 2 are copies of image 0 and the halves of collage 3; image 4 is the collage's left half alone."""
    table = make_table([image(base=n % 3, bits=range(30 * (n // 3)), side=300 - 20 * n) for n in range(5)])
    judged = judge(table, (0, 1, ONE), (0, 2, ONE), (3, 1, ONE, 0, LEFT), (3, 2, ONE, 0, RIGHT), (3, 4, ONE, 0, LEFT))
    decided = decide(table, judged, seed).sort_index()
    ids = table["record_id"].tolist()
    assert decided["duplicate_of"].isna().tolist() == [True, False, False, False, False]
    assert decided.loc[ids[3], "drop_detail"].endswith(f"by way of {ids[1]}")


def test_a_chain_drops_nothing_that_a_person_wants_or_a_manifest_has():
    """What is protected, a member of a manifest, or has a side, goes for what it matches itself only."""
    table = make_table([image(base=0, side=300), image(base=1, side=200), image(base=2)])
    judged = judge(table, (0, 1, ONE), (1, 2, ONE))
    for name in ("is_protected", "is_member"):
        marked = {name: np.array([False, False, True])}
        decided = find_duplicates(table, DedupeSettings(), LABELS, judged=judged, **marked)
        assert is_kept(decided)[2]


def test_a_match_of_two_labels_by_pixels_is_a_conflict():
    """Dropped under both, as by hash."""
    table = make_table([image(base=0), image(base=1, label="soccer")])
    decided = find_duplicates(table, DedupeSettings(), LABELS, judged=judge(table, (0, 1, ONE)))
    assert set(decided["drop_reason"]) == {str(Drop.LABEL_CONFLICT)}


def test_without_rotations_a_turned_copy_stays():
    """The setting holds for what pixels find, too."""
    table = make_table([image(base=0), image(base=1)])
    judged = judge(table, (0, 1, ONE, 1))
    assert is_kept(find_duplicates(table, DedupeSettings(rotations=False), LABELS, judged=judged)).all()
    assert is_kept(find_duplicates(table, DedupeSettings(), LABELS, judged=judged)).sum() == 1


@pytest.mark.parametrize(
    ("flaws", "others", "expected"),
    [
        (THIS_MARKED, {}, MARKED),
        (THIS_COMPOSED | THIS_MARKED, {}, COMPOSED + MARKED),
        (OTHER_COMPOSED, {}, 0),
    ],
)
def test_flaws_are_those_that_the_copies_show(flaws, others, expected):
    """A flaw of one is none of the other, and a smaller image without is kept."""
    table = make_table([image(base=0, side=300), image(base=1, side=200)])
    judged = judge(table, (0, 1, ONE, 0, WHOLE, flaws))
    assert rate_flaws(judged, table["sha256"])[0] == expected
    kept = is_kept(find_duplicates(table, DedupeSettings(), LABELS, judged=judged))
    assert kept.tolist() == ([False, True] if expected else [True, False])


def test_the_upright_one_is_that_of_the_most_or_the_one_like_the_rest():
    """Two against one; of one against one, that which a network finds more like the strangers of the set."""
    table = make_table(
        [image(base=0, side=300), image(base=1, side=200), image(base=2), image(base=2, copy=1, bits=(9,))]
    )
    most = judge(table, (0, 1, ONE, 1), (0, 2, ONE, 1), (1, 2, ONE, 0))
    assert rate_flaws(most, table["sha256"]).tolist() == [SIDEWAYS, 0, 0, 0]
    alike = judge(table, (0, 1, ONE, 1), (0, 3, TWO, 0, WHOLE, 0, 0.6), (1, 3, TWO, 0, WHOLE, 0, 0.7))
    assert rate_flaws(alike, table["sha256"]).tolist() == [SIDEWAYS, 0, 0, 0]
    assert rate_flaws(judge(table, (0, 1, ONE, 1)), table["sha256"]).tolist() == [0, 0, 0, 0]


def test_a_mirrored_tile_of_a_collage_turns_nothing():
    """Image 0 is in collage 1 as it is, and images 2 to 4 as the mirrored tile: nobody but the collage has a flaw."""
    table = make_table([image(copy=n) for n in range(5)])
    mirror, in_a_quarter = ORIENTATIONS.index("mirror"), (WHOLE, OTHER_COMPOSED, None, [1, 0.25])
    tiles = [(n, 1, ONE, mirror if n else 0, *in_a_quarter) for n in (0, 2, 3, 4)]
    assert rate_flaws(judge(table, *tiles), table["sha256"]).tolist() == [0, COMPOSED, 0, 0, 0]
    framed = judge(
        table, *((n, 1, ONE, mirror if n else 0, WHOLE, OTHER_COMPOSED, None, [1, 0.8]) for n in (0, 2, 3, 4))
    )
    assert rate_flaws(framed, table["sha256"]).tolist() == [SIDEWAYS, COMPOSED + SIDEWAYS, 0, 0, 0]


def test_a_copy_in_a_frame_says_nothing_of_a_caption():
    """Image 0 has the caption 1 below, and the frame 2 around, which covers the caption, too."""
    table = make_table([image(copy=n) for n in range(4)])
    caption = [(n, 1, ONE, 0, WHOLE, OTHER_COMPOSED, None, [1, 0.86]) for n in (0, 3)]
    frame = [(n, 2, ONE, 0, WHOLE, OTHER_COMPOSED, None, [1, share]) for n, share in ((0, 0.74), (1, 0.82), (3, 0.74))]
    assert rate_flaws(judge(table, *caption, *frame), table["sha256"]).tolist() == [0, COMPOSED, COMPOSED, 0]
    alone = judge(table, (1, 2, ONE, 0, WHOLE, OTHER_COMPOSED, None, [0.97, 0.82]))
    assert rate_flaws(alone, table["sha256"]).tolist() == [0, 0, COMPOSED, 0]


def test_a_doubtful_copy_tells_if_there_is_no_other():
    """Image 0 is larger, and has words that image 1 has not; a copy of it for sure that has none overrules that."""
    table = make_table([image(base=0, side=300), image(base=0, copy=1, side=200), image(base=1), image(base=2)])
    doubt = (0, 1, DOUBTFUL, 0, WHOLE, THIS_MARKED)
    assert rate_flaws(judge(table, doubt), table["sha256"])[0] == MARKED
    assert is_kept(decide(table, judge(table, doubt)).loc[table["record_id"]]).tolist()[:2] == [False, True]
    assert rate_flaws(judge(table, doubt, (0, 2, ONE)), table["sha256"])[0] == 0


def test_each_picture_in_a_collage_tells():
    """Image 0 lies in a corner of 4, with a seam; 1 and its copy 2 are all around, and see none. A crop is no other."""
    table = make_table([image(copy=n) for n in range(5)])
    around = [(4, n, ONE, 0, WHOLE, 0, None, [1, 1]) for n in (1, 2)]
    inset = (4, 0, ONE, 0, WHOLE, THIS_COMPOSED, None, [0.2, 1])
    collage = judge(table, inset, *around, (1, 2, ONE))
    assert rate_flaws(collage, table["sha256"]).tolist() == [0, 0, 0, 0, COMPOSED]
    crop = judge(table, inset, *around, (1, 2, ONE), (0, 1, ONE))
    assert rate_flaws(crop, table["sha256"]).tolist() == [0] * 5


def test_no_chain_goes_through_a_composed_picture():
    """Image 0 is all around in 1, and 2 is the small picture on it, of which 1 tells nothing that chains could see."""
    table = make_table([image(base=n, side=300 - 20 * n) for n in range(3)])
    small = [0.4, 0, 0.1, 0, 0.4, 0.1]
    pairs = ((1, 0, ONE, 0, WHOLE, THIS_COMPOSED, None, [1, 1]), (1, 2, ONE, 0, small, THIS_COMPOSED, None, [0.16, 1]))
    kept = is_kept(decide(table, judge(table, *pairs)).loc[table["record_id"]])
    assert kept.tolist() == [True, False, True]


def test_what_pixels_link_stands_on_one_side():
    """Kept copies, and those that are linked through a dropped one, are one group of the split."""
    table = make_table([image(base=0), image(base=1), image(base=2)])
    table.loc[1, ["drop_stage", "drop_reason"]] = ["deduped", "near-duplicate"]
    judged = judge(table, (0, 1, ONE), (1, 2, ONE))
    numbers = number_kept_copies(table, DedupeSettings(), {}, judged=judged)
    kept = table.iloc[[0, 2]].reset_index(drop=True)
    assert len(set(find_leak_groups(kept, ("near-duplicate",), numbers[[0, 2]]))) == 1
    assert len(set(find_leak_groups(kept, ("near-duplicate",)))) == 2


def test_pixels_decide_against_another_data_set_too():
    """One that hashes miss is there; one that they hold alike is not."""
    table = make_table([image(base=0), image(base=1)])
    there = make_table([image(base=2, copy=5), image(base=1, bits=(1,), copy=6)])
    names = ("sha256", "detail", "phash", "phash_turns", "phash256", "thumbnail")
    others = other_images(["a", "b"], **{name: there[name].array for name in names})
    both = pd.concat([table, there], ignore_index=True)
    judged = judge(both, (0, 2, ONE), (1, 3, TWO))
    wide = {"sha256": pa.large_string(), "phash_turns": pa.large_binary()}
    wide = {name: pd.ArrowDtype(kind) for name, kind in wide.items()}
    for ours, theirs in ((table, others), (table.astype(wide), others), (table, others.astype(wide))):
        assert find_elsewhere(ours, theirs, DedupeSettings()).matches.i.tolist() == [1]
        assert find_elsewhere(ours, theirs, DedupeSettings(), judged).matches.i.tolist() == [0]
