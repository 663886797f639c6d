"""How each host did, and what to do about it.

Hosts of one family (:mod:`curator.addresses`) count as one: what Flickr does to one name it does to all.

>>> import tempfile
>>> paths = DataPaths(Path(tempfile.mkdtemp()), Path(), "balls")
>>> with Ledger(paths.attempts) as ledger:
...     ledger.record([Attempt(f"http://h.example/{n}", "h.example", 0.0, 0.1, "gone", 404) for n in range(4)], [])
>>> report = host_report(paths)
>>> print(*report.loc[0, ["host", "tried", "ok", "gone", "advice"]])
h.example 4 0 4 link rot: these images are no more
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path as Path
from typing import TYPE_CHECKING

from curator.addresses import host_family
from curator.fetch.ledger.ledger import Ledger
from curator.fetch.ledger.schema import OK
from curator.fetch.ledger.schema import Attempt as Attempt
from curator.reasons import Drop, HostAdvice
from curator.store.paths import DataPaths
from curator.text import Command, Text

if TYPE_CHECKING:
    import pandas as pd


def host_report(paths: DataPaths) -> pd.DataFrame:
    """Count per host how its images came out, those with most failures first.

    Returns:
        One row a family of hosts: ``host`` (its name), ``tried`` (images), ``ok``, a column for each reason why others
        are out, ``names`` (hosts of the family that were contacted), ``requests``, ``n_bytes`` received,
        ``median_seconds`` a request, and ``advice`` if more than a tenth failed.
    """
    import pandas as pd

    with Ledger(paths.attempts, to_read=True) as ledger:
        families = {host: _family(host) for host in ledger.hosts()}
        outcomes = pd.DataFrame(ledger.family_outcomes(families), columns=["host", "outcome", "n"])
        costs = pd.DataFrame(
            ledger.family_costs(families), columns=["host", "names", "requests", "n_bytes", "median_seconds"]
        )
        waits = {_family(wait.host): wait for wait in ledger.notes(time.time()).waits}
    counts = outcomes.pivot_table("n", "host", "outcome", aggfunc="sum", fill_value=0).astype("int64")
    reasons = failure_columns(counts)
    ok = counts[OK] if OK in counts.columns else pd.Series(0, index=counts.index)
    report = pd.DataFrame({"tried": counts.sum(axis=1).astype("int64"), "ok": ok}).join(counts[reasons])
    report = report.join(costs.set_index("host"))
    rows: list[list[int]] = report[[*reasons, "tried"]].to_numpy().tolist()
    advice = [advise(dict(zip(reasons, row, strict=True)), n) for *row, n in rows]
    report["advice"] = pd.Series(advice, index=report.index, dtype=object)
    for name in waits.keys() & set(report.index):
        until = f"{datetime.fromtimestamp(waits[name].not_before, UTC):%Y-%m-%d %H:%M} UTC"
        report.loc[name, "advice"] = f"throttled: it asked to be left alone until {until}, then --retry failed"
    report = report.rename_axis("host").reset_index()
    order = report.assign(failed=report["tried"] - report["ok"]).sort_values(
        ["failed", "tried", "host"], ascending=[False, False, True], ignore_index=True
    )
    return order.drop(columns="failed")


def has_poor_host(paths: DataPaths) -> bool:
    """Return whether more than half of the images of any host failed; :func:`host_report` says of which."""
    failed = Counter[str]()
    with Ledger(paths.attempts, to_read=True) as ledger:
        families = {host: _family(host) for host in ledger.hosts()}
        for family, outcome, n in ledger.family_outcomes(families):
            failed[family] += -n if outcome == OK else n
    return any(n > 0 for n in failed.values())


def _family(host: str) -> str:
    """Name the family of a host; one with a port of its own is its own family."""
    return host if ":" in host else host_family(host)


def failure_columns(report: pd.DataFrame) -> list[str]:
    """Name the columns of a report that count failures, in the order of the reasons."""
    return [str(reason) for reason in Drop if reason in report.columns]


def advise(failures: Mapping[str, int], tried: int) -> Text:
    """Say what to do about a host, in one clause, if more than a tenth of its images failed; else nothing.

    >>> advise({"rate-limited": 6, "gone": 1}, tried=10)
    'throttled: lower per_host or set delay_s, then --retry failed'
    >>> advise({"dns": 6}, tried=10).partition(":")[0], advise({"gone": 1}, tried=10)
    ('DNS trouble here', '')
    """
    n_failed = sum(failures.values())
    if n_failed <= 0.1 * tried:
        return ""
    shares = dict.fromkeys(HostAdvice, 0)
    for reason, n in failures.items():
        if advice := Drop(reason).traits.advice:
            shares[advice] += n
    most = max(shares, key=lambda advice: shares[advice])
    if shares[most] and shares[most] == shares[HostAdvice.UNRESOLVED] and n_failed < tried:
        return "DNS trouble here: the name resolved at times; mend it, then --retry failed"
    return str(most) if shares[most] else ("look at single images: see ", Command("why --help"))


def suspect_own_dns(report: pd.DataFrame) -> Text:
    """Say so if more than half of four or more hosts do not resolve: the trouble is more likely here; else nothing.

    >>> import pandas as pd
    >>> suspect_own_dns(pd.DataFrame({"host": list("abcd"), "dns": [1, 2, 3, 0]}))[0]
    'DNS trouble: 3 of 4 hosts did not resolve. Mend the DNS of this machine, then '
    """
    n, n_unresolved = len(report), int((report["dns"] > 0).sum()) if Drop.DNS in report.columns else 0
    if n < 4 or n_unresolved <= n / 2:
        return ""
    trouble = f"DNS trouble: {n_unresolved:,} of {n:,} hosts did not resolve. Mend the DNS of this machine, then "
    return (trouble, Command("fetch --retry failed"), ".")
