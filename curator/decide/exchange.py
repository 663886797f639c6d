"""Exchange groups across the cut between a side and the rest, until each label has exactly its number there.

Groups of one label are exchanged by sizes that add up to what is missing:

>>> choose_sizes([5, 5, 3, 2], target=9)
[0, 2]
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain, combinations

import numpy as np

from curator.catalog import BoolArray, IntArray
from curator.decide.whole_groups import Groups

FIRST_WINDOW = 32
"""Groups on either side of the cut that are exchanged first, when the counts do not come out exactly."""
MIXED, TRIPLES = 64, 48
"""Groups of several labels on either side of the cut that are exchanged, and of those the ones that go by threes."""


def exchange(groups: Groups, label: int, wanted: int, chosen: BoolArray) -> None:
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


def exchange_mixed(groups: Groups, wanted: IntArray, chosen: BoolArray) -> None:
    """Exchange groups of several labels, up to three at a time, so that those of one label can fill what is left.

    How near the groups of one label come to any number is known beforehand, so a choice of the others is judged at
    once: by the sum, over the labels, of what would be missing or too many.
    """
    window = _nearest_mixed(groups, wanted, chosen)
    vectors = np.zeros((len(window), len(wanted)), np.int64)
    group, label, count = groups.counts
    place = np.full(len(groups.keys), -1)
    place[window] = np.arange(len(window))
    here = place[group] >= 0
    vectors[place[group[here]], label[here]] = count[here]
    is_mixed = groups.only_label < 0
    left = wanted - groups.count_labels(chosen & is_mixed, len(wanted))
    labels = np.flatnonzero(vectors.any(axis=0))
    gaps = [_gaps(groups.sizes[groups.only_label == one], int(wanted[one])) for one in labels]
    vectors, left = vectors[:, labels], left[labels]
    cost = int(_cost(gaps, left[None])[0])
    moves = [np.array(list(combinations(range(len(window)), n)), np.int64).reshape(-1, n) for n in (1, 2)]
    moves.append(np.array(list(combinations(range(min(len(window), TRIPLES)), 3)), np.int64).reshape(-1, 3))
    while cost:
        signed = np.where(chosen[window], 1, -1)[:, None] * vectors  # what taking it out, or in, leaves to fill
        best = [(cost, np.empty(0, np.int64))]
        for move in moves:
            costs = _cost(gaps, left + signed[move].sum(axis=1)) if len(move) else np.array([cost])
            if costs.min() < best[0][0]:
                best = [(int(costs.min()), move[costs.argmin()])]
            if not best[0][0]:
                break
        if best[0][0] >= cost:
            break
        cost, flipped = best[0]
        left = left + signed[flipped].sum(axis=0)
        chosen[window[flipped]] ^= True
    for one in range(len(wanted)):
        exchange(groups, one, int(wanted[one]), chosen)


def _nearest_mixed(groups: Groups, wanted: IntArray, chosen: BoolArray) -> IntArray:
    """List groups of several labels, nearest to the cut, and before them those with a label whose count is wrong."""
    is_wrong = groups.count_labels(chosen, len(wanted)) != wanted
    group, label, _ = groups.counts
    concerned = np.zeros(len(groups.keys), bool)
    concerned[group[is_wrong[label]]] = True
    is_mixed = groups.only_label < 0
    sides = [np.flatnonzero(is_mixed & chosen)[::-1], np.flatnonzero(is_mixed & ~chosen)]
    found = [side[np.argsort(~concerned[side], kind="stable")][:MIXED] for side in sides]
    both = np.concatenate(found)
    rank = np.concatenate([np.arange(len(side)) for side in found])
    return both[np.lexsort((rank, ~concerned[both]))]


def _gaps(sizes: IntArray, most: int) -> IntArray:
    """Return how near sums of ``sizes`` come to each number from 0 to ``most``: shape (most + 1,)."""
    reached = 1
    for size, count in _bundle(sizes.tolist()):
        reached = (reached | reached << size * count) & ((1 << 2 * most + 1) - 1)
    at = np.array([place for place in range(2 * most + 1) if reached >> place & 1])
    numbers = np.arange(most + 1)
    after = np.searchsorted(at, numbers)
    above = at[np.minimum(after, len(at) - 1)] - numbers
    below = numbers - at[np.maximum(after - 1, 0)]
    nearest: IntArray = np.minimum(np.abs(above), np.abs(below))
    return nearest


def _cost(gaps: Sequence[IntArray], left: IntArray) -> IntArray:
    """Return what would be missing or too many of all labels, if so many images were left to fill: shape (choices,)."""
    cost = np.zeros(len(left), np.int64)
    for gap, n in zip(gaps, left.T, strict=True):
        cost += gap[np.clip(n, 0, len(gap) - 1)] + np.abs(n - np.clip(n, 0, len(gap) - 1))
    return cost


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
