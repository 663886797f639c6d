"""``curator run``: the whole job."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from curator.cli.command import Answer, dataset_command

if TYPE_CHECKING:
    from curator.dataset import Dataset


@dataset_command
def run(dataset: "Dataset") -> Iterator[Answer]:
    """Do the whole job: fetch, dedupe, balance, split, benchmark."""
    from curator.cli.benchmark import benchmark_answer, says_how_to_go_on
    from curator.cli.counts import split_answer

    yield split_answer(dataset, dataset.run(benchmark=False).split)
    with says_how_to_go_on(dataset):
        trained = dataset.benchmark()
    yield replace(benchmark_answer(dataset, trained), as_json=None)
