"""The commands that train and report; :mod:`curator.cli.app` registers them.

>>> whole_numbers("0,1,2", "--seeds")
(0, 1, 2)
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from curator.benchmark.models.registry import model_names
from curator.cli.session import DataOption, JsonOption, QuietOption, RecipeOption, finish, open_session, reports_errors
from curator.errors import Problem, RecipeError
from curator.store.paths import DATA


def whole_numbers(text: str | None, option: str) -> tuple[int, ...] | None:
    """Read whole numbers separated by commas."""
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() for part in parts):
        raise RecipeError(None, [Problem("", f"{option} must be whole numbers such as 0,1,2, not {text!r}")])
    return tuple(int(part) for part in parts)


def names(text: str | None) -> tuple[str, ...] | None:
    """Read names separated by commas."""
    return tuple(part.strip() for part in text.split(",")) if text is not None else None


@reports_errors
def benchmark(
    weights: Annotated[Path | None, typer.Option("--weights", metavar="PATH", help="MobileNetV2's weights.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A smoke test of under three minutes.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoints of an earlier run.")] = False,
    preset: Annotated[str | None, typer.Option("--preset", metavar="default|article", help="How to train.")] = None,
    models: Annotated[str | None, typer.Option("--models", metavar="A,B", help=f"{', '.join(model_names())}.")] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", help="Epochs.")] = None,
    seeds: Annotated[str | None, typer.Option("--seeds", metavar="N,N", help="One training run per seed.")] = None,
    image_size: Annotated[int | None, typer.Option("--image-size", help="Side of the square input, pixels.")] = None,
    batch_size: Annotated[int | None, typer.Option("--batch-size", help="Images per step.")] = None,
    recipe: RecipeOption = None,
    data: DataOption = DATA,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train the CNN and the transfer model, compare them, report.

    On the manifest's images; writes metrics, plots and one page.
    """
    from curator import benchmark_commands

    options: dict[str, Any] = {"preset": preset, "epochs": epochs, "image_size": image_size, "batch_size": batch_size}
    options |= {"models": names(models), "seeds": whole_numbers(seeds, "--seeds")}
    with open_session(recipe, data, quiet, as_json) as session:
        finish(benchmark_commands.benchmark(session, options, weights, quick, resume))


@reports_errors
def report(
    recipe: RecipeOption = None,
    data: DataOption = DATA,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write the report again from what is there, without training."""
    from curator import benchmark_commands

    with open_session(recipe, data, quiet, as_json) as session:
        benchmark_commands.report(session)
