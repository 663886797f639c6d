"""The golden manifest: a fixed recipe over fixed pictures, served as the real sources serve, gives the same bytes."""

from __future__ import annotations

import os
from pathlib import Path

from curator import catalog
from curator.catalog import Stage
from curator.demo.photos import photo_world
from curator.demo.server import serve
from curator.demo.site import recipe_text
from curator.manifests.project import Project
from curator.manifests.read_recipe import parse_recipe
from curator.pipeline import run_stages as pipeline
from curator.sources.registry import source_kinds
from curator.store.paths import DataPaths

GOLDEN = Path(__file__).parents[1] / "golden"


def build(root: Path) -> tuple[bytes, dict[str, object]]:
    """Run the whole job on the golden pictures under ``root``; give the manifest and the counts."""
    with serve(photo_world(GOLDEN / "pictures"), port=0, as_proxy=True) as served:
        text = recipe_text(served.world, served.base_url, served.proxy).replace('per_class = "max"', "per_class = 10")
        recipe = parse_recipe(text, source_kinds())
        project = Project(recipe, DataPaths(root / "data", root / "manifests", recipe.name))
        pipeline.fetch(project)
        table = pipeline.decide(project, Stage.SPLIT, {}).table
    return project.paths.manifest.read_bytes(), catalog.counts(table)


def test_the_manifest_is_the_golden_one_byte_for_byte(tmp_path: Path) -> None:
    """What changes the manifest of a fixed recipe must be meant; CURATOR_GOLDEN=write then writes the new file."""
    manifest, counts = build(tmp_path)
    if os.environ.get("CURATOR_GOLDEN") == "write":
        (GOLDEN / "manifest.csv").write_bytes(manifest)
    assert manifest == (GOLDEN / "manifest.csv").read_bytes()
    assert counts["dropped"] == {
        "gone": 6,
        "surplus": 7,
        "label-conflict": 2,
        "near-duplicate": 2,
        "exact-duplicate": 1,
        "not-an-image": 1,
        "too-small": 1,
        "truncated": 1,
    }


def test_another_folder_and_another_port_give_the_same_bytes(tmp_path: Path) -> None:
    """Nothing of the machine enters the manifest."""
    assert build(tmp_path / "one")[0] == build(tmp_path / "another" / "place")[0]
