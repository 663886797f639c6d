r"""ATTRIBUTION.md: every image's author, title, licence and page, grouped by licence; and what licences are called.

Titles and authors were written by strangers: nothing of them becomes markup.

>>> escape("a *bold* [link](x)\nnew line")
'a \\*bold\\* \\[link\\](x) new line'
>>> licence_id("https://creativecommons.org/licenses/by/2.0/"), licence_name("https://creativecommons.org/licenses/by/2.0/")
('cc-by-2.0', 'CC BY 2.0')
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import pandas as pd

from curator.addresses import is_web_address
from curator.export.material import Material, plain_records

UNKNOWN = "licence not stated"
_CREATIVE_COMMONS = re.compile(r"https?://(?:www\.)?creativecommons\.org/licenses/([a-z-]+)/(\d\.\d)\b.*")
_PUBLIC_DOMAIN = {
    "publicdomain/zero/1.0": ("cc0-1.0", "CC0 1.0"),
    "publicdomain/mark/1.0": ("pddl", "Public Domain Mark 1.0"),
}
_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~&])")
_COLUMNS = ("record_id", "title", "author", "author_url", "landing_url", "url", "license")


def attribution_text(material: Material) -> str:
    """Format the credits of all images."""
    records = plain_records(material.rows, _COLUMNS)
    lines = [f"# Attribution: {material.name}", "", f"{len(records):,} images, grouped by licence.", ""]
    for licence, n in licences(material.rows).items():
        lines += [f"## {link(licence_name(licence), licence)}", "", f"{n:,} image{'' if n == 1 else 's'}", ""]
        lines += [_line(record) for record in records if (record.get("license") or UNKNOWN) == licence]
        lines.append("")
    return "\n".join(lines)


def _line(record: dict[str, Any]) -> str:
    """Credit one image: title linked to its page, author linked to theirs, and the name of the file."""
    title = link(record.get("title") or "untitled", record.get("landing_url") or record.get("url"))
    author = link(record["author"], record.get("author_url")) if record.get("author") else "author not stated"
    return f"- {title}, {author} (`{record['record_id']}`)"


def link(text: str, address: str | None) -> str:
    """Format a link if the address is one of the web; else the text alone."""
    if not is_web_address(address):
        return escape(text)
    return f"[{escape(text)}]({quote(str(address), safe=':/?#@!$&*+,;=%~-._')})"


def escape(text: str) -> str:
    """Make a text that Markdown shows as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def licence_id(licence: str) -> str:
    """Return Hugging Face's name of a licence, ``other`` if it has none."""
    if found := _CREATIVE_COMMONS.fullmatch(licence.strip()):
        return f"cc-{found[1]}-{found[2]}"
    return next((names[0] for part, names in _PUBLIC_DOMAIN.items() if part in licence), "other")


def licence_name(licence: str) -> str:
    """Return the short name of a Creative Commons licence; any other text as it is."""
    if found := _CREATIVE_COMMONS.fullmatch(licence.strip()):
        return f"CC {found[1].upper()} {found[2]}"
    return next((names[1] for part, names in _PUBLIC_DOMAIN.items() if part in licence), licence)


def licences(rows: pd.DataFrame) -> dict[str, int]:
    """Count the images of each licence, the most frequent first; :data:`UNKNOWN` if a source states none."""
    stated = rows.get("license", pd.Series(None, index=rows.index, dtype=object))
    counts = stated.fillna(UNKNOWN).value_counts()
    return {str(name): int(n) for name, n in sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))}
