"""Predict how many images a listing will yield, from those of its addresses that were requested already.

>>> half = Stratum("rugby", "imagenet", n_listed=1000, n_askable=1000, n_tried=50, n_ok=25)
>>> done = Stratum("rugby", "folder", n_listed=10, n_askable=10, n_tried=10, n_ok=9)
>>> total = predict_images([half, done], seed=0)
>>> round(total.expected, -1), round(total.low, -1), round(total.high, -1), total.chance_of(2000)
(510.0, 380.0, 640.0, 0.0)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

LEVEL = 0.95
"""The share of intervals that should hold the truth."""

_DRAWS = 10_000


@dataclass(frozen=True)
class Stratum:
    """What is known of the images of one label and source.

    ``n_listed`` rows, ``n_askable`` of them with an address that can be requested, ``n_tried`` of those requested,
    ``n_ok`` of those good.
    """

    label: str
    source: str
    n_listed: int
    n_askable: int
    n_tried: int
    n_ok: int

    @property
    def n_left(self) -> int:
        """Addresses that were not requested yet."""
        return self.n_askable - self.n_tried


@dataclass(frozen=True)
class Prediction:
    """How many images there will be once all are requested: draws from what is likely, and their middle and ends."""

    n_listed: int
    draws: npt.NDArray[np.int64] = field(repr=False)

    @property
    def expected(self) -> float:
        """The mean."""
        return float(self.draws.mean())

    @property
    def low(self) -> float:
        """The lower end of the interval."""
        return float(np.quantile(self.draws, (1 - LEVEL) / 2))

    @property
    def high(self) -> float:
        """The upper end of the interval."""
        return float(np.quantile(self.draws, (1 + LEVEL) / 2))

    def chance_of(self, n: int) -> float:
        """Return the probability that there will be ``n`` images or more."""
        return float((self.draws >= n).mean())


def predict_images(strata: Sequence[Stratum], seed: int) -> Prediction:
    """Predict the images of some strata together: those obtained, and of those left what the tried ones let expect.

    Each stratum has its own success rate. After ``n_ok`` of ``n_tried`` it is distributed as
    Beta(n_ok + 1/2, n_tried - n_ok + 1/2) (Jeffreys' prior; see Brown, Cai and DasGupta, "Interval estimation for a
    binomial proportion", Statistical Science 16 (2001)), and what is left is drawn with it. Sums of draws combine
    strata of any size, also those of which nothing was tried. A stratum that was requested whole is known exactly.
    """
    rng = np.random.default_rng([seed, len(strata)])
    draws = np.zeros(_DRAWS, np.int64)
    for stratum in strata:
        rates = rng.beta(stratum.n_ok + 0.5, stratum.n_tried - stratum.n_ok + 0.5, _DRAWS)
        draws += stratum.n_ok + rng.binomial(stratum.n_left, rates)
    return Prediction(sum(stratum.n_listed for stratum in strata), draws)
