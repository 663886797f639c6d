"""Figures as words, and the frame of a section.

>>> percent(0.8312), times(1, "image"), number(2257984), duration(75)
('83.1%', '1 image', '2,257,984', '1 min 15 s')
"""

from __future__ import annotations

from curator.report.markup import Content, Html, element


def percent(share: float) -> str:
    """Write a share as a percentage with one decimal."""
    return f"{share * 100:.1f}%"


def number(value: float) -> str:
    """Write a count with thousands apart; a small fraction keeps a decimal."""
    return f"{value:,.0f}" if value >= 10 or float(value).is_integer() else f"{value:.1f}"


def times(n: int, noun: str) -> str:
    """Count a noun."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def duration(seconds: float) -> str:
    """Write seconds as a person would."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def section(name: str, title: str, *contents: Content) -> Html:
    """Make a section that the page's contents can link to."""
    return element("section", element("h2", title), *contents, id=name)
