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

from curator.benchmark.compare import bootstrap_sums
from curator.inspect.suspects.logistic import fit, predict

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Figures = npt.NDArray[np.float64]

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
        inputs: float32 (images, dimensions), as :func:`curator.inspect.suspects.principal.judged_by` returns.
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
    taught = [rows for rows in (train, apart) if len(np.unique(labels[rows])) > 1]
    hits = [
        [guess(inputs[rows], labels[rows], inputs[test], n_labels) == labels[test] for rows in taught]
        for guess in MODELS.values()
    ]
    return dict(zip(MODELS, _compare(hits, leaked, groups[test]), strict=True))


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


MODELS = {"softmax regression": _regress, "most alike training image": _take_nearest}


def _compare(hits: Sequence[Sequence[BoolArray]], leaked: BoolArray, groups: IntArray) -> list[dict[str, Any]]:
    """Estimate accuracies and differences, each resample one draw for all of them: the differences are paired.

    Args:
        hits: for each model which test images it guesses right, bool (test images,); and, if there was enough to train
            on without the copies, the same then.
    """
    every, parts = np.ones(len(leaked)), {"with": ~leaked | leaked, "without": ~leaked, "leaked": leaked}
    columns = [np.column_stack([part * 1.0 for part in parts.values()])]
    for right, *others in hits:
        columns += [np.column_stack([right * part * 1.0 for part in parts.values()] + [one * every for one in others])]
    table = np.column_stack(columns)
    # The first row is the set itself, the others are its resamples.
    sums = np.vstack([table.sum(axis=0), bootstrap_sums(table, groups)])
    n_parts, at = np.where(sums[:, :3] > 0, sums[:, :3], np.nan), 3
    found = []
    for model in hits:
        draws = dict(zip(parts, (sums[:, at : at + 3] / n_parts).T, strict=True))
        draws["gain"] = draws["with"] - draws["without"]
        if len(model) > 1:
            draws["untrained"] = sums[:, at + 3] / n_parts[:, 0]
            draws["memorised"] = draws["with"] - draws["untrained"]
        at += 2 + len(model)
        found.append({name: _figures(values) for name, values in draws.items()})
    return found


def _figures(values: Figures) -> dict[str, float]:
    low, high = np.nanquantile(values[1:], [0.025, 0.975])
    return {name: round(float(value), 4) for name, value in (("mean", values[0]), ("low", low), ("high", high))}
