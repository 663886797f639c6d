"""Estimate what a fetch will cost: requests, bytes and time, from what the addresses asked so far have cost.

>>> limits = Limits(connections=64, per_host=8, delay_s=0.0, bulk={})
>>> per_host = pd.DataFrame({"requests": [800.0, 40.0], "seconds": [2.0, 1.0]}, index=["slow.example", "b.example"])
>>> needed_time(per_host, limits)
(200.0, 'slow.example')
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from curator.manifests.recipe import FetchSettings


@dataclass(frozen=True)
class Limits:
    """How many requests may be in flight, in all and a host, and how far apart; ``bulk`` hosts allow more."""

    connections: int
    per_host: int
    delay_s: float
    bulk: Mapping[str, int]

    @classmethod
    def of(cls, settings: FetchSettings, bulk: Mapping[str, int]) -> Limits:
        """Take them from a recipe's ``[fetch]``."""
        return cls(settings.connections, settings.per_host, settings.delay_s, bulk)


@dataclass(frozen=True)
class Effort:
    """What is to be expected; ``slowest`` is the host that the time depends on, or nothing where all share it."""

    n_requests: int = 0
    n_bytes: float = 0.0
    seconds: float = 0.0
    slowest: str = ""


def estimate_effort(tried: pd.DataFrame, left: pd.DataFrame, limits: Limits) -> Effort:
    """Estimate the effort of asking for what is left.

    Args:
        tried: one row an image that was asked for: ``host``, ``stratum``, ``seconds``, ``n_bytes``.
        left: one row an image that was not: ``host``, ``stratum``, and ``share``, how likely it will be asked for.
        limits: what the fetch keeps to.

    Returns:
        Seconds are the mean of the host's, where it was asked at all, else of all; bytes those of the stratum.
    """
    if not len(tried) or not len(left):
        return Effort(n_requests=round(float(left["share"].sum())))
    n_bytes = left["stratum"].map(tried.groupby("stratum")["n_bytes"].mean()).fillna(tried["n_bytes"].mean())
    per_host = left.groupby("host")["share"].sum().to_frame("requests")
    per_host["seconds"] = tried.groupby("host")["seconds"].mean().reindex(per_host.index)
    seconds, slowest = needed_time(per_host.fillna({"seconds": tried["seconds"].mean()}), limits)
    return Effort(round(float(left["share"].sum())), float((n_bytes * left["share"]).sum()), seconds, slowest)


def needed_time(per_host: pd.DataFrame, limits: Limits) -> tuple[float, str]:
    """Give the seconds that the busiest host needs, and its name; or, where that is more, that all need together.

    Args:
        per_host: ``requests`` and ``seconds`` a request, by host.
        limits: see :class:`Limits`. By Little's law, so many requests in flight take ``seconds`` each.
    """
    work = per_host["requests"] * per_host["seconds"]
    at_once = [limits.bulk.get(str(host), limits.per_host) for host in per_host.index]
    alone = (work / at_once).clip(lower=per_host["requests"] * limits.delay_s)
    together = float(work.sum()) / limits.connections
    return (float(alone.max()), str(alone.idxmax())) if float(alone.max()) > together else (together, "")
