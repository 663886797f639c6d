"""The stages in order: each reads the catalog before it, decides, writes its own, and records what it was made from.

A stage whose input and settings are unchanged is skipped. Decisions are pure (``curator.decide``); this module reads
and writes for them.

>>> [stage.name for stage in STAGES]
[<Stage.DEDUPED: 'deduped'>, <Stage.BALANCED: 'balanced'>, <Stage.SPLIT: 'split'>]
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd
import pyarrow as pa

from curator import catalog
from curator.catalog import Stage
from curator.errors import StateError
from curator.events import StageFinished
from curator.fetch.outcomes import with_pictures
from curator.manifests.project import Project
from curator.manifests.recipe import Recipe
from curator.manifests.reviews import digest_reviews, read_reviews, standing_reviews
from curator.pipeline.acquire import AcquireOptions, acquire, settings_of_fetch
from curator.pipeline.against import digest_others
from curator.pipeline.held_sides import held_manifest, read_sides, require_same_split
from curator.pipeline.made_from import _effective, _held_by, _is_complete, _standing
from curator.pipeline.publish import publish
from curator.pipeline.stages import STAGES, DecideStage
from curator.store.catalog_files import (
    StageRecord,
    file_digest,
    fingerprint,
    plain,
    read_catalog,
    read_record,
    refuse_newer,
    row_groups,
    write_catalog,
    write_if_changed,
)
from curator.store.lock import locked
from curator.text import Command, Text


@dataclass(frozen=True)
class Outcome:
    """What a command ended with: the catalog, notes for a person, and what is missing of what was asked."""

    table: pd.DataFrame
    notes: tuple[Text, ...] = ()
    missing: dict[str, int] = dataclasses.field(default_factory=dict)
    skipped: bool = False


def fetch(project: Project, options: AcquireOptions | None = None) -> Outcome:
    """List, download, observe and judge quality; write ``1-listed`` and ``2-fetched``.

    Raises:
        SourceError: no source could be listed.
        LockedError, DiskError: see there.
    """
    options = options or AcquireOptions()
    with locked(project.paths.lock, "fetch"):
        refuse_newer(map(project.paths.catalog, Stage))
        listing, table = acquire(project, options)
        settings = settings_of_fetch(project.recipe, options)
        _write_if_changed(project, Stage.LISTED, partial(row_groups, listing.table), settings)
        skipped = not _write_if_changed(project, Stage.FETCHED, partial(with_pictures, table, project.paths), settings)
    _tell(project, Stage.FETCHED, table, skipped)
    return Outcome(table, tuple(listing.failures.values()), missing_per_label(project.recipe, table), skipped)


def _write_if_changed(
    project: Project, stage: Stage, groups: Callable[[], Iterable[pa.Table]], settings: dict[str, Any]
) -> bool:
    record = StageRecord(stage, fingerprint(settings), settings, settings)
    return write_if_changed(project.paths.catalog(stage), groups, record)


def missing_per_label(recipe: Recipe, table: pd.DataFrame) -> dict[str, int]:
    """Count the images that each label is short of ``per_class``; a label with enough is left out."""
    have = catalog.kept(table)["label"].value_counts()
    per_class = recipe.balance.per_class if isinstance(recipe.balance.per_class, int) else 1
    short = {label: per_class - int(have.get(label, 0)) for label in recipe.labels}
    return {label: n for label, n in short.items() if n > 0}


def decide(
    project: Project,
    stage: Stage,
    overrides: dict[str, dict[str, Any]],
    force: bool = False,
    resplit: bool = False,
) -> Outcome:
    """Bring every deciding stage up to ``stage`` up to date.

    Args:
        overrides: recipe section to the options given for it; a stage that is not overridden keeps the settings that
            it was last run with until its recipe section changes, except ``stage`` itself, which goes back to the
            recipe's.
        force: redo ``stage`` even where nothing changed.
        resplit: let go of the manifest that stands; images may change sides.

    Raises:
        CuratorError: other split settings than those of the manifest that stands, without ``resplit``.
        RecipeError: an override is out of its range.
        StateError: nothing was fetched yet, or a catalog is damaged.
        ShortfallError: a label has too few images; nothing was written.
    """
    for section, override in overrides.items():
        project.recipe.with_overrides(section, **override)
    _require_fetched(project)
    held = held_manifest(project.paths, project.recipe.split, resplit)
    if held and stage == Stage.SPLIT:
        require_same_split(project.paths, project.recipe.with_overrides("split", **overrides.get("split", {})).split)
    with locked(project.paths.lock, str(stage)):
        refuse_newer(map(project.paths.catalog, Stage))
        for step in STAGES:
            last = step.name == stage
            override = overrides.get(step.section, {})
            outcome = _run(project, step, override, held, asked=last, force=force and last)
            if last:
                return outcome
    raise ValueError(f"{stage} is not a deciding stage")


def _require_fetched(project: Project) -> None:
    if not project.paths.catalog(Stage.FETCHED).exists():
        raise StateError(f"Nothing was fetched yet for {project.recipe.name}.", ("Run ", Command("fetch"), " first."))


def _run(
    project: Project, step: DecideStage, override: dict[str, Any], held: str, *, asked: bool, force: bool
) -> Outcome:
    standing = _standing(project, step.name)
    recipe = _effective(project, step, override, standing if not asked else None)
    before = project.paths.catalog(list(Stage)[list(Stage).index(step.name) - 1])
    reviews = standing_reviews(read_reviews(project.paths.reviews))
    settings = {**read_record(before).settings, step.section: plain(getattr(recipe, step.section))}
    settings["reviews"] = digest_reviews(reviews)
    recipe = recipe.with_overrides("dedupe", **settings["dedupe"])
    if step.name == Stage.DEDUPED and recipe.dedupe.against:
        known = {} if asked or standing is None else standing.settings.get("against", {})
        settings["against"] = digest_others(recipe.dedupe.against, recipe.base_dir, known)
    made_from = (step.name, catalog.VERSION, file_digest(before), recipe.labels)
    mark = fingerprint(*made_from, settings | {"earlier": _held_by(project, standing, held)})
    if standing and standing.fingerprint == mark and not force and _is_complete(project, standing):
        table, notes = read_catalog(project.paths.catalog(step.name)), standing.notes
        _tell(project, step.name, table, skipped=True)
        return Outcome(table, notes, skipped=True)
    settings["earlier"] = held
    earlier = read_sides(project.paths) if held else None
    decision = step.decide(read_catalog(before), dataclasses.replace(project, recipe=recipe), reviews, earlier)
    section = plain(getattr(project.recipe, step.section))
    record = StageRecord(step.name, fingerprint(*made_from, settings), section, settings, decision.notes)
    if step.name == Stage.SPLIT:
        publish(decision.table, settings, project.paths, project.emit, earlier)
        record = dataclasses.replace(record, manifest_sha256=file_digest(project.paths.manifest))
    write_catalog(project.paths.catalog(step.name), decision.table, record)
    _tell(project, step.name, decision.table, skipped=False)
    return Outcome(decision.table, decision.notes)


def _tell(project: Project, stage: Stage, table: pd.DataFrame, skipped: bool) -> None:
    count = catalog.counts(table)
    project.emit(StageFinished(stage, count["listed"], count["kept"], skipped))
