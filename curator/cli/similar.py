"""``curator similar``: the kept images that are most like one, or like any picture."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from curator.cli.command import Answer, dataset_command
from curator.cli.complete import images

if TYPE_CHECKING:
    from curator.cli.terminal import Terminal
    from curator.dataset import Dataset

ImageArgument = Annotated[
    str,
    typer.Argument(
        metavar="IMAGE|FILE",
        help="An image of the set, by its name, path, record id or SHA-256; or any picture file.",
        autocompletion=images,
    ),
]
NumberOption = Annotated[int, typer.Option("-n", "--number", min=1, metavar="N", help="List N images.")]


@dataset_command
def similar(dataset: "Dataset", image: ImageArgument, number: NumberOption = 10) -> Answer:
    """List the kept images most like one of the set, or like any picture.

    Example: curator similar holiday.jpg
    """
    found = dataset.similar(image, number)
    rows = found.table.astype(object).where(found.table.notna(), None).to_dict("records")

    def show(terminal: "Terminal") -> None:
        what = f", which is {found.record_id}" if found.record_id not in (None, image) else ""
        terminal.note(f"most like {image}{what}:", "bold")
        for row in rows:
            terminal.note(f"  {row['likeness']:.2f}  {row['label']}, {row['fate']}: {row['path']}")
        terminal.note(f"compared by {found.model}: 1 is the same picture")

    def facts(terminal: "Terminal") -> dict[str, Any]:
        return {"image": image, "record_id": found.record_id, "model": found.model, "similar": rows}

    return Answer(facts, show)
