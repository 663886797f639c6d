"""The power law that test errors follow: ``error = floor + scale * images ** -exponent``.

Hestness and others 2017, https://arxiv.org/abs/1712.00409; for small sets and a frozen base Hoiem and others 2021,
https://proceedings.mlr.press/v139/hoiem21a.html. For an exponent the best floor and scale are a weighted least squares
in closed form; the exponents are tried one by one, which never ends in a local minimum, and costs a bootstrap nothing.

>>> sizes = np.array([10.0, 20.0, 40.0, 80.0, 160.0])
>>> law = fit(sizes, 0.02 + 0.8 * sizes[None] ** -0.5, np.ones(5))
>>> law.floor.round(2).tolist(), law.scale.round(2).tolist(), law.exponent.round(2).tolist()
([0.02], [0.8], [0.5])
>>> law.at(320.0).round(3).tolist(), law.images_for(law.at(320.0)).round().tolist()
([0.065], [320.0])
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

EXPONENTS = np.geomspace(0.05, 2.0, 160)
"""Steeper or flatter curves than these have not been reported of any images."""


@dataclass(frozen=True)
class PowerLaw:
    """Several laws, fitted to as many draws: ``floor``, ``scale``, ``exponent``, each float64 (draws,)."""

    floor: FloatArray
    scale: FloatArray
    exponent: FloatArray

    def at(self, n_images: float) -> FloatArray:
        """Return the error at a number of images: float64 (draws,)."""
        return np.asarray(self.floor + self.scale * n_images**-self.exponent)

    def images_for(self, error: FloatArray) -> FloatArray:
        """Return the images that an error takes: float64 (draws,); infinity where the curve never falls so low."""
        above = error - self.floor
        reachable = (above > 0) & (self.scale > 0)
        ratio = np.where(reachable, self.scale / np.where(reachable, above, 1), 1)
        with np.errstate(over="ignore"):
            return np.where(reachable, ratio ** (1 / self.exponent), np.inf)


def fit(sizes: FloatArray, errors: FloatArray, weights: FloatArray) -> PowerLaw:
    """Fit a law to each draw by weighted least squares; floor and scale are never negative.

    Args:
        sizes: images, shape (sizes,); at least three different ones.
        errors: shares of test images, shape (draws, sizes).
        weights: one over the variance of the errors of a size, shape (sizes,).
    """
    weights = weights / weights.sum()
    best = np.full(len(errors), np.inf)
    found = np.zeros((3, len(errors)))
    means = errors @ weights
    for exponent in EXPONENTS:
        column = (sizes / sizes.max()) ** -exponent
        centred = column - column @ weights
        scale = np.maximum(errors @ (weights * centred) / (weights @ centred**2), 0)
        floor = means - scale * (column @ weights)
        below = floor < 0
        scale = np.where(below, errors @ (weights * column) / (weights @ column**2), scale)
        floor = np.where(below, 0.0, floor)
        loss = (errors - floor[:, None] - scale[:, None] * column) ** 2 @ weights
        better = loss < best
        best = np.where(better, loss, best)
        found = np.where(better, [floor, scale * sizes.max() ** exponent, np.full(len(errors), exponent)], found)
    return PowerLaw(*found)
