"""The images that a split keeps on one side with another one, each with what binds the two.

>>> rows = {"record_id": ["x-1", "x-2", "x-3"], "author": ["Ann", "Ann", "Bob"], "split_group": ["x-1"] * 3}
>>> rows |= {"label": "a", "source": "x", "kind": "x", "tier": 0}
>>> found = find_group(catalog.conform(pd.DataFrame(rows)), "x-1", ("author", "page"))
>>> list(zip(found["record_id"], found["why"]))
[('x-2', 'one author'), ('x-3', 'by way of others')]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from curator import catalog
from curator.catalog import Stage
from curator.decide.leak_groups import find_leak_groups
from curator.manifests.project import Project
from curator.manifests.settings import PATTERN
from curator.pipeline.made_from import as_deduped
from curator.store.catalog_files import read_record
from curator.store.root import shown

_PHRASES = {
    "near-duplicate": "nearly the same picture",
    "exact-duplicate": "the same bytes",
    "author": "one author",
    "page": "one page",
    "group": "one group of the source",
    "video": "one video",
    "burst": "taken in one burst",
}
_PARTS = "of one picture"
_BY_OTHERS = "by way of others"


def groupings_in_effect(project: Project) -> tuple[str, ...]:
    """Return what kept images on one side in the split that there is, whatever the recipe says by now."""
    recipe, made_with = as_deduped(project), read_record(project.paths.catalog(Stage.SPLIT)).settings.get("split", {})
    by, pattern = made_with.get("group_by", recipe.split.group_by), made_with.get("group_pattern", "")
    return replace(recipe, split=replace(recipe.split, group_by=tuple(by), group_pattern=pattern)).groupings


def find_group(table: pd.DataFrame, record_id: str, groupings: Sequence[str]) -> pd.DataFrame:
    """Find the other kept images of an image's group, those bound to it directly first.

    Args:
        table: a catalog after the split.
        record_id: of one of its rows.
        groupings: see :attr:`curator.manifests.recipe.Recipe.groupings`.

    Returns:
        Their rows, with a column ``why``: what binds them to the image.
    """
    group = table["split_group"][table["record_id"] == record_id]
    is_in = (table["split_group"] == group.iloc[0]).fillna(False).to_numpy(dtype=bool) & catalog.is_kept(table)
    members = table[is_in].reset_index(drop=True)
    mine = int(np.flatnonzero(members["record_id"] == record_id)[0])
    reasons: list[list[str]] = [[] for _ in range(len(members))]
    for phrase, by in ((_PARTS, ()), *((_phrase(name), (name,)) for name in groupings)):
        first = find_leak_groups(members, by)
        for place in np.flatnonzero(first == first[mine]):
            if _PARTS not in reasons[place]:  # which binds whatever else is asked for
                reasons[place].append(phrase)
    members["why"] = [", ".join(found) or _BY_OTHERS for found in reasons]
    others = members.drop(index=mine).assign(is_far=lambda rows: rows["why"] == _BY_OTHERS)
    found: pd.DataFrame = others.sort_values(["is_far", "record_id"]).drop(columns="is_far")
    return found


def describe_group(group: pd.DataFrame, files: Mapping[str, str], n: int) -> list[str]:
    """Write a line for each of the first images of :func:`find_group`, and how many more there are.

    Args:
        group: the first rows.
        files: where each is in the folders of the split, by its record id; one that is not is named as it was listed.
        n: how many the group has.
    """
    lines = []
    for row in group.to_dict("records"):
        listed = row["url"] if pd.isna(row["local_path"]) else shown(Path(row["local_path"]))
        lines.append(
            f"  with     {files.get(row['record_id'], listed)} ({row['record_id']}, {row['label']}): {row['why']}"
        )
    return lines + ([f"  with     {n - len(group):,} more"] if n > len(group) else [])


def _phrase(grouping: str) -> str:
    is_pattern = grouping.startswith(PATTERN)
    return "the same by group_pattern" if is_pattern else _PHRASES[grouping]
