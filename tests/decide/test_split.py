"""A split has exact counts where groups allow it, and never divides a group."""

from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from curator.catalog import Drop, is_kept
from curator.decide.allocation import choose_groups, divide_groups
from curator.decide.exchange import choose_sizes
from curator.decide.leak_groups import find_leak_groups
from curator.decide.split import split_images
from curator.decide.whole_groups import Groups
from curator.errors import ShortfallError
from curator.manifests.settings import SplitSettings
from curator.matching.components import label_components
from curator.matching.orientations import orient_hash256
from tests.decide.rows import by_id, make_table, packed, random_picture, sha256, shuffled, turn_picture
from tests.fuzz.rounds import examples

LABELS = ("rugby", "soccer")
WRITTEN = ["record_id", "split", "split_group"]


def some_rows(n, **more):
    """Images of alternating labels that have nothing in common."""
    return [{"label": LABELS[k % 2], "sha256": sha256(k)} | more for k in range(n)]


authors = st.one_of(st.none(), st.sampled_from(["Ann", "Bob", "Cy", "unknown"]))
photos = st.one_of(st.none(), st.integers(1, 5).map(lambda n: f"https://www.flickr.com/photos/someone/{n}/"))
owned = st.fixed_dictionaries(
    {
        "label": st.sampled_from(LABELS),
        "sha256": st.integers(0, 10**9).map(sha256),
        "author": authors,
        "landing_url": photos,
    }
)


@settings(max_examples=examples(80), deadline=None)
@given(st.lists(owned, min_size=8, max_size=60, unique_by=lambda row: row["sha256"]), st.integers(0, 5))
def test_no_author_and_no_page_is_on_both_sides(rows, seed):
    """Groups are whole, across labels too; every kept image has a side; the order of the rows does not matter."""
    assume(all(sum(row["label"] == label for row in rows) > 1 for label in LABELS))
    table = make_table(rows)
    decided, _ = split_images(shuffled(table, seed), SplitSettings(seed=seed), LABELS)
    assert set(decided["split"]) <= {"train", "test"}
    for column in ("author", "landing_url"):
        known = decided[decided[column].notna() & (decided[column] != "unknown")]
        assert (known.groupby(column)["split"].nunique() == 1).all()
    grouped = decided[decided["split_group"].notna()]
    assert (grouped.groupby("split_group")["split"].nunique() == 1).all()
    assert (grouped.groupby("split_group").size() > 1).all()
    in_order, _ = split_images(table, SplitSettings(seed=seed), LABELS)
    assert by_id(decided)[WRITTEN].equals(by_id(in_order)[WRITTEN])


@settings(max_examples=examples(60), deadline=None)
@given(st.integers(4, 60), st.floats(0.05, 0.95), st.integers(0, 3))
def test_counts_are_exact_without_groups(n, ratio, seed):
    """The train set holds the rounded share of each label, at least one image on each side."""
    decided, notes = split_images(make_table(some_rows(2 * n)), SplitSettings(ratio=ratio, seed=seed), LABELS)
    train = min(max(round(ratio * n), 1), n - 1)
    for label in LABELS:
        mine = decided[decided["label"] == label]
        assert (mine["split"] == "train").sum() == train
        assert mine["split_group"].isna().all()
    assert notes == ()


def test_exact_counts_can_be_asked_for():
    """Train and test as numbers, or a shortfall that says what would do."""
    table = make_table(some_rows(20))
    decided, _ = split_images(table, SplitSettings(train=7, test=3), LABELS)
    assert decided.groupby("label")["split"].value_counts().to_dict()["soccer", "test"] == 3
    with pytest.raises(ShortfallError, match="rugby has 10 and soccer has 10, which is too few") as caught:
        split_images(table, SplitSettings(train=9, test=3), LABELS, most="curator split --ratio 0.75")
    assert caught.value.missing == {"rugby": 2, "soccer": 2}
    assert "curator split --ratio 0.75" in str(caught.value) and "--per-class 12" not in str(caught.value)
    with pytest.raises(ShortfallError, match="rugby has 10") as caught:
        split_images(table, SplitSettings(train=5, test=3), LABELS)
    assert caught.value.missing == {"rugby": 0, "soccer": 0} and "--per-class 8" in str(caught.value)


def test_the_label_that_is_short_is_blamed():
    """Not the first one, which has more than enough; each is named with its count."""
    rows = [{"label": "rugby" if n < 14 else "soccer", "sha256": sha256(n)} for n in range(21)]
    with pytest.raises(ShortfallError) as caught:
        split_images(make_table(rows), SplitSettings(train=8, test=2), LABELS)
    assert "but soccer has 7 images, which is too few; rugby has 14 images, which is too many." in str(caught.value)
    assert caught.value.missing == {"soccer": 3}
    with pytest.raises(ShortfallError, match="rugby has 1 and soccer has 0: too few for two sides") as caught:
        split_images(make_table(rows[:1]), SplitSettings(), LABELS)
    assert caught.value.missing == {"rugby": 1, "soccer": 2}


def test_a_label_without_images_is_a_shortfall():
    """One image cannot be on two sides."""
    with pytest.raises(ShortfallError, match="soccer has 0"):
        split_images(make_table([{"sha256": sha256(n)} for n in range(4)]), SplitSettings(), LABELS)


def test_dropped_images_have_no_side():
    """Only what is kept is split."""
    rows = some_rows(12)
    rows[0] |= {"drop_stage": "balanced", "drop_reason": Drop.SURPLUS}
    decided, _ = split_images(make_table(rows), SplitSettings(), LABELS)
    assert decided["split"].isna().tolist() == (~is_kept(decided)).tolist()


def near_pair(bits, bits256, turn=0):
    """Two pictures that differ by so many bits of either hash, the second turned, and ten strangers."""
    chance = np.random.default_rng(5)
    rows = some_rows(12, detail=30.0)
    for row in rows:
        row |= {"phash_turns": packed(random_picture(chance)), "phash256": chance.bytes(32)}
    first = np.frombuffer(rows[0]["phash_turns"], ">u8").astype(np.uint64)
    rows[1]["phash_turns"] = packed(np.array(turn_picture(first, turn)) ^ np.uint64((1 << bits) - 1))
    turned = orient_hash256(np.frombuffer(rows[0]["phash256"], np.uint8)[None], turn)
    whole = int.from_bytes(turned.tobytes(), "big")
    rows[1]["phash256"] = (whole ^ ((1 << bits256) - 1)).to_bytes(32, "big")
    return make_table(rows)


@pytest.mark.parametrize(
    ("bits", "bits256", "together"), [(8, 48, True), (8, 49, False), (9, 48, False), (0, 0, True), (0, 100, False)]
)
def test_near_duplicates_stay_together_where_the_longer_hash_confirms(bits, bits256, together):
    """At most 8 bits of 64, and at most 48 of 256; here across labels."""
    first = find_leak_groups(near_pair(bits, bits256), ("near-duplicate",))
    assert (first[1] == first[0]) == together
    assert len(np.unique(first)) == 12 - together


@pytest.mark.parametrize("turn", [1, 3, 4, 7])
@pytest.mark.parametrize(("bits", "together"), [(4, True), (5, False)])
def test_turned_near_duplicates_stay_together_within_fewer_bits(turn, bits, together):
    """At most 4 bits of 64 where one is turned or mirrored."""
    first = find_leak_groups(near_pair(bits, 10, turn), ("near-duplicate",))
    assert (first[1] == first[0]) == together
    assert len(np.unique(first)) == 12 - together


def test_what_is_not_asked_for_groups_nothing():
    """``group_by`` chooses what stays together."""
    table = near_pair(0, 0)
    assert len(np.unique(find_leak_groups(table, ("author", "page")))) == 12


def test_the_same_photo_is_known_by_its_page_and_by_its_address():
    """A page, a farm address and a live address of one Flickr photo are one page; authors match by their page."""
    rows = some_rows(6)
    rows[0]["landing_url"] = "https://www.flickr.com/photos/ann/2345/in/album-7"
    rows[1]["url"] = "http://farm4.static.flickr.com/3123/2345_0abc.jpg"
    rows[2]["url"] = "https://live.staticflickr.com/3123/2345_0abc_b.jpg"
    rows[3] |= {"author": "A", "author_url": "https://www.flickr.com/people/ann/"}
    rows[4] |= {"author": "B", "author_url": "http://flickr.com/people/Ann"}
    rows[5]["url"] = "https://example.org/3123/2345_0abc.jpg"
    assert find_leak_groups(make_table(rows), ("author", "page")).tolist() == [0, 0, 0, 3, 3, 5]


def test_large_groups_are_named():
    """A person sees whose pictures make up much of a class, and that the count was missed because of them."""
    rows = some_rows(20)
    for row in rows[:18]:
        row |= {"author": "Ann"}
    decided, notes = split_images(make_table(rows), SplitSettings(ratio=0.5), LABELS)
    assert notes[0] == "9 images (90.0% of rugby) stay on one side: author Ann of folder"
    assert notes[-1] == "soccer: 1 image in test instead of 5, as near as what must stay on one side allows"
    assert decided[decided["author"] == "Ann"]["split"].nunique() == 1


def test_more_images_move_few_others():
    """With a tenth more images, hardly any image of before changes its side."""
    rows = some_rows(1_100)
    before, _ = split_images(make_table(rows[:1_000]), SplitSettings(), LABELS)
    after, _ = split_images(make_table(rows), SplitSettings(), LABELS)
    moved = (before["split"] != after["split"][:1_000]).sum()
    assert moved < 50


def test_large_groups_are_not_drawn_to_the_test_set():
    """The share of images in test is that of the ratio for authors of many images as for others."""
    rows = some_rows(2_000)
    for number, row in enumerate(rows[:1_000]):
        row |= {"author": f"author {number // 10}"}
    decided, _ = split_images(make_table(rows), SplitSettings(ratio=0.8), LABELS)
    assert 0.1 < (decided["split"][:1_000] == "test").mean() < 0.3


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(st.integers(1, 12), max_size=10), st.integers(0, 70))
def test_no_other_choice_of_sizes_comes_nearer(sizes, target):
    """Against all subsets."""
    sums = {0}
    for size in sizes:
        sums |= {reached + size for reached in sums}
    picked = choose_sizes(sizes, target)
    assert len(set(picked)) == len(picked)
    assert abs(sum(sizes[k] for k in picked) - target) == min(abs(reached - target) for reached in sums)


@settings(max_examples=examples(150), deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=40), st.data())
def test_one_label_gets_the_nearest_count_that_groups_allow(sizes, data):
    """Groups that a walk along the keys cannot make fit are exchanged."""
    wanted = data.draw(st.integers(0, sum(sizes)))
    group = np.repeat(np.arange(len(sizes)), sizes)
    groups = Groups(group, np.zeros(len(group), np.int64), np.arange(len(sizes), dtype=np.uint64))
    chosen = choose_groups(groups, np.array([wanted]))
    best = sum(sizes[k] for k in choose_sizes(sizes, wanted))
    assert abs(np.array(sizes)[chosen].sum() - wanted) == abs(best - wanted)


def test_groups_of_two_labels_are_exchanged_too():
    """No group of one label is there to fill the counts, yet a choice is exact."""
    counts = [(2, 1), (1, 2), (3, 3), (1, 1)]
    group = np.concatenate([np.full(a + b, k) for k, (a, b) in enumerate(counts)])
    label = np.concatenate([[0] * a + [1] * b for a, b in counts])
    groups = Groups(group, label, np.arange(4, dtype=np.uint64))
    chosen = choose_groups(groups, np.array([4, 4]))
    assert groups.count_labels(chosen, 2).tolist() == [4, 4]


@settings(max_examples=examples(100), deadline=None)
@given(st.integers(1, 30), st.data())
def test_components_agree_with_a_walk(n, data):
    """Each node gets the smallest node that it can be reached from."""
    links = data.draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=40))
    i, j = (np.array([link[k] for link in links], np.intp) for k in (0, 1))
    smallest = list(range(n))
    for _ in range(n):
        for a, b in links:
            smallest[a] = smallest[b] = min(smallest[a], smallest[b])
    assert label_components(n, i, j).tolist() == smallest


def feasible_groups(rng, n_labels, n_sides):
    """Groups of one label or several, and what each side has of each label if each group is on a side of its own."""
    counts = [int(rng.integers(20, 200)), *rng.integers(3, 40, n_sides - 1).tolist()]
    sides = rng.permutation(np.repeat(np.arange(n_sides), counts))
    sizes = np.minimum(1 + rng.pareto(rng.choice([0.8, 1.5, 3.0]), len(sides)) * rng.choice([1, 3]), 60).astype(int)
    group = np.repeat(np.arange(len(sides)), sizes)
    is_mixed = rng.random(len(sides)) < rng.choice([0, 0.05, 0.3])
    label = np.where(
        is_mixed[group], rng.integers(0, n_labels, len(group)), rng.integers(0, n_labels, len(sides))[group]
    )
    wanted = np.zeros((n_labels, n_sides), np.int64)
    np.add.at(wanted, (label, sides[group]), 1)
    return Groups(group, label, np.arange(len(sides), dtype=np.uint64)), wanted


@pytest.mark.parametrize(("n_sides", "n_labels", "n"), [(2, 10, 30), (3, 5, 60), (5, 2, 60), (6, 10, 12), (10, 12, 3)])
def test_counts_are_exact_where_groups_allow_it(n_sides, n_labels, n):
    """Chance tables for which exact counts are known to be possible come out exact: bench_decide.py tries 1,000."""
    for trial in range(examples(n)):
        groups, wanted = feasible_groups(np.random.default_rng([trial, n_sides, n_labels]), n_labels, n_sides)
        side = divide_groups(groups, wanted, np.ones(wanted.shape, bool))
        counts = np.zeros_like(wanted)
        np.add.at(counts, (groups.label, side[groups.group]), 1)
        assert (counts == wanted).all()


@settings(max_examples=examples(40), deadline=None)
@given(st.lists(st.integers(1, 9), min_size=3, max_size=9), st.data())
def test_where_they_do_not_no_division_comes_nearer(sizes, data):
    """Of one label and three sides, against all divisions that leave no side empty: the sum of the errors."""
    test, val = data.draw(st.integers(1, 12)), data.draw(st.integers(1, 12))
    wanted = np.array([[max(sum(sizes) - val - test, 0), val, test]])
    group = np.repeat(np.arange(len(sizes)), sizes)
    groups = Groups(group, np.zeros(len(group), np.int64), np.arange(len(sizes), dtype=np.uint64))
    side = divide_groups(groups, wanted, np.ones(wanted.shape, bool))
    every = np.array(list(product(range(3), repeat=len(sizes))))
    counts = np.stack([(every == place) @ np.array(sizes) for place in range(3)], axis=1)
    allowed = counts[((counts > 0) | (wanted == 0)).all(axis=1)]
    mine = np.bincount(side, weights=sizes, minlength=3)
    assert ((mine > 0) | (wanted[0] == 0)).all()
    assert np.abs(mine - wanted).sum() == np.abs(allowed - wanted).sum(axis=1).min()


@settings(max_examples=examples(60), deadline=None)
@given(st.integers(3, 60), st.sampled_from([(0.8, 0.1), (0.5, 0.25), (0.05, 0.9), (0.7, 1)]), st.integers(0, 3))
def test_val_has_its_share_or_number(n, asked, seed):
    """Each side has an image at least; test has what is left; who is in test does not depend on val."""
    ratio, val = asked
    table = make_table(some_rows(2 * n))
    decided, notes = split_images(table, SplitSettings(ratio=ratio, val=val, seed=seed), LABELS)
    for label in LABELS:
        counts = decided[decided["label"] == label]["split"].value_counts()
        in_val = val if isinstance(val, int) else min(max(round(val * n), 1), n - 2)
        assert len(counts) == 3 and counts["val"] == in_val and abs(counts["train"] - ratio * n) <= 2
    assert notes == ()
    in_test = (decided["split"] == "test").sum() // 2
    alone, _ = split_images(table, SplitSettings(train=n - in_test, test=in_test, seed=seed), LABELS)
    assert (alone["split"] == "test").equals(decided["split"] == "test")


def test_val_stays_when_the_set_grows():
    """With the previous split, the images of val stay there, newcomers fill it up, and groups are whole."""
    rows = some_rows(120)
    for n, row in enumerate(rows):
        row["author"] = f"author {n // 3}"
    asked = SplitSettings(ratio=0.7, val=0.15)
    first, _ = split_images(make_table(rows[:80]), asked, LABELS)
    assert first["split"].value_counts().to_dict() == {"train": 56, "val": 12, "test": 12}
    previous = first[["sha256", "split"]].dropna()
    second, _ = split_images(make_table(rows), asked, LABELS, previous)
    kept = second.merge(previous, on="sha256", suffixes=("", "_before"))
    assert (kept["split"] == kept["split_before"]).all()
    assert second["split"].value_counts().to_dict() == {"train": 84, "val": 18, "test": 18}
    assert (second.groupby("author")["split"].nunique() == 1).all()


def test_val_is_counted_with_the_others():
    """Exact counts include it, and each side needs an image."""
    decided, _ = split_images(make_table(some_rows(20)), SplitSettings(train=6, val=1, test=3), LABELS)
    assert decided["split"].value_counts().to_dict() == {"train": 12, "val": 2, "test": 6}
    with pytest.raises(ShortfallError, match="train = 7, val = 1 and test = 3 images a label, 11 together"):
        split_images(make_table(some_rows(20)), SplitSettings(train=7, val=1, test=3), LABELS)
    with pytest.raises(ShortfallError, match="too few for three sides") as caught:
        split_images(make_table(some_rows(4)), SplitSettings(val=0.1), LABELS)
    assert caught.value.missing == {"rugby": 1, "soccer": 1}
    with pytest.raises(ShortfallError, match="too few for val = 9 and two more sides"):
        split_images(make_table(some_rows(20)), SplitSettings(val=9), LABELS)
