"""Choose a stratified sample of rows: each stratum gets its share, and in it those with the smallest keyed hashes.

>>> share_sample(np.array([10_000, 100, 4]), 50).tolist()
[44, 5, 1]
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from curator.catalog import BoolArray
from curator.decide.columns import IntArray, rank_texts
from curator.decide.keyed_hash import choose_order


def share_sample(sizes: IntArray, n: int) -> IntArray:
    """Share out a sample by the square root of the strata's sizes, at least one each where it goes round.

    The root lies between shares in proportion (best for the whole) and equal ones (best for each stratum); see
    M. D. Bankier, "Power allocations: determining sample sizes for subnational areas", The American Statistician 42
    (1988).

    Args:
        sizes: shape (strata,): rows of each stratum.
        n: rows to sample; fewer where there are fewer.

    Returns:
        int64, shape (strata,): rows to take of each; their sum is ``min(n, sum(sizes))``.
    """
    taken = np.minimum(sizes, int(n >= len(sizes)))
    while (left := min(n, int(sizes.sum())) - int(taken.sum())) > 0:
        weights = np.where(taken < sizes, np.sqrt(sizes), 0.0)
        exact = left * weights / weights.sum()
        more = np.minimum(np.floor(exact).astype(np.int64), sizes - taken)
        if not more.any():
            order = np.argsort(-exact, kind="stable")
            more[order[:left]] = (sizes > taken)[order[:left]]
        taken += more
    return taken


def choose_sample(table: pd.DataFrame, strata: IntArray, n: int, seed: int) -> BoolArray:
    """Choose ``n`` rows of a catalog, so many of each stratum as :func:`share_sample` says.

    With the seed 0 they are those of each stratum that the fetch asks for first (:mod:`curator.decide.target`), so that
    nothing is asked in vain.

    Args:
        table: a catalog.
        strata: shape (rows,): the number of each row's stratum from 0; -1: not to be chosen.
        n: rows to choose.
        seed: another seed is another sample.

    Returns:
        A bool array, shape (rows,). It does not depend on the order of the rows.
    """
    rows = np.flatnonzero(strata >= 0)
    names = table["record_id"].iloc[rows]
    order = rows[np.lexsort((rank_texts(names), choose_order(names, "target", seed), strata[rows]))]
    ordered = strata[order]
    place = np.arange(len(order)) - np.searchsorted(ordered, ordered)
    wanted = share_sample(np.bincount(ordered), n)
    chosen = np.zeros(len(table), bool)
    chosen[order[place < wanted[ordered]]] = True
    return chosen
