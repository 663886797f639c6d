"""docs/results.md: its commands make the splits that its figures are of, byte for byte, of the photographs beside us."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

import pytest

from curator.catalog import Stage
from curator.pipeline import run_stages as pipeline
from tests.small_worlds import small_project

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "results.md"
PHOTOS = ROOT.parent / "shared" / "photos"


@pytest.mark.real
@pytest.mark.skipif(not PHOTOS.is_dir(), reason="the photographs are not beside the repository")
@pytest.mark.parametrize("name", ["scenes", "balls"])
def test_the_split_is_the_one_that_the_page_names(tmp_path: Path, name: str) -> None:
    """Which image, by the hash of its bytes, has which label and is on which side."""
    (tmp_path / "shared").symlink_to(PHOTOS.parent)
    beside = tmp_path / "results" / "manifests" / "small"
    beside.mkdir(parents=True)
    shutil.copy(ROOT / "docs" / "results" / f"{name}.csv", beside / "split.csv")
    (text,) = re.findall(r"<<END\n(.*?)^END$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    project = small_project(tmp_path / "results", text.replace("$set", name))
    pipeline.fetch(project)
    pipeline.decide(project, Stage.SPLIT, {})
    rows = project.paths.manifest.read_bytes().splitlines()[1:]
    split = sorted(b",".join(row.split(b",")[1:4]) + b"\n" for row in rows)
    assert hashlib.sha256(b"".join(split)).hexdigest() == named(f"split of {name}")


def named(what: str) -> str:
    """Read a hash of the page's table."""
    row = re.compile(rf"^\| {re.escape(what)} \| `([0-9a-f]{{64}})` \|$", re.MULTILINE)
    (found,) = row.findall(PAGE.read_text(encoding="utf-8"))
    return str(found)
