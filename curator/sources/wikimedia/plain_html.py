"""The plain text of a piece of HTML, and where its first link leads, as a wiki writes authors and licences.

>>> read_html('<a href="//commons.wikimedia.org/wiki/User:Ann" title="User:Ann">Ann &amp; Bo</a> at <b>Twickenham</b>')
PlainHtml(text='Ann & Bo at Twickenham', link='https://commons.wikimedia.org/wiki/User:Ann')
>>> read_html('<span lang="en">Unknown author</span><span style="display: none;">Unknown author</span>').text
'Unknown author'
>>> read_html("Photo: Ann<br/>Scan: Bo<style>.a { color: red }</style>").text
'Photo: Ann Scan: Bo'
"""

from __future__ import annotations

import re
from functools import lru_cache
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import urljoin

from curator.text import is_web_address

_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
)
_INLINE = frozenset(("a", "abbr", "b", "bdi", "bdo", "big", "cite", "em", "font", "i", "s", "small", "span", "strong"))
_UNSEEN = frozenset(("script", "style", "template", "title"))
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_LONGEST = 300


class PlainHtml(NamedTuple):
    """A text on one line, of at most 300 characters, and the address of its first link; empty if there is none."""

    text: str
    link: str = ""


@lru_cache(maxsize=4_096)  # the files of a category have few authors
def read_html(html: str, base: str = "https://commons.wikimedia.org/") -> PlainHtml:
    """Read what a browser would show of a piece of HTML; ``base`` is what links without a host are relative to."""
    if "<" not in html and "&" not in html:
        return PlainHtml(_one_line(html))
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return PlainHtml(_one_line("".join(reader.pieces)), _absolute(reader.link, base) if reader.link else "")


def _absolute(link: str, base: str) -> str:
    try:
        found = urljoin(base, link)
    except ValueError:
        return ""
    return found if is_web_address(found) else ""


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


class _Reader(HTMLParser):
    """Collects what is shown; entities are undone by the parser."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.link = ""
        self._open: list[tuple[str, bool]] = []

    @property
    def _is_hidden(self) -> bool:
        return any(hides for _, hides in self._open)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in _INLINE:
            self.pieces.append(" ")
        if tag == "a" and not self.link and not self._is_hidden:
            self.link = (given.get("href") or "").strip()
        if tag not in _VOID:
            self._open.append((tag, tag in _UNSEEN or bool(_HIDDEN.search(given.get("style") or ""))))

    def handle_endtag(self, tag: str) -> None:
        if tag not in _INLINE:
            self.pieces.append(" ")
        places = [place for place, (name, _) in enumerate(self._open) if name == tag]
        if places:
            del self._open[places[-1] :]

    def handle_data(self, data: str) -> None:
        if not self._is_hidden:
            self.pieces.append(data)
