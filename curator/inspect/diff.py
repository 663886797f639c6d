"""Compare two manifests: what came, what went, what has another label, another side or other bytes, and why.

>>> old = pd.DataFrame({"record_id": ["x-1", "x-2"], "sha256": ["1", "2"], "label": ["a", "a"], "split": ["train"] * 2})
>>> new = old.assign(split=["test", "train"]).iloc[:1]
>>> [(change.kind, change.record_id, change.before, change.after) for change in compare_manifests(old, new)]
[('removed', 'x-2', 'a train', ''), ('moved', 'x-1', 'train', 'test')]
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from curator.manifests.manifest import read_manifest
from curator.manifests.project import Project
from curator.manifests.reviews import Review, read_reviews, standing_reviews
from curator.pipeline.held_sides import DECISIVE
from curator.pipeline.made_from import latest_stage
from curator.store.catalog_files import read_catalog

KINDS = ("added", "removed", "relabelled", "moved", "replaced")


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
        reviews: people's decisions that stand: who gave another label.
        settings: which split settings differ; see :func:`changed_settings`.
    """
    drops = _drops(table) if table is not None else {}
    decided = {review.sha256: review for review in reviews}
    return [replace(change, cause=_cause(change, drops, decided, settings)) for change in changes]


def _cause(change: Change, drops: Mapping[str, str], decided: Mapping[str, Review], settings: tuple[str, ...]) -> str:
    if change.kind == "removed":
        return drops.get(change.record_id, "")
    if change.kind in ("added", "relabelled") and change.sha256 in decided:
        return decided[change.sha256].describe()
    return ", ".join(settings) if change.kind == "moved" else ""


def _drops(table: pd.DataFrame) -> dict[str, str]:
    out = table[table["drop_reason"].notna().to_numpy(dtype=bool)]
    columns = (out[name].to_numpy(object) for name in ("record_id", "drop_reason", "drop_detail"))
    return {
        record_id: f"{reason}{f': {detail}' if isinstance(detail, str) else ''}"
        for record_id, reason, detail in zip(*columns, strict=True)
    }


def changed_settings(old: Path, new: Path) -> tuple[str, ...]:
    """Say which split settings differ between the ``manifest.json`` files beside two manifests."""
    before, after = _split_settings(old), _split_settings(new)
    return tuple(
        f"{key} was {before[key]}, is {after[key]}"
        for key in DECISIVE
        if key in before and key in after and before[key] != after[key]
    )


def _split_settings(manifest: Path) -> dict[str, Any]:
    try:
        facts = json.loads(manifest.with_suffix(".json").read_text(encoding="utf-8"))
        return dict(facts["settings"]["split"])
    except (OSError, ValueError, KeyError):
        return {}
