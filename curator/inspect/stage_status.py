"""The counts of one stage's catalog, whole and by its parts, and what to run next.

>>> Status("birds", Stage.SPLIT, {"listed": 9, "kept": 8, "dropped": {"near-duplicate": 1}}, {}, {})
Status('birds', split: 9 listed, 8 kept, 1 dropped)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog
from curator.catalog import Stage, as_arrow
from curator.decide.conflicts import COLUMNS as CONFLICT_COLUMNS
from curator.inspect.next_step import SPLIT_AGAIN, next_after_split, next_step
from curator.manifests.licences import frequent_keys
from curator.manifests.project import Project
from curator.manifests.reviews import digest_reviews, read_reviews, standing_reviews
from curator.observe.workers.confine import possible
from curator.pipeline.stages import COUNTED
from curator.store.catalog_files import read_record
from curator.text import Command, Text, plural, spell

if TYPE_CHECKING:
    import pandas as pd

    from curator.inspect.unfinished import Unfinished
    from curator.manifests.inventory import Entry


READ = (*COUNTED, *CONFLICT_COLUMNS, "archive_url")
"""The columns of a catalog that are counted, or that say what a person should know."""


@dataclass(frozen=True)
class Status:
    """The counts of one stage's catalog, whole and by label, source and licence, and what to run next.

    ``remark`` says why that comes next, if that is not plain; ``news`` what the catalog does not know yet and what
    nobody verified, ``entries`` what exists beside it, ``ways`` the other commands, ``unfinished`` how far a fetch is
    that is at work or was interrupted.
    """

    name: str
    stage: Stage | None
    counts: dict[str, Any]
    labels: dict[str, dict[str, Any]]
    sources: dict[str, dict[str, Any]]
    licences: dict[str, dict[str, Any]] = field(default_factory=dict)
    splits: dict[str, dict[str, int]] = field(default_factory=dict)
    folds: dict[str, dict[str, int]] = field(default_factory=dict)
    next: tuple[Command, ...] = ()
    remark: Text = ""
    news: tuple[Text, ...] = ()
    entries: tuple[Entry, ...] = ()
    ways: tuple[Command, ...] = ()
    unfinished: Unfinished | None = None

    @property
    def headline(self) -> str:
        """What the counts are of."""
        is_first = self.unfinished and self.stage in (None, Stage.LISTED)
        return "fetch not finished" if is_first else str(self.stage or "nothing done yet")

    def __repr__(self) -> str:
        """Say what a person asks first; the attributes have the rest."""
        n_dropped = sum(self.counts["dropped"].values())
        counted = f"{self.counts['listed']:,} listed, {self.counts['kept']:,} kept, {n_dropped:,} dropped"
        following = f"; next: {spell(self.next, quote='')}" if self.next else ""
        return f"Status({self.name!r}, {self.headline}: {counted}{following})"

    def _repr_html_(self) -> str:
        """Show the counts of each label in a notebook, and what to know and to run next."""
        news = [spell(text) for text in self.news]
        following = [f"next: {spell(self.next, quote='')}"] if self.next else []
        from curator.report.notebook import status_html

        return status_html(f"{self.name}, {self.headline}", {**self.labels, "all": self.counts}, [*news, *following])

    def as_json(self, option: str = "") -> dict[str, Any]:
        """Return the machine-readable form: ``listed``, ``kept``, ``dropped``, and the same under each part."""
        return {
            "name": self.name,
            "stage": str(self.stage) if self.stage else None,
            **self.counts,
            "labels": self.labels,
            "sources": self.sources,
            "licences": self.licences,
            "splits": self.splits,
            "folds": self.folds,
            "next": spell(self.next, option, quote=""),
            "remark": spell(self.remark, option),
            "news": [spell(text, option) for text in self.news],
            "unfinished": self.unfinished.as_json() if self.unfinished else None,
            "workers_confined_by": [*possible()],
            "beside": [
                {"kind": entry.kind, "path": str(entry.path), "files": [*map(str, entry.files)], "remark": entry.remark}
                for entry in self.entries
            ],
        }


def new_reviews(project: Project, stage: Stage | None) -> tuple[Text, ...]:
    """Say how many decisions the catalog was made without."""
    now = digest_reviews(standing_reviews(read_reviews(project.paths.reviews)))
    then: dict[str, Any] = {"n": 0}
    if stage not in (None, Stage.LISTED, Stage.FETCHED):
        then = read_record(project.paths.catalog(stage)).settings.get("reviews", then)
    n_then = then.get("n", 0)
    if then == now or (now["n"] == 0 and n_then == 0):
        return ()
    n = now["n"] - n_then
    what = plural(n, "new review") if n > 0 else "reviews have changed"
    return ((f"{what}: run ", SPLIT_AGAIN),)


def count_stage(project: Project, stage: Stage | None, table: pd.DataFrame | pa.Table) -> Status:
    """Count a catalog that is in memory."""
    kept = catalog.kept(table)
    labels = project.recipe.labels
    step, remark = next_step(project, stage, table)
    steps, remark = next_after_split(project.paths) if stage == Stage.SPLIT else ((step,), remark)
    nothing = {label: {"listed": 0, "kept": 0, "dropped": {}} for label in (labels if stage else ())}
    return Status(
        name=project.recipe.name,
        stage=stage,
        counts=catalog.counts(table),
        labels=dict(sorted((nothing | catalog.counts_by(table, "label")).items())),
        sources=catalog.counts_by(table, "source"),
        licences=catalog.counts_by(table, frequent_keys(table)),
        splits=_count_parts(kept, "split"),
        folds=_count_parts(kept, "fold"),
        next=steps,
        remark=remark,
    )


def _count_parts(kept: pd.DataFrame | pa.Table, column: str) -> dict[str, dict[str, int]]:
    """Count the labels in each part that a column names."""
    parts, labels = as_arrow(kept[column]), as_arrow(kept["label"], pa.string())
    names = sorted(pc.unique(parts).drop_null().to_pylist())
    return {str(name): catalog.count_values(labels.filter(pc.equal(parts, name))) for name in names}
