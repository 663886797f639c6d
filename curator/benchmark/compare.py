"""Honest figures: intervals that respect groups, tests of paired predictions, and calibration.

>>> mcnemar_p(only_first=10, only_second=2)
0.03857421875
>>> holm([0.01, 0.04, 0.03])
[0.03, 0.06, 0.06]
>>> estimate(np.array([1.0, 1.0, 0.0, 1.0]), np.arange(4))
{'mean': 0.75, 'low': 0.25, 'high': 1.0}
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from curator.benchmark.images.labelled_images import IntArray
from curator.benchmark.models.learner import Probabilities

FloatArray = npt.NDArray[np.float64]

N_RESAMPLES = 5000
_CELLS_AT_ONCE = 4_000_000


def bootstrap_means(values: FloatArray, groups: npt.NDArray[np.generic]) -> FloatArray:
    """Resample whole groups with replacement and take the mean of the images drawn, again and again.

    The cluster bootstrap: images of one group (near-duplicates, one author, one page) are not independent, so an
    interval over single images would be too narrow. Davison and Hinkley 1997, section 3.8.

    Args:
        values: one figure an image, such as 1.0 for correct, shape (images,).
        groups: the group of each image, shape (images,).

    Returns:
        Means of ``N_RESAMPLES`` resamples; the seed is fixed, so that the same predictions produce the same interval.
    """
    columns = np.column_stack([values, np.ones(len(values))])
    sums = bootstrap_sums(columns, groups)
    return sums[:, 0] / sums[:, 1]


def bootstrap_sums(columns: FloatArray, groups: npt.NDArray[np.generic]) -> FloatArray:
    """Resample as :func:`bootstrap_means` does, and sum several figures of the images drawn.

    Args:
        columns: shape (images, figures).
        groups: the group of each image, shape (images,).

    Returns:
        Shape (``N_RESAMPLES``, figures); a row is one draw for all of them, so that what is made of them is paired.
    """
    names, index = np.unique(groups, return_inverse=True)
    sums = np.column_stack([np.bincount(index, weights=column) for column in columns.T])
    rng, share = np.random.default_rng(0), np.full(len(names), 1 / len(names))
    at_once = max(1, _CELLS_AT_ONCE // len(names))
    drawn = (
        rng.multinomial(len(names), share, size=min(at_once, N_RESAMPLES - start))
        for start in range(0, N_RESAMPLES, at_once)
    )
    return np.concatenate([times @ sums for times in drawn])


def estimate(values: FloatArray, groups: npt.NDArray[np.generic], confidence: float = 0.95) -> dict[str, float]:
    """Estimate the ``mean`` of values, with ``low`` and ``high`` by the cluster bootstrap; see :func:`bootstrap_means`.

    A paired comparison is the estimate of the difference of two models' values on the same images.
    """
    tail = (1 - confidence) / 2
    low, high = np.quantile(bootstrap_means(values, groups), [tail, 1 - tail])
    return {"mean": float(values.mean()), "low": float(low), "high": float(high)}


def mcnemar_p(only_first: int, only_second: int) -> float:
    """Return the two-sided p value of McNemar's exact test (McNemar 1947).

    Args:
        only_first: images that only the first model gets right.
        only_second: images that only the second model gets right.
    """
    n, fewer = only_first + only_second, min(only_first, only_second)
    tail = sum(math.comb(n, k) for k in range(fewer + 1))
    return min(1.0, float(2 * tail / 2**n))


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct the p values of several tests by Holm's method (Holm 1979), in the order given.

    Below a level of 0.05, a false claim among all of the tests is then as rare as in one test alone.
    """
    corrected, largest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = largest
    return corrected


def calibration_bins(probabilities: Probabilities, labels: IntArray, n_bins: int = 15) -> list[dict[str, float]]:
    """Sort predictions by confidence into bins of equal width; bins without images are left out.

    Returns:
        For each bin ``n``, mean ``confidence`` and ``accuracy``.
    """
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    index = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    return [
        {
            "n": int((index == number).sum()),
            "confidence": float(confidence[index == number].mean()),
            "accuracy": float(correct[index == number].mean()),
        }
        for number in np.unique(index)
    ]


def expected_calibration_error(probabilities: Probabilities, labels: IntArray) -> float:
    """Mean distance of confidence from accuracy over 15 bins, weighted by images: 0 is perfect.

    Guo and others 2017, https://arxiv.org/abs/1706.04599.
    """
    bins = calibration_bins(probabilities, labels)
    weighted = sum(one["n"] * abs(one["confidence"] - one["accuracy"]) for one in bins)
    return float(weighted / len(labels))
