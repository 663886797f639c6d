"""Who is kept of several images of one picture: an order over all rows that does not depend on where they stand.

>>> table = pd.DataFrame({"record_id": ["b", "a", "c"], "width": [9, 9, 10], "height": [9, 9, 9], "n_bytes": [5, 5, 1]})
>>> rank_keepers(table, "largest", ())
array([2, 1, 0])
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from curator.decide.columns import IntArray, rank_among, rank_texts, read_integers


def rank_keepers(table: pd.DataFrame, keep: str, sources: Sequence[str]) -> IntArray:
    """Rank the rows from 0, the best to keep first.

    Args:
        table: a catalog.
        keep: ``"largest"``: most pixels, then most bytes, then the smallest record id; ``"first"``: the source that
            stands first in ``sources``, then the earliest tier, then the smallest record id.
        sources: names of sources in the recipe's order; those not named come after, in alphabetical order.
    """
    names = rank_texts(table["record_id"])
    if keep == "first":
        return _rank((names, read_integers(table["tier"], 0), rank_among(table["source"], sources)))
    width, height, n_bytes = (read_integers(table[name], 0) for name in ("width", "height", "n_bytes"))
    return _rank((names, -n_bytes, -width * height))


def put_first(ranks: IntArray, chosen: npt.NDArray[np.bool_]) -> IntArray:
    """Rank the chosen rows before all others, each part in its order as before.

    >>> put_first(np.array([0, 1, 2]), np.array([False, False, True]))
    array([1, 2, 0])
    """
    return _rank((ranks, ~chosen))


def _rank(keys: tuple[npt.NDArray[Any], ...]) -> IntArray:
    order = np.lexsort(keys)
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    return ranks


def find_leaders(groups: IntArray, ranks: IntArray) -> npt.NDArray[np.intp]:
    """Give each row the row of its group with the smallest rank; a row whose group is -1 leads itself.

    >>> find_leaders(np.array([7, -1, 7, -1]), np.array([3, 2, 1, 0]))
    array([2, 1, 2, 3])
    """
    leaders = np.arange(len(groups))
    rows = np.flatnonzero(groups >= 0)
    order = rows[np.lexsort((ranks[rows], groups[rows]))]
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    leaders[order] = np.repeat(order[starts], np.diff(np.append(starts, len(order))))
    return leaders
