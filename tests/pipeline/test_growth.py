"""Fetch more, split again: through the pipeline, on files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from curator import catalog
from curator.catalog import Stage
from curator.errors import CuratorError
from curator.export.export import export_dataset, find_format
from curator.manifests.made_with import MadeWith
from curator.manifests.manifest import read_manifest
from curator.manifests.project import Project
from curator.manifests.reviews import Review, append_review
from curator.pipeline import made_from, publish
from curator.pipeline import run_stages as pipeline
from tests.small_worlds import picture, recipe_text, small_project, write_folder


def splits(project: Project) -> dict[str, str]:
    rows = read_manifest(project.paths.manifest)
    return dict(zip(rows["sha256"], rows["split"], strict=True))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Ten images a label, split."""
    project = small_project(tmp_path, recipe_text(write_folder(tmp_path / "photos", 10), "max"))
    pipeline.fetch(project)
    pipeline.decide(project, Stage.SPLIT, {})
    return project


def grow(project: Project, n: int) -> None:
    """Put ``n`` more pictures a label into the folder and fetch them."""
    root = Path(project.recipe.sources[0].path)
    for index, label in enumerate(("rugby", "soccer")):
        for number in range(n):
            picture(5000 + 1000 * index + number).save(root / label / f"more-{number:03d}.jpg", quality=90)
    pipeline.fetch(project)


def test_an_unchanged_second_split_is_skipped_byte_for_byte(project: Project) -> None:
    """The manifest that a split wrote itself is no news to it, nor to the next, also after a growth."""
    for _ in range(2):
        before = project.paths.manifest.read_bytes()
        for _ in range(2):
            assert pipeline.decide(project, Stage.SPLIT, {}).skipped
            assert made_from.latest_stage(project) == Stage.SPLIT
        assert not pipeline.decide(project, Stage.SPLIT, {}, force=True).skipped
        assert project.paths.manifest.read_bytes() == before
        assert pipeline.decide(project, Stage.SPLIT, {}).skipped
        grow(project, 5)
        pipeline.decide(project, Stage.SPLIT, {})


def test_growth_moves_no_image(project: Project) -> None:
    """All that was in train is in train, all that was in test in test, and the ratio holds."""
    before = splits(project)
    grow(project, 10)
    assert not pipeline.decide(project, Stage.SPLIT, {}).skipped
    after = splits(project)
    assert before.items() <= after.items()
    assert len(after) == 40
    assert sum(split == "test" for split in after.values()) == 8


def test_a_copy_that_comes_later_replaces_nothing(project: Project) -> None:
    """The same pictures again, larger: the manifest stays, and they are the duplicates; a new split takes them."""
    before = splits(project)
    root = Path(project.recipe.sources[0].path)
    for index, label in enumerate(("rugby", "soccer")):
        for number in range(10):
            larger = picture(1000 * index + number).resize((320, 240))
            larger.save(root / label / f"larger-{number:03d}.jpg", quality=95)
    pipeline.fetch(project)
    table = pipeline.decide(project, Stage.SPLIT, {}).table
    assert splits(project) == before
    assert catalog.counts(table)["dropped"] == {"near-duplicate": 20}
    pipeline.decide(project, Stage.SPLIT, {}, resplit=True)
    assert not splits(project).keys() & before.keys()


def test_who_comes_back_comes_back_to_the_same_side(project: Project) -> None:
    """An image that left, here by a smaller number a label, and returns much later was trained on all the same."""
    before = splits(project)
    pipeline.decide(project, Stage.SPLIT, {"balance": {"per_class": 4}})
    assert len(splits(project)) == 8
    grow(project, 10)
    pipeline.decide(project, Stage.SPLIT, {"balance": {"per_class": 6}})
    pipeline.decide(project, Stage.SPLIT, {"balance": {"per_class": "max"}})
    after = splits(project)
    assert before.items() <= after.items() and len(after) == 40
    assert "left" not in json.loads(project.paths.made_with.read_text(encoding="utf-8"))


def test_what_a_person_keeps_is_no_surplus(tmp_path: Path) -> None:
    """An image over the limit that is marked keep takes a place in the next manifest, beside one that stood."""
    made = small_project(tmp_path, recipe_text(write_folder(tmp_path / "photos", 10), 5))
    pipeline.fetch(made)
    table = pipeline.decide(made, Stage.SPLIT, {}).table
    left_out = table[(table["drop_reason"] == catalog.Drop.SURPLUS) & (table["label"] == "rugby")].iloc[0]
    before = splits(made)
    append_review(made.paths.reviews, Review("2026-01-02T03:04:05Z", "ann", left_out["sha256"], "rugby", "keep"))
    pipeline.decide(made, Stage.SPLIT, {})
    after = splits(made)
    assert left_out["sha256"] in after
    assert len(after) == 10
    assert len(before.items() & after.items()) == 9


def test_a_new_split_remembers_nobody(project: Project) -> None:
    """With ``--resplit`` no side is held, nor that of those who left."""
    pipeline.decide(project, Stage.SPLIT, {"balance": {"per_class": 4}})
    recorded = json.loads(project.paths.made_with.read_text(encoding="utf-8"))["left"]
    assert sum(map(len, recorded.values())) == 12
    pipeline.decide(project, Stage.SPLIT, {"split": {"seed": 1}}, resplit=True)
    assert "left" not in json.loads(project.paths.made_with.read_text(encoding="utf-8"))


def test_a_split_that_was_killed_before_the_manifest_loses_no_side(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``manifest.json`` stands and the manifest is the old one: the next run publishes, with every side as it was."""
    before = splits(project)
    write = publish.write_made_with

    def dies(path: Path, made_with: MadeWith) -> None:
        write(path, made_with)
        raise KeyboardInterrupt

    monkeypatch.setattr(publish, "write_made_with", dies)
    with pytest.raises(KeyboardInterrupt):
        pipeline.decide(project, Stage.SPLIT, {"balance": {"per_class": 4}})
    monkeypatch.undo()
    assert splits(project) == before
    pipeline.decide(project, Stage.SPLIT, {"balance": {"per_class": 4}})
    pipeline.decide(project, Stage.SPLIT, {"balance": {"per_class": "max"}})
    assert splits(project) == before


@pytest.mark.parametrize("change", [{"seed": 1}, {"ratio": 0.5}])
def test_another_split_is_refused_until_it_is_asked_for(project: Project, change: dict[str, float]) -> None:
    """The message names what changes and the way; ``--resplit`` does it, once."""
    before = project.paths.manifest.read_bytes()
    with pytest.raises(CuratorError, match=rf"change {next(iter(change))} from .*--resplit"):
        pipeline.decide(project, Stage.SPLIT, {"split": change})
    assert project.paths.manifest.read_bytes() == before
    pipeline.decide(project, Stage.SPLIT, {"split": change}, resplit=True)
    assert project.paths.manifest.read_bytes() != before
    assert pipeline.decide(project, Stage.SPLIT, {"split": change}).skipped


def test_a_new_split_that_was_killed_before_the_folders_is_made_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The manifest is the new one, folders and catalog are the old ones: the next split repeats nothing."""

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(publish, "swap_folders", dies)
    with pytest.raises(KeyboardInterrupt):
        pipeline.decide(project, Stage.SPLIT, {"split": {"seed": 1}}, resplit=True)
    monkeypatch.undo()
    table = pipeline.decide(project, Stage.SPLIT, {}, resplit=True).table
    kept = catalog.kept(table)
    assert splits(project) == dict(zip(kept["sha256"], kept["split"], strict=True))
    rows = read_manifest(project.paths.manifest)
    assert all((project.paths.folder / file).exists() for file in rows["file"])


def test_an_unstable_split_is_made_anew(project: Project) -> None:
    """``stable = false`` lets another seed move images."""
    unstable = replace(project, recipe=project.recipe.with_overrides("split", stable=False))
    before = splits(project)
    pipeline.decide(unstable, Stage.SPLIT, {"split": {"seed": 1}})
    assert splits(project) != before
    assert splits(project).keys() == before.keys()


def test_a_manifest_from_elsewhere_is_held(project: Project) -> None:
    """What stands under manifests/ counts, whoever wrote it: a clone goes on with the split that was committed."""
    text = project.paths.manifest.read_text(encoding="utf-8")
    swapped = text.replace(",train,", ",?,").replace(",test,", ",train,").replace(",?,", ",test,")
    project.paths.manifest.write_text(swapped, encoding="utf-8")
    held = splits(project)
    assert not pipeline.decide(project, Stage.SPLIT, {}).skipped
    assert splits(project) == held


def test_val_is_a_side_everywhere(project: Project) -> None:
    """Asked for of an existing set it moves images, so it is refused but for a new split; then it has its folder."""
    asked = {"split": {"val": 0.1}}
    with pytest.raises(CuratorError, match=r"val from none to 0\.1: images would move") as refused:
        pipeline.decide(project, Stage.SPLIT, asked)
    assert "curator split --resplit --val 0.1" in str(refused.value)
    pipeline.decide(project, Stage.SPLIT, asked, resplit=True)
    before = splits(project)
    assert sorted(before.values()) == ["test"] * 2 + ["train"] * 16 + ["val"] * 2
    folder = project.paths.split_folder("val")
    assert sorted(path.name for path in folder.iterdir()) == ["rugby", "soccer"]
    assert len(list(folder.rglob("*.jpg"))) == 2
    grow(project, 10)
    pipeline.decide(project, Stage.SPLIT, asked)
    after = splits(project)
    assert before.items() <= after.items() and list(after.values()).count("val") == 4
    for name in ("imagefolder", "keras", "coco", "croissant"):
        folder = Path(export_dataset(project, find_format(name)).path)
        assert any("val" in path.name.split(".")[0].lower() for path in folder.rglob("*")) or name == "croissant"
