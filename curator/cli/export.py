"""The commands that share a data set: parse, call, render.

>>> export.__name__
'export'
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from curator.cli.session import DataOption, JsonOption, QuietOption, RecipeOption, finish, open_session, reports_errors
from curator.store.paths import DATA


@reports_errors
def export(
    form: Annotated[
        str,
        typer.Argument(metavar="FORMAT", help="imagefolder, keras, webdataset, parquet, tfrecord, croissant or coco."),
    ],
    recipe: RecipeOption = None,
    data: DataOption = DATA,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write the data set in a format that other tools read.

    With a data card and the credits of every image.
    """
    from curator import share_commands

    with open_session(recipe, data, quiet, as_json) as session:
        share_commands.export(session, form)


@reports_errors
def replay(
    manifest: Annotated[Path, typer.Argument(metavar="MANIFEST", help="A manifest.csv; it is only read.")],
    accept_similar: Annotated[
        bool, typer.Option("--accept-similar", help="Keep pictures whose bytes have changed.")
    ] = False,
    recipe: RecipeOption = None,
    data: DataOption = DATA,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Rebuild a data set from its manifest alone.

    With the same split; what the web has lost is reported.
    """
    from curator import share_commands

    finish(share_commands.replay(manifest, recipe, data, accept_similar, quiet, as_json))


@reports_errors
def diff(
    old: Annotated[Path, typer.Argument(metavar="A", help="A manifest.csv.")],
    new: Annotated[Path, typer.Argument(metavar="B", help="Another.")],
    recipe: RecipeOption = None,
    data: DataOption = DATA,
    as_json: JsonOption = False,
) -> None:
    """Compare two manifests: what came, went or changed, and why."""
    from curator import share_commands

    share_commands.diff(old, new, recipe, data, as_json)


@reports_errors
def forget(
    target: Annotated[str, typer.Argument(metavar="URL|AUTHOR|HOST|SHA256", help="What to take out.")],
    recipe: RecipeOption = None,
    data: DataOption = DATA,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Take images out for good; no later fetch brings them back.

    Files, folders, the manifest and what the catalogs know of them.
    """
    from curator import share_commands

    with open_session(recipe, data, quiet, as_json) as session:
        share_commands.forget(session, target)
