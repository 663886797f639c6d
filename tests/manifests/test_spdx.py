"""Licences as sources write them, by their SPDX identifiers; which of them a recipe's words allow."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from curator.errors import RecipeError
from curator.manifests.licences import licence_address, licence_id, licence_name
from curator.manifests.read_recipe import parse_recipe
from curator.manifests.spdx import FAMILIES, LONGEST, is_allowed, is_licence, spdx_id
from curator.sources.registry import source_kinds
from tests.small_worlds import recipe_text

STATED = """
    https://creativecommons.org/licenses/by/2.0/|CC-BY-2.0
    http://creativecommons.org/licenses/by/2.0|CC-BY-2.0
    //creativecommons.org/licenses/by/2.0/de/deed.en|LicenseRef-CC-BY-2.0-DE
    https://creativecommons.org/licenses/by-sa/3.0/de/legalcode|CC-BY-SA-3.0-DE
    https://creativecommons.org/licenses/by-nd-nc/1.0/|CC-BY-NC-ND-1.0
    creativecommons.org/licenses/by-nc-sa/3.0/us/|LicenseRef-CC-BY-NC-SA-3.0-US
    https://creativecommons.org/licenses/by/4.0/legalcode.de|CC-BY-4.0
    https://creativecommons.org/licenses/by/4.0/?ref=chooser-v1|CC-BY-4.0
    https://creativecommons.org/licenses/by/|LicenseRef-CC-BY
    https://creativecommons.org/publicdomain/zero/1.0/legalcode|CC0-1.0
    https://creativecommons.org/publicdomain/mark/1.0/|CC-PDM-1.0
    https://creativecommons.org/licenses/publicdomain/|CC-PDDC
    CC BY-SA 4.0|CC-BY-SA-4.0
    cc-by-nc|LicenseRef-CC-BY-NC
    CC BY\u2011SA 4.0|CC-BY-SA-4.0
    cc-by-sa-3.0-de|CC-BY-SA-3.0-DE
    CC BY-SA 3.0 de|CC-BY-SA-3.0-DE
    cc-by-sa-3.0-migrated|CC-BY-SA-3.0
    cc-by-sa-4.0,3.0,2.5,2.0,1.0|CC-BY-SA-4.0
    CC BY-SA 2.5,2.0,1.0|CC-BY-SA-2.5
    CC_BY_NC_4_0|CC-BY-NC-4.0
    CC0_1_0|CC0-1.0
    CC-BY-NC-ND 4.0|CC-BY-NC-ND-4.0
    Attribution License|LicenseRef-CC-BY
    Attribution-NonCommercial-ShareAlike License|LicenseRef-CC-BY-NC-SA
    Attribution-NonCommercial-NoDerivs License|LicenseRef-CC-BY-NC-ND
    Attribution|None
    Attribution 4.0 International (CC BY 4.0)|CC-BY-4.0
    Attribution-ShareAlike 4.0 International (CC BY-SA 4.0)|CC-BY-SA-4.0
    Attribution-NonCommercial 4.0 (CC BY 4.0)|None
    Creative Commons Attribution-ShareAlike 4.0 International License|CC-BY-SA-4.0
    Creative Commons Attribution-Share Alike 3.0 Unported|CC-BY-SA-3.0
    Creative Commons Zero v1.0 Universal|CC0-1.0
    CC0 1.0 Universal (CC0 1.0) Public Domain Dedication|CC0-1.0
    CC0: Public Domain|CC0-1.0
    CC0 1.0|CC0-1.0
    cc0-1.0|CC0-1.0
    CC-0|CC0-1.0
    CC0-4.0|None
    Public Domain Dedication (CC0)|CC0-1.0
    PDM|CC-PDM-1.0
    pdm 1.0|CC-PDM-1.0
    Public Domain Mark 1.0|CC-PDM-1.0
    PD|LicenseRef-Public-Domain
    0|LicenseRef-All-Rights-Reserved
    1|CC-BY-NC-SA-2.0
    6|CC-BY-ND-2.0
    7|LicenseRef-No-Known-Copyright
    8|LicenseRef-US-Government-Work
    9|CC0-1.0
    10|CC-PDM-1.0
    99|None
    by|LicenseRef-CC-BY
    by-nc-sa 2.0|CC-BY-NC-SA-2.0
    CC BY|LicenseRef-CC-BY
    CC-BY4.0|CC-BY-4.0
    ccby4.0|CC-BY-4.0
    CC BY v3.0|CC-BY-3.0
    CC BY 4|CC-BY-4.0
    CC BY 5.0|None
    CC BY-SA-ND 4.0|None
    cc|None
    other|None
    unknown|None
    |None
    apache-2.0|Apache-2.0
    Apache 2.0|Apache-2.0
    mit|MIT
    https://opensource.org/licenses/MIT|MIT
    https://www.apache.org/licenses/LICENSE-2.0|Apache-2.0
    https://spdx.org/licenses/CC-BY-4.0.html|CC-BY-4.0
    https://www.gnu.org/licenses/fdl-1.3.html|GFDL-1.3
    https://www.gnu.org/copyleft/fdl.html|LicenseRef-GFDL
    odbl|ODbL-1.0
    GFDL 1.2|GFDL-1.2
    GFDL 1.2+|GFDL-1.2-or-later
    GNU Free Documentation License 1.2|GFDL-1.2
    PD-self|LicenseRef-Public-Domain
    PD-US|None
    PD-USGov|LicenseRef-US-Government-Work
    CC-PD-Mark|CC-PDM-1.0
    Flickr-no known copyright restrictions|LicenseRef-No-Known-Copyright
    https://creativecommons.org/licenses/by-sa/4.0/?|CC-BY-SA-4.0
    https://opendatacommons.org/licenses/odbl/1-0/|ODbL-1.0
    http://flickr.com/commons/usage/|LicenseRef-No-Known-Copyright
    http://www.usa.gov/copyright.shtml|LicenseRef-US-Government-Work
    © 2010 Ann, all rights reserved|LicenseRef-All-Rights-Reserved
    CC BY-NC 4.0 for friends|None
    not CC BY 4.0|None
    CC BY 4.0 or later|None
    GPL-3.0-or-later|GPL-3.0-or-later
    Copyrighted free use|None
    https://www.pexels.com/license/|None
    LicenseRef-CC-BY-SA|LicenseRef-CC-BY-SA
    licenseref-cc-by-2.0-de|LicenseRef-CC-BY-2.0-DE
    LicenseRef-All-Rights-Reserved|LicenseRef-All-Rights-Reserved
    https://example.org/creativecommons.org/licenses/by/2.0/|None
    https://evil.creativecommons.org.example/licenses/by/2.0/|None
    http://creativecommons.org/licenses/by-nc/4.0/legalcode|CC-BY-NC-4.0
    UNSPECIFIED|None
    CC-SA-1.0|CC-SA-1.0
    https://creativecommons.org/licenses/sampling+/1.0/|None
    CC BY 3.0 igo|CC-BY-3.0-IGO
    CC BY-SA 2.0 kr|LicenseRef-CC-BY-SA-2.0-KR
    CC BY 3.0 no|LicenseRef-CC-BY-3.0-NO
    CC BY-NC-SA 2.5 scotland|LicenseRef-CC-BY-NC-SA-2.5-SCOTLAND
    ccbysa|LicenseRef-CC-BY-SA
    CC Attribution Non-Commercial No Derivative Works License, version 3.0|CC-BY-NC-ND-3.0
    Creative Commons Attribution-NonCommercial-NoDerivatives 4.0 International Public License|CC-BY-NC-ND-4.0
    Creative Commons Attribution 2.0 Generic License.|CC-BY-2.0
    Attribution License v2.0|CC-BY-2.0
    Creative Commons Zero, Public Domain Dedication|CC0-1.0
    Creative Commons CC0|CC0-1.0
    Attribution (CC BY 4.0)|CC-BY-4.0
    Creative Commons Attribution 3.0 de (CC BY 3.0 de)|CC-BY-3.0-DE
    https://creativecommons.org/publicdomain/zero/1.0/deed.zh_TW|CC0-1.0
    https://creativecommons.org/publicdomain/zero/1.0/?ref=openverse|CC0-1.0
    https://creativecommons.org/publicdomain/mark/1.0/deed.pt-br|CC-PDM-1.0
    https://creativecommons.org/publicdomain/certification/1.0/us/|CC-PDDC
    https://creativecommons.org/licenses/by-nc/2.0/jp/deed.ja|LicenseRef-CC-BY-NC-2.0-JP
    https://creativecommons.org/licenses/by/2.0/deed|CC-BY-2.0
    https://rightsstatements.org/page/NKC/1.0/?language=en|LicenseRef-No-Known-Copyright
    http://rightsstatements.org/vocab/InC-NC/1.0/|LicenseRef-All-Rights-Reserved
    https://artlibre.org/licence/lal/en/|LicenseRef-LAL
    https://opendatacommons.org/licenses/by/1-0/|ODC-By-1.0
    https://opendatacommons.org/licenses/pddl/|PDDL-1.0
    https://www.gnu.org/licenses/gpl-3.0.en.html|GPL-3.0
    https://www.gnu.org/licenses/old-licenses/fdl-1.2.txt|GFDL-1.2
    https://opensource.org/license/mit/|MIT
    CC\u00a0BY 4.0 |CC-BY-4.0
"""

GOES_ON = """
    CC BY 4.0 NC
    cc-by-4.0-nc
    CC BY 4.0 nd
    CC BY 3.0 SA
    CC BY 3.0-by
    CC BY 4.0 ai
    CC BY 4.0 de
    CC BY 3.0 xx
    CC BY 2.0 igo
    CC BY 3.0 de NC
    CC BY 3.0, 2.5 nc
    CC BY 4.0, NC
    CC BY 4.0 / NC
    CC BY 4.0 (NC)
    CC BY 4.0 noncommercial
    CC BY 4.0 non-commercial
    CC BY 4.0 no derivatives
    CC BY (NC) 4.0
    CC BY 4.0 CC BY-NC 4.0
    CC BY, CC BY-NC
    CC BY 4.0-NC International
    CC BY 4.0 International NC
    CC BY-
    CC BY...
    CC BY 4.0\u2026
    CC BY 4.0,
    ... CC BY 4.0
    CC BY 4.0\u00b2
    CC BY\u00b2
    \u00b3
    CC BY 4.0*
    CC BY 4.0\u0338
    CC BY\u200b-NC 4.0
    CC BY 4.0,9.0
    CC BY 4.5
    CC BY 4.05
    CC BY 4.0?
    Non-commercial research only (CC BY 4.0)
    Not under (CC BY 4.0)
    not (CC BY 4.0)
    Everything except the pictures (CC BY 4.0)
    All but (CC BY 4.0)
    Attribution-NonCommercial (CC BY 4.0)
    Attribution 3.0 (CC BY 4.0)
    Attribution 4.0 (CC BY 4.0) NC
    Attribution 4.0 (CC BY 4.0) (CC BY-NC 4.0)
    CC BY 4.0 (CC BY 4.0, text only)
    CC BY-NC (CC BY)
    CC BY (CC BY (CC BY))
    CC BY (CC BY
    Public Attribution License
    Common Public Attribution License 1.0
    Attribution Public License
    International Attribution
    License of friends, Attribution
    Generic CC BY
    CC BY except for training
    Attribution Assurance License
    CC0 for text
    CC0 except for images
    Not CC0
    CC0 1.0 NC
    CC0 2.0
    CC0 1.0 Universal (CC BY-NC 4.0)
    CC0 1.0 Universal - noncommercial
    Public domain in the USA only
    Not in the public domain
    Public domain (CC BY-NC 4.0)
    Public domain mark 2.0
    Zero
    not all rights reserved
    No known copyright restrictions, ask first
    MIT with Commons Clause
    Apache-2.0 WITH exception
    CC-BY-4.0 AND CC-BY-NC-4.0
    CC-BY-4.0 OR CC-BY-NC-4.0
    LicenseRef-CC-BY-4.0-NC
    LicenseRef-Attribution
    LicenseRef-Attribution-4.0
    LicenseRef-CC-BY-3.0-nd
    04
    4.
    4.0
    \u0664
    https://creativecommons.org/publicdomain/zero/1.0/ except for AI training
    https://creativecommons.org/publicdomain/zero/1.0/not
    https://creativecommons.org/publicdomain/zero/1.0/legalcode/nc
    https://creativecommons.org/publicdomain/zero/2.0/
    https://creativecommons.org/publicdomain/mark/1.0/; non-commercial only
    https://creativecommons.org/publicdomain/mark/1.0/nc
    https://creativecommons.org/licenses/publicdomain/nc
    https://creativecommons.org/licenses/by/4.0/ non-commercial
    https://creativecommons.org/licenses/by/4.0/#non-commercial
    https://creativecommons.org/licenses/by/4.0/?only=research
    https://creativecommons.org/licenses/by/4.0/?ref=research-only
    https://creativecommons.org/licenses/by/4.0/nc/
    https://creativecommons.org/licenses/by/3.0/nd/deed.en
    https://creativecommons.org/licenses/by/4.0/deed.nc
    https://creativecommons.org/licenses/by/4.0/deed.en-nc-only
    https://creativecommons.org/licenses/by/4.0/deed.en/nc
    https://creativecommons.org/licenses/by/4.0nc
    https://creativecommons.org/licenses/by/9.0/
    https://creativecommons.org/licenses/by/4.0/, https://creativecommons.org/licenses/by-nc/4.0/
    https://creativecommons.org:81/licenses/by/4.0/
    https://me@creativecommons.org/licenses/by/4.0/
    https://creativecommons.org.example/licenses/by/4.0/
    https://example.org/?https://creativecommons.org/licenses/by/4.0/
    spdx.org/licenses/CC-BY-4.0.html/whatever no commercial use
    https://spdx.org/licenses/CC-BY-4.0.html/nc
    https://spdx.org/licenses/CC-BY-4.0-NC.html
    https://spdx.org/licenses/by
    https://spdx.org/licenses/attribution
    https://spdx.org/licenses/pd
    https://gnu.org/licenses/cc-by-4.0
    https://www.apache.org/licenses/LICENSE-2.0-not-for-ai
    https://rightsstatements.org/vocab/NKC/1.0/except
    https://flickr.com/commons/usage/except
    https://artlibre.org/anything
    https://opendatacommons.org/licenses/by/except
    https://opendatacommons.org/licenses/odbl/1-0/except
    https://usa.gov/government-works/not
"""


def test_licences_are_known_however_they_are_written() -> None:
    """Of all sources; an identifier is its own, and what says more, or nothing, is unknown."""
    cases = [line.strip().rpartition("|") for line in STATED.strip("\n").splitlines()]
    found = {text: str(spdx_id(text)) for text, _, _ in cases}
    assert found == {text: wanted for text, _, wanted in cases}
    known = [one for text in found if (one := spdx_id(text))]
    assert [spdx_id(one) for one in known] == known
    assert [spdx_id(licence_name(one)) for one in known] == known
    pages = {one: page for one in known if (page := licence_address(one)) and not one.startswith("LicenseRef-CC")}
    assert {one: spdx_id(page) for one, page in pages.items()} == {one: one for one in pages}


@pytest.mark.parametrize(
    "text",
    [
        *(line.strip() for line in GOES_ON.strip("\n").splitlines()),
        *("zero" + "," * 200_000 + "x", "(cc a) " * 30_000, "CC BY 4.0" + " " * 9_999, "cc by (" * 40, "by-" * 99),
    ],
    ids=lambda text: text[:60],
)
def test_what_goes_on_is_not_recognised(text: str) -> None:
    """What follows, precedes or stands between may say anything: so no family allows it, and no page is its own."""
    assert spdx_id(text) is None
    assert not is_allowed(text, [*FAMILIES, "GFDL", "MIT", "Apache-2.0", "ODC-By-1.0", "7", "8"])
    assert licence_id(text) == "other" and licence_address(text) in (None, text)


def test_a_licence_is_read_up_to_a_length() -> None:
    """Terms of use are no name."""
    assert [spdx_id("CC BY 4.0".ljust(n)) for n in (LONGEST, LONGEST + 1)] == ["CC-BY-4.0", None]


@pytest.mark.parametrize(
    ("allowed", "yes", "no"),
    [
        ("CC-BY", "CC BY 2.0|CC BY 3.0 de|CC BY|by|4", "CC BY-NC 2.0|CC BY-SA 4.0|CC BY-ND 2.0|CC0|CC BYE|"),
        ("CC-BY-SA", "cc-by-sa-3.0-de|5", "CC BY-NC-SA 4.0|CC BY 4.0"),
        ("https://creativecommons.org/licenses/by/4.0/", "CC-BY-4.0", "CC BY 2.0|CC BY"),
        ("cc by-sa 3.0", "CC BY-SA 3.0 igo|CC BY-SA 3.0 jp", "CC BY-SA 2.0 jp"),
        ("CC0", "9|CC_0_1_0|public domain dedication (CC0)", "Public domain|PDM"),
        ("PDM", "10|Public domain|Public Domain Mark 1.0", "CC0|No known copyright restrictions|8"),
        ("no known copyright restrictions", "7|http://flickr.com/commons/usage/", "Public domain"),
        ("all rights reserved", "0|c|(c) 2001 Ann. All rights reserved.", "CC BY 4.0"),
        ("http://unsplash.com/license", "https://www.Unsplash.com/license/", "https://unsplash.com/licenses|"),
        ("GPL-3.0", "GPL-3.0-or-later|gpl-3.0", "AGPL-3.0"),
    ],
)
def test_a_family_takes_its_own(allowed: str, yes: str, no: str) -> None:
    """In any version if it names none; never a licence that forbids more, or less."""
    assert is_licence(allowed)
    assert [text for text in yes.split("|") if not is_allowed(text, ["MIT", allowed])] == []
    assert [text for text in no.split("|") if is_allowed(text, ["MIT", allowed])] == []


@pytest.mark.parametrize(
    ("section", "said"),
    [
        (
            'allow = ["CC-BYE", "x"]',
            ["names 'CC-BYE' \\(did you mean CC-BY\\?\\) and 'x', which are no licences; the most used are"],
        ),
        ('allow = ["CC-BYE"]', ["names 'CC-BYE' \\(did you mean CC-BY\\?\\), which is no licence$"]),
        ("allow = []", ["allow must name the licences that are allowed; without \\[licence\\], all are"]),
        ('unknown = "keep"', ["allow must name the licences"]),
        ('allow = ["CC0"]\nunknown = "drp"', ["unknown must be one of 'drop', 'keep', not 'drp', did you mean drop"]),
        ('allow = [""]', ["names '', which is no licence; the most used are CC0, PDM, CC-BY"]),
    ],
)
def test_a_policy_that_cannot_be_is_refused_with_its_line(section: str, said: list[str], tmp_path: Path) -> None:
    """All its mistakes at once."""
    with pytest.raises(RecipeError) as caught:
        parse_recipe(recipe_text(tmp_path, more=f"[licence]\n{section}"), source_kinds())
    assert len(caught.value.problems) == len(said)
    for problem, words in zip(caught.value.problems, said, strict=True):
        assert problem.line and re.search(words, problem.message)
