"""Everything that a report can say, gathered from what is on disk so far.

>>> Facts.__dataclass_fields__["metrics"].type
'dict[str, Any] | None'
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import pandas as pd

from curator.benchmark.images.labelled_images import N_FOLDS, LabelledImages, order_labels
from curator.benchmark.metrics_file import ABLATION, CURVE, read_metrics
from curator.errors import StateError
from curator.manifests.manifest import read_manifest
from curator.manifests.project import Project
from curator.manifests.reviews import Key, decided_keys, read_reviews, standing_reviews
from curator.reasons import Stage
from curator.store.catalog_files import file_digest, read_catalog
from curator.store.suspects_file import Suspects, read_suspects
from curator.text import Command


@dataclass(frozen=True)
class Facts:
    """The project, the latest catalog, the manifest's images, the benchmark's metrics and the confound check.

    Whatever is not there yet is None. ``is_stale`` is True if the metrics belong to another manifest, ``has_plots`` if
    the plots could be drawn. ``decided`` is :func:`curator.manifests.reviews.decided_keys`.
    """

    project: Project
    catalog: pd.DataFrame | None
    images: LabelledImages | None
    metrics: dict[str, Any] | None
    confounds: dict[str, Any] | None
    is_stale: bool
    has_plots: bool = False
    suspects: Suspects | None = None
    decided: frozenset[Key] = frozenset()
    curve: dict[str, Any] | None = None
    ablation: dict[str, Any] | None = None

    def is_of_another_manifest(self, found: Mapping[str, Any]) -> bool:
        """Say whether figures were measured on another manifest than the one that there is now."""
        path = self.project.paths.manifest
        return self.images is not None and found["hashes"]["manifest"] != file_digest(path)


def gather_facts(project: Project) -> Facts:
    """Read what is there.

    Raises:
        StateError: nothing is there at all, or a file is damaged.
    """
    recipe, paths = project.recipe, project.paths
    written = [path for stage in Stage if (path := paths.catalog(stage)).exists()]
    catalog = read_catalog(written[-1]) if written else None
    images = order_labels(read_manifest(paths.manifest), recipe.labels) if paths.manifest.exists() else None
    if catalog is None and images is None:
        raise StateError(f"There is nothing to report of {recipe.name} yet.", ("Run ", Command("fetch"), " first."))
    metrics = read_metrics(paths.metrics)
    is_stale = bool(metrics and images and metrics["hashes"]["manifest"] != file_digest(paths.manifest))
    confounds = metrics["confounds"] if metrics and not is_stale else _check_confounds(images)
    decided = frozenset(decided_keys(standing_reviews(read_reviews(paths.reviews))))
    suspects = read_suspects(paths.suspects)
    curve, ablation = read_metrics(paths.curve, CURVE), read_metrics(paths.ablation, ABLATION)
    found = Facts(project, catalog, images, metrics, confounds, is_stale, suspects=suspects, decided=decided)
    return replace(found, curve=curve, ablation=ablation)


def _check_confounds(images: LabelledImages | None) -> dict[str, Any] | None:
    """Run the confound check if scikit-learn is installed and every label has enough images."""
    if images is None or len(images.labels) < 2 or images.table["label"].value_counts().min() < N_FOLDS:
        return None
    try:
        confounds = importlib.import_module("curator.benchmark.images.confounds")
    except ModuleNotFoundError:
        return None
    return asdict(confounds.check_confounds(images))
