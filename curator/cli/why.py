"""``curator why``: one image's whole story."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from curator.cli.command import Answer, dataset_command
from curator.cli.complete import images

if TYPE_CHECKING:
    from curator.cli.terminal import Terminal
    from curator.dataset import Dataset


ImageArgument = Annotated[
    str,
    typer.Argument(
        metavar="IMAGE",
        help="A file's name or path, a record id, a URL, or 8 or more digits of a SHA-256.",
        autocompletion=images,
    ),
]
PageOption = Annotated[
    Path | None,
    typer.Option("--page", metavar="FILE", help="Write a page that lays it over each image it was compared with."),
]


@dataset_command
def why(
    dataset: "Dataset",
    image: ImageArgument,
    page: PageOption = None,
) -> Answer:
    """Tell one image's story: its source, what was decided, and why.

    Example: curator why heron/photo_12.jpg
    """
    from curator.inspect.compared import PIXELS
    from curator.text import Command

    stories = dataset.why(image)
    if page:
        stories.write_page(page)

    def show(terminal: "Terminal") -> None:
        for text in (text for story in stories for text in story.texts):
            terminal.note(text)
        if page:
            terminal.note(f"page: {page}")
        elif any(line.startswith(PIXELS) for story in stories for line in story.lines):
            terminal.note(("To see them: ", Command.of("why", image, options=("--page", "why.html"))))

    return Answer(lambda terminal: [story.facts for story in stories], show)
