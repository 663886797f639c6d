"""What the commands of the stages do with an open session: call the stage, show what came of it, say what is missing.

>>> callable(show)
True
"""

from __future__ import annotations

from typing import Any

from curator.catalog import Stage
from curator.cli import tables
from curator.cli.session import Session
from curator.inspect.status import describe
from curator.pipeline import run as pipeline
from curator.pipeline.run import Outcome


def decide(
    session: Session, stage: str, overrides: dict[str, dict[str, Any]], force: bool, resplit: bool = False
) -> dict[str, int]:
    """Run the deciding stages up to ``stage``."""
    outcome = pipeline.decide(session.project, Stage(stage), overrides, force, resplit)
    show(session, outcome, Stage(stage))
    return outcome.missing


def show(session: Session, outcome: Outcome, stage: Stage) -> None:
    """Show what a stage ended with: its counts, its notes and, after the split, where the result lies."""
    status = describe(session.project, stage, outcome.table)
    if session.as_json:
        tables.print_json({**status.as_json(), "notes": list(outcome.notes), "missing": outcome.missing})
        return
    tables.print_counts(status)
    tables.print_notes(outcome.notes)
    if stage == Stage.SPLIT:
        paths = session.project.paths
        tables.print_note(f"manifest: {paths.manifest}")
        tables.print_note(f"folders:  {paths.split_folder('train')}  {paths.split_folder('test')}")
