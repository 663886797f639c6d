"""The stages in order: what is kept adds up, what is unchanged is skipped, what was overridden stays."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from curator import catalog
from curator.catalog import Drop, Stage
from curator.errors import LockedError, ShortfallError, SourceError
from curator.events import Event, StageFinished, Warned
from curator.manifests.manifest import read_manifest
from curator.manifests.project import Project
from curator.pipeline import run_stages as pipeline
from curator.pipeline.acquire import AcquireOptions
from curator.store.catalog_files import read_catalog
from curator.store.lock import locked
from curator.text import spell
from tests.small_worlds import picture, recipe_text, small_project, write_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A dozen pictures a label, and of rugby an exact copy, a mirrored copy, a tiny one and a page."""
    root = write_folder(tmp_path / "photos", 12)
    rugby = root / "rugby"
    (rugby / "copy.jpg").write_bytes((rugby / "000.jpg").read_bytes())
    mirrored = picture(1).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    mirrored.resize((120, 90)).save(rugby / "mirrored.jpg")
    picture(77, (40, 30)).save(rugby / "tiny.jpg")
    (rugby / "page.jpg").write_text("<!DOCTYPE html><title>gone</title>")
    return root


@pytest.fixture
def project(tmp_path: Path, folder: Path) -> Project:
    return small_project(tmp_path, recipe_text(folder))


def reasons(table: pd.DataFrame) -> dict[str, str]:
    dropped = catalog.dropped(table)
    return dict(zip(dropped["source_id"], dropped["drop_reason"], strict=True))


def test_listed_is_kept_plus_dropped_by_reason(project: Project) -> None:
    """Every listed image is accounted for after every stage, with the reason that its trouble deserves."""
    pipeline.fetch(project)
    table = pipeline.decide(project, Stage.SPLIT, {}).table
    count = catalog.counts(table)
    assert count["listed"] == 28 == count["kept"] + sum(count["dropped"].values())
    assert count["kept"] == 20
    why = reasons(table)
    assert why["rugby/page.jpg"] == Drop.NOT_AN_IMAGE
    assert why["rugby/tiny.jpg"] == Drop.TOO_SMALL
    assert why["rugby/mirrored.jpg"] == Drop.NEAR_DUPLICATE
    assert {why.get("rugby/000.jpg"), why.get("rugby/copy.jpg")} >= {Drop.EXACT_DUPLICATE}


def test_the_manifest_and_the_folders_agree(project: Project) -> None:
    """Each manifest row is one read-only file in its folder, and nothing else is there."""
    pipeline.fetch(project)
    pipeline.decide(project, Stage.SPLIT, {})
    rows = read_manifest(project.paths.manifest)
    files = sorted(
        path.relative_to(project.paths.folder).as_posix()
        for split in ("train", "test")
        for path in project.paths.split_folder(split).rglob("*.*")
    )
    assert files == sorted(rows["file"])
    assert rows.groupby(["split", "label"]).size().to_dict() == {
        ("test", "rugby"): 2,
        ("test", "soccer"): 2,
        ("train", "rugby"): 8,
        ("train", "soccer"): 8,
    }
    mode = (project.paths.folder / files[0]).stat().st_mode
    assert not mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)


def test_running_again_changes_no_byte_and_skips_every_stage(project: Project) -> None:
    """The same input and settings mean nothing to do."""
    pipeline.fetch(project)
    pipeline.decide(project, Stage.SPLIT, {})
    before = {path: path.read_bytes() for path in project.paths.folder.rglob("*.parquet")}
    manifest = project.paths.manifest.read_bytes()
    seen: list[Event] = []
    again = Project(project.recipe, project.paths, seen.append)
    assert pipeline.fetch(again).skipped
    pipeline.decide(again, Stage.SPLIT, {})
    stages = [event for event in seen if isinstance(event, StageFinished)]
    assert [event.skipped for event in stages] == [True] * 4
    assert {path: path.read_bytes() for path in before} == before
    assert project.paths.manifest.read_bytes() == manifest


def test_two_data_folders_give_the_same_manifest(project: Project, tmp_path: Path) -> None:
    """The manifest depends on bytes and settings only, not on where or when."""
    manifests = []
    for name in ("one", "two"):
        other = small_project(tmp_path / name, (project.recipe.path or Path()).read_text())
        pipeline.fetch(other)
        pipeline.decide(other, Stage.SPLIT, {})
        manifests.append(other.paths.manifest.read_bytes())
    assert manifests[0] == manifests[1]


def test_an_option_is_accepted_by_later_stages_until_the_recipe_section_changes(
    project: Project, tmp_path: Path, folder: Path
) -> None:
    """``balance --per-class 6`` then ``split`` splits 6; a new [balance] in the recipe ends that."""
    pipeline.fetch(project)
    pipeline.decide(project, Stage.BALANCED, {"balance": {"per_class": 6}})
    assert catalog.counts(pipeline.decide(project, Stage.SPLIT, {}).table)["kept"] == 12
    changed = small_project(tmp_path, recipe_text(folder, per_class=8))
    assert catalog.counts(pipeline.decide(changed, Stage.SPLIT, {}).table)["kept"] == 16


def test_the_stage_itself_goes_back_to_the_recipe_without_its_option(project: Project) -> None:
    """An override lasts for the run that it was given to."""
    pipeline.fetch(project)
    pipeline.decide(project, Stage.BALANCED, {"balance": {"per_class": 6}})
    assert catalog.counts(pipeline.decide(project, Stage.BALANCED, {}).table)["kept"] == 20


def test_exact_mode_keeps_lookalikes_and_may_divide_them(tmp_path: Path) -> None:
    """Pictures that are alike on purpose stay, all of them; the same bytes are one image, and stay on one side."""
    folder = tmp_path / "photos"
    for label, seed in (("rugby", 1), ("soccer", 2)):
        (folder / label).mkdir(parents=True)
        for quality in range(60, 90, 3):
            picture(seed).save(folder / label / f"{quality}.jpg", quality=quality)
    project = small_project(tmp_path, recipe_text(folder, "all", more='[dedupe]\nmode = "exact"\n'))
    shutil.copyfile(folder / "rugby" / "60.jpg", folder / "rugby" / "again.jpg")
    pipeline.fetch(project)
    table = pipeline.decide(project, Stage.SPLIT, {}).table
    assert table["drop_reason"].value_counts().to_dict() == {"exact-duplicate": 1}
    sides = table[catalog.is_kept(table)].groupby("label")["split"].value_counts().to_dict()
    assert sides == {(label, side): n for label in ("rugby", "soccer") for side, n in (("train", 8), ("test", 2))}
    near = small_project(tmp_path, recipe_text(folder, "all"))
    with pytest.raises(ShortfallError, match="rugby"):
        pipeline.decide(near, Stage.SPLIT, {})


def test_off_drops_no_copy_and_still_keeps_the_same_bytes_together(tmp_path: Path) -> None:
    """Two files of the same bytes both stay, on one side of the split."""
    folder = write_folder(tmp_path / "photos", 6)
    for n in range(3):
        shutil.copyfile(folder / "rugby" / f"{n:03d}.jpg", folder / "rugby" / f"{n:03d}-again.jpg")
    project = small_project(tmp_path, recipe_text(folder, "all", more='[dedupe]\nmode = "off"\n'))
    pipeline.fetch(project)
    table = pipeline.decide(project, Stage.SPLIT, {}).table
    assert catalog.is_kept(table).all() and len(table) == 15
    assert (table.groupby("sha256")["split"].nunique() == 1).all()


def test_the_effective_settings_are_recorded_with_the_manifest(project: Project) -> None:
    """manifest.json states what was in effect, options included."""
    pipeline.fetch(project)
    pipeline.decide(project, Stage.SPLIT, {"split": {"seed": 7}, "balance": {"per_class": 5}})
    text = project.paths.made_with.read_text()
    assert '"seed": 7' in text and '"per_class": 5' in text


def test_too_few_images_write_nothing(tmp_path: Path, folder: Path) -> None:
    """The shortfall names what is missing and the command that would work; no manifest appears."""
    project = small_project(tmp_path, recipe_text(folder, per_class=13))
    assert pipeline.fetch(project).missing == {"soccer": 1}
    with pytest.raises(ShortfallError, match="--per-class max") as caught:
        pipeline.decide(project, Stage.SPLIT, {})
    assert caught.value.exit_code == 1
    assert not project.paths.manifest.exists()
    assert not project.paths.catalog(Stage.BALANCED).exists()


def test_deciding_before_fetching_fetches_first(project: Project) -> None:
    """No catalog yet: a stage brings all those before it up to date."""
    decided = pipeline.decide(project, Stage.DEDUPED, {})
    assert len(decided.table) > 0
    assert project.paths.catalog(Stage.FETCHED).exists()


def test_a_second_run_is_told_who_holds_the_data_set(project: Project) -> None:
    """Two runs at once: the second names the first's command and process."""
    with locked(project.paths.lock, "split"), pytest.raises(LockedError, match=rf"curator split.*{os.getpid()}"):
        pipeline.fetch(project)


def test_a_source_that_fails_does_not_stop_the_others(tmp_path: Path, folder: Path) -> None:
    """The run goes on with a warning that names the source."""
    broken = '[[sources]]\nkind = "imagenet"\nsynsets = { rugby = ["n00470966"] }\nurls = ["missing.txt"]\n'
    (tmp_path / "manifests" / "small").mkdir(parents=True)
    (tmp_path / "manifests" / "small" / "missing.txt").write_text("<html>moved</html>")
    project = small_project(tmp_path, recipe_text(folder).replace("[balance]", broken + "[balance]"))
    seen: list[Event] = []
    outcome = pipeline.fetch(Project(project.recipe, project.paths, seen.append))
    assert catalog.counts(outcome.table)["listed"] == 28
    (warning,) = (spell(event.message) for event in seen if isinstance(event, Warned))
    assert "imagenet could not be listed" in warning


def test_no_source_at_all_is_an_error(tmp_path: Path) -> None:
    """An empty success is never reported."""
    (tmp_path / "none" / "rugby").mkdir(parents=True)
    (tmp_path / "none" / "soccer").mkdir()
    project = small_project(tmp_path, recipe_text(tmp_path / "none"))
    with pytest.raises(SourceError):
        pipeline.fetch(project)


def test_a_limit_tries_that_many_images_a_label(project: Project) -> None:
    """The rest stays in the catalog as beyond-target."""
    table = pipeline.fetch(project, AcquireOptions(limit=3)).table
    tried = table[(table["drop_reason"] != Drop.BEYOND_TARGET).fillna(True).to_numpy(dtype=bool)]
    assert tried["label"].value_counts().to_dict() == {"rugby": 3, "soccer": 3}
    assert catalog.counts(table)["listed"] == 28


def test_a_file_added_to_the_folder_is_noticed(project: Project, folder: Path) -> None:
    """Fetching again lists again; the stages after it run again."""
    pipeline.fetch(project)
    pipeline.decide(project, Stage.SPLIT, {})
    picture(555).save(folder / "soccer" / "new.jpg")
    assert not pipeline.fetch(project).skipped
    assert catalog.counts(pipeline.decide(project, Stage.SPLIT, {}).table)["listed"] == 29


def test_a_lost_store_file_is_fetched_again(project: Project) -> None:
    """A stored image that someone deleted comes back with the next fetch."""
    pipeline.fetch(project)
    row = next(catalog.kept(read_catalog(project.paths.catalog(Stage.FETCHED))).itertuples())
    stored = project.paths.image(str(row.sha256), str(row.format))
    stored.unlink()
    pipeline.fetch(project)
    assert stored.exists()


def test_turned_and_odd_files_become_upright_png_in_the_folders(tmp_path: Path) -> None:
    """A JPEG with an EXIF turn and a palette PNG are RGB PNG in the folders; plain files are the stored file itself."""
    root = write_folder(tmp_path / "photos", 4)
    exif = Image.Exif()
    exif[0x0112] = 6
    picture(91).save(root / "rugby" / "turned.jpg", exif=exif)
    picture(92).convert("P").save(root / "rugby" / "palette.png")
    project = small_project(tmp_path, recipe_text(root, per_class=4).replace('"rugby", "soccer"', '"rugby", "soccer"'))
    pipeline.fetch(project)
    pipeline.decide(project, Stage.SPLIT, {"balance": {"per_class": "max"}})
    rows = read_manifest(project.paths.manifest)
    for row in rows.itertuples():
        file = project.paths.folder / str(row.file)
        with Image.open(file) as image:
            assert image.mode in ("RGB", "L")
            assert image.size == (row.width, row.height)
        if row.format == "jpeg" and row.orientation == 1:
            assert file.samefile(project.paths.image(str(row.sha256), "jpeg"))


def test_a_third_label_is_no_special_case(tmp_path: Path) -> None:
    """Any number of labels; two is only the default."""
    labels = ("rugby", "soccer", "tennis")
    root = write_folder(tmp_path / "photos", 5, labels)
    project = small_project(tmp_path, recipe_text(root, per_class=5, labels=labels))
    pipeline.fetch(project)
    table = pipeline.decide(project, Stage.SPLIT, {}).table
    assert catalog.kept(table)["label"].value_counts().to_dict() == dict.fromkeys(labels, 5)
