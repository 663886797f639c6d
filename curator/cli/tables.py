"""Draw results: tables and paragraphs in the terminal, or one JSON document for a program.

>>> plural(1, "image"), plural(2450, "image")
('1 image', '2,450 images')
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from curator.text import Command, Text, spell

if TYPE_CHECKING:
    from curator.demo.truth import Comparison
    from curator.inspect.status import Status
    from curator.inspect.verify import Finding

MOST_MISSES = 20
MOST_NOTES = 5

MOST_COLUMNS = 7
"""Parts (labels and sources) that fit beside each other in an 80-column terminal."""


def plural(n: int, noun: str) -> str:
    """Count a noun: ``2,450 images``."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def print_json(value: Any) -> None:
    """Print one JSON document on stdout."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")


def print_accuracies(title: str, accuracies: Mapping[str, str]) -> None:
    """Print a line a model."""
    table = _table(title, ["model", "accuracy"])
    for model, accuracy in accuracies.items():
        table.add_row(model, accuracy)
    _console().print(table)


def print_text(text: str) -> None:
    """Print a text on stdout as it is, at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


def print_error(message: str) -> None:
    """Print one paragraph on stderr."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(f"[bold red]error:[/] {_escape(message)}")


def print_note(message: str) -> None:
    """Print a remark on stdout."""
    _console().print(_escape(message), soft_wrap=True)


def print_notes(notes: Sequence[Text], option: str = "") -> None:
    """Print the first remarks of a stage, and how many more there are; ``option`` names the data set in commands."""
    for note in notes[:MOST_NOTES]:
        print_note(f"note: {spell(note, option)}")
    if len(notes) > MOST_NOTES:
        print_note(f"note: and {len(notes) - MOST_NOTES:,} more (--json has them all)")


def _escape(text: str) -> str:
    return text.replace("[", "\\[")


def _console() -> Console:
    return Console(highlight=False, soft_wrap=False)


def _table(title: str, columns: Sequence[str]) -> Table:
    """Begin a table, printing its title: text on the left in its first column, figures on the right in the others."""
    if title:
        _console().print(f"[bold]{_escape(title)}[/]", soft_wrap=True)
    table = Table(box=None, pad_edge=False)
    for index, column in enumerate(columns):
        table.add_column(_escape(column), justify="left" if index == 0 else "right", overflow="fold")
    return table


def print_counts(status: Status, option: str = "") -> None:
    """Print the counts of the latest stage: a row a drop reason, a column a label and a source; then what is next."""
    title = f"{status.name}, {status.stage or 'nothing done yet'}"
    labels, sources = status.labels, status.sources
    if len(labels) + len(sources) <= MOST_COLUMNS:
        _print_by_reason(title, status.counts, {**labels, **_distinct(sources, labels)})
    else:
        _print_by_part(title, {"all": status.counts, **labels})
        _print_by_part("", sources)
    if status.splits:
        _print_splits(status.splits)
    _print_beside(status, option)
    if status.next:
        following = spell(status.next, option, quote="")
        _console().print(f"next: [bold]{_escape(following)}[/]")


def _print_beside(status: Status, option: str) -> None:
    width = max((len(entry.kind) for entry in status.entries), default=0)
    for entry in status.entries:
        names = [] if entry.path in entry.files else [file.name for file in entry.files]
        remark = "; ".join(filter(None, [", ".join(names), entry.remark]))
        print_note(f"{entry.kind + ':':<{width + 1}} {entry.path}{f'  ({remark})' if remark else ''}")
    if status.ways:
        print_note(f"also: {', '.join(way.spelled(option) for way in status.ways)}")
    for news in status.news:
        _console().print(f"[bold yellow]{_escape(spell(news, option))}[/]", soft_wrap=True)


def _distinct(parts: Mapping[str, Any], taken: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{name} (source)" if name in taken else name: part for name, part in parts.items()}


def _print_by_reason(title: str, whole: Mapping[str, Any], parts: Mapping[str, Mapping[str, Any]]) -> None:
    columns = {"all": whole, **parts}
    table = _table(title, ["", *columns])
    table.add_row("listed", *(f"{part['listed']:,}" for part in columns.values()))
    for reason in whole["dropped"]:
        table.add_row(f"- {reason}", *(_count(part["dropped"].get(reason, 0)) for part in columns.values()))
    table.add_row("kept", *(f"{part['kept']:,}" for part in columns.values()), style="bold green")
    _console().print(table)


def _count(n: int) -> str:
    return f"{n:,}" if n else "·"


def _print_by_part(title: str, parts: Mapping[str, Mapping[str, Any]]) -> None:
    table = _table(title, ["", "listed", "kept", "dropped", "mostly"])
    for name, part in parts.items():
        mostly = max(part["dropped"].items(), key=lambda item: item[1], default=("", 0))[0]
        dropped = sum(part["dropped"].values())
        table.add_row(_escape(name), f"{part['listed']:,}", f"{part['kept']:,}", f"{dropped:,}", mostly)
    _console().print(table)


def _print_splits(splits: Mapping[str, Mapping[str, int]]) -> None:
    labels = sorted({label for counts in splits.values() for label in counts})
    if len(labels) > MOST_COLUMNS:
        totals = ", ".join(f"{split} {sum(counts.values()):,}" for split, counts in sorted(splits.items()))
        _console().print(f"split: {totals} images over {len(labels)} labels")
        return
    table = _table("", ["split", *labels])
    for split in sorted(splits, reverse=True):
        table.add_row(split, *(f"{splits[split].get(label, 0):,}" for label in labels))
    _console().print(table)


def print_findings(n_images: int, findings: Sequence[Finding], option: str = "") -> None:
    """Print what ``verify`` found, a line a file, and what to do; ``option`` makes commands mean this project."""
    if not findings:
        _console().print(f"[green]{plural(n_images, 'image')} verified: every file is what the manifest says.[/]")
        return
    _console().print(f"[bold]{plural(len(findings), 'finding')} in {plural(n_images, 'image')}[/]")
    for finding in findings:
        print_note(f"{finding.path}: {finding.problem}")
    again = (Command("fetch"), " gets those that are missing again, then ", Command("split --force"))
    remedy = ("Delete stored images whose bytes differ; ", *again, " makes the folders anew.")
    print_note(spell(remedy, option))


def print_story(lines: Sequence[str]) -> None:
    """Print an image's story, a fact a line."""
    for line in lines:
        _console().print(_escape(line), soft_wrap=True)


def print_comparison(comparison: Comparison) -> None:
    """Print planted against found."""
    table = _table("planted against decided", ["planted", "listed", "as planted", "otherwise", "not reached"])
    for kind in comparison.kinds:
        counts = (f"{kind.planted:,}", f"{kind.found:,}", _count(kind.missed), _count(kind.unreached))
        table.add_row(kind.kind, *counts, style="red" if kind.missed else "")
    _console().print(table)
    for miss in comparison.misses[:MOST_MISSES]:
        print_note(f"  {miss.kind} {miss.url} ({miss.label}): {miss.outcome}, expected {miss.expected}")
