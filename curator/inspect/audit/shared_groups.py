"""Groups on several sides: an author's photos, or those of one page, that train and test have both.

>>> rows = {"record_id": ["a", "b", "c"], "label": "x", "listed_split": ["train", "test", "test"], "author": "Ann"}
>>> rows |= {"source": "x", "kind": "x", "tier": 0, "listed_group": ["p1", "p2", "p2"]}
>>> [(one.kind, one.n_groups, one.n_images, one.examples) for one in find_shared(catalog.conform(pd.DataFrame(rows)))]
[('author', 1, 3, (('a', 'b'),))]
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from curator import catalog as catalog
from curator.catalog import IntArray
from curator.decide.leak_groups import find_leak_groups
from curator.decide.row_places import rank_among
from curator.manifests.settings import SplitSettings
from curator.matching.components import label_components
from curator.reasons import SPLITS

MOST_EXAMPLES = 5
KINDS = tuple(kind for kind in SplitSettings().group_by if kind != "near-duplicate")
"""What a split keeps together unless a recipe says otherwise; copies are looked for by themselves."""


@dataclass(frozen=True)
class SharedGroups:
    """Groups of one kind that are on several sides: how many, how many images of them, and pairs of images of some."""

    kind: str
    n_groups: int
    n_images: int
    examples: tuple[tuple[str, str], ...]


def number_groups(table: pd.DataFrame) -> dict[str, IntArray]:
    """Number what belongs together, kind by kind: shape (rows,), equal for images of one group."""
    return {kind: find_leak_groups(table, (kind,)) for kind in KINDS}


def find_shared(table: pd.DataFrame) -> list[SharedGroups]:
    """Find the groups with images on several sides; what is unknown groups nothing."""
    side = rank_among(table["listed_split"], SPLITS)
    names = table["record_id"].tolist()
    found = []
    for kind, numbers in number_groups(table).items():
        known = np.flatnonzero(side < len(SPLITS))
        first = np.unique(numbers[known], return_inverse=True)[1]
        n_groups = int(first.max(initial=-1)) + 1
        seen = np.zeros((n_groups, len(SPLITS)), bool)
        seen[first, side[known]] = True
        torn = np.flatnonzero(seen.sum(axis=1) > 1)
        if not len(torn):
            continue
        pairs = []
        for group in torn[:MOST_EXAMPLES]:
            members = known[first == group]
            one, other = members[np.unique(side[members], return_index=True)[1][:2]]
            pairs.append((names[one], names[other]))
        found.append(SharedGroups(kind, len(torn), int(np.isin(first, torn).sum()), tuple(pairs)))
    return found


def join_groups(table: pd.DataFrame, copies: IntArray) -> IntArray:
    """Join all that belongs together in any way, copies too: numbers from 0, shape (rows,)."""
    i, j = [], []
    for numbers in (*number_groups(table).values(), copies):
        first = np.unique(numbers, return_index=True, return_inverse=True)
        i.append(np.arange(len(table)))
        j.append(first[1][first[2]])
    joined = label_components(len(table), np.concatenate(i), np.concatenate(j))
    return np.asarray(np.unique(joined, return_inverse=True)[1], dtype=np.int64)
