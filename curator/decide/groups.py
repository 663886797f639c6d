"""List the groups that dedupe found, largest first: each kept image with the copies dropped for it.

>>> rows = {"record_id": ["x-1", "x-2"], "duplicate_of": [None, "x-1"], "drop_reason": [None, "near-duplicate"]}
>>> list_groups(pd.DataFrame(rows)).to_dict("records")
[{'keeper': 'x-1', 'n_copies': 1, 'copies': ['x-2']}]
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from curator.reasons import COPIES

COPY_FACTS = ("record_id", "drop_reason", "distance_bits", "turn", "width", "height")


def list_groups(table: pd.DataFrame) -> pd.DataFrame:
    """List the groups of a deduplicated catalog.

    Returns:
        A DataFrame with ``keeper`` (record id), ``n_copies`` and ``copies`` (list of record ids in order), sorted by
        size, then keeper.
    """
    copies = table[table["drop_reason"].isin(list(map(str, COPIES)))].sort_values("record_id")
    groups = copies.groupby("duplicate_of", sort=True)["record_id"].agg(list)
    listed = pd.DataFrame({"keeper": groups.index.astype(object), "n_copies": groups.map(len).to_numpy(int)})
    listed["copies"] = groups.to_list()
    return listed.sort_values(["n_copies", "keeper"], ascending=[False, True], ignore_index=True)


def explain_groups(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Tell of each group, largest first, who is kept and how each copy is like it, nearest first.

    Returns:
        One dict a group: ``keeper``, ``label``, ``width``, ``height`` and ``copies``, a list of dicts of
        :data:`COPY_FACTS`; a fact that is not known is None.
    """
    rows = table.astype(object).where(table.notna(), None).set_index("record_id", drop=False)
    groups = []
    for group in list_groups(table).to_dict("records"):
        keeper = rows.loc[group["keeper"]]
        copies = [{name: row[name] for name in COPY_FACTS} for row in rows.loc[group["copies"]].to_dict("records")]
        copies.sort(key=lambda copy: (copy["distance_bits"] or 0, copy["record_id"]))
        groups.append({"keeper": group["keeper"], **keeper[["label", "width", "height"]].to_dict(), "copies": copies})
    return groups
