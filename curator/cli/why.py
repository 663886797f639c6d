"""``curator why``: one image's whole story."""

from typing import TYPE_CHECKING, Annotated

import typer

from curator.cli.command import Answer, dataset_command

if TYPE_CHECKING:
    from curator.cli.terminal import Terminal
    from curator.dataset import Dataset


@dataset_command
def why(
    dataset: "Dataset",
    image: Annotated[str, typer.Argument(help="A record id, path, URL or SHA-256 (8 digits or more).")],
) -> Answer:
    """Show one image's whole story."""
    stories = dataset.why(image)

    def show(terminal: "Terminal") -> None:
        for line in (line for story in stories for line in story.lines):
            terminal.note(line)

    return Answer(lambda terminal: [story.facts for story in stories], show)
