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

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path as Path

import pandas as pd

from curator.addresses import host_family
from curator.fetch.ledger.ledger import OK, Ledger
from curator.fetch.ledger.ledger import Attempt as Attempt
from curator.fetch.politeness.host_notes import HostWait, read_notes
from curator.reasons import Drop
from curator.store.paths import DataPaths
from curator.text import Command, Text

_ADVICE: tuple[tuple[frozenset[Drop], str], ...] = (
    (frozenset({Drop.RATE_LIMITED}), "throttled: lower per_host or set delay_s, then --retry failed"),
    (frozenset({Drop.FORBIDDEN}), "blocked: the host refuses this program; set contact and ask its owner"),
    (frozenset({Drop.DNS}), "the name does not resolve: the host is no more, or DNS has trouble here"),
    (
        frozenset({Drop.TIMEOUT, Drop.RESET, Drop.REFUSED, Drop.INCOMPLETE, Drop.SERVER_ERROR}),
        "down or overloaded: --retry failed another day, or a higher timeout_s",
    ),
    (frozenset({Drop.GONE, Drop.HTTP_ERROR}), "link rot: these images are no more"),
    (
        frozenset({Drop.NOT_AN_IMAGE, Drop.PLACEHOLDER, Drop.EMPTY, Drop.REDIRECT_LOOP}),
        "link rot in disguise: the host answers, but with pages or placeholders",
    ),
    (frozenset({Drop.TLS}), "its certificate is not valid: nothing to be done from here"),
    (frozenset({Drop.OPTED_OUT}), "the host wants no use for AI: leave it be"),
    (frozenset({Drop.ROBOTS_DISALLOWED}), "its robots.txt disallows these: leave them be"),
    (frozenset({Drop.PRIVATE_ADDRESS}), "an address of a private network: allow_private_hosts if it is yours"),
    (frozenset({Drop.TOO_MANY_BYTES}), "its files are larger than max_bytes"),
)
_ENOUGH = 0.1
_DNS_HERE = "DNS trouble here: the name resolved at times; mend it, then --retry failed"
_MOST_UNRESOLVED, _LEAST_HOSTS = 0.5, 4

# CROSS JOIN keeps SQLite from going through all attempts once for each host: it takes its tables in the order given.
_FAMILIES = "WITH families AS MATERIALIZED (SELECT key AS host, value AS family FROM json_each(?))"
_OUTCOMES = f"""
{_FAMILIES} SELECT family, coalesce(o.flaw, a.outcome), count(*)
FROM attempts AS a CROSS JOIN families USING (host)
LEFT JOIN observations AS o ON a.outcome = '{OK}' AND o.sha256 = a.sha256
WHERE a.id IN (SELECT max(id) FROM attempts GROUP BY address)
GROUP BY 1, 2 ORDER BY 1, 2
"""
_COSTS = f"""
{_FAMILIES} SELECT family, count(DISTINCT host), sum(asked), sum(n_bytes),
    avg(seconds) FILTER (WHERE asked AND place IN ((n_asked + 1) / 2, (n_asked + 2) / 2))
FROM (
    SELECT *, row_number() OVER (PARTITION BY family, asked ORDER BY seconds) AS place,
        sum(asked) OVER (PARTITION BY family) AS n_asked
    FROM attempts CROSS JOIN families USING (host)
) GROUP BY family ORDER BY family
"""


def host_report(paths: DataPaths) -> pd.DataFrame:
    """Count per host how its images came out, those with most failures first.

    Returns:
        One row a family of hosts: ``host`` (its name), ``tried`` (images), ``ok``, a column for each reason why others
        are out, ``names`` (hosts of the family that were asked), ``requests``, ``n_bytes`` received, ``median_seconds``
        a request, and ``advice`` (a :data:`curator.text.Text`) if more than a tenth failed.
    """
    with Ledger(paths.attempts, to_read=True) as ledger:
        hosts = [host for (host,) in ledger.query("SELECT DISTINCT host FROM attempts WHERE host != ''")]
        families = json.dumps({host: _family(host) for host in hosts})
        outcomes = pd.DataFrame(ledger.query(_OUTCOMES, (families,)), columns=["host", "outcome", "n"])
        names = ["host", "names", "requests", "n_bytes", "median_seconds"]
        costs = pd.DataFrame(ledger.query(_COSTS, (families,)), columns=names)
        waits = {_family(wait.host): wait for wait in read_notes(ledger.query, time.time()).waits}
    counts = outcomes.pivot_table("n", "host", "outcome", aggfunc="sum", fill_value=0).astype("int64")
    reasons = failure_columns(counts)
    ok = counts[OK] if OK in counts.columns else pd.Series(0, index=counts.index)
    report = pd.DataFrame({"tried": counts.sum(axis=1).astype("int64"), "ok": ok}).join(counts[reasons])
    report = report.join(costs.set_index("host"))
    advice = [advise(dict(zip(reasons, row, strict=True)), n) for *row, n in _rows(report, reasons)]
    report["advice"] = pd.Series(advice, index=report.index, dtype=object)
    for name, wait in waits.items():
        if name in report.index:
            report.loc[name, "advice"] = (
                f"throttled: it asked to be left alone until {_text(wait)}, then --retry failed"
            )
    report = report.rename_axis("host").reset_index()
    order = report.assign(failed=report["tried"] - report["ok"]).sort_values(
        ["failed", "tried", "host"], ascending=[False, False, True]
    )
    return report.loc[order.index].reset_index(drop=True)


def _text(wait: HostWait) -> str:
    return f"{datetime.fromtimestamp(wait.not_before, UTC):%Y-%m-%d %H:%M} UTC"


def _family(host: str) -> str:
    """Name the family of a host; one with a port of its own stands for itself."""
    return host if ":" in host else host_family(host)


def failure_columns(report: pd.DataFrame) -> list[str]:
    """Name the columns of a report that count failures, in the order of the reasons."""
    return [str(reason) for reason in Drop if reason in report.columns]


def _rows(report: pd.DataFrame, reasons: list[str]) -> list[list[int]]:
    rows: list[list[int]] = report[[*reasons, "tried"]].to_numpy().tolist()
    return rows


def advise(failures: Mapping[str, int], tried: int) -> Text:
    """Say what to do about a host, in one clause, where more than a tenth of its images failed; else nothing.

    >>> advise({"rate-limited": 6, "gone": 1}, tried=10)
    'throttled: lower per_host or set delay_s, then --retry failed'
    >>> advise({"dns": 6}, tried=10).partition(":")[0], advise({"gone": 1}, tried=10)
    ('DNS trouble here', '')
    """
    n_failed = sum(failures.values())
    if n_failed <= _ENOUGH * tried:
        return ""
    shares = [(sum(failures.get(reason, 0) for reason in reasons), text) for reasons, text in _ADVICE]
    n_most, text = max(shares, key=lambda share: share[0])
    if n_most and n_most == failures.get(Drop.DNS) and n_failed < tried:
        return _DNS_HERE
    return text if n_most else ("look at single images with ", Command("why"))


def suspect_own_dns(report: pd.DataFrame) -> Text:
    """Say so where so many hosts do not resolve that the trouble is more likely here; else nothing.

    >>> suspect_own_dns(pd.DataFrame({"host": list("abcd"), "dns": [1, 2, 3, 0]}))[0]
    'DNS trouble: 3 of 4 hosts did not resolve. Mend the DNS of this machine, then '
    """
    n, n_unresolved = len(report), int((report["dns"] > 0).sum()) if Drop.DNS in report.columns else 0
    if n < _LEAST_HOSTS or n_unresolved <= _MOST_UNRESOLVED * n:
        return ""
    trouble = f"DNS trouble: {n_unresolved:,} of {n:,} hosts did not resolve. Mend the DNS of this machine, then "
    return (trouble, Command("fetch --retry failed"), ".")
