"""Fetch more, split again: through the pipeline, on files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from curator import catalog, pipeline
from curator.catalog import Stage
from curator.errors import CuratorError
from curator.manifest import read_manifest
from curator.project import Project
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
            assert pipeline.latest_stage(project) == Stage.SPLIT
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


def test_a_near_duplicate_of_an_image_comes_to_its_side_or_is_dropped(project: Project) -> None:
    """The same pictures again, larger: they take the place of the old ones, on the same side."""
    before = {row["record_id"]: row["split"] for _, row in read_manifest(project.paths.manifest).iterrows()}
    root = Path(project.recipe.sources[0].path)
    for index, label in enumerate(("rugby", "soccer")):
        for number in range(10):
            larger = picture(1000 * index + number).resize((320, 240))
            larger.save(root / label / f"larger-{number:03d}.jpg", quality=95)
    pipeline.fetch(project)
    table = pipeline.decide(project, Stage.SPLIT, {}).table
    replaced = catalog.dropped(table)
    replaced = replaced[replaced["record_id"].isin(before.keys())]
    now = dict(zip(table["record_id"], table["split"], strict=True))
    assert len(replaced) > 15
    for old, keeper in zip(replaced["record_id"], replaced["duplicate_of"], strict=True):
        assert now[keeper] == before[old]


@pytest.mark.parametrize("change", [{"seed": 1}, {"ratio": 0.5}])
def test_another_split_is_refused_until_it_is_asked_for(project: Project, change: dict[str, float]) -> None:
    """The message names what changes and the way; ``--resplit`` does it, once."""
    before = project.paths.manifest.read_bytes()
    with pytest.raises(CuratorError, match=rf"changes {next(iter(change))} from .*--resplit"):
        pipeline.decide(project, Stage.SPLIT, {"split": change})
    assert project.paths.manifest.read_bytes() == before
    pipeline.decide(project, Stage.SPLIT, {"split": change}, resplit=True)
    assert project.paths.manifest.read_bytes() != before
    assert pipeline.decide(project, Stage.SPLIT, {"split": change}).skipped


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
