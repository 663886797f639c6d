"""``curator split``: train and test, the manifest and the folders."""

from typing import TYPE_CHECKING, Annotated

import typer

from curator.cli.command import Answer, dataset_command
from curator.cli.options import ForceOption, PerClassOption, RatioOption, per_class_value

if TYPE_CHECKING:
    from curator.dataset import Dataset


@dataset_command
def split(
    dataset: "Dataset",
    ratio: RatioOption = None,
    seed: Annotated[int | None, typer.Option("--seed", metavar="N", help="Another number is another split.")] = None,
    per_class: PerClassOption = None,
    resplit: Annotated[bool, typer.Option("--resplit", help="Let images of the last split change sides.")] = False,
    force: ForceOption = False,
) -> Answer:
    """Divide into train/ and test/, and write the manifest.

    Fetches, drops copies and balances first if that is not done.

    Example: curator split --ratio 0.9
    """
    from curator.cli.counts import split_answer

    number = per_class_value(per_class)
    return split_answer(dataset, dataset.split(ratio, seed=seed, per_class=number, resplit=resplit, force=force))
