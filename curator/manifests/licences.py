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
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog
from curator.catalog import as_arrow
from curator.manifests.spdx import CC0, GOVERNMENT, MARK, NO_KNOWN, PUBLIC_DOMAIN, REF, RESERVED, spdx_id
from curator.text import is_web_address

if TYPE_CHECKING:
    import pandas as pd

UNKNOWN, OTHERS = "licence not stated", "other licences"
MOST_KEYS, MOST_TEXTS = 40, 1_000
"""Licences that are counted one by one, and texts that are read to know them; all others are counted together."""
_COMMONS = "https://creativecommons.org"
_NAMES = {
    CC0: "CC0 1.0",
    MARK: "Public Domain Mark 1.0",
    PUBLIC_DOMAIN: "public domain",
    NO_KNOWN: "no known copyright restrictions",
    GOVERNMENT: "United States government work",
    RESERVED: "all rights reserved",
}
_PAGES = {
    CC0: f"{_COMMONS}/publicdomain/zero/1.0/",
    MARK: f"{_COMMONS}/publicdomain/mark/1.0/",
    NO_KNOWN: "https://www.flickr.com/commons/usage/",
    GOVERNMENT: "https://www.usa.gov/government-works",
}
_HUB_COMMONS = {
    "BY": ("2.0", "2.5", "3.0", "4.0"),
    "BY-SA": ("3.0", "4.0"),
    "BY-NC": ("2.0", "3.0", "4.0"),
    "BY-ND": ("4.0",),
    "BY-NC-ND": ("3.0", "4.0"),
    "BY-NC-SA": ("2.0", "3.0", "4.0"),
}
"""The licences of Creative Commons that the Hub knows: https://huggingface.co/docs/hub/repositories-licenses."""
_HUB_OTHERS = frozenset(
    (
        *("apache-2.0", "mit", "bsd", "bsd-2-clause", "bsd-3-clause", "c-uda", "cc", "cdla-sharing-1.0", "cc0-1.0"),
        *("cdla-permissive-1.0", "cdla-permissive-2.0", "etalab-2.0", "gfdl", "gpl-2.0", "gpl-3.0", "lgpl-3.0"),
        *("agpl-3.0", "mpl-2.0", "odc-by", "odbl", "pddl", "unlicense", "wtfpl", "zlib", "unknown"),
    )
)
"""What else a source may call a licence that the Hub calls so too."""
_HUB_WITHOUT_VERSION = {"ODC-By-1.0": "odc-by", "ODbL-1.0": "odbl", "PDDL-1.0": "pddl", "C-UDA-1.0": "c-uda"}
_PASSED_ON = (PUBLIC_DOMAIN, NO_KNOWN, GOVERNMENT, f"{REF}GFDL", f"{REF}LAL", f"{REF}BSD")
"""What has no identifier of SPDX, and lets a picture be passed on."""
_ADDRESS = re.compile(r"https?://(?:www\.)?", re.IGNORECASE)
_CC = re.compile(
    rf"(?:{REF})?CC-(?P<terms>(?:BY|NC|ND|SA)(?:-(?:NC|ND|SA))*)(?:-(?P<version>\d\.\d)(?:-(?P<port>[A-Z]+))?)?"
)


def _creative_commons(licence: str) -> tuple[str, str, str] | None:
    """Return the terms (``BY-NC``), version and jurisdiction of a Creative Commons licence, however it is written."""
    found = _CC.fullmatch(spdx_id(licence) or "")
    return (found["terms"], found["version"] or "", found["port"] or "") if found else None


def licence_id(licence: str) -> str:
    """Return Hugging Face's name of a licence; ``other`` if it has none: the Hub refuses what it does not know."""
    if licence == UNKNOWN:
        return "unknown"
    if found := _creative_commons(licence):
        terms, version, port = found
        is_known = version in _HUB_COMMONS.get(terms, ()) and not port
        return f"cc-{terms.lower()}-{version}" if is_known else "other"
    known = spdx_id(licence) or licence.strip()
    plain = _HUB_WITHOUT_VERSION.get(known) or re.sub("[ _]", "-", known.removeprefix(REF).lower())
    return plain if plain in _HUB_OTHERS else "other"


def licence_name(licence: str) -> str:
    """Return the short name of a licence that is known, host and path of another address, other text as it is."""
    if found := _creative_commons(licence):
        return f"CC {' '.join(filter(None, found))}"
    if known := spdx_id(licence):
        return _NAMES.get(known, known.removeprefix(REF))
    return _ADDRESS.sub("", licence).rstrip("/") if is_web_address(licence) else licence


def licence_address(licence: str) -> str | None:
    """Return the web page of a licence, None if it has none that is known."""
    if is_web_address(licence):
        return licence
    if found := _creative_commons(licence):
        terms, version, port = (part.lower() for part in found)
        return f"{_COMMONS}/licenses/{terms}/{version}/{f'{port}/' if port else ''}" if version else None
    known = spdx_id(licence) or REF
    return _PAGES.get(known) or (None if known.startswith(REF) else f"https://spdx.org/licenses/{known}.html")


def is_attributed(licence: str) -> bool:
    """Return whether a licence is known to ask that the author is named.

    >>> is_attributed("CC BY-NC 2.0"), is_attributed("CC0"), is_attributed("somebody's own")
    (True, False, False)
    """
    found = _creative_commons(licence)
    return found is not None and "BY" in found[0].split("-")


def may_be_passed_on(stated: str, *, is_changed: bool = False) -> bool:
    """Return whether a licence is known to let anybody pass the picture on; a changed one (resized), if that is said.

    What a source does not state, and terms that are not known here, let nobody.

    >>> [may_be_passed_on(one) for one in ("CC BY-NC-ND 4.0", "CC0", "public domain", "all rights reserved", "ask me")]
    [True, True, True, False, False]
    >>> may_be_passed_on("CC BY-NC-ND 4.0", is_changed=True), may_be_passed_on(UNKNOWN)
    (False, False)
    """
    if found := _creative_commons(stated):
        return not (is_changed and "ND" in found[0].split("-"))
    known = spdx_id(stated)
    return known is not None and (known in _PASSED_ON or not known.startswith(REF))


def licence_key(stated: str | None) -> str:
    """Return what a licence is counted under: its SPDX identifier, else its text, else :data:`UNKNOWN`."""
    return (spdx_id(stated) or stated) if stated else UNKNOWN


def licence_keys(rows: pd.DataFrame | pa.Table) -> pa.Array:
    """Return :func:`licence_key` of each row's licence; all are unknown if there is no such column."""
    if "license" not in catalog.names_of(rows):
        return pa.repeat(pa.scalar(UNKNOWN), len(rows))
    return _keys(as_arrow(rows["license"], pa.string()))


def _keys(stated: pa.Array) -> pa.Array:
    coded = stated.dictionary_encode()
    names = pa.array([*(licence_key(one) for one in coded.dictionary.to_pylist()), UNKNOWN], pa.string())
    return names.take(coded.indices.fill_null(len(names) - 1))


def frequent_keys(rows: pd.DataFrame | pa.Table) -> pa.Array:
    """Return :func:`licence_keys`, but one name for all that are rare: a source may state another text in each row."""
    stated = as_arrow(rows["license"], pa.string())
    is_read = pc.or_(pc.is_null(stated), pc.is_in(stated, _most_frequent(stated, MOST_TEXTS)))
    keys = _keys(pc.if_else(is_read, stated, OTHERS))
    return pc.if_else(pc.is_in(keys, _most_frequent(keys, MOST_KEYS)), keys, OTHERS)


def _most_frequent(texts: pa.Array, n: int) -> pa.Array:
    counted = catalog.count_values(texts)
    return pa.array(sorted(counted, key=lambda text: -counted[text])[:n], pa.string())


def spdx_ids(rows: pd.DataFrame) -> list[Any]:
    """Return the SPDX identifier of each row's licence, None if it states none that is known."""
    return [spdx_id(key) for key in licence_keys(rows).to_pylist()]


def licences(rows: pd.DataFrame | pa.Table) -> dict[str, int]:
    """Count the images of each licence, by :func:`licence_key`, the most frequent first."""
    return dict(sorted(catalog.count_values(licence_keys(rows)).items(), key=lambda item: (-item[1], item[0])))
