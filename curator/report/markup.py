r"""HTML that is escaped unless it was made here: text from the web can never become markup; and figures as words.

>>> element("p", "1 < 2 ", element("b", "& so on"), class_="note")
'<p class="note">1 &lt; 2 <b>&amp; so on</b></p>'
>>> page("A & B", [element("p", "hello")], style="p { margin: 0 }")[:41]
'<!DOCTYPE html>\n<html lang="en"><head><me'
>>> number(2257984), duration(75)
('2,257,984', '1 min 15 s')
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from curator.text import Command, Text, as_parts, is_web_address

_VOID = {"img", "meta", "br", "input"}


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


Content = str | None | Iterable["Content"]
"""Plain text, markup (which is text too), nothing, or several of these."""


def join(*contents: Content) -> Html:
    """Put contents one after another; plain text is escaped, None is nothing, an iterable is its items."""
    return Html("".join(_markup(content) for content in contents))


def _markup(content: Content) -> str:
    if content is None:
        return ""
    if isinstance(content, str):
        return content if isinstance(content, Html) else html.escape(content, quote=False)
    return join(*content)


def element(name: str, /, *contents: Content, **attributes: str | None) -> Html:
    """Make an element; ``class_`` and the like lose their underscore, other underscores become hyphens."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Html(f"<{name}{given}>")
    return Html(f"<{name}{given}>{join(*contents)}</{name}>")


def prose(text: Text, option: str = "") -> Html:
    """Turn text into markup, with what is between backticks as code; ``option`` names the data set in its commands.

    >>> prose(("Run ", Command("fetch"), ", not `rm`."), " --recipe 'a`b'")
    "Run <code>curator fetch --recipe 'a`b'</code>, not <code>rm</code>."
    """
    return join(*(_prose(part, option) for part in as_parts(text)))


def _prose(part: str | Command, option: str) -> list[str]:
    if isinstance(part, Command):
        return [element("code", part.spelled(option))]
    return [element("code", piece) if index % 2 else piece for index, piece in enumerate(part.split("`"))]


def link(address: str | None, text: str) -> Html:
    """Make a link to a web page; an address that is not http or https is left out."""
    if not is_web_address(address):
        return join(text)
    return element("a", text, href=str(address), rel="noopener noreferrer nofollow", target="_blank")


def label_name(label: str) -> Html:
    """Write a label as it is, in whatever direction its script runs, without turning what is around it."""
    return element("bdi", label)


def table(header: Sequence[Content], rows: Iterable[Sequence[Content]], class_: str | None = None) -> Html:
    """Make a table that scrolls by itself if it is too wide; the first column names the row."""
    head = element("tr", [element("th" if cell else "td", cell, scope="col" if cell else None) for cell in header])
    body = [
        element("tr", element("th", row[0], scope="row"), [element("td", cell) for cell in row[1:]]) for row in rows
    ]
    made = element("table", element("thead", head), element("tbody", body), class_=class_)
    return element("div", made, class_="scroll")


def number(value: float) -> str:
    """Write a count with thousands apart; a small fraction keeps a decimal."""
    return f"{value:,.0f}" if value >= 10 or float(value).is_integer() else f"{value:.1f}"


def duration(seconds: float) -> str:
    """Write seconds as a person would."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def data_script(data: Mapping[str, Any]) -> Html:
    r"""Put data into a page, for its script to read; no text in them can end the element.

    >>> data_script({"labels": ["</script>"]})
    '<script id="data" type="application/json">{"labels":["\\u003c/script>"]}</script>'
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return element("script", Html(text), id="data", type="application/json")


class Section(NamedTuple):
    """A section that the page's contents link to, and its markup."""

    name: str
    title: str
    html: Html


def section(name: str, title: str, *contents: Content, badge: str | None = None) -> Section:
    """Make a section; a badge beside its title says what holds for all of it."""
    heading = element("h2", title, element("small", badge, class_="badge") if badge else None)
    return Section(name, title, element("section", heading, *contents, id=name))


def contents(sections: Iterable[Section]) -> Html:
    """List the sections of a page with links to them."""
    items = [element("li", element("a", one.title, href=f"#{one.name}")) for one in sections]
    return element("nav", element("ol", items), aria_label="Contents")


def page(title: str, body: Sequence[Html], style: str, script: str = "") -> str:
    """Put a title, a body, its style and its script together as an HTML document."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", Html(style)),
    )
    scripts = element("script", Html(script)) if script else None
    return f"<!DOCTYPE html>\n{element('html', head, element('body', *body, scripts), lang='en')}\n"
