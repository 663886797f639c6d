"""The counts of the latest catalog, what exists beside it, what it does not know yet, and what to run next.

>>> [str(stage) for stage, ways in _WAYS.items() if "export" in ways]
['split']
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pyarrow as pa

from curator import catalog
from curator.catalog import Stage
from curator.decide.conflicts import find_conflicts, way_out_of_all
from curator.decide.doubts import describe_doubts
from curator.decide.judged import DOUBTFUL
from curator.embed.current import suspects_news
from curator.errors import DiskError
from curator.fetch.ledger.history import count_through_proxy
from curator.inspect.next_step import SPLIT_AGAIN, can_find_suspects, next_by_news
from curator.inspect.settings_news import settings_news
from curator.inspect.source_news import rescued_news, source_news
from curator.inspect.stage_status import READ, Status, count_stage, new_reviews
from curator.inspect.unfinished import count_so_far, find_unfinished
from curator.manifests.inventory import list_entries, making_commands
from curator.manifests.licences import frequent_keys
from curator.manifests.project import Project
from curator.manifests.reviews import decided_keys, read_reviews, standing_reviews
from curator.pipeline import made_from
from curator.pipeline.judging.last_evidence import read_evidence
from curator.pipeline.made_from import Change
from curator.store.catalog_files import read_catalog
from curator.store.suspects_file import count_decided, read_suspects
from curator.text import Command, Text, plural


def read_status(project: Project) -> Status:
    """Count the latest catalog, and say what it does not know yet.

    Raises:
        StateError: a catalog or the reviews file is damaged.
    """
    stage, changes = made_from.examine(project, with_reviews=False)
    unfinished, is_local = find_unfinished(project), False
    concerns: tuple[Text, ...] = ()
    if unfinished and unfinished.table is not None and stage in (None, Stage.LISTED):
        status = _count_unfinished(project, stage, unfinished.table)
    else:
        table = read_catalog(project.paths.catalog(stage), READ) if stage else catalog.empty()
        status = count_stage(project, stage, table)
        is_local, concerns = not table["url"].notna().any(), _concerns(project, stage, table)
    if unfinished and unfinished.is_running:
        status = replace(status, next=(), remark="")
    reviewed, outdated = new_reviews(project, stage), _outdated(project, stage, changes)
    entries = tuple(list_entries(project.paths))
    going = (unfinished.in_words(),) if unfinished else ()
    sources = () if unfinished else source_news(project)
    settings = settings_news(project)
    told = {"reviewed": bool(reviewed and not outdated), "sources": bool(sources)}
    told["settings"] = bool(settings and not unfinished)
    if first := next_by_news(project.paths, stage, changes, **told):
        status = replace(status, next=first[:1], remark=first[1])
    news = (*going, *sources, *reviewed, *outdated, *settings, *concerns, *_suspects(project), *_unverified(project))
    made = {entry.kind for entry in entries} - {"reviews"}  # a review can always go on
    commands = {**making_commands(project.paths), "suspects": Command("suspects")}
    if is_local:
        made.add("replay")  # nobody else has these files
    if not can_find_suspects(project):
        made.add("suspects")
    ways = tuple(commands[kind] for kind in _WAYS.get(stage, ()) if kind not in made)
    return replace(status, news=news, entries=entries, ways=ways, unfinished=unfinished)


def _count_unfinished(project: Project, stage: Stage | None, table: pd.DataFrame) -> Status:
    """Count what the first fetch has settled so far; what it has not is ``waiting``, and neither kept nor dropped."""
    licences = pd.Series(frequent_keys(table), index=table.index, dtype=pd.ArrowDtype(pa.string()))
    parts = [
        {str(value): count_so_far(rows) for value, rows in table.groupby(column, sort=True)}
        for column in ("label", "source", licences)
    ]
    status = count_stage(project, stage, table)
    return replace(status, counts=count_so_far(table), labels=parts[0], sources=parts[1], licences=parts[2])


def _suspects(project: Project) -> tuple[Text, ...]:
    """Say how many suspects a person has decided on, and whether they are those of now."""
    if (found := read_suspects(project.paths.suspects)) is None:
        return ()
    decided = decided_keys(standing_reviews(read_reviews(project.paths.reviews)))
    n, n_all = count_decided(found, decided)
    counted: tuple[Text, ...] = (
        ((f"{n:,} of {plural(n_all, 'suspect')} decided: ", Command("review")),) if n < n_all else ()
    )
    return counted + ((news,) if (news := suspects_news(project)) else ())


def _conflicts(table: pd.DataFrame) -> tuple[Text, ...]:
    """Say how many pictures are kept under no label because they have several, and what to do about them."""
    n = len(find_conflicts(table))
    return (way_out_of_all(n),) if n else ()


def _concerns(project: Project, stage: Stage | None, table: pd.DataFrame) -> tuple[Text, ...]:
    """Say what a person should know of the images of a catalog."""
    return (*_conflicts(table), *_doubts(project, stage, table), *rescued_news(table))


def _doubts(project: Project, stage: Stage | None, table: pd.DataFrame) -> tuple[Text, ...]:
    """Say how many pairs that may be one picture stand on two sides of the split."""
    if stage != Stage.SPLIT or made_from.as_deduped(project).dedupe.mode != "near":
        return ()
    return describe_doubts(table, read_evidence(project.paths, DOUBTFUL))


def _unverified(project: Project) -> tuple[Text, ...]:
    """Say what a proxy obtained: it may have requested it of any machine."""
    try:
        n = count_through_proxy(project.paths)
    except DiskError as error:
        return (f"what a proxy obtained is not known: {error.message}",)
    if not n:
        return ()
    return (
        f"{plural(n, 'image')} came through a proxy: the addresses that it requested were not verified to be public",
    )


def _outdated(project: Project, stage: Stage | None, changes: frozenset[Change]) -> tuple[Text, ...]:
    """Name the catalogs that were made from something else than is there now, and what has changed."""
    later = list(Stage)[list(Stage).index(stage) + 1 if stage else 0 :]
    names = [str(one) for one in later if project.paths.catalog(one).exists()]
    if not names:
        return ()
    verb = "is" if len(names) == 1 else "are"
    why = ", ".join(sorted(changes - {Change.UNPUBLISHED})) or str(Change.INPUT)
    return ((f"{', '.join(names)} {verb} out of date (changed: {why}): run ", SPLIT_AGAIN),)


_WAYS: dict[Stage | None, tuple[str, ...]] = {
    Stage.FETCHED: ("reviews",),
    Stage.DEDUPED: ("reviews", "gallery"),
    Stage.BALANCED: ("reviews", "gallery"),
    Stage.SPLIT: ("suspects", "reviews", "gallery", "export", "replay"),
}
"""What can be made from each stage on."""
