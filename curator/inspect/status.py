"""Where a data set stands: the counts of its latest catalog, what stands beside it, and what it does not know yet.

>>> sorted(COMMANDS)[:3]
['compare', 'export', 'forgotten']

A catalog in counts: per stage, label, source and drop reason, and what to run next.

>>> spell(next_step(None, {}))
'`curator fetch`'
>>> spell(next_step(Stage.FETCHED, {"rugby": 3}), quote="")
'curator split --per-class max (too few images: rugby misses 3; or fetch more)'
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from curator import catalog
from curator.catalog import Stage
from curator.errors import DiskError
from curator.fetch.ledger.history import count_through_proxy
from curator.manifests.inventory import COMMANDS, Entry, list_entries
from curator.manifests.project import Project
from curator.manifests.reviews import digest_reviews, read_reviews, standing_reviews
from curator.pipeline import made_from
from curator.pipeline import run as pipeline
from curator.pipeline.made_from import Change
from curator.store.catalog_files import read_catalog, read_record
from curator.text import MOST, Command, Text, spell

if TYPE_CHECKING:
    from curator.manifests.inventory import Entry


def read_status(project: Project) -> Status:
    """Count the latest catalog that stands, and say what it does not know yet.

    Raises:
        StateError: a catalog or the reviews file is damaged.
    """
    stage, changes = made_from.examine(project, with_reviews=False)
    table = read_catalog(project.paths.catalog(stage)) if stage else catalog.empty()
    status = describe(project, stage, table)
    reviewed, outdated = _new_reviews(project, stage), _outdated(project, stage, changes)
    if reviewed and not outdated:
        status = replace(status, next=(Command("split"),))
    entries = tuple(list_entries(project.paths))
    if stage == Stage.SPLIT and Change.UNPUBLISHED in changes:
        gone = "the manifest again: it is gone" if not project.paths.manifest.exists() else "the folders again"
        status = replace(status, next=(Command("split"), f" (writes {gone})"))
    return replace(
        status, news=(*reviewed, *outdated, *_unverified(project)), entries=entries, ways=_ways(stage, entries)
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


def _new_reviews(project: Project, stage: Stage | None) -> tuple[Text, ...]:
    """Say how many decisions the catalog was made without."""
    now = digest_reviews(standing_reviews(read_reviews(project.paths.reviews)))
    then: dict[str, Any] = {"n": 0}
    if stage not in (None, Stage.LISTED, Stage.FETCHED):
        then = read_record(project.paths.catalog(stage)).settings.get("reviews", then)
    if then == now or (now["n"] == 0 and then["n"] == 0):
        return ()
    n = now["n"] - then["n"]
    told = f"{n:,} new review{'' if n == 1 else 's'}" if n > 0 else "reviews have changed"
    return ((f"{told}: run ", Command("split")),)


def _outdated(project: Project, stage: Stage | None, changes: frozenset[Change]) -> tuple[Text, ...]:
    """Name the catalogs that stand and were made from an older one or by other settings."""
    later = list(Stage)[list(Stage).index(stage) + 1 if stage else 0 :]
    names = [str(one) for one in later if project.paths.catalog(one).exists()]
    if not names:
        return ()
    verb = "is" if len(names) == 1 else "are"
    why = ", ".join(sorted(changes - {Change.UNPUBLISHED})) or str(Change.INPUT)
    return ((f"{', '.join(names)} {verb} out of date (changed: {why}): run ", Command("split")),)


_WAYS = {
    Stage.FETCHED: ("reviews",),
    Stage.DEDUPED: ("reviews", "gallery"),
    Stage.BALANCED: ("reviews", "gallery"),
    Stage.SPLIT: ("reviews", "gallery", "export", "replay", "compare"),
}


def _ways(stage: Stage | None, entries: tuple[Entry, ...]) -> tuple[Command, ...]:
    """Name the commands for what can be made from this stage on and does not stand; a review can always go on."""
    standing = {entry.kind for entry in entries} - {"reviews"}
    kinds = _WAYS.get(stage, ()) if stage else ()
    return tuple(COMMANDS[kind] for kind in kinds if kind not in standing)


@dataclass(frozen=True)
class Status:
    """The counts of the latest stage's catalog, whole and by label and source, and the next command.

    ``news`` says what the catalog does not know yet and what nobody verified, ``entries`` what stands beside it,
    ``ways`` the other commands.
    """

    name: str
    stage: Stage | None
    counts: dict[str, Any]
    labels: dict[str, dict[str, Any]]
    sources: dict[str, dict[str, Any]]
    splits: dict[str, dict[str, int]] = field(default_factory=dict)
    next: Text = ""
    news: tuple[Text, ...] = ()
    entries: tuple[Entry, ...] = ()
    ways: tuple[Command, ...] = ()

    def as_json(self, option: str = "") -> dict[str, Any]:
        """Return the machine-readable form: ``listed``, ``kept``, ``dropped``, and the same under each part.

        Args:
            option: names the data set in the commands.
        """
        return {
            "name": self.name,
            "stage": str(self.stage) if self.stage else None,
            **self.counts,
            "labels": self.labels,
            "sources": self.sources,
            "splits": self.splits,
            "next": spell(self.next, option, quote=""),
            "news": [spell(news, option) for news in self.news],
            "beside": [
                {"kind": entry.kind, "path": str(entry.path), "files": [*map(str, entry.files)], "remark": entry.remark}
                for entry in self.entries
            ],
        }


def describe(project: Project, stage: Stage | None, table: Any) -> Status:
    """Count a catalog that is at hand."""
    missing = pipeline.missing_per_label(project.recipe, table) if stage in (Stage.FETCHED, Stage.DEDUPED) else {}
    return Status(
        name=project.recipe.name,
        stage=stage,
        counts=catalog.counts(table),
        labels=_by_label(project, stage, table),
        sources=catalog.counts_by(table, "source"),
        splits=_splits(table),
        next=next_step(stage, missing, project.most_command, _empty_labels(project, table)),
    )


def _by_label(project: Project, stage: Stage | None, table: Any) -> dict[str, dict[str, Any]]:
    """Count each label, also one that no source has listed an image of."""
    labels = project.recipe.labels if stage else ()
    nothing = {label: {"listed": 0, "kept": 0, "dropped": {}} for label in labels}
    return dict(sorted((nothing | catalog.counts_by(table, "label")).items()))


def _empty_labels(project: Project, table: Any) -> list[str]:
    kept = set(catalog.kept(table)["label"])
    return [label for label in project.recipe.labels if label not in kept]


def _splits(table: Any) -> dict[str, dict[str, int]]:
    kept = catalog.kept(table)
    kept = kept[kept["split"].notna().to_numpy(dtype=bool)]
    parts = kept.groupby("split", sort=True)["label"]
    return {str(split): {str(label): int(n) for label, n in part.value_counts().items()} for split, part in parts}


def next_step(
    stage: Stage | None, missing: dict[str, int], most: Command = MOST, empty: Sequence[str] = ()
) -> tuple[str | Command, ...]:
    """Return the command to run next, and why in brackets.

    Args:
        stage: the latest stage.
        missing: the images that each label is short of.
        most: the command that takes as many images of each label as there are.
        empty: the labels without any image.
    """
    if stage in (None, Stage.LISTED):
        return (Command("fetch"),)
    if missing and empty:
        return (Command("fetch"), f" (there is no image of {', '.join(empty)}: give it another source first)")
    if missing:
        short = ", ".join(f"{label} misses {n:,}" for label, n in missing.items())
        return (most, f" (too few images: {short}; or fetch more)")
    following = {Stage.FETCHED: "dedupe", Stage.SPLIT: "benchmark"}.get(stage, "split")
    return (Command(following),)
