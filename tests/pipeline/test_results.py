"""docs/results.md: the splits that its figures are of come out again, byte for byte, from the photographs beside us."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

import pytest

from curator.catalog import Stage
from curator.pipeline import run_stages as pipeline
from tests.small_worlds import recipe_text, small_project

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "results.md"
PHOTOS = ROOT.parent / "shared" / "photos"
SETS = ("scenes", "balls") if os.environ.get("CURATOR_ALL_RESULTS") else ("scenes",)
"""The smaller set takes some seconds; with the variable set, both are run."""


@pytest.mark.real
@pytest.mark.skipif(not PHOTOS.is_dir(), reason="the photographs are not beside the repository")
@pytest.mark.parametrize("name", SETS)
def test_the_split_and_the_manifest_are_those_that_the_page_names(tmp_path: Path, name: str) -> None:
    """Another split has other figures; what changes the rest must be meant: CURATOR_GOLDEN=write notes its hash."""
    text = recipe_text(PHOTOS / name, per_class="max").replace('"small"', f'"{name}"')
    project = small_project(tmp_path, text)
    pipeline.fetch(project)
    pipeline.decide(project, Stage.SPLIT, {"split": {"ratio": 0.8}})
    manifest = project.paths.manifest.read_bytes()
    split = sorted(b",".join(line.split(b",")[1:4]) + b"\n" for line in manifest.splitlines()[1:])
    assert hashlib.sha256(b"".join(split)).hexdigest() == named(f"split of {name}")
    if os.environ.get("CURATOR_GOLDEN") == "write":
        old, new = named(f"manifest of {name}, as it is made now"), hashlib.sha256(manifest).hexdigest()
        PAGE.write_text(PAGE.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    assert hashlib.sha256(manifest).hexdigest() == named(f"manifest of {name}, as it is made now")


def named(what: str) -> str:
    """Read a hash of the page's table."""
    row = re.compile(rf"^\| {re.escape(what)} \| `([0-9a-f]{{64}})` \|$", re.MULTILINE)
    (found,) = row.findall(PAGE.read_text(encoding="utf-8"))
    return str(found)
