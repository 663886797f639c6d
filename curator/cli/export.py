"""``curator export``: the data set in a format that other tools read."""

import textwrap
from typing import TYPE_CHECKING, Annotated

import typer

from curator.cli.command import Answer, dataset_command
from curator.cli.complete import EXPORT_FORMATS, export_formats

if TYPE_CHECKING:
    from curator.cli.terminal import Terminal
    from curator.dataset import Dataset


@dataset_command
def export(
    dataset: "Dataset",
    form: Annotated[
        str,
        typer.Argument(metavar="FORMAT", help=f"One of {', '.join(EXPORT_FORMATS)}.", autocompletion=export_formats),
    ],
) -> Answer:
    """Write the data set in a format that other tools read.

    With a data card and the credits of every image.

    Example: curator export webdataset
    """
    done = dataset.export(form)

    def show(terminal: "Terminal") -> None:
        from curator.cli.terminal import plural

        terminal.note(f"{plural(done.n_images, 'image')}: {done.path}")
        terminal.text(f"To open it, in {done.path}:\n\n{textwrap.indent(done.form.snippet, '    ')}\n")

    facts = {"format": done.form.name, "path": str(done.path), "images": done.n_images}
    return Answer(lambda terminal: facts, show)
