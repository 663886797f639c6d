"""Which taxa a label means: those that the recipe names, and all below them.

>>> named = {"2": Taxon("2", "1", "Ardea", "genus"), "3": Taxon("3", "1/2", "Ardea alba", "species")}
>>> owners = {"2": "heron", "3": "egret"}
>>> [owner_of(one, path, owners) for one, path in (("2", "1"), ("3", "1/2"), ("4", "1/2/3"), ("5", "1/2"), ("6", "1"))]
['heron', 'egret', 'egret', 'heron', None]
>>> find_taxa({"heron": ("ardea",)}, list(named.values()))
{'2': 'heron'}
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from curator.errors import SourceError
from curator.manifests.toml_settings import suggest

EXCEPTED = "\0except"
"""The owner of taxa that are left out."""


class Taxon(NamedTuple):
    """A row of ``taxa.csv``: ``ancestry`` are the ids from the root to the one above; one not active was replaced."""

    taxon_id: str
    ancestry: str
    name: str
    rank: str
    active: str = "true"


def folded_name(name: str) -> str:
    """Return a name as names are compared."""
    return " ".join(name.split()).casefold()


def find_taxa(wanted: Mapping[str, Iterable[str]], known: Sequence[Taxon]) -> dict[str, str]:
    """Find the owner of each taxon that is named: by its scientific name, or by its id.

    Args:
        wanted: each owner's names and ids.
        known: all taxa of these names and ids, and others that are near.

    Raises:
        SourceError: with every name that is unknown, or that several taxa have.
    """
    by_name: dict[str, list[Taxon]] = {}
    for taxon in known:
        by_name.setdefault(folded_name(taxon.name), []).append(taxon)
    for name, same in by_name.items():
        by_name[name] = [taxon for taxon in same if taxon.active.startswith("t")] or same
    ids = {taxon.taxon_id for taxon in known}
    owners: dict[str, str] = {}
    problems = []
    for owner, texts in wanted.items():
        for text in texts:
            found = (
                [text.strip()] if text.strip() in ids else [one.taxon_id for one in by_name.get(folded_name(text), [])]
            )
            if not found:
                problems.append(f"{text!r} is no taxon{suggest(text, {one.name: None for one in known})}")
            elif len(found) > 1:
                several = ", ".join(f"{one.taxon_id} ({one.rank})" for one in by_name[folded_name(text)])
                problems.append(f"{text!r} names {len(found)} taxa, write an id instead: {several}")
            elif owners.setdefault(found[0], owner) != owner:
                problems.append(f"{text!r} is named for {owners[found[0]]} and {owner}".replace(EXCEPTED, "`except`"))
    if problems:
        hint = "Write scientific names as iNaturalist has them, or the number in the address of the taxon's page."
        raise SourceError(f"{'; '.join(problems)}", hint)
    return owners


def owner_of(taxon_id: str, ancestry: str, owners: Mapping[str, str]) -> str | None:
    """Return whose a taxon is: its own owner's, else that of the nearest taxon above it that has one."""
    path = [*re.split(r"[/\\]", ancestry), taxon_id]
    return next((owners[one] for one in reversed(path) if one in owners), None)
