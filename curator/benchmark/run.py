"""The benchmark from manifest to metrics.json: load, check, train every model and seed, compare, write.

>>> benchmark.__annotations__["return"]
'BenchmarkResult'
"""

from __future__ import annotations

from pathlib import Path

from curator.benchmark.images.arrays import image_array
from curator.benchmark.images.confounds import ConfoundCheck, check_confounds
from curator.benchmark.images.data import LabelledImages, load_images
from curator.benchmark.images.overlap import overlap_warning
from curator.benchmark.metrics_file import BenchmarkResult
from curator.benchmark.models.presets import Plan, plan_benchmark
from curator.benchmark.models.transfer import prepare_transfer
from curator.benchmark.models.weights import PretrainedBase, WeightsUnreachableError, load_base
from curator.benchmark.results import Findings, write_results
from curator.benchmark.session import TRANSFER, Session, cut_parts
from curator.events import Listener, ModelMissing, Warned
from curator.manifests.recipe import Recipe
from curator.store.paths import DataPaths
from curator.text import Text


def benchmark(
    recipe: Recipe, paths: DataPaths, *, weights: Path | None, quick: bool, resume: bool, emit: Listener
) -> BenchmarkResult:
    """Run the benchmark; see :func:`curator.benchmark.run_benchmark`.

    Everything that can be wrong with the input is found before the first epoch, and nothing is written until then
    but the caches.
    """
    plan = plan_benchmark(recipe.benchmark, quick)
    images = load_images(paths.manifest, recipe.labels)
    missing: dict[str, Text] = {}
    base = _base(plan, weights, missing, emit)
    confounds = check_confounds(images)
    warnings = _warnings(images, plan, confounds, emit)
    session = _prepare(paths, plan, images, base, resume, emit)
    findings = Findings(recipe, base, confounds, warnings, missing)
    try:
        session.train_all()
    except KeyboardInterrupt:
        write_results(paths, session, findings, interrupted=True)
        raise
    return write_results(paths, session, findings)


def _base(plan: Plan, weights: Path | None, missing: dict[str, Text], emit: Listener) -> PretrainedBase | None:
    """Load the frozen base where the plan asks for it; where it cannot be had, say so and go on without."""
    if TRANSFER not in plan.models:
        return None
    try:
        return load_base(weights, plan.image_size, emit)
    except WeightsUnreachableError as error:
        missing[TRANSFER] = error.text
        emit(ModelMissing(TRANSFER, error.text))
        return None


def _warnings(images: LabelledImages, plan: Plan, confounds: ConfoundCheck, emit: Listener) -> tuple[str, ...]:
    classes = images.table["source_class"].dropna().unique() if "source_class" in images.table else ()
    overlap = overlap_warning(classes) if TRANSFER in plan.models else ""
    warnings = tuple(text for text in (confounds.warning, overlap) if text)
    for text in warnings:
        emit(Warned(text))
    return warnings


def _prepare(
    paths: DataPaths, plan: Plan, images: LabelledImages, base: PretrainedBase | None, resume: bool, emit: Listener
) -> Session:
    """Decode the images, compute the features and cut the parts."""
    parts = cut_parts(images, plan.validation_share)
    pixels = image_array(images.table, paths, plan.image_size, emit)
    cache, transfer = paths.benchmark / "cache", None
    if base:
        transfer = prepare_transfer(base, pixels, images, parts.train, plan.training[TRANSFER], cache, emit)
    return Session(paths.benchmark / "runs", plan, images, parts, pixels, transfer, resume, emit)
