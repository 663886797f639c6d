"""Choose which listed images to try next, when there are more than are wanted.

>>> rows = {"record_id": [f"folder-{n:016x}" for n in range(5)], "label": ["a", "a", "a", "b", "b"], "tier": [0] * 5}
>>> table = catalog.conform(pd.DataFrame(rows | {"source": "folder", "kind": "folder"}))
>>> choose_candidates(table, tried=np.array([True, False, False, False, False]), wanted={"a": 1, "b": 9})
array([False, False,  True,  True,  True])
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from curator import catalog
from curator.catalog import BoolArray
from curator.decide.columns import rank_among, rank_texts, read_integers
from curator.decide.keyed_hash import choose_order


def choose_candidates(table: pd.DataFrame, tried: BoolArray, wanted: Mapping[str, int]) -> BoolArray:
    """Choose, for each label, the next images to try: earlier tiers first, within a tier in keyed-hash order.

    Args:
        table: a catalog; rows that are dropped are never chosen.
        tried: bool array, shape (rows,): those that had their turn.
        wanted: label to the number of images to choose; a label that is not named gets none.

    Returns:
        A bool array, shape (rows,): at most ``wanted[label]`` true rows of each label. It does not depend on the order
        of the rows, and a list that grows changes only as many choices as its new images take.
    """
    labels = list(wanted)
    label = rank_among(table["label"], labels)
    rows = np.flatnonzero(catalog.is_kept(table) & ~tried & (label >= 0) & (label < len(labels)))
    open_rows = table.iloc[rows]
    keys = choose_order(open_rows["record_id"], "target", seed=0)
    tiers = read_integers(open_rows["tier"], missing=0)
    order = rows[np.lexsort((rank_texts(open_rows["record_id"]), keys, tiers, label[rows]))]
    sorted_label = label[order]
    place = np.arange(len(order)) - np.searchsorted(sorted_label, sorted_label)
    limits = np.array([wanted[name] for name in labels], np.int64)
    chosen = np.zeros(len(table), bool)
    chosen[order[place < limits[sorted_label]]] = True
    return chosen
