r"""ATTRIBUTION.md: every image's author, title, licence and page, grouped by licence.

Titles and authors were written by strangers: nothing of them becomes markup.

>>> escape("a *bold* [link](x)\nnew line")
'a \\*bold\\* \\[link\\](x) new line'
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from curator.export.material import Material, plain_records
from curator.manifests.licences import is_attributed, licence_address, licence_key, licence_name, licences
from curator.manifests.spdx import spdx_id
from curator.text import is_web_address, plural

_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~&])")
AS_SERVED = "Each is the file as it was served if every reader shows that as it is, else an upright RGB PNG of it."
"""What was done to the pictures: licences of Creative Commons ask to say it."""
_COLUMNS = ("record_id", "title", "author", "author_url", "landing_url", "url", "license", "made_by")


def attribution_text(material: Material) -> str:
    """Format the credits of all images."""
    records = plain_records(material.rows, _COLUMNS)
    by_licence: dict[str, list[dict[str, Any]]] = {name: [] for name in licences(material.rows)}
    for record in records:
        by_licence[licence_key(record.get("license"))].append(record)
    lines = [f"# Attribution: {material.name}", "", f"{plural(len(records), 'image')}, grouped by licence.", ""]
    lines += [material.resizing.sentence() if material.resizing else AS_SERVED, ""]
    lines += [*([changed_sentence(material), ""] if changed_sentence(material) else []), *_anonymous(by_licence)]
    for licence, credited in by_licence.items():
        known = spdx_id(licence)
        title = link(licence_name(licence), licence_address(licence)) + (f" (`{known}`)" if known else "")
        lines += [f"## {title}", "", plural(len(credited), "image"), "", *map(_line, credited), ""]
    return "\n".join(lines)


def _anonymous(by_licence: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    """Say of how many images the source names no author, although their licence asks to name one."""
    asked = [record for name, credited in by_licence.items() if is_attributed(name) for record in credited]
    n = sum(not record.get("author") for record in asked)
    if not n:
        return []
    return [f"Of {plural(n, 'image')} under a licence that asks to name the author, the source names none.", ""]


def changed_sentence(material: Material) -> str:
    """Say how many pictures are parts of others, or were turned; empty if none is."""
    n = int(material.rows["made_of"].notna().sum()) if "made_of" in material.rows else 0
    what = f"{plural(n, 'of them is a part', 'of them are parts')} of a picture, or turned upright, as a PNG"
    return f"{what}: `made_by` and `made_of` in `manifest.csv` say how, and of which file." if n else ""


def _line(record: dict[str, Any]) -> str:
    """Credit one image: title linked to its page, author linked to theirs, and the name of the file."""
    title = link(record.get("title") or "untitled", record.get("landing_url") or record.get("url"))
    author = link(record["author"], record.get("author_url")) if record.get("author") else "author not stated"
    made = f"; changed: {record['made_by']}" if record.get("made_by") else ""
    return f"- {title}, {author} (`{record['record_id']}`{made})"


def link(text: str, address: str | None) -> str:
    """Format a link if the address is one of the web; else the text alone."""
    if not is_web_address(address):
        return escape(text)
    return f"[{escape(text)}]({quote(str(address), safe=':/?#@!$&*+,;=%~-._')})"


def escape(text: str) -> str:
    """Make a text that Markdown shows as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
