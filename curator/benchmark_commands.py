"""What ``curator benchmark`` and ``curator report`` do with an open session.

>>> as_percent(0.9137)
'91.4%'
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from curator.benchmark.metrics_file import BenchmarkResult
from curator.benchmark.start import run_benchmark
from curator.cli import tables
from curator.cli.session import Session
from curator.manifests.project import Project
from curator.report.build import build_report
from curator.text import Command, spell


def benchmark(session: Session, options: dict[str, Any], weights: Path | None, quick: bool, resume: bool) -> bool:
    """Train, compare and report; tell whether a model that was asked for is missing."""
    recipe = session.project.recipe.with_overrides("benchmark", **options)
    project = dataclasses.replace(session.project, recipe=recipe)
    result, page = train_and_report(project, weights, quick, resume)
    if session.as_json:
        missing = {model: spell(why, session.option) for model, why in result.missing.items()}
        tables.print_json({**dataclasses.asdict(result), "missing": missing, "report": page})
    else:
        show_result(result, page)
    return result.exit_code != 0


def train_and_report(
    project: Project, weights: Path | None, quick: bool, resume: bool = False
) -> tuple[BenchmarkResult, Path]:
    """Train the models on the project's manifest and write the report, also where the training was interrupted.

    Raises:
        KeyboardInterrupt: Ctrl-C; its argument is a text that says what is kept and how to go on.
    """
    try:
        result = run_benchmark(
            project.recipe, project.paths, weights=weights, quick=quick, resume=resume, emit=project.emit
        )
    except KeyboardInterrupt as interrupt:
        page = build_report(project.recipe, project.paths)
        message = f"Interrupted. Every finished epoch is kept, and {page} tells what is done. "
        go_on = (Command("benchmark --resume"), " with the same settings goes on from there.")
        raise KeyboardInterrupt((message, *go_on)) from interrupt
    return result, build_report(project.recipe, project.paths)


def show_result(result: BenchmarkResult, page: Path) -> None:
    """Show the accuracies, what is missing and where the report is."""
    title = "smoke test: these accuracies mean nothing" if result.smoke_test else "accuracy on the test images"
    accuracies = {model: as_percent(share) for model, share in result.accuracy.items()}
    tables.print_accuracies(title, accuracies | dict.fromkeys(result.missing, "missing"))
    tables.print_notes(result.warnings)
    tables.print_note(f"report:   {page}")


def as_percent(share: float) -> str:
    """Write a share as a percentage."""
    return f"{100 * share:.1f}%"


def report(session: Session) -> None:
    """Write the report from what is there."""
    page = build_report(session.project.recipe, session.project.paths)
    if session.as_json:
        tables.print_json({"report": page})
    else:
        tables.print_note(f"report: {page}")
