"""Growth without leaks: images of an earlier manifest keep their side; a newcomer that joins both sides is left out.

What was trained on may not be tested on later, so a picture's side outlives a new fetch and a new split. A picture
whose file is replaced by a better copy hands its side on to that copy.

>>> ids = ["x-1", "x-2", "x-3"]
>>> rows = {"record_id": ids, "sha256": ["1" * 64, "2" * 64, "3" * 64], "author": ["Ann"] * 3, "source": ["x"] * 3}
>>> table = catalog.conform(pd.DataFrame(rows | {"label": ["a"] * 3, "kind": ["x"] * 3, "tier": [0] * 3}))
>>> earlier = pd.DataFrame({"sha256": ["1" * 64, "2" * 64], "split": ["train", "test"]})
>>> left = drop_cross_split(table, earlier, ("author",))
>>> left["drop_reason"].tolist()[2], left["drop_detail"].tolist()[2]
('straddles-split', 'belongs with x-1 in train and with x-2 in test')
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog
from curator.catalog import BoolArray, Drop, IntArray, Stage, as_arrow
from curator.decide.leak_groups import find_leak_groups

TRAIN, TEST = 0, 1
SIDES = ("train", "test")


class Held(NamedTuple):
    """What an earlier manifest says of each row: bool arrays.

    Attributes:
        sides: shape (rows, 2): whether the image, or a copy that it replaces, stood in train, in test.
        is_member: shape (rows,): whether it stood in the manifest itself; the others are newcomers, those too that
            had left it and are back, though they have a side.
    """

    sides: BoolArray
    is_member: BoolArray


def hold_sides(table: pd.DataFrame, earlier: pd.DataFrame) -> Held:
    """Find the sides that images have from an earlier manifest, by content.

    Args:
        table: a catalog.
        earlier: ``sha256`` and ``split`` of the manifest's images; where there is a ``has_left``, of those too that
            left it before.
    """
    stood = _places(table["sha256"], earlier["sha256"])
    is_test = (earlier["split"] == SIDES[TEST]).to_numpy(dtype=bool)
    sides = np.zeros((len(table), 2), bool)
    known = np.flatnonzero(stood >= 0)
    sides[known, is_test[stood[known]].astype(np.int64)] = True
    keeper = _places(table["duplicate_of"], table["record_id"])
    copies = np.flatnonzero((stood >= 0) & (keeper >= 0) & ~catalog.is_kept(table))
    heirs = keeper[copies]
    handed_on = np.zeros_like(sides)
    np.logical_or.at(handed_on, heirs, sides[copies])
    is_member = stood >= 0
    if "has_left" in earlier:
        is_member[known] = ~earlier["has_left"].to_numpy(dtype=bool)[stood[known]]
    return Held(np.where((stood >= 0)[:, None], sides, handed_on), is_member)


def _places(values: pd.Series[Any], among: pd.Series[Any]) -> IntArray:
    """Find each value's place in ``among``; -1 where it is missing or not there."""
    texts, known = as_arrow(values, pa.string()), as_arrow(among, pa.string())
    found: IntArray = pc.fill_null(pc.index_in(texts, known, skip_nulls=True), -1).to_numpy(False).astype(np.int64)
    return found


def drop_cross_split(
    table: pd.DataFrame, earlier: pd.DataFrame, group_by: Sequence[str], copies: IntArray | None = None
) -> pd.DataFrame:
    """Drop the newcomers that belong together with images of both sides, before any choice is made.

    Those that are linked to both sides themselves go first, so that one of an author's pictures does not take the
    others with it; then those that still join the sides through each other.

    Args:
        table: a catalog after dedupe.
        earlier: the earlier manifest; see :func:`hold_sides`.
        group_by: what must stay on one side; see :func:`find_leak_groups`.
        copies: shape (rows,): what dedupe kept of one picture; see there, too.
    """
    rows = np.flatnonzero(catalog.is_kept(table))
    held = hold_sides(table, earlier)
    images, sides, is_newcomer = table.iloc[rows], held.sides[rows], ~held.is_member[rows]
    numbers = (np.full(len(table), -1) if copies is None else copies)[rows]
    first = find_leak_groups(images, group_by, numbers)
    torn = np.flatnonzero(linked_sides(first, sides).all(axis=1))
    out = torn[_straddle(images.iloc[torn], sides[torn], is_newcomer[torn], group_by, numbers[torn])]
    details: list[str | None] = [None] * len(table)
    for place in out:
        details[rows[place]] = _describe(images, sides, first == first[place])
    dropped = np.zeros(len(table), bool)
    dropped[rows[out]] = True
    return catalog.drop(table, dropped, Stage.BALANCED, Drop.STRADDLES_SPLIT, details)


def linked_sides(first: IntArray, sides: BoolArray) -> BoolArray:
    """Tell for each image which sides its group has members on: bool, shape (images, 2)."""
    groups = np.zeros((len(sides), 2), bool)
    np.logical_or.at(groups, first, sides)
    return groups[first]


def _straddle(
    images: pd.DataFrame, sides: BoolArray, is_newcomer: BoolArray, group_by: Sequence[str], copies: IntArray
) -> BoolArray:
    linked = sides.copy()
    for kind in group_by:
        linked |= linked_sides(find_leak_groups(images, (kind,), copies), sides)
    out = is_newcomer & linked.all(axis=1)
    rest = np.flatnonzero(~out)
    groups = find_leak_groups(images.iloc[rest], group_by, copies[rest])
    joined = linked_sides(groups, sides[rest]).all(axis=1)
    out[rest] = joined & is_newcomer[rest]
    return out


def _describe(images: pd.DataFrame, sides: BoolArray, group: npt.NDArray[np.bool_]) -> str:
    """Name one image on each side of a group."""
    names = [images["record_id"][group & sides[:, side]].min() for side in (TRAIN, TEST)]
    return f"belongs with {names[TRAIN]} in train and with {names[TEST]} in test"
