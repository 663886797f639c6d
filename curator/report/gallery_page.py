"""The markup of the gallery of duplicates: light enough for ten thousand groups in one page.

The browser lays out only the groups near the window (``content-visibility``) and loads only their pictures.

>>> group = [{"record_id": "x-1", "label": "a", "sha256": None, "width": 4, "height": 3, "drop_reason": None},
...          {"record_id": "x-2", "label": "a", "sha256": None, "width": 4, "height": 3, "turn": "mirror",
...           "drop_reason": "near-duplicate", "distance_bits": 2}]
>>> "<b>near-duplicate</b> 2 bits, mirrored" in gallery_page("balls", [group], {})
True
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from curator.matching.orientations import ORIENTATION_PHRASES, ORIENTATIONS
from curator.reasons import Drop
from curator.report.markup import Html, element, join, prose, times
from curator.report.page import page
from curator.text import Command

MOST_SHOWN = 24
"""Images shown of one group; the rest is counted."""

Group = Sequence[Mapping[str, Any]]
"""The images of a group, what is kept first."""


def gallery_page(name: str, groups: Sequence[Group], pictures: Mapping[str, str]) -> str:
    """Write the page.

    Args:
        name: the data set's.
        groups: the largest first.
        pictures: SHA-256 to the address of its small picture.
    """
    files = resources.files("curator.report")
    style = "".join(files.joinpath(file).read_text("utf-8") for file in ("style.css", "gallery.css"))
    first = "The image that is kept comes first, then its copies. "
    hint = (first, Command("why ID"), " tells an image's whole story.")
    body = [
        element("header", element("p", name, class_="kicker"), element("h1", "Duplicates"), _cards(groups)),
        element("p", prose(hint), class_="note"),
        element("div", [_group(number, group, pictures) for number, group in enumerate(groups, 1)], class_="groups"),
        element("footer", "Made by curator."),
    ]
    return page(f"{name}: duplicates", body, style)


def _cards(groups: Sequence[Group]) -> Html:
    dropped = Counter(row["drop_reason"] for group in groups for row in group if row["drop_reason"])
    figures = [
        (len(groups), "group" if len(groups) == 1 else "groups"),
        *((n, reason) for reason, n in dropped.most_common()),
    ]
    cards = [
        element("div", element("b", f"{figure:,}"), element("span", text), class_="card") for figure, text in figures
    ]
    return element("div", cards, class_="cards")


def _group(number: int, group: Group, pictures: Mapping[str, str]) -> Html:
    labels = " and ".join(sorted({row["label"] for row in group}))
    more = len(group) - MOST_SHOWN
    return element(
        "section",
        element("h2", f"{number:,}", element("small", f" {times(len(group), 'image')} of {labels}")),
        element("div", [_image(row, pictures) for row in group[:MOST_SHOWN]], class_="copies"),
        element("p", f"and {more:,} more", class_="note") if more > 0 else None,
        class_="group card" if len(group) == 2 else "large group card",
    )


def _image(row: Mapping[str, Any], pictures: Mapping[str, str]) -> Html:
    source = pictures.get(row["sha256"] or "")
    shown = (
        element("img", src=source, alt=f"{row['label']}: {row['record_id']}", loading="lazy", decoding="async")
        if source
        else element("p", "no picture")
    )
    size = f"{row['width']} x {row['height']}" if row["width"] else "size unknown"
    about = element("small", f"{row['label']} · {size}", element("br"), element("code", row["record_id"]))
    fate = "picture kept" if row["drop_reason"] is None else "picture"
    return element("figure", shown, element("figcaption", _verdict(row), element("br"), about), class_=fate)


def _verdict(row: Mapping[str, Any]) -> Html:
    reason = row["drop_reason"]
    if reason is None:
        return element("b", "kept", class_="good")
    if row.get("distance_bits") is None:
        return element("b", reason)
    turn = ORIENTATION_PHRASES[ORIENTATIONS.index(row.get("turn") or ORIENTATIONS[0])]
    how = "same bytes" if reason == Drop.EXACT_DUPLICATE else times(row["distance_bits"], "bit")
    return join(element("b", reason), f" {how}{f', {turn}' if turn else ''}")
