"""What the leaks are worth: accuracy on all test images, and on those that have no copy on an earlier side.

Two models, as what a leak is worth depends on how much a model memorises: a softmax regression on frozen features,
which hardly does, and the most alike training image, which does nothing else.

>>> rng = np.random.default_rng(0)
>>> inputs, labels = rng.normal(size=(300, 8)).astype(np.float32), np.arange(300) % 2
>>> inputs[200:250] = inputs[:50]  # half of the test images are copies; nothing else can be learned
>>> groups = np.where(np.arange(300) < 250, np.arange(300) % 200, np.arange(300))
>>> side, leaked = np.arange(300) < 200, np.isin(np.arange(300), np.arange(200, 250))
>>> nearest = measure_cost(inputs, labels, side, ~side, leaked, groups, 2)["most alike training image"]
>>> nearest["without"]["mean"], nearest["gain"]["mean"], nearest["gain"]["low"] > 0, nearest["memorised"]["low"] > 0
(0.46, 0.27, True, True)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from curator.benchmark.compare import bootstrap_means
from curator.inspect.suspects.logistic import fit, predict

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Hits = npt.NDArray[np.float64]

PENALTY = 0.1
"""Of a weight's square: see :data:`curator.inspect.suspects.judge.PENALTY_AGAIN`."""

_CELLS_AT_ONCE = 24_000_000


def measure_cost(
    inputs: FloatArray,
    labels: IntArray,
    is_train: BoolArray,
    is_test: BoolArray,
    is_leaked: BoolArray,
    groups: IntArray,
    n_labels: int,
) -> dict[str, Any]:
    """Train on train, test on test, with the leaked test images and without them; and train without their copies.

    Args:
        inputs: float32 (images, dimensions), as :func:`curator.inspect.suspects.principal.principal` returns.
        labels: label indices (images,).
        is_train, is_test, is_leaked: bool (images,).
        groups: copies have one number, and are one draw of the bootstrap (images,).
        n_labels: how many labels there are.

    Returns:
        For each model the accuracy ``with`` and ``without`` the leaked test images, on the ``leaked`` ones alone, and
        on all if their copies are left out of training (``untrained``); ``gain``, what the leaked ones add (with minus
        without), and ``memorised``, what their copies in training do (with minus untrained): each the ``mean`` and its
        95% interval, ``low`` and ``high``, as shares. Empty if there is nothing to train on, or nothing to compare.
    """
    train, test = np.flatnonzero(is_train), np.flatnonzero(is_test)
    leaked = is_leaked[test]
    if not len(train) or not leaked.any() or leaked.all() or len(np.unique(labels[train])) < 2:
        return {}
    apart = train[~np.isin(groups[train], groups[test][leaked])]
    found = {}
    for model, guess in _MODELS.items():
        hits = [
            (guess(inputs[rows], labels[rows], inputs[test], n_labels) == labels[test]).astype(np.float64)
            for rows in (train, apart)
            if len(np.unique(labels[rows])) > 1
        ]
        found[model] = _compare(hits, leaked, groups[test])
    return found


def _regress(inputs: FloatArray, labels: IntArray, asked: FloatArray, n_labels: int) -> IntArray:
    return np.asarray(predict(fit(inputs, labels, n_labels, PENALTY), asked).argmax(axis=1), dtype=np.int64)


def _take_nearest(inputs: FloatArray, labels: IntArray, asked: FloatArray, n_labels: int) -> IntArray:
    """Guess the label of the nearest training image."""
    nearest = np.empty(len(asked), np.int64)
    squares = (inputs**2).sum(axis=1)
    at_once = max(1, _CELLS_AT_ONCE // len(inputs))
    for start in range(0, len(asked), at_once):
        block = asked[start : start + at_once]
        nearest[start : start + len(block)] = (squares - 2 * (block @ inputs.T)).argmin(axis=1)
    return labels[nearest]


_MODELS = {"softmax regression": _regress, "most alike training image": _take_nearest}


def _compare(hits: Sequence[Hits], leaked: BoolArray, groups: IntArray) -> dict[str, dict[str, float]]:
    """Estimate the accuracies and their differences; each resample is one draw for all of them: they are paired.

    Args:
        hits: 1 for each test image that is guessed right, 0 for the others, shape (test images,); and, if there was
            enough to train on without the copies, the same then.
    """
    every, part_leaked = np.ones(len(leaked)), leaked.astype(np.float64)
    parts = {"with": (hits[0], every), "without": (hits[0], every - part_leaked), "leaked": (hits[0], part_leaked)}
    parts |= {"untrained": (hits[1], every)} if len(hits) > 1 else {}
    draws, means = {}, {}
    for name, (right, part) in parts.items():
        n_right, n = (bootstrap_means(values, groups) for values in (right * part, part))
        draws[name] = np.where(n > 0, n_right / np.maximum(n, 1e-12), np.nan)
        means[name] = float((right * part).sum() / part.sum())
    for name, other in (("gain", "without"), ("memorised", "untrained")):
        if other in draws:
            draws[name], means[name] = draws["with"] - draws[other], means["with"] - means[other]
    found = {}
    for name, values in draws.items():
        low, high = np.nanquantile(values, [0.025, 0.975])
        figures = {"mean": means[name], "low": float(low), "high": float(high)}
        found[name] = {key: round(value, 4) for key, value in figures.items()}
    return found
