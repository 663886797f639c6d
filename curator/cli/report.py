"""``curator report``: the report again."""

from typing import TYPE_CHECKING

from curator.cli.command import Answer, dataset_command

if TYPE_CHECKING:
    from curator.dataset import Dataset


@dataset_command
def report(dataset: "Dataset") -> Answer:
    """Write the report again from what is there; train nothing.

    Example: curator report
    """
    page = dataset.report()
    return Answer(lambda terminal: {"report": page}, lambda terminal: terminal.note(f"report: {page}"))
