"""``curator init``: look at what there is and write a recipe that works, or write one to edit."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from curator.cli.command import reports_errors
from curator.errors import CuratorError
from curator.store.paths import DATA, MANIFESTS, option_for
from curator.store.root import shown, working_place
from curator.text import Command, plural

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from curator.cli.terminal import Terminal
    from curator.survey.finding import Finding

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
    """Write a recipe, of your pictures or table, or one to fill in.

    It is manifests/NAME/recipe.toml; one that exists is left alone.

    Example: curator init birds --from my-photos
    """
    from curator.cli.terminal import Terminal
    from curator.manifests.recipe_template import write_recipe

    if places:
        init_from(name, labels or [], places, columns or [])
    elif columns:
        raise CuratorError("--column says what is in a table.", "Name the table with --from.")
    else:
        path = write_recipe(name, labels or [], working_place(MANIFESTS))
        Terminal(_option(path, name)).note((f"Wrote {path}. Edit it, then run ", Command("fetch --plan"), "."))


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
    terminal.table(f"Found {found.kind}", ["label", "images"], [*rows, ["all", f"{found.counts.total():,}"]])
    if "keep" in sections["split"]:
        sides = ", ".join(f"{side} {n:,}" for side, n in found.sides.items())
        terminal.note(f"note: its sides are kept ({sides}); `keep = false` under [split] divides anew")
    if "dedupe" in sections:
        alike = "more than a third of a sample look alike, so only files of the same bytes count as copies"
        terminal.note(f'note: {alike} (`mode = "exact"` under [dedupe])')
    (most_label, most), (least_label, least) = counted[0], counted[-1]
    if least * MOST_UNEVEN < most:
        text = (
            f"{least_label} has {plural(least, 'image')} and {most_label} {most:,}: `per_class` takes {least:,} of each"
        )
        terminal.note(f'note: {text}; "all" takes what each has')
    terminal.notes(found.notes)
