"""``curator search``: the classes of Open Images and ImageNet that a word may mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from curator.cli.command import Answer, reports_errors
from curator.cli.options import JsonOption
from curator.errors import ShortfallError
from curator.text import Command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from curator.cli.terminal import Terminal
    from curator.sources.class_index.search import ClassSearch, Near, Proposal

_MOST_SHOWN = 60

WordArguments = Annotated[list[str], typer.Argument(metavar="WORD…", help="A word or a phrase, in English.")]
NumberOption = Annotated[int, typer.Option("-n", "--number", min=1, max=100, metavar="N", help="Propose N classes.")]


@reports_errors
def search(words: WordArguments, number: NumberOption = 6, as_json: JsonOption = False) -> None:
    """Find the classes of Open Images and ImageNet that a word may mean.

    Offline: their names come with curator.

    Example: curator search rugby
    """
    from curator.cli.terminal import Terminal
    from curator.sources.class_index.search import search_classes

    found = search_classes(" ".join(words), number)
    if not found.proposals and not as_json:
        raise ShortfallError(*nothing_found(found))
    Answer(lambda _: found.to_dict(), lambda terminal: show(terminal, found), not found.proposals).finish(
        Terminal(), as_json
    )


def nothing_found(found: ClassSearch) -> tuple[str, str]:
    """Say that nothing is called so, and what to do."""
    near = f"; spelled nearly so: {', '.join(found.nearest)}" if found.nearest else ""
    way = "Try the plain English word for what the pictures show, or a more general one: `curator search bird`."
    word = found.word if len(found.word) <= _MOST_SHOWN else f"{found.word[:_MOST_SHOWN]}…"
    return f"No class of Open Images or ImageNet is called {word!r}{near}.", way


def show(terminal: Terminal, found: ClassSearch) -> None:
    """Print the proposals, and what to know of the first."""
    show_proposals(terminal, found)
    if found.searched and len(found.nearest) > 1:
        terminal.note(f"spelled nearly so: {', '.join(found.nearest)}")
    first = found.proposals[0]
    for what, near in (("narrower", first.narrower), ("look out for", first.confusers)):
        if near:
            terminal.note(f"{what}: {', '.join(map(_with_id, near))}")
    counted = ("addresses: what ImageNet's lists once held; ", Command("fetch --plan"), " counts those of Open Images")
    terminal.note(counted)
    if first.is_named:
        terminal.next(Command.of("init", "NAME", found.searched or found.word, "LABEL"))


def show_proposals(terminal: Terminal, found: ClassSearch) -> None:
    """Print what was found as a table, with numbers to choose by."""
    terminal.note(heading(found), "bold")
    rows = [
        [str(number), one.name, one.what or "·", _open_images(one), one.synset or "·", _addresses(one)]
        for number, one in enumerate(found.proposals, 1)
    ]
    terminal.table("", ["", "class", "what it is", "Open Images", "ImageNet", "addresses"], rows, n_texts=5)


def heading(found: ClassSearch) -> str:
    """Say what a table of proposals is of.

    >>> from curator.sources.class_index.search import search_classes
    >>> heading(search_classes("football")), heading(search_classes("rugbi"))
    ('football may mean 2 things', 'nothing is called rugbi; this is rugby')
    """
    if found.searched:
        return f"nothing is called {found.word}; this is {found.searched}"
    if found.n_meanings > 1:
        return f"{found.word} may mean {found.n_meanings} things"
    if any(one.is_named for one in found.proposals):
        return f"{found.word} means one thing"
    return f"nothing is called {found.word} alone; these names hold it"


def _open_images(one: Proposal) -> str:
    return f"{one.mid}{', boxes' if one.has_boxes else ''}" if one.mid else "·"


def _addresses(one: Proposal) -> str:
    return f"{one.n_urls:,}" if one.synset else "·"


def _with_id(near: Near) -> str:
    return f"{near.name} ({near.mid or near.synset})"


def in_words(proposals: Sequence[Proposal]) -> str:
    """Write what was chosen in one line."""
    return "; ".join(
        ", ".join(filter(None, (one.name, one.mid, one.synset and f"{one.synset} ({one.n_urls:,} addresses)")))
        for one in proposals
    )
