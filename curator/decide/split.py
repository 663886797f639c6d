"""Divide the kept images into train, val and test: exact counts a label, and no picture, author or page on two sides.

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

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from curator import catalog
from curator.catalog import BoolArray, IntArray, Rows, as_arrow
from curator.decide.allocation import divide_groups
from curator.decide.folds import divide_folds
from curator.decide.growth import TEST, VAL, are_several, hold_folds, hold_sides, linked_sides
from curator.decide.keyed_groups import key_groups
from curator.decide.leak_groups import find_leak_groups
from curator.decide.name_pattern import check_pattern
from curator.decide.origins import describe_large_groups
from curator.decide.picture_columns import Columns, take_facts
from curator.decide.row_places import rank_among, spread
from curator.decide.side_counts import check_counts, count_wanted
from curator.manifests.settings import SplitSettings
from curator.reasons import SPLITS
from curator.text import MOST, Command, Text, plural


class SplitDecision(NamedTuple):
    """The catalog with ``split``, ``fold`` and ``split_group`` filled, and what a person should know about it.

    Notes name leaks, groups of more than 1% of a label, and labels that only get near their count.
    """

    table: pd.DataFrame
    notes: tuple[Text, ...]


def split_images(
    table: pd.DataFrame,
    settings: SplitSettings,
    labels: Sequence[str],
    previous: pd.DataFrame | None = None,
    copies: IntArray | None = None,
    most: Command = MOST,
    listed: IntArray | None = None,
) -> SplitDecision:
    """Put each kept image on its side, by a keyed hash of its content; another image moves few.

    Args:
        table: a catalog; kept rows need a SHA-256.
        settings, labels: the ``ratio`` (share in train, rounded) of each of the labels and its ``val``, or exact counts
            of ``train``, ``val`` and ``test``; ``folds`` of train; ``seed``; and what stays on one side (``group_by``).
        previous: a split whose images keep side and fold, and what belongs to them with them; none belongs to several.
        copies: shape (rows,): what dedupe kept of one picture; see :func:`find_leak_groups`.
        most: the command that splits as many of each label as there are, for the error to name.
        listed: the sides that are kept (:func:`curator.decide.growth.find_listed_sides`); leaks between them are noted.

    Raises:
        ShortfallError, CuratorError: see :func:`check_counts`, :func:`divide_folds` and :func:`check_pattern`.
    """
    label_of = rank_among(table["label"], labels)
    rows = np.flatnonzero(catalog.is_kept(table) & (label_of < len(labels)))
    images, label = take_facts(table, rows), label_of[rows]
    have = np.bincount(label, minlength=len(labels)).tolist()
    check_counts(dict(zip(labels, have, strict=True)), settings, most)
    check_pattern(images, settings.group_by)
    kept_copies, kept_sides = (None if given is None else given[rows] for given in (copies, listed))
    first = find_leak_groups(images, settings.group_by, kept_copies)
    sides = _hold_sides(table, rows, previous, first, listed)
    wanted = count_wanted(have, settings, label, sides, kept_sides)
    side = _draw(images, label, first, wanted, settings.seed, sides)
    notes = describe_leaks(images, settings.group_by, kept_copies, kept_sides)
    notes += describe_large_groups(images, label, labels, _leave_torn(first, sides))
    empty, uneven = _describe_counts(labels, label, side, wanted, is_held=previous is not None)
    held = hold_folds(table, previous, settings.folds or 0)[rows]
    fold, of_folds = divide_folds(images, label, labels, first, side, held, settings.seed)
    return SplitDecision(_write(table, rows, first, side, fold), (*empty, *notes, *uneven, *of_folds))


def _leave_torn(first: IntArray, sides: BoolArray) -> IntArray:
    """Take the groups apart that are on several sides: what is said of the others is not true of them."""
    return np.where(are_several(linked_sides(first, sides)), np.arange(len(first)), first)


def _describe_counts(
    labels: Sequence[str], label: IntArray, side: IntArray, wanted: IntArray, *, is_held: bool
) -> tuple[list[Text], list[Text]]:
    """Say which labels have no test or val set, and which have other counts than they should."""
    empty: list[Text] = []
    uneven: list[Text] = []
    for place in (TEST, VAL):
        set_name = SPLITS[place]
        counts = np.bincount(label[side == place], minlength=len(labels))
        for name, n, want in zip(labels, counts, wanted[:, place], strict=True):
            if not n and want:
                text = f"no image in {set_name}: all belong together by `[split] group_by` or `group_pattern`"
                empty.append(f"{name}: {text}; with less in them, and with `--resplit`, they are divided")
            elif n != want:
                held = ", and the previous split (`--resplit` lets images move)," if is_held else ""
                near = f"as near as what must stay on one side{held} allows"
                uneven.append(f"{name}: {plural(n, 'image')} in {set_name} instead of {want}, {near}")
            elif not n and place == TEST:
                empty.append(f"{name}: no image in test, as none is listed there; `[split] keep = false` divides anew")
    return empty, uneven


def describe_leaks(
    images: Columns, group_by: Sequence[str], copies: IntArray | None, listed: IntArray | None
) -> tuple[Text, ...]:
    """Say which images that belong together are listed on several sides, kind by kind, with an example of each."""
    if listed is None:
        return ()
    sides = listed[:, None] == np.arange(len(SPLITS))
    notes: list[Text] = []
    for kind in group_by:
        first = find_leak_groups(images, (kind,), copies)
        torn = np.flatnonzero(are_several(linked_sides(first, sides)) & (listed >= 0))
        if not len(torn):
            continue
        members = np.flatnonzero((first == first[torn[0]]) & (listed >= 0))
        pair = members[np.unique(listed[members], return_index=True)[1][:2]]
        shown = " and ".join(f"{images['record_id'].iloc[at]} in {SPLITS[listed[at]]}" for at in pair)
        n = len(np.unique(first[torn]))
        counted = f"{plural(n, 'group')} of one {kind} ({plural(len(torn), 'image')}{_same_bytes(images, kind, torn)})"
        notes.append(
            f"LEAK: {counted} on several sides, as listed, such as {shown}; they are kept there, and "
            "`[split] keep = false` would divide anew"
        )
    return tuple(notes)


def _same_bytes(images: Columns, kind: str, rows: Rows) -> str:
    """Say how many of the near-duplicates among some rows are copies of one file, if any are."""
    if kind != "near-duplicate":
        return ""
    n = int(images["sha256"].iloc[rows].duplicated(keep=False).sum())
    return (
        ", all of the same bytes as another" if n == len(rows) else f", {n:,} of the same bytes as another" if n else ""
    )


def _hold_sides(
    table: pd.DataFrame, rows: Rows, previous: pd.DataFrame | None, first: IntArray, listed: IntArray | None
) -> BoolArray:
    """Find the side that each image has, its own (as listed, or from a previous split) or its group's: (images, 3)."""
    held = hold_sides(table, previous, listed)
    sides, is_member = held.sides[rows], held.is_member[rows]
    linked = linked_sides(first, sides)
    if (are_several(linked) & ~is_member).any():
        raise ValueError("a newcomer belongs to several sides")
    return np.where(is_member[:, None], sides, linked)


def _draw(images: Columns, label: IntArray, first: IntArray, wanted: IntArray, seed: int, sides: BoolArray) -> IntArray:
    """Draw the missing images of test, then of val, by the keys of their groups, from those without a side.

    Returns:
        Each image's place in :data:`curator.reasons.SPLITS`, shape (images,).
    """
    side: IntArray = sides.argmax(axis=1)
    is_free = ~sides.any(axis=1)
    have = np.zeros_like(wanted)
    np.add.at(have, (label[~is_free], side[~is_free]), 1)
    free = take_facts(images, np.flatnonzero(is_free))
    groups = key_groups(free, label[is_free], first[is_free], "split", seed)
    side[is_free] = divide_groups(groups, np.clip(wanted - have, 0, None), have == 0)[groups.group]
    return side


def _write(table: pd.DataFrame, rows: Rows, first: IntArray, side: IntArray, fold: IntArray) -> pd.DataFrame:
    record_ids = as_arrow(table["record_id"], pa.string()).take(pa.array(rows))
    alone = np.bincount(first, minlength=len(rows))[first] < 2
    group = record_ids.take(pa.array(first, mask=alone))
    split = pa.array(SPLITS).take(pa.array(side))
    columns = {"split_group": group, "split": split, "fold": pa.array(fold, mask=fold == 0)}
    return catalog.with_columns(table, {name: spread(one, rows, len(table)) for name, one in columns.items()})
