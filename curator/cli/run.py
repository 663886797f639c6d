"""``curator run``: the whole job."""

from typing import TYPE_CHECKING

from curator.cli.command import Answer, dataset_command

if TYPE_CHECKING:
    from curator.cli.terminal import Terminal
    from curator.dataset import Dataset


@dataset_command
def run(dataset: "Dataset") -> Answer:
    """Do the whole job: fetch, dedupe, balance, split, benchmark."""
    from curator.cli.benchmark import benchmark_answer
    from curator.cli.counts import split_answer

    done = dataset.run()
    split = split_answer(dataset, done.split)
    if done.benchmark is None:
        return split
    trained = benchmark_answer(dataset, done.benchmark)

    def show(terminal: "Terminal") -> None:
        split.show(terminal)
        trained.show(terminal)

    return Answer(split.as_json, show, trained.is_short)
