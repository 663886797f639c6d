"""A catalog in counts: per stage, label, source and drop reason, and what to run next.

>>> next_command(None, {})
'curator fetch'
>>> next_command(Stage.FETCHED, {"rugby": 3})
'curator split --per-class max (too few images: rugby misses 3; or fetch more)'
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from curator import catalog
from curator.catalog import Stage
from curator.manifests.project import Project
from curator.pipeline import run as pipeline

if TYPE_CHECKING:
    from curator.manifests.inventory import Entry


@dataclass(frozen=True)
class Status:
    """The counts of the latest stage's catalog, whole and by label and source, and the next command.

    ``news`` says what the catalog does not know yet and what nobody verified, ``entries`` what stands beside it,
    ``ways`` the other commands.
    """

    name: str
    stage: Stage | None
    counts: dict[str, Any]
    labels: dict[str, dict[str, Any]]
    sources: dict[str, dict[str, Any]]
    splits: dict[str, dict[str, int]] = field(default_factory=dict)
    next: str = ""
    news: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()
    ways: tuple[str, ...] = ()

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
            "news": list(self.news),
            "beside": [
                {"kind": entry.kind, "path": str(entry.path), "files": [*map(str, entry.files)], "remark": entry.remark}
                for entry in self.entries
            ],
        }


def describe(project: Project, stage: Stage | None, table: Any) -> Status:
    """Count a catalog that is at hand."""
    missing = pipeline.missing_per_label(project.recipe, table) if stage in (Stage.FETCHED, Stage.DEDUPED) else {}
    return Status(
        name=project.recipe.name,
        stage=stage,
        counts=catalog.counts(table),
        labels=_by_label(project, stage, table),
        sources=catalog.counts_by(table, "source"),
        splits=_splits(table),
        next=next_command(stage, missing, project.option, project.most_command, _empty_labels(project, table)),
    )


def _by_label(project: Project, stage: Stage | None, table: Any) -> dict[str, dict[str, Any]]:
    """Count each label, also one that no source has listed an image of."""
    labels = project.recipe.labels if stage else ()
    nothing = {label: {"listed": 0, "kept": 0, "dropped": {}} for label in labels}
    return dict(sorted((nothing | catalog.counts_by(table, "label")).items()))


def _empty_labels(project: Project, table: Any) -> list[str]:
    kept = set(catalog.kept(table)["label"])
    return [label for label in project.recipe.labels if label not in kept]


def _splits(table: Any) -> dict[str, dict[str, int]]:
    kept = catalog.kept(table)
    kept = kept[kept["split"].notna().to_numpy(dtype=bool)]
    parts = kept.groupby("split", sort=True)["label"]
    return {str(split): {str(label): int(n) for label, n in part.value_counts().items()} for split, part in parts}


def next_command(
    stage: Stage | None,
    missing: dict[str, int],
    option: str = "",
    most: str = "curator split --per-class max",
    empty: Sequence[str] = (),
) -> str:
    """Say what to run next.

    Args:
        stage: the latest stage.
        missing: the images that each label is short of.
        option: what a command needs to mean this project.
        most: the command that takes as many images of each label as there are.
        empty: the labels without any image.
    """
    if stage in (None, Stage.LISTED):
        return f"curator fetch{option}"
    if missing and empty:
        return f"curator fetch{option} (there is no image of {', '.join(empty)}: give it another source first)"
    if missing:
        short = ", ".join(f"{label} misses {n:,}" for label, n in missing.items())
        return f"{most} (too few images: {short}; or fetch more)"
    following = {Stage.FETCHED: "dedupe", Stage.SPLIT: "benchmark"}.get(stage, "split")
    return f"curator {following}{option}"
