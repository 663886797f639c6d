"""The planned world: repeatable, over both sources, every kind of trouble planted in each label."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest

from curator.catalog import Drop
from curator.demo.listing import KEPT, NOT_LISTED, World
from curator.demo.world import LEAST_N_PER_LABEL, build_world, plan_world

KINDS = {
    *("clean", "exact-copy", "resized-copy", "reencoded-copy", "mirrored-copy", "rotated-copy", "both-labels"),
    *("slow-host", "busy-host", "exif-turned", "png", "wrong-type", "bucket-gap", "verified-negative"),
    *("gone", "gone-for-good", "forbidden", "refused-port", "html-page", "placeholder", "placeholder-redirect"),
    *("truncated", "cut-connection", "corrupt", "empty", "tiny", "banner", "pixel-bomb", "opted-out"),
}


def fake_gallery(n: int, world: World) -> dict[str, list[bytes]]:
    """Give ``n`` pictures a label without drawing any: which one a plant takes does not matter."""
    pictures = [answer.body for address, answer in world.answers.items() if address.path.endswith(".jpg")]
    sound = [body for body in pictures if body.startswith(b"\xff\xd8") and body.endswith(b"\xff\xd9")]
    return {label: [sound[index % len(sound)] for index in range(n)] for label in world.labels}


def test_a_seed_gives_the_same_world(world: World) -> None:
    """Listings and answers agree in every byte."""
    again = build_world(seed=3, n_per_label=LEAST_N_PER_LABEL)
    assert again.listings == world.listings
    assert again.answers == world.answers


def test_another_seed_gives_another_world(world: World) -> None:
    """The plan depends on the seed even where the pictures do not."""
    gallery = fake_gallery(LEAST_N_PER_LABEL, world)
    assert plan_world(1, gallery).listings != plan_world(2, gallery).listings


def test_every_kind_of_trouble_is_planted_in_each_label(world: World) -> None:
    """Even the smallest world holds each kind at least once a label."""
    kinds = defaultdict(set)
    for row in world.listings:
        kinds[row.label].add(row.plant.kind)
    assert kinds["rugby"] == kinds["soccer"] == KINDS


def test_all_places_of_both_sources_are_used(world: World) -> None:
    """ImageNet, and validation, test, boxable train and the rest of train, each list some of either label."""
    gallery = fake_gallery(120, world)
    places = Counter((row.label, row.source, row.subset, row.in_bucket) for row in plan_world(0, gallery).listings)
    open_images = [("validation", True), ("test", True), ("train", True), ("train", False)]
    expected = {("imagenet", "", False), *(("open-images", *place) for place in open_images)}
    assert set(places) == {(label, *place) for label in world.labels for place in expected}
    assert min(places.values()) >= 5


def test_every_picture_is_listed_and_sound_ones_may_be_kept(world: World) -> None:
    """Of each picture of the gallery some row may be kept, except where it is under both labels."""
    expected = defaultdict(set)
    for row in world.listings:
        expected[row.plant.picture].update(row.plant.expected)
    drawn = [f"{label}-{index}" for label in world.labels for index in range(LEAST_N_PER_LABEL)]
    lost = [picture for picture in drawn if KEPT not in expected[picture]]
    assert all(expected[picture] == {Drop.LABEL_CONFLICT} for picture in lost)
    assert len(lost) == 2


def test_source_ids_name_one_image_each(world: World) -> None:
    """A label and a source id tell a row; what has an address is answered there, but for closed ports."""
    keys = Counter((row.label, row.source_id) for row in world.listings)
    assert max(keys.values()) == 1
    addresses = {row.address for row in world.listings if row.address.host != "closed"}
    assert addresses <= set(world.answers)


def test_a_bucket_gap_is_a_missing_copy_only(world: World) -> None:
    """The bucket lacks the image, the original address has it; all other bucket images are there."""
    for row in (row for row in world.listings if row.in_bucket):
        assert (row.bucket_address in world.answers) == (row.plant.kind != "bucket-gap")
        assert world.answers[row.address].body


def test_a_verified_negative_is_the_other_labels_picture(world: World) -> None:
    """The same image id is listed as present under the other label, and must not be listed under this one."""
    present = {row.source_id: row.label for row in world.listings if row.positive}
    negatives = [row for row in world.listings if not row.positive]
    assert len(negatives) == 2
    for row in negatives:
        assert row.plant.expected == (NOT_LISTED,)
        assert present[row.source_id] != row.label


def test_too_small_a_world_is_refused() -> None:
    """There would not be a picture for each kind of trouble."""
    with pytest.raises(ValueError, match="n_per_label must be >= 16, not 15"):
        build_world(n_per_label=15)
