"""How each deciding stage decides: what it reads beside the catalog, and the pure functions of ``decide/`` in order."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pandas as pd

from curator.decide.balance import balance_labels
from curator.decide.crowds import describe_crowd
from curator.decide.dedupe import N_COMPARED, describe_narrower, find_duplicates
from curator.decide.doubts import describe_doubts
from curator.decide.growth import describe_divided_anew, drop_cross_split, find_listed_sides, hold_sides
from curator.decide.leak_groups import number_kept_copies
from curator.decide.placeholders import drop_suspected_placeholders
from curator.decide.reviews import apply_reviews, find_wanted
from curator.decide.split import split_images
from curator.events import Noted
from curator.manifests.project import Project
from curator.pipeline.against import leave_out_others
from curator.pipeline.judging.evidence import gather_evidence
from curator.pipeline.judging.last_evidence import read_evidence
from curator.pipeline.judging.spread_search import open_spread, spread_search

if TYPE_CHECKING:
    from curator.pipeline.stages import Decision, Reviews


def dedupe(table: pd.DataFrame, project: Project, reviews: Reviews, previous: pd.DataFrame | None) -> Decision:
    """Drop duplicates, of other data sets too, by hashes and by what the pixels say."""
    recipe = project.recipe
    reviewed = apply_reviews(table, reviews, recipe.labels)
    sources = tuple(source.title for source in recipe.sources)
    table = reviewed.table
    if recipe.dedupe.suspect_placeholders:
        table = drop_suspected_placeholders(table, reviewed.is_protected)
    spread = None
    if recipe.dedupe.mode == "near":
        spread = open_spread(project)
        if crowd := describe_crowd(table, recipe.dedupe.max_distance):  # before what it makes slow
            project.emit(Noted(crowd))
    table, notes = leave_out_others(table, project, reviewed.is_protected, spread)
    members = hold_sides(table, previous).is_member if previous is not None else None
    listed, protected = find_listed_sides(table, recipe.split.keep), reviewed.is_protected
    judged, search = gather_evidence(table, project, spread), spread_search(spread)
    table = find_duplicates(table, recipe.dedupe, recipe.labels, sources, protected, members, listed, judged, search)
    return table, (*notes, *describe_narrower(table.attrs[N_COMPARED], recipe.dedupe))


def balance(table: pd.DataFrame, project: Project, reviews: Reviews, previous: pd.DataFrame | None) -> Decision:
    """Choose as many images of each label as the recipe says."""
    recipe = project.recipe
    listed = find_listed_sides(table, recipe.split.keep)
    if previous is not None or listed is not None:
        copies = number_kept_copies(table, recipe.dedupe, reviews, listed, read_evidence(project.paths))
        table = drop_cross_split(table, previous, recipe.groupings, copies, listed)
    wanted, most = find_wanted(table, reviews), project.most_command
    return balance_labels(table, recipe.balance, recipe.labels, previous, wanted, most, listed), ()


def split(table: pd.DataFrame, project: Project, reviews: Reviews, previous: pd.DataFrame | None) -> Decision:
    """Divide the images into sides, groups whole."""
    recipe = project.recipe
    listed = find_listed_sides(table, recipe.split.keep)
    judged = read_evidence(project.paths) if recipe.dedupe.mode == "near" else None
    copies = number_kept_copies(table, recipe.dedupe, reviews, listed, judged)
    settings = dataclasses.replace(recipe.split, group_by=recipe.groupings)
    table, notes = split_images(table, settings, recipe.labels, previous, copies, project.most_command, listed)
    return table, (*notes, *describe_divided_anew(table, recipe.split.keep), *describe_doubts(table, judged))
