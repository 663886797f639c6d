"""Which licence a text states, as its SPDX identifier, however a source writes it; and whether a recipe allows it.

Addresses, names, Flickr's and COCO's numbers, the cards of Hugging Face, the words of Wikimedia, iNaturalist and GBIF:

>>> spdx_id("https://creativecommons.org/licenses/by/2.0/deed.en"), spdx_id("CC BY-SA 4.0"), spdx_id("4")
('CC-BY-2.0', 'CC-BY-SA-4.0', 'CC-BY-2.0')
>>> spdx_id("CC_BY_NC_4_0"), spdx_id("Creative Commons Attribution-NonCommercial 3.0 Unported"), spdx_id("CC0")
('CC-BY-NC-4.0', 'CC-BY-NC-3.0', 'CC0-1.0')

What SPDX has no identifier for is a ``LicenseRef-``, as its specification says; what is not recognised is None.

>>> spdx_id("CC BY"), spdx_id("Public domain"), spdx_id("free for friends"), spdx_id("")
('LicenseRef-CC-BY', 'LicenseRef-Public-Domain', None, None)
>>> is_allowed("CC BY 4.0", ["CC-BY"]), is_allowed("CC BY-NC 4.0", ["CC-BY"]), is_allowed("CC BY 4.0", ["CC-BY-2.0"])
(True, False, False)
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from curator.addresses import is_web_address

REF = "LicenseRef-"
"""What an identifier begins with that is not SPDX's own: https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/."""

PUBLIC_DOMAIN, NO_KNOWN = f"{REF}Public-Domain", f"{REF}No-Known-Copyright"
GOVERNMENT, RESERVED = f"{REF}US-Government-Work", f"{REF}All-Rights-Reserved"
CC0, MARK, DEDICATION = "CC0-1.0", "CC-PDM-1.0", "CC-PDDC"
FAMILIES = ("CC0", "PDM", "CC-BY", "CC-BY-SA", "CC-BY-ND", "CC-BY-NC", "CC-BY-NC-SA", "CC-BY-NC-ND")
"""What most recipes allow, each in any version."""

_OTHERS = """
    AFL-3.0 AGPL-3.0 Apache-2.0 Artistic-2.0 BSD-2-Clause BSD-3-Clause BSL-1.0 C-UDA-1.0 CC-PDDC CC-PDM-1.0 CC-SA-1.0
    CC0-1.0 CDLA-Permissive-1.0 CDLA-Permissive-2.0 CDLA-Sharing-1.0 ECL-2.0 EPL-1.0 EPL-2.0 etalab-2.0 EUPL-1.1
    EUPL-1.2 GFDL-1.1 GFDL-1.2 GFDL-1.3 GPL-2.0 GPL-3.0 ISC LAL-1.2 LAL-1.3 LGPL-2.1 LGPL-3.0 MIT MPL-2.0 MS-PL NCSA
    ODbL-1.0 ODC-By-1.0 OFL-1.1 OGL-UK-1.0 OGL-UK-2.0 OGL-UK-3.0 OSL-3.0 PDDL-1.0 PostgreSQL Unlicense WTFPL Zlib
"""
"""Further identifiers of https://spdx.org/licenses/ that data sets and images state."""
_KNOWN = {name.casefold(): name for name in _OTHERS.split()}
_KNOWN |= {
    f"{name}-{end}".casefold(): f"{name}-{end}"
    for name in ("AGPL-3.0", "GFDL-1.1", "GFDL-1.2", "GFDL-1.3", "GPL-2.0", "GPL-3.0", "LGPL-2.1", "LGPL-3.0")
    for end in ("only", "or-later")
}
_KNOWN |= {
    **{"odbl": "ODbL-1.0", "odc-by": "ODC-By-1.0", "pddl": "PDDL-1.0", "c-uda": "C-UDA-1.0", "zlib": "Zlib"},
    **{"gfdl": f"{REF}GFDL", "gnu free documentation license": f"{REF}GFDL", "bsd": f"{REF}BSD"},
    **dict.fromkeys(("fal", "lal", "free art license", "free art licence", "licence art libre"), f"{REF}LAL"),
    **dict.fromkeys(("pd", "public domain", "publicdomain"), PUBLIC_DOMAIN),
    **dict.fromkeys(("pdm", "pdm 1.0", "pdm-1.0", "public domain mark", "public domain mark 1.0"), MARK),
    **dict.fromkeys(("cc pdm 1.0", "creative commons public domain mark 1.0", "cc-pdm"), MARK),
    **dict.fromkeys(("public domain dedication (cc0)", "zero", "cc zero", "cc-zero"), CC0),
    **dict.fromkeys(("no known copyright restrictions", "no known copyright", "no restrictions", "nkc"), NO_KNOWN),
    **dict.fromkeys(("united states government work", "us government work", "u.s. government work"), GOVERNMENT),
    **dict.fromkeys(("c", "(c)", "©", "arr", "copyright", "copyrighted", "in copyright", "inc"), RESERVED),
}
_FLICKR = {
    **dict(enumerate(("BY-NC-SA", "BY-NC", "BY-NC-ND", "BY", "BY-SA", "BY-ND"), 1)),
    **{0: RESERVED, 7: NO_KNOWN, 8: GOVERNMENT, 9: CC0, 10: MARK},
}
"""https://www.flickr.com/services/api/flickr.photos.licenses.getInfo.html; COCO has the same from 1 to 8."""
_ADDRESSES = (
    (r"creativecommons\.org/(?:publicdomain|licenses)/(?:zero|cc0)(?:/1\.0)?(?:/.*)?", CC0),
    (r"creativecommons\.org/publicdomain/mark(?:/1\.0)?(?:/.*)?", MARK),
    (r"creativecommons\.org/(?:licenses/publicdomain|publicdomain/certification/1\.0)(?:/.*)?", DEDICATION),
    (r"flickr\.com/commons/usage", NO_KNOWN),
    (r"rightsstatements\.org/(?:vocab|page)/nkc/1\.0(?:/.*)?", NO_KNOWN),
    (r"rightsstatements\.org/(?:vocab|page)/inc(?:-[a-z-]+)?/1\.0(?:/.*)?", RESERVED),
    (r"flickrhelp\.com/hc/[a-z-]+/articles/10710266545556.*", RESERVED),
    (r"usa\.gov/(?:copyright\.shtml|government-works|government-copyright)", GOVERNMENT),
    (r"gnu\.org/(?:copyleft|licenses)/fdl(?:\.[a-z.]+)?", f"{REF}GFDL"),
    (r"artlibre\.org(?:/.*)?", f"{REF}LAL"),
    (r"opendatacommons\.org/licenses/by(?:/.*)?", "ODC-By-1.0"),
)
_NAMED_BY = re.compile(
    r"(?:spdx\.org/licenses|opensource\.org/licenses?|gnu\.org/licenses|apache\.org/licenses|opendatacommons\.org/licenses)"
    r"/(?:license-(?P<apache>\d\.\d)|(?P<name>[^/]+?))(?:\.html|\.json|\.txt|\.en)*(?:/.*)?"
)
_CC_ADDRESS = re.compile(
    r"creativecommons\.org/licenses/(?P<terms>[a-z-]+)(?:/(?P<version>\d\.\d))?(?:/(?P<port>[a-z]{2,8}))?"
    r"(?:/?(?:deed|legalcode|rdf)(?:\.[\w-]+)?)?"
)
_LONG = (
    (r"creative[ -]commons", "cc"),
    (r"share[ -]?alike", "sa"),
    (r"non[ -]?commercial", "nc"),
    (r"no[ -]?deriv(?:ative)?s?(?: works)?", "nd"),
    (r"attribution", "by"),
    (r"\b(?:licen[sc]e|international|unported|generic|public|migrated|version)\b", " "),
)
"""The long names of https://creativecommons.org/licenses/, and what they say in short."""
_ZERO = re.compile(
    r"(?:(?:cc|creative commons)[ -]*(?:cc)?(?:0|zero)|zero)[ :,-]*(?:v?1(?:[.-]0)?)?(?: universal)?"
    r"(?: \(cc[ -]?0(?: 1\.0)?\))?[ :,-]*(?:public domain(?: dedication)?)?"
)
_TERMS, _VERSIONS = ("by", "nc", "nd", "sa"), ("1.0", "2.0", "2.1", "2.5", "3.0", "4.0")
_PORTS = frozenset(
    (
        *("BY-2.5-AU", "BY-3.0-AT", "BY-3.0-AU", "BY-3.0-DE", "BY-3.0-IGO", "BY-3.0-NL", "BY-3.0-US", "BY-NC-3.0-DE"),
        *("BY-NC-ND-3.0-DE", "BY-NC-ND-3.0-IGO", "BY-NC-SA-2.0-DE", "BY-NC-SA-2.0-FR", "BY-NC-SA-2.0-UK"),
        *("BY-NC-SA-3.0-DE", "BY-NC-SA-3.0-IGO", "BY-ND-3.0-DE", "BY-SA-2.0-UK", "BY-SA-2.1-JP", "BY-SA-3.0-AT"),
        *("BY-SA-3.0-DE", "BY-SA-3.0-IGO"),
    )
)
"""The licences of one jurisdiction that SPDX names."""


@lru_cache(maxsize=65_536)
def spdx_id(text: str) -> str | None:
    """Return the identifier of the licence that a text states; None if it states none, or none that is known here.

    A text is recognised whole or not at all: what goes on with words of its own may mean another licence.
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    plain = " ".join(re.sub("[\u2010-\u2015\u2212_]", "-", plain).split()).strip(" .;,")
    if plain.startswith(REF.casefold()):
        return _reference(plain.removeprefix(REF.casefold()))
    address = re.sub(r"^(?:https?:)?(?://)?(?:www\.)?", "", plain).partition("#")[0].partition("?")[0].rstrip("/")
    if "/" in address and "." in address.partition("/")[0]:
        return _of_address(address)
    if re.fullmatch(r"\d{1,2}", plain):
        found = _FLICKR.get(int(plain))
        return f"CC-{found}-2.0" if found and found.startswith("BY") else found
    if "all rights reserved" in plain:
        return RESERVED
    if plain == "attribution":  # of Wikimedia, which is no licence of Creative Commons
        return None
    if _ZERO.fullmatch(plain):
        return CC0
    return _KNOWN.get(plain) or _KNOWN.get(plain.replace(" ", "-")) or _of_name(plain)


def _reference(name: str) -> str | None:
    known = {one.removeprefix(REF).casefold(): one for one in (*_KNOWN.values(), RESERVED, NO_KNOWN) if REF in one}
    return known.get(name) or _of_name(name)


def _of_address(address: str) -> str | None:
    for pattern, found in _ADDRESSES:
        if re.fullmatch(pattern, address):
            return found
    if named := _CC_ADDRESS.fullmatch(address):
        return _creative_commons(named["terms"].split("-"), named["version"], named["port"])
    if named := _NAMED_BY.fullmatch(address):
        name = f"apache-{named['apache']}" if named["apache"] else re.sub("^fdl-", "gfdl-", named["name"])
        return _KNOWN.get(name) or (None if "/" in name else _of_name(name))
    return None


def _of_name(plain: str) -> str | None:
    """Read a name of Creative Commons: its terms, its version, the jurisdiction, and nothing else."""
    if inner := re.search(r"\((cc[ -][^()]*)\)$", plain):
        before, within = _of_name(plain[: inner.start()].strip()), _of_name(inner[1])
        return within if before == within or before is None or before == _without_version(within) else None
    for pattern, word in _LONG:
        plain = re.sub(pattern, word, plain)
    plain = re.sub(r"^cc(?=by)|(?<=by)(?=sa|nc|nd)", lambda found: f"{found[0]}-", plain)
    plain = re.sub(r"(?<=[a-z])v?(?=\d)|\bv(?=\d)", " ", plain)
    plain = re.sub(r"\b(\d)[ -](\d)\b(?!\.)", r"\1.\2", plain)
    words = re.split(r"[ ,/:-]+", plain.strip(" ,-"))
    words = words[1:] if words[0] == "cc" and len(words) > 1 else words
    n_terms = next((place for place, word in enumerate(words) if word not in _TERMS), len(words))
    terms, rest = words[:n_terms], [f"{word}.0" if re.fullmatch(r"\d", word) else word for word in words[n_terms:]]
    n_versions = next((place for place, word in enumerate(rest) if not re.fullmatch(r"\d\.\d", word)), len(rest))
    ports = rest[n_versions:]
    if len(ports) > 1 or not all(re.fullmatch("[a-z]{2}|igo|scotland", port) for port in ports):
        return None
    return _creative_commons(terms, rest[0] if n_versions else None, ports[0] if ports else None)


def _without_version(found: str | None) -> str | None:
    return f"{REF}{re.sub(r'-[0-9].*', '', found.removeprefix(REF))}" if found else None


def _creative_commons(terms: Sequence[str], version: str | None, port: str | None) -> str | None:
    """Name a licence of Creative Commons: terms in the order of SPDX; None if there is none with these."""
    is_known = set(terms) <= {*_TERMS} and len(set(terms)) == len(terms) and not {"nd", "sa"} <= {*terms}
    if not (terms and is_known) or (version and version not in _VERSIONS) or (port and not version):
        return None
    name = "-".join(sorted(terms, key=_TERMS.index)).upper()
    name += "".join(f"-{part.upper()}" for part in (version, port) if part)
    if port:
        return f"CC-{name}" if name in _PORTS else f"{REF}CC-{name}"
    is_own = "by" in terms and version in ("1.0", "2.0", "2.5", "3.0", "4.0")
    return f"CC-{name}" if is_own or name == "SA-1.0" else f"{REF}CC-{name}"


def is_licence(text: str) -> bool:
    """Return whether a recipe may allow this: a licence that is known here, or the address of another."""
    return spdx_id(text) is not None or is_web_address(text)


def is_allowed(stated: str, allowed: Sequence[str]) -> bool:
    """Return whether a stated licence is one of these: the same, or one of a family without a version.

    ``CC-BY`` allows it in any version and jurisdiction, ``CC-BY-3.0`` in any jurisdiction, and neither CC-BY-NC. The
    mark ``PDM`` allows what is said in other words to be in the public domain. The address of a licence that is not
    known here allows just that address.
    """
    found = spdx_id(stated)
    return any(_covers(one, stated, found) for one in allowed)


def _covers(one: str, stated: str, found: str | None) -> bool:
    named = spdx_id(one)
    if found is None or named is None:
        return found == named and _bare(one) == _bare(stated)
    family, name = named.removeprefix(REF), found.removeprefix(REF)
    in_family = name.startswith(f"{family}-") and (family[-1].isdigit() or name[len(family) + 1].isdigit())
    return name == family or in_family or (named == MARK and found == PUBLIC_DOMAIN)


def _bare(address: str) -> str:
    return re.sub(r"^https?://(?:www\.)?", "", address.strip().casefold()).rstrip("/")
