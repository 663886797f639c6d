"""What exists of a data set beside its catalog: pages, exports, reviews, a replay; and the command that makes each.

>>> list_entries(DataPaths(Path("nowhere"), Path("nowhere"), "balls"))
[]
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from curator.manifests.reviews import read_reviews, standing_reviews
from curator.store.catalog_files import file_digest
from curator.store.paths import EXPORT_CARD, EXPORT_CREDITS, EXPORT_RECORD, ON_HUB, DataPaths
from curator.text import Command, plural


def making_commands(paths: DataPaths) -> dict[str, Command]:
    """Name what may exist beside a catalog and the command that makes it.

    Each can be run as it is. One that wants an argument that nobody knows here says what it takes.
    """
    return {
        "manifest": Command("split"),
        "report": Command("report"),
        "gallery": Command("dedupe --gallery"),
        "reviews": Command("review"),
        "export": Command("export imagefolder"),
        "replay": Command.of("replay", str(paths.manifest)),
        "forgotten": Command("forget --help"),
    }


@dataclass(frozen=True)
class Entry:
    """Something that exists: its kind, where it is, the files of it to look at first, and what to know of it."""

    kind: str
    path: Path
    files: tuple[Path, ...]
    remark: str = ""


def list_entries(paths: DataPaths) -> list[Entry]:
    """List what exists, in the order of :func:`making_commands`.

    Raises:
        StateError: the reviews file is damaged.
    """
    pages = {"manifest": paths.manifest, "report": paths.report, "gallery": paths.duplicates}
    entries = [Entry(kind, path, (path,)) for kind, path in pages.items() if path.exists()]
    if paths.reviews.exists():
        n = len(standing_reviews(read_reviews(paths.reviews)))
        entries.append(Entry("reviews", paths.reviews, (paths.reviews,), plural(n, "decision")))
    for folder in export_folders(paths):
        remark = "" if is_current_export(paths, folder) else "of an older manifest: export again"
        entries.append(Entry("export", folder, (folder / EXPORT_CARD, folder / EXPORT_CREDITS), remark))
    replay = paths.replay
    if files := tuple(path for path in (replay.link_rot, replay.replayed_images) if path.exists()):
        entries.append(Entry("replay", replay.folder, files))
    if paths.forgotten.exists():
        entries.append(Entry("forgotten", paths.forgotten, (paths.forgotten,)))
    return entries


def export_folders(paths: DataPaths) -> Iterator[Path]:
    """Find the folder of each export, by name; those that a killed export left unfinished are hidden folders."""
    folders = sorted(paths.exports.iterdir()) if paths.exports.is_dir() else []
    return (folder for folder in folders if folder.is_dir() and not folder.name.startswith("."))


def export_command(folder: Path) -> Command:
    """Return the command that writes the export in a folder of :attr:`DataPaths.exports` anew."""
    return Command("export --to hub" if folder.name == ON_HUB else f"export {folder.name}")


def is_current_export(paths: DataPaths, folder: Path) -> bool:
    """Say whether an export holds the manifest of now."""
    try:
        now = file_digest(paths.manifest)
        record = folder / EXPORT_RECORD
        made_of = json.loads(record.read_text("utf-8")).get("manifest") if record.exists() else None
        return now == (made_of or file_digest(folder / paths.manifest.name))
    except (OSError, ValueError, AttributeError):
        return False
