"""What a stage would be made from now, and whether the catalog on disk is made from the same.

The stages use it to know what to do, ``curator status`` to report it: both get the same answer.

>>> now = MadeFrom(Stage.BALANCED, "ab" * 32, ("rugby", "soccer"), {"balance": {"per_class": 10}, "earlier": ""})
>>> record = StageRecord(Stage.BALANCED, now.fingerprint, {}, dict(now.settings))
>>> changes_since(record, now)
frozenset()
>>> changes_since(record, dataclasses.replace(now, settings={"balance": {"per_class": 6}, "earlier": ""}))
frozenset({<Change.SETTINGS: 'its settings'>})
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from curator import catalog
from curator.catalog import Stage
from curator.manifests.project import Project
from curator.manifests.recipe import Recipe
from curator.manifests.reviews import digest_reviews, read_reviews, standing_reviews
from curator.manifests.settings import LicenceSettings
from curator.pipeline.acquire import AcquireOptions, settings_of_fetch
from curator.pipeline.held_sides import held_manifest, stated_manifest
from curator.pipeline.judging.seen import evidence_settings, has_evidence
from curator.pipeline.other_sets import digest_others
from curator.pipeline.overrides import Override, read_overrides
from curator.pipeline.publish import is_published
from curator.pipeline.stages import STAGES, DecideStage, Reviews
from curator.reasons import Drop
from curator.store.catalog_files import StageRecord, file_digest, find_record, fingerprint, plain, read_record


class Change(StrEnum):
    """What has changed since a catalog was made."""

    INPUT = "the catalog before it or the labels"
    SETTINGS = "its settings"
    REVIEWS = "reviews"
    AGAINST = "what [dedupe] against names"
    MANIFEST = "the manifest whose sides it keeps"
    JUDGED = "how pictures are compared"
    UNPUBLISHED = "the manifest or the folders"


_FOLLOWED = {name for reason in Drop for name, _ in reason.traits.settings} - {"target"}
_CHANGES = {"reviews": Change.REVIEWS, "against": Change.AGAINST, "earlier": Change.MANIFEST, "judged": Change.JUDGED}


@dataclass(frozen=True)
class MadeFrom:
    """All that the catalog of a stage depends on, as it is now.

    Attributes:
        stage: a deciding stage.
        input_sha256: of the catalog before it.
        labels: in the order of the recipe.
        settings: in effect in this stage and those before; with a digest of the ``reviews``, of each place that
            ``against`` names, and (``earlier``) of the manifest whose sides it keeps.
        version: of the catalog's schema.
        own_manifest: SHA-256 of the manifest that the split on disk wrote itself: to keep its sides is no change.
        is_published: whether the manifest and the folders are those that the split on disk wrote.
        has_evidence: whether what the pixels said can still be read.
    """

    stage: Stage
    input_sha256: str
    labels: tuple[str, ...]
    settings: Mapping[str, Any]
    version: int = catalog.VERSION
    own_manifest: str = ""
    is_published: bool = True
    has_evidence: bool = True

    @property
    def fingerprint(self) -> str:
        """A hash of it, the same on every machine."""
        return fingerprint(self.stage, self.version, self.input_sha256, self.labels, self.settings)


def changes_since(record: StageRecord, now: MadeFrom) -> frozenset[Change]:
    """Say what has changed since a catalog was made: it is current if nothing has."""
    keys = record.settings.keys() | now.settings.keys()
    changed = {key for key in keys if record.settings.get(key) != now.settings.get(key)}
    if now.own_manifest and now.own_manifest == now.settings["earlier"]:
        changed.discard("earlier")
    changes = {_CHANGES.get(key, Change.SETTINGS) for key in changed}
    if record.fingerprint != dataclasses.replace(now, settings=record.settings).fingerprint:
        changes.add(Change.INPUT)
    if not now.is_published:
        changes.add(Change.UNPUBLISHED)
    if not now.has_evidence:
        changes.add(Change.JUDGED)
    return frozenset(changes)


@dataclass(frozen=True)
class Circumstances:
    """What all deciding stages of a project see: the manifest that is held, reviews, and the options of last time.

    ``stated`` is what they state as the manifest: see :func:`curator.pipeline.held_sides.stated_manifest`.
    """

    project: Project
    held: str
    stated: str
    reviews: Reviews
    overrides: dict[str, Override]


def read_circumstances(project: Project, resplit: bool = False) -> Circumstances:
    """Read what the stages of a project see.

    Raises:
        StateError: the reviews or the overrides are damaged.
    """
    held = held_manifest(project.paths, project.recipe.split, resplit)
    reviews = standing_reviews(read_reviews(project.paths.reviews))
    return Circumstances(project, held, stated_manifest(project.paths, held), reviews, read_overrides(project.paths))


def settings_in_effect(
    seen: Circumstances, step: DecideStage, given: Mapping[str, Any], is_requested: bool
) -> tuple[Recipe, Override]:
    """Apply the options given, else, in a stage that was not requested itself, those of the last run.

    Returns:
        The recipe with these options, and the options.
    """
    section = plain(getattr(seen.project.recipe, step.section))
    options: Mapping[str, Any] = {key: value for key, value in given.items() if value is not None}
    if not options and not is_requested and step.section in seen.overrides:
        options = seen.overrides[step.section].options_for(section)
    recipe = seen.project.recipe.with_overrides(step.section, **options)
    in_effect = plain(getattr(recipe, step.section))
    return recipe, Override(section, {key: in_effect[key] for key in options})


def read_made_from(seen: Circumstances, step: DecideStage, recipe: Recipe, is_requested: bool = False) -> MadeFrom:
    """Read what a stage would be made from now.

    Args:
        step: the stage; the catalog before it exists.
        recipe: with the options in effect.
        is_requested: the stage itself was requested; else it is content with the comparison made with what
            ``[dedupe] against`` names and does not exist any more.
    """
    paths = seen.project.paths
    before, record = paths.catalog_before(step.name), find_record(paths.catalog(step.name))
    settings = {**read_record(before).settings, step.section: plain(getattr(recipe, step.section))}
    settings |= {"reviews": digest_reviews(seen.reviews), "earlier": seen.stated}
    if recipe.split.keep:
        settings["keep"] = True
    if step.name == Stage.DEDUPED and recipe.dedupe.against:
        known = {} if is_requested or record is None else record.settings.get("against", {})
        settings["against"] = digest_others(recipe.dedupe.against, recipe.base_dir, known)
    if step.name == Stage.DEDUPED and recipe.dedupe.mode == "near":
        before_now = record.settings.get("judged") if record and not is_requested else None
        settings["judged"] = evidence_settings(recipe, before_now)
    seen_pixels = "judged" not in settings or step.name != Stage.DEDUPED or has_evidence(paths)
    split = find_record(paths.catalog(Stage.SPLIT))
    own_manifest = split.manifest_sha256 if split else ""
    published = step.name != Stage.SPLIT or is_published(paths, own_manifest)
    digest = file_digest(before)
    return MadeFrom(step.name, digest, recipe.labels, settings, catalog.VERSION, own_manifest, published, seen_pixels)


def examine(project: Project, with_reviews: bool = True) -> tuple[Stage | None, frozenset[Change]]:
    """Find the last stage whose catalog is current, and what has changed for the one after it.

    Args:
        with_reviews: only a catalog made with the decisions that people made until now is current.

    Returns:
        The stage. Then the changes; a split whose manifest or folders are missing is current, with that change.

    Raises:
        StateError: a file is damaged.
    """
    steps = {step.name: step for step in STAGES}
    latest, changes, seen = None, frozenset[Change](), read_circumstances(project)
    for stage in Stage:
        if not project.paths.catalog(stage).exists():
            break
        record = read_record(project.paths.catalog(stage))
        if step := steps.get(stage):
            recipe, _ = settings_in_effect(seen, step, {}, is_requested=False)
            changes = changes_since(record, read_made_from(seen, step, recipe))
            changes -= frozenset() if with_reviews else {Change.REVIEWS}
            if changes - {Change.UNPUBLISHED}:
                break
        latest = stage
    return latest, changes


def changed_settings(project: Project) -> dict[str, tuple[Any, Any]]:
    """Return the settings that a drop reason of the fetch depends on and that changed since: name to before and now.

    Options of that fetch, such as ``--target``, are no change.
    """
    record = find_record(project.paths.catalog(Stage.FETCHED))
    now = settings_of_fetch(project.recipe, AcquireOptions())
    changed = {}
    for section in ("licence", "fetch", "quality") if record else ():
        nothing = plain(LicenceSettings()) if section == "licence" else {}
        before, after = (made.get(section, nothing) for made in (record.settings if record else {}, now))
        for name in _FOLLOWED & before.keys() & after.keys():
            if before[name] != after[name]:
                changed[name] = (before[name], after[name])
    return dict(sorted(changed.items()))


def latest_stage(project: Project, with_reviews: bool = True) -> Stage | None:
    """Name the last stage whose catalog is current; see :func:`examine`."""
    return examine(project, with_reviews)[0]


def as_deduped(project: Project) -> Recipe:
    """Return the recipe with the ``[dedupe]`` that the deduped catalog was made with, options of that run included."""
    made_with = read_record(project.paths.catalog(Stage.DEDUPED)).settings.get("dedupe", {})
    return project.recipe.with_overrides("dedupe", **made_with)
