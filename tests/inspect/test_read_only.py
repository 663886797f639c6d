"""A data set that may only be read can be looked at, and looking at it writes nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from curator.catalog import Stage
from curator.fetch.ledger import ledger as attempts
from curator.fetch.ledger.diagnosis import host_report
from curator.inspect.status import read_status
from curator.inspect.why import find_stories
from curator.manifests.project import Project
from curator.pipeline import run_stages as pipeline
from curator.store.catalog_files import read_catalog
from tests.small_worlds import recipe_text, small_project, write_folder


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A data set that is split."""
    project = small_project(tmp_path, recipe_text(write_folder(tmp_path / "photos", 12)))
    pipeline.fetch(project)
    pipeline.decide(project, Stage.SPLIT, {})
    return project


@pytest.fixture
def fixed(project: Project) -> Iterator[Project]:
    """The same in a folder without the permission to write; the superuser has it all the same."""
    project.paths.folder.chmod(0o555)
    project.paths.attempts.chmod(0o444)
    yield project
    project.paths.folder.chmod(0o755)


def an_image(project: Project) -> str:
    return str(read_catalog(project.paths.catalog(Stage.SPLIT))["record_id"].iloc[0])


def test_looking_writes_nothing(fixed: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Status, why and the hosts are told of a ledger that is closed, and no file appears beside it."""
    monkeypatch.setattr(attempts, "may_write", lambda path: False)
    before = sorted(fixed.paths.folder.iterdir())
    assert read_status(fixed).news == ()
    assert any(line.startswith("  request  20") for line in find_stories(fixed, an_image(fixed))[0].lines)
    assert host_report(fixed.paths).empty
    assert sorted(fixed.paths.folder.iterdir()) == before


def test_a_ledger_that_cannot_be_opened_is_one_line(project: Project) -> None:
    """Counts and stories are told without it, and say what is not known."""
    project.paths.attempts.unlink()
    project.paths.attempts.mkdir()
    status, story = read_status(project), find_stories(project, an_image(project))[0]
    assert status.counts["kept"] == 20
    assert status.news == (
        f"what a proxy obtained is not known: Cannot use the ledger {project.paths.attempts}: "
        "unable to open database file.",
    )
    assert sum(line.startswith("  request  not known: Cannot use the ledger") for line in story.lines) == 1
    assert story.facts["attempts"] is None


@pytest.mark.parametrize("command", [("status",), ("status", "--hosts"), ("verify",), ("why",)])
def test_the_commands_that_only_look_succeed(fixed: Project, command: tuple[str, ...]) -> None:
    """As a person meets it, whose permissions hold."""
    if os.access(fixed.paths.folder, os.W_OK):
        pytest.skip("the superuser may write anywhere")
    words = [*command, an_image(fixed)] if command == ("why",) else command
    arguments = [sys.executable, "-m", "curator", *words, "--recipe", "small"]
    place = fixed.paths.data_root.parent
    done = subprocess.run(arguments, cwd=place, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
