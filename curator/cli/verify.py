"""``curator verify``: every file against the manifest, and whether readers can read it."""

import dataclasses
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
    facts = {"checked": done.n_images, "findings": [dataclasses.asdict(finding) for finding in done.findings]}
    return Answer(lambda terminal: facts, lambda terminal: print_findings(terminal, done, fast), bool(done.findings))


def print_findings(terminal: "Terminal", done: "Verification", fast: bool) -> None:
    """Print what was found, a line a file, and what to do."""
    from curator.cli.terminal import plural
    from curator.text import Command

    images = plural(done.n_images, "image")
    if not done.findings:
        decoded = "" if fast else ", and was decoded"
        terminal.note(f"{images} verified: every file is what the manifest says{decoded}.", "green")
        return
    terminal.note(f"{plural(len(done.findings), 'finding')} in {images}", "bold")
    for finding in done.findings:
        terminal.note(f"{finding.path}: {finding.problem}")
    missing = (Command("fetch"), " gets those that are missing again and drops those that are damaged, then ")
    anew = (Command("split --force"), " makes the folders anew.")
    terminal.note(("Delete stored images whose bytes differ; ", *missing, *anew))
