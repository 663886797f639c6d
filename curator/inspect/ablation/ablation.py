"""Measure what curation bought on the data set's own test images, and keep it for the report.

>>> measure_ablation.__annotations__["return"]
'dict[str, Any]'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from curator import catalog
from curator.benchmark.ablation_words import CLEANED, DEDUPED, RAW
from curator.benchmark.metrics_file import write_metrics
from curator.catalog import BoolArray, Drop, IntArray, Stage
from curator.decide.growth import find_listed_sides
from curator.decide.leak_groups import find_leak_groups, number_kept_copies
from curator.embed.current import describe
from curator.embed.models import open_embedder
from curator.errors import StateError
from curator.inspect.ablation.measure import Pool, compare_orders, compare_training
from curator.inspect.suspects.find import embed_files, read_kept
from curator.inspect.suspects.folds import divide_anew
from curator.inspect.suspects.judge import find_wrong, judge
from curator.inspect.suspects.neighbours import find_neighbours
from curator.inspect.suspects.principal import judged_by, likenesses
from curator.manifests.manifest import read_manifest
from curator.manifests.project import Project
from curator.manifests.reviews import Key, Review, read_reviews, standing_reviews
from curator.manifests.settings import SuspectsSettings
from curator.matching.components import label_components
from curator.pipeline.judging.last_evidence import read_evidence
from curator.pipeline.made_from import as_deduped
from curator.store.catalog_files import file_digest, read_catalog
from curator.store.lock import locked
from curator.text import Command, plural

LEAST_TEST = 20
"""With fewer test images an interval of the difference spans the whole scale."""
N_FOLDS = 5
"""Of both orders of work: four fifths train, as in the article."""


def measure_ablation(project: Project) -> dict[str, Any]:
    """Train on what was fetched, on what dedupe left of it, and on that without suspects; test on the same images.

    No image of the training sets, not even of the raw one, is a copy of a test image or of its group; what a person
    took out is in none, as dedupe compares nothing with it. The suspects are found among the training images alone. So
    no difference is a leak's, and no test label decides anything.

    Returns:
        What ``ablation.json`` holds; docs/benchmark.md describes it.

    Raises:
        CuratorError: the extra ``embed`` is not installed.
        StateError: nothing was split yet, the test part is too small, or a label has no training image.
    """
    paths, recipe = project.paths, project.recipe
    manifest = read_manifest(paths.manifest)
    with locked(paths.lock, "ablation"):
        raw, groups = _read_raw(project)
        names = [label for label in recipe.labels if label in set(manifest["label"])]
        chosen = _choose(raw, read_kept(project), manifest, groups, names)
        embedder = open_embedder(recipe.embed, recipe.base_dir)
        sha256s = raw["sha256"].tolist()
        files = [paths.image(*key) for key in zip(sha256s, raw["format"].tolist(), strict=True)]
        max_pixels = recipe.quality.max_pixels
        features, _ = embed_files(files, sha256s, paths.features, embedder, max_pixels, project.emit)
        with threadpool_limits(1):
            found = _measure(chosen, features, names, recipe.suspects)
        facts = {
            "name": recipe.name,
            "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "labels": names,
            "features": embedder.title,
            "made_with": describe(embedder, recipe),
            "hashes": {"manifest": file_digest(paths.manifest)},
        }
        write_metrics(paths.ablation, facts | found)
    return facts | found


def _read_raw(project: Project) -> tuple[pd.DataFrame, IntArray]:
    """Read what was fetched, but what a person took out: its rows, and the group of each."""
    paths = project.paths
    raw = catalog.kept(read_catalog(paths.catalog(Stage.FETCHED)))
    raw = raw[raw["sha256"].notna().to_numpy(dtype=bool)].reset_index(drop=True)
    deduped = read_catalog(paths.catalog(Stage.DEDUPED))
    standing = standing_reviews(read_reviews(paths.reviews))
    groups = _number_groups(project, raw, deduped, standing)
    known = ~_is_taken_out(raw, deduped, standing)
    return raw[known].reset_index(drop=True), groups[known]


def _is_taken_out(raw: pd.DataFrame, deduped: pd.DataFrame, standing: Mapping[Key, Review]) -> BoolArray:
    """Say what a person took out, before dedupe or since: bool (images,)."""
    before = set(deduped.loc[deduped["drop_reason"] == Drop.REVIEWED_OUT, "record_id"])
    since = {key for key, review in standing.items() if review.decision == "drop"}
    rows = zip(raw["record_id"], raw["sha256"], raw["label"], strict=True)
    return np.array([name in before or (sha256, label) in since for name, sha256, label in rows], dtype=bool)


def _number_groups(
    project: Project, raw: pd.DataFrame, deduped: pd.DataFrame, standing: Mapping[Key, Review]
) -> IntArray:
    """Number what must not be divided, as the split does, copies that dedupe dropped included: int64 (images,)."""
    recipe = as_deduped(project)
    place = pd.Series(np.arange(len(raw)), index=raw["record_id"].tolist())
    listed = find_listed_sides(deduped, recipe.split.keep)
    still = number_kept_copies(deduped, recipe.dedupe, standing, listed, read_evidence(project.paths))
    numbers = pd.Series(still, index=deduped["record_id"].tolist()).reindex(place.index, fill_value=-1).to_numpy()
    groups = find_leak_groups(raw, tuple(dict.fromkeys(("near-duplicate", *recipe.groupings))), numbers)
    pairs = deduped[["record_id", "duplicate_of"]].dropna()
    pairs = pairs[pairs["record_id"].isin(place.index) & pairs["duplicate_of"].isin(place.index)]
    first, second = (place.loc[pairs[name].tolist()].to_numpy() for name in ("record_id", "duplicate_of"))
    ends = np.concatenate([first, np.arange(len(raw))]), np.concatenate([second, groups])
    return np.unique(label_components(len(raw), *ends), return_inverse=True)[1].astype(np.int64)


@dataclass(frozen=True)
class Chosen:
    """The labels that raw images had and have (-1: they are not there), their groups, and who trains and tests.

    All int64: the first three (images,), the others positions of images.
    """

    raw_labels: IntArray
    labels: IntArray
    groups: IntArray
    test: IntArray
    everything: IntArray
    deduped: IntArray


def _choose(
    raw: pd.DataFrame, kept: pd.DataFrame, manifest: pd.DataFrame, groups: IntArray, names: list[str]
) -> Chosen:
    """Choose the test images, and the images of training sets that have nothing of their groups.

    Raises:
        StateError: the test part is too small, or a label has too few training images.
    """
    raw_labels, labels = _label(raw, raw, names), _label(raw, kept, names)
    in_test = raw["record_id"].isin(manifest.loc[manifest["split"] == "test", "record_id"]).to_numpy(dtype=bool)
    test = np.flatnonzero(in_test & (labels >= 0))
    if len(test) < LEAST_TEST:
        message = f"The test part has {plural(len(test), 'image')}; to compare, {LEAST_TEST} or more are needed."
        raise StateError(message, (Command("split"), " with a smaller `--ratio` makes it larger."))
    free = ~np.isin(groups, groups[test])
    everything, deduped = np.flatnonzero((raw_labels >= 0) & free), np.flatnonzero((labels >= 0) & free)
    _require_labels(labels[deduped], names)
    return Chosen(raw_labels, labels, groups, test, everything, deduped)


def _measure(chosen: Chosen, features: Any, names: list[str], settings: SuspectsSettings) -> dict[str, Any]:
    """Form the training sets and measure both questions."""
    n_labels = len(names)
    raw_labels, labels, test, deduped = chosen.raw_labels, chosen.labels, chosen.test, chosen.deduped
    points = likenesses(features)
    pool = Pool(judged_by(features), np.where(labels >= 0, labels, raw_labels), chosen.groups, n_labels)
    taught = {RAW: (chosen.everything, raw_labels[chosen.everything]), DEDUPED: (deduped, labels[deduped])}
    unjudged = _why_unjudged(pool, deduped, names, settings.folds)
    if not unjudged:
        wrong = _find_suspects(pool, points, deduped, settings)
        taught[CLEANED] = deduped[~wrong], labels[deduped][~wrong]
    known = np.flatnonzero(raw_labels >= 0)
    kept = np.flatnonzero(labels[known] >= 0)
    groups = np.unique(chosen.groups[known], return_inverse=True)[1]
    narrowed = Pool(pool.inputs[known], pool.labels[known], groups, n_labels)
    return {
        "n_test": len(test),
        "n_train": {name: len(rows) for name, (rows, _) in taught.items()},
        "unjudged": unjudged,
        "training": compare_training(pool, test, taught),
        "n_raw": len(known),
        "n_kept": len(kept),
        "orders": compare_orders(narrowed, raw_labels[known], kept, N_FOLDS),
    }


def _label(raw: pd.DataFrame, table: pd.DataFrame, names: list[str]) -> IntArray:
    """Return the label that a table gives each raw image, as an index; -1: it does not have it."""
    found = raw["record_id"].map(dict(zip(table["record_id"].tolist(), table["label"].tolist(), strict=True)))
    return np.asarray(pd.Categorical(found.tolist(), categories=names).codes, dtype=np.int64)


def _require_labels(labels: IntArray, names: list[str]) -> None:
    counts = np.bincount(labels, minlength=len(names))
    short = [f"{name} has {n}" for name, n in zip(names, counts.tolist(), strict=True) if n < N_FOLDS]
    if len(names) < 2 or short:
        what = f"too few training images ({', '.join(short)})" if short else f"only the label {names[0]!r}"
        message = f"The data set has {what}; to compare, two labels with {N_FOLDS} training images each are needed."
        raise StateError(message, (Command("status"), " says what each label has."))


def _why_unjudged(pool: Pool, rows: IntArray, names: list[str], n_folds: int) -> str:
    """Say which labels have too few groups among the training images to look for suspects; empty: none has."""
    labels, groups = pool.labels[rows], pool.groups[rows]
    n_groups = [len(np.unique(groups[labels == label])) for label in range(pool.n_labels)]
    short = [f"{name} has {plural(n, 'group')}" for name, n in zip(names, n_groups, strict=True) if n < n_folds]
    return f"{', '.join(short)} of training images, and {n_folds} are needed" if short else ""


def _find_suspects(pool: Pool, points: Any, rows: IntArray, settings: SuspectsSettings) -> BoolArray:
    """Find the training images whose label is probably wrong, each judged by the others: bool (rows,)."""
    labels, groups = pool.labels[rows], np.unique(pool.groups[rows], return_inverse=True)[1].astype(np.int64)
    divisions = divide_anew(labels, groups, settings.folds)
    neighbours = find_neighbours(points[rows], groups, labels, settings.neighbours)
    judged = judge(pool.inputs[rows], labels, divisions, neighbours, pool.n_labels)
    return np.asarray(find_wrong(judged, labels) >= 0)
