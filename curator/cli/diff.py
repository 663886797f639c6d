"""``curator diff``: what differs between two manifests, and why."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from curator.cli.command import Answer, open_named, reports_errors
from curator.cli.options import DataOption, JsonOption, RecipeOption

if TYPE_CHECKING:
    from curator.cli.terminal import Terminal
    from curator.inspect.diff import Change
    from curator.manifests.project import Project

MOST_CHANGES = 20
"""Changes of a kind that are named; the rest are counted."""


@reports_errors
def diff(
    old: Annotated[Path, typer.Argument(metavar="A", help="The manifest.csv before.")],
    new: Annotated[Path, typer.Argument(metavar="B", help="The one after.")],
    recipe: RecipeOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare two manifests: what came, went or changed, and why.

    Example: curator diff before.csv manifests/birds/manifest.csv
    """
    from curator.cli.terminal import Terminal
    from curator.inspect.diff import explain_changes

    changes = explain_changes(old, new, open_if_any(recipe, data))
    facts = [dataclasses.asdict(change) for change in changes]
    Answer(lambda terminal: facts, lambda terminal: print_changes(terminal, changes)).finish(Terminal(), as_json)


def open_if_any(recipe: str | None, data: Path | None) -> "Project | None":
    """Open the data set whose catalog may know causes; a comparison goes without one, unless it was named."""
    from curator.errors import CuratorError

    try:
        return open_named(recipe, data).project
    except CuratorError:
        if recipe is not None:
            raise
        return None


def print_changes(terminal: "Terminal", changes: "Sequence[Change]") -> None:
    """Print the changes kind by kind."""
    from curator.inspect.diff import KINDS

    if not changes:
        terminal.note("The two manifests hold the same images, labels and sides.")
    for kind in KINDS:
        found = [change for change in changes if change.kind == kind]
        if found:
            terminal.note(f"{kind}: {len(found):,}")
        for change in found[:MOST_CHANGES]:
            terminal.note(f"  {change_line(change)}")
        if len(found) > MOST_CHANGES:
            terminal.note(f"  and {len(found) - MOST_CHANGES:,} more (--json has them all)")


def change_line(change: "Change") -> str:
    """Write one change in a line.

    >>> from curator.inspect.diff import Change
    >>> change_line(Change("moved", "x-1", "ab", "train", "test", "seed was 0, is 1"))
    'x-1  train -> test  (seed was 0, is 1)'
    """
    shorten = change.kind == "replaced"
    parts = [part[:16] if shorten else part for part in (change.before, change.after) if part]
    return f"{change.record_id}  {' -> '.join(parts)}{f'  ({change.cause})' if change.cause else ''}"
