"""Divide whole groups among sides by integer programming, if a walk along their keys leaves a count wrong.

Sides of 5 and 5 are filled by a group of 3 and one of 2 each; no groups make 9 and 1:

>>> sizes = [3, 3, 2, 2]
>>> groups = Groups(np.repeat(np.arange(4), sizes), np.zeros(10, np.int64), keys=np.arange(4, dtype=np.uint64))
>>> side, must = np.zeros(4, np.int64), np.ones((1, 2), bool)
>>> np.bincount(divide_within(groups, np.array([[5, 5]]), must, side), weights=sizes).tolist()
[5.0, 5.0]
>>> divide_within(groups, np.array([[9, 1]]), must, side) is None
True
>>> np.bincount(divide_within(groups, np.array([[9, 1]]), must, side, slack=1), weights=sizes).tolist()
[8.0, 2.0]

The program is solved by HiGHS (Huangfu and Hall, "Parallelizing the dual revised simplex method", 2018), in one thread
and within a limit of nodes, not of seconds: a slow machine gets the same sides as a fast one. How often it succeeds:
docs/decisions/0024-exact-counts.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import highspy
import numpy as np

from curator.catalog import BoolArray, IntArray
from curator.decide.whole_groups import Groups

MOST_FREE, MOST_CELLS = 1_000, 40_000
"""The most groups that are divided anew, and groups times sides times labels; of more, the others stay where they are:
the program's time grows with them, and with 100 sides and 100 labels would have no end."""
MOST_NODES = 100
"""Nodes of the search tree after which no division is said to be there."""

Entries = Sequence[tuple[IntArray, IntArray, IntArray]]
"""Rows, columns and values of a sparse matrix."""


class _Bounds(NamedTuple):
    """The images of each label on each side: at least, as wanted, at most; shape (labels, sides) each."""

    low: IntArray
    target: IntArray
    high: IntArray


def divide_within(groups: Groups, wanted: IntArray, must: BoolArray, side: IntArray, slack: int = 0) -> IntArray | None:
    """Divide groups among sides so that no count is wrong by more than ``slack``.

    Args:
        groups: all images and their groups.
        wanted: shape (labels, sides): images of each label that each side should have.
        must: shape (labels, sides): where a side needs one image at least; it wants one, too.
        side: shape (groups,): a division that is nearly right; of many groups only some are moved.

    Returns:
        The side of each group, shape (groups,); None if there is no such division, or none was found.
    """
    free = _choose_free(groups, wanted, side)
    counts = np.zeros((len(free), len(wanted)), np.int64)
    place = np.full(len(groups.keys), -1)
    place[free] = np.arange(len(free))
    is_free = place[groups.group] >= 0
    np.add.at(counts, (place[groups.group[is_free]], groups.label[is_free]), 1)
    fixed = np.zeros_like(wanted)
    np.add.at(fixed, (groups.label[~is_free], side[groups.group[~is_free]]), 1)
    low = np.maximum(wanted - slack, must)
    # Groups of equal counts are one kind: how many of a kind a side has is asked, not which.
    kinds, kind, number = np.unique(counts, axis=0, return_inverse=True, return_counts=True)
    found = _solve(kinds, number, _Bounds(low - fixed, wanted - fixed, wanted + slack - fixed))
    if found is None:
        return None
    divided = side.copy()
    for one, of_side in enumerate(found):
        mine = free[kind.ravel() == one]
        divided[_keep_places(mine, side[mine], of_side)] = np.repeat(np.arange(len(of_side)), of_side)
    return divided


def _keep_places(groups: IntArray, side: IntArray, number: IntArray) -> IntArray:
    """Order groups of one kind by the sides they go to: those stay that can."""
    stays = [groups[side == place][:n] for place, n in enumerate(number)]
    others = groups[~np.isin(groups, np.concatenate(stays))]
    ends = np.cumsum([n - len(stay) for stay, n in zip(stays, number, strict=True)])
    moved = np.split(others, ends[:-1])
    return np.concatenate([part for pair in zip(stays, moved, strict=True) for part in pair])


def _choose_free(groups: Groups, wanted: IntArray, side: IntArray) -> IntArray:
    """Choose the groups to divide anew: all, or those first that have a label whose counts are wrong."""
    have = np.zeros_like(wanted)
    np.add.at(have, (groups.label, side[groups.group]), 1)
    is_wrong = (have != wanted).any(axis=1)
    concerned = np.zeros(len(groups.keys), bool)
    group, label, _ = groups.counts
    concerned[group[is_wrong[label]]] = True
    return np.sort(np.argsort(~concerned, kind="stable")[: min(MOST_FREE, max(2, MOST_CELLS // wanted.size))])


def _solve(kinds: IntArray, number: IntArray, bounds: _Bounds) -> IntArray | None:
    """Find how many groups of each kind go to each side, shape (kinds, sides), as near to what is wanted as can be.

    Args:
        kinds: shape (kinds, labels): images of each label in a group of the kind.
        number: shape (kinds,): groups of the kind.
    """
    n_kinds, n_sides = len(kinds), bounds.low.shape[1]
    # No group goes where it does not fit: a relaxed program would cut it into slices that do.
    fits = np.where(kinds[:, :, None], bounds.high // np.maximum(kinds, 1)[:, :, None], number.max(initial=0))
    most = np.minimum(fits.min(axis=1), number[:, None])
    if (bounds.high < np.maximum(bounds.low, 0)).any() or (most < 0).any() or (most.sum(axis=1) < number).any():
        return None
    sides, columns = np.arange(n_sides), np.arange(n_kinds * n_sides)
    kind, label = np.nonzero(kinds)
    of_cell = n_kinds + (label[:, None] * n_sides + sides).ravel(), (kind[:, None] * n_sides + sides).ravel()
    entries = [(columns // n_sides, columns, np.ones_like(columns)), (*of_cell, np.repeat(kinds[kind, label], n_sides))]
    under, over = (bounds.target - bounds.low).ravel(), (bounds.high - bounds.target).ravel()
    cells = np.arange(len(under))
    for sign, at in ((1, 0), (-1, 1)):  # what is missing, and what is too much
        entries.append((n_kinds + cells, len(columns) + at * len(cells) + cells, np.full_like(cells, sign)))
    upper = np.concatenate([most.ravel(), under, over])
    values = _run(entries, np.concatenate([number, bounds.target.ravel()]), upper, len(columns))
    return None if values is None else values.reshape(n_kinds, n_sides)


def _run(entries: Entries, total: IntArray, upper: IntArray, n_integers: int) -> IntArray | None:
    """Solve: each row has its total, columns are from 0 to ``upper``; those after the first integers cost 1 each."""
    row, column, value = (np.concatenate(parts) for parts in zip(*entries, strict=True))
    order = np.lexsort((row, column))
    program = highspy.HighsLp()
    program.num_row_, program.num_col_ = len(total), len(upper)
    program.row_lower_ = program.row_upper_ = total.astype(float)
    program.col_lower_, program.col_upper_ = np.zeros(len(upper)), upper.astype(float)
    program.col_cost_ = (np.arange(len(upper)) >= n_integers).astype(float)
    whole, part = highspy.HighsVarType.kInteger, highspy.HighsVarType.kContinuous
    program.integrality_ = [whole] * n_integers + [part] * (len(upper) - n_integers)
    program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    program.a_matrix_.start_ = np.searchsorted(column[order], np.arange(len(upper) + 1))
    program.a_matrix_.index_, program.a_matrix_.value_ = row[order], value[order].astype(float)
    # Highs, which is derived from it, prints its version before it can be told not to (1.16).
    solver = highspy._Highs()  # type: ignore[attr-defined]
    for name, choice in {"output_flag": False, "threads": 1, "mip_max_nodes": MOST_NODES}.items():
        solver.setOptionValue(name, choice)
    solver.passModel(program)
    solver.run()
    if solver.getInfo().primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        return None
    found: IntArray = np.rint(np.array(solver.getSolution().col_value[:n_integers])).astype(np.int64)
    return found
