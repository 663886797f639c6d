"""From the errors of many trainings to a fitted curve, what more images would bring, and how sure that is.

A draw of the bootstrap takes seeds and groups of test images by chance, the same ones at every size: what the errors at
two sizes share is no doubt about how the curve falls.

>>> rng = np.random.default_rng(0)
>>> sizes = np.array([10.0, 20.0, 40.0, 80.0, 160.0, 320.0])
>>> errors = rng.random((6, 5, 300)) < (0.02 + 0.8 * sizes**-0.5)[:, None, None]
>>> curve = fit_curve(sizes, errors, np.arange(300))
>>> found = curve.gain_at(640.0)
>>> found["low"] < 0.4 * (320**-0.5 - 640**-0.5) * 2 < found["high"]
True
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from curator.benchmark.curve.power_law import FloatArray, PowerLaw, fit

N_DRAWS = 2000
_CELLS_AT_ONCE = 4_000_000
POINT = 0.01


@dataclass(frozen=True)
class Curve:
    """The mean ``errors`` at ``sizes``, those of each draw (draws, sizes), and the laws fitted: the first to the means.

    ``sizes`` counts images a label.
    """

    sizes: FloatArray
    errors: FloatArray
    draws: FloatArray
    law: PowerLaw

    def measured(self, place: int) -> dict[str, float]:
        """Return the share of right answers that was measured at a size, by its place, with its 95% interval."""
        return _interval(1 - np.append(self.errors[place], self.draws[:, place]), 0.95)

    def accuracy_at(self, n_images: float) -> dict[str, float]:
        """Return the share of right answers that the law states for a size, with its 95% interval."""
        return _interval(1 - self.law.at(n_images), 0.95)

    def gain_at(self, n_images: float, confidence: float = 0.95) -> dict[str, float]:
        """Return by how much the curve falls from its largest size to another: ``mean``, ``low``, ``high``, shares."""
        gains = self.law.at(float(self.sizes[-1])) - self.law.at(n_images)
        return _interval(gains, confidence)

    def images_for_point(self) -> dict[str, float]:
        """Return the further images a label that a point less of error takes; infinity where the curve is too flat."""
        last = float(self.sizes[-1])
        return _interval(self.law.images_for(self.law.at(last) - POINT) - last, 0.95)

    def parameters(self) -> dict[str, dict[str, float]]:
        """Return the law's ``floor``, ``scale`` and ``exponent``, each with its 95% interval."""
        return {name: _interval(getattr(self.law, name), 0.95) for name in ("floor", "scale", "exponent")}

    def predict_measured(self, n_images: float, confidence: float = 0.9) -> dict[str, float]:
        """Predict the error that would be measured on these very test images with more images to train on.

        Besides the doubt about the law, a measured error has chance of its own: as much as the last doubling had.
        """
        last = float(self.sizes[-1])
        before = int(np.abs(np.log(self.sizes / last * 2)).argmin())
        steps = self.draws[:, -1] - self.draws[:, before]
        chance = np.random.default_rng(0).permutation(steps - steps.mean())
        at_last = self.law.at(last)
        values = at_last[0] - (at_last - self.law.at(n_images)) + np.concatenate([[0.0], chance])
        return _interval(np.clip(values, 0, 1), confidence)


def fit_curve(sizes: FloatArray, errors: npt.NDArray[np.bool_], groups: npt.NDArray[Any]) -> Curve:
    """Fit the law to the mean errors, and to each draw of a bootstrap over seeds and groups of test images.

    Args:
        sizes: images a label, ascending (sizes,).
        errors: which test images each training gets wrong, bool (sizes, seeds, test images).
        groups: the group of each test image (test images,).
    """
    means, n_test = errors.mean(axis=(1, 2)), errors.shape[2]
    smooth = (means * n_test + 1) / (n_test + 2)  # a size without an error is not known without doubt
    draws = _draw_means(errors, groups)
    law = fit(sizes, np.vstack([means, draws]), 1 / (smooth * (1 - smooth)))
    return Curve(sizes, means, draws, law)


def check_held_out(sizes: FloatArray, errors: npt.NDArray[np.bool_], groups: npt.NDArray[Any]) -> dict[str, Any]:
    """Fit the sizes up to half of the largest and predict the error at the largest: as if the rest had not come yet.

    Returns:
        ``size`` of the largest part that was fitted, ``predicted`` with its 90% interval, ``measured``, and whether the
        interval holds it (``is_inside``). Empty if fewer than four sizes are that small.
    """
    known = int((sizes <= 0.55 * sizes[-1]).sum())
    if known < 4:
        return {}
    predicted = fit_curve(sizes[:known], errors[:known], groups).predict_measured(float(sizes[-1]))
    measured = float(errors[-1].mean())
    inside = predicted["low"] - 1e-9 <= measured <= predicted["high"] + 1e-9
    return {"size": float(sizes[known - 1]), "predicted": predicted, "measured": measured, "is_inside": inside}


def _draw_means(errors: npt.NDArray[np.bool_], groups: npt.NDArray[Any]) -> FloatArray:
    """Resample seeds and groups with replacement, the same at every size: mean errors, float64 (draws, sizes)."""
    n_sizes, n_seeds, _ = errors.shape
    names, index = np.unique(groups, return_inverse=True)
    counts = np.bincount(index).astype(np.float64)
    wrong = np.array([[np.bincount(index, one, len(names)) for one in size] for size in errors])
    rng, at_once = np.random.default_rng(0), max(1, _CELLS_AT_ONCE // len(names))
    found = np.empty((N_DRAWS, n_sizes))
    for start in range(0, N_DRAWS, at_once):
        n = min(at_once, N_DRAWS - start)
        seeds = rng.multinomial(n_seeds, np.full(n_seeds, 1 / n_seeds), size=n) / n_seeds
        times = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=n).astype(np.float64)
        total = times @ counts
        for size in range(n_sizes):
            found[start : start + n, size] = (seeds @ wrong[size] * times).sum(axis=1) / total
    return found


def _interval(values: FloatArray, confidence: float) -> dict[str, float]:
    """Return the first value as the ``mean``, and the quantiles of the others; infinities are ordered like numbers."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(values[1:], [tail, 1 - tail], method="inverted_cdf")
    return {"mean": float(values[0]), "low": float(low), "high": float(high)}
