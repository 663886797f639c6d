"""What ``curator demo`` does: serve, run the whole job, compare with what was planted, train quickly, report.

>>> SERVING.startswith("# Save this")
True
"""

from __future__ import annotations

import dataclasses
import signal
from contextlib import suppress
from pathlib import Path

from curator.benchmark.metrics_file import BenchmarkResult
from curator.benchmark_commands import show_result, train_and_report
from curator.catalog import Stage
from curator.cli import tables
from curator.cli.progress import Bars
from curator.cli.session import Session
from curator.cli.stage_result import show
from curator.demo.run import DemoResult, run_demo, served_recipe, served_world
from curator.errors import CuratorError
from curator.events import Noted, Warned
from curator.inspect.status import describe
from curator.manifests.project import Project, option_for
from curator.text import Command

SERVING = (
    f"# Save this as manifests/demo/recipe.toml; then `{Command('run').spelled(' --recipe demo')}`. "
    "Ctrl-C ends the serving."
)


def serve_only(photos: Path | None, port: int | None) -> None:
    """Serve until Ctrl-C; print the recipe for what is served."""
    _say_what_comes(Bars(), photos)
    with served_world(photos, port) as served:
        tables.print_text(f"{SERVING}\n{served_recipe(served)}")
        with suppress(KeyboardInterrupt):
            signal.pause()


def demo(photos: Path | None, port: int | None, data: Path, quiet: bool, as_json: bool) -> bool:
    """Run the whole job; tell whether a decision differs from what was planted."""
    bars = Bars(quiet)
    _say_what_comes(bars, photos)
    try:
        with served_world(photos, port) as served:
            result = run_demo(served, data, bars)
        if not as_json:
            _show(result)
        trained = _train(result.project)
    finally:
        bars.close()
    if as_json:
        _show_json(result, trained)
    else:
        _show_end(result, trained)
    return not result.comparison.agrees


def _say_what_comes(bars: Bars, photos: Path | None) -> None:
    bars(Noted(f"reading the names in {photos}" if photos else "drawing the rendered world (some seconds)"))


def _train(project: Project) -> tuple[BenchmarkResult, Path] | None:
    """Train quickly and report, where the extra is installed; a demo ends well without it, and without the weights."""
    try:
        return train_and_report(project, weights=None, quick=True)
    except CuratorError as error:
        project.emit(Warned(("The demo ends without a benchmark. ", *error.text)))
        return None


def _show(result: DemoResult) -> None:
    show(Session(result.project, as_json=False), result.outcome, Stage.SPLIT)
    tables.print_comparison(result.comparison)


def _show_end(result: DemoResult, trained: tuple[BenchmarkResult, Path] | None) -> None:
    if trained:
        show_result(*trained)
    tables.print_note(f"truth:    {result.truth_path}")
    option = option_for(str(result.project.paths.manifest_folder / "recipe.toml"), result.project.paths.data_root)
    tables.print_note(f"look further: {Command('why RECORD_ID').spelled(option)}")


def _show_json(result: DemoResult, trained: tuple[BenchmarkResult, Path] | None) -> None:
    status = describe(result.project, Stage.SPLIT, result.outcome.table).as_json()
    benchmark = {**dataclasses.asdict(trained[0]), "report": trained[1]} if trained else None
    tables.print_json({**status, "comparison": dataclasses.asdict(result.comparison), "benchmark": benchmark})
