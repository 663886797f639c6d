"""Gather a benchmark's runs into metrics.json and predictions.csv.

>>> environment()["backend"] in ("tensorflow", "jax", "torch")
True
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from statistics import fmean
from typing import Any

from curator import __version__, catalog
from curator.benchmark.checkpoints import Checkpoint
from curator.benchmark.images.confounds import ConfoundCheck
from curator.benchmark.images.labelled_images import LabelledImages, Parts
from curator.benchmark.measures import compare_models, model_metrics, predictions_table
from curator.benchmark.metrics_file import BenchmarkResult, write_metrics
from curator.benchmark.models import registry
from curator.benchmark.models.weights import PretrainedBase
from curator.benchmark.plan import Plan
from curator.manifests.project import SHIPPED, Project
from curator.reasons import Stage
from curator.store.catalog_files import file_digest, read_catalog
from curator.store.paths import DataPaths
from curator.store.whole_files import write_text_whole
from curator.text import Text, spell, to_json

ARTICLE_LABELS = {"rugby", "soccer"}
"""The article's own accuracies are reference lines for these labels, in the recipes that are made after it."""

_PACKAGES = ("numpy", "pandas", "Pillow", "opencv-python-headless", "scikit-learn", "onnxruntime")


@dataclass
class Findings:
    """All that a benchmark works with and has found so far: what metrics.json is written from.

    ``bases`` are the pretrained weights by model; ``missing`` holds the reason for each model that cannot be trained,
    ``replaced`` for each that another one is trained in the place of;
    ``finished`` and ``unfinished`` hold the runs by model and seed.
    """

    project: Project
    plan: Plan
    images: LabelledImages
    parts: Parts
    bases: dict[str, PretrainedBase] = field(default_factory=dict)
    missing: dict[str, Text] = field(default_factory=dict)
    replaced: dict[str, Text] = field(default_factory=dict)
    confounds: ConfoundCheck | None = None
    warnings: tuple[str, ...] = ()
    finished: dict[str, dict[int, Checkpoint]] = field(default_factory=dict)
    unfinished: dict[str, dict[int, Checkpoint]] = field(default_factory=dict)
    cross_validation: dict[str, Any] | None = None


def write_results(findings: Findings, interrupted: bool = False) -> BenchmarkResult:
    """Write metrics.json and predictions.csv from the runs that have ended."""
    paths, images = findings.project.paths, findings.images
    finished = {model: runs for model, runs in findings.finished.items() if runs}
    models = {}
    for model, runs in finished.items():
        facts = [run.facts for run in runs.values()]
        speed = fmean(fact["images_per_second"] for fact in facts)
        models[model] = {**model_metrics(runs, images), **facts[-1], "images_per_second": speed}
    comparisons = compare_models(finished, images)
    metrics = _about(findings) | {
        "interrupted": interrupted,
        "models": models,
        "comparison": comparisons[0] if len(comparisons) == 1 else None,
        "comparisons": comparisons,
        "cross_validation": findings.cross_validation,
        "unfinished": [
            {"model": model, "seed": seed, "history": run.history}
            for model, runs in findings.unfinished.items()
            for seed, run in runs.items()
        ],
    }
    if finished:
        text = predictions_table(finished, images).to_csv(index=False, lineterminator="\n")
        write_text_whole(paths.predictions, text)
    write_metrics(paths.metrics, metrics)
    accuracy = {model: figures["accuracy"]["mean"] for model, figures in models.items()}
    told = (findings.missing, findings.replaced, findings.warnings, findings.plan.smoke_test)
    return BenchmarkResult(accuracy, *told, (findings.cross_validation or {}).get("models", {}))


def _about(findings: Findings) -> dict[str, Any]:
    plan, images, recipe, paths = findings.plan, findings.images, findings.project.recipe, findings.project.paths
    parts = findings.parts
    sizes = {"train": len(parts.train), "watched": len(parts.watched), "test": len(parts.test)}
    hashes = {"manifest": file_digest(paths.manifest)}
    if recipe.path:
        hashes["recipe"] = file_digest(recipe.path)
    for model_name, base in findings.bases.items():
        hashes["weights" if "weights" not in hashes else f"weights of {model_name}"] = base.sha256
    article = {model.name: model.article_accuracy for model in registry.MODELS if model.article_accuracy}
    is_article = recipe.name in SHIPPED and set(images.labels) == ARTICLE_LABELS
    return {
        "name": recipe.name,
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "smoke_test": plan.smoke_test,
        "labels": list(images.labels),
        "plan": asdict(plan),
        "n_images": {**sizes, "watched_is_test": not plan.validation_share, "watched_is_val": parts.watched_is_val},
        "dataset": _dataset(paths, images),
        "chance": images.chance_accuracy,
        "article": article if not plan.smoke_test and is_article else None,
        "missing": {model: spell(why) for model, why in findings.missing.items()},
        "missing_text": {model: to_json(why) for model, why in findings.missing.items()},
        "replaced_text": {model: to_json(why) for model, why in findings.replaced.items()},
        "warnings": list(findings.warnings),
        "confounds": asdict(findings.confounds) if findings.confounds else None,
        "hashes": hashes,
        "environment": environment(),
    }


def _dataset(paths: DataPaths, images: LabelledImages) -> dict[str, Any]:
    """Count the manifest's images by source, label and split, and what the latest catalog keeps and dropped."""
    table = images.table.assign(source=images.table["source"].fillna("unknown"))
    counts = table.groupby(["source", "label", "split"]).size().reset_index(name="n")
    written = [path for stage in Stage if (path := paths.catalog(stage)).exists()]
    counted: dict[str, Any] = {"images": counts.to_dict("records")}
    if written:
        listed = read_catalog(written[-1])
        counted |= {"listed": catalog.counts(listed), "listed_by_label": catalog.counts_by(listed, "label")}
    return counted


def environment() -> dict[str, Any]:
    """Name the versions and the machine that a repetition needs to know."""
    packages = {}
    for name in _PACKAGES:
        try:
            packages[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    try:
        from curator.benchmark.models.keras_backend import versions
    except ModuleNotFoundError:  # models that need no Keras are trained without it
        pass
    else:
        packages |= versions()
    machine = {"python": platform.python_version(), "platform": platform.platform(), "cpus": os.cpu_count()}
    return {"curator": __version__, **machine, **packages}
