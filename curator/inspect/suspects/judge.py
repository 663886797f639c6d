"""Which labels are probably wrong: each image judged by a model that has seen neither it nor anything of its group.

Two judges agree on a probability of each label: a softmax regression on the features of the other folds, and the labels
of the image's neighbours. Which probability makes a label wrong is learned from the set itself, label by label, as
confident learning does (Northcutt and others 2021, https://doi.org/10.1613/jair.1.12125); compared with cleanlab in
docs/decisions/0016-suspects.md. Then all are judged again without the labels that seemed wrong, as these had had a say;
few images again and again. The regression's probabilities are the means over several divisions into folds.

>>> probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.05, 0.95]], np.float32)
>>> find_wrong(probabilities, np.array([0, 0, 1, 1, 0])).tolist()
[-1, -1, -1, -1, 1]
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from curator.inspect.suspects.logistic import fit, predict
from curator.inspect.suspects.neighbours import Neighbours

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

PENALTIES = (3.0, 1.0, 0.3, 0.1, 0.03)
"""The one that predicts the other folds' labels best is taken."""

PENALTY_AGAIN = 0.1
"""Of each later judgement: weaker than what noise makes the first one take, as most of the noise is gone."""

NEIGHBOURS_WEIGHT = 1 / 10
"""Of the neighbours' vote in the probability: on photographs with confusable labels swapped, 1/5 finds fewer."""

THOROUGH_ROUNDS, ROUNDS = 4, 2
"""Judgements of images that are divided into folds several times, and of others: each costs time."""


def predict_out_of_fold(
    inputs: FloatArray,
    labels: IntArray,
    folds: IntArray,
    n_labels: int,
    trained: BoolArray,
    penalties: Sequence[float] = PENALTIES,
) -> FloatArray:
    """Predict each image with a softmax regression that was trained on the other folds.

    Args:
        inputs: float32 (images, dimensions).
        labels: label indices (images,).
        folds: see :func:`curator.inspect.suspects.folds.choose_folds`.
        n_labels: outputs.
        trained: the images that may be trained on, bool (images,).
        penalties: to choose from.

    Returns:
        Probabilities, float32 (images, labels).
    """
    best: FloatArray = np.empty(0, np.float32)
    least = np.inf
    fits = [None] * (int(folds.max()) + 1)
    for penalty in penalties:
        found = np.zeros((len(labels), n_labels), np.float32)
        for fold in range(len(fits)):
            known = (folds != fold) & trained
            fits[fold] = fit(inputs[known], labels[known], n_labels, penalty, fits[fold])  # type: ignore[call-overload]
            found[folds == fold] = predict(fits[fold], inputs[folds == fold])  # type: ignore[arg-type]
        loss = float(-np.log(np.maximum(found[np.arange(len(labels)), labels][trained], 1e-9)).mean())
        if loss >= least:
            break
        best, least = found, loss
    return best


def vote(neighbours: Neighbours, labels: IntArray, n_labels: int) -> FloatArray:
    """Return the shares of the labels among each image's neighbours: float32 (images, labels); zeros if it has none."""
    known = neighbours.index >= 0
    votes = np.zeros((len(labels), n_labels), np.float32)
    rows, places = np.nonzero(known)
    np.add.at(votes, (rows, labels[neighbours.index[rows, places]]), 1)
    return np.asarray(votes / np.maximum(known.sum(axis=1, keepdims=True), 1), dtype=np.float32)


def judge(
    inputs: FloatArray,
    labels: IntArray,
    divisions: Sequence[IntArray],
    neighbours: Neighbours,
    n_labels: int,
    trained: BoolArray | None = None,
    penalties: Sequence[float] = PENALTIES,
) -> FloatArray:
    """Judge several times, each time by those images alone whose labels seemed right the time before.

    Args:
        inputs: float32 (images, dimensions).
        labels: label indices (images,).
        divisions: into folds, see :func:`curator.inspect.suspects.folds.divide_anew`.
        neighbours: who votes.
        n_labels: outputs.
        trained: the images that may decide anything, bool (images,); None: all.
        penalties: of the first judgement.

    Returns:
        The probabilities of the labels of each image, by both judges: float32 (images, labels).
    """

    def ask(trained: BoolArray, penalties: Sequence[float]) -> FloatArray:
        predicted = [predict_out_of_fold(inputs, labels, one, n_labels, trained, penalties) for one in divisions]
        return combine(np.mean(predicted, axis=0), neighbours.among(trained), labels)

    rows = np.flatnonzero(np.ones(len(labels), bool) if trained is None else trained)
    n = np.bincount(labels[rows], minlength=n_labels)
    used = np.isin(np.arange(len(labels)), rows)
    found = ask(used, penalties)
    for _ in range(1, THOROUGH_ROUNDS if len(divisions) > 1 else ROUNDS):
        is_right = find_wrong(found[rows], labels[rows]) < 0
        n_right = np.bincount(labels[rows[is_right]], minlength=n_labels)
        # Of a label that seems wrong on most of its images, the set says too little to leave any of them out.
        used = np.isin(np.arange(len(labels)), rows[is_right | (2 * n_right < n)[labels[rows]]])
        found = ask(used, (PENALTY_AGAIN,))
    return found


def combine(probabilities: FloatArray, neighbours: Neighbours, labels: IntArray) -> FloatArray:
    """Let the neighbours vote on probabilities, where an image has any."""
    votes = vote(neighbours, labels, probabilities.shape[1])
    has_neighbours = votes.any(axis=1, keepdims=True)
    weight = np.where(has_neighbours, np.float32(NEIGHBOURS_WEIGHT), np.float32(0))
    return np.asarray(probabilities * (1 - weight) + votes * weight, dtype=np.float32)


def suspicion(probabilities: FloatArray, labels: IntArray) -> FloatArray:
    """Return how much likelier the likeliest other label is than the own: float32 (images,), 0 to 1; 0.5: as likely."""
    own, other = _own_and_other(probabilities, labels)
    return np.asarray(other / np.maximum(own + other, 1e-12), dtype=np.float32)


def likeliest_other(probabilities: FloatArray, labels: IntArray) -> IntArray:
    """Return the likeliest label besides the own: int64 (images,)."""
    others = probabilities.copy()
    others[np.arange(len(labels)), labels] = -1
    return np.asarray(others.argmax(axis=1), dtype=np.int64)


def _own_and_other(probabilities: FloatArray, labels: IntArray) -> tuple[FloatArray, FloatArray]:
    rows = np.arange(len(labels))
    return probabilities[rows, labels], probabilities[rows, likeliest_other(probabilities, labels)]


def find_wrong(probabilities: FloatArray, labels: IntArray) -> IntArray:
    """Find the labels that are probably wrong: the label that each such image should have; -1: its own is plausible.

    A label is likely where its probability is at least its mean over the images that bear it. An image of which another
    label is likely, and likelier than its own, is probably wrong.
    """
    n_labels = probabilities.shape[1]
    sums = np.bincount(labels, weights=probabilities[np.arange(len(labels)), labels], minlength=n_labels)
    usual = sums / np.maximum(np.bincount(labels, minlength=n_labels), 1)
    likely = np.where(probabilities >= usual, probabilities, -1)
    best = likely.argmax(axis=1)
    own, _ = _own_and_other(probabilities, labels)
    wrong = (likely.max(axis=1) > own) & (best != labels)
    return np.where(wrong, best, -1)
