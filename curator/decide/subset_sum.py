"""Choose groups whose sizes add up to a number, or as near to it as any choice comes.

>>> choose_sizes([5, 5, 3, 2], target=9)
[0, 2]
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence


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
    chosen = []
    for index, size in enumerate(sizes):
        if take[size]:
            take[size] -= 1
            chosen.append(index)
    return chosen


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
