"""The command line: parse, call, render.

>>> sorted(command.callback.__name__ for command in app.registered_commands)[:3]
['balance', 'benchmark', 'dedupe']
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from curator import __version__
from curator.cli import benchmark as cli_benchmark
from curator.cli import export as cli_share
from curator.cli import fetch as cli_fetch
from curator.cli.session import (
    DataOption,
    ForceOption,
    JsonOption,
    PerClassOption,
    QuietOption,
    RecipeOption,
    finish,
    open_session,
    per_class_value,
    reports_errors,
)
from curator.store.paths import DATA
from curator.text import Command, spell

AcrossLabelsOption = Annotated[
    str | None,
    typer.Option("--across-labels", metavar="drop-both|keep-first|ignore", help="One picture, 2 labels."),
]
FalseRateOption = Annotated[float, typer.Option("--false-rate", min=0, help="Of strangers; --calibrate aims at it.")]

app = typer.Typer(
    name="curator",
    help="Build labelled image-classification data sets that a person can trust, cite and rebuild.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def main() -> None:
    """Run the command line."""
    app()


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"curator {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")] = False,
) -> None:
    """Build labelled image-classification data sets that a person can trust, cite and rebuild."""


@app.command()
@reports_errors
def init(
    name: Annotated[str, typer.Argument(help="The data set's name.")],
    labels: Annotated[list[str], typer.Argument(help="Two or more labels.")],
) -> None:
    """Write a recipe with a commented example of each source.

    It is manifests/NAME/recipe.toml; one that stands is left alone.
    """
    from curator.cli.tables import print_note
    from curator.manifests.project import MANIFESTS, option_for
    from curator.manifests.recipe_template import write_recipe

    path = write_recipe(name, labels, MANIFESTS)
    print_note(spell((f"Wrote {path}. Edit it, then run ", Command("fetch --plan"), "."), option_for(name, DATA)))


app.command()(cli_fetch.fetch)


@app.command()
@reports_errors
def dedupe(
    max_distance: Annotated[int | None, typer.Option("--max-distance", help="Bits of 64 for a closer look.")] = None,
    rotations: Annotated[bool | None, typer.Option("--rotations/--no-rotations", help="Turned copies too.")] = None,
    across_labels: AcrossLabelsOption = None,
    keep: Annotated[str | None, typer.Option("--keep", metavar="largest|first", help="Keeper of a group.")] = None,
    against: Annotated[list[Path] | None, typer.Option("--against", help="Drop what this place has.")] = None,
    report_only: Annotated[bool, typer.Option("--report-only", help="Only say what --against has.")] = False,
    gallery: Annotated[bool, typer.Option("--gallery", help="Write a page of all groups.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="List the groups, largest first.")] = False,
    calibrate: Annotated[bool, typer.Option("--calibrate", help="Only measure, on copies of your images.")] = False,
    false_rate: FalseRateOption = 1e-6,
    force: ForceOption = False,
    recipe: RecipeOption = None,
    data: DataOption = DATA,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Drop exact, near and cross-label duplicates, turned ones too."""
    from curator import dedupe_commands

    options: dict[str, Any] = {
        "max_distance": max_distance,
        "rotations": rotations,
        "across_labels": across_labels,
        "keep": keep,
        "against": tuple(str(path.absolute()) for path in against) if against else None,
        "report_only": report_only or None,
    }
    with open_session(recipe, data, quiet, as_json) as session:
        if calibrate:
            dedupe_commands.show_calibration(session, false_rate)
            return
        finish(dedupe_commands.dedupe(session, {"dedupe": options}, force, explain))
        if gallery:
            from curator import gallery_commands

            gallery_commands.write_gallery(session)


@app.command()
@reports_errors
def balance(
    per_class: PerClassOption = None,
    force: ForceOption = False,
    recipe: RecipeOption = None,
    data: DataOption = DATA,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Choose exactly N images per label."""
    from curator.cli import stage_result as commands

    with open_session(recipe, data, quiet, as_json) as session:
        options = {"per_class": per_class_value(per_class)}
        finish(commands.decide(session, "balanced", {"balance": options}, force))


@app.command()
@reports_errors
def split(
    ratio: Annotated[float | None, typer.Option("--ratio", help="Share of each label in train.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Another seed is another split.")] = None,
    per_class: PerClassOption = None,
    resplit: Annotated[bool, typer.Option("--resplit", help="Let images change sides.")] = False,
    force: ForceOption = False,
    recipe: RecipeOption = None,
    data: DataOption = DATA,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Split into train and test; write the manifest and the folders.

    Dedupes and balances first where that is not done.
    """
    from curator.cli import stage_result as commands

    overrides: dict[str, Any] = {
        "split": {"ratio": ratio, "seed": seed},
        "balance": {"per_class": per_class_value(per_class)},
    }
    with open_session(recipe, data, quiet, as_json) as session:
        finish(commands.decide(session, "split", overrides, force, resplit))


@app.command()
@reports_errors
def run(
    recipe: RecipeOption = None,
    data: DataOption = DATA,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Do the whole job: fetch, dedupe, balance, split, benchmark."""
    from curator import run_commands

    with open_session(recipe, data, quiet, as_json) as session:
        finish(run_commands.run(session))


app.command()(cli_benchmark.benchmark)
app.command()(cli_benchmark.report)
app.command()(cli_share.export)
app.command()(cli_share.replay)
app.command()(cli_share.diff)
app.command()(cli_share.forget)


app.command()(cli_fetch.status)


@app.command()
@reports_errors
def why(
    image: Annotated[str, typer.Argument(metavar="ID|PATH|URL|SHA256", help="The image.")],
    recipe: RecipeOption = None,
    data: DataOption = DATA,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Tell one image's whole story.

    Where it came from, what it is, which rule decided about it, and what else that rule saw.
    """
    from curator import inspect_commands

    with open_session(recipe, data, quiet, as_json) as session:
        inspect_commands.why(session, image)


@app.command()
@reports_errors
def review(
    who: Annotated[str | None, typer.Option("--who", metavar="NAME", help="The name your decisions bear.")] = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="The port; 0: a free one.")] = 0,
    recipe: RecipeOption = None,
    data: DataOption = DATA,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Look at the images in a browser; keep, drop or relabel them.

    All of it works from the keyboard.
    """
    from curator import review_commands

    with open_session(recipe, data, quiet, as_json) as session:
        review_commands.review(session, who, port)


@app.command()
@reports_errors
def verify(
    recipe: RecipeOption = None,
    data: DataOption = DATA,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Check every file against the manifest's hashes."""
    from curator import inspect_commands

    with open_session(recipe, data, quiet, as_json) as session:
        finish(inspect_commands.verify(session))


@app.command()
@reports_errors
def demo(
    photos: Annotated[Path | None, typer.Option("--photos", metavar="DIR", help="Serve DIR/<label>/… instead.")] = None,
    serve_only: Annotated[bool, typer.Option("--serve-only", help="Only serve, and print a recipe.")] = False,
    port: Annotated[int | None, typer.Option("--port", min=1, max=65535, help="The server's port.")] = None,
    data: DataOption = DATA,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Do the whole job on a rendered world; no Internet needed."""
    from curator import demo_commands

    if serve_only:
        demo_commands.serve_only(photos, port)
    else:
        finish(demo_commands.demo(photos, port, data, quiet, as_json))
