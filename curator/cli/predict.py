"""``curator predict``: what a trained model makes of any pictures."""

from typing import TYPE_CHECKING, Annotated

import typer

from curator.cli.command import Answer, dataset_command
from curator.cli.complete import choices

if TYPE_CHECKING:
    from curator.cli.terminal import Terminal
    from curator.dataset import Dataset
    from curator.inspect.evaluate.predict import Predictions

from curator.cli.complete import MODELS

ImageArguments = Annotated[
    list[str], typer.Argument(metavar="IMAGE", help="Picture files, and folders of which every picture is labelled.")
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="NAME",
        help="Which saved model; default: the most accurate.",
        autocompletion=choices(*MODELS),
    ),
]


@dataset_command
def predict(dataset: "Dataset", images: ImageArguments, model: ModelOption = None) -> Answer:
    """Label pictures with a model that a benchmark has saved.

    Exit code 1 if a file is no picture that can be decoded.

    Example: curator predict holiday.jpg
    """
    found = dataset.predict(*images, model=model)
    return Answer(lambda terminal: found.to_json(), lambda terminal: _show(terminal, found), found.n_problems > 0)


def _show(terminal: "Terminal", found: "Predictions") -> None:
    from curator.text import percent

    width = max((len(label) for label in found.table["label"].dropna()), default=0)
    for row in found.table.to_dict("records"):
        if row["problem"]:
            terminal.note(f"{'·':>6}  {'·'.ljust(width)}  {row['problem']}", "red")
        else:
            terminal.note(f"{percent(row['probability']):>6}  {row['label'].ljust(width)}  {row['image']}")
    terminal.note(f"by {found.model}")
    terminal.notes(found.notes)
