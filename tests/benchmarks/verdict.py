"""Print what a benchmark measured against its targets: one line a target, and the exit code.

>>> conclude([at_most("split, 1,000,000 rows", 12.3, 20, "s"), at_least("recall", 0.8, 0.9)])
ok      split, 1,000,000 rows  12.3 s  <= 20 s
missed  recall                 0.8     >= 0.9
1
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """One target: what was measured and whether it is met."""

    name: str
    measured: str
    target: str
    is_met: bool


def at_most(name: str, measured: float, limit: float, unit: str = "") -> Verdict:
    """Judge a figure that should be small, such as seconds."""
    return Verdict(name, f"{measured:.3g} {unit}".strip(), f"<= {limit:g} {unit}".strip(), measured <= limit)


def at_least(name: str, measured: float, limit: float, unit: str = "") -> Verdict:
    """Judge a figure that should be large, such as a recall."""
    return Verdict(name, f"{measured:.3g} {unit}".strip(), f">= {limit:g} {unit}".strip(), measured >= limit)


def conclude(verdicts: Sequence[Verdict]) -> int:
    """Print the verdicts as ``ok|missed  name  measured  target`` and give the exit code: 1 where one is missed."""
    names = max((len(verdict.name) for verdict in verdicts), default=0)
    figures = max((len(verdict.measured) for verdict in verdicts), default=0)
    for verdict in verdicts:
        word = "ok" if verdict.is_met else "missed"
        print(f"{word:<6}  {verdict.name:<{names}}  {verdict.measured:<{figures}}  {verdict.target}", flush=True)
    return 0 if all(verdict.is_met for verdict in verdicts) else 1
