"""The deciding stages: each one's catalog, the recipe section that it obeys, and the pure function that decides.

>>> [stage.name for stage in STAGES]
[<Stage.DEDUPED: 'deduped'>, <Stage.BALANCED: 'balanced'>, <Stage.SPLIT: 'split'>]
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from curator import catalog
from curator.catalog import Stage
from curator.decide.balance import balance_labels
from curator.decide.dedupe import describe_narrower, find_duplicates
from curator.decide.doubts import describe_doubts
from curator.decide.growth import describe_divided_anew, drop_cross_split, find_listed_sides, hold_sides
from curator.decide.leak_groups import number_kept_copies
from curator.decide.placeholders import drop_suspected_placeholders
from curator.decide.reviews import apply_reviews, find_wanted
from curator.decide.split import split_images
from curator.manifests.project import Project
from curator.manifests.reviews import Key, Review
from curator.pipeline.against import leave_out_others
from curator.pipeline.judging.evidence import gather_evidence, read_evidence
from curator.store.mapped_column import MAPPED
from curator.text import Text

Reviews = Mapping[Key, Review]
"""What people decided and did not take back."""


Decision = tuple[pd.DataFrame, tuple[Text, ...]]
"""What a stage decided: the catalog after it, and notes for a person."""


@dataclass(frozen=True)
class DecideStage:
    """A stage that decides: its catalog, the recipe section it obeys, and the pure function that decides."""

    name: Stage
    section: str
    columns: Callable[[Project, Reviews, pd.DataFrame | None], frozenset[str]]
    """Returns the columns of the catalog that it reads, those that it is counted by among them."""
    decide: Callable[[pd.DataFrame, Project, Reviews, pd.DataFrame | None], Decision]
    """Takes those of the catalog before, the project with the settings in effect, the reviews and the previous split's
    sides; of the catalog it changes :data:`curator.catalog.DECIDED` only."""


def _dedupe(table: pd.DataFrame, project: Project, reviews: Reviews, previous: pd.DataFrame | None) -> Decision:
    recipe = project.recipe
    reviewed = apply_reviews(table, reviews, recipe.labels)
    sources = tuple(source.title for source in recipe.sources)
    table = reviewed.table
    if recipe.dedupe.suspect_placeholders:
        table = drop_suspected_placeholders(table, reviewed.is_protected)
    table, notes = leave_out_others(table, project, reviewed.is_protected)
    members = hold_sides(table, previous).is_member if previous is not None else None
    listed, protected = find_listed_sides(table, recipe.split.keep), reviewed.is_protected
    judged, lacking = gather_evidence(table, project)
    narrower = describe_narrower(table, recipe.dedupe)
    table = find_duplicates(table, recipe.dedupe, recipe.labels, sources, protected, members, listed, judged)
    return table, (*notes, *lacking, *narrower)


def _balance(table: pd.DataFrame, project: Project, reviews: Reviews, previous: pd.DataFrame | None) -> Decision:
    recipe = project.recipe
    listed = find_listed_sides(table, recipe.split.keep)
    if previous is not None or listed is not None:
        copies = number_kept_copies(table, recipe.dedupe, reviews, listed, read_evidence(project.paths))
        table = drop_cross_split(table, previous, recipe.groupings, copies, listed)
    wanted, most = find_wanted(table, reviews), project.most_command
    return balance_labels(table, recipe.balance, recipe.labels, previous, wanted, most, listed), ()


def _split(table: pd.DataFrame, project: Project, reviews: Reviews, previous: pd.DataFrame | None) -> Decision:
    recipe = project.recipe
    listed = find_listed_sides(table, recipe.split.keep)
    judged = read_evidence(project.paths) if recipe.dedupe.mode == "near" else None
    copies = number_kept_copies(table, recipe.dedupe, reviews, listed, judged)
    settings = dataclasses.replace(recipe.split, group_by=recipe.groupings)
    table, notes = split_images(table, settings, recipe.labels, previous, copies, project.most_command, listed)
    return table, (*notes, *describe_divided_anew(table, recipe.split.keep), *describe_doubts(table, judged))


COUNTED = frozenset({*catalog.DECIDED, "record_id", "source", "license", "sha256", "listed_split", "url"})
"""What every stage reads, and what it ended with is counted by."""
_HASHES = {"detail", "phash_turns", "phash256"}
_PLACES = {"kind", "source_id", "local_path", "url", "fallback_url", "final_url", "landing_url", "from_fallback"}


def _columns_of_dedupe(project: Project, reviews: Reviews, previous: pd.DataFrame | None) -> frozenset[str]:
    sizes = {"width", "height", "n_bytes", "tier"}
    return frozenset(COUNTED | sizes | _HASHES | {"phash", "format", "mode", "made_of"} | MAPPED | _PLACES)


def _columns_of_balance(project: Project, reviews: Reviews, previous: pd.DataFrame | None) -> frozenset[str]:
    may_straddle = previous is not None or project.recipe.split.keep
    return _columns_of_split(project, reviews, previous) if may_straddle else frozenset(COUNTED)


def _columns_of_split(project: Project, reviews: Reviews, previous: pd.DataFrame | None) -> frozenset[str]:
    recipe = project.recipe
    may_have_kept_copies = reviews or recipe.split.keep or recipe.dedupe.across_labels == "ignore"
    groups = _HASHES | _PLACES | {"made_of", "author", "author_url", "listed_group", "taken", "camera"}
    return frozenset(COUNTED | groups | (MAPPED if may_have_kept_copies else set()))


STAGES = (
    DecideStage(Stage.DEDUPED, "dedupe", _columns_of_dedupe, _dedupe),
    DecideStage(Stage.BALANCED, "balance", _columns_of_balance, _balance),
    DecideStage(Stage.SPLIT, "split", _columns_of_split, _split),
)
