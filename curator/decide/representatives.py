"""Choose who is kept of several images of one picture, by an order that does not depend on where the rows are.

>>> import pandas as pd
>>> table = pd.DataFrame({"record_id": ["b", "a", "c"], "width": [9, 9, 10], "height": 9, "n_bytes": [5, 5, 1]})
>>> table["mode"] = "RGB"
>>> rank_representatives(table, "largest", ())
array([2, 1, 0])

Of one picture under two labels, both images or the later label's go, before any duplicate is removed:

>>> i, j, labels = np.array([0, 1, 1, 2]), np.array([1, 0, 2, 1]), np.array([0, 1, 2])
>>> find_conflicts(i, j, labels, "drop-both")
array([ True,  True,  True,  True])
>>> find_conflicts(i, j, labels, "keep-first")
array([False,  True, False, False])

Each duplicate that is dropped was matched to the one that is kept, so that no chain merges strangers. In the chain
0 - 1 - 2, image 1 is dropped for 0, and 2 stays, since it was never matched to 0:

>>> find_covered(i, j, ranks=np.array([0, 1, 2]))
(array([False,  True, False]), {})
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from curator.catalog import BoolArray, IntArray, read_integers
from curator.decide.chains import Step
from curator.decide.picture_columns import Columns
from curator.decide.ranks import rank_by
from curator.decide.row_places import rank_among, rank_texts
from curator.matching.sort_order import sort_order

Indices = npt.NDArray[np.intp]


_FEW_COLOURS = ("1", "P", "PA")
"""Pillow's modes of pictures with a palette."""


class Reached(NamedTuple):
    """What an image is dropped for that a chain reaches: the first of it, the last before it, and its orientation."""

    first: int
    via: int
    orientation: int


class Chained(dict[int, Reached]):
    """The images that only a chain reaches."""


_BITS = 63
"""Of a number, without its sign."""

Reach = Callable[[int], Iterable[Step]]


def reach_nothing(image: int) -> Iterable[Step]:
    """Reach no image by way of others."""
    return ()


def rank_representatives(table: Columns, keep: str, sources: Sequence[str], flaws: IntArray | None = None) -> IntArray:
    """Rank the rows from 0, the best to keep first.

    Args:
        table: a catalog.
        keep: ``"largest"``: least flawed, then of more than 256 colours, then most pixels, then most bytes, then the
            smallest record id; ``"first"``: the source that comes first in ``sources``, then the earliest tier, then
            the smallest record id.
        sources: names of sources in the recipe's order; those not named come after, in alphabetical order.
        flaws: shape (rows,): see :func:`curator.decide.flaws.rate_flaws`; without it, no image has any.
    """
    names = rank_texts(table["record_id"])
    if keep == "first":
        return rank_by(rank_among(table["source"], sources), read_integers(table["tier"], 0), names)
    width, height, n_bytes = (read_integers(table[name], 0) for name in ("width", "height", "n_bytes"))
    few_colours = table["mode"].isin(_FEW_COLOURS).to_numpy(dtype=bool)
    known = np.zeros(len(table), np.int64) if flaws is None else flaws
    return rank_by(known, few_colours, -width * height, -n_bytes, names)


def put_first(ranks: IntArray, chosen: BoolArray) -> IntArray:
    """Rank the chosen rows before all others, each part in its order as before.

    >>> put_first(np.array([0, 1, 2]), np.array([False, False, True]))
    array([1, 2, 0])
    """
    return rank_by(~chosen, ranks) if chosen.any() else ranks


def find_leaders(groups: IntArray, ranks: IntArray) -> Indices:
    """Return, for each row, the row of its group with the smallest rank; a row whose group is -1 leads itself.

    >>> find_leaders(np.array([7, -1, 7, -1]), np.array([3, 2, 1, 0]))
    array([2, 1, 2, 3])
    """
    by_rank = sort_order(ranks)
    by_rank = by_rank[groups[by_rank] >= 0]
    n, bits = len(by_rank), len(by_rank).bit_length()
    numbers = groups[by_rank].astype(np.int64)
    if numbers.max(initial=0) >> _BITS - bits:
        numbers = np.unique(numbers, return_inverse=True)[1].ravel()
    numbers <<= bits
    numbers |= np.arange(n)
    numbers.sort()  # group and place in one number: a fraction of what np.lexsort takes
    order = by_rank[numbers & ((1 << bits) - 1)]
    starts = np.flatnonzero(np.diff(numbers >> bits, prepend=-1))
    leaders = np.arange(len(ranks))
    leaders[order] = np.repeat(order[starts], np.diff(np.append(starts, n)))
    return leaders


def find_conflicts(
    i: Indices, j: Indices, labels: IntArray, across_labels: str, protected: BoolArray | None = None
) -> BoolArray:
    """Find the matches for which image ``i`` must go, because ``j`` is the same picture under another label.

    Args:
        i: shape (matches,); every match is listed both ways.
        j: shape (matches,): what each ``i`` was matched to.
        labels: shape (images,): each image's label, numbered in the recipe's order.
        across_labels: ``"drop-both"``: all matches of two labels; ``"keep-first"``: label by label, those with an image
            of an earlier label that is not dropped so itself; ``"ignore"``: none.
        protected: shape (images,): images that never go, and that come before every label.

    Returns:
        A bool array, shape (matches,).
    """
    wanted = np.zeros(len(labels), bool) if protected is None else protected
    differing = (labels[i] != labels[j]) & ~wanted[i]
    if across_labels == "drop-both":
        return np.asarray(differing)
    deciding = np.zeros(len(i), bool)
    if across_labels == "keep-first":
        gone = np.zeros(len(labels), bool)
        order = np.where(wanted, -1, labels)
        later = np.flatnonzero(differing & (order[i] > order[j]))
        for label in np.unique(labels[i[later]]):
            mine = later[labels[i[later]] == label]
            deciding[mine] = ~gone[j[mine]]
            gone[i[mine[deciding[mine]]]] = True
    return deciding


def link_across_labels(groups: IntArray, labels: IntArray) -> tuple[Indices, Indices]:
    """Pair, in each group of equal images, the first one with each one of another label: enough to see every conflict.

    Args:
        groups: shape (images,): what is equal has one number; -1 is equal to nothing.
        labels: shape (images,); within a group, each label occurs once.

    >>> link_across_labels(np.array([5, 5, -1, 5]), np.array([1, 0, 0, 2]))
    (array([0, 3]), array([1, 1]))
    """
    first = find_leaders(groups, labels)
    others = np.flatnonzero(first != np.arange(len(groups)))
    return others, first[others]


def find_covered(i: Indices, j: Indices, ranks: IntArray, reach: Reach = reach_nothing) -> tuple[BoolArray, Chained]:
    """Go through the images from the best rank on: one that no kept image reaches is kept, and covers what it reaches.

    Args:
        i: shape (matches,); every match is listed both ways.
        j: shape (matches,): what each ``i`` was matched to.
        ranks: shape (images,): all different, the smallest is kept first.
        reach: returns what an image that is kept reaches by way of others.

    Returns:
        A bool array, shape (images,): true if an image is matched to one that is kept, or reached by it. No two kept
        images match. And of those that are reached only: what they are dropped for.
    """
    n, pairs = len(ranks), i.astype(np.uint64)
    pairs <<= np.uint64(32)
    pairs |= j.astype(np.uint64)
    pairs.sort()  # of numbers: some times as fast as argsort, in half the memory
    pairs &= np.uint64((1 << 32) - 1)
    neighbours, counts = pairs.view(np.int64), np.bincount(i, minlength=n)
    ends, matched = np.cumsum(counts), np.flatnonzero(counts)
    covered, kept, chained = np.zeros(n, bool), np.zeros(n, bool), Chained()
    for image in matched[sort_order(ranks[matched])].tolist():
        if not covered[image]:
            kept[image] = True
            covered[neighbours[ends[image] - counts[image] : ends[image]]] = True
            for step in reach(image):
                if not covered[step.image] and not kept[step.image]:
                    covered[step.image] = True
                    chained[step.image] = Reached(image, step.via, step.orientation)
    return covered, chained
