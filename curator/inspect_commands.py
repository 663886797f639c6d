"""What ``curator status``, ``curator why`` and ``curator verify`` show; they change nothing.

>>> callable(show_status)
True
"""

from __future__ import annotations

import dataclasses

from curator.cli import tables
from curator.cli.session import Session
from curator.inspect.status import read_status
from curator.inspect.verify import verify as verify_files
from curator.inspect.why import tell


def show_status(session: Session) -> None:
    """Show the counts of the latest stage."""
    status = read_status(session.project)
    if session.as_json:
        tables.print_json(status.as_json(session.option))
    else:
        tables.print_counts(status, session.option)


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
        tables.print_findings(n_images, findings, session.option)
    return bool(findings)
