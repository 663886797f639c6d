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

from curator.text import is_web_address

REF = "LicenseRef-"
"""What an identifier begins with that is not SPDX's own: https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/."""

PUBLIC_DOMAIN, NO_KNOWN = f"{REF}Public-Domain", f"{REF}No-Known-Copyright"
GOVERNMENT, RESERVED = f"{REF}US-Government-Work", f"{REF}All-Rights-Reserved"
CC0, MARK, DEDICATION = "CC0-1.0", "CC-PDM-1.0", "CC-PDDC"
LONGEST = 300
"""The characters of the longest text that is read: longer ones are terms of use, and say more than a name."""
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
    **dict.fromkeys(("gnu free documentation license 1.2", "gfdl 1.2 only"), "GFDL-1.2"),
    **{f"gfdl{mark}{n}+": f"GFDL-{n}-or-later" for n in ("1.1", "1.2", "1.3") for mark in " -"},
    **dict.fromkeys(("pd", "public domain", "publicdomain", "public-domain"), PUBLIC_DOMAIN),
    **dict.fromkeys(("pd-self", "pd-user", "pd-author"), PUBLIC_DOMAIN),
    **dict.fromkeys(("pdm", "pdm 1.0", "pdm-1.0", "public domain mark", "public domain mark 1.0"), MARK),
    **dict.fromkeys(("cc pdm 1.0", "creative commons public domain mark 1.0", "cc-pdm", "cc-pd-mark"), MARK),
    **dict.fromkeys(("public domain dedication (cc0)", "cc zero", "cc-zero"), CC0),
    "flickr-no known copyright restrictions": NO_KNOWN,
    **dict.fromkeys(("no known copyright restrictions", "no known copyright", "no restrictions", "nkc"), NO_KNOWN),
    **dict.fromkeys(("pd-usgov", "pd us government"), GOVERNMENT),
    **dict.fromkeys(("united states government work", "us government work", "u.s. government work"), GOVERNMENT),
    **dict.fromkeys(("c", "(c)", "©", "arr", "copyright", "copyrighted", "in copyright", "inc"), RESERVED),
}
_FLICKR = {
    **dict(enumerate(("BY-NC-SA", "BY-NC", "BY-NC-ND", "BY", "BY-SA", "BY-ND"), 1)),
    **{0: RESERVED, 7: NO_KNOWN, 8: GOVERNMENT, 9: CC0, 10: MARK},
}
"""https://www.flickr.com/services/api/flickr.photos.licenses.getInfo.html; COCO has the same from 1 to 8."""
_NUMBERS = {str(n): f"CC-{name}-2.0" if name.startswith("BY") else name for n, name in _FLICKR.items()}
_PORT = (
    "(?:igo|scotland|a[mrtuz]|b[egr]|c[ahlnorz]|d[ek]|e[cegs]|f[ir]|g[ert]|h[kru]|i[elnt]|jp|kr|lu|m[ktxy]|n[loz]|p[ehlrt]|"
    "r[os]|s[egi]|t[hw]|u[agks]|v[en]|za)"
)
"""The jurisdictions whose law versions 1.0 to 3.0 were ported to: https://creativecommons.org/licenses/list."""
_PAGE = r"(?:/(?:deed|legalcode|rdf)(?:\.(?!(?:by|nc|nd|sa)\b)[a-z]{2,3}(?:-[a-z]{2,5})?)?)?"
"""What may follow in an address of Creative Commons: the form of the page, and its language."""
_ADDRESSES = tuple(
    (re.compile(pattern), found)
    for pattern, found in (
        (rf"creativecommons\.org/(?:publicdomain|licenses)/(?:zero|cc0)(?:/1\.0)?{_PAGE}", CC0),
        (rf"creativecommons\.org/publicdomain/mark(?:/1\.0)?{_PAGE}", MARK),
        (rf"creativecommons\.org/(?:licenses/publicdomain|publicdomain/certification/1\.0(?:/us)?){_PAGE}", DEDICATION),
        (r"flickr\.com/commons/usage", NO_KNOWN),
        (r"rightsstatements\.org/(?:vocab|page)/nkc/1\.0", NO_KNOWN),
        (r"rightsstatements\.org/(?:vocab|page)/inc(?:-(?:ow-eu|edu|nc|ruu))?/1\.0", RESERVED),
        (r"flickrhelp\.com/hc/[a-z-]+/articles/10710266545556(?:-[a-z-]*)?", RESERVED),
        (r"usa\.gov/(?:copyright\.shtml|government-works|government-copyright)", GOVERNMENT),
        (r"gnu\.org/(?:copyleft|licenses)/fdl(?:\.[a-z]{2})?(?:\.html|\.txt)?", f"{REF}GFDL"),
        (r"artlibre\.org/licence/lal(?:/[a-z]{2})?", f"{REF}LAL"),
        (r"opendatacommons\.org/licenses/by(?:/1[.-]0)?(?:/summary)?", "ODC-By-1.0"),
        (r"opendatacommons\.org/licenses/odbl(?:/1[.-]0)?(?:/summary)?", "ODbL-1.0"),
        (r"opendatacommons\.org/licenses/pddl(?:/1[.-]0)?(?:/summary)?", "PDDL-1.0"),
    )
)
_NAMED_BY = re.compile(
    r"(?:apache\.org/licenses/license-(?P<apache>2\.0)|gnu\.org/licenses/(?:old-licenses/)?(?P<gnu>(?:[al]?gpl|fdl)-\d\.\d)"
    r"|(?:spdx\.org/licenses|opensource\.org/licenses?)/(?P<name>[a-z0-9-]+(?:\.\d[a-z0-9-]*)?))"
    r"(?:\.en)?(?:\.html|\.json|\.txt)?",
    re.ASCII,
)
_QUERY = re.compile(r"(?:\?(?:ref=(?:chooser-v1|openverse|ccsearch(?:&atype=[a-z]+)?)|lang(?:uage)?=[a-z]{2})?)?#?$")
"""What says who links to a licence, or in which language its page is; anything else may say more."""
_CC_ADDRESS = re.compile(
    rf"creativecommons\.org/licenses/(?P<terms>[a-z-]+)(?:/(?P<version>\d\.\d)(?:/(?P<port>{_PORT}))?)?{_PAGE}",
    re.ASCII,
)
_WORDS = {
    "by": "by|attribution",
    "nc": "nc|non[ -]?commercial",
    "nd": "nd|no[ -]?deriv(?:ative)?s?(?: works)?",
    "sa": "sa|share[ -]?alike",
}
"""The short and long names of https://creativecommons.org/licenses/."""
_TERM = "|".join(f"(?P<{short}>{words})" for short, words in _WORDS.items())
_A_TERM, _A_VERSION = "|".join(_WORDS.values()), r"[1-4]\.[0-9]"
_LICENCE = " licen[cs]e"
_NAME = re.compile(
    rf"(?:(?:cc|creative[ -]commons)[ -]?)?(?P<terms>(?:{_A_TERM})(?:(?: - |, ?|[ -])?(?:{_A_TERM})){{0,3}})"
    rf"(?:{_LICENCE})?(?:(?:, ?|[ -])?(?:version |v\.? ?)?(?P<version>[1-4](?:[.-][0-9])?)"
    rf"(?:(?P<more>(?:, ?{_A_VERSION}){{1,5}})|[ -](?P<port>{_PORT}))?"
    rf"(?:[ -](?:(?:international|unported|generic)(?: public(?={_LICENCE}))?|migrated))?(?:{_LICENCE})?)?"
)
"""A name of Creative Commons: its terms, its version or versions, the jurisdiction, and nothing else."""
_ZERO = re.compile(
    r"(?:cc|creative commons)[ -]?(?:0|zero|cc0)(?:[ -]v?1(?:[.-]0)?)?(?: universal)?"
    r"(?: \(cc[ -]?0(?: 1\.0)?\))?(?:(?:: ?|, ?| - | )public domain(?: dedication)?)?"
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


def spdx_id(text: str) -> str | None:
    """Return the identifier of the licence that a text states; None if it states none, or none that is known here.

    A text is recognised whole or not at all: what goes on with words of its own may mean another licence. Only "all
    rights reserved" counts beside other words, as no licence allows less.
    """
    return _read(text) if len(text) <= LONGEST else None


@lru_cache(maxsize=65_536)
def _read(text: str) -> str | None:
    plain = unicodedata.normalize("NFKC", text).casefold()
    plain = " ".join(re.sub("[\u2010-\u2015\u2212_]", "-", plain).split())
    if "all rights reserved" in plain and "not all rights reserved" not in plain:
        return RESERVED
    if any(char.isdigit() and not char.isdecimal() for char in text):  # the mark of a footnote: CC BY 4.0²
        return None
    if plain in _NUMBERS:
        return _NUMBERS[plain]
    if not plain.endswith(".."):  # of a text that was cut
        plain = plain.removesuffix(".").rstrip()
    if plain.startswith(REF.casefold()):
        return _reference(plain.removeprefix(REF.casefold()))
    address = re.sub(r"^(?:https?:)?(?://)?(?:www\.)?", "", plain)
    host, slash, _ = address.partition("/")
    if slash and "." in host:
        return _of_address(_QUERY.sub("", address, count=1).rstrip("/"))
    if _ZERO.fullmatch(plain):
        return CC0
    return _KNOWN.get(plain) or _KNOWN.get(plain.replace(" ", "-")) or _of_name(plain)


def _reference(name: str) -> str | None:
    known = {one.removeprefix(REF).casefold(): one for one in (*_KNOWN.values(), RESERVED, NO_KNOWN) if REF in one}
    found = known.get(name) or _of_name(name)
    return found if found and found.removeprefix(REF).casefold() == name else None


def _of_address(address: str) -> str | None:
    for pattern, found in _ADDRESSES:
        if pattern.fullmatch(address):
            return found
    if named := _CC_ADDRESS.fullmatch(address):
        return _creative_commons(named["terms"].split("-"), named["version"], named["port"])
    if named := _NAMED_BY.fullmatch(address):
        name = f"apache-{named['apache']}" if named["apache"] else named["name"] or re.sub("^fdl", "gfdl", named["gnu"])
        known = _KNOWN.get(name) or _of_name(name)
        return known if known and known.casefold() == name else None
    return None


def _of_name(plain: str) -> str | None:
    """Read a name of Creative Commons, or its long name with the short one in parentheses, if both say the same."""
    if plain == "attribution":  # of Wikimedia, which is no licence of Creative Commons
        return None
    long, opened, short = plain.partition(" (")
    stated = _of_terms(long)
    if not opened:
        return stated
    within = _of_terms(short[:-1]) if short.endswith(")") else None
    return within if within and stated in (within, _without_version(within)) else None


def _of_terms(plain: str) -> str | None:
    if not (named := _NAME.fullmatch(plain)):
        return None
    terms = [one.lastgroup or "" for one in re.finditer(_TERM, named["terms"])]
    version = (named["version"] or "").replace("-", ".")
    versions = [f"{version}.0" if len(version) == 1 else version, *re.findall(_A_VERSION, named["more"] or "")]
    if version and not {*versions} <= {*_VERSIONS}:
        return None
    return _creative_commons(terms, versions[0] or None, named["port"])


def _without_version(found: str | None) -> str | None:
    return f"{REF}{re.sub(r'-[0-9].*', '', found.removeprefix(REF))}" if found else None


def _creative_commons(terms: Sequence[str], version: str | None, port: str | None) -> str | None:
    """Name a licence of Creative Commons: terms in the order of SPDX; None if there is none with these."""
    is_known = set(terms) <= {*_TERMS} and len(set(terms)) == len(terms) and not {"nd", "sa"} <= {*terms}
    if not (terms and is_known) or (version and version not in _VERSIONS):
        return None
    if port and (version in (None, "4.0") or (port == "igo" and version != "3.0")):  # there is no such
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
