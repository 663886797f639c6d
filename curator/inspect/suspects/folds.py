"""Folds for cross-validation: whole groups, every label spread evenly, the same on every machine.

>>> labels, groups = np.repeat([0, 1], 6), np.array([0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
>>> [np.bincount(labels[choose_folds(labels, groups, 3) == fold], minlength=2).tolist() for fold in range(3)]
[[3, 2], [2, 2], [1, 2]]
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from curator.inspect.suspects.principal import FEW

IntArray = npt.NDArray[np.int64]


N_DIVISIONS = 5
"""Divisions into folds that few images are judged with: which images are left out together is chance."""


def divide_anew(labels: IntArray, groups: IntArray, n_folds: int) -> list[IntArray]:
    """Return several divisions into folds, of many images one; see :func:`choose_folds`."""
    n = N_DIVISIONS if len(labels) <= FEW else 1
    return [choose_folds(labels, groups, n_folds, division) for division in range(n)]


def choose_folds(labels: IntArray, groups: IntArray, n_folds: int, division: int = 0) -> IntArray:
    """Give each image a fold: large groups first, each to the fold that has the least of its labels.

    Args:
        labels: label indices (images,).
        groups: numbers from 0 (images,); images of one are in one fold.
        n_folds: at least 2.
        division: 0 takes groups and images in their order, any other number in an order of its own.

    Returns:
        int64 (images,), from 0.
    """
    n_labels = int(labels.max()) + 1
    sizes = np.bincount(groups)
    fold_of_group = np.full(len(sizes), -1, np.int64)
    filled = np.zeros((n_folds, n_labels))
    totals = np.maximum(np.bincount(labels, minlength=n_labels), 1)
    order = np.argsort(groups, kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)])
    turned = np.random.default_rng(division).permutation if division else np.asarray
    several = turned(np.flatnonzero(sizes > 1))
    for group in several[np.argsort(-sizes[several], kind="stable")]:
        members = labels[order[starts[group] : starts[group + 1]]]
        counts = np.bincount(members, minlength=n_labels)
        held = np.unique(members)
        # How full a fold is with these labels, then how full it is at all.
        fullness = (filled[:, held] / totals[held] * counts[held]).sum(axis=1)
        fold = int(np.lexsort((filled.sum(axis=1), fullness))[0])
        fold_of_group[group] = fold
        filled[fold] += counts
    folds = fold_of_group[groups]
    for label in range(n_labels):
        singles = turned(np.flatnonzero((folds < 0) & (labels == label)))
        folds[singles] = _level(filled[:, label], len(singles), label)
    return folds


def _level(filled: npt.NDArray[np.float64], n: int, first: int) -> IntArray:
    """Deal ``n`` images one by one to the emptiest fold, in one pass: the folds end as even as they can be."""
    n_folds = len(filled)
    turn = (np.arange(n_folds) - first) % n_folds
    places = np.concatenate([np.arange(n) + filled[fold] for fold in range(n_folds)])
    owner = np.repeat(np.arange(n_folds), n)
    return np.asarray(owner[np.lexsort((turn[owner], places))[:n]], dtype=np.int64)
