"""What licences are called: by their addresses, by their names and on Hugging Face.

>>> licence_id("https://creativecommons.org/licenses/by/2.0/"), licence_name("https://creativecommons.org/licenses/by/2.0/")
('cc-by-2.0', 'CC BY 2.0')
"""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

UNKNOWN = "licence not stated"
_CREATIVE_COMMONS = re.compile(r"https?://(?:www\.)?creativecommons\.org/licenses/([a-z-]+)/(\d\.\d)\b.*")
_PUBLIC_DOMAIN = {
    "publicdomain/zero/1.0": ("cc0-1.0", "CC0 1.0"),
    "publicdomain/mark/1.0": ("pddl", "Public Domain Mark 1.0"),
}


def licence_id(licence: str) -> str:
    """Give Hugging Face's name of a licence, ``other`` where it has none."""
    if found := _CREATIVE_COMMONS.fullmatch(licence.strip()):
        return f"cc-{found[1]}-{found[2]}"
    return next((names[0] for part, names in _PUBLIC_DOMAIN.items() if part in licence), "other")


def licence_name(licence: str) -> str:
    """Give the short name of a Creative Commons licence; any other text as it is."""
    if found := _CREATIVE_COMMONS.fullmatch(licence.strip()):
        return f"CC {found[1].upper()} {found[2]}"
    return next((names[1] for part, names in _PUBLIC_DOMAIN.items() if part in licence), licence)


def licences(rows: pd.DataFrame) -> dict[str, int]:
    """Count the images of each licence, the most frequent first; :data:`UNKNOWN` where a source states none."""
    stated: pd.Series[Any] = rows["license"] if "license" in rows else pd.Series([None] * len(rows), dtype=object)
    counts = stated.fillna(UNKNOWN).value_counts()
    return {str(name): int(n) for name, n in sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))}


def one_licence(rows: pd.DataFrame) -> str:
    """Give the licence that all images have, or nothing."""
    counts = licences(rows)
    return next(iter(counts)) if len(counts) == 1 and UNKNOWN not in counts else ""
