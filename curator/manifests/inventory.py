"""What stands of a data set beside its catalog: pages, exports, reviews, a replay; and the command that makes each.

>>> list_standing(DataPaths(Path("nowhere"), Path("nowhere"), "balls"))
[]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from curator.export.export import ATTRIBUTION, CARD, standing_exports
from curator.manifests.reviews import read_reviews, standing_reviews
from curator.pipeline.link_rot import HOSTS, IMAGES
from curator.store.paths import DataPaths
from curator.text import Command

COMMANDS = {
    "manifest": Command("split"),
    "report": Command("report"),
    "gallery": Command("dedupe --gallery"),
    "reviews": Command("review"),
    "export": Command("export FORMAT"),
    "replay": Command("replay MANIFEST"),
    "compare": Command("diff A B"),
    "forgotten": Command("forget URL|AUTHOR|HOST|SHA256"),
}
"""What may stand beside a catalog and how it is made; ``compare`` leaves no file."""


@dataclass(frozen=True)
class Entry:
    """Something that stands: its kind, where it is, the files of it to look at first, and what to know of it."""

    kind: str
    path: Path
    files: tuple[Path, ...]
    remark: str = ""


def list_standing(paths: DataPaths) -> list[Entry]:
    """List what stands, in the order of :data:`COMMANDS`.

    Raises:
        StateError: the reviews file is damaged.
    """
    return [*_pages(paths), *_decisions(paths), *_exports(paths), *_replay(paths), *_tombstones(paths)]


def _pages(paths: DataPaths) -> Iterator[Entry]:
    pages = (("manifest", paths.manifest), ("report", paths.report), ("gallery", paths.duplicates))
    return (Entry(kind, path, (path,)) for kind, path in pages if path.exists())


def _decisions(paths: DataPaths) -> Iterator[Entry]:
    if paths.reviews.exists():
        n = len(standing_reviews(read_reviews(paths.reviews)))
        yield Entry("reviews", paths.reviews, (paths.reviews,), f"{n:,} decision{'' if n == 1 else 's'}")


def _exports(paths: DataPaths) -> Iterator[Entry]:
    for export in standing_exports(paths):
        files = (export.path / CARD, export.path / ATTRIBUTION)
        yield Entry("export", export.path, files, "" if export.is_current else "of an older manifest: export again")


def _replay(paths: DataPaths) -> Iterator[Entry]:
    files = tuple(path for path in (paths.replay / HOSTS, paths.replay / IMAGES) if path.exists())
    if files:
        yield Entry("replay", paths.replay, files)


def _tombstones(paths: DataPaths) -> Iterator[Entry]:
    if paths.forgotten.exists():
        yield Entry("forgotten", paths.forgotten, (paths.forgotten,))
