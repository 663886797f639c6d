"""Parts of the training images, each within the next: whole groups, and every label by its share.

>>> labels, groups = np.repeat([0, 1], 8), np.array([f"g{i // 2}" for i in range(16)], dtype=object)
>>> parts = nested_parts(labels, groups, [0.25, 0.5, 1.0], seed=0)
>>> [np.bincount(labels[part]).tolist() for part in parts]
[[2, 2], [4, 4], [8, 8]]
>>> set(parts[0]) < set(parts[1]) < set(parts[2])
True
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from curator.benchmark.images.labelled_images import IntArray, TextArray


def nested_parts(labels: IntArray, groups: TextArray, shares: Sequence[float], seed: int) -> list[IntArray]:
    """Take groups in an order of chance until each label has its share; a larger part holds every smaller one.

    A group that would overshoot a label's share waits for a larger part. A label whose groups are all larger than its
    share has the smallest of them, so that every part can be trained on.

    Args:
        labels: label indices (images,); not each label has to be there.
        groups: the name of the group that each image stays with (images,).
        shares: ascending, above 0 and at most 1.
        seed: another one is another order.

    Returns:
        Of each share the positions of its images: int64, ascending.
    """
    _, own, totals = np.unique(labels, return_inverse=True, return_counts=True)
    wanted = [np.maximum(1, np.round(share * totals)).astype(np.int64) for share in shares]
    return _take(own, groups, wanted, seed)


def part_of_counts(labels: IntArray, groups: TextArray, wanted: IntArray, seed: int) -> IntArray:
    """Take groups in an order of chance up to so many images of each label; see :func:`nested_parts`.

    Args:
        labels: label indices (images,).
        groups: the name of the group that each image stays with (images,).
        wanted: images by label index; of a label with 0 none is taken.
        seed: another one is another order.

    Returns:
        The positions of the images: int64, ascending. Of large groups they are fewer than wanted, or more.

    >>> labels, groups = np.repeat([0, 1], 6), np.array([f"g{i}" for i in range(12)], dtype=object)
    >>> np.bincount(labels[part_of_counts(labels, groups, np.array([4, 2]), seed=0)]).tolist()
    [4, 2]
    """
    return _take(labels, groups, [wanted], seed)[0]


def _take(labels: IntArray, groups: TextArray, wanted: Sequence[IntArray], seed: int) -> list[IntArray]:
    """Take the groups of each part, and of those before it."""
    names, group_index = np.unique(groups.astype(str), return_inverse=True)
    counts = np.zeros((len(names), len(wanted[0])), dtype=np.int64)
    np.add.at(counts, (group_index, labels), 1)
    order = np.random.default_rng([seed]).permutation(len(names))
    taken = np.zeros(len(names), dtype=bool)
    parts = []
    for one in wanted:
        _fill(taken, counts, order, one)
        parts.append(np.flatnonzero(taken[group_index]).astype(np.int64))
    return parts


def _fill(taken: npt.NDArray[np.bool_], counts: IntArray, order: IntArray, wanted: IntArray) -> None:
    """Take further groups up to the counts that are wanted of each label."""
    room = wanted - counts[taken].sum(axis=0)
    for group in order[~taken[order]]:
        if (counts[group] <= room).all():
            taken[group] = True
            room -= counts[group]
    for label in np.flatnonzero((counts[taken].sum(axis=0) == 0) & (wanted > 0)):
        holders = np.flatnonzero(counts[:, label])
        taken[holders[np.argmin(counts[holders].sum(axis=1))]] = True
