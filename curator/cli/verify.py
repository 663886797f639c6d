"""``curator verify``: every file against the manifest, and whether readers can read it."""

import dataclasses
import functools
from typing import TYPE_CHECKING, Annotated

import typer

from curator.cli.command import Answer, dataset_command

if TYPE_CHECKING:
    from curator.cli.terminal import Terminal
    from curator.dataset import Dataset
    from curator.inspect.verify import Verification


@dataset_command
def verify(
    dataset: "Dataset",
    fast: Annotated[bool, typer.Option("--fast", help="Compare bytes only; open no picture.")] = False,
) -> Answer:
    """Check that every file is what the manifest says, and opens.

    Example: curator verify --fast
    """
    done = dataset.verify(fast=fast)
    findings, unknown = ([dataclasses.asdict(one) for one in some] for some in (done.findings, done.unknown))
    facts = {"checked": done.n_images, "findings": findings, "unknown": unknown}
    show = functools.partial(print_findings, dataset=dataset, done=done, fast=fast)
    return Answer(lambda terminal: facts, show, bool(done.findings))


def print_findings(terminal: "Terminal", dataset: "Dataset", done: "Verification", fast: bool) -> None:
    """Print what was found, a line a file, and what to do; and what nothing is known of."""
    from curator.cli.terminal import MOST_NOTES
    from curator.inspect.findings import remedies
    from curator.text import plural

    for finding in done.unknown[:MOST_NOTES]:
        terminal.note(f"not vouched for: {finding.path}: {finding.problem}")
    if (n := len(done.unknown) - MOST_NOTES) > 0:
        terminal.note(f"not vouched for: {plural(n, 'more file')}; --json lists all")
    images = plural(done.n_images, "image")
    if not done.findings:
        decoded = "" if fast else ", and was decoded"
        terminal.note(f"{images} verified: every file is what the manifest says{decoded}.", "green")
        return
    terminal.note(f"{plural(len(done.findings), 'finding')} in {images}", "bold")
    for finding in done.findings:
        terminal.note(f"{finding.path}: {finding.problem}")
    for remedy in remedies(done.findings, dataset.paths):
        terminal.note(remedy)
