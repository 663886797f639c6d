"""Run the whole job on a served world: a rendered one with planted trouble, or a folder of photographs.

>>> demo_paths(Path("data"), "demo").manifest.as_posix()
'data/demo/manifest.csv'
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from curator.catalog import Stage
from curator.demo.listing import World
from curator.demo.photos import photo_world
from curator.demo.recipe_text import recipe_text
from curator.demo.server import Served, serve
from curator.demo.truth import Comparison, compare_with_truth, world_truth, write_truth
from curator.demo.world import build_world
from curator.events import Listener, Noted
from curator.manifests.project import Project
from curator.manifests.recipe import parse_recipe
from curator.pipeline import run as pipeline
from curator.pipeline.run import Outcome
from curator.sources.registry import source_kinds
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
    return demo_paths(data_root, "photos" if photos else "demo").manifest_folder / "recipe.toml"


@contextmanager
def served_world(photos: Path | None, port: int | None) -> Iterator[Served]:
    """Serve the rendered world, or the folder ``photos``, until the block ends."""
    with serve(_world(photos), port) as served:
        yield served


def _world(photos: Path | None) -> World:
    return build_world() if photos is None else photo_world(photos)


def served_recipe(served: Served) -> str:
    """Give the recipe's text for a served world."""
    return recipe_text(served.world, served.base_url, served.proxy)


def run_demo(served: Served, data_root: Path, emit: Listener) -> DemoResult:
    """Fetch, dedupe, balance and split a served world, and compare what was decided with what was planted.

    Raises:
        ShortfallError: photographs leave too few images of a label.
    """
    world = served.world
    paths = demo_paths(data_root, world.name)
    text, path = served_recipe(served), paths.manifest_folder / "recipe.toml"
    write_text_whole(path, text)
    truth, truth_path = world_truth(world, served.origins), paths.folder / "truth.csv"
    write_truth(truth_path, truth)
    project = Project(parse_recipe(text, source_kinds(), path), paths, emit)
    emit(Noted(f"serving {len(world.listings):,} listed images on {served.base_url}"))
    pipeline.fetch(project)
    outcome = pipeline.decide(project, Stage.SPLIT, {})
    return DemoResult(project, outcome, compare_with_truth(outcome.table, truth), truth_path)
