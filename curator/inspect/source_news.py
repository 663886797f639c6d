"""What has changed where images come from since the last fetch: what ``split`` would fetch first.

>>> FileChanges(new=3, lost=1).in_words()
'3 new files, 1 lost'
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

import pandas as pd

from curator import catalog
from curator.catalog import Stage
from curator.errors import CuratorError
from curator.fetch.ledger.ledger import Ledger
from curator.fetch.ledger.schema import FILE_SCHEME
from curator.fetch.local_files import path_of_file, version_of_file
from curator.manifests.labels import LabelFinder
from curator.manifests.project import Project
from curator.pipeline.fetched_from import changed_sources, why_fetch_again
from curator.sources.base import ListingContext
from curator.sources.folder.folder_source import Folder
from curator.store.catalog_files import read_catalog
from curator.text import Command, Text, plural

_MOST_AT_ONCE = 20_000


@dataclass
class FileChanges:
    """Files of the recipe's labels in one source: how many came, are not what they were, and are gone."""

    new: int = 0
    changed: int = 0
    lost: int = 0

    def in_words(self) -> str:
        """Name those that there are; empty if there are none."""
        counts = [(n, what) for what, n in asdict(self).items() if n]
        parts = [f"{n:,} {what}" for n, what in counts]
        if parts:
            n, what = counts[0]
            parts[0] = plural(n, f"{what} file")
        return ", ".join(parts)


def source_news(project: Project) -> tuple[Text, ...]:
    """Say what has changed since the last fetch, and the command that fetches it; empty if nothing has."""
    if not project.paths.catalog(Stage.FETCHED).exists() or not (reason := why_fetch_again(project)):
        return ()
    counted = {title: words for title, one in _count(project).items() if (words := one.in_words())}
    named = "; ".join(counted.values() if len(counted) == 1 else map(": ".join, counted.items()))
    return ((f"{reason}{f' ({named})' if named else ''}: run ", Command("split")),)


def _count(project: Project) -> dict[str, FileChanges]:
    """Count the files that came, changed and went in each source that changed, by its title."""
    titles = {source.title for source in changed_sources(project)}
    if not titles:
        return {}
    found: dict[str, FileChanges] = defaultdict(FileChanges)
    listed = read_catalog(project.paths.catalog(Stage.LISTED))
    listed = listed[listed["source"].isin(titles).to_numpy(dtype=bool)]
    now = _listed_now(project, titles)
    if now is not None:
        is_folder = (listed["kind"] == Folder.kind).to_numpy(dtype=bool)
        gone = listed[is_folder & ~listed["record_id"].isin(now["record_id"]).to_numpy(dtype=bool)]
        came = now[~now["record_id"].isin(listed["record_id"]).to_numpy(dtype=bool)]
        for rows, what in ((came, "new"), (gone, "lost")):
            for title, n in rows["source"].value_counts().items():
                setattr(found[str(title)], what, int(n))
        listed = listed[~listed["record_id"].isin(gone["record_id"]).to_numpy(dtype=bool)]
    _count_changed(project, listed[listed["local_path"].notna().to_numpy(dtype=bool)], found)
    return found


def _listed_now(project: Project, titles: set[str]) -> pd.DataFrame | None:
    """List the folders again, which is quick; None if there is none, or one cannot be listed."""
    names = LabelFinder(dict.fromkeys(project.recipe.labels, ()) | dict(project.recipe.label_names))
    lists = []
    for index, source in enumerate(project.recipe.sources):
        if isinstance(source, Folder) and source.title in titles:
            before = project.recipe.sources[:index]
            context = ListingContext(
                labels=project.recipe.labels,
                cache_dir=project.paths.sources,
                base_dir=project.recipe.base_dir,
                label_names=names,
                has_namesake=any((one.kind, one.title) == (source.kind, source.title) for one in before),
            )
            try:
                lists.append(source.list_images(0, source.covers(project.recipe.labels), context))
            except CuratorError:
                return None
    return pd.concat(lists, ignore_index=True) if lists else None


def _count_changed(project: Project, rows: pd.DataFrame, found: dict[str, FileChanges]) -> None:
    """Count the files that the ledger knows and that are not what they were, or are gone."""
    with Ledger(project.paths.attempts, to_read=True) as ledger:
        for start in range(0, len(rows), _MOST_AT_ONCE):
            part = rows.iloc[start : start + _MOST_AT_ONCE]
            addresses = [f"{FILE_SCHEME}{path}" for path in part["local_path"]]
            states = ledger.states(addresses, retries=0, max_pixels=0)
            for title, address, state in zip(part["source"], addresses, states, strict=True):
                version = version_of_file(path_of_file(address))
                if state.file_version is not None and version != state.file_version:
                    which = "changed" if version else "lost"
                    setattr(found[title], which, getattr(found[title], which) + 1)


def rescued_news(table: pd.DataFrame) -> tuple[Text, ...]:
    """Say how many images are kept that came from a web archive."""
    places = catalog.kept(table)["archive_url"].dropna()
    if places.empty:
        return ()
    hosts, n = ", ".join(sorted({urlsplit(place).netloc for place in places})), len(places)
    dead = "its address is dead" if n == 1 else "their addresses are dead"
    return (f"{plural(n, 'image is a capture', 'images are captures')} of {hosts}: {dead}",)
