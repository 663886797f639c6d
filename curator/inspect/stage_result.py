"""What a stage ended with, as the API returns it: counts, notes, what is missing, and its catalog if that is asked for.

>>> counts = {"listed": 9, "kept": 8, "dropped": {"near-duplicate": 1}}
>>> StageResult(Status("birds", Stage.SPLIT, counts, {}, {}), catalog.empty, missing={"heron": 3})
StageResult(Status('birds', split: 9 listed, 8 kept, 1 dropped), heron misses 3)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from curator import catalog
from curator.catalog import Stage
from curator.inspect.next_step import next_by_news
from curator.inspect.settings_news import settings_news
from curator.inspect.stage_status import READ, Status, count_stage, new_reviews
from curator.manifests.project import Project
from curator.pipeline.made_from import Change, examine
from curator.pipeline.run_stages import Outcome
from curator.store.catalog_files import read_catalog
from curator.text import Text, plural

if TYPE_CHECKING:
    import pandas as pd

    from curator.benchmark.metrics_file import BenchmarkResult


@dataclass(frozen=True)
class StageResult:
    """What a stage ended with.

    Attributes:
        status: the counts of its catalog, and what to run next.
        read: reads its catalog.
        notes: what a person should know.
        missing: the images that each label is short of; empty if none is.
        skipped: whether nothing had changed, so that the catalog was left as it is.
    """

    status: Status
    read: Callable[[], pd.DataFrame] = field(repr=False)
    notes: tuple[Text, ...] = ()
    missing: dict[str, int] = field(default_factory=dict)
    skipped: bool = False

    def __repr__(self) -> str:
        """Name the status, and count the rest if there is any."""
        short = [f"{label} misses {n:,}" for label, n in self.missing.items()]
        notes = [plural(len(self.notes), "note")] if self.notes else []
        return f"StageResult({', '.join([repr(self.status), *short, *notes])})"

    def _repr_html_(self) -> str:
        return self.status._repr_html_()

    @cached_property
    def table(self) -> pd.DataFrame:
        """Its catalog: one row a listed image; see docs/library.md.

        Raises:
            StateError: the catalog is damaged, or gone.
        """
        return self.read()

    @property
    def counts(self) -> dict[str, Any]:
        """``listed``, ``kept``, and ``dropped`` by reason."""
        return self.status.counts


@dataclass(frozen=True)
class RunResult:
    """What the whole job ended with; ``benchmark`` is None if there was none."""

    split: StageResult
    benchmark: BenchmarkResult | None


def stage_result(project: Project, stage: Stage, outcome: Outcome) -> StageResult:
    """Count what a stage ended with."""
    status, path = count_stage(project, stage, outcome.rows), project.paths.catalog(stage)
    if stage != Stage.LISTED:
        status = _with_what_is_next(project, stage, status)
    whole = catalog.names_of(outcome.rows) == catalog.SCHEMA.names
    read = (lambda: outcome.table) if whole else (lambda: read_catalog(path))
    return StageResult(status, read, outcome.notes, outcome.missing, outcome.skipped)


def _with_what_is_next(project: Project, stage: Stage, status: Status) -> Status:
    """Look beyond a stage: if those after it are current, and nothing else has changed, there is more than they to do.

    What is next is the same as ``curator status`` says then; what the sources list was looked at before any stage.
    """
    latest: Stage | None = stage
    changes = frozenset[Change]()
    if _exist_after(project, stage):
        latest, changes = examine(project, with_reviews=False)
    if latest != stage and latest is not None:
        beyond = count_stage(project, latest, read_catalog(project.paths.catalog(latest), READ))
        status = replace(status, next=beyond.next, remark=beyond.remark)
    reviewed = bool(new_reviews(project, latest)) and not _exist_after(project, latest)
    settings = bool(settings_news(project))
    first = next_by_news(project.paths, latest, changes, reviewed=reviewed, sources=False, settings=settings)
    return replace(status, next=first[:1], remark=first[1]) if first else status


def _exist_after(project: Project, stage: Stage | None) -> bool:
    """Return whether there is a catalog of a later stage."""
    stages = [*Stage]
    return any(project.paths.catalog(one).exists() for one in stages[stages.index(stage) + 1 if stage else 0 :])
