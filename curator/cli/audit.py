"""``curator audit``: what leaks in a published set, and what is wrong in it."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from curator.cli.command import Answer, reports_errors
from curator.cli.complete import audit_words
from curator.cli.init import ColumnOption, read_roles
from curator.cli.options import JsonOption, QuietOption, names
from curator.text import Command, percent

if TYPE_CHECKING:
    from curator.cli.terminal import Terminal
    from curator.inspect.audit.result import Audit

PlaceArguments = Annotated[
    list[str], typer.Argument(metavar="PATH", help="A folder with its sides, a manifest or table; or one PATH a side.")
]
FailOption = Annotated[
    str | None,
    typer.Option(
        "--fail-on",
        metavar="WORDS",
        help="Exit with 1 if there are leaks, conflicts, unreadable …: several with commas.",
        autocompletion=audit_words,
    ),
]
ExactOption = Annotated[bool, typer.Option("--exact", help="Take only files of the same bytes for copies.")]
EmbedOption = Annotated[
    bool, typer.Option("--no-embed", help="Use no network's features: no wrong labels, no cost of leaks.")
]
OutputOption = Annotated[
    Path | None, typer.Option("--output", metavar="FILE", help="The page; default: NAME-audit.html here.")
]
CacheOption = Annotated[
    Path | None, typer.Option("--cache", metavar="DIR", help="What was seen is kept there; default: your cache folder.")
]


@reports_errors
def audit(
    places: PlaceArguments,
    fail_on: FailOption = None,
    exact: ExactOption = False,
    no_embed: EmbedOption = False,
    columns: ColumnOption = None,
    output: OutputOption = None,
    cache: CacheOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Find leaks, copies and wrong labels in any published set.

    Nothing is written into it; the page is one HTML file.

    Example: curator audit pets --fail-on leaks
    """
    from curator.cli.progress import TerminalProgress
    from curator.cli.terminal import Terminal
    from curator.inspect.audit.audit import audit as run_audit

    bars = TerminalProgress(quiet)
    try:
        found = run_audit(
            *places, columns=read_roles(columns or []), exact=exact, embed=not no_embed, fail_on=names(fail_on) or (),
            output=output, cache=cache, emit=bars,
        )  # fmt: skip
    finally:
        bars.close()
    audit_answer(found).finish(Terminal(told=bars.told), as_json)


def audit_answer(found: "Audit") -> Answer:
    """Show what was found, and where the page is."""

    def show(terminal: "Terminal") -> None:
        from curator.inspect.audit.result import WORDS

        _show_labels(terminal, found)
        lines = [[word, WORDS[word], "not looked for" if n is None else f"{n:,}"] for word, n in found.counts.items()]
        styles = ["bold red" if word in found.failed else "" for word in found.counts]
        terminal.table("", ["", "", "found"], lines, styles, n_texts=2)
        for text in _details(found):
            terminal.note(text)
        terminal.notes(found.notes)
        terminal.note(f"page: {found.page}")
        if found.failed:
            terminal.note(f"failed on {', '.join(found.failed)}", "red")
        if found.counts["leaks"] or found.counts["conflicts"] or found.counts["copies"]:
            leaky = "without the copies on one side; the leaks stay until `keep = false` under [split] divides it anew"
            mended = f"makes a set of it {leaky if found.counts['leaks'] else 'without copies'}"
            sources = [word for place in found.places for word in ("--from", place)]
            terminal.next(Command.of("init", "mended", options=sources), mended)

    return Answer(lambda terminal: found.to_json(), show, bool(found.failed))


def _show_labels(terminal: "Terminal", found: "Audit") -> None:
    from curator.cli.init import MOST_LABELS
    from curator.text import plural

    sides, counts = found.published.sides, found.by_side()
    figures = {label: [sum(one.values()), *(one.get(side, 0) for side in sides)] for label, one in counts.items()}
    rows = [[label, *(f"{n:,}" for n in row)] for label, row in figures.items()]
    if (more := len(rows) - MOST_LABELS) > 0:
        rows[MOST_LABELS:] = [[f"and {plural(more, 'more label')}", *([""] * (1 + len(sides)))]]
    total = [f"{sum(column):,}" for column in zip(*figures.values(), strict=True)]
    terminal.table(f"Audited {found.published.kind}", ["label", "images", *sides], [*rows, ["all", *total]])


def _details(found: "Audit") -> Iterable[str]:
    """Say more of the leaks, and name what gives the label away."""
    from curator.text import plural

    copies = found.copies
    if found.counts["leaks"]:
        exact = plural(copies.n_exact_across, "pair")
        yield f"leaks: {exact} of the same bytes and {copies.n_near_across:,} of the same picture are on two sides"
    for model, one in found.cost.items():
        low, high = (f"{100 * one['gain'][name]:+.1f}" for name in ("low", "high"))
        figures = f"{percent(one['with']['mean'])} with the leaked images, {percent(one['without']['mean'])} without"
        yield f"cost: {model} {figures}: {100 * one['gain']['mean']:+.1f} points ({low} to {high})"
    for fact in found.confounds:
        if fact.is_telling:
            yield f"confound: {fact.fact} alone tells {percent(fact.accuracy)} right, such as {fact.example}"
