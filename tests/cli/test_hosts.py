"""The table of hosts: what a person sees in 80 columns, in colour and piped."""

from __future__ import annotations

import pandas as pd

from curator.cli.hosts import MOST_HOSTS, print_hosts
from curator.cli.terminal import Terminal
from curator.reasons import Drop
from curator.text import Command

REPORT = pd.DataFrame(
    {
        "host": ["flickr.com", "a-host-with-a-very-long-name.images.example.org", "dead.example"],
        "tried": [1_234_567, 20, 3],
        "ok": [1_000_000, 20, 0],
        "dns": [0, 0, 3],
        "gone": [200_000, 0, 0],
        "placeholder": [34_567, 0, 0],
        "names": [12, 1, 1],
        "n_bytes": [83_456_789_012, 1_400_000, None],
        "median_seconds": [0.314, 12.5, None],
        "advice": ["link rot: these images are no more", "", "the name does not resolve"],
    }
)


def drawn(report: pd.DataFrame, capsys: object, remark: str = "") -> list[str]:
    """The lines on a pipe."""
    print_hosts(Terminal(), "balls, hosts", report, remark)
    return capsys.readouterr().out.splitlines()


def test_figures_failures_and_advice_stand_in_80_columns(capsys):
    """Figures in columns, failures by number, a long name on a line of its own, what is unknown as a dot."""
    assert drawn(REPORT, capsys, "DNS trouble") == [
        "balls, hosts: 3 hosts, 1,234,590 tried, 1,000,020 ok",
        "host                                    tried        ok         median     bytes",
        "flickr.com (12 names)               1,234,567 1,000,000   81%   0.31 s   83.5 GB",
        "  gone 200,000 · placeholder 34,567",
        "  → link rot: these images are no more",
        "a-host-with-a-very-long-name.images.example.org",
        "                                           20        20  100%  12.50 s    1.4 MB",
        "dead.example                                3         0    0%        ·         ·",
        "  dns 3",
        "  → the name does not resolve",
        "DNS trouble",
    ]


def test_many_hosts_are_cut_and_counted(capsys):
    """What is not drawn is summed in one line."""
    report = pd.concat([REPORT.tail(1)] * (MOST_HOSTS + 2), ignore_index=True)
    lines = drawn(report, capsys)
    assert lines[-1] == "and 2 more hosts, 6 tried, 0 ok (--json has them all)"
    assert sum(line.startswith("dead.example") for line in lines) == MOST_HOSTS


def test_no_host_is_one_line(capsys):
    """Before any request there is nothing to draw."""
    assert drawn(REPORT.head(0), capsys) == ["balls, hosts: 0 hosts, 0 tried, 0 ok"]


def test_failures_wrap(capsys):
    """A host that fails in every way still fits."""
    names = [str(reason) for reason in list(Drop)[1:13]]
    report = REPORT.tail(1).drop(columns=["dns", "gone", "placeholder"]).assign(**dict.fromkeys(names, 3))
    print_hosts(Terminal(), "balls", report)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert all(f"{name} 3" in "\n".join(lines) for name in names)


def test_colour_is_forced_or_not(monkeypatch, capsys):
    """Escapes on a terminal or with ``FORCE_COLOR``, none on a pipe (see above) or with ``NO_COLOR``."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    print_hosts(Terminal(), "balls", REPORT)
    assert "\x1b[" in capsys.readouterr().out
    monkeypatch.setenv("NO_COLOR", "1")
    print_hosts(Terminal(), "balls", REPORT)
    assert "\x1b[" not in capsys.readouterr().out


def test_advice_that_proposes_a_command_is_spelled(capsys):
    """As it is typed, in the table and in JSON."""
    report = REPORT.tail(1).assign(advice=[("look at single images with ", Command("why"))])
    print_hosts(Terminal(" --recipe balls"), "balls", report)
    assert "  → look at single images with `curator why --recipe balls`" in capsys.readouterr().out
