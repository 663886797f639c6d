"""What the benchmark reads from a manifest, and what it says of one that it cannot use."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from curator.benchmark.images.arrays import image_array
from curator.benchmark.images.augment import augment_images
from curator.benchmark.images.labelled_images import cut_parts, load_images, validation_rows
from curator.embed.squares import read_square
from curator.errors import StateError
from curator.events import WorkStarted, ignore
from tests.fuzz.rounds import examples


def test_labels_keep_the_recipes_order(drawn_set: Any) -> None:
    """The models' outputs are in the recipe's order of labels, whatever the manifest's."""
    images = load_images(drawn_set.paths.manifest, ("square", "disc"))
    assert images.labels == ("square", "disc")
    assert (images.table["label"] == np.array(images.labels)[images.label_index]).all()
    assert (len(images.rows("train")), len(images.rows("test"))) == (40, 16)


def test_a_missing_manifest_names_the_command_that_writes_it(empty_set: Any) -> None:
    """No manifest yet: the paragraph says `curator split`."""
    with pytest.raises(StateError, match=r"is not there\. `curator split`"):
        load_images(empty_set.paths.manifest, ("disc", "square"))


def test_one_label_is_refused(empty_set: Any) -> None:
    """A comparison needs two labels."""
    empty_set.add("disc", "train", 1)
    empty_set.write()
    with pytest.raises(StateError, match="only the label 'disc'"):
        load_images(empty_set.paths.manifest, ("disc", "square"))


@pytest.mark.parametrize(("n_train", "n_test", "said"), [(4, 2, "train images .square has 4"), (6, 0, "square has 0")])
def test_a_class_with_too_few_images_is_refused(empty_set: Any, n_train: int, n_test: int, said: str) -> None:
    """Fewer training images than folds, or none to test on, is refused with the count."""
    for label, counts in (("disc", (8, 2)), ("square", (n_train, n_test))):
        for split, count in zip(("train", "test"), counts, strict=True):
            for number in range(count):
                empty_set.add(label, split, number + 100 * (split == "test"))
    empty_set.write()
    with pytest.raises(StateError, match=said):
        load_images(empty_set.paths.manifest, ("disc", "square"))


def test_images_are_decoded_once(drawn_set: Any) -> None:
    """A second run maps the first one's array and decodes nothing."""
    images = load_images(drawn_set.paths.manifest, ("disc", "square"))
    first = image_array(images.table, drawn_set.paths, 32, ignore)
    second = image_array(images.table, drawn_set.paths, 32, drawn_set.events.append)
    assert isinstance(second, np.memmap)
    assert second.dtype == np.uint8
    assert np.array_equal(first, second)
    assert not [event for event in drawn_set.events if isinstance(event, WorkStarted)]


def test_missing_changed_and_broken_files_are_all_named(drawn_set: Any) -> None:
    """Each bad file is named with what is wrong, the way out is `curator verify`, and no array is left behind."""
    images = load_images(drawn_set.paths.manifest, ("disc", "square"))
    gone, changed = (drawn_set.paths.image(images.table["sha256"].iloc[row], "png") for row in (0, 1))
    gone.unlink()
    changed.write_bytes(b"something else")
    with pytest.raises(StateError) as raised:
        image_array(images.table, drawn_set.paths, 32, ignore)
    message = str(raised.value)
    assert f"2 images cannot be used: {min(images.table['record_id'][:2])}" in message
    assert "No such file" in message
    assert "has changed since it was fetched" in message
    assert "`curator verify`" in message
    assert not [path for path in drawn_set.paths.benchmark.rglob("*") if path.is_file()]


def test_a_kept_array_does_not_hide_files_gone_or_cut_off_since(drawn_set: Any) -> None:
    """The second run finds the array of the first, and names a file that is gone and one that lost its end."""
    drawn_set.count_bytes()
    images = load_images(drawn_set.paths.manifest, ("disc", "square"))
    image_array(images.table, drawn_set.paths, 32, ignore)
    gone, short = (drawn_set.paths.image(images.table["sha256"].iloc[row], "png") for row in (0, 1))
    gone.unlink()
    short.write_bytes(short.read_bytes()[:-1])
    with pytest.raises(StateError, match=r"2 images .*No such file.*`curator verify`") as raised:
        image_array(images.table, drawn_set.paths, 32, ignore)
    assert f"{short} has changed since it was fetched" in str(raised.value)


def test_an_undecodable_image_is_named(tmp_path: Any) -> None:
    """A file that is what the manifest says but no image is said to be undecodable."""
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n nothing more")
    sha256 = "74a5b2a1fb7a4d3c"
    with pytest.raises(StateError, match="changed since"):
        read_square(path, sha256, 32)
    import hashlib

    with pytest.raises(StateError, match="cannot be decoded"):
        read_square(path, hashlib.sha256(path.read_bytes()).hexdigest(), 32)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_are_applied(tmp_path: Any, orientation: int) -> None:
    """A picture stored turned, with its EXIF orientation, is read upright."""
    import hashlib

    upright = np.zeros((64, 64, 3), dtype=np.uint8)
    upright[:32, :32] = (255, 0, 0)
    upright[:32, 32:] = (0, 255, 0)
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    image = Image.fromarray(upright)
    if orientation > 1:
        image = image.transpose(Image.Transpose(undo[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "a.jpg"
    image.save(path, quality=95, exif=exif, subsampling=0)
    square = read_square(path, hashlib.sha256(path.read_bytes()).hexdigest(), 32)
    assert square[8, 8].tolist() == pytest.approx([255, 0, 0], abs=8)
    assert square[8, 24].tolist() == pytest.approx([0, 255, 0], abs=8)


@settings(max_examples=examples(50), deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 30)), min_size=30, max_size=200),
    st.floats(0.1, 0.4),
)
def test_validation_keeps_groups_whole_and_labels_in_proportion(rows: list[tuple[int, int]], share: float) -> None:
    """No group is on both sides, no label overshoots its share, and every label is in both parts."""
    full = [(label, 1000 + 10 * label + k) for label in range(3) for k in range(10)] + rows
    labels, groups = np.array([row[0] for row in full]), np.array([f"g{row[1]}" for row in full], dtype=object)
    chosen = validation_rows(labels, groups, share)
    assert not set(groups[chosen]) & set(groups[~chosen])
    counts, totals = np.bincount(labels[chosen], minlength=3), np.bincount(labels, minlength=3)
    assert (counts >= 1).all()
    assert (counts <= np.maximum(1, np.round(share * totals))).all()


def test_a_label_of_one_group_cannot_be_validated() -> None:
    """Where all images of a label are one group, the error says what to change."""
    labels, groups = np.array([0, 0, 1, 1, 1]), np.array(["a", "a", "b", "c", "d"], dtype=object)
    with pytest.raises(StateError, match="one group"):
        validation_rows(labels, groups, 0.2)


def test_augmentation_depends_on_the_image_and_the_key_alone() -> None:
    """The same image is augmented alike in any batch, and otherwise under another key."""
    images = np.random.default_rng(0).integers(0, 255, (3, 32, 32, 3), dtype=np.uint8)
    together = augment_images(images, [5, 6, 7], 0, 1)
    assert np.array_equal(together[2], augment_images(images[2:], [7], 0, 1)[0])
    assert not np.array_equal(together[2], augment_images(images[2:], [7], 0, 2)[0])
    assert not np.array_equal(together[2], images[2])


def test_the_val_part_of_the_manifest_is_watched(drawn_set: Any) -> None:
    """It takes the place of a part of train, if each label has images there; the article's way of training stays."""
    images = load_images(drawn_set.paths.manifest, ("disc", "square"))
    train = images.rows("train")
    in_val = [next(row for row in train if images.label_index[row] == label) for label in (0, 1)]
    images.table.loc[in_val, "split"] = "val"
    parts = cut_parts(images, 0.15)
    assert parts.watched_is_val and sorted(parts.watched) == sorted(in_val)
    assert set(parts.train) == set(train) - set(in_val) and list(parts.test) == list(images.rows("test"))
    assert not cut_parts(images, 0).watched_is_val and list(cut_parts(images, 0).watched) == list(parts.test)
    images.table.loc[in_val[0], "split"] = "train"
    assert not cut_parts(images, 0.15).watched_is_val
