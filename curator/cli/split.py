"""``curator split``: train, val and test, the manifest and the folders."""

from typing import TYPE_CHECKING, Annotated

import typer

from curator.cli.command import Answer, dataset_command
from curator.cli.options import (
    FoldsOption,
    ForceOption,
    PerClassOption,
    RatioOption,
    ValOption,
    per_class_value,
    val_value,
)

if TYPE_CHECKING:
    from curator.dataset import Dataset


@dataset_command
def split(
    dataset: "Dataset",
    ratio: RatioOption = None,
    val: ValOption = None,
    folds: FoldsOption = None,
    seed: Annotated[int | None, typer.Option("--seed", metavar="N", help="Another number is another split.")] = None,
    per_class: PerClassOption = None,
    resplit: Annotated[bool, typer.Option("--resplit", help="Let images of the last split change sides.")] = False,
    force: ForceOption = False,
) -> Answer:
    """Divide into train/, val/ (if asked for) and test/, and write the manifest.

    Fetches, drops copies and balances first if that is not done.

    Example: curator split --ratio 0.8 --folds 5
    """
    from curator.cli.counts import split_answer

    done = dataset.split(
        ratio,
        val=val_value(val),
        folds=folds,
        seed=seed,
        per_class=per_class_value(per_class),
        resplit=resplit,
        force=force,
    )
    return split_answer(dataset, done)
