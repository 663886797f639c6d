"""Parts that several sections of an audit's page share: a picture with its caption.

>>> above("+3.1 points", "+2.0 to +4.5")
'+3.1 points<br><small>+2.0 to +4.5</small>'
"""

from __future__ import annotations

from collections.abc import Mapping

from curator.inspect.audit.result import Audit
from curator.report.markup import Content, Html, element, join, label_name

Pictures = Mapping[int, str | None]
"""Small pictures as ``data:`` addresses by the numbers of rows; None: it could not be read."""


def above(figure: str, interval: str) -> Html:
    """Write a figure above its interval."""
    return join(figure, element("br"), element("small", interval))


def figure(found: Audit, pictures: Pictures, row: int, *more: Content) -> Html:
    """Show one image with its side, its label and its name, and what else there is to say."""
    name, label, side = (str(found.table[column].iloc[row]) for column in ("record_id", "label", "listed_split"))
    address = pictures.get(row)
    shown = element("p", "no picture")
    if address is not None:
        shown = element("img", src=address, alt=f"{label}: {name}", loading="lazy")
    where = f"{side}: " if side in found.published.sides else ""
    caption = element(
        "figcaption", where, element("b", label_name(label)), element("small", *more, element("code", name))
    )
    return element("figure", shown, caption, class_="picture")
