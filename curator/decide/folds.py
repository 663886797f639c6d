"""Divide the images of train into folds for cross-validation: grouped, stratified, with equal counts a label.

>>> fold_counts(np.array([10, 9]), 4)
array([[3, 3, 2, 2],
       [2, 2, 3, 2]])

Folds are drawn after the sides, from train alone, so that nobody's side depends on them. An image keeps its fold when
the set grows; if newcomers join groups of several folds, the images of the smaller ones follow those of the largest.
docs/decisions/0023-folds.md says why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from curator.catalog import BoolArray, IntArray
from curator.decide.allocation import divide_groups
from curator.decide.growth import TRAIN
from curator.decide.keyed_groups import key_groups
from curator.decide.picture_columns import Columns, take_facts
from curator.errors import ShortfallError
from curator.text import Command, Text


def fold_counts(have: IntArray, folds: int) -> IntArray:
    """Divide each label's images into equal folds: shape (labels, folds).

    What is left of one label goes to the folds after those that got what was left of the one before, so that folds are
    as equal in all as they are in each label.
    """
    wanted = np.repeat(have[:, None] // folds, folds, axis=1)
    start = 0
    for label, left in enumerate(have % folds):
        wanted[label, (start + np.arange(left)) % folds] += 1
        start += int(left)
    return wanted


def divide_folds(
    images: Columns,
    label: IntArray,
    labels: Sequence[str],
    first: IntArray,
    side: IntArray,
    held: BoolArray,
    seed: int,
) -> tuple[IntArray, list[Text]]:
    """Divide the images in train, whole groups only; those of a previous split keep their fold if their groups do.

    Args:
        images, label, labels, first: as in :func:`curator.decide.origins.describe_large_groups`.
        side: shape (images,): each image's place in :data:`curator.reasons.SPLITS`.
        held: shape (images, folds): the fold that an image has already; no columns: there are no folds.
        seed: another seed is another division.

    Returns:
        Each image's fold from 1, shape (images,), 0: not in train; and a note for each label whose folds are uneven.

    Raises:
        ShortfallError: a label has fewer images in train than there are folds.
    """
    in_train = side == TRAIN
    if not held.shape[1]:
        return np.zeros_like(side), []
    have = np.bincount(label[in_train], minlength=len(labels))
    _check_folds(dict(zip(labels, have.tolist(), strict=True)), held.shape[1])
    wanted, counts = fold_counts(have, held.shape[1]), np.zeros((len(labels), held.shape[1]), np.int64)
    fold = _follow_groups(first, held & in_train[:, None])
    is_held, is_free = in_train & (fold > 0), in_train & (fold == 0)
    np.add.at(counts, (label[is_held], fold[is_held] - 1), 1)
    free = take_facts(images, np.flatnonzero(is_free))
    groups = key_groups(free, label[is_free], first[is_free], "fold", seed)
    fold[is_free] = divide_groups(groups, np.clip(wanted - counts, 0, None), counts == 0)[groups.group] + 1
    np.add.at(counts, (label[is_free], fold[is_free] - 1), 1)
    fold[~in_train] = 0
    uneven = np.flatnonzero(counts.max(axis=1) - counts.min(axis=1) > 1).tolist()
    return fold, [_describe(labels[place], counts[place], wanted[place]) for place in uneven]


def _follow_groups(first: IntArray, held: BoolArray) -> IntArray:
    """Put each image into the fold, from 1, that most of its group had; 0: none of it had one."""
    rows, places = np.nonzero(held)
    pairs, counts = np.unique(first[rows] * held.shape[1] + places, return_counts=True)
    group, place = np.divmod(pairs, held.shape[1])
    order = np.lexsort((-place, counts))  # of as many, the lower fold is written last
    fold = np.zeros(len(first), np.int64)
    fold[group[order]] = place[order] + 1
    return fold[first]


def _check_folds(have: Mapping[str, int], folds: int) -> None:
    if few := {label: n for label, n in have.items() if n < folds}:
        counted = " and ".join(f"{label} has {n:,}" for label, n in few.items())
        least = min(few.values())
        them = "it" if len(few) == 1 else "them"
        fewer = ("Run ", Command(f"split --folds {least}"), ", or give ") if least > 1 else ("Give ",)
        hint: Text = (*fewer, f"{them} another source and run ", Command("fetch"), ".")
        missing = {label: folds - n for label, n in few.items()}
        raise ShortfallError(f"folds = {folds}: {counted} images in train, which is too few.", hint, missing)


def _describe(name: str, counts: IntArray, wanted: IntArray) -> Text:
    """Say how uneven the folds of a label are, and which have none of it."""
    empty = np.flatnonzero((counts == 0) & (wanted > 0)) + 1
    sizes = f"{', '.join(map(str, counts[:-1]))} and {counts[-1]}"
    if len(empty):
        places = f"fold{'s' if len(empty) > 1 else ''} {', '.join(map(str, empty))}"
        filled = int((counts > 0).sum())
        fewer = f"`folds = {filled}`, or " if filled > 1 else ""
        return f"{name}: no image in {places}, too few groups: {fewer}fewer names in `[split] group_by` fill every fold"
    return f"{name}: folds of {sizes} images, as near to {wanted.max()} each as what must stay in one fold allows"
