"""What ``curator run`` does with an open session: all stages, then the benchmark and its report.

>>> callable(run)
True
"""

from __future__ import annotations

from curator.benchmark_commands import show_result, train_and_report
from curator.cli.session import Session
from curator.cli.stage_result import decide
from curator.events import Warned
from curator.pipeline import run as pipeline


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
