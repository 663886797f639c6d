"""``curator mirror``: the images kept elsewhere, by their content."""

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from curator.cli.command import Answer, dataset_command

if TYPE_CHECKING:
    from curator.cli.terminal import Terminal
    from curator.dataset import Dataset


@dataset_command
def mirror(
    dataset: "Dataset",
    target: Annotated[
        str, typer.Argument(metavar="PLACE", help="The folder, or s3://bucket/folder; others may use it too.")
    ],
    to: Annotated[
        Literal["folder", "git-annex", "dvc"],
        typer.Option("--to", help="The files themselves, or lists with their addresses."),
    ] = "folder",
) -> Answer:
    """Keep the images elsewhere, named by their content.

    Run again, it verifies what is there and adds what is not.

    Example: curator mirror /mnt/backup
    """
    done = dataset.mirror(target, to=to)

    def show(terminal: "Terminal") -> None:
        from curator.store.root import shown
        from curator.text import plural

        folder = shown(done.path) if isinstance(done.path, Path) else done.path
        terminal.note(f"{plural(len(done.outcomes), 'image')}: {folder}")
        for outcome, n in done.counts.items():
            terminal.note(f"{outcome}: {n:,}", "bold yellow" if outcome in done.refused else "")
        terminal.text(f"To use it, in {folder}:\n\n{textwrap.indent(done.snippet, '    ')}\n")

    facts = {"kind": done.kind.name, "path": str(done.path), "images": len(done.outcomes), "outcomes": done.counts}
    return Answer(lambda terminal: facts, show, bool(done.refused))
