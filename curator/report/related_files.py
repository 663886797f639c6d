"""The part of the page that links to the data set's other files, and names the commands for those that do not exist.

>>> relative_address(Path("data/balls/duplicates.html"), Path("data/balls/benchmark"))
'../duplicates.html'
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from curator.manifests.inventory import Entry, list_entries, making_commands
from curator.report.facts import Facts
from curator.report.markup import Html, Section, element, join, prose, section
from curator.text import Command, Text

_NAMES = {
    "manifest": "manifest",
    "gallery": "gallery of duplicates",
    "reviews": "people's decisions",
    "export": "exports",
    "replay": "replay",
    "forgotten": "what was forgotten",
}
_ABOUT: dict[str, Text] = {
    "manifest": "which image is in the data set, where it is from and on which side",
    "gallery": "what is kept beside its copies",
    "reviews": (Command("review"), " opens the page to look, keep, drop and relabel"),
    "export": (Command("export --help"), " says how another is written, with a data card and credits"),
    "replay": "what the web has lost, by host and by image",
    "forgotten": "digests only; no later fetch brings these images back",
}


def related_section(facts: Facts) -> Section:
    """List the files that exist, with links relative to the page, and the commands that make the others."""
    home, entries = facts.project.paths.report.parent, list_entries(facts.project.paths)
    commands, option = making_commands(facts.project.paths), facts.project.option
    there: list[Html] = []
    missing: list[Html] = []
    for kind, name in _NAMES.items():
        lines = [element("div", _links(entry, home)) for entry in entries if entry.kind == kind]
        about = element("small", prose(_ABOUT.get(kind, ""), option)) if lines and kind in _ABOUT else None
        found = element("dd", lines or prose((commands[kind],), option), about)
        (there if lines else missing).append(join(element("dt", name), found))
    listed = element("dl", there, class_="files") if there else None
    summary = element("summary", "What else can be made, and how")
    return section("files", "Other files of this data set", listed, _details(summary, missing) if missing else None)


def _details(summary: Html, missing: list[Html]) -> Html:
    return element("details", summary, element("dl", missing, class_="files"))


def _links(entry: Entry, home: Path) -> Html:
    lead = f"{entry.path.name}: " if entry.path not in entry.files else ""
    links = [element("a", file.name, href=relative_address(file, home)) for file in entry.files if file.exists()]
    commas = [part for link in links for part in (", ", link)][1:]
    return join(lead, commas, f" ({entry.remark})" if entry.remark else "")


def relative_address(path: Path, home: Path) -> str:
    """Return the address of a file as a page in the folder ``home`` links to it."""
    return quote(Path(os.path.relpath(path.absolute(), home.absolute())).as_posix())
