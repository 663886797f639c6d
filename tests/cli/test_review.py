"""``curator review`` before it serves: what it says if something is missing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NoReturn

import pytest

from curator.dataset import Dataset
from curator.errors import CuratorError, StateError
from curator.manifests.project import Project
from curator.pipeline import run_stages as pipeline
from tests.small_worlds import recipe_text, small_project, write_folder


@pytest.fixture
def listed(tmp_path: Path) -> Project:
    return small_project(tmp_path, recipe_text(write_folder(tmp_path / "photos", 2)))


def never(address: str, n_images: int) -> NoReturn:
    raise AssertionError(f"{address} was announced")


def test_without_the_extra_it_says_which_to_install(listed: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The missing package and the command that installs it."""
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "curator.review.server", raising=False)
    with pytest.raises(CuratorError, match=r"needs the package uvicorn\. .*pip install 'imageset-curator\[review\]'"):
        Dataset(listed).serve_review("ann", never)


def test_before_the_first_fetch_it_says_what_to_run(listed: Project) -> None:
    """No empty page is served."""
    with pytest.raises(StateError, match="curator fetch"):
        Dataset(listed).serve_review("ann", never)


def test_a_damaged_reviews_file_is_told_before_serving(listed: Project) -> None:
    """The line is named, and nothing is announced."""
    pipeline.fetch(listed)
    listed.paths.reviews.write_text("<<<<<<< HEAD\n")
    with pytest.raises(StateError, match=r"reviews\.jsonl: line 1: it is not JSON"):
        Dataset(listed).serve_review("ann", never)
