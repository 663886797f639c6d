"""Print the counts that every stage ends with: a row a drop reason, a column a label and a source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from curator.cli.command import Answer
from curator.cli.terminal import Terminal, count
from curator.reasons import SPLITS, splits_of
from curator.store.image_store import makes_folders

if TYPE_CHECKING:
    from curator.dataset import Dataset
    from curator.inspect.stage_result import StageResult
    from curator.inspect.stage_status import Status
    from curator.text import Text

MOST_COLUMNS = 7
"""Parts (labels and sources) that fit beside each other in an 80-column terminal."""


def stage_answer(result: StageResult, *lines: str) -> Answer:
    """Show what a stage ended with: its counts, its notes, and further lines, such as where the result is."""

    def facts(terminal: Terminal) -> dict[str, Any]:
        notes = [terminal.spell(note) for note in result.notes]
        return {**result.status.as_json(terminal.option), "notes": notes, "missing": result.missing}

    def show(terminal: Terminal) -> None:
        print_counts(terminal, result.status, result.notes, lines)

    return Answer(facts, show, bool(result.missing))


def print_counts(terminal: Terminal, status: Status, notes: Sequence[Text] = (), lines: Sequence[str] = ()) -> None:
    """Print the counts of a catalog, what exists beside it, notes, further lines, and at the end what to run next."""
    title = f"{status.name}, {status.headline}"
    labels, sources = status.labels, status.sources
    if len(labels) + len(sources) <= MOST_COLUMNS:
        others = {f"{name} (source)" if name in labels else name: part for name, part in sources.items()}
        _print_by_reason(terminal, title, {"all": status.counts, **labels, **others})
    else:
        _print_by_part(terminal, title, {"all": status.counts, **labels})
        _print_by_part(terminal, "", sources)
    if licences := licences_in_words(status):
        terminal.note(licences)
    if status.splits:
        _print_splits(terminal, status)
    _print_beside(terminal, status)
    terminal.notes(notes)
    for line in lines:
        terminal.note(line)
    for command in status.next:
        terminal.next(command, status.remark)


def licences_in_words(status: Status) -> str:
    """Count what is kept by licence, the most first; empty if no source states one."""
    from curator.manifests.licences import UNKNOWN, licence_name

    kept = {name: part["kept"] for name, part in status.licences.items() if part["kept"]}
    if set(kept) <= {UNKNOWN}:
        return ""
    ranked = sorted(kept.items(), key=lambda item: (-item[1], item[0]))
    named = [f"{licence_name(name)} {n:,}" for name, n in ranked[:MOST_COLUMNS]]
    rest = sum(n for _, n in ranked[MOST_COLUMNS:])
    return f"licences: {', '.join(named)}{f', others {rest:,}' if rest else ''}"


def _print_beside(terminal: Terminal, status: Status) -> None:
    width = max((len(entry.kind) for entry in status.entries), default=0)
    for entry in status.entries:
        names = [] if entry.path in entry.files else [file.name for file in entry.files]
        remark = "; ".join(filter(None, [", ".join(names), entry.remark]))
        terminal.note(f"{entry.kind + ':':<{width + 1}} {entry.path}{f'  ({remark})' if remark else ''}")
    for way in status.ways:
        terminal.command("also", way)
    for news in status.news:
        terminal.note(news, "bold yellow")


def _print_by_reason(terminal: Terminal, title: str, columns: Mapping[str, Mapping[str, Any]]) -> None:
    rows = [["listed", *(f"{part['listed']:,}" for part in columns.values())]]
    for reason in columns["all"]["dropped"]:
        rows.append([f"- {reason}", *(count(part["dropped"].get(reason, 0)) for part in columns.values())])
    if "waiting" in columns["all"]:
        rows.append(["not settled yet", *(count(part["waiting"]) for part in columns.values())])
    rows.append(["kept", *(f"{part['kept']:,}" for part in columns.values())])
    terminal.table(title, ["", *columns], rows, [*[""] * (len(rows) - 1), "bold green"])


def _print_by_part(terminal: Terminal, title: str, parts: Mapping[str, Mapping[str, Any]]) -> None:
    rows = []
    for name, part in parts.items():
        mostly = max(part["dropped"].items(), key=lambda item: item[1], default=("", 0))[0]
        dropped = sum(part["dropped"].values())
        rows.append([name, f"{part['listed']:,}", f"{part['kept']:,}", f"{dropped:,}", mostly])
    terminal.table(title, ["", "listed", "kept", "dropped", "mostly"], rows)


def _print_splits(terminal: Terminal, status: Status) -> None:
    """Print what is in train, in each of its folds, in val and in test."""
    parts = {split: status.splits[split] for split in SPLITS if split in status.splits}
    folds = {f"  fold {fold}": counts for fold, counts in status.folds.items()}
    train = {split: counts for split, counts in parts.items() if split == SPLITS[0]}
    ordered = {**train, **folds, **{split: counts for split, counts in parts.items() if split not in train}}
    labels = sorted({label for counts in parts.values() for label in counts})
    if len(labels) > MOST_COLUMNS:
        totals = ", ".join(f"{name.strip()} {sum(counts.values()):,}" for name, counts in ordered.items())
        terminal.note(f"split: {totals} images over {len(labels)} labels")
        return
    rows = [[name, *(f"{counts.get(label, 0):,}" for label in labels)] for name, counts in ordered.items()]
    terminal.table("", ["split", *labels], rows)


def split_answer(dataset: Dataset, result: StageResult) -> Answer:
    """Show what the split ended with, and where the manifest and the folders are."""
    paths = dataset.paths
    splits = splits_of(result.table["split"].dropna().unique())
    folders = f"folders:  {'  '.join(str(paths.split_folder(split)) for split in splits)}"
    if not makes_folders(paths.folder):
        folders = f"images:   {dataset.project.recipe.store.url} (an export writes them to a folder)"
    return stage_answer(result, f"manifest: {paths.manifest}", folders)
