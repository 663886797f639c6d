"""Growth without leaks: images of a previous split keep their side; a newcomer that joins both sides is left out.

What was trained on may not be tested on later, so a picture's side outlives a new fetch and a new split. A picture
whose file is replaced by a better copy hands its side on to that copy.

>>> ids = ["x-1", "x-2", "x-3"]
>>> rows = {"record_id": ids, "sha256": ["1" * 64, "2" * 64, "3" * 64], "author": ["Ann"] * 3, "source": ["x"] * 3}
>>> table = catalog.conform(pd.DataFrame(rows | {"label": ["a"] * 3, "kind": ["x"] * 3, "tier": [0] * 3}))
>>> previous = pd.DataFrame({"sha256": ["1" * 64, "2" * 64], "split": ["train", "test"]})
>>> left = drop_cross_split(table, previous, ("author",))
>>> left["drop_reason"].tolist()[2], left["drop_detail"].tolist()[2]
('straddles-split', 'belongs with x-1 in train and with x-2 in test')
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from curator import catalog
from curator.catalog import BoolArray, Drop, IntArray, Stage
from curator.decide.leak_groups import find_leak_groups
from curator.decide.picture_columns import Columns, take_facts
from curator.decide.row_places import drop_rows, find_places, rank_among
from curator.reasons import SPLITS
from curator.text import plural, was

TRAIN, VAL, TEST = range(len(SPLITS))


class Held(NamedTuple):
    """What a previous split says of each row: bool arrays.

    Attributes:
        sides: shape (rows, 3): whether the image, or a copy that it replaces, belongs in train, in val, in test.
        is_member: shape (rows,): whether it was in the manifest itself, or has the side that its source lists; the
            others are newcomers, those too that had left it and are back, though they have a side.
    """

    sides: BoolArray
    is_member: BoolArray


def find_listed_sides(table: pd.DataFrame, keep: bool) -> IntArray | None:
    """Return the side that each row is listed on, -1: on none, shape (rows,); None if such sides are not kept."""
    if not keep:
        return None
    sides = rank_among(table["listed_split"], SPLITS)
    return np.where(sides < len(SPLITS), sides, -1)


def describe_divided_anew(table: pd.DataFrame, keep: bool) -> tuple[str, ...]:
    """Say how many kept images are listed on a side which is not kept: who lists sides may take them for kept."""
    is_listed = catalog.is_kept(table) & table["listed_split"].notna().to_numpy(dtype=bool)
    if keep or not is_listed.any():
        return ()
    n = int(is_listed.sum())
    what = f"{plural(n, 'image')} that a source lists as train, val or test {was(n)} divided anew"
    return (f"{what}; `[split] keep = true` in the recipe keeps those sides",)


def hold_sides(table: pd.DataFrame, previous: pd.DataFrame | None, listed: IntArray | None = None) -> Held:
    """Find the sides that images have: as listed, or from a previous split, by content.

    Args:
        table: a catalog.
        previous: ``sha256`` and ``split`` of the manifest's images; if there is a ``has_left``, of those too that left
            it before.
        listed: see :func:`find_listed_sides`.
    """
    held = Held(np.zeros((len(table), len(SPLITS)), bool), np.zeros(len(table), bool))
    if previous is not None:
        held = _hold_previous(table, previous)
    if listed is not None:
        rows = np.flatnonzero(listed >= 0)
        held.sides[rows] = listed[rows, None] == np.arange(len(SPLITS))
        held.is_member[rows] = True
    return held


def hold_folds(table: pd.DataFrame, previous: pd.DataFrame | None, folds: int) -> BoolArray:
    """Find the fold that each row has from a previous split, by content: bool, shape (rows, folds).

    Args:
        table: a catalog.
        previous: see :func:`hold_sides`; with ``fold``, 0 outside train. Folds of another number are not kept.
        folds: how many there are to be.
    """
    if previous is None or "fold" not in previous:
        return np.zeros((len(table), folds), bool)
    stays = ~previous["has_left"].to_numpy(dtype=bool) if "has_left" in previous else np.ones(len(previous), bool)
    if previous["fold"][stays].max() != folds:
        return np.zeros((len(table), folds), bool)
    return _inherit(table, previous, previous["fold"].to_numpy(dtype=np.int64) - 1, folds)


def _hold_previous(table: pd.DataFrame, previous: pd.DataFrame) -> Held:
    place = find_places(table["sha256"], previous["sha256"])
    known = np.flatnonzero(place >= 0)
    is_member = place >= 0
    if "has_left" in previous:
        is_member[known] = ~previous["has_left"].to_numpy(dtype=bool)[place[known]]
    return Held(_inherit(table, previous, rank_among(previous["split"], SPLITS), len(SPLITS)), is_member)


def _inherit(table: pd.DataFrame, previous: pd.DataFrame, number: IntArray, n: int) -> BoolArray:
    """Mark which of ``n`` parts each row was in, or a copy that it replaces; -1: in none. Shape (rows, n)."""
    place = find_places(table["sha256"], previous["sha256"])
    own = np.append(number, -1)[place][:, None] == np.arange(n)  # also of a manifest without rows
    representative = find_places(table["duplicate_of"], table["record_id"])
    copies = np.flatnonzero((place >= 0) & (representative >= 0) & ~catalog.is_kept(table))
    inherited = np.zeros_like(own)
    np.logical_or.at(inherited, representative[copies], own[copies])
    both: BoolArray = np.where((place >= 0)[:, None], own, inherited)
    return both


def drop_cross_split(
    table: pd.DataFrame,
    previous: pd.DataFrame | None,
    group_by: Sequence[str],
    copies: IntArray | None = None,
    listed: IntArray | None = None,
) -> pd.DataFrame:
    """Drop the newcomers that belong together with images of several sides, before any choice is made.

    Those that are linked to several sides themselves go first, so that one of an author's pictures does not take the
    others with it; then those that still join the sides through each other.

    Args:
        table: a catalog after dedupe.
        previous: the previous split; see :func:`hold_sides`.
        group_by: what must stay on one side; see :func:`find_leak_groups`.
        copies: shape (rows,): what dedupe kept of one picture; see there, too.
        listed: see :func:`find_listed_sides`.
    """
    rows = np.flatnonzero(catalog.is_kept(table))
    held = hold_sides(table, previous, listed)
    images, sides, is_newcomer = take_facts(table, rows), held.sides[rows], ~held.is_member[rows]
    numbers = (np.full(len(table), -1) if copies is None else copies)[rows]
    first = find_leak_groups(images, group_by, numbers)
    torn = np.flatnonzero(are_several(linked_sides(first, sides)))
    out = torn[_join_both_sides(take_facts(images, torn), sides[torn], is_newcomer[torn], group_by, numbers[torn])]
    details = []
    for place in out:
        group = first == first[place]
        members = {split: images["record_id"][group & sides[:, side]] for side, split in enumerate(SPLITS)}
        seen = [f"with {ids.min()} in {split}" for split, ids in members.items() if len(ids)]
        details.append(f"belongs {' and '.join(seen)}")
    return drop_rows(table, rows[out], Stage.BALANCED, Drop.STRADDLES_SPLIT, details)


def linked_sides(first: IntArray, sides: BoolArray) -> BoolArray:
    """Return, for each image, the sides that its group has members on: bool, shape (images, 3)."""
    groups = np.zeros_like(sides)
    np.logical_or.at(groups, first, sides)
    return groups[first]


def are_several(sides: BoolArray) -> BoolArray:
    """Return which rows have more than one side: bool, shape (rows,)."""
    several: BoolArray = sides.sum(axis=1) > 1
    return several


def _join_both_sides(
    images: Columns, sides: BoolArray, is_newcomer: BoolArray, group_by: Sequence[str], copies: IntArray
) -> BoolArray:
    """Return which newcomers join sides: by themselves, or through each other."""
    linked = sides.copy()
    for kind in group_by:
        linked |= linked_sides(find_leak_groups(images, (kind,), copies), sides)
    out = is_newcomer & are_several(linked)
    rest = np.flatnonzero(~out)
    groups = find_leak_groups(take_facts(images, rest), group_by, copies[rest])
    out[rest] = are_several(linked_sides(groups, sides[rest])) & is_newcomer[rest]
    return out
