"""Train on all images, without the copies, and without the suspects; and split in the wrong order, and in the right.

Two models, as what a copy is worth depends on how much a model memorises; see :mod:`curator.inspect.audit.cost`.

>>> rng = np.random.default_rng(0)
>>> inputs, labels = rng.normal(size=(200, 8)).astype(np.float32), np.arange(200) % 2
>>> inputs[100:] = inputs[:100]  # every image is there twice, and nothing can be learned of it
>>> orders = compare_orders(Pool(inputs, labels, np.arange(200) % 100, 2), labels, np.arange(100), 5)
>>> found = orders["most alike training image"]
>>> found["random split of all"]["mean"] > 0.7, found["curated split"]["mean"] < 0.6, found["inflation"]["low"] > 0.1
(True, True, True)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from curator.benchmark.ablation_words import CURATED, INFLATION, RANDOM
from curator.benchmark.compare import bootstrap_sums, estimate
from curator.inspect.audit.cost import MODELS
from curator.inspect.suspects.folds import choose_folds

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
Figures = npt.NDArray[np.float64]

Guess = Callable[[FloatArray, IntArray, FloatArray, int], IntArray]
"""Given training images and their labels, guesses the labels of others; the last is how many labels there are."""

N_REPEATS = 3
"""Each order divides the images so often, each time otherwise, so that one lucky division does not decide."""


@dataclass(frozen=True)
class Pool:
    """All images that were obtained: ``inputs`` float32 (images, dimensions), ``labels`` as a curated set has them.

    ``groups`` holds a number for each image; those of one group, such as copies, must not be divided.
    """

    inputs: FloatArray
    labels: IntArray
    groups: IntArray
    n_labels: int


def compare_training(
    pool: Pool, test: IntArray, taught: Mapping[str, tuple[IntArray, IntArray]]
) -> dict[str, dict[str, Any]]:
    """Train on each of several sets and test on the same images.

    Args:
        pool: see there.
        test: positions of the test images.
        taught: the positions of the images of each training set, and the labels that they have in it.

    Returns:
        Of each model and training set the ``accuracy``, and the ``gain`` over the one before it and ``gain in all``
        over the first, each ``mean``, ``low`` and ``high`` as shares, by the paired bootstrap over groups.
    """
    found: dict[str, dict[str, Any]] = {}
    groups = pool.groups[test]
    for model, guess in MODELS.items():
        hits: dict[str, Figures] = {}
        for name, (rows, labels) in taught.items():
            said = guess(pool.inputs[rows], labels, pool.inputs[test], pool.n_labels)
            hits[name] = (said == pool.labels[test]).astype(np.float64)
        names = list(hits)
        found[model] = {
            name: {
                "accuracy": estimate(hits[name], groups),
                "gain": estimate(hits[name] - hits[names[place - 1]], groups) if place else None,
                "gain in all": estimate(hits[name] - hits[names[0]], groups) if place else None,
            }
            for place, name in enumerate(names)
        }
    return found


def compare_orders(pool: Pool, raw_labels: IntArray, kept: IntArray, n_folds: int) -> dict[str, dict[str, Any]]:
    """Split all images by chance, as they are; and without copies, whole groups; each image is tested once.

    Args:
        pool: see there.
        raw_labels: the labels that the images had before anybody looked (images,).
        kept: positions of the images that the curated set keeps.
        n_folds: parts, each the test part once.

    Returns:
        Of each model the accuracies of the two orders, and the first less the second, ``inflation``: ``mean``, ``low``
        and ``high`` as shares. A resample of groups is one draw for both.
    """
    every, n = np.arange(len(pool.labels)), len(pool.labels)
    own = np.unique(pool.groups[kept], return_inverse=True)[1]
    found = {}
    for model, guess in MODELS.items():
        random, curated = np.zeros(n), np.zeros(n)
        for seed in range(N_REPEATS):
            apart = _divide(raw_labels, every, n_folds, seed)
            random += _cross_validate(guess, pool, raw_labels, every, apart) / N_REPEATS
            whole = _divide(pool.labels[kept], own, n_folds, seed)
            curated[kept] += _cross_validate(guess, pool, pool.labels, kept, whole) / N_REPEATS
        columns = np.column_stack([random, np.ones(n), curated, np.isin(every, kept)])
        # The first row is the set itself, the others are its resamples.
        sums = np.vstack([columns.sum(axis=0), bootstrap_sums(columns, pool.groups)])
        shares = {RANDOM: sums[:, 0] / sums[:, 1], CURATED: sums[:, 2] / np.maximum(sums[:, 3], 1)}
        shares[INFLATION] = shares[RANDOM] - shares[CURATED]
        found[model] = {name: _figures(values) for name, values in shares.items()}
    return found


def _divide(labels: IntArray, groups: IntArray, n_folds: int, seed: int) -> IntArray:
    """Choose folds of whole groups after putting the images into an order of chance: int64 (images,)."""
    order = np.random.default_rng([seed]).permutation(len(labels))
    folds = np.empty(len(labels), np.int64)
    folds[order] = choose_folds(labels[order], np.unique(groups[order], return_inverse=True)[1], n_folds)
    return folds


def _cross_validate(guess: Guess, pool: Pool, labels: IntArray, rows: IntArray, folds: IntArray) -> Figures:
    """Return which of some images are guessed right, each by what the other folds taught: 0 or 1 (rows,)."""
    right = np.zeros(len(rows))
    for fold in range(int(folds.max()) + 1):
        train, test = rows[folds != fold], rows[folds == fold]
        said = guess(pool.inputs[train], labels[train], pool.inputs[test], pool.n_labels)
        right[folds == fold] = said == labels[test]
    return right


def _figures(values: Figures) -> dict[str, float]:
    low, high = np.quantile(values[1:], [0.025, 0.975])
    return {"mean": float(values[0]), "low": float(low), "high": float(high)}
