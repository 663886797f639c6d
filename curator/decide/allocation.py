"""Choose whole groups of images for the test set so that each label gets exactly its number, or as near as can be.

Groups are taken in the order of their keys as long as they fit; groups of one fill what is left:

>>> groups = Groups(np.array([0, 0, 0, 1, 2, 3]), np.zeros(6, np.int64), keys=np.array([1, 2, 3, 4], np.uint64))
>>> choose_test_groups(groups, np.array([2]))
array([False,  True,  True, False])

If that does not come out, groups near the cut are exchanged, by sizes that add up to what is missing:

>>> choose_sizes([5, 5, 3, 2], target=9)
[0, 2]
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, groupby
from operator import itemgetter

import numpy as np
import numpy.typing as npt

from curator.catalog import BoolArray, IntArray

FIRST_WINDOW = 32
"""Groups on either side of the cut that are exchanged first, when the counts do not come out exactly."""
MAX_STATES = 50_000
"""Sums held at once when groups of several labels are exchanged."""


@dataclass(frozen=True)
class Groups:
    """Groups of images: ``group`` and ``label`` of each image, shape (images,); ``keys`` of each group, all different.

    Groups are numbered from 0 in the order of their keys, which ascend.
    """

    group: IntArray
    label: IntArray
    keys: npt.NDArray[np.uint64]

    @cached_property
    def counts(self) -> tuple[IntArray, IntArray, IntArray]:
        """The images of each group and label: (group, label, count), by group."""
        n_labels = int(self.label.max(initial=0)) + 1
        pairs, counts = np.unique(self.group * n_labels + self.label, return_counts=True)
        return pairs // n_labels, pairs % n_labels, counts

    @cached_property
    def sizes(self) -> IntArray:
        """Images per group."""
        return np.bincount(self.group, minlength=len(self.keys))

    @cached_property
    def only_label(self) -> IntArray:
        """The label of each group that has but one, else -1."""
        group, label, _ = self.counts
        only = np.full(len(self.keys), -1, np.int64)
        only[group] = label
        only[np.bincount(group, minlength=len(only)) > 1] = -1
        return only

    def count_labels(self, chosen: BoolArray, n_labels: int) -> IntArray:
        """Count the images of each label in the chosen groups."""
        return np.bincount(self.label[chosen[self.group]], minlength=n_labels)


def choose_test_groups(groups: Groups, wanted: IntArray) -> BoolArray:
    """Choose groups for the test set.

    Args:
        groups: all images and their groups.
        wanted: shape (labels,): images of each label that the test set should have.

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
        _exchange(groups, label, int(wanted[label]), chosen)
    if (groups.count_labels(chosen, len(wanted)) != wanted).any():
        _exchange_mixed(groups, wanted, chosen)
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


def _exchange(groups: Groups, label: int, wanted: int, chosen: BoolArray) -> None:
    """Exchange groups of one label across the cut, more and more of them, until the count is exact."""
    mine = groups.only_label == label
    missing = wanted - int(np.count_nonzero(groups.label[chosen[groups.group]] == label))
    inside, outside = np.flatnonzero(mine & chosen)[::-1], np.flatnonzero(mine & ~chosen)
    window = FIRST_WINDOW
    while missing:
        open_groups = np.sort(np.append(inside[:window], outside[:window]))
        sizes = groups.sizes[open_groups]
        target = missing + int(groups.sizes[inside[:window]].sum())
        picked = choose_sizes(sizes.tolist(), max(target, 0))
        left = target - int(sizes[picked].sum())
        if left == 0 or window >= max(len(inside), len(outside)):
            if abs(left) < abs(missing):
                chosen[open_groups] = False
                chosen[open_groups[picked]] = True
            return
        window *= 4


def _exchange_mixed(groups: Groups, wanted: IntArray, chosen: BoolArray) -> None:
    """Exchange groups of several labels too, among those near the cut, as far as sums can be held in memory."""
    inside, outside = np.flatnonzero(chosen)[::-1], np.flatnonzero(~chosen)
    nearest = [side[np.argsort(groups.only_label[side] >= 0, kind="stable")] for side in (inside, outside)]
    window = np.concatenate([side[:FIRST_WINDOW] for side in nearest])  # those of several labels first
    vectors = np.zeros((len(window), len(wanted)), np.int64)
    group, label, count = groups.counts
    place = np.full(len(groups.keys), -1)
    place[window] = np.arange(len(window))
    here = place[group] >= 0
    vectors[place[group[here]], label[here]] = count[here]
    rest = chosen.copy()
    rest[window] = False
    target = tuple((wanted - groups.count_labels(rest, len(wanted))).tolist())
    now = tuple(vectors[chosen[window]].sum(axis=0).tolist())
    picked, found = _choose_vectors([tuple(vector) for vector in vectors.tolist()], target)
    if _apart(found, target) < _apart(now, target):
        chosen[window] = False
        chosen[window[picked]] = True


def _choose_vectors(vectors: list[tuple[int, ...]], target: tuple[int, ...]) -> tuple[list[int], tuple[int, ...]]:
    """Choose vectors whose sum is nearest to ``target``; past twice the target, to choose nothing would be nearer."""
    zero = (0,) * len(target)
    came_from: dict[tuple[int, ...], tuple[tuple[int, ...], int]] = {zero: (zero, -1)}
    for item, vector in enumerate(vectors):
        for before in list(came_from):
            after = tuple(a + b for a, b in zip(before, vector, strict=True))
            if after not in came_from and all(a <= 2 * limit for a, limit in zip(after, target, strict=True)):
                came_from[after] = (before, item)
        if target in came_from or len(came_from) > MAX_STATES:
            break
    found = min(came_from, key=lambda reached: (_apart(reached, target), reached))
    picked, at = [], found
    while came_from[at][1] >= 0:
        at, item = came_from[at]
        picked.append(item)
    return picked, found


def _apart(a: tuple[int, ...], b: tuple[int, ...]) -> int:
    return sum(abs(x - y) for x, y in zip(a, b, strict=True))


def choose_sizes(sizes: Sequence[int], target: int) -> list[int]:
    """Choose items whose sizes add up to ``target`` or as near as possible; of two as near, the smaller sum.

    Dynamic programming over sums kept as the bits of one integer (bounded knapsack: equal sizes are taken in bundles of
    1, 2, 4 …), so the time grows with the number of different sizes, not of items.

    Args:
        sizes: positive whole numbers.
        target: at least 0.

    Returns:
        Indices of the chosen items, ascending; of equal sizes the first ones.
    """
    bundles = _bundle(sizes)
    most = target + max(sizes, default=0)
    reached = [1]
    for size, count in bundles:
        reached.append((reached[-1] | reached[-1] << size * count) & ((1 << most + 1) - 1))
    left, take = _nearest_bit(reached[-1], target), Counter[int]()
    for (size, count), before in zip(reversed(bundles), reversed(reached[:-1]), strict=True):
        if not before >> left & 1:
            take[size] += count
            left -= size * count
    places = (np.flatnonzero(np.array(sizes) == size)[:n].tolist() for size, n in take.items())
    return sorted(chain.from_iterable(places))


def _bundle(sizes: Sequence[int]) -> list[tuple[int, int]]:
    bundles = []
    for size, count in sorted(Counter(sizes).items()):
        bundle = 1
        while count:
            bundles.append((size, min(bundle, count)))
            count -= min(bundle, count)
            bundle *= 2
    return bundles


def _nearest_bit(bits: int, target: int) -> int:
    """Find the set bit nearest to ``target``; bit 0 is always set."""
    below = (bits & ((1 << target + 1) - 1)).bit_length() - 1
    above = bits >> target
    lowest = (above & -above).bit_length() - 1
    return target + lowest if above and lowest < target - below else below
