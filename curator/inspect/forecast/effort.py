"""Estimate what a fetch will cost: requests, bytes and time, from what the addresses requested so far have cost.

>>> per_host = pd.DataFrame({"requests": [800.0, 40.0], "seconds": [2.0, 1.0]}, index=["slow.example", "b.example"])
>>> needed_time(per_host, FetchSettings(connections=64, per_host=8), bulk={})
(200.0, 'slow.example')
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from curator.manifests.recipe import FetchSettings


@dataclass(frozen=True)
class Effort:
    """What is to be expected; ``slowest`` is the host that the time depends on, or empty if all share it."""

    n_requests: int = 0
    n_bytes: float = 0.0
    seconds: float = 0.0
    slowest: str = ""


def estimate_effort(
    tried: pd.DataFrame, left: pd.DataFrame, settings: FetchSettings, bulk: Mapping[str, int]
) -> Effort:
    """Estimate the effort of requesting what is left.

    Args:
        tried: one row an image that was requested: ``host``, ``stratum``, ``seconds``, ``n_bytes``.
        left: one row an image that was not: ``host``, ``stratum``, and ``share``, how likely it will be requested.
        settings, bulk: see :func:`needed_time`.

    Returns:
        Seconds are the mean of the host's if it had a request at all, else of all; bytes those of the stratum.
    """
    if not len(tried) or not len(left):
        return Effort(n_requests=round(float(left["share"].sum())))
    n_bytes = left["stratum"].map(tried.groupby("stratum")["n_bytes"].mean()).fillna(tried["n_bytes"].mean())
    per_host = left.groupby("host")["share"].sum().to_frame("requests")
    per_host["seconds"] = tried.groupby("host")["seconds"].mean().reindex(per_host.index)
    seconds, slowest = needed_time(per_host.fillna({"seconds": tried["seconds"].mean()}), settings, bulk)
    return Effort(round(float(left["share"].sum())), float((n_bytes * left["share"]).sum()), seconds, slowest)


def needed_time(per_host: pd.DataFrame, settings: FetchSettings, bulk: Mapping[str, int]) -> tuple[float, str]:
    """Return the seconds that the busiest host needs, and its name; or, if that is more, that all need together.

    Args:
        per_host: ``requests`` and ``seconds`` a request, by host.
        settings: how many requests may be in flight, in all and a host; by Little's law they take ``seconds`` each.
        bulk: host to requests in flight, of the hosts that allow more.
    """
    work = per_host["requests"] * per_host["seconds"]
    at_once = [bulk.get(str(host), settings.per_host) for host in per_host.index]
    alone = (work / at_once).clip(lower=per_host["requests"] * settings.delay_s)
    together = float(work.sum()) / settings.connections
    return (float(alone.max()), str(alone.idxmax())) if float(alone.max()) > together else (together, "")
