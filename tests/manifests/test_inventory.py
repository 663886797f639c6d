"""Status and report point to all that exists, and status says what the catalog does not know yet."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from curator.catalog import Stage
from curator.cli.counts import print_counts
from curator.cli.terminal import Terminal
from curator.export.export import export_dataset, find_format
from curator.inspect.status import read_status
from curator.manifests.inventory import list_entries, making_commands
from curator.manifests.manifest import read_manifest
from curator.manifests.project import Project
from curator.manifests.reviews import Review, append_review
from curator.pipeline import run_stages as pipeline
from curator.report.build import build_report
from curator.report.gallery import build_gallery
from curator.text import Command, spell
from tests.small_worlds import recipe_text, small_project, write_folder


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Four images a label, split."""
    project = small_project(tmp_path, recipe_text(write_folder(tmp_path / "photos", 4), "max"))
    pipeline.fetch(project)
    pipeline.decide(project, Stage.SPLIT, {})
    return project


def drop(project: Project, place: int, decision: str = "drop") -> None:
    row = read_manifest(project.paths.manifest).iloc[place]
    when = "2026-01-02T03:04:05Z"
    append_review(project.paths.reviews, Review(when, "ann", row["sha256"], row["label"], decision))


def everything(project: Project) -> None:
    """Make all that can stand beside a catalog; ``replay`` only as its reports."""
    export_dataset(project, find_format("keras"))
    build_gallery(project)
    drop(project, 0)
    project.paths.replay.folder.mkdir()
    for name in ("link-rot.csv", "replay.csv"):
        (project.paths.replay.folder / name).write_text("host\n")
    project.paths.forgotten.write_text("")
    build_report(project)


def test_everything_that_exists_is_listed(project: Project) -> None:
    """Each kind once, in order, with files that can be opened; an export names its data card and its credits."""
    everything(project)
    entries = list_entries(project.paths)
    assert [entry.kind for entry in entries] == list(making_commands(project.paths))
    assert all(file.is_file() for entry in entries for file in entry.files)
    found = {entry.kind: entry for entry in entries}
    assert [file.name for file in found["export"].files] == ["README.md", "ATTRIBUTION.md"]
    assert found["reviews"].remark == "1 decision"


def test_an_export_of_an_older_manifest_is_told(project: Project) -> None:
    """The remark says what to do."""
    export_dataset(project, find_format("keras"))
    project.paths.manifest.write_text(project.paths.manifest.read_text().replace("soccer,train", "soccer,test", 1))
    (export,) = [entry for entry in list_entries(project.paths) if entry.kind == "export"]
    assert export.remark == "of an older manifest: export again"


def test_the_report_links_to_all_of_it(project: Project) -> None:
    """Each link leads, from the page, to a file that is there; what does not exist has its command."""
    build_report(project)
    section = _section(project)
    for kind in ("gallery", "reviews", "export", "replay", "forgotten"):
        assert making_commands(project.paths)[kind].spelled(project.option) in section
    everything(project)
    section = _section(project)
    links = [unquote(link) for link in re.findall(r'href="([^"]+)"', section)]
    assert all((project.paths.report.parent / link).is_file() for link in links)
    named = {(project.paths.report.parent / link).resolve() for link in links}
    listed = {file.resolve() for entry in list_entries(project.paths) for file in entry.files if entry.kind != "report"}
    assert named == listed and len(named) == 8


def _section(project: Project) -> str:
    page = project.paths.report.read_text(encoding="utf-8")
    return page.split('<section id="files">')[1].split("</section>")[0]


def test_status_counts_the_reviews_that_the_catalog_does_not_know(project: Project) -> None:
    """The split that exists is still counted; a split takes the reviews in; an undo is a change too."""
    assert read_status(project).news == ()
    drop(project, 0)
    drop(project, 1)
    status = read_status(project)
    assert status.stage == Stage.SPLIT and status.next == (Command("split"),)
    assert status.news == (("2 new reviews: run ", Command("split")),)
    pipeline.decide(project, Stage.SPLIT, {})
    assert read_status(project).news == ()
    (first, _) = project.paths.reviews.read_text().splitlines()
    with project.paths.reviews.open("a") as file:
        file.write(first.replace('"drop"', '"undo"') + "\n")
    assert read_status(project).news == (("reviews have changed: run ", Command("split")),)


def test_reviews_before_the_first_split_are_news_too(project: Project) -> None:
    """After the fetch alone there is no catalog that knows of any."""
    drop(project, 0)
    for stage in (Stage.DEDUPED, Stage.BALANCED, Stage.SPLIT):
        project.paths.catalog(stage).unlink()
    assert read_status(project).news == (("1 new review: run ", Command("split")),)


def test_status_says_which_catalogs_are_out_of_date(project: Project) -> None:
    """A recipe that asks for another balance: what was balanced and split before is named, with the way out."""
    recipe = project.recipe.with_overrides("balance", per_class=3)
    status = read_status(dataclasses.replace(project, recipe=recipe))
    assert status.stage == Stage.DEDUPED
    (news,) = status.news
    assert spell(news).startswith("balanced, split are out of date") and spell(news).endswith("run `curator split`")


def test_status_shows_it_all(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """Paths, the commands for the rest, and the news in lines of their own."""
    drop(project, 0)
    export_dataset(project, find_format("keras"))
    print_counts(Terminal(), read_status(project))
    said = capsys.readouterr().out
    assert f"export:   {project.paths.export('keras')}  (README.md, ATTRIBUTION.md)" in said
    assert "also: curator review\nalso: curator dedupe --gallery\n" in said and "replay" not in said, (
        "all files are local"
    )
    assert "\n1 new review: run `curator split`\nnext: curator split\n" in said
    facts = read_status(project).as_json()
    assert facts["news"] == ["1 new review: run `curator split`"]
    assert [one["kind"] for one in facts["beside"]] == ["manifest", "reviews", "export"]
