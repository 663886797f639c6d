"""``curator split``: train and test, the manifest and the folders."""

from typing import TYPE_CHECKING, Annotated

import typer

from curator.cli.command import Answer, dataset_command
from curator.cli.options import ForceOption, PerClassOption, per_class_value

if TYPE_CHECKING:
    from curator.dataset import Dataset


@dataset_command
def split(
    dataset: "Dataset",
    ratio: Annotated[float | None, typer.Option("--ratio", help="Share of each label in train.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Another seed is another split.")] = None,
    per_class: PerClassOption = None,
    resplit: Annotated[bool, typer.Option("--resplit", help="Let images change sides.")] = False,
    force: ForceOption = False,
) -> Answer:
    """Split into train and test; write the manifest and the folders.

    Dedupes and balances first if that is not done.
    """
    from curator.cli.counts import split_answer

    number = per_class_value(per_class)
    return split_answer(dataset, dataset.split(ratio, seed=seed, per_class=number, resplit=resplit, force=force))
