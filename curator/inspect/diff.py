"""Compare two manifests: what came, what went, what has another label, another side or other bytes, and why.

>>> old = pd.DataFrame({"record_id": ["x-1", "x-2"], "sha256": ["1", "2"], "label": ["a", "a"], "split": ["train"] * 2})
>>> new = old.assign(split=["test", "train"]).iloc[:1]
>>> [(change.kind, change.record_id, change.before, change.after) for change in compare_manifests(old, new)]
[('removed', 'x-2', 'a train', ''), ('moved', 'x-1', 'train', 'test')]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from curator import catalog
from curator.manifests.made_with import decisive_changes, read_made_with
from curator.manifests.manifest import FOLD, read_manifest
from curator.manifests.project import Project
from curator.manifests.reviews import Review, read_reviews, standing_reviews
from curator.pipeline.made_from import latest_stage
from curator.store.catalog_files import read_catalog

KINDS = ("added", "removed", "relabelled", "moved", "refolded", "replaced")


@dataclass(frozen=True)
class Change:
    """One difference: ``kind`` (one of :data:`KINDS`), the image, what it was, what it is, and why if that is known."""

    kind: str
    record_id: str
    sha256: str
    before: str = ""
    after: str = ""
    cause: str = ""


def explain_changes(old: Path, new: Path, project: Project | None) -> list[Change]:
    """Compare two manifests on disk; the project's catalog and reviews, if any, say why."""
    changes = compare_manifests(read_manifest(old), read_manifest(new))
    table, reviews = None, []
    if project:
        stage = latest_stage(project)
        table = read_catalog(project.paths.catalog(stage)) if stage else None
        reviews = list(standing_reviews(read_reviews(project.paths.reviews)).values())
    return with_causes(changes, table, reviews, changed_settings(old, new))


def compare_manifests(old: pd.DataFrame, new: pd.DataFrame) -> list[Change]:
    """List the differences, by kind and record id.

    Images are matched by record id, those left over by content: another label is another record id.
    """
    by_id = {row["record_id"]: row for row in new.to_dict("records")}
    left = [row for row in old.to_dict("records") if row["record_id"] not in by_id]
    old_ids = set(old["record_id"])
    by_content = {row["sha256"]: row for row in by_id.values() if row["record_id"] not in old_ids}
    changes: list[Change] = []
    for row in old.to_dict("records"):
        if row["record_id"] in by_id:
            changes += _differences(row, by_id[row["record_id"]])
    for row in left:
        other = by_content.pop(row["sha256"], None)
        changes += _differences(row, other) if other else [_change("removed", row, before=_place(row))]
    changes += [_change("added", row, after=_place(row)) for row in by_content.values()]
    return sorted(changes, key=lambda change: (KINDS.index(change.kind), change.record_id))


def _differences(old: Mapping[Any, Any], new: Mapping[Any, Any]) -> Iterator[Change]:
    for kind, column in (("relabelled", "label"), ("moved", "split"), ("replaced", "sha256")):
        if old[column] != new[column]:
            yield _change(kind, new, str(old[column]), str(new[column]))
    folds = [_fold_of(row) for row in (old, new)]
    if folds[0] != folds[1] and old["split"] == new["split"]:
        yield _change("refolded", new, *folds)


def _fold_of(row: Mapping[Any, Any]) -> str:
    fold = row.get(FOLD)
    return "no fold" if fold is None or pd.isna(fold) else f"fold {fold}"


def _change(kind: str, row: Mapping[Any, Any], before: str = "", after: str = "") -> Change:
    return Change(kind, row["record_id"], row["sha256"], before, after)


def _place(row: Mapping[Any, Any]) -> str:
    return f"{row['label']} {row['split']}"


def with_causes(
    changes: Sequence[Change],
    table: pd.DataFrame | None,
    reviews: Sequence[Review],
    settings: tuple[str, ...],
) -> list[Change]:
    """Add what is known of why.

    Args:
        changes: see :func:`compare_manifests`.
        table: the catalog of now: why an image that is removed is out.
        reviews: people's decisions that were not undone: who set another label.
        settings: what :func:`changed_settings` returns.
    """
    decided = {review.sha256: review.in_words() for review in reviews}
    drops = {}
    if table is not None:
        out = catalog.dropped(table)[["record_id", "drop_reason", "drop_detail"]]
        for record_id, reason, detail in out.itertuples(index=False):
            drops[record_id] = reason if pd.isna(detail) else f"{reason}: {detail}"

    def find_cause(change: Change) -> str:
        if change.kind == "removed":
            return drops.get(change.record_id, "")
        if change.kind in ("added", "relabelled"):
            return decided.get(change.sha256, "")
        return ", ".join(settings) if change.kind == "moved" else ""

    return [replace(change, cause=find_cause(change)) for change in changes]


def changed_settings(old: Path, new: Path) -> tuple[str, ...]:
    """Say which split settings differ between the ``manifest.json`` files beside two manifests."""
    before, after = (read_made_with(path.with_suffix(".json")).settings.get("split", {}) for path in (old, new))
    return tuple(f"{key} was {was}, is {now}" for key, was, now in decisive_changes(before, after))
