r"""ATTRIBUTION.md: every image's author, title, licence and page, grouped by licence.

Titles and authors were written by strangers: nothing of them becomes markup.

>>> escape("a *bold* [link](x)\nnew line")
'a \\*bold\\* \\[link\\](x) new line'
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from curator.addresses import is_web_address
from curator.export.material import Material, plain_records
from curator.manifests.licences import UNKNOWN, licence_address, licence_name, licences
from curator.text import plural

_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~&])")
_COLUMNS = ("record_id", "title", "author", "author_url", "landing_url", "url", "license")


def attribution_text(material: Material) -> str:
    """Format the credits of all images."""
    records = plain_records(material.rows, _COLUMNS)
    lines = [f"# Attribution: {material.name}", "", f"{plural(len(records), 'image')}, grouped by licence.", ""]
    for licence, n in licences(material.rows).items():
        title = link(licence_name(licence), licence_address(licence))
        lines += [f"## {title}", "", plural(n, "image"), ""]
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
