"""``curator forget``: take images out for good."""

import dataclasses
from typing import TYPE_CHECKING, Annotated

import typer

from curator.cli.command import Answer, dataset_command

if TYPE_CHECKING:
    from curator.cli.terminal import Terminal
    from curator.dataset import Dataset
    from curator.pipeline.forget import Forgotten


@dataset_command
def forget(
    dataset: "Dataset",
    target: Annotated[
        str, typer.Argument(metavar="URL|AUTHOR|HOST|SHA256", help="Whose images to take out, or which one.")
    ],
) -> Answer:
    """Take images out for good; no later fetch brings them back.

    Files, folders, the manifest and what the catalogs know of them.

    Example: curator forget https://example.org/1.jpg
    """
    done = dataset.forget(target)
    return Answer(
        lambda terminal: {
            **dataclasses.asdict(done),
            "others": [{"path": holder.path, "remedy": terminal.spell(holder.remedy)} for holder in done.others],
        },
        lambda terminal: print_forgotten(terminal, dataset, done),
    )


def print_forgotten(terminal: "Terminal", dataset: "Dataset", done: "Forgotten") -> None:
    """Print what was forgotten, and what must be made again."""
    from curator.manifests.inventory import export_command
    from curator.text import Command, plural

    listed, files, images = plural(done.n_listed, "listed image"), plural(done.n_files, "file"), done.n_manifest
    terminal.note(f"Forgotten: {listed}, {files}; {plural(images, 'image')} of the manifest.")
    for path in done.exports:
        terminal.note((f"removed, as it held it: {path} (to make it anew: ", export_command(path), ")"))
    for holder in done.others:
        terminal.note(f"{holder.path} ({terminal.spell(holder.remedy)})")
    paths = dataset.paths
    terminal.note(f"commit {paths.forgotten} and {paths.manifest}; git's history still has the old ones")
    if images:
        terminal.next(Command("split"), "it fills the gap")
