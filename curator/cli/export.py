"""``curator export``: the data set in a format that other tools read."""

import textwrap
from pathlib import Path
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
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="DIR", help="Write to this folder, not below data/."),
    ] = None,
    image_size: Annotated[
        int | None, typer.Option("--image-size", metavar="N", min=1, help="Resize to N x N pixels.")
    ] = None,
    fit: Annotated[
        str | None, typer.Option("--fit", metavar="crop|pad|stretch", help="How --image-size makes a square.")
    ] = None,
) -> Answer:
    """Write the data set in a format that other tools read.

    With a data card and the credits of every image.

    Example: curator export webdataset
    """
    done = dataset.export(form, output=output, image_size=image_size, fit=fit)

    def show(terminal: "Terminal") -> None:
        from curator.store.root import shown
        from curator.text import plural

        folder = shown(done.path)
        terminal.note(f"{plural(done.n_images, 'image')}: {folder}")
        terminal.text(f"To open it, in {folder}:\n\n{textwrap.indent(done.form.snippet, '    ')}\n")

    facts = {"format": done.form.name, "path": str(done.path), "images": done.n_images}
    return Answer(lambda terminal: facts, show)
