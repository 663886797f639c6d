"""Every reason why an image is out says all that is to know of it, in the table and in docs/reasons.md."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

import pytest

from curator.catalog import SCHEMA
from curator.manifests.settings import SECTIONS
from curator.reasons import Drop, Eases, Traits
from docs.scripts.reference import reason_row, table

PAGE = Path(__file__).parents[1] / "docs" / "reasons.md"
SETTINGS = {field.name: field for section in SECTIONS.values() for field in dataclasses.fields(section)}


def row_of(reason: StrEnum, traits: Traits) -> str:
    """Write the row of docs/reasons.md."""
    return table((), [reason_row(str(reason), traits)]).splitlines()[-1]


def differences(reasons: Iterable[tuple[StrEnum, Traits]], page: str) -> list[str]:
    """List the rows that the page lacks, or has otherwise, and those that it should not have."""
    rows = [row_of(reason, traits) for reason, traits in reasons]
    written = [line for line in page.splitlines() if line.startswith("| `")]
    return [f"lacks {row}" for row in rows if row not in written] + [
        f"has {line}" for line in written if line not in rows
    ]


TABLE = [(reason, reason.traits) for reason in Drop]


def test_the_page_says_of_each_reason_what_the_table_says():
    """Name, meaning, what to do, and when it is requested again; no row for a reason that does not exist."""
    assert differences(TABLE, PAGE.read_text(encoding="utf-8")) == []


def test_a_reason_that_the_page_does_not_name_is_found():
    """So is a row whose reason is gone, and one that says something else."""

    class Toy(StrEnum):
        TOO_BLUE = "too-blue"

    page, toy = PAGE.read_text(encoding="utf-8"), Traits("More blue than any sky.", "another planet", "soon")
    assert differences([*TABLE, (Toy.TOO_BLUE, toy)], page) == [f"lacks {row_of(Toy.TOO_BLUE, toy)}"]
    assert differences(TABLE[1:], page) == [f"has {row_of(*TABLE[0])}"]
    assert len(differences(TABLE, page.replace("link rot", "bad luck"))) == 2


@pytest.mark.parametrize("reason", Drop)
def test_each_trait_names_what_exists(reason):
    """Evidence is in columns of the catalog; what lets an image in is a setting of the recipe, changed as it can be."""
    assert set(reason.traits.evidence) <= {field.name for field in SCHEMA}
    for name, way in reason.traits.settings:
        is_switch = SETTINGS[name].type == "bool"
        assert is_switch == (way in (Eases.ON, Eases.OFF))
        assert way not in (Eases.MORE, Eases.LESS) or isinstance(SETTINGS[name].default, int | float)


@pytest.mark.parametrize("reason", Drop)
def test_a_setting_that_the_way_out_names_is_one_that_the_reason_depends_on(reason):
    """So that whoever does what is advised sees it work."""
    words = set(re.findall(r"[a-z_]+", reason.traits.remedy.replace("max-distance", "max_distance")))
    named = words & SETTINGS.keys() - {"keep"}
    assert named <= {name for name, _ in reason.traits.settings}


def test_a_reason_is_found_by_its_name_and_is_text():
    """Catalogs, ledgers and the processes that observe images spell it."""
    assert Drop("gone") is Drop.GONE
    assert f"{Drop.GONE}" == Drop.GONE == "gone"
