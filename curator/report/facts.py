"""Everything that a report can tell, gathered from what is on disk so far.

>>> Facts.__dataclass_fields__["metrics"].type
'dict[str, Any] | None'
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from curator.benchmark.images.data import N_FOLDS, LabelledImages
from curator.benchmark.metrics_file import METRICS, read_metrics
from curator.errors import StateError
from curator.manifests.manifest import read_manifest
from curator.manifests.recipe import Recipe
from curator.reasons import Stage
from curator.store.catalog_files import file_digest, read_catalog
from curator.store.paths import DataPaths
from curator.text import Command


@dataclass(frozen=True)
class Facts:
    """The recipe, the latest catalog, the manifest's images, the benchmark's metrics and the confound check.

    Whatever is not there yet is None. ``is_stale`` tells that the metrics belong to another manifest.
    """

    recipe: Recipe
    paths: DataPaths
    catalog: pd.DataFrame | None
    images: LabelledImages | None
    metrics: dict[str, Any] | None
    confounds: dict[str, Any] | None
    is_stale: bool


def gather_facts(recipe: Recipe, paths: DataPaths) -> Facts:
    """Read what is there.

    Raises:
        StateError: nothing is there at all, or a file is damaged.
    """
    catalog, images = _latest_catalog(paths), _images(recipe, paths)
    if catalog is None and images is None:
        raise StateError(f"There is nothing to report of {recipe.name} yet.", ("Run ", Command("fetch"), " first."))
    metrics = read_metrics(paths.benchmark / METRICS)
    is_stale = bool(metrics and images and metrics["hashes"]["manifest"] != file_digest(paths.manifest))
    confounds = metrics["confounds"] if metrics and not is_stale else _check_confounds(images)
    return Facts(recipe, paths, catalog, images, metrics, confounds, is_stale)


def _latest_catalog(paths: DataPaths) -> pd.DataFrame | None:
    written = [path for stage in Stage if (path := paths.catalog(stage)).exists()]
    return read_catalog(written[-1]) if written else None


def _images(recipe: Recipe, paths: DataPaths) -> LabelledImages | None:
    if not paths.manifest.exists():
        return None
    table = read_manifest(paths.manifest)
    present = set(table["label"])
    labels = tuple(label for label in dict.fromkeys((*recipe.labels, *sorted(present))) if label in present)
    return LabelledImages(table, labels)


def _check_confounds(images: LabelledImages | None) -> dict[str, Any] | None:
    """Run the confound check where scikit-learn is installed and every label has enough images."""
    if images is None or len(images.labels) < 2 or images.table["label"].value_counts().min() < N_FOLDS:
        return None
    try:
        confounds = importlib.import_module("curator.benchmark.images.confounds")
    except ModuleNotFoundError:
        return None
    check: dict[str, Any] = confounds.check_confounds(images).as_dict()
    return check


def stored_image(facts: Facts, row: pd.Series[Any]) -> Path | None:
    """Find the stored file of a catalog or manifest row; None where the row has no file."""
    if pd.isna(row["sha256"]) or pd.isna(row["format"]):
        return None
    return facts.paths.image(str(row["sha256"]), str(row["format"]))
