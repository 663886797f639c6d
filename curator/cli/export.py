"""``curator export``: the data set in a format that other tools read, in a folder or on the Hugging Face hub."""

import dataclasses
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from curator.cli.command import Answer, dataset_command
from curator.cli.complete import EXPORT_FORMATS, export_formats

if TYPE_CHECKING:
    from curator.cli.terminal import Terminal
    from curator.dataset import Dataset
    from curator.export.export import Exported
    from curator.pipeline.hub.push import Pushed

FormatArgument = Annotated[
    str | None,
    typer.Argument(metavar="FORMAT", help=f"One of {', '.join(EXPORT_FORMATS)}.", autocompletion=export_formats),
]
OutputOption = Annotated[
    Path | None, typer.Option("--output", metavar="DIR", help="Write to this folder, not below data/.")
]
SizeOption = Annotated[int | None, typer.Option("--image-size", metavar="N", min=1, help="Resize to N x N pixels.")]
FitOption = Annotated[
    str | None, typer.Option("--fit", metavar="crop|pad|stretch", help="How --image-size makes a square.")
]
ToOption = Annotated[
    Literal["hub"] | None,
    typer.Option("--to", metavar="hub", help="Push it to the Hugging Face hub as parquet, by $HF_TOKEN."),
]
RepoOption = Annotated[str | None, typer.Option("--repo", metavar="OWNER/NAME", help="With --to hub: its name there.")]
PublicOption = Annotated[bool, typer.Option("--public", help="With --to hub: everyone sees it; else it is private.")]
LicenceOption = Annotated[
    bool, typer.Option("--any-licence", help="With --to hub: all images, whatever their licence allows.")
]


@dataset_command
def export(
    dataset: "Dataset",
    form: FormatArgument = None,
    output: OutputOption = None,
    image_size: SizeOption = None,
    fit: FitOption = None,
    to: ToOption = None,
    repo: RepoOption = None,
    public: PublicOption = False,
    any_licence: LicenceOption = False,
) -> Answer:
    """Write the data set in a format that other tools read.

    With a data card and the credits of every image. --to hub publishes it.

    Example: curator export webdataset
    """
    from curator.errors import CuratorError
    from curator.text import Command

    if to == "hub":
        if output is not None or form not in (None, "parquet"):
            raise CuratorError("--to hub pushes Parquet to the hub.", "Leave FORMAT and --output out.")
        options = {"public": public, "any_licence": any_licence}
        return pushed_answer(dataset.push(repo, image_size=image_size, fit=fit, **options))
    if repo is not None or public or any_licence:
        raise CuratorError("--repo, --public and --any-licence go with --to hub.", "Give that too.")
    if form in (None, "hub"):
        hub = Command("export --to hub")
        raise CuratorError("Say which format.", (f"There are {', '.join(EXPORT_FORMATS)}; ", hub, " publishes it."))
    return exported_answer(dataset.export(str(form), output=output, image_size=image_size, fit=fit))


def exported_answer(done: "Exported") -> Answer:
    """Show where an export is, and how to open it."""

    def show(terminal: "Terminal") -> None:
        from curator.store.root import shown
        from curator.text import plural

        folder = shown(done.path)
        terminal.note(f"{plural(done.n_images, 'image')}: {folder}")
        terminal.text(f"To open it, in {folder}:\n\n{textwrap.indent(done.form.snippet, '    ')}\n")

    facts = {"format": done.form.name, "path": str(done.path), "images": done.n_images}
    return Answer(lambda terminal: facts, show)


def pushed_answer(done: "Pushed") -> Answer:
    """Show what is on the hub now."""

    def show(terminal: "Terminal") -> None:
        from curator.text import plural

        seen = "its owner alone" if done.is_private else "everyone"
        terminal.note(f"{plural(done.n_images, 'image')}: {done.address} (seen by {seen})")
        if not done.n_changed:
            terminal.note("Nothing was sent: all of it is there already.")
        if done.n_withheld:
            what = f"{plural(done.n_withheld, 'image')} left out: no licence that is known lets anybody pass on such."
            terminal.note(f"{what} manifest.csv there has the addresses; --any-licence pushes all.", "bold yellow")
        terminal.text(f'To open it:\n\n    load_dataset("{done.repo}")  # from datasets import load_dataset\n')

    return Answer(lambda terminal: dataclasses.asdict(done), show)
