"""What the suspects cost: accuracy with them in, dropped, and relabelled as suggested; no test label decides anything.

>>> rng = np.random.default_rng(0)
>>> labels = np.arange(200) % 2
>>> points = (rng.normal(size=(200, 4)) + 3 * labels[:, None]).astype(np.float32)
>>> given = np.where(np.arange(200) < 10, 1 - labels, labels)
>>> found = measure_effect(points, given, np.arange(200), Neighbours.none(200), 2, 5)
>>> found["as they are"]["mean"], found["n_suspects"]
(0.945, 9)
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from curator.inspect.suspects.folds import choose_folds
from curator.inspect.suspects.judge import find_wrong, judge
from curator.inspect.suspects.logistic import fit, predict
from curator.inspect.suspects.neighbours import Neighbours

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

MOST_IMAGES = 4_000
"""Of more, so many are taken evenly: the intervals are then narrow enough."""

PENALTY = 0.3
"""What :data:`curator.inspect.suspects.judge.PENALTIES` end at on photographs with swapped labels."""
WAYS = ("as they are", "dropped", "relabelled")


def measure_effect(
    inputs: FloatArray, labels: IntArray, groups: IntArray, neighbours: Neighbours, n_labels: int, n_folds: int
) -> dict[str, Any]:
    """Train on four fifths, or as many folds as there are, and test on the rest, fold by fold.

    In each fold the suspects among the training images are found by them alone. The test images keep the labels that
    they have, wrong ones too: so no accuracy reaches 1, and only the differences mean something.

    Returns:
        For each of :data:`WAYS` the accuracy and its 95% interval; ``gain`` of both ways over
        the first, paired; ``n_suspects``, of the mean fold; and ``n_images``.
    """
    if len(labels) > MOST_IMAGES:
        chosen = np.linspace(0, len(labels) - 1, MOST_IMAGES).astype(np.int64)
        place = np.full(len(labels) + 1, -1, np.int64)
        place[chosen] = np.arange(len(chosen))
        neighbours = neighbours.only(chosen, place)
        inputs, labels, groups = inputs[chosen], labels[chosen], np.unique(groups[chosen], return_inverse=True)[1]
    outer, inner = choose_folds(labels, groups, n_folds), choose_folds(labels, groups, n_folds + 1)
    correct = {way: np.zeros(len(labels)) for way in WAYS}
    n_suspects = 0
    for fold in range(n_folds):
        train = np.flatnonzero(outer != fold)
        judged = judge(inputs, labels, [inner], neighbours, n_labels, outer != fold, (PENALTY,))
        wrong = find_wrong(judged[train], labels[train])
        n_suspects += int((wrong >= 0).sum())
        for way, (rows, known) in _training_sets(train, labels[train], wrong).items():
            weights = fit(inputs[rows], known, n_labels, PENALTY)
            test = outer == fold
            correct[way][test] = predict(weights, inputs[test]).argmax(axis=1) == labels[test]
    base = correct[WAYS[0]]
    gain = {way: estimate(correct[way] - base, groups) for way in WAYS[1:]}
    mean_suspects = round(n_suspects / max(1, n_folds - 1))  # each image is trained on in all folds but one
    facts = {"n_suspects": mean_suspects, "n_images": len(labels), "gain": gain}
    return {way: estimate(values, groups) for way, values in correct.items()} | facts


def estimate(values: npt.NDArray[np.float64], groups: IntArray) -> dict[str, float]:
    """Estimate a mean with its 95% interval, images of one group counting as one draw.

    The cluster-robust normal interval (Cameron and Miller 2015, https://doi.org/10.3368/jhr.50.2.317).

    >>> estimate(np.array([1.0, 1.0, 0.0, 0.0]), np.array([0, 0, 1, 1]))
    {'mean': 0.5, 'low': -0.193, 'high': 1.193}
    """
    mean = float(values.mean())
    error = float(np.sqrt((np.bincount(groups, weights=values - mean) ** 2).sum())) / len(values)
    return {name: round(mean + times * error, 4) for name, times in (("mean", 0), ("low", -1.96), ("high", 1.96))}


def _training_sets(train: IntArray, labels: IntArray, wrong: IntArray) -> dict[str, tuple[IntArray, IntArray]]:
    """Return the rows and labels to train on in each way; ``wrong`` is the suggested label, -1 if none."""
    kept = wrong < 0
    return {
        WAYS[0]: (train, labels),
        WAYS[1]: (train[kept], labels[kept]),
        WAYS[2]: (train, np.where(kept, labels, wrong)),
    }
