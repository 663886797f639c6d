"""Run the whole job on a served world: a rendered one with planted trouble, or a folder of photographs.

>>> demo_paths(Path("data"), "demo").manifest.as_posix()
'data/demo/manifest.csv'
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from curator.catalog import Stage
from curator.demo.photos import photo_world
from curator.demo.server import Served, serve
from curator.demo.site import recipe_text
from curator.demo.truth import COMPARED, Comparison, compare_with_truth, world_truth, write_truth
from curator.demo.world import build_world
from curator.events import Listener, Noted
from curator.manifests.owner import claim
from curator.manifests.project import Project
from curator.manifests.read_recipe import parse_recipe
from curator.pipeline import run_stages as pipeline
from curator.pipeline.run_stages import Outcome
from curator.sources.registry import source_kinds
from curator.store.catalog_files import read_catalog
from curator.store.paths import DataPaths
from curator.store.whole_files import write_text_whole


@dataclass(frozen=True)
class DemoResult:
    """What the demo ended with: the project, the stages' outcome, and the decisions against the planted truth."""

    project: Project
    outcome: Outcome
    comparison: Comparison
    truth_path: Path


def demo_paths(data_root: Path, name: str) -> DataPaths:
    """Keep all that a demo makes in ``data/<name>``, its recipe and manifest too: nothing of it is to be committed."""
    return DataPaths(data_root, data_root / name, name)


def demo_recipe_path(data_root: Path, photos: Path | None) -> Path:
    """Return where the recipe of a demo is written."""
    return demo_paths(data_root, "photos" if photos else "demo").recipe


def served_world(photos: Path | None, port: int | None) -> AbstractContextManager[Served]:
    """Serve the rendered world, or the folder ``photos``, until the block ends."""
    return serve(build_world() if photos is None else photo_world(photos), port)


def served_recipe(served: Served) -> str:
    """Write the recipe for a served world."""
    return recipe_text(served.world, served.base_url, served.proxy)


def run_demo(served: Served, data_root: Path, emit: Listener) -> DemoResult:
    """Fetch, dedupe, balance and split a served world, and compare what was decided with what was planted.

    Raises:
        ShortfallError: photographs leave too few images of a label.
        CuratorError: a recipe of the demo's name has its data there.
    """
    world = served.world
    paths = demo_paths(data_root, world.name)
    text, path = served_recipe(served), paths.recipe
    claim(paths.folder, path)
    write_text_whole(path, text)
    truth, truth_path = world_truth(world, served.origins), paths.truth
    write_truth(truth_path, truth)
    project = Project(parse_recipe(text, source_kinds(), path), paths, emit)
    emit(Noted(f"serving {len(world.listings):,} listed images on {served.base_url}"))
    pipeline.fetch(project)
    outcome = pipeline.decide(project, Stage.SPLIT, {})
    table = read_catalog(paths.catalog(Stage.SPLIT), COMPARED)
    return DemoResult(project, outcome, compare_with_truth(table, truth), truth_path)
