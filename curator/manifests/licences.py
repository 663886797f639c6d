"""What licences are called: a name for people, one for Hugging Face, an address, and how many images each has.

>>> licence_id("https://creativecommons.org/licenses/by/2.0/"), licence_name("http://creativecommons.org/licenses/by/2.0")
('cc-by-2.0', 'CC BY 2.0')
>>> licence_id("CC BY-SA 2.0"), licence_id("https://creativecommons.org/publicdomain/mark/1.0/")  # the Hub has neither
('other', 'other')
>>> licence_name("CC_BY_NC_4_0"), licence_name("cc0-1.0"), licence_name("https://www.pexels.com/license/")
('CC BY-NC 4.0', 'CC0 1.0', 'pexels.com/license')
>>> licence_address("CC BY-SA 4.0"), licence_address("all rights reserved")
('https://creativecommons.org/licenses/by-sa/4.0/', None)
"""

from __future__ import annotations

import re

import pandas as pd

from curator.addresses import is_web_address

UNKNOWN = "licence not stated"
_COMMONS = "https://creativecommons.org"
_CREATIVE_COMMONS = (
    re.compile(r"(?:https?://)?(?:www\.)?creativecommons\.org/licenses/([a-z-]+)/(\d\.\d)\b.*", re.IGNORECASE),
    re.compile(r"cc[ _-](by(?:[ _-](?:nc|nd|sa))*)[ _-]v?(\d[._]\d)", re.IGNORECASE),
)
_PUBLIC_DOMAIN = (
    (
        re.compile(r".*publicdomain/zero/1\.0.*|cc[ _-]?0(?:[ _-]v?1[._]0)?(?: universal)?", re.IGNORECASE),
        ("cc0-1.0", "CC0 1.0"),
    ),
    (
        re.compile(r".*publicdomain/mark/1\.0.*|(?:pdm|public domain mark)(?:[ _-]1[._]0)?", re.IGNORECASE),
        ("other", "Public Domain Mark 1.0"),
    ),
)
_PAGES = {
    "CC0 1.0": f"{_COMMONS}/publicdomain/zero/1.0/",
    "Public Domain Mark 1.0": f"{_COMMONS}/publicdomain/mark/1.0/",
}
_HUB_COMMONS = {
    "by": ("2.0", "2.5", "3.0", "4.0"),
    "by-sa": ("3.0", "4.0"),
    "by-nc": ("2.0", "3.0", "4.0"),
    "by-nd": ("4.0",),
    "by-nc-nd": ("3.0", "4.0"),
    "by-nc-sa": ("2.0", "3.0", "4.0"),
}
"""The licences of Creative Commons that the Hub knows: https://huggingface.co/docs/hub/repositories-licenses."""
_HUB_OTHERS = frozenset(
    (
        *("apache-2.0", "mit", "bsd", "bsd-2-clause", "bsd-3-clause", "c-uda", "cc", "cdla-sharing-1.0"),
        *("cdla-permissive-1.0", "cdla-permissive-2.0", "etalab-2.0", "gfdl", "gpl-2.0", "gpl-3.0", "lgpl-3.0"),
        *("agpl-3.0", "mpl-2.0", "odc-by", "odbl", "pddl", "unlicense", "wtfpl", "zlib", "unknown"),
    )
)
"""What else a source may call a licence that the Hub calls so too."""
_ADDRESS = re.compile(r"https?://(?:www\.)?", re.IGNORECASE)


def _creative_commons(licence: str) -> tuple[str, str] | None:
    """Return the terms (``by-nc``) and the version of a Creative Commons licence, whichever way it is written."""
    found = next((match for form in _CREATIVE_COMMONS if (match := form.fullmatch(licence.strip()))), None)
    return (re.sub("[ _]", "-", found[1]).lower(), found[2].replace("_", ".")) if found else None


def _public_domain(licence: str) -> tuple[str, str] | None:
    return next((names for form, names in _PUBLIC_DOMAIN if form.fullmatch(licence.strip())), None)


def licence_id(licence: str) -> str:
    """Return Hugging Face's name of a licence; ``other`` if it has none: the Hub refuses what it does not know."""
    if found := _creative_commons(licence):
        return f"cc-{found[0]}-{found[1]}" if found[1] in _HUB_COMMONS.get(found[0], ()) else "other"
    if names := _public_domain(licence):
        return names[0]
    plain = re.sub("[ _]", "-", licence.strip().lower())
    return "unknown" if licence == UNKNOWN else plain if plain in _HUB_OTHERS else "other"


def licence_name(licence: str) -> str:
    """Return the short name of a licence of Creative Commons, host and path of another address, other text as it is."""
    if found := _creative_commons(licence):
        return f"CC {found[0].upper()} {found[1]}"
    names = _public_domain(licence)
    return names[1] if names else _ADDRESS.sub("", licence).rstrip("/") if is_web_address(licence) else licence


def licence_address(licence: str) -> str | None:
    """Return the web page of a licence, None if it has none that is known."""
    if is_web_address(licence):
        return licence
    found = _creative_commons(licence)
    return f"{_COMMONS}/licenses/{found[0]}/{found[1]}/" if found else _PAGES.get(licence_name(licence))


def licences(rows: pd.DataFrame) -> dict[str, int]:
    """Count the images of each licence, the most frequent first; :data:`UNKNOWN` if a source states none."""
    stated = rows.get("license", pd.Series(None, index=rows.index, dtype=object))
    counts = stated.fillna(UNKNOWN).value_counts()
    return {str(name): int(n) for name, n in sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))}
