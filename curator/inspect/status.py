"""Where a data set stands: the counts of its latest catalog, what stands beside it, and what it does not know yet.

>>> sorted(COMMANDS)[:3]
['compare', 'export', 'forgotten']
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from curator import catalog
from curator.catalog import Stage
from curator.errors import DiskError
from curator.fetch.ledger.history import count_through_proxy
from curator.manifests.inventory import COMMANDS, Entry, list_standing
from curator.manifests.project import Project
from curator.manifests.reviews import digest_reviews, read_reviews, standing_reviews
from curator.pipeline import run as pipeline
from curator.store.catalog_files import read_catalog, read_record
from curator.summary import Status, describe


def read_status(project: Project) -> Status:
    """Count the latest catalog that stands, and say what it does not know yet.

    Raises:
        StateError: a catalog or the reviews file is damaged.
    """
    stage = pipeline.latest_stage(project, with_reviews=False)
    table = read_catalog(project.paths.catalog(stage)) if stage else catalog.empty()
    status = describe(project, stage, table)
    reviewed, outdated = _new_reviews(project, stage), _outdated(project, stage)
    if reviewed and not outdated:
        status = replace(status, next=f"curator split{project.option}")
    entries = tuple(list_standing(project.paths))
    if stage == Stage.SPLIT and "manifest" not in {entry.kind for entry in entries}:
        status = replace(status, next=f"curator split{project.option} (writes the manifest again: it is gone)")
    return replace(
        status, news=(*reviewed, *outdated, *_unverified(project)), entries=entries, ways=_ways(project, stage, entries)
    )


def _unverified(project: Project) -> tuple[str, ...]:
    """Say what a proxy obtained: it may have asked any machine for it."""
    try:
        n = count_through_proxy(project.paths)
    except DiskError as error:
        return (f"what a proxy obtained is not known: {error.message}",)
    if not n:
        return ()
    images = "1 image" if n == 1 else f"{n:,} images"
    return (f"{images} came through a proxy: the addresses that it asked were not verified to be public",)


def _new_reviews(project: Project, stage: Stage | None) -> tuple[str, ...]:
    """Say how many decisions the catalog was made without."""
    now = digest_reviews(standing_reviews(read_reviews(project.paths.reviews)))
    then: dict[str, Any] = {"n": 0}
    if stage not in (None, Stage.LISTED, Stage.FETCHED):
        then = read_record(project.paths.catalog(stage)).settings.get("reviews", then)
    if then == now or (now["n"] == 0 and then["n"] == 0):
        return ()
    n = now["n"] - then["n"]
    told = f"{n:,} new review{'' if n == 1 else 's'}" if n > 0 else "reviews have changed"
    return (f"{told}: run `curator split{project.option}`",)


def _outdated(project: Project, stage: Stage | None) -> tuple[str, ...]:
    """Name the catalogs that stand and were made from an older one or by other settings."""
    later = list(Stage)[list(Stage).index(stage) + 1 if stage else 0 :]
    names = [str(one) for one in later if project.paths.catalog(one).exists()]
    if not names:
        return ()
    verb = "is" if len(names) == 1 else "are"
    why = "the fetch, the recipe or a stage before has changed"
    return (f"{', '.join(names)} {verb} out of date ({why}): run `curator split{project.option}`",)


_WAYS = {
    Stage.FETCHED: ("reviews",),
    Stage.DEDUPED: ("reviews", "gallery"),
    Stage.BALANCED: ("reviews", "gallery"),
    Stage.SPLIT: ("reviews", "gallery", "export", "replay", "compare"),
}


def _ways(project: Project, stage: Stage | None, entries: tuple[Entry, ...]) -> tuple[str, ...]:
    """Name the commands for what can be made from this stage on and does not stand; a review can always go on."""
    standing = {entry.kind for entry in entries} - {"reviews"}
    kinds = _WAYS.get(stage, ()) if stage else ()
    return tuple(COMMANDS[kind] + project.option for kind in kinds if kind not in standing)
