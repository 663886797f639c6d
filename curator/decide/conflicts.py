"""Decide about one picture under two labels, before any duplicate is removed: all matches count.

>>> i, j, labels = np.array([0, 1, 1, 2]), np.array([1, 0, 2, 1]), np.array([0, 1, 2])
>>> find_conflicts(i, j, labels, "drop-both")
array([ True,  True,  True,  True])
>>> find_conflicts(i, j, labels, "keep-first")
array([False,  True, False, False])
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from curator.decide.columns import IntArray

Indices = npt.NDArray[np.intp]
BoolArray = npt.NDArray[np.bool_]


def find_conflicts(
    i: Indices, j: Indices, labels: IntArray, across_labels: str, protected: BoolArray | None = None
) -> BoolArray:
    """Find the matches for which image ``i`` must go, because ``j`` is the same picture under another label.

    Args:
        i: shape (matches,); every match stands here both ways.
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
    rows = np.flatnonzero(groups >= 0)
    order = rows[np.lexsort((labels[rows], groups[rows]))]
    is_first = np.diff(groups[order], prepend=-1) != 0
    first = order[np.maximum.accumulate(np.where(is_first, np.arange(len(order)), 0))]
    return order[~is_first], first[~is_first]
