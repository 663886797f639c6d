"""``curator balance``: choose exactly N images a label."""

from typing import TYPE_CHECKING

from curator.cli.command import Answer, dataset_command
from curator.cli.options import ForceOption, PerClassOption, per_class_value

if TYPE_CHECKING:
    from curator.dataset import Dataset


@dataset_command
def balance(dataset: "Dataset", per_class: PerClassOption = None, force: ForceOption = False) -> Answer:
    """Choose as many images of each label as you want.

    Example: curator balance --per-class 500
    """
    from curator.cli.counts import stage_answer

    return stage_answer(dataset.balance(per_class_value(per_class), force=force))
