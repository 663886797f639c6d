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
from curator.text import spell


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
        notes = [spell(note, session.option) for note in outcome.notes]
        tables.print_json({**status.as_json(session.option), "notes": notes, "missing": outcome.missing})
        return
    tables.print_counts(status, session.option)
    tables.print_notes(outcome.notes, session.option)
    if stage == Stage.SPLIT:
        paths = session.project.paths
        tables.print_note(f"manifest: {paths.manifest}")
        tables.print_note(f"folders:  {paths.split_folder('train')}  {paths.split_folder('test')}")
