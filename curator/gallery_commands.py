"""What ``curator dedupe --gallery`` writes and says.

>>> callable(write_gallery)
True
"""

from __future__ import annotations

from curator.cli import tables
from curator.cli.session import Session
from curator.report.gallery import build_gallery


def write_gallery(session: Session) -> None:
    """Write the gallery of duplicates, and say where."""
    page = build_gallery(session.project.paths)
    if not session.as_json:
        tables.print_note(f"gallery:  {page}")
