"""The commands that share a data set: parse, call, render.

>>> export.__name__
'export'
"""

from __future__ import annotations

from typing import Annotated

import typer

from curator.session import DATA, DataOption, JsonOption, QuietOption, RecipeOption, open_session, reports_errors


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
    """Write the data set in a format that other tools read, with a data card and credits."""
    from curator import share_commands

    with open_session(recipe, data, quiet, as_json) as session:
        share_commands.export(session, form)
