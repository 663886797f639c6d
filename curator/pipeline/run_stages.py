"""The stages in order: each reads the catalog before it, decides, writes its own, and records what it was made from.

A stage whose input and settings are unchanged is skipped. Decisions are pure (``curator.decide``); this module reads
and writes for them.

>>> from curator.manifests.settings import BalanceSettings
>>> recipe = Recipe("balls", ("rugby", "soccer"), (), balance=BalanceSettings(per_class=2))
>>> missing_per_label(recipe, catalog.SCHEMA.empty_table())
{'rugby': 2, 'soccer': 2}
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from curator import catalog
from curator.catalog import Stage
from curator.decide.recordings import describe_frames
from curator.errors import SourceError
from curator.events import Noted, StageFinished
from curator.fetch.cluster.connection import open_ray
from curator.fetch.ledger.ledger import Ledger
from curator.fetch.outcomes import with_pictures
from curator.manifests.project import Project
from curator.manifests.recipe import Recipe
from curator.manifests.records import mend_records
from curator.pipeline.acquire import AcquireOptions, acquire, settings_of_fetch
from curator.pipeline.fetched_from import facts_of, remember, why_fetch_again
from curator.pipeline.held_sides import read_sides, require_same_split
from curator.pipeline.made_from import (
    Circumstances,
    MadeFrom,
    changes_since,
    read_circumstances,
    read_made_from,
    settings_in_effect,
)
from curator.pipeline.overrides import Override, remember_options
from curator.pipeline.publish import note_recipe, publish
from curator.pipeline.stages import STAGES, DecideStage
from curator.pipeline.storing import note_place, storing
from curator.store.catalog_files import (
    StageRecord,
    find_record,
    fingerprint,
    read_catalog,
    refuse_newer,
    row_groups,
    with_decided,
    write_decided,
    write_if_changed,
)
from curator.store.lock import locked
from curator.store.mapped_column import MAPPED, read_mapped
from curator.text import Text

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Outcome:
    """What a command ended with: the catalog, notes for a person, and what is missing of what was requested.

    Of the catalog of a stage that decides, ``rows`` has the columns that it read.
    """

    rows: pd.DataFrame | pa.Table
    notes: tuple[Text, ...] = ()
    missing: dict[str, int] = field(default_factory=dict)
    skipped: bool = False

    @cached_property
    def table(self) -> pd.DataFrame:
        """The catalog as a DataFrame."""
        return catalog.from_arrow(self.rows) if isinstance(self.rows, pa.Table) else self.rows


def fetch(project: Project, options: AcquireOptions | None = None) -> Outcome:
    """List, download, observe and judge quality; write ``1-listed``, before any request, and ``2-fetched``.

    Raises:
        SourceError: no source could be listed.
        CuratorError: there is no cluster, or a machine of it is refused.
        LockedError, DiskError: see there.
    """
    options, paths = options or AcquireOptions(), project.paths
    if project.recipe.engine.kind == "ray":
        open_ray(project.recipe.engine)  # before hours of listing
    with locked(paths.lock, "fetch"):
        project.claim()
        mend_records(project)
        refuse_newer(map(paths.catalog, Stage))
        settings = settings_of_fetch(project.recipe, options)
        record = StageRecord(Stage.LISTED, fingerprint(settings), settings, settings)

        def note_listed(rows: pa.Table) -> None:
            write_if_changed(paths.catalog(Stage.LISTED), partial(row_groups, rows), record)

        facts = facts_of(project)
        with storing(project):
            with Ledger(paths.attempts) as ledger:
                ledger.begin_run(time.time())
            try:
                listing, table = acquire(project, options, note_listed)
            except SourceError:  # no list could be read: there is nothing that a next fetch could go on with
                with Ledger(paths.attempts) as ledger:
                    ledger.finish_runs(time.time())
                raise
            fetched = replace(record, stage=Stage.FETCHED)
            skipped = not write_if_changed(paths.catalog(Stage.FETCHED), partial(with_pictures, table, paths), fetched)
            with Ledger(paths.attempts) as ledger:
                ledger.finish_runs(time.time())
            remember(project, facts, listing.watched)
    _report(project, Stage.FETCHED, table, skipped)
    frames = describe_frames(catalog.kept(table), project.recipe.split)
    notes = (*listing.failures.values(), *frames)
    return Outcome(table, notes, missing_per_label(project.recipe, table), skipped)


def missing_per_label(recipe: Recipe, table: pd.DataFrame | pa.Table) -> dict[str, int]:
    """Count the images that each label is short of ``per_class``; a label with enough is left out."""
    have = catalog.count_values(catalog.kept(table)["label"])
    short = {label: (recipe.balance.wanted_of(label) or 1) - have.get(label, 0) for label in recipe.labels}
    return {label: n for label, n in short.items() if n > 0}


def decide(
    project: Project,
    stage: Stage,
    overrides: Mapping[str, Mapping[str, Any]],
    force: bool = False,
    resplit: bool = False,
) -> Outcome:
    """Bring every stage up to ``stage`` up to date; a fetch that was never done, or never finished, comes first.

    Args:
        overrides: recipe section to the options given for it; a stage that is not overridden keeps the settings that
            it was last run with until its recipe section changes, except ``stage`` itself, which goes back to the
            recipe's.
        force: redo ``stage`` even if nothing changed.
        resplit: let go of the previous split; images may change sides.

    Raises:
        CuratorError: other split settings than those of the previous split, without ``resplit``.
        RecipeError: an override is out of its range.
        SourceError: nothing was fetched yet, and no source can be listed.
        StateError: a catalog is damaged.
        ShortfallError: a label has too few images; nothing was written.
    """
    for section, override in overrides.items():
        project.recipe.with_overrides(section, **override)
    _fetch_first(project)
    with locked(project.paths.lock, str(stage)):
        project.claim()
        mend_records(project)
        refuse_newer(map(project.paths.catalog, Stage))
        note_place(project)
        seen = read_circumstances(project, resplit)
        if seen.held and stage == Stage.SPLIT:
            wanted = project.recipe.with_overrides("split", **overrides.get("split", {}))
            require_same_split(project.paths, wanted.split)
        for step in STAGES:
            outcome = _bring_up_to_date(seen, step, overrides.get(step.section, {}), step.name == stage, force)
            if step.name == stage:
                return outcome
    raise ValueError(f"{stage} is not a deciding stage")


def _fetch_first(project: Project) -> None:
    """Fetch if that was never done or finished, or if the recipe's lists or local files have changed since."""
    if not project.paths.catalog(Stage.FETCHED).exists():
        fetch(project)
    elif reason := why_fetch_again(project):
        project.emit(Noted(f"{reason}: fetching first"))
        record = find_record(project.paths.catalog(Stage.FETCHED))
        before = record.settings.get("fetch", {}) if record else {}
        fetch(project, AcquireOptions(limit=before.get("limit"), everything=bool(before.get("everything"))))


def _bring_up_to_date(
    seen: Circumstances, step: DecideStage, given: Mapping[str, Any], is_requested: bool, force: bool
) -> Outcome:
    path = seen.project.paths.catalog(step.name)
    recipe, override = settings_in_effect(seen, step, given, is_requested)
    now, record = read_made_from(seen, step, recipe, is_requested), find_record(path)
    if record is None or (force and is_requested) or changes_since(record, now):
        outcome = _decide_anew(seen, step, recipe, override, now)
    else:
        remember_options(seen.project.paths, step.section, override)
        if step.name == Stage.SPLIT:
            note_recipe(seen.project)
        columns = step.columns(seen.project, seen.reviews, None) - MAPPED
        outcome = Outcome(read_catalog(path, columns), record.notes, skipped=True)
    _report(seen.project, step.name, outcome.rows, outcome.skipped)
    return outcome


def _decide_anew(seen: Circumstances, step: DecideStage, recipe: Recipe, override: Override, now: MadeFrom) -> Outcome:
    paths = seen.project.paths
    # Dedupe's settings are in effect in the stages after it, too: they say which kept images are one picture.
    project = replace(seen.project, recipe=recipe.with_overrides("dedupe", **now.settings["dedupe"]))
    previous = read_sides(paths) if seen.held else None
    before = paths.catalog_before(step.name)
    table = read_mapped(before, step.columns(project, seen.reviews, previous))
    table, notes = step.decide(table, project, seen.reviews, previous)
    # Before the catalog: if the run is killed in between, the next one takes the same options.
    remember_options(paths, step.section, override)
    record = StageRecord(step.name, now.fingerprint, dict(override.recipe), dict(now.settings), notes)
    if step.name == Stage.SPLIT:
        groups = partial(with_decided, before, table)
        record = replace(record, manifest_sha256=publish(project, table, groups, now.settings, previous))
    write_decided(paths.catalog(step.name), before, table, record)
    return Outcome(table.drop(columns=[*MAPPED], errors="ignore"), notes)


def _report(project: Project, stage: Stage, table: pd.DataFrame | pa.Table, skipped: bool) -> None:
    count = catalog.counts(table)
    project.emit(StageFinished(stage, count["listed"], count["kept"], skipped))
