"""List the groups that dedupe found, largest first: each kept image with the copies dropped for it.

>>> rows = {"record_id": ["x-1", "x-2"], "duplicate_of": [None, "x-1"], "drop_reason": [None, "near-duplicate"]}
>>> list_groups(pd.DataFrame(rows)).to_dict("records")
[{'keeper': 'x-1', 'n_copies': 1, 'copies': ['x-2']}]
"""

from __future__ import annotations

import pandas as pd

from curator.catalog import Drop


def list_groups(table: pd.DataFrame) -> pd.DataFrame:
    """List the groups of a deduplicated catalog.

    Returns:
        A DataFrame with ``keeper`` (record id), ``n_copies`` and ``copies`` (list of record ids in order), sorted by
        size, then keeper.
    """
    reasons = [str(Drop.EXACT_DUPLICATE), str(Drop.NEAR_DUPLICATE)]
    copies = table[table["drop_reason"].isin(reasons)].sort_values("record_id")
    groups = copies.groupby("duplicate_of", sort=True)["record_id"].agg(list)
    listed = pd.DataFrame({"keeper": groups.index.astype(object), "n_copies": groups.map(len).to_numpy(int)})
    listed["copies"] = groups.to_list()
    return listed.sort_values(["n_copies", "keeper"], ascending=[False, True], ignore_index=True)
