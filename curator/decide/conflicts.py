"""One picture under two labels is kept under neither: which pictures those are, and how a person keeps one of them.

>>> import pandas as pd
>>> rows = {"record_id": ["x-1", "x-2", "x-3"], "label": ["cat", "dog", "cat"], "source": "x", "kind": "x", "tier": 0}
>>> others = {"drop_reason": ["label-conflict"] * 2 + [None], "duplicate_of": ["x-2", "x-1", None]}
>>> [group["labels"] for group in find_conflicts(catalog.conform(pd.DataFrame(rows | others)))]
[['cat', 'dog']]
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog as catalog
from curator.catalog import Drop, as_arrow
from curator.matching.components import label_components
from curator.text import Command, Text, plural

if TYPE_CHECKING:
    import pandas as pd

_TOLD = ("record_id", "label", "width", "height", "distance_bits", "turn", "drop_reason", "file")
COLUMNS = ("duplicate_of", "source_id", "local_path", *_TOLD[:-1])
"""The columns of a catalog that conflicts are told by."""


def find_conflicts(table: pd.DataFrame) -> list[dict[str, Any]]:
    """List the pictures that are listed under several labels and kept under none, the largest groups first.

    Returns:
        One dict a picture: ``labels``, and ``images``, a list of dicts with ``record_id``, ``label``, ``width``,
        ``height``, ``distance_bits``, ``turn``, ``drop_reason`` and ``file``, what a folder or table calls it.
    """
    table = table[(table["drop_reason"] == str(Drop.LABEL_CONFLICT)).fillna(False).to_numpy(dtype=bool)]
    others = pc.index_in(as_arrow(table["duplicate_of"], pa.string()), as_arrow(table["record_id"], pa.string()))
    at = pc.fill_null(others, -1).to_numpy(zero_copy_only=False)
    linked = np.flatnonzero(at >= 0)  # of the others, what they were dropped for is kept
    groups = label_components(len(table), linked, at[linked].astype(np.intp))
    table = table.assign(file=table["source_id"].where(table["local_path"].notna()))
    rows = table.astype(object).where(table.notna(), None)[list(_TOLD)].to_dict("records")
    order = np.lexsort((np.arange(len(table)), groups))
    ends = np.flatnonzero(np.diff(groups[order], append=-1)) + 1
    found = [[rows[place] for place in order[start:end]] for start, end in pairwise([0, *ends])]
    named = [{"labels": sorted({one["label"] for one in images}), "images": images} for images in found]
    several = (one for one in named if len(one["labels"]) > 1)
    return sorted(several, key=lambda one: (-len(one["images"]), one["images"][0]["record_id"]))


def way_out(labels: Sequence[str]) -> Text:
    """Say how a person keeps a picture of several labels under one of them.

    >>> way_out(["cat", "dog"])[0]
    'It is listed as cat and as dog, and kept as neither. To keep it as one of them, press K on that one under Label \
conflicts in '
    """
    named = ", ".join(labels[:-1]) + f" and as {labels[-1]}"
    none = "neither" if len(labels) == 2 else "none of them"
    start = f"It is listed as {named}, and kept as {none}. To keep it as one of them, press K on that one under "
    return (f"{start}Label conflicts in ", Command("review"), ", then run ", Command("split"), ".")


def way_out_of_all(n: int) -> Text:
    """Say the same of ``n`` such pictures, and how the recipe's first label gets them all."""
    what = f"{plural(n, 'picture is', 'pictures are')} listed under several labels and kept"
    one = ("K under Label conflicts in ", Command("review"), " keeps one under the label that is right; ")
    return (f"{what} under none: ", *one, Command("dedupe --across-labels keep-first"), " keeps the recipe's first.")
