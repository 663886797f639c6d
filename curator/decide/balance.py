"""Keep exactly N images a label, in proportion to what each source has, chosen by a keyed hash of their content.

>>> share_out({"imagenet": 30, "open-images": 11}, 10)
{'imagenet': 7, 'open-images': 3}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from curator import catalog
from curator.catalog import BoolArray, Drop, IntArray, Stage
from curator.decide.growth import hold_sides
from curator.decide.keyed_hash import choose_order
from curator.decide.row_places import drop_rows, rank_among, rank_texts
from curator.decide.shortfall import shortfall
from curator.manifests.settings import BalanceSettings
from curator.reasons import SPLITS
from curator.text import MOST, Command


def balance_labels(
    table: pd.DataFrame,
    settings: BalanceSettings,
    labels: tuple[str, ...],
    previous: pd.DataFrame | None = None,
    wanted: BoolArray | None = None,
    most: Command = MOST,
    listed: IntArray | None = None,
) -> pd.DataFrame:
    """Drop as surplus the kept images of each label beyond the number that it gets.

    Args:
        table: a catalog whose kept rows have a SHA-256.
        settings, labels: how many images each of the labels gets; ``"max"`` is as many as the smallest one has,
            ``"all"`` as many as it has itself.
        previous: a split whose images are chosen before any newcomer, so that none comes back on another side later.
        wanted: which rows a person decided to keep, shape (rows,); they are chosen first.
        most: the command that takes as many of each label as there are, for the error to name.
        listed: the sides that are kept (:func:`curator.decide.growth.find_listed_sides`); their images come first.

    Returns:
        The catalog with so many kept images a label. Another image changes at most one choice in each label and source.

    Raises:
        ShortfallError: a label has too few images; the message counts them and names the command that would succeed.
    """
    is_kept = catalog.is_kept(table)
    have = table["label"][is_kept].value_counts()
    counts = {label: int(have.get(label, 0)) for label in labels}
    wanted_counts = settings.seats(counts)
    if any(counts[label] < n for label, n in wanted_counts.items()):
        raise shortfall(table, counts, wanted_counts, most)
    chosen, is_open, seats = np.zeros(len(table), bool), is_kept, dict(wanted_counts)
    for among, part in _list_parts(table, previous, wanted, listed):
        available = table["label"][is_open & among].value_counts()
        taken = {label: min(int(available.get(label, 0)), n) for label, n in seats.items()}
        chosen |= _choose(table, is_open & among, part, taken)
        is_open = is_open & ~among
        seats = {label: n - taken[label] for label, n in seats.items()}
    return _drop_surplus(table, is_kept & ~chosen, wanted_counts)


def _drop_surplus(table: pd.DataFrame, is_surplus: BoolArray, wanted: Mapping[str, int]) -> pd.DataFrame:
    """Drop these rows of each label with the number that it gets as their evidence; other labels' rows stay."""
    label_of = rank_among(table["label"], tuple(wanted))
    rows = np.flatnonzero(is_surplus & (label_of < len(wanted)))
    is_even = len(set(wanted.values())) == 1
    details = [f"beyond {n} a label" if is_even else f"beyond {n} of {label}" for label, n in wanted.items()]
    evidence = pa.array(details, pa.string()).take(pa.array(label_of[rows]))
    return drop_rows(table, rows, Stage.BALANCED, Drop.SURPLUS, evidence)


def share_out(counts: Mapping[str, int], seats: int) -> dict[str, int]:
    """Share ``seats`` in proportion to ``counts``, by the method of largest remainders (Hamilton).

    Args:
        counts: what each source has; together at least ``seats``.

    Returns:
        Whole shares that add up to ``seats``; equal remainders go to the larger count, then by name. No share is
        larger than its count.
    """
    total = sum(counts.values())
    shares = {name: seats * count // total for name, count in counts.items()}
    by_remainder = sorted(counts, key=lambda name: (-(seats * counts[name] % total), -counts[name], name))
    for name in by_remainder[: seats - sum(shares.values())]:
        shares[name] += 1
    return shares


def _list_parts(
    table: pd.DataFrame, previous: pd.DataFrame | None, wanted: BoolArray | None, listed: IntArray | None
) -> Iterator[tuple[BoolArray, pd.Series[Any]]]:
    """Yield who is chosen first, next and last, and in proportion to which parts: sources, and the sides held."""
    if wanted is not None:
        yield wanted, table["source"]
    if previous is not None and "has_left" in previous:
        previous = previous[~previous["has_left"].to_numpy(dtype=bool)]
    for sides in ((previous, None), (None, listed)):
        if any(known is not None for known in sides):
            held = hold_sides(table, *sides).sides
            side = pd.Series(np.array(SPLITS)[held.argmax(axis=1)], index=table.index)
            yield np.asarray(held.any(axis=1)), side + " " + table["source"]
    yield np.ones(len(table), bool), table["source"]


def _choose(table: pd.DataFrame, among: BoolArray, part: pd.Series[Any], seats: Mapping[str, int]) -> BoolArray:
    """Choose images of each label by the smallest keys, in proportion to the parts (such as sources) of the label."""
    rows = np.flatnonzero(among)
    open_rows = table.iloc[rows]
    keys = choose_order(open_rows["sha256"], "balance", seed=0)
    rank = np.lexsort((rank_texts(open_rows["record_id"]), keys))
    frame = pd.DataFrame({"label": open_rows["label"], "part": part.iloc[rows], "row": rows}).iloc[rank]
    members = {pair: group.to_numpy() for pair, group in frame.groupby(["label", "part"], sort=True)["row"]}
    chosen = np.zeros(len(table), bool)
    for label, n in seats.items():
        counts = {str(name): len(found) for (owner, name), found in members.items() if owner == label}
        for name, share in (share_out(counts, n) if n else {}).items():
            chosen[members[label, name][:share]] = True
    return chosen
