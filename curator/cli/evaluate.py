"""``curator evaluate``: how right the trained models are on another set."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from curator.cli.audit import CacheOption
from curator.cli.command import Answer, dataset_command
from curator.cli.complete import model_names
from curator.cli.init import ColumnOption, read_roles
from curator.cli.options import names
from curator.errors import CuratorError

if TYPE_CHECKING:
    from curator.cli.terminal import Terminal
    from curator.dataset import Dataset
    from curator.inspect.evaluate.evaluation import Evaluation

PlaceArguments = Annotated[
    list[str],
    typer.Argument(metavar="PATH", help="A folder with a sub-folder a label, also by sides; a manifest or table."),
]
ModelsOption = Annotated[
    str | None,
    typer.Option("--model", metavar="A,B", help="Which saved models; default: all.", autocompletion=model_names),
]
MapOption = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="THEIRS=OURS", help="What a label there means; THEIRS= leaves it out; repeatable."),
]


@dataset_command
def evaluate(
    dataset: "Dataset",
    places: PlaceArguments,
    models: ModelsOption = None,
    labels: MapOption = None,
    columns: ColumnOption = None,
    cache: CacheOption = None,
) -> Answer:
    """Measure the saved models on another set of pictures.

    Near-duplicates of training images are set apart: accuracy is printed with them, without them, and on them.

    Example: curator evaluate my-photos/test --model cnn
    """
    found = dataset.evaluate(
        *places,
        models=names(models),
        labels=read_map(labels or [], dataset.labels),
        columns=read_roles(columns or []),
        cache=cache,
    )
    return Answer(lambda terminal: found.to_json(terminal.spell), lambda terminal: show_evaluation(terminal, found))


def read_map(texts: Sequence[str], labels: Sequence[str]) -> dict[str, str]:
    """Read ``--map``: a label there, ``=``, and a label of the model, or nothing.

    A label may have a ``=`` itself: the one counts behind which one of ``labels`` stands, else the last one.

    >>> read_map(["football=soccer", "tennis=", "E=mc2=", "a=b=c"], ["soccer", "b=c"])
    {'football': 'soccer', 'tennis': '', 'E=mc2': '', 'a': 'b=c'}
    """
    found = {}
    for text in texts:
        parts = text.split("=")
        ends = ("=".join(parts[n:]) for n in range(1, len(parts)))
        known = next((end for end in ends if end.strip() in labels), parts[-1])
        theirs, ours = text[: -len(known) - 1], known
        if len(parts) == 1 or not theirs.strip():
            message = f"--map must be a label there and a label of the model, not {text!r}."
            raise CuratorError(message, "`--map football=soccer`, or `--map football=` to leave those out.")
        found[theirs.strip()] = ours.strip()
    return found


def show_evaluation(terminal: "Terminal", found: "Evaluation") -> None:
    """Print the accuracies, those of each label, and what to know about them."""
    title = f"Evaluated on {found.published.kind}"
    terminal.table(title, ["", "images", "right", "95% interval"], list(_rows(found)))
    several = len(found.figures) > 1
    head = ["label", "images", *(found.figures if several else ["right"])]
    terminal.table("", head, list(_by_label(found)))
    terminal.notes(found.notes)


def _rows(found: "Evaluation") -> Iterator[list[str]]:
    from curator.text import percent

    def figures(part: str, n: int, accuracy: dict[str, float] | None) -> list[str]:
        if accuracy is None:
            return [part, "·", "·", "·"]
        return [part, f"{n:,}", percent(accuracy["mean"]), f"{percent(accuracy['low'])} to {percent(accuracy['high'])}"]

    for name, one in found.figures.items():
        yield [name, "", "", ""]
        for part, of in one["parts"].items():
            yield figures(f"  {part}", of["n"], of["accuracy"])
        own: dict[str, Any] = one["own_test"]
        yield figures("  its own test images", own["n"], own["accuracy"])


def _by_label(found: "Evaluation") -> Iterator[list[str]]:
    from curator.text import percent

    first = next(iter(found.figures.values()))
    for label, of in first["by_label"].items():
        yield [label, f"{of['n']:,}", *(percent(one["by_label"][label]["right"]) for one in found.figures.values())]
