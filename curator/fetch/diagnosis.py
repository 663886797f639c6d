"""How each host did, and what to do about it.

>>> import tempfile
>>> paths = DataPaths(Path(tempfile.mkdtemp()), Path(), "balls")
>>> with Ledger(paths.attempts) as ledger:
...     ledger.record([Attempt(f"http://h.example/{n}", "h.example", 0.0, 0.1, "gone", 404) for n in range(4)], [])
>>> report = host_report(paths)
>>> print(*report.loc[0, ["host", "tried", "ok", "gone", "advice"]])
h.example 4 0 4 link rot: these images are no more
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path as Path

import pandas as pd

from curator.fetch.attempts import OK, Ledger
from curator.fetch.attempts import Attempt as Attempt
from curator.reasons import Drop
from curator.store.paths import DataPaths

_ADVICE: tuple[tuple[frozenset[Drop], str], ...] = (
    (frozenset({Drop.RATE_LIMITED}), "throttled: lower per_host or set delay_s, then --retry failed"),
    (frozenset({Drop.FORBIDDEN}), "blocked: the host refuses this program; set contact and ask its owner"),
    (frozenset({Drop.DNS}), "the name does not resolve: the host is no more, or DNS has trouble here"),
    (
        frozenset({Drop.TIMEOUT, Drop.RESET, Drop.REFUSED, Drop.INCOMPLETE, Drop.SERVER_ERROR}),
        "down or overloaded: --retry failed another day; a slow host needs a higher timeout_s",
    ),
    (frozenset({Drop.GONE, Drop.HTTP_ERROR}), "link rot: these images are no more"),
    (
        frozenset({Drop.NOT_AN_IMAGE, Drop.PLACEHOLDER, Drop.EMPTY, Drop.REDIRECT_LOOP}),
        "link rot in disguise: the host answers, but with pages or placeholders",
    ),
    (frozenset({Drop.TLS}), "its certificate is not valid: nothing to be done from here"),
    (frozenset({Drop.OPTED_OUT}), "the host wants no use for AI: leave it be"),
    (frozenset({Drop.PRIVATE_ADDRESS}), "an address of a private network: allow_private_hosts if it is yours"),
    (frozenset({Drop.TOO_MANY_BYTES}), "its files are larger than max_bytes"),
)
_ENOUGH = 0.5

_OUTCOMES = f"""
SELECT host, coalesce(o.flaw, a.outcome) AS outcome, count(*) AS n
FROM attempts AS a LEFT JOIN observations AS o ON a.outcome = '{OK}' AND o.sha256 = a.sha256
WHERE host != '' AND a.id IN (SELECT max(id) FROM attempts GROUP BY address)
GROUP BY 1, 2 ORDER BY 1, 2
"""
_COSTS = """
SELECT host, sum(asked) AS requests, sum(n_bytes) AS n_bytes,
    avg(seconds) FILTER (WHERE asked AND place IN ((n_asked + 1) / 2, (n_asked + 2) / 2)) AS median_seconds
FROM (
    SELECT *, row_number() OVER (PARTITION BY host, asked ORDER BY seconds) AS place,
        sum(asked) OVER (PARTITION BY host) AS n_asked
    FROM attempts WHERE host != ''
) GROUP BY host ORDER BY host
"""


def host_report(paths: DataPaths) -> pd.DataFrame:
    """Count per host how its images came out, those tried most first.

    Returns:
        One row a host: ``host``, ``tried`` (images), ``ok``, a column for each reason why others are out,
        ``requests``, ``n_bytes`` received, ``median_seconds`` a request, and ``advice`` where more than half failed.
    """
    with Ledger(paths.attempts) as ledger:
        outcomes = pd.DataFrame(ledger.query(_OUTCOMES), columns=["host", "outcome", "n"])
        costs = pd.DataFrame(ledger.query(_COSTS), columns=["host", "requests", "n_bytes", "median_seconds"])
    counts = outcomes.pivot_table("n", "host", "outcome", aggfunc="sum", fill_value=0).astype("int64")
    reasons = [str(reason) for reason in Drop if reason in counts.columns]
    ok = counts[OK] if OK in counts.columns else pd.Series(0, index=counts.index)
    report = pd.DataFrame({"tried": counts.sum(axis=1).astype("int64"), "ok": ok}).join(counts[reasons])
    report = report.join(costs.set_index("host"))
    report["advice"] = [advise(dict(zip(reasons, row, strict=True)), n) for *row, n in _rows(report, reasons)]
    report = report.rename_axis("host").reset_index()
    return report.sort_values(["tried", "host"], ascending=[False, True], ignore_index=True)


def _rows(report: pd.DataFrame, reasons: list[str]) -> list[list[int]]:
    rows: list[list[int]] = report[[*reasons, "tried"]].to_numpy().tolist()
    return rows


def advise(failures: Mapping[str, int], tried: int) -> str:
    """Say what to do about a host, in one clause, where more than half of its images failed; else nothing.

    >>> advise({"rate-limited": 6, "gone": 1}, tried=10)
    'throttled: lower per_host or set delay_s, then --retry failed'
    """
    if sum(failures.values()) <= _ENOUGH * tried:
        return ""
    shares = [(sum(failures.get(reason, 0) for reason in reasons), text) for reasons, text in _ADVICE]
    n_most, text = max(shares, key=lambda share: share[0])
    return text if n_most else "look at single images with `curator why`"
