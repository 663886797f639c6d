"""Gather a session's runs into metrics.json and predictions.csv.

>>> environment()["backend"] in ("tensorflow", "jax", "torch")
True
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import fmean
from typing import Any

from curator import __version__, catalog
from curator.benchmark.evaluate import Runs, compare_models, model_metrics, predictions_table
from curator.benchmark.images.confounds import ConfoundCheck
from curator.benchmark.images.data import LabelledImages
from curator.benchmark.metrics_file import METRICS, PREDICTIONS, BenchmarkResult, write_metrics
from curator.benchmark.models.keras_backend import versions
from curator.benchmark.models.presets import ARTICLE_ACCURACY, ARTICLE_LABELS
from curator.benchmark.models.weights import PretrainedBase
from curator.benchmark.session import Session, chance_accuracy
from curator.manifests.recipe import Recipe
from curator.reasons import Stage
from curator.store.catalog_files import file_digest, read_catalog
from curator.store.paths import DataPaths
from curator.store.whole_files import write_text_whole
from curator.text import Text, to_json

_PACKAGES = ("numpy", "pandas", "Pillow", "opencv-python-headless", "scikit-learn", "onnxruntime")


@dataclass(frozen=True)
class Findings:
    """What was known before training: recipe, base, confound check, warnings, and models missing with the reason."""

    recipe: Recipe
    base: PretrainedBase | None
    confounds: ConfoundCheck
    warnings: tuple[str, ...]
    missing: dict[str, Text]


def write_results(paths: DataPaths, session: Session, findings: Findings, interrupted: bool = False) -> BenchmarkResult:
    """Write metrics.json and predictions.csv from the runs that have ended."""
    finished = {model: runs for model, runs in session.finished.items() if runs}
    models = {model: _with_facts(model_metrics(runs, session.images), runs) for model, runs in finished.items()}
    metrics = _about(paths, session, findings) | {
        "interrupted": interrupted,
        "models": models,
        "comparison": _comparison(session),
        "unfinished": _unfinished(session),
    }
    if finished:
        text = predictions_table(finished, session.images).to_csv(index=False, lineterminator="\n")
        write_text_whole(paths.benchmark / PREDICTIONS, text)
    write_metrics(paths.benchmark / METRICS, metrics)
    accuracy = {model: figures["accuracy"]["mean"] for model, figures in models.items()}
    return BenchmarkResult(accuracy, findings.missing, findings.warnings, session.plan.smoke_test)


def _about(paths: DataPaths, session: Session, findings: Findings) -> dict[str, Any]:
    hashes = {"manifest": file_digest(paths.manifest)}
    if findings.recipe.path:
        hashes["recipe"] = file_digest(findings.recipe.path)
    if findings.base:
        hashes["weights"] = findings.base.sha256
    plan = session.plan
    is_like_article = not plan.smoke_test and set(session.images.labels) == ARTICLE_LABELS
    return {
        "name": findings.recipe.name,
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "smoke_test": plan.smoke_test,
        "labels": list(session.images.labels),
        "plan": plan.as_dict(),
        "n_images": session.parts.sizes() | {"watched_is_test": not plan.validation_share},
        "dataset": _dataset(paths, session.images),
        "chance": chance_accuracy(session.images),
        "article": ARTICLE_ACCURACY if is_like_article else None,
        "missing": {model: to_json(why) for model, why in findings.missing.items()},
        "warnings": list(findings.warnings),
        "confounds": findings.confounds.as_dict(),
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


def _with_facts(figures: dict[str, Any], runs: Runs) -> dict[str, Any]:
    """Add what the model costs; its speed is the mean over the runs."""
    facts = [run.facts for run in runs.values()]
    return {**figures, **facts[-1], "images_per_second": fmean(fact["images_per_second"] for fact in facts)}


def _comparison(session: Session) -> dict[str, Any] | None:
    models = [model for model in session.plan.models if session.finished.get(model)]
    if len(models) != 2 or not set(session.finished[models[0]]) & set(session.finished[models[1]]):
        return None
    first, second = models
    return {"first": first, "second": second} | compare_models(
        session.finished[first], session.finished[second], session.images
    )


def _unfinished(session: Session) -> list[dict[str, Any]]:
    return [
        {"model": model, "seed": seed, "history": run.history}
        for model, runs in session.unfinished.items()
        for seed, run in runs.items()
    ]


def environment() -> dict[str, Any]:
    """Name the versions and the machine that a repetition needs to know."""
    packages = {}
    for name in _PACKAGES:
        try:
            packages[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    machine = {"python": platform.python_version(), "platform": platform.platform(), "cpus": os.cpu_count()}
    return {"curator": __version__, **machine, **packages, **versions()}
