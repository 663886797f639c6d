"""Groups of images in an order that depends on their content alone, so that another image moves few others.

>>> import pandas as pd
>>> images = pd.DataFrame({"record_id": ["x-1", "x-2", "x-3"], "sha256": ["1" * 64, "2" * 64, "3" * 64]})
>>> key_groups(images, np.zeros(3, np.int64), np.array([0, 0, 2]), "split", seed=0).sizes.tolist()
[2, 1]
"""

from __future__ import annotations

import numpy as np

from curator.catalog import IntArray
from curator.decide.keyed_hash import choose_order, mix
from curator.decide.picture_columns import Columns
from curator.decide.row_places import rank_texts
from curator.decide.whole_groups import Groups
from curator.matching.sort_order import sort_order


def key_groups(images: Columns, label: IntArray, first: IntArray, purpose: str, seed: int) -> Groups:
    """Give each group a key by a hash of its content, and number the groups in the order of their keys.

    Args:
        images: rows with ``record_id`` and ``sha256``.
        label: shape (images,): the label of each.
        first: shape (images,): images with the same number are one group.
        purpose: what is drawn; another purpose is another order.
        seed: another seed is another order, too.
    """
    roots, group = np.unique(first, return_inverse=True)
    smallest = np.full(len(roots), np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(smallest, group, choose_order(images["sha256"], f"{purpose}-member", seed))
    # A second mixing: the smallest of many keys is small, so large groups would always come first.
    keys = mix(smallest, f"{purpose}-group", seed)
    order = sort_order(keys)
    if (np.diff(keys[order]) == 0).any():
        names = np.full(len(roots), len(images))
        np.minimum.at(names, group, rank_texts(images["record_id"]))
        order = np.lexsort((names, keys))
    return Groups(sort_order(order)[group], label, keys[order])
