"""The public API as a notebook uses it: results, errors, pictures; nothing printed, nothing lost."""

from __future__ import annotations

import errno
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import curator
from curator.errors import CuratorError, DiskError, StateError
from curator.events import Event, ImageFetched, StageFinished, WorkAdvanced
from tests.small_worlds import write_folder

LABELS = ["rugby", "soccer"]


def make(place: Path, **more: Any) -> curator.Dataset:
    """Create a data set of twelve pictures a label in ``place``."""
    folder = place / "photos"
    if not folder.exists():
        write_folder(folder, 12)
    return curator.create(
        "small",
        labels=LABELS,
        sources=[{"kind": "folder", "path": folder}],
        manifests=place / "manifests",
        data=place / "data",
        **more,
    )


@pytest.fixture
def small(tmp_path: Path) -> curator.Dataset:
    """The data set, nothing done yet."""
    return make(tmp_path)


@pytest.fixture
def done(small: curator.Dataset) -> curator.Dataset:
    """The data set, split."""
    small.run(benchmark=False)
    return small


def test_stages_return_counts_and_print_nothing(
    small: curator.Dataset, capsys: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    """Fetch, dedupe, balance, split: each with its counts and its table; a second run skips."""
    fetched, deduped = small.fetch(), small.dedupe()
    balanced, split = small.balance(10), small.split(0.8)
    assert (fetched.counts["kept"], deduped.counts["kept"], balanced.counts["kept"]) == (24, 24, 20)
    assert split.status.splits == {"train": {"rugby": 8, "soccer": 8}, "test": {"rugby": 2, "soccer": 2}}
    assert len(split.table) == split.counts["listed"] == 24 and not split.missing and not split.skipped
    assert small.split(0.8).skipped
    assert capsys.readouterr() == ("", "") and not recwarn.list


def test_the_command_line_and_the_api_are_one(done: curator.Dataset, tmp_path: Path) -> None:
    """A data set that the API made opens by its recipe's path, current, with the same table."""
    opened = curator.open(tmp_path / "manifests" / "small" / "recipe.toml", data=tmp_path / "data")
    assert opened.split().skipped
    assert opened.table.equals(done.table) and len(opened.manifest) == 24
    assert opened.status().counts["kept"] == 24


def test_create_writes_a_recipe_that_can_be_moved(
    small: curator.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative path in it starts at the recipe; what is there is not overwritten; a mistake writes nothing."""
    monkeypatch.chdir(tmp_path)
    made = curator.create("moved", labels=LABELS, sources=[{"kind": "folder", "path": "photos"}])
    assert 'path = "../../photos"' in Path("manifests/moved/recipe.toml").read_text()
    assert made.fetch().counts["kept"] == 24
    with pytest.raises(CuratorError, match="exists already"):
        curator.create("moved", labels=LABELS, sources=[{"kind": "folder", "path": "photos"}])
    with pytest.raises(CuratorError, match="kind must be one of") as error:
        curator.create("wrong", labels=LABELS, sources=[{"kind": "floppy"}, {"kind": "folder", "layout": "nothing"}])
    assert "nothing" in str(error.value) and not Path("manifests/wrong").exists()


def test_images_are_upright_rgb_in_the_order_of_the_manifest(done: curator.Dataset) -> None:
    """One picture a row of the manifest, with its label."""
    rows = done.manifest.query("split == 'train'")
    pictures = list(done.images("train"))
    assert [label for _, label in pictures] == rows["label"].tolist()
    assert [picture.size for picture, _ in pictures] == list(zip(rows["width"], rows["height"], strict=True))
    assert {picture.mode for picture, _ in pictures} == {"RGB"}
    with pytest.raises(CuratorError, match="There is no split 'tests'"):
        next(iter(done.images("tests")))


def test_a_missing_file_is_one_clear_error(done: curator.Dataset) -> None:
    """The file and the command that finds all of them are named."""
    file = done.paths.folder / done.manifest["file"][0]
    file.unlink()
    with pytest.raises(StateError, match="curator verify"):
        list(done.images(done.manifest["split"][0]))


def test_to_tf_gives_batches_of_the_same_pixels(done: curator.Dataset) -> None:
    """float32 in 0 to 255, labels numbered as in ``labels``; at its own size a picture is untouched."""
    pytest.importorskip("tensorflow")
    batches = list(done.to_tf("train", image_size=(120, 160), batch_size=5))
    pictures = np.concatenate([batch.numpy() for batch, _ in batches])
    numbers = np.concatenate([labels.numpy() for _, labels in batches])
    wanted = list(done.images("train"))
    assert [done.labels[number] for number in numbers] == [label for _, label in wanted]
    assert np.array_equal(pictures, np.stack([np.asarray(picture, np.float32) for picture, _ in wanted]))
    assert pictures.dtype == np.float32 and batches[0][0].shape == (5, 120, 160, 3)


def test_to_torch_is_a_map_style_dataset(done: curator.Dataset) -> None:
    """Length, items, ``transform``, torchvision's attributes, and it can be pickled for workers."""
    pytest.importorskip("torch")
    pairs = pickle.loads(pickle.dumps(done.to_torch("test", transform=np.asarray)))
    picture, number = pairs[0]
    wanted, label = next(iter(done.images("test")))
    assert len(pairs) == len(done.manifest.query("split == 'test'")) and pairs.classes == LABELS
    assert np.array_equal(picture, np.asarray(wanted)) and LABELS[number] == label


def test_to_hf_has_both_splits_and_the_same_pixels(done: curator.Dataset) -> None:
    """``image`` and ``label``; the labels' names in order."""
    pytest.importorskip("datasets")
    splits = done.to_hf()
    assert set(splits) == {"train", "test"} and splits["train"].features["label"].names == LABELS
    wanted, label = next(iter(done.images("train")))
    first = splits["train"][0]
    assert LABELS[first["label"]] == label and np.array_equal(np.asarray(first["image"]), np.asarray(wanted))


@pytest.mark.parametrize(("method", "package"), [("to_tf", "tensorflow"), ("to_torch", "torch"), ("to_hf", "datasets")])
def test_a_missing_library_is_one_line(
    done: curator.Dataset, method: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is missing, and how to get it."""
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, f"curator.export.loaders.for_{package}", raising=False)
    with pytest.raises(CuratorError, match=rf"needs the package {package}.*`pip install {package}`") as error:
        getattr(done, method)()
    assert "\n" not in str(error.value)


def test_a_notebook_shows_counts_and_pictures(small: curator.Dataset, done: curator.Dataset) -> None:
    """Before and after; text is escaped; pictures are small and inside."""
    html = done._repr_html_()
    assert "<b>small</b>" in html and html.count("data:image/jpeg;base64") == 12
    assert "split" in repr(done) and len(html) < 200_000


def test_before_the_fetch_a_notebook_shows_that(small: curator.Dataset) -> None:
    """No picture, no error; the table says what to run."""
    assert "nothing fetched yet" in small._repr_html_() and "nothing fetched yet" in repr(small)
    with pytest.raises(StateError, match="Run `curator fetch` first"):
        _ = small.table


def test_errors_are_never_an_exit(small: curator.Dataset) -> None:
    """A wrong option, what is not there yet, an unknown format: all CuratorErrors, and no SystemExit."""
    for act in (
        lambda: small.split(1.5),
        lambda: small.export("floppy"),
        lambda: small.verify(),
        lambda: small.why("nobody"),
        lambda: curator.open("no-such-set"),
    ):
        with pytest.raises(CuratorError):
            act()


def test_a_disk_that_refuses_is_a_disk_error(done: curator.Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a bare OSError."""

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "somewhere")

    monkeypatch.setattr("curator.inspect.verify.verify_files", refuse)
    with pytest.raises(DiskError, match="The disk refused somewhere: No space left"):
        done.verify()


def test_ctrl_c_in_a_cell_loses_nothing(tmp_path: Path) -> None:
    """Interrupted in the fetch and between stages, then run again: the manifest of an undisturbed run."""
    undisturbed = make(tmp_path / "one")
    undisturbed.run(benchmark=False)
    presses = interrupts()
    disturbed = make(tmp_path / "two", emit=lambda event: next(presses)(event))
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            disturbed.run(benchmark=False)
    disturbed.run(benchmark=False)
    assert disturbed.manifest["sha256"].tolist() == undisturbed.manifest["sha256"].tolist()
    assert disturbed.manifest["split"].tolist() == undisturbed.manifest["split"].tolist()
    assert disturbed.verify().findings == ()


def interrupts() -> Iterator[Any]:
    """Yield listeners: one presses Ctrl-C at a picture, one after a stage, then none."""
    pressed: set[type] = set()

    def listen(event: Event) -> None:
        for kinds in ((ImageFetched, WorkAdvanced), (StageFinished,)):
            if isinstance(event, kinds) and kinds[0] not in pressed:
                pressed.add(kinds[0])
                raise KeyboardInterrupt

    while True:
        yield listen


def test_review_decisions_are_a_table(done: curator.Dataset) -> None:
    """What people decided, one row an image."""
    from curator.manifests.reviews import Review, append_review

    assert done.review_decisions().empty
    row = done.manifest.iloc[0]
    append_review(done.paths.reviews, Review("2026-01-02T03:04:05Z", "ann", row["sha256"], row["label"], "drop"))
    decisions = done.review_decisions()
    assert decisions[["who", "decision"]].values.tolist() == [["ann", "drop"]]
    assert done.split().counts["kept"] < 24


def test_a_warning_is_a_warning(tmp_path: Path) -> None:
    """What a person should know arrives through ``warnings``."""
    for folder in (write_folder(tmp_path / "photos", 3), tmp_path / "others"):
        folder.mkdir(exist_ok=True)
    (tmp_path / "others" / "notes.txt").write_text("no folder of a label")
    sources = [{"kind": "folder", "path": tmp_path / name} for name in ("photos", "others")]
    places = {"manifests": tmp_path / "manifests", "data": tmp_path / "data"}
    with pytest.warns(UserWarning, match="The source folder could not be listed: "):
        curator.create("short", labels=LABELS, sources=sources, **places).run(benchmark=False, ratio=0.5)
    assert small.name == "small"
