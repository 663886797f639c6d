"""Divide the kept images into train and test: exact counts a label, and no picture, author or page on both sides.

>>> ids = [f"folder-{n:016x}" for n in range(10)]
>>> rows = {"record_id": ids, "sha256": [n[-1] * 64 for n in ids], "author": ["Ann", "Ann", *"bcdefghi"]}
>>> rows |= {"label": ["a"] * 10, "source": ["x"] * 10, "kind": ["folder"] * 10, "tier": [0] * 10}
>>> table, notes = split_images(catalog.conform(pd.DataFrame(rows)), SplitSettings(ratio=0.7), labels=("a",))
>>> table["split"].value_counts().to_dict(), table["split_group"][1]
({'train': 7, 'test': 3}, 'folder-0000000000000000')
>>> notes
('2 images (20.0% of a) stay on one side: author Ann of x',)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from curator import catalog
from curator.catalog import BoolArray, IntArray, Rows, as_arrow, rank_among, rank_texts
from curator.decide.allocation import Groups, choose_test_groups
from curator.decide.growth import TEST, hold_sides, linked_sides
from curator.decide.keyed_hash import choose_order, mix
from curator.decide.leak_groups import find_leak_groups
from curator.decide.origins import describe_large_groups
from curator.errors import ShortfallError
from curator.manifests.recipe import SplitSettings
from curator.reasons import SPLITS
from curator.text import MOST, Command, Text


class SplitDecision(NamedTuple):
    """The catalog with ``split`` and ``split_group`` filled, and what a person should know about it."""

    table: pd.DataFrame
    notes: tuple[Text, ...]


def split_images(
    table: pd.DataFrame,
    settings: SplitSettings,
    labels: Sequence[str],
    previous: pd.DataFrame | None = None,
    copies: IntArray | None = None,
    most: Command = MOST,
) -> SplitDecision:
    """Put each kept image on its side, by a keyed hash of its content.

    Args:
        table: a catalog; kept rows need a SHA-256.
        settings, labels: the ``ratio`` (share in train, rounded) of each of the labels, or exact ``train`` and ``test``
            counts; ``seed``; and what stays on one side (``group_by``), across labels too.
        previous: a split whose images keep their side, and with them all that belongs to them. What belongs to both
            sides must have been dropped: see :func:`curator.decide.growth.drop_cross_split`.
        copies: shape (rows,): what dedupe kept of one picture; see :func:`find_leak_groups`.
        most: the command that splits as many of each label as there are, for the error to name.

    Returns:
        The catalog and notes: groups of more than 1% of a label by name, and labels that the groups let only get near
        their count. The rows' order changes nothing; another image moves few: its group's smallest keyed hash decides.

    Raises:
        ShortfallError: labels (all are named) have not as many images as ``train`` and ``test`` add up to, or no two.
    """
    label_of = rank_among(table["label"], labels)
    rows = np.flatnonzero(catalog.is_kept(table) & (label_of < len(labels)))
    images, label = table.iloc[rows], label_of[rows]
    have = np.bincount(label, minlength=len(labels)).tolist()
    _check_counts(dict(zip(labels, have, strict=True)), settings, most)
    wanted = np.array([_count_test(n, settings) for n in have], np.int64)
    first = find_leak_groups(images, settings.group_by, None if copies is None else copies[rows])
    sides = _hold_sides(table, rows, previous, first)
    in_test = _draw(images, label, first, wanted, settings.seed, sides)
    notes = describe_large_groups(images, label, labels, first)
    for name, n, want in zip(labels, np.bincount(label[in_test], minlength=len(labels)), wanted, strict=True):
        if n != want:
            notes += (f"{name}: {n} images in test instead of {want}, as near as what must stay on one side allows",)
    return SplitDecision(_write(table, rows, first, in_test), notes)


def _check_counts(have: Mapping[str, int], settings: SplitSettings, most: Command) -> None:
    """Raise an error that names every label that has the wrong number of images, those that are short first."""
    total = settings.train + settings.test if settings.train is not None and settings.test is not None else None
    if total is None:
        if few := {label: n for label, n in have.items() if n < 2}:
            hint: Text = (f"Give {'it' if len(few) == 1 else 'them'} another source and run ", Command("fetch"), ".")
            missing = {label: 2 - n for label, n in few.items()}
            raise ShortfallError(f"{_counted(few)}: too few for two sides.", hint, missing)
        return
    short = {label: n for label, n in have.items() if n < total}
    over = {label: n for label, n in have.items() if n > total}
    if not short and not over:
        return
    hint = f"Give `--per-class {total}`, or other counts."
    if short:
        hint = (most, " would divide what there is in that proportion.")
    asked = f"[split] asks for train = {settings.train} and test = {settings.test} images a label, {total} together"
    parts = [f"{_counted(some)}, which is too {much}" for some, much in ((short, "few"), (over, "many")) if some]
    missing = {label: total - n for label, n in short.items()} or dict.fromkeys(over, 0)
    raise ShortfallError(f"{asked}, but {'; '.join(parts)}.", hint, missing)


def _counted(have: Mapping[str, int]) -> str:
    *others, last = [f"{label} has {n:,}" for label, n in have.items()]
    return f"{', '.join(others)} and {last}" if others else f"{last} images"


def _count_test(have: int, settings: SplitSettings) -> int:
    """Count the images of one label that should be in the test set."""
    if settings.train is not None and settings.test is not None:
        return settings.test
    return min(max(have - round(settings.ratio * have), 1), have - 1)


def _hold_sides(table: pd.DataFrame, rows: Rows, previous: pd.DataFrame | None, first: IntArray) -> BoolArray:
    """Find the side that each image has from a previous split, its own or its group's: bool, shape (images, 2)."""
    if previous is None:
        return np.zeros((len(rows), 2), bool)
    held = hold_sides(table, previous)
    sides, is_member = held.sides[rows], held.is_member[rows]
    linked = linked_sides(first, sides)
    if (linked.all(axis=1) & ~is_member).any():
        raise ValueError("a newcomer belongs to both sides of the previous split")
    return np.where(is_member[:, None], sides, linked)


def _draw(
    images: pd.DataFrame, label: IntArray, first: IntArray, wanted: IntArray, seed: int, sides: BoolArray
) -> BoolArray:
    """Draw the test set's missing images, by the keys of their groups, from those without a side: bool, (images,)."""
    in_test, is_free = sides[:, TEST].copy(), ~sides.any(axis=1)
    missing = wanted - np.bincount(label[in_test], minlength=len(wanted))
    missing = np.clip(missing, 0, np.bincount(label[is_free], minlength=len(wanted)))
    place = np.cumsum(is_free) - 1  # of each image among the free ones
    free = images[["record_id", "sha256"]].iloc[np.flatnonzero(is_free)]
    member_keys = choose_order(free["sha256"], "split-member", seed)
    roots, group = np.unique(place[first[is_free]], return_inverse=True)
    smallest = np.full(len(roots), np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(smallest, group, member_keys)
    # A second mixing: the smallest of many keys is small, so large groups would always come first.
    keys = mix(smallest, "split-group", seed)
    order = np.argsort(keys, kind="stable")
    if (np.diff(keys[order]) == 0).any():
        order = np.lexsort((rank_texts(free["record_id"])[roots], keys))
    group = np.argsort(order)[group]
    in_test[is_free] = choose_test_groups(Groups(group, label[is_free], keys[order]), missing)[group]
    return in_test


def _write(table: pd.DataFrame, rows: Rows, first: IntArray, in_test: BoolArray) -> pd.DataFrame:
    record_ids = as_arrow(table["record_id"], pa.string()).take(pa.array(rows))
    alone = np.bincount(first, minlength=len(rows))[first] < 2
    group = record_ids.take(pa.array(first, mask=alone))
    split = pa.array(SPLITS).take(pa.array(in_test.astype(np.int64)))
    columns = {"split_group": group, "split": split}
    return catalog.with_columns(table, {name: catalog.spread(one, rows, len(table)) for name, one in columns.items()})
