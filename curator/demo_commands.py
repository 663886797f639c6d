"""What ``curator demo`` does: serve, run the whole job, show how the decisions compare with what was planted.

>>> bool(SERVING)
True
"""

from __future__ import annotations

import dataclasses
import signal
from pathlib import Path

from curator.catalog import Stage
from curator.commands import show
from curator.demo.run import DemoResult, run_demo, served_recipe, served_world
from curator.render import tables
from curator.render.bars import Bars
from curator.session import Session
from curator.status import describe

SERVING = "# Save this as manifests/demo/recipe.toml; then `curator run --recipe demo`. Ctrl-C ends the serving."


def serve_only(photos: Path | None, port: int | None) -> None:
    """Serve until Ctrl-C; print the recipe for what is served."""
    with served_world(photos, port) as served:
        tables.print_text(f"{SERVING}\n{served_recipe(served)}")
        signal.pause()


def demo(photos: Path | None, port: int | None, data: Path, quiet: bool, as_json: bool) -> bool:
    """Run the whole job; tell whether a decision differs from what was planted."""
    bars = Bars(quiet)
    try:
        with served_world(photos, port) as served:
            result = run_demo(served, data, bars)
    finally:
        bars.close()
    _show_json(result) if as_json else _show(result)
    return not result.comparison.agrees


def _show(result: DemoResult) -> None:
    show(Session(result.project, as_json=False), result.outcome, Stage.SPLIT)
    tables.print_comparison(result.comparison)
    tables.print_note(f"truth:    {result.truth_path}")
    tables.print_note(f"look further: curator why RECORD_ID{result.project.option}")


def _show_json(result: DemoResult) -> None:
    status = describe(result.project, Stage.SPLIT, result.outcome.table).as_json()
    tables.print_json({**status, "comparison": dataclasses.asdict(result.comparison)})
