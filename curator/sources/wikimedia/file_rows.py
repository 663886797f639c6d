"""What a page of the API says of a file, as columns of the catalog.

The names are those of https://www.mediawiki.org/wiki/API:Imageinfo and of
https://www.mediawiki.org/wiki/Extension:CommonsMetadata#Returned_data.

>>> stated = {"LicenseShortName": {"value": "CC BY 2.0"}, "Artist": {"value": "<b>Ann</b>"}}
>>> info = {"url": "https://h.example/1.jpg", "mime": "image/jpeg", "sha1": "00", "extmetadata": stated}
>>> row = file_row({"pageid": 7, "ns": 6, "title": "File:A ruck.jpg", "imageinfo": [info]})
>>> row["source_id"], row["title"], row["author"], row["license"]
('7', 'A ruck', 'Ann', 'CC BY 2.0')
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa

from curator.decide.origins import UNKNOWN_AUTHORS
from curator.sources.reading.json_text import as_object, as_objects, plain_text
from curator.sources.wikimedia.plain_html import read_html
from curator.text import is_web_address

COLUMNS = (
    "source_id", "title", "url", "fallback_url", "landing_url", "license", "author", "author_url", "extra", "left_out",
)  # fmt: skip
SCHEMA = pa.schema([(name, pa.string()) for name in COLUMNS])

ASKED = "url|size|mime|sha1|user|extmetadata"
METADATA = "Artist|Attribution|LicenseShortName|LicenseUrl|License|UsageTerms|Copyrighted|ObjectName"

NO_PICTURE = "of another kind than pictures (drawings, documents, sounds, films)"
NO_LICENCE = "without a licence"
NO_ADDRESS = "without an address"

_PICTURES = frozenset(("image/jpeg", "image/png", "image/webp", "image/gif", "image/tiff", "image/bmp"))


def file_row(page: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the columns of a file; ``left_out`` says why it is no image of a data set, if so."""
    info = next(iter(as_objects(page.get("imageinfo"))), {})
    stated = {name: as_object(one).get("value") for name, one in as_object(info.get("extmetadata")).items()}
    licence, (author, author_url) = _licence(stated), _author(stated, info)
    whole, shown = (text if is_web_address(text := _text(info.get(key))) else "" for key in ("url", "thumburl"))
    name = PurePosixPath(_text(page.get("title")).partition(":")[2]).stem
    title = read_html(_text(stated.get("ObjectName"))).text or name
    reasons = {
        NO_ADDRESS: not whole,
        NO_PICTURE: _text(info.get("mime")) not in _PICTURES,
        NO_LICENCE: not licence,
    }
    facts = {key: info[key] for key in ("sha1", "width", "height", "mime") if _text(info.get(key))}
    return {
        "source_id": _text(page.get("pageid")),
        "title": title,
        "url": shown or whole,
        "fallback_url": whole if shown and shown != whole else None,
        "landing_url": _text(info.get("descriptionurl")) or None,
        "license": licence or None,
        "author": author or None,
        "author_url": author_url or None,
        "extra": json.dumps(facts | {"file": _text(page.get("title"))}),
        "left_out": next((reason for reason, is_so in reasons.items() if is_so), None),
    }


def _licence(stated: Mapping[str, Any]) -> str:
    """Return the address of a licence of Creative Commons, which says it exactly; else its short name."""
    address = read_html(_text(stated.get("LicenseUrl"))).text
    if "creativecommons.org/" in address:
        return f"https:{address}" if address.startswith("//") else address
    for key in ("LicenseShortName", "UsageTerms", "License"):
        if name := read_html(_text(stated.get(key))).text:
            return name
    return "Public domain" if _text(stated.get("Copyrighted")).strip().casefold() == "false" else ""


def _author(stated: Mapping[str, Any], info: Mapping[str, Any]) -> tuple[str, str]:
    """Return who made a file, and their page: whom its page or its licence names, else who uploaded it."""
    for key in ("Artist", "Attribution"):
        found = read_html(_text(stated.get(key)))
        if found.text:
            return found.text, "" if found.text.casefold() in UNKNOWN_AUTHORS else found.link
    return _text(info.get("user")), ""


def _text(value: Any) -> str:
    return plain_text(str(value)) if isinstance(value, str | int) else ""
