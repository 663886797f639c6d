"""Which pairs may be one picture, and stand on two sides of the split: a person is told how many, and which.

>>> pair = {"sha256": "a", "other_sha256": "b", "verdict": DOUBTFUL, "orientation": 0}
>>> judged = Judged.from_table(pa.table({name: [value] for name, value in pair.items()}))
>>> rows = {"record_id": ["x-1", "x-2"], "label": "a", "source": "x", "kind": "x", "tier": 0, "sha256": ["a", "b"]}
>>> table = catalog.conform(pd.DataFrame(rows | {"split": ["train", "test"]}))
>>> "".join(map(str, describe_doubts(table, judged)[0]))[:81]
'1 pair that may be one picture stands on two sides: x-1 in train and x-2 in test.'
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog as catalog
from curator.catalog import as_arrow
from curator.decide.judged import DOUBTFUL, Judged
from curator.decide.row_places import find_places, rank_texts
from curator.text import Command, Text, plural

_SHOWN = 3


def find_doubts(table: pd.DataFrame, judged: Judged | None) -> list[tuple[int, int]]:
    """Return the pairs of kept rows that may be one picture and have two sides, in the order of their record ids."""
    if judged is None:
        return []
    doubtful = np.flatnonzero(judged.verdict == DOUBTFUL)
    names = [judged.names.take(pa.array(ends[doubtful])) for ends in (judged.i, judged.j)]
    is_named = pc.is_in(as_arrow(table["sha256"], pa.string()), pa.concat_arrays(names)).to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(is_named & catalog.is_kept(table) & table["split"].notna().to_numpy(dtype=bool))
    rows = rows[np.argsort(rank_texts(table["record_id"].iloc[rows]))]
    kept = as_arrow(table["sha256"].iloc[rows], pa.string())
    i, j = (find_places(one, kept) for one in names)
    there = (i >= 0) & (j >= 0)
    i, j = np.minimum(i, j)[there], np.maximum(i, j)[there]
    split = table["split"].iloc[rows].to_numpy(dtype=object)
    across = sorted(set(zip(i[split[i] != split[j]].tolist(), j[split[i] != split[j]].tolist(), strict=True)))
    return [(int(rows[one]), int(rows[other])) for one, other in across]


def describe_doubts(table: pd.DataFrame, judged: Judged | None) -> tuple[Text, ...]:
    """Say how many pairs that may be one picture stand on two sides, and name the first of them."""
    pairs = find_doubts(table, judged)
    if not pairs:
        return ()
    name = {at: f"{table['record_id'].iloc[at]} in {table['split'].iloc[at]}" for pair in pairs for at in pair}
    shown = "; ".join(f"{name[i]} and {name[j]}" for i, j in pairs[:_SHOWN])
    more = f"; and {len(pairs) - _SHOWN:,} more" if len(pairs) > _SHOWN else ""
    how_many = plural(len(pairs), "pair that may be one picture stands", "pairs that may be one picture stand")
    first = table["record_id"].iloc[pairs[0][0]]
    return ((f"{how_many} on two sides: {shown}{more}. ", Command.of("why", first), " tells what was compared."),)
