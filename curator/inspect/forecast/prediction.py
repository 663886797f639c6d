"""Predict how many images a listing will yield, and at what cost, from the addresses that were requested already.

>>> half = Stratum("rugby", "imagenet", n_listed=1000, n_requestable=1000, n_tried=50, n_ok=25)
>>> done = Stratum("rugby", "folder", n_listed=10, n_requestable=10, n_tried=10, n_ok=9)
>>> total = predict_images([half, done], seed=0)
>>> round(total.expected, -1), round(total.low, -1), round(total.high, -1), total.chance_of(2000)
(510.0, 380.0, 640.0, 0.0)
>>> per_host = pd.DataFrame({"requests": [800.0, 40.0], "seconds": [2.0, 1.0]}, index=["slow.example", "b.example"])
>>> needed_time(per_host, FetchSettings(connections=64, per_host=8), limits={})
(200.0, 'slow.example')
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from curator.manifests.settings import FetchSettings

LEVEL = 0.95
"""The share of intervals that should hold the truth."""

_DRAWS = 10_000


@dataclass(frozen=True)
class Stratum:
    """What is known of the images of one label and source.

    ``n_listed`` rows, ``n_requestable`` of them with an address that can be requested, ``n_tried`` of those requested,
    ``n_ok`` of those good.
    """

    label: str
    source: str
    n_listed: int
    n_requestable: int
    n_tried: int
    n_ok: int

    @property
    def n_left(self) -> int:
        """Addresses that were not requested yet."""
        return self.n_requestable - self.n_tried


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


@dataclass(frozen=True)
class Effort:
    """What is to be expected; ``slowest`` is the host that the time depends on, or empty if all share it."""

    n_requests: int = 0
    n_bytes: float = 0.0
    seconds: float = 0.0
    slowest: str = ""


def estimate_effort(
    tried: pd.DataFrame, left: pd.DataFrame, settings: FetchSettings, limits: Mapping[str, int]
) -> Effort:
    """Estimate the effort of requesting what is left.

    Args:
        tried: one row an image that was requested: ``host``, ``stratum``, ``seconds``, ``n_bytes``.
        left: one row an image that was not: ``host``, ``stratum``, and ``share``, how likely it will be requested.
        settings, limits: see :func:`needed_time`.

    Returns:
        Seconds are the mean of the host's if it had a request at all, else of all; bytes those of the stratum.
    """
    if not len(tried) or not len(left):
        return Effort(n_requests=round(float(left["share"].sum())))
    n_bytes = left["stratum"].map(tried.groupby("stratum")["n_bytes"].mean()).fillna(tried["n_bytes"].mean())
    per_host = left.groupby("host")["share"].sum().to_frame("requests")
    per_host["seconds"] = tried.groupby("host")["seconds"].mean().reindex(per_host.index)
    seconds, slowest = needed_time(per_host.fillna({"seconds": tried["seconds"].mean()}), settings, limits)
    return Effort(round(float(left["share"].sum())), float((n_bytes * left["share"]).sum()), seconds, slowest)


def needed_time(per_host: pd.DataFrame, settings: FetchSettings, limits: Mapping[str, int]) -> tuple[float, str]:
    """Return the seconds that the busiest host needs, and its name; or, if that is more, that all need together.

    Args:
        per_host: ``requests`` and ``seconds`` a request, by host.
        settings: how many requests may be in flight, in all and a host; by Little's law they take ``seconds`` each.
        limits: host to requests in flight, of the hosts that allow more, or fewer.
    """
    work = per_host["requests"] * per_host["seconds"]
    at_once = [limits.get(str(host), settings.per_host) for host in per_host.index]
    alone = (work / at_once).clip(lower=per_host["requests"] * settings.delay_s)
    together = float(work.sum()) / settings.connections
    return (float(alone.max()), str(alone.idxmax())) if float(alone.max()) > together else (together, "")
