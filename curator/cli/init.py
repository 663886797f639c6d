"""``curator init``: look at what there is and write a recipe that works, or write one to edit."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from curator.cli.command import reports_errors
from curator.errors import CuratorError
from curator.store.paths import DATA, MANIFESTS, option_for
from curator.store.root import shown, working_place
from curator.text import Command, plural

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from curator.cli.terminal import Terminal
    from curator.sources.class_index.search import Proposal
    from curator.survey.finding import Finding
    from curator.survey.words import Choice

MOST_LABELS = 20
"""Labels that are printed with their counts; the others are counted together."""

MOST_UNEVEN = 5
"""How many times the smallest label the largest may be until it is said how many images that leaves."""

LabelArguments = Annotated[
    list[str] | None, typer.Argument(metavar="LABEL", help="Two or more labels; with --from only these.")
]
FromOption = Annotated[
    list[str] | None,
    typer.Option("--from", metavar="PATH|URL", help="A folder of pictures or a table to make it of; repeatable."),
]

ColumnOption = Annotated[
    list[str] | None,
    typer.Option("--column", metavar="ROLE=NAME", help="What a column of the table is: label=species; repeatable."),
]


@reports_errors
def init(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The data set's name.")],
    labels: LabelArguments = None,
    places: FromOption = None,
    columns: ColumnOption = None,
) -> None:
    """Write a recipe, of your pictures or table, or of words.

    It is manifests/NAME/recipe.toml; one that exists is left alone. Without --from, the labels are words: the classes
    of Open Images and ImageNet that they mean are found offline.

    Example: curator init birds --from my-photos

    Example: curator init rugby-soccer rugby soccer
    """
    if places:
        init_from(name, labels or [], places, columns or [])
    elif columns:
        raise CuratorError("--column says what is in a table.", "Name the table with --from.")
    else:
        init_of_words(name, labels or [])


def init_of_words(name: str, labels: list[str]) -> None:
    """Find the classes that the labels mean, and write the recipe."""
    from curator.cli.terminal import Terminal
    from curator.manifests.recipe_template import check_new_recipe, write_recipe
    from curator.store.whole_files import write_text_whole
    from curator.survey.words import (
        check_words,
        choose,
        contained,
        labels_of,
        list_of,
        own_lists,
        search_labels,
        sources_text,
    )

    homes = working_place(MANIFESTS)
    check_words(name, labels)
    check_new_recipe(name, labels, homes)
    asks, found = sys.stdin.isatty() and sys.stdout.isatty(), search_labels(labels)
    choices = choose(found, ask) if asks else choose(found)
    path = write_recipe(name, labels_of(choices), sources_text(choices), homes)
    for file in own_lists(choices):
        if not (path.parent / file).exists():
            write_text_whole(path.parent / file, "")
    terminal = Terminal(_option(path, name))
    for choice in choices:
        own_list = shown(path.parent / list_of(choice)) if choice.label in labels_of(choices) else None
        show_choice(terminal, choice, own_list)
    for inner, outer in contained(choices):
        terminal.note(f"note: {inner} is a kind of {outer}: a picture that is listed for both is dropped from one")
    if not asks:
        terminal.note(
            "note: nobody could be asked, so the likeliest classes were taken; `curator search WORD` shows more"
        )
    terminal.note(f"Wrote {path}. Other classes are comments in it: take away the # of those that you want.")
    terminal.next(Command("fetch --plan"))


def ask(choice: Choice, taken: Collection[str]) -> Choice:
    """Ask in the terminal which of the proposals a label means; Enter takes the likeliest, 0 none."""
    from curator.cli.search import show_proposals
    from curator.cli.terminal import Terminal

    terminal, proposals = Terminal(), choice.search.proposals
    if not proposals:
        return choice
    show_proposals(terminal, choice.search)
    usual = ",".join(str(proposals.index(one) + 1) for one in choice.chosen) or "0"
    while True:
        terminal.text(f"Which is {choice.label}? 1,3: both; 0: none [{usual}] ")
        try:
            chosen = numbered(proposals, sys.stdin.readline().strip() or usual)
        except ValueError:
            terminal.note(f"Type numbers from 1 to {len(proposals)}, or 0.")
            continue
        if clash := [one.name for one in chosen if {one.mid, one.synset} & {*taken}]:
            terminal.note(f"Another label has {', '.join(clash)}: choose otherwise.")
        else:
            return replace(choice, chosen=chosen)


def numbered(proposals: Sequence[Proposal], text: str) -> tuple[Proposal, ...]:
    """Return the proposals that a text names by their numbers.

    >>> numbered(("a", "b", "c"), "1, 3"), numbered(("a", "b"), "0")
    (('a', 'c'), ())

    Raises:
        ValueError: it is none of numbers, or one is too large.
    """
    numbers = {int(word) for word in re.split(r"[,\s]+", text)}
    if not numbers <= {*range(1, len(proposals) + 1)} and numbers != {0}:
        raise ValueError(text)
    return tuple(proposals[number - 1] for number in sorted(numbers) if number)


def show_choice(terminal: Terminal, choice: Choice, own_list: Path | None) -> None:
    """Print which classes stand for a label, and what else it may mean; or what became of it without any.

    Args:
        own_list: the list to fill in if it has no class; None: it is left out.
    """
    from curator.cli.search import heading, in_words, nothing_found

    found = choice.search
    if choice.chosen:
        unsure = found.searched or found.n_meanings > 1
        terminal.note(f"{choice.label}: {in_words(choice.chosen)}{f' ({heading(found)})' if unsure else ''}")
        if not any(one.mid for one in choice.chosen):
            above = ", ".join(f"{one.name} ({one.mid})" for one in found.proposals if one.match == "broader")
            near = f"; broader: {above}" if above else ""
            terminal.note(
                f"note: Open Images has no class {choice.label}{near}; the recipe names near ones as comments"
            )
        return
    why = f"none of {len(found.proposals)} classes found is it." if found.proposals else nothing_found(found)[0]
    why = f"it means the same as {choice.same_as}, which has its class." if choice.same_as else why
    what = "Write addresses of pictures of it" if own_list else "It is left out; the recipe says how to add it."
    terminal.note(f"note: {choice.label}: {why} {what}{f', one a line, into {own_list}.' if own_list else ''}")


def init_from(name: str, labels: list[str], places: list[str], columns: list[str]) -> None:
    """Look at the places, say what is there, and write the recipe."""
    from curator.cli.terminal import Terminal
    from curator.dataset import create_dataset
    from curator.manifests.project import sources_of_new_recipe
    from curator.survey.survey import propose_sections, refuse_name, survey

    refuse_name(name, working_place(MANIFESTS))
    homes = working_place(MANIFESTS)
    found = survey(places, labels, cache_dir=sources_of_new_recipe(homes, name), columns=read_roles(columns))
    sections: Any = propose_sections(found)
    path = shown(create_dataset(name, labels=found.labels, sources=found.sources, **sections).paths.recipe)
    terminal = Terminal(_option(path, name))
    show_finding(terminal, found, sections)
    terminal.note(f"Wrote {path}.")
    terminal.next(Command("split"))


def read_roles(texts: Sequence[str]) -> dict[str, str]:
    """Read what is said of columns: ``ROLE=NAME`` each."""
    return dict(map(_role, texts))


def _role(text: str) -> tuple[str, str]:
    role, sign, name = text.partition("=")
    if not (role.strip() and sign and name.strip()):
        raise CuratorError(
            f"--column must be a role and the name of a column, not {text!r}.", "`--column label=species`."
        )
    return role.strip(), name.strip()


def _option(path: Path, name: str) -> str:
    """Return what a command needs to mean a recipe: nothing if it is the one that is meant anyway."""
    from curator.manifests.project import find_recipe

    try:
        is_meant = find_recipe(None, working_place(MANIFESTS), working_place(DATA), os.environ) == path
    except CuratorError:
        is_meant = False
    return "" if is_meant else option_for(name, None)


def show_finding(terminal: Terminal, found: Finding, sections: Mapping[str, Mapping[str, object]]) -> None:
    """Print the labels with their images, and what was chosen and left out."""
    counted = found.counts.most_common()
    rows = [[label, f"{n:,}"] for label, n in counted[:MOST_LABELS]]
    if more := counted[MOST_LABELS:]:
        rows.append([f"and {plural(len(more), 'more label')}", f"{sum(n for _, n in more):,}"])
    terminal.table(f"Found {found.kind}", ["label", f"{found.unit}s"], [*rows, ["all", f"{found.counts.total():,}"]])
    if "keep" in sections["split"]:
        sides = ", ".join(f"{side} {n:,}" for side, n in found.sides.items())
        terminal.note(f"note: its sides are kept ({sides}); `keep = false` under [split] divides anew")
    if "dedupe" in sections:
        alike = "more than a third of a sample look alike, so only files of the same bytes count as copies"
        terminal.note(f'note: {alike} (`mode = "exact"` under [dedupe])')
    (most_label, most), (least_label, least) = counted[0], counted[-1]
    if least * MOST_UNEVEN < most:
        has = f"{least_label} has {plural(least, found.unit)} and {most_label} {most:,}"
        text = f"{has}: `per_class` takes {least:,} of each"
        terminal.note(f'note: {text}; "all" takes what each has')
    terminal.notes(found.notes)
