"""Divide whole groups of images among sides so that each label gets exactly its number on each, or as near as can be.

Groups are taken in the order of their keys as long as they fit; groups of one fill what is left:

>>> groups = Groups(np.array([0, 0, 0, 1, 2, 3]), np.zeros(6, np.int64), keys=np.array([1, 2, 3, 4], np.uint64))
>>> choose_groups(groups, np.array([2]))
array([False,  True,  True, False])
>>> divide_groups(groups, wanted=np.array([[3, 1, 2]]), is_empty=np.ones((1, 3), bool))
array([0, 2, 2, 1])
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from curator.catalog import BoolArray, IntArray
from curator.decide.exchange import exchange, exchange_mixed
from curator.decide.integer_program import divide_within
from curator.decide.whole_groups import Groups


def divide_groups(groups: Groups, wanted: IntArray, is_empty: BoolArray) -> IntArray:
    """Divide groups among sides so that each label gets its number of images on each, or as near as can be.

    The sides are drawn one after the other, the last first. If a count does not come out, groups are divided by integer
    programming; if no division has all counts, by one whose largest error is small.

    Args:
        groups: all images and their groups.
        wanted: shape (labels, sides): images of each label that each side should have; the first side gets the rest.
        is_empty: shape (labels, sides): where a side has no other image, so that it gets one group at least.

    Returns:
        The side of each group, shape (groups,).
    """
    rest = np.bincount(groups.label, minlength=len(wanted)) - wanted[:, 1:].sum(axis=1)
    wanted = np.concatenate([np.maximum(rest, 0)[:, None], wanted[:, 1:]], axis=1)
    must = is_empty & (wanted > 0)
    best = _draw(groups, wanted, must)
    must &= (np.bincount(groups.counts[1], minlength=len(wanted)) >= must.sum(axis=1))[:, None]
    cost, slack = _cost(groups, wanted, must, best), 0
    while slack <= cost.most and cost.most:
        found = divide_within(groups, wanted, must, best, slack)
        if found is not None and (now := _cost(groups, wanted, must, found)) < cost:
            best, cost = found, now
        slack = cost.most if slack < cost.most < 2 * slack else max(2 * slack, 1)
    return best


class _Cost(NamedTuple):
    """What is wrong with a division: sides that are empty and must not be, the sum of the errors, the largest one."""

    empty: int
    total: int
    most: int


def _cost(groups: Groups, wanted: IntArray, must: BoolArray, side: IntArray) -> _Cost:
    """Judge a division; while a side is empty that must not be, no error is too large."""
    counts = np.zeros_like(wanted)
    np.add.at(counts, (groups.label, side[groups.group]), 1)
    errors, empty = np.abs(counts - wanted), int((must & (counts == 0)).sum())
    most = max(len(groups.label), wanted.max()) if empty else errors.max(initial=0)
    return _Cost(empty, int(errors.sum()), int(most))


def _draw(groups: Groups, wanted: IntArray, must: BoolArray) -> IntArray:
    """Draw one side after the other, the last first: the side of each group, shape (groups,)."""
    side, left = np.zeros(len(groups.keys), np.int64), np.arange(len(groups.keys))
    for place in range(wanted.shape[1] - 1, 0, -1):
        n_left = np.bincount(groups.label, minlength=len(wanted))
        chosen = choose_groups(groups, np.minimum(wanted[:, place], n_left))
        _fill_empty(chosen, groups, np.flatnonzero(must[:, place]))
        side[left[chosen]] = place
        left, groups = left[~chosen], groups.without(chosen)
    return side


def _fill_empty(chosen: BoolArray, groups: Groups, labels: IntArray) -> None:
    """Choose the smallest group of each label of which none is chosen: a large side is one, an empty one is none.

    A label whose images are all of one group has no choice.
    """
    for label in labels:
        mine = np.unique(groups.group[groups.label == label])
        if len(mine) > 1 and not chosen[mine].any():
            chosen[mine[np.argmin(groups.sizes[mine])]] = True


def choose_groups(groups: Groups, wanted: IntArray) -> BoolArray:
    """Choose groups for one side; the others are left for the next.

    Args:
        groups: all images and their groups.
        wanted: shape (labels,): images of each label that the side should have.

    Returns:
        A bool array, shape (groups,). Groups with small keys come first, so that another image moves few others. If
        groups of one cannot fill the counts, groups near the cut are exchanged until the counts are exact or, over the
        groups of one label, as near as any choice comes.
    """
    chosen = np.zeros(len(groups.keys), bool)
    chosen[list(_fitting(groups, wanted))] = True
    missing = wanted - groups.count_labels(chosen, len(wanted))
    for label, n in enumerate(missing):
        singles = np.flatnonzero((groups.sizes == 1) & (groups.only_label == label))
        chosen[singles[: max(int(n), 0)]] = True
        exchange(groups, label, int(wanted[label]), chosen)
    if (groups.count_labels(chosen, len(wanted)) != wanted).any():
        exchange_mixed(groups, wanted, chosen)
    return chosen


def _fitting(groups: Groups, wanted: IntArray) -> Iterator[int]:
    """Walk along the keys and take each group of several that fits beside what was taken before it."""
    group, label, count = groups.counts
    several = groups.sizes[group] > 1
    room = wanted[label] - count - _count_singles_before(label, ~several)
    entries = zip(*(part[several].tolist() for part in (group, label, count, room)), strict=True)
    used = [0] * len(wanted)
    for owner, parts in groupby(entries, key=itemgetter(0)):
        needs = list(parts)
        if all(used[label] <= room for _, label, _, room in needs):
            for _, label, count, _ in needs:
                used[label] += count
            yield owner


def _count_singles_before(label: IntArray, single: BoolArray) -> IntArray:
    """Count, for each entry, the groups of one of the same label that come before it."""
    before = np.zeros(len(label), np.int64)
    for number in np.unique(label):
        mine = label == number
        before[mine] = np.cumsum(single[mine])
    return before
