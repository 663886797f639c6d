"""Cross-validation over the folds of train: each is held out once, and the fold is the unit of the interval.

>>> estimate_over_folds([0.8, 0.9, 0.85])
{'mean': 0.85, 'low': 0.7258, 'high': 0.9742}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from curator.benchmark.checkpoints import Checkpoint
from curator.benchmark.images.labelled_images import LabelledImages, Parts, cut_parts
from curator.benchmark.models.learner import accuracy

TrainAll = Callable[[Parts, int], Mapping[str, Checkpoint]]
"""Trains every model on these parts, of which this fold is the test; returns the runs by model."""


def cross_validate(images: LabelledImages, share: float, train_all: TrainAll) -> dict[str, Any] | None:
    """Train every model once for each fold; None if the manifest has no folds.

    Images of test are not touched. val watches the training if each label has images there, else a ``share`` of the
    other folds, as without folds.

    Returns:
        ``n_folds``; of each model its accuracy in each fold, mean and interval; and of each two models the difference.
    """
    accuracies: dict[str, list[float]] = {}
    for fold in range(1, images.n_folds + 1):
        parts = cut_parts(images, share, fold)
        for model, run in train_all(parts, fold).items():
            if run.probabilities is not None:
                reached = float(accuracy(run.probabilities, images.label_index[parts.test]))
                accuracies.setdefault(model, []).append(reached)
    if not accuracies:
        return None
    models = {model: {**estimate_over_folds(values), "folds": values} for model, values in accuracies.items()}
    differences = [
        {"first": first, "second": second, **estimate_over_folds(np.subtract(accuracies[second], accuracies[first]))}
        for first, second in combinations(accuracies, 2)
    ]
    return {"n_folds": images.n_folds, "models": models, "differences": differences}


def estimate_over_folds(values: Sequence[float] | npt.NDArray[np.float64]) -> dict[str, float]:
    """Estimate the ``mean`` over folds, with ``low`` and ``high`` of its 95% interval by Student's t, to 4 digits.

    Each fold counts once. The folds share training images, so that the interval is too narrow rather than too wide:
    no unbiased estimate of the variance exists (Bengio and Grandvalet 2004, https://jmlr.org/papers/v5/grandvalet04a.html).
    """
    mean, n = float(np.mean(values)), len(values)
    reach = float(stats.t.ppf(0.975, n - 1) * np.std(values, ddof=1) / np.sqrt(n))
    return {"mean": round(mean, 4), "low": round(mean - reach, 4), "high": round(mean + reach, 4)}
