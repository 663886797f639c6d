"""Name the groups that hold a large part of a label: whose pictures they are, so that a person can judge them.

>>> from curator import catalog
>>> rows = {"record_id": ["x-1", "x-2"], "label": ["a", "a"], "source": ["x"] * 2, "kind": ["x"] * 2, "tier": [0] * 2}
>>> table = catalog.conform(pd.DataFrame(rows))
>>> describe_large_groups(table, np.array([0, 0]), ("a",), first=np.array([0, 0]))
('2 images (100.0% of a) stay on one side: near-duplicates of x-1',)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from curator.catalog import IntArray
from curator.decide.origins import ORIGIN_COLUMNS, identify_authors, identify_pages

LARGE_SHARE = 0.01
"""Share of a label above which a group is named."""
MOST_NAMED = 10


def describe_large_groups(
    images: pd.DataFrame, label: IntArray, labels: Sequence[str], first: IntArray
) -> tuple[str, ...]:
    """Describe each group of at least two images that holds more than 1% of a label, the largest shares first.

    Args:
        images: the kept rows of a catalog.
        label: shape (images,): each image's label, as a place in ``labels``.
        labels: the names of the labels.
        first: shape (images,): the row that names each image's group.
    """
    pairs, counts = np.unique(first * len(labels) + label, return_counts=True)
    share = counts / np.bincount(label, minlength=len(labels))[pairs % len(labels)]
    large = np.flatnonzero((share > LARGE_SHARE) & (counts > 1))
    names = images["record_id"].iloc[pairs[large] // len(labels)].to_numpy(object)
    order = large[np.lexsort((names, -share[large]))]
    origins = images[["record_id", *ORIGIN_COLUMNS]]  # taking rows of all columns would cost more than all else here
    groups = {int(pair): int(pairs[pair] // len(labels)) for pair in order[:MOST_NAMED]}
    name_of = {group: _name(origins.iloc[np.flatnonzero(first == group)]) for group in set(groups.values())}
    lines = [
        f"{counts[pair]} images ({share[pair]:.1%} of {labels[pairs[pair] % len(labels)]}) stay on one side: "
        + name_of[group]
        for pair, group in groups.items()
    ]
    if len(order) > MOST_NAMED:
        lines.append(f"and {len(order) - MOST_NAMED} more groups of over {LARGE_SHARE:.0%} of a label")
    return tuple(lines)


def _name(members: pd.DataFrame) -> str:
    """Name what most members share: an author, else a page, else the picture."""
    shared = [_most_common(identify_authors(members), "author "), _most_common(identify_pages(members), "")]
    count, name = max(shared, key=lambda found: found[0])
    if count > 1:
        return name if count == len(members) else f"{name} ({count} of {len(members)}) and what is linked to it"
    return f"near-duplicates of {members['record_id'].min()}"


def _most_common(values: pa.Array, prefix: str) -> tuple[int, str]:
    counted = pc.value_counts(values.drop_null())
    if not len(counted):
        return 0, prefix
    value, count = pc.struct_field(counted, "values"), pc.struct_field(counted, "counts")
    most = pc.max(count)
    first = pc.min(value.filter(pc.equal(count, most)))
    return most.as_py(), f"{prefix}{first.as_py()}"
