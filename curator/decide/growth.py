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
from curator.catalog import BoolArray, Drop, IntArray, Stage, find_places
from curator.decide.leak_groups import find_leak_groups
from curator.reasons import SPLITS

TRAIN, TEST = 0, 1


class Held(NamedTuple):
    """What a previous split says of each row: bool arrays.

    Attributes:
        sides: shape (rows, 2): whether the image, or a copy that it replaces, was in train, in test.
        is_member: shape (rows,): whether it was in the manifest itself; the others are newcomers, those too that had
            left it and are back, though they have a side.
    """

    sides: BoolArray
    is_member: BoolArray


def hold_sides(table: pd.DataFrame, previous: pd.DataFrame) -> Held:
    """Find the sides that images have from a previous split, by content.

    Args:
        table: a catalog.
        previous: ``sha256`` and ``split`` of the manifest's images; if there is a ``has_left``, of those too that left
            it before.
    """
    place = find_places(table["sha256"], previous["sha256"])
    known = np.flatnonzero(place >= 0)
    sides = np.zeros((len(table), 2), bool)
    is_test = (previous["split"] == SPLITS[TEST]).to_numpy(dtype=bool)
    sides[known, is_test[place[known]].astype(np.int64)] = True
    representative = find_places(table["duplicate_of"], table["record_id"])
    copies = np.flatnonzero((place >= 0) & (representative >= 0) & ~catalog.is_kept(table))
    inherited = np.zeros_like(sides)
    np.logical_or.at(inherited, representative[copies], sides[copies])
    is_member = place >= 0
    if "has_left" in previous:
        is_member[known] = ~previous["has_left"].to_numpy(dtype=bool)[place[known]]
    return Held(np.where((place >= 0)[:, None], sides, inherited), is_member)


def drop_cross_split(
    table: pd.DataFrame, previous: pd.DataFrame, group_by: Sequence[str], copies: IntArray | None = None
) -> pd.DataFrame:
    """Drop the newcomers that belong together with images of both sides, before any choice is made.

    Those that are linked to both sides themselves go first, so that one of an author's pictures does not take the
    others with it; then those that still join the sides through each other.

    Args:
        table: a catalog after dedupe.
        previous: the previous split; see :func:`hold_sides`.
        group_by: what must stay on one side; see :func:`find_leak_groups`.
        copies: shape (rows,): what dedupe kept of one picture; see there, too.
    """
    rows = np.flatnonzero(catalog.is_kept(table))
    held = hold_sides(table, previous)
    images, sides, is_newcomer = table.iloc[rows], held.sides[rows], ~held.is_member[rows]
    numbers = (np.full(len(table), -1) if copies is None else copies)[rows]
    first = find_leak_groups(images, group_by, numbers)
    torn = np.flatnonzero(linked_sides(first, sides).all(axis=1))
    out = torn[_join_both_sides(images.iloc[torn], sides[torn], is_newcomer[torn], group_by, numbers[torn])]
    details = []
    for place in out:
        group = first == first[place]
        names = [images["record_id"][group & sides[:, side]].min() for side in (TRAIN, TEST)]
        details.append(f"belongs with {names[TRAIN]} in train and with {names[TEST]} in test")
    return catalog.drop_rows(table, rows[out], Stage.BALANCED, Drop.STRADDLES_SPLIT, details)


def linked_sides(first: IntArray, sides: BoolArray) -> BoolArray:
    """Return, for each image, the sides that its group has members on: bool, shape (images, 2)."""
    groups = np.zeros((len(sides), 2), bool)
    np.logical_or.at(groups, first, sides)
    return groups[first]


def _join_both_sides(
    images: pd.DataFrame, sides: BoolArray, is_newcomer: BoolArray, group_by: Sequence[str], copies: IntArray
) -> BoolArray:
    """Return which newcomers join the sides: by themselves, or through each other."""
    linked = sides.copy()
    for kind in group_by:
        linked |= linked_sides(find_leak_groups(images, (kind,), copies), sides)
    out = is_newcomer & linked.all(axis=1)
    rest = np.flatnonzero(~out)
    groups = find_leak_groups(images.iloc[rest], group_by, copies[rest])
    out[rest] = linked_sides(groups, sides[rest]).all(axis=1) & is_newcomer[rest]
    return out
