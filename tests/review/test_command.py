"""``curator review`` before it serves: what it says where something is missing."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from curator import review_commands
from curator.cli.session import Session
from curator.errors import CuratorError, StateError
from curator.manifests.project import Project
from curator.pipeline import run as pipeline
from tests.small_worlds import recipe_text, small_project, write_folder


@pytest.fixture
def listed(tmp_path: Path) -> Project:
    return small_project(tmp_path, recipe_text(write_folder(tmp_path / "photos", 2)))


def test_without_the_extra_it_says_which_to_install(listed: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The missing package and the command that installs it."""
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "uvicorn" else found(name, *a))
    with pytest.raises(CuratorError, match=r"needs uvicorn\. .*pip install 'imageset-curator\[review\]'"):
        review_commands.review(Session(listed, as_json=False), None, 0)


def test_before_the_first_fetch_it_says_what_to_run(listed: Project) -> None:
    """No empty page is served."""
    with pytest.raises(StateError, match="curator fetch"):
        review_commands.review(Session(listed, as_json=False), None, 0)


def test_a_damaged_reviews_file_is_told_before_serving(listed: Project, capsys: Any) -> None:
    """The line is named, and nothing is announced."""
    pipeline.fetch(listed)
    listed.paths.reviews.write_text("<<<<<<< HEAD\n")
    with pytest.raises(StateError, match=r"reviews\.jsonl: line 1: not JSON"):
        review_commands.review(Session(listed, as_json=False), None, 0)
    assert "http://" not in capsys.readouterr().out
