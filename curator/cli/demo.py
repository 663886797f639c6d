"""``curator demo``: the whole job on a rendered world, compared with what was planted in it."""

import dataclasses
import signal
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from curator.cli.command import Answer, reports_errors
from curator.cli.options import DataOption, JsonOption, QuietOption
from curator.store.paths import DATA, option_for
from curator.store.root import working_place
from curator.text import Command, spell

if TYPE_CHECKING:
    import pandas as pd

    from curator.benchmark.metrics_file import BenchmarkResult
    from curator.cli.terminal import Terminal
    from curator.dataset import Dataset
    from curator.demo.whole_job import DemoResult

MOST_MISSES = 20
"""Decisions otherwise than planted that are named."""

SERVING = ("# Save this as manifests/demo/recipe.toml; then ", Command("run"), ". Ctrl-C ends the serving.")


def _demo_option(options: Mapping[str, Any]) -> str:
    from curator.demo.whole_job import demo_recipe_path

    data = options.get("data")
    return option_for(str(demo_recipe_path(data or working_place(DATA), options.get("photos"))), data)


PhotosOption = Annotated[
    Path | None, typer.Option("--photos", metavar="DIR", help="Take photographs in DIR/<label>/ instead.")
]
ServeOption = Annotated[bool, typer.Option("--serve-only", help="Only serve the pictures, and print a recipe.")]
PortOption = Annotated[int | None, typer.Option("--port", min=1, max=65535, metavar="N", help="The server's port.")]


@partial(reports_errors, option_of=_demo_option)
def demo(
    photos: PhotosOption = None,
    serve_only: ServeOption = False,
    port: PortOption = None,
    data: DataOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """See the whole job done on drawn pictures; no Internet needed.

    Example: curator demo
    """
    from curator.cli.progress import TerminalProgress
    from curator.cli.terminal import Terminal
    from curator.dataset import Dataset
    from curator.demo.whole_job import run_demo, served_recipe, served_world

    option = _demo_option({"photos": photos, "data": data})
    bars = TerminalProgress(quiet, option)
    terminal = Terminal(option, bars.told)
    bars.remark(f"reading the names in {photos}" if photos else "drawing the rendered world (some seconds)")
    with served_world(photos, port) as served:
        if serve_only:
            terminal.text(f"{spell(SERVING, option_for('demo', None))}\n{served_recipe(served)}")
            with suppress(KeyboardInterrupt):
                signal.pause()
            return
        try:
            result = run_demo(served, data or working_place(DATA), bars)
            if not as_json:
                print_decisions(terminal, result)
            trained = train(Dataset(result.project))
        finally:
            bars.close()
    demo_answer(result, trained).finish(terminal, as_json)


def train(dataset: "Dataset") -> "BenchmarkResult | None":
    """Train quickly and report; a demo ends well without the extra ``benchmark`` and without the weights."""
    from curator.cli.benchmark import says_how_to_go_on
    from curator.errors import CuratorError
    from curator.events import Warned

    try:
        with says_how_to_go_on(dataset):
            return dataset.benchmark(quick=True)
    except CuratorError as error:
        dataset.project.emit(Warned(("The demo ends without a benchmark. ", *error.text)))
        return None


def print_decisions(terminal: "Terminal", result: "DemoResult") -> None:
    """Print the counts after the split, and what was decided against what was planted."""
    from curator.cli.counts import split_answer
    from curator.cli.terminal import count
    from curator.dataset import Dataset
    from curator.inspect.stage_result import stage_result
    from curator.reasons import Stage

    split = stage_result(result.project, Stage.SPLIT, result.outcome)
    split_answer(Dataset(result.project), split).show(terminal)
    comparison = result.comparison
    rows = [
        [kind.kind, f"{kind.planted:,}", f"{kind.found:,}", count(kind.missed), count(kind.unreached)]
        for kind in comparison.kinds
    ]
    styles = ["red" if kind.missed else "" for kind in comparison.kinds]
    columns = ["planted", "listed", "as planted", "otherwise", "not reached"]
    terminal.table("planted against decided", columns, rows, styles)
    for miss in comparison.misses[:MOST_MISSES]:
        terminal.note(f"  {miss.kind} {miss.url} ({miss.label}): {miss.outcome}, expected {miss.expected}")


def look_at(table: "pd.DataFrame") -> str:
    """Choose an image whose story is worth reading: the copy that is the least like its original, or the first row."""
    copies = table[table["duplicate_of"].notna().to_numpy(dtype=bool)].sort_values(["distance_bits", "record_id"])
    return str((copies if len(copies) else table)["record_id"].iloc[-1])


def demo_answer(result: "DemoResult", trained: "BenchmarkResult | None") -> Answer:
    """Show the accuracies and where to look further; a decision otherwise than planted is a shortfall."""
    from curator.cli.benchmark import benchmark_answer
    from curator.dataset import Dataset
    from curator.inspect.stage_status import count_stage
    from curator.reasons import Stage

    benchmark = benchmark_answer(Dataset(result.project), trained) if trained else None

    def show(terminal: "Terminal") -> None:
        if benchmark:
            benchmark.show(terminal)
        terminal.note(f"truth:    {result.truth_path}")
        terminal.command("look at it all", Command("status"))
        terminal.command("or at one image", Command.of("why", look_at(result.outcome.table)))

    def facts(terminal: "Terminal") -> dict[str, object]:
        status = count_stage(result.project, Stage.SPLIT, result.outcome.table).as_json(terminal.option)
        trained_facts = benchmark.as_json(terminal) if benchmark and benchmark.as_json else None
        return {**status, "comparison": dataclasses.asdict(result.comparison), "benchmark": trained_facts}

    return Answer(facts, show, not result.comparison.agrees)
