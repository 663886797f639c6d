"""The part of the page that links to what stands beside it, and names the commands for what does not stand yet.

>>> relative_address(Path("data/balls/duplicates.html"), Path("data/balls/benchmark"))
'../duplicates.html'
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from curator.manifests.inventory import COMMANDS, Entry, list_standing
from curator.report.facts import Facts
from curator.report.markup import Content, Html, element, join, prose, section, table
from curator.text import Command, Text

_NAMES = {
    "manifest": "manifest",
    "gallery": "gallery of duplicates",
    "reviews": "people's decisions",
    "export": "exports",
    "replay": "replay",
    "compare": "another manifest",
    "forgotten": "what was forgotten",
}
_ABOUT: dict[str, Text] = {
    "manifest": (Command("replay"), " rebuilds the data set from it alone"),
    "gallery": "what is kept beside its copies",
    "reviews": (Command("review"), " opens the page to look, keep, drop and relabel"),
    "export": (Command("export FORMAT"), " writes another, with a data card and credits"),
    "replay": "what the web has lost, by host and by image",
    "forgotten": "digests only; no later fetch brings these images back",
}


def beside_section(facts: Facts) -> Html:
    """List what stands beside the page, with links relative to it, and what can be made."""
    standing = list_standing(facts.paths)
    rows = [
        _row(kind, name, [entry for entry in standing if entry.kind == kind], facts) for kind, name in _NAMES.items()
    ]
    return section("beside", "What stands beside this page", table(["", "where", ""], rows))


def _row(kind: str, name: str, entries: Sequence[Entry], facts: Facts) -> list[Content]:
    if not entries:
        return [name, prose((COMMANDS[kind],), f" --recipe {facts.recipe.name}"), ""]
    home = facts.paths.report.parent
    return [name, join(element("div", _links(entry, home)) for entry in entries), prose(_ABOUT.get(kind, ""))]


def _links(entry: Entry, home: Path) -> Html:
    lead = f"{entry.path.name}: " if entry.path not in entry.files else ""
    links = [element("a", file.name, href=relative_address(file, home)) for file in entry.files if file.exists()]
    commas = [part for link in links for part in (", ", link)][1:]
    return join(lead, commas, f" ({entry.remark})" if entry.remark else "")


def relative_address(path: Path, home: Path) -> str:
    """Give the address of a file as a page in the folder ``home`` links to it."""
    return quote(Path(os.path.relpath(path.absolute(), home.absolute())).as_posix())
