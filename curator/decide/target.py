"""Choose which listed images to try next, or to try in a sample: those with the smallest keyed hashes of their strata.

>>> import pandas as pd
>>> rows = {"record_id": [f"folder-{n:016x}" for n in range(5)], "label": ["a", "a", "a", "b", "b"], "tier": [0] * 5}
>>> table = catalog.conform(pd.DataFrame(rows | {"source": "folder", "kind": "folder"}))
>>> choose_candidates(table, tried=np.array([True, False, False, False, False]), wanted={"a": 1, "b": 9})
array([False, False,  True,  True,  True])
>>> share_sample(np.array([10_000, 100, 4]), 50).tolist()
[44, 5, 1]
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from curator import catalog
from curator.catalog import BoolArray, IntArray, Rows, as_arrow, read_integers
from curator.decide.keyed_hash import choose_order
from curator.decide.row_places import mark, rank_among, rank_texts

if TYPE_CHECKING:
    import pandas as pd


def choose_candidates(table: pd.DataFrame | pa.Table, tried: BoolArray, wanted: Mapping[str, int]) -> BoolArray:
    """Choose, for each label, the next images to try: earlier tiers first, within a tier in keyed-hash order.

    Args:
        table: a catalog; rows that are dropped are never chosen.
        tried: bool array, shape (rows,): those that were tried before.
        wanted: label to the number of images to choose; a label that is not named gets none.

    Returns:
        A bool array, shape (rows,): at most ``wanted[label]`` true rows of each label. It does not depend on the order
        of the rows, and a list that grows changes only as many choices as its new images take.
    """
    labels = list(wanted)
    label = rank_among(table["label"], labels)
    rows = np.flatnonzero(catalog.is_kept(table) & ~tried & (label >= 0) & (label < len(labels)))
    tiers = read_integers(as_arrow(table["tier"]).take(pa.array(rows)), missing=0)
    return _choose_first(table, rows, label[rows], np.array([*wanted.values()], np.int64), seed=0, before=tiers)


def _choose_first(
    table: pd.DataFrame | pa.Table,
    rows: Rows,
    stratum: IntArray,
    limits: IntArray,
    seed: int,
    before: IntArray | None = None,
) -> BoolArray:
    """Choose the first ``limits[k]`` of ``rows`` in each stratum k, by ``before``, keyed hash and record id."""
    names = as_arrow(table["record_id"], pa.string()).take(pa.array(rows))
    keys = (rank_texts(names), choose_order(names, "target", seed), *(() if before is None else (before,)), stratum)
    order = np.lexsort(keys)
    ordered = stratum[order]
    place = np.arange(len(order)) - np.searchsorted(ordered, ordered)
    return mark(rows[order[place < limits[ordered]]], len(table))


def share_sample(sizes: IntArray, n: int) -> IntArray:
    """Share out a sample by the square root of the strata's sizes, at least one each if there are enough.

    The root lies between shares in proportion (best for the whole) and equal ones (best for each stratum); see
    M. D. Bankier, "Power allocations: determining sample sizes for subnational areas", The American Statistician 42
    (1988).

    Args:
        sizes: shape (strata,): rows of each stratum.
        n: rows to sample; fewer if there are fewer.

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

    With the seed 0 they are those of each stratum that the fetch requests first, so that nothing is requested in vain.

    Args:
        table: a catalog.
        strata: shape (rows,): the number of each row's stratum from 0; -1: not to be chosen.
        n: rows to choose.
        seed: another seed is another sample.

    Returns:
        A bool array, shape (rows,). It does not depend on the order of the rows.
    """
    rows = np.flatnonzero(strata >= 0)
    return _choose_first(table, rows, strata[rows], share_sample(np.bincount(strata[rows]), n), seed)
