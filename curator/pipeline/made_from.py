"""What a stage's catalog was made from, and whether it still is what the stage would make now."""

from __future__ import annotations

from typing import Any

from curator import catalog
from curator.catalog import Stage
from curator.errors import StateError
from curator.manifests.project import Project
from curator.manifests.recipe import Recipe
from curator.manifests.reviews import digest_reviews, read_reviews, standing_reviews
from curator.pipeline.publish import is_published
from curator.pipeline.stages import STAGES, DecideStage
from curator.store.catalog_files import (
    StageRecord,
    file_digest,
    fingerprint,
    plain,
    read_record,
)


def _held_by(project: Project, standing: StageRecord | None, held: str) -> str:
    """Say which manifest the standing run would hold on to now.

    Where the manifest is the one that the standing split itself wrote, that is what it held on to then: else a second
    run would take its own result for news.
    """
    split = _standing(project, Stage.SPLIT)
    if held and standing and split and split.manifest_sha256 == held:
        return str(standing.settings.get("earlier", ""))
    return held


def _effective(project: Project, step: DecideStage, override: dict[str, Any], standing: StageRecord | None) -> Recipe:
    """Apply the options given, else those of the standing run while the recipe still says what it said then."""
    section = plain(getattr(project.recipe, step.section))
    if not any(value is not None for value in override.values()) and standing and standing.recipe_section == section:
        ran_with = standing.settings[step.section]
        override = {key: ran_with[key] for key in section if ran_with[key] != section[key]}
    return project.recipe.with_overrides(step.section, **override)


def _standing(project: Project, stage: Stage) -> StageRecord | None:
    path = project.paths.catalog(stage)
    try:
        return read_record(path)
    except StateError:
        return None


def _is_complete(project: Project, standing: StageRecord) -> bool:
    return standing.stage != Stage.SPLIT or is_published(project.paths, standing.manifest_sha256)


def latest_stage(project: Project, with_reviews: bool = True) -> Stage | None:
    """Name the last stage whose catalog stands and was made from the catalogs that stand before it.

    Args:
        with_reviews: only a catalog made with the decisions that stand now counts.
    """
    latest = None
    reviews = digest_reviews(standing_reviews(read_reviews(project.paths.reviews)))
    for stage in Stage:
        if not project.paths.catalog(stage).exists():
            break
        if stage not in (Stage.LISTED, Stage.FETCHED):
            record = read_record(project.paths.catalog(stage))
            if (with_reviews and record.settings.get("reviews") != reviews) or not _is_current(project, stage, record):
                break
        latest = stage
    return latest


def _is_current(project: Project, stage: Stage, record: StageRecord) -> bool:
    step = next(step for step in STAGES if step.name == stage)
    before = project.paths.catalog(list(Stage)[list(Stage).index(stage) - 1])
    mark = fingerprint(stage, catalog.VERSION, file_digest(before), project.recipe.labels, record.settings)
    section = plain(getattr(project.recipe, step.section))
    return record.fingerprint == mark and record.recipe_section == section
