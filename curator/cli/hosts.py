"""Print how each host did: a line of figures, its failures, and what to do about it.

>>> figures = {"host": "flickr.com", "names": 2, "tried": 1366, "ok": 669, "median_seconds": 0.31}
>>> print(figure_line(figures | {"n_bytes": 48_200_000}))
flickr.com (2 names)                    1,366       669   49%   0.31 s   48.2 MB
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from curator.cli.terminal import Terminal, size_text
from curator.fetch.ledger.diagnosis import failure_columns
from curator.text import Text, as_parts, plural

if TYPE_CHECKING:
    import pandas as pd

MOST_HOSTS = 20
"""Hosts that are printed; the rest are counted."""

_NAME_WIDTH = 35
_WIDTH = 80


def print_hosts(
    terminal: Terminal, title: str, report: pd.DataFrame, remark: Text = "", most: int = MOST_HOSTS
) -> None:
    """Print the first rows of a report of :func:`curator.fetch.ledger.diagnosis.host_report`: the worst hosts.

    Args:
        title: printed above, with the totals; ``remark`` is printed below.
        most: hosts to print.
    """
    hosts, reasons = report.to_dict("records"), failure_columns(report)
    terminal.note(f"{title}: {_totals(hosts)}", "bold")
    if hosts:
        terminal.note(f"{'host':<{_NAME_WIDTH}}{'tried':>10}{'ok':>10}{'':6}{'median':>9}{'bytes':>10}", "dim")
    for host in hosts[:most]:
        terminal.note(figure_line(host), "" if host["ok"] * 2 >= host["tried"] else "red")
        failures = sorted(((host[name], name) for name in reasons if host[name]), key=lambda item: (-item[0], item[1]))
        for line in _wrap([f"{name} {n:,}" for n, name in failures]):
            terminal.note(f"  {line}", "dim")
        if host["advice"]:
            terminal.note(("  → ", *as_parts(host["advice"])), "yellow")
    if len(hosts) > most:
        terminal.note(f"and {_totals(hosts[most:], 'more ')} (--json has them all)")
    if remark:
        terminal.note(remark, "bold yellow")


def _totals(hosts: Sequence[Mapping[Any, Any]], more: str = "") -> str:
    tried, ok = (sum(host[name] for host in hosts) for name in ("tried", "ok"))
    return f"{plural(len(hosts), f'{more}host')}, {tried:,} tried, {ok:,} ok"


def figure_line(host: Mapping[Any, Any]) -> str:
    """Write a host's name and figures; a name that is too long gets a line of its own."""
    name = host["host"] + (f" ({host['names']:,} names)" if host["names"] > 1 else "")
    name = f"{name}\n" + " " * _NAME_WIDTH if len(name) > _NAME_WIDTH else f"{name:<{_NAME_WIDTH}}"
    share = f"{100 * host['ok'] / host['tried']:.0f}%"
    median = host["median_seconds"]
    seconds = "·" if median is None or median != median else f"{median:.2f} s"
    return f"{name}{host['tried']:>10,}{host['ok']:>10,}{share:>6}{seconds:>9}{size_text(host['n_bytes']):>10}"


def _wrap(words: Sequence[str]) -> list[str]:
    """Join words by dots, in lines that fit."""
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + len(word) + 5 <= _WIDTH:
            lines[-1] += f" · {word}"
        else:
            lines.append(word)
    return lines
