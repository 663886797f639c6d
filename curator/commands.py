"""What each command does with an open session: call the stage, show what came of it, say what is missing.

>>> callable(show)
True
"""

from __future__ import annotations

import dataclasses
from typing import Any

from curator import pipeline
from curator.benchmark_commands import show_result, train_and_report
from curator.catalog import Stage
from curator.events import Warned
from curator.pipeline import Outcome
from curator.render import tables
from curator.report.gallery import build_gallery
from curator.session import Session
from curator.status import describe, read_status
from curator.verify import verify as verify_files
from curator.why import tell


def decide(
    session: Session, stage: str, overrides: dict[str, dict[str, Any]], force: bool, resplit: bool = False
) -> dict[str, int]:
    """Run the deciding stages up to ``stage``."""
    outcome = pipeline.decide(session.project, Stage(stage), overrides, force, resplit)
    show(session, outcome, Stage(stage))
    return outcome.missing


def write_gallery(session: Session, wanted: bool) -> None:
    """Write the gallery of duplicates where it is wanted, and say where."""
    if wanted:
        page = build_gallery(session.project.paths)
        if not session.as_json:
            tables.print_note(f"gallery:  {page}")


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


def run(session: Session) -> dict[str, int]:
    """Do the whole job."""
    fetched = pipeline.fetch(session.project)
    if fetched.missing:
        tail = ", ".join(f"{label} by {n:,}" for label, n in fetched.missing.items())
        session.project.emit(Warned(f"Too few images were fetched ({tail})."))
    if missing := decide(session, "split", {}, force=False):
        return missing
    result, page = train_and_report(session.project, weights=None, quick=False)
    if not session.as_json:
        show_result(result, page)
    return dict.fromkeys(result.missing, 1)


def show_status(session: Session) -> None:
    """Show the counts of the latest stage."""
    status = read_status(session.project)
    if session.as_json:
        tables.print_json(status.as_json())
    else:
        tables.print_counts(status)


def why(session: Session, image: str) -> None:
    """Tell the story of every row that ``image`` names."""
    stories = tell(session.project, image)
    if session.as_json:
        tables.print_json([story.as_json() for story in stories])
        return
    for story in stories:
        tables.print_story(story.lines)


def verify(session: Session) -> bool:
    """Verify every file; tell whether something differs."""
    n_images, findings = verify_files(session.project.paths, session.project.emit)
    if session.as_json:
        differing = [dataclasses.asdict(finding) for finding in findings]
        tables.print_json({"checked": n_images, "findings": differing})
    else:
        tables.print_findings(n_images, findings, session.project.option)
    return bool(findings)
