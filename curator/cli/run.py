"""``curator run``: the whole job."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from curator.cli.command import Answer, dataset_command
from curator.cli.options import FoldsOption, PerClassOption, RatioOption, ValOption, per_class_value, val_value

if TYPE_CHECKING:
    from curator.dataset import Dataset


@dataset_command
def run(
    dataset: "Dataset",
    no_benchmark: Annotated[bool, typer.Option("--no-benchmark", help="End with the split; train nothing.")] = False,
    per_class: PerClassOption = None,
    ratio: RatioOption = None,
    val: ValOption = None,
    folds: FoldsOption = None,
) -> Iterator[Answer]:
    """Do the whole job: fetch, dedupe, balance, split, benchmark.

    Example: curator run --no-benchmark --per-class 500
    """
    from curator.cli.benchmark import benchmark_answer, says_how_to_go_on
    from curator.cli.counts import split_answer

    sides: dict[str, Any] = {"ratio": ratio, "val": val_value(val), "folds": folds}
    done = dataset.run(benchmark=False, per_class=per_class_value(per_class), **sides)
    yield split_answer(dataset, done.split)
    if not no_benchmark:
        with says_how_to_go_on(dataset):
            trained = dataset.benchmark()
        yield replace(benchmark_answer(dataset, trained), as_json=None)
