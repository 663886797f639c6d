"""Where a data set stands: counts per stage, label, source and drop reason, and what to run next.

>>> next_command(None, {})
'curator fetch'
>>> next_command(Stage.FETCHED, {"rugby": 3})
'curator split --per-class max (too few images: rugby misses 3; or fetch more)'
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from curator import catalog, pipeline
from curator.catalog import Stage
from curator.export import Export, standing_exports
from curator.project import Project
from curator.store.catalog_files import read_catalog


@dataclass(frozen=True)
class Status:
    """The counts of the latest stage's catalog, whole and by label and source, the exports, and the next command."""

    name: str
    stage: Stage | None
    counts: dict[str, Any]
    labels: dict[str, dict[str, Any]]
    sources: dict[str, dict[str, Any]]
    splits: dict[str, dict[str, int]] = field(default_factory=dict)
    next: str = ""
    exports: tuple[Export, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the machine-readable form: ``listed``, ``kept``, ``dropped``, and the same under each part."""
        return {
            "name": self.name,
            "stage": str(self.stage) if self.stage else None,
            **self.counts,
            "labels": self.labels,
            "sources": self.sources,
            "splits": self.splits,
            "next": self.next,
            "exports": [
                {"format": export.name, "path": str(export.path), "current": export.is_current}
                for export in self.exports
            ],
        }


def read_status(project: Project) -> Status:
    """Count the latest catalog that stands."""
    stage = pipeline.latest_stage(project)
    table = read_catalog(project.paths.catalog(stage)) if stage else catalog.empty()
    return replace(describe(project, stage, table), exports=tuple(standing_exports(project.paths)))


def describe(project: Project, stage: Stage | None, table: Any) -> Status:
    """Count a catalog that is at hand."""
    missing = pipeline.missing_per_label(project.recipe, table) if stage in (Stage.FETCHED, Stage.DEDUPED) else {}
    return Status(
        name=project.recipe.name,
        stage=stage,
        counts=catalog.counts(table),
        labels=catalog.counts_by(table, "label"),
        sources=catalog.counts_by(table, "source"),
        splits=_splits(table),
        next=next_command(stage, missing, project.option),
    )


def _splits(table: Any) -> dict[str, dict[str, int]]:
    kept = catalog.kept(table)
    kept = kept[kept["split"].notna().to_numpy(dtype=bool)]
    parts = kept.groupby("split", sort=True)["label"]
    return {str(split): {str(label): int(n) for label, n in part.value_counts().items()} for split, part in parts}


def next_command(stage: Stage | None, missing: dict[str, int], option: str = "") -> str:
    """Say what to run next; ``option`` is what the command needs to mean this project."""
    if stage in (None, Stage.LISTED):
        return f"curator fetch{option}"
    if missing:
        short = ", ".join(f"{label} misses {n:,}" for label, n in missing.items())
        return f"curator split --per-class max{option} (too few images: {short}; or fetch more)"
    following = {Stage.FETCHED: "dedupe", Stage.SPLIT: "benchmark"}.get(stage, "split")
    return f"curator {following}{option}"
