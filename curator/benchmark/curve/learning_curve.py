"""The learning curve of a data set: train on parts of train, test on all of test, fit, and extend.

>>> [[round(n * share) for share in choose_shares(n)] for n in (320, 40)]
[[10, 20, 40, 80, 160, 320], [4, 6, 10, 16, 25, 40]]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from curator.benchmark.curve.extrapolate import check_held_out, fit_curve
from curator.benchmark.curve.sources import compare_sources
from curator.benchmark.curve.subsets import nested_parts
from curator.benchmark.curve.trials import Trials
from curator.benchmark.images.labelled_images import IntArray, LabelledImages, Parts, load_images
from curator.benchmark.metrics_file import write_metrics
from curator.benchmark.models.model import Model
from curator.benchmark.models.registry import MODELS, find_models
from curator.benchmark.plan import Plan, plan_benchmark
from curator.benchmark.results import Findings
from curator.benchmark.train_models import load_weights, training_set
from curator.errors import CuratorError, StateError
from curator.events import WorkAdvanced, WorkFinished, WorkStarted
from curator.manifests.project import Project
from curator.store.catalog_files import file_digest
from curator.text import Command, spell, to_json

N_SIZES, N_SEEDS = 6, 5
SMALLEST_SHARE, LEAST_OF_LABEL = 1 / 32, 4
LEAST_TRAIN, LEAST_TEST = 20, 20
"""Fewest images of a label in train, and of all in test: below, no curve can be told from chance."""
FORECAST = (2, 4)
"""The curve is extended to so many times the images: further than that nothing supports it."""
WORK = "learning curve"


def measure_curve(
    project: Project, *, models: Sequence[str] | None, weights: Path | None, quick: bool
) -> dict[str, Any]:
    """Measure the curve of each model and write ``curve.json``; what was trained before is not trained again.

    Args:
        project: its recipe's ``[benchmark]`` says how is trained, and with which seeds; they are made up to five.
        models: which; None: those of the recipe that train a head on kept features, which takes seconds.
        weights: MobileNetV2's, as for the benchmark.
        quick: small pictures and few epochs; the figures mean nothing.

    Returns:
        What ``curve.json`` holds; docs/benchmark.md describes it.

    Raises:
        CuratorError: a model is unknown, or none can be trained.
        StateError: there is no manifest, or too few images for a curve.
    """
    images = load_images(project.paths.manifest, project.recipe.labels)
    require_enough(images)
    findings, chosen = _plan(project, images, models, weights, quick)
    plan, parts = findings.plan, findings.parts
    trials = Trials(training_set(findings, parts), parts.test, plan.training, findings.bases)
    curves = {model.name: _measure(trials, model, images, plan.seeds) for model in chosen}
    facts = _about(findings) | {"models": curves}
    write_metrics(project.paths.curve, facts)
    return facts


def choose_shares(n_least: int) -> list[float]:
    """Choose the shares of train: evenly spaced on a log scale, the least with four images of the smallest label."""
    smallest = max(SMALLEST_SHARE, LEAST_OF_LABEL / n_least)
    return [float(share) for share in np.geomspace(smallest, 1.0, N_SIZES)]


def require_enough(images: LabelledImages) -> None:
    """Refuse what no curve can be fitted to.

    Raises:
        StateError: a label has too few training images, or there are too few test images.
    """
    counts = np.bincount(images.label_index[images.rows("train")], minlength=len(images.labels))
    short = [f"{label} has {n}" for label, n in zip(images.labels, counts.tolist(), strict=True) if n < LEAST_TRAIN]
    if short:
        needed = f"{N_SIZES} sizes need {LEAST_TRAIN} training images of every label"
        message = f"There are too few images for a learning curve: {needed}; {', '.join(short)}."
        raise StateError(message, (Command("status"), " says what each label has, and what may be fetched."))
    if (n_test := len(images.rows("test"))) < LEAST_TEST:
        message = f"A learning curve needs {LEAST_TEST} test images; there are {n_test}."
        raise StateError(message, (Command("split"), " with a smaller `--ratio` makes the test part larger."))


def _plan(
    project: Project, images: LabelledImages, names: Sequence[str] | None, weights: Path | None, quick: bool
) -> tuple[Findings, tuple[Model, ...]]:
    """Choose models and seeds, and load what the models start from."""
    settings = project.recipe.benchmark
    heads = [model.name for model in find_models(settings.models) if model.is_head]
    wanted = tuple(names or heads or [next(model.name for model in MODELS if model.is_head)])
    seeds = list(dict.fromkeys(settings.seeds))
    seeds += [seed for seed in range(N_SEEDS + len(seeds)) if seed not in seeds][: max(0, N_SEEDS - len(seeds))]
    parts = Parts(images.rows("train"), images.rows("test"), images.rows("test"))

    def plan_of(models: tuple[str, ...]) -> Plan:
        return replace(plan_benchmark(replace(settings, models=models), quick), seeds=tuple(seeds))

    findings = Findings(project, plan_of(wanted), images, parts)
    models = load_weights(findings, find_models(wanted), weights)
    if not models:
        raise CuratorError(" ".join(spell(why) for why in findings.missing.values()))
    findings.plan = plan_of(tuple(model.name for model in models))
    return findings, models


def _measure(trials: Trials, model: Model, images: LabelledImages, seeds: Sequence[int]) -> dict[str, Any]:
    """Train one model on every size with every seed; fit, and look at the sources."""
    train, test = trials.data.train_rows, trials.test_rows
    labels, groups, test_groups = images.label_index[train], images.groups[train], images.groups[test]
    shares = choose_shares(int(np.bincount(labels).min()))
    parts = {seed: nested_parts(labels, groups, shares, seed) for seed in seeds}
    sizes = np.mean([[len(part) for part in parts[seed]] for seed in seeds], axis=0) / len(images.labels)
    if len(np.unique(sizes)) < N_SIZES:
        message = f"No {N_SIZES} sizes can be cut from train without dividing groups of images that belong together."
        raise StateError(
            message, (Command("status"), " says what each label has; `group_by` in [split], what belongs.")
        )
    emit = trials.data.emit
    emit(WorkStarted(f"{WORK} of {model.title}", len(shares) * len(seeds), "training"))

    def errors(rows: IntArray, seed: int) -> Any:
        return trials.errors(model, train[rows], seed)

    try:
        wrong = np.zeros((len(shares), len(seeds), len(test)), dtype=bool)
        for place, seed in enumerate(seeds):
            for size, part in enumerate(parts[seed]):
                wrong[size, place] = errors(part, seed)
                emit(WorkAdvanced(f"{WORK} of {model.title}"))
    finally:
        emit(WorkFinished(f"{WORK} of {model.title}"))
    found = describe_curve(sizes, wrong, test_groups)
    sources = images.table["source"].fillna("unknown").to_numpy(dtype=object)[train]
    if model.is_head:
        found["sources"] = compare_sources(errors, labels, groups, sources, test_groups, seeds)
    return found


def describe_curve(sizes: Any, wrong: Any, groups: Any) -> dict[str, Any]:
    """Describe a measured curve: its points, the law, what more would bring, and how a shorter curve would have done.

    Args:
        sizes: images a label, ascending (sizes,).
        wrong: which test images each training gets wrong, bool (sizes, seeds, test images).
        groups: the group of each test image (test images,).
    """
    curve = fit_curve(sizes, wrong, groups)
    points = [
        {
            "images_per_label": float(size),
            "accuracy": curve.measured(place),
            "runs": (1.0 - one.mean(axis=1)).tolist(),
        }
        for place, (size, one) in enumerate(zip(sizes, wrong, strict=True))
    ]
    last = float(sizes[-1])
    return {
        "points": points,
        "law": curve.parameters(),
        "line": [
            {"images_per_label": float(n), **curve.accuracy_at(n)}
            for n in np.geomspace(sizes[0], FORECAST[-1] * last, 41)
        ],
        "gains": [
            {"images_per_label": times * last, "times": times, **curve.gain_at(times * last)} for times in FORECAST
        ],
        "images_for_point": {
            name: value if np.isfinite(value) else None for name, value in curve.images_for_point().items()
        },
        "held_out": check_held_out(sizes, wrong, groups),
    }


def _about(findings: Findings) -> dict[str, Any]:
    plan, images, parts = findings.plan, findings.images, findings.parts
    hashes = {f"weights of {name}": base.sha256 for name, base in findings.bases.items()}
    return {
        "name": findings.project.recipe.name,
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "smoke_test": plan.smoke_test,
        "labels": list(images.labels),
        "seeds": list(plan.seeds),
        "preset": plan.preset,
        "image_size": plan.image_size,
        "n_images": {"train": len(parts.train), "test": len(parts.test)},
        "chance": images.chance_accuracy,
        "missing_text": {model: to_json(why) for model, why in findings.missing.items()},
        "replaced_text": {model: to_json(why) for model, why in findings.replaced.items()},
        "hashes": {"manifest": file_digest(findings.project.paths.manifest), **hashes},
    }
