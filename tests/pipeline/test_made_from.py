"""``curator status`` says that a stage is out of date if and only if the stage runs again."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from curator.catalog import Stage
from curator.errors import CuratorError, StateError
from curator.events import Event, StageFinished
from curator.inspect.status import read_status
from curator.manifests.manifest import read_manifest
from curator.manifests.project import Project
from curator.manifests.reviews import Review, append_review
from curator.pipeline import run_stages as pipeline
from curator.pipeline.made_from import Change, examine
from curator.pipeline.overrides import Override, read_overrides
from curator.text import spell
from tests.small_worlds import picture, recipe_text, small_project, write_folder

DEDUPED, BALANCED, SPLIT = (Stage.DEDUPED, Stage.BALANCED, Stage.SPLIT)
AGAINST = '[dedupe]\nagainst = ["../../exam"]\n'


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set that was split with an option for balance, beside a folder that it is compared with."""
    root = tmp_path_factory.mktemp("made")
    write_folder(root / "photos", 6)
    (root / "exam").mkdir()
    picture(7_000).save(root / "exam" / "other.jpg")
    project = small_project(root, recipe_text(Path("../../photos"), 4, more=AGAINST))
    pipeline.fetch(project)
    pipeline.decide(project, SPLIT, {"balance": {"per_class": 3}})
    return root


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(made, tmp_path / "copy"))


def project_of(root: Path) -> Project:
    return small_project(root, (root / "manifests" / "small" / "recipe.toml").read_text(encoding="utf-8"))


def edit(old: str, new: str) -> Callable[[Path], None]:
    """Change the recipe."""

    def change(root: Path) -> None:
        path = root / "manifests" / "small" / "recipe.toml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    return change


def nothing(root: Path) -> None:
    pass


def review(root: Path) -> None:
    row = read_manifest(root / "manifests" / "small" / "manifest.csv").iloc[0]
    when = "2026-01-02T03:04:05Z"
    append_review(project_of(root).paths.reviews, Review(when, "ann", row["sha256"], row["label"], "drop"))


def undone_review(root: Path) -> None:
    review(root)
    path = project_of(root).paths.reviews
    path.write_text(path.read_text() + path.read_text().replace('"drop"', '"undo"'))


def picture_against(root: Path) -> None:
    picture(7_001).save(root / "exam" / "one-more.jpg")


def time_against(root: Path) -> None:
    os.utime(root / "exam" / "other.jpg", ns=(1, 1))


def no_folder_against(root: Path) -> None:
    shutil.rmtree(root / "exam")


def fetched(root: Path) -> None:
    picture(7_002).save(root / "photos" / "rugby" / "new.jpg")
    pipeline.fetch(project_of(root))


def other_manifest(root: Path) -> None:
    path = root / "manifests" / "small" / "manifest.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(",train,", ",?,").replace(",test,", ",train,").replace(",?,", ",test,"))


def no_manifest(root: Path) -> None:
    (root / "manifests" / "small" / "manifest.csv").unlink()


def no_folder(root: Path) -> None:
    shutil.rmtree(root / "data" / "small" / "train")


def no_overrides(root: Path) -> None:
    (root / "data" / "small" / "overrides.json").write_text("{}")


def no_catalog(root: Path) -> None:
    project_of(root).paths.catalog(BALANCED).unlink()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (nothing, ()),
        (edit("per_class = 4", "per_class = 5"), (BALANCED, SPLIT)),
        (edit("per_class = 4", "per_class = 3"), ()),  # what the option said
        (edit("[dedupe]", "[dedupe]\nrotations = false"), (DEDUPED, BALANCED, SPLIT)),
        (edit("[dedupe]", "[split]\nratio = 0.5\n[dedupe]"), (SPLIT,)),
        (edit("[dedupe]", "[fetch]\ntimeout_s = 9\n[dedupe]"), ()),  # for the next fetch to obey
        (edit("[dedupe]", "[benchmark]\nepochs = 9\n[dedupe]"), ()),
        (edit('"rugby", "soccer"', '"soccer", "rugby"'), (DEDUPED, BALANCED, SPLIT)),
        (review, (DEDUPED, BALANCED, SPLIT)),
        (undone_review, ()),
        (picture_against, (DEDUPED, BALANCED, SPLIT)),
        (time_against, (DEDUPED, BALANCED, SPLIT)),
        (no_folder_against, ()),  # the comparison was made
        (fetched, (DEDUPED, BALANCED, SPLIT)),
        (other_manifest, (DEDUPED, BALANCED, SPLIT)),
        (no_manifest, (SPLIT,)),
        (no_folder, (SPLIT,)),
        (no_overrides, (BALANCED, SPLIT)),
        (no_catalog, (BALANCED, SPLIT)),
    ],
)
def test_status_says_out_of_date_if_and_only_if_the_stage_runs_again(
    root: Path, change: Callable[[Path], None], expected: tuple[Stage, ...]
) -> None:
    """For each change: the stages that status names are those that run; then nothing is news any more."""
    change(root)
    project = project_of(root)
    assert out_of_date(project) == expected
    assert ran(project) == expected
    assert out_of_date(project) == () == ran(project)


def out_of_date(project: Project) -> tuple[Stage, ...]:
    """The stages that are not current; and check that status tells a person about them."""
    latest, changes = examine(project)
    later = tuple(Stage)[list(Stage).index(latest or Stage.LISTED) + 1 :]
    names = later or ((SPLIT,) if Change.UNPUBLISHED in changes else ())
    status = read_status(project)
    is_told = bool(status.news) or "curator split" in spell(status.next)
    assert is_told == bool(names)
    return names


def ran(project: Project) -> tuple[Stage, ...]:
    """The stages that ``curator split`` does not skip; all from the split on if it refuses to move images."""
    seen: list[Event] = []
    watched = dataclasses.replace(project, emit=seen.append)
    try:
        pipeline.decide(watched, SPLIT, {})
    except CuratorError:
        pipeline.decide(watched, SPLIT, {}, resplit=True)
    return tuple(Stage(event.stage) for event in seen if isinstance(event, StageFinished) and not event.skipped)


def test_a_picture_added_to_what_dedupe_compares_with_is_news_for_status(root: Path) -> None:
    """The message names the stages, and what has changed."""
    picture_against(root)
    (news,) = read_status(project_of(root)).news
    assert spell(news).startswith("deduped, balanced, split are out of date (changed: what [dedupe] against names)")


def test_the_last_options_are_in_one_file(root: Path) -> None:
    """With the section that they were given against; a run without them takes them out."""
    project = project_of(root)
    facts = json.loads(project.paths.overrides.read_text(encoding="utf-8"))
    assert facts == {"balance": {"options": {"per_class": 3}, "recipe": {"per_class": 4}}}
    pipeline.decide(project, BALANCED, {})
    assert read_overrides(project.paths) == {}


def test_a_data_set_without_the_file_keeps_the_options_of_its_records(root: Path) -> None:
    """One that a version before made: the records of its stages say what they ran with."""
    project = project_of(root)
    project.paths.overrides.unlink()
    assert read_overrides(project.paths) == {"balance": Override({"per_class": 4}, {"per_class": 3})}
    assert out_of_date(project) == () == ran(project)


def test_a_damaged_file_of_options_is_an_error_that_says_what_to_do(root: Path) -> None:
    """Options are not lost in silence."""
    project = project_of(root)
    project.paths.overrides.write_text("half a li")
    with pytest.raises(StateError, match=r"overrides\.json cannot be read.*Delete it"):
        pipeline.decide(project, SPLIT, {})
