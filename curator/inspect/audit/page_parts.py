"""Parts that several sections of an audit's page share: a picture with its caption.

>>> percentage(0.125), points({"mean": 0.031, "low": 0.02, "high": 0.0449})
('12.5%', '+3.1 points (+2.0 to +4.5)')
"""

from __future__ import annotations

from collections.abc import Mapping

from curator.inspect.audit.result import Audit
from curator.report.markup import Content, Html, element, label_name
from curator.text import percent as percentage

Pictures = Mapping[int, str | None]
"""Small pictures as ``data:`` addresses by the numbers of rows; None: it could not be read."""

__all__ = ["Pictures", "figure", "percentage", "points"]


def points(difference: Mapping[str, float]) -> str:
    """Write a difference of two accuracies with its interval."""
    mean, low, high = (f"{100 * difference[name]:+.1f}" for name in ("mean", "low", "high"))
    return f"{mean} points ({low} to {high})"


def figure(found: Audit, pictures: Pictures, row: int, *more: Content) -> Html:
    """Show one image with its side, its label and its name, and what else there is to say."""
    name, label, side = (found.table[column].iloc[row] for column in ("record_id", "label", "listed_split"))
    address = pictures.get(row)
    shown = element("p", "no picture")
    if address is not None:
        shown = element("img", src=address, alt=f"{label}: {name}", loading="lazy")
    where = f"{side}: " if side in found.published.sides else ""
    caption = element(
        "figcaption", where, element("b", label_name(label)), element("small", *more, element("code", name))
    )
    return element("figure", shown, caption, class_="picture")
