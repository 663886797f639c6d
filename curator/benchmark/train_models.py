"""The benchmark from manifest to metrics.json: load, check, train every model and seed, compare, write.

>>> benchmark.__annotations__["return"]
'BenchmarkResult'
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

from curator.benchmark.checkpoints import Checkpoint, CheckpointFile
from curator.benchmark.cross_validate import TrainAll, cross_validate
from curator.benchmark.images.arrays import image_array
from curator.benchmark.images.confounds import check_confounds
from curator.benchmark.images.labelled_images import Parts, cut_parts, load_images
from curator.benchmark.metrics_file import BenchmarkResult
from curator.benchmark.models.model import MakeLearner, Model, TrainingSet
from curator.benchmark.models.registry import find_models, substitute_of
from curator.benchmark.models.weights import WeightsUnreachableError
from curator.benchmark.plan import plan_benchmark
from curator.benchmark.results import Findings, write_results
from curator.benchmark.save_models import save_models
from curator.benchmark.train import Run, train
from curator.events import ModelMissing, Noted, Warned
from curator.manifests.project import Project
from curator.store.catalog_files import fingerprint

VERSION = 4
"""Raised when training changes so that an older checkpoint must not be gone on with."""


def benchmark(project: Project, *, weights: Path | None, quick: bool, resume: bool) -> BenchmarkResult:
    """Run the benchmark; see :func:`curator.benchmark.run_benchmark.run_benchmark`.

    Everything that can be wrong with the input is found before the first epoch, and nothing is written until then
    but the caches.
    """
    plan = plan_benchmark(project.recipe.benchmark, quick)
    models = find_models(plan.models)
    images = load_images(project.paths.manifest, project.recipe.labels)
    parts = cut_parts(images, plan.validation_share)
    findings = Findings(project, plan, images, parts)
    models = load_weights(findings, models, weights)
    if findings.replaced:
        settings = replace(project.recipe.benchmark, models=tuple(model.name for model in models))
        plan = findings.plan = plan_benchmark(settings, quick)
    _check_images(findings, models)
    learners = _prepare(findings, models, findings.parts)
    try:
        # Seed by seed, so that an interrupted benchmark has whole comparisons to show.
        for seed in plan.seeds:
            for model, make_learner in learners.items():
                _train(findings, model, seed, make_learner, resume)
        if not quick:
            findings.cross_validation = cross_validate(
                images, plan.validation_share, _train_fold(findings, models, resume)
            )
    except KeyboardInterrupt:
        write_results(findings, interrupted=True)
        raise
    result = write_results(findings)
    save_models(findings, learners)
    return result


def _train_fold(findings: Findings, models: tuple[Model, ...], resume: bool) -> TrainAll:
    """Return what trains every model with a fold held out, with the first seed."""
    seed = findings.plan.seeds[0]

    def train_all(parts: Parts, fold: int) -> dict[str, Checkpoint]:
        learners = _prepare(findings, models, parts)
        return {
            model: _run(findings, model, seed, make_learner, resume, parts, fold)
            for model, make_learner in learners.items()
        }

    return train_all


def load_weights(findings: Findings, models: tuple[Model, ...], given: Path | None) -> tuple[Model, ...]:
    """Load what each model starts from; return those that can be trained.

    In the place of a model whose weights cannot be obtained comes its substitute, named as what it is; one that has
    none is missing.
    """
    emit, trained = findings.project.emit, list(models)
    for model in models:
        if model.pretrained is None:
            continue
        try:
            findings.bases[model.name] = model.pretrained.load(given, emit)
        except WeightsUnreachableError as error:
            substitute = _load_substitute(findings, model)
            trained = [one for one in trained if one.name not in (model.name, substitute and substitute.name)]
            if substitute is None:
                findings.missing[model.name] = error.text
                emit(ModelMissing(model.name, error.text))
                continue
            trained.append(substitute)
            taken = f"{substitute.title} is trained in the place of {model.title}. "
            findings.replaced[model.name] = (taken, *error.text)
            emit(Warned(findings.replaced[model.name]))
    return tuple(trained)


def _load_substitute(findings: Findings, model: Model) -> Model | None:
    substitute = substitute_of(model.name)
    if substitute is None or substitute.pretrained is None:
        return None
    try:
        findings.bases[substitute.name] = substitute.pretrained.load(None, findings.project.emit)
    except WeightsUnreachableError:
        return None
    return substitute


def _check_images(findings: Findings, models: tuple[Model, ...]) -> None:
    """Look for what would make a test accuracy mean less than it seems to: confounds, and overlap with pretraining."""
    table = findings.images.table
    findings.confounds = check_confounds(findings.images)
    classes = table["source_class"].dropna().unique() if "source_class" in table else ()
    overlaps = [model.pretrained.overlap(classes) for model in models if model.pretrained]
    findings.warnings = tuple(text for text in dict.fromkeys((findings.confounds.warning, *overlaps)) if text)
    for text in findings.warnings:
        findings.project.emit(Warned(text))


def training_set(findings: Findings, parts: Parts) -> TrainingSet:
    """Decode the images, unless an earlier run did, and put together what learners train on."""
    project, plan, images = findings.project, findings.plan, findings.images
    max_pixels = project.recipe.quality.max_pixels
    return TrainingSet(
        pixels=image_array(images.table, project.paths, plan.image_size, project.emit, max_pixels),
        labels=images.label_index,
        train_rows=parts.train,
        n_labels=len(images.labels),
        batch_size=plan.batch_size,
        sha256s=images.table["sha256"].tolist(),
        cache=project.paths.benchmark_cache,
        emit=project.emit,
    )


def _prepare(findings: Findings, models: tuple[Model, ...], parts: Parts) -> dict[str, MakeLearner]:
    """Let each model do what is done once for all seeds."""
    data, training = training_set(findings, parts), findings.plan.training
    return {model.name: model.prepare(data, training[model.name], findings.bases.get(model.name)) for model in models}


def _train(findings: Findings, model: str, seed: int, make_learner: MakeLearner, resume: bool) -> None:
    """Train one model with one seed on train and test."""
    try:
        run = _run(findings, model, seed, make_learner, resume, findings.parts)
    except KeyboardInterrupt:
        if half := _file(findings, model, seed).load():
            findings.unfinished.setdefault(model, {})[seed] = half
        raise
    findings.finished.setdefault(model, {})[seed] = run


def _run(
    findings: Findings, model: str, seed: int, make_learner: MakeLearner, resume: bool, parts: Parts, fold: int = 0
) -> Checkpoint:
    """Train one model with one seed, or take up what an earlier run finished."""
    plan, emit, file = findings.plan, findings.project.emit, _file(findings, model, seed, fold)
    before = file.load() if resume else None
    if before and before.probabilities is not None:
        held_out = f", fold {fold}" if fold else ""
        emit(Noted(f"{model}, seed {seed}{held_out}: trained before, taken up as it is."))
        return before
    if before is None:
        file.path.unlink(missing_ok=True)
    labels = findings.images.label_index
    run = Run(model, seed, plan.training[model], labels, parts.watched, parts.test, file, emit)
    return train(run, make_learner(seed), before)


def _file(findings: Findings, model: str, seed: int, fold: int = 0) -> CheckpointFile:
    """Name the checkpoint of a run by all that decides its outcome, so that no other run's is taken."""
    plan, images = findings.plan, findings.images
    rows = images.table[["sha256", "label", "split"]].to_numpy().tolist()
    weights = findings.bases[model].sha256 if model in findings.bases else ""
    settings = [plan.image_size, plan.batch_size, plan.validation_share, asdict(plan.training[model])]
    held_out = [fold, images.folds.tolist()] if fold else []
    key = fingerprint(VERSION, model, seed, settings, images.labels, rows, images.groups.tolist(), weights, *held_out)
    name = f"{model}-fold{fold}-seed{seed}.npz" if fold else f"{model}-seed{seed}.npz"
    return CheckpointFile(findings.project.paths.benchmark_runs / name, key)
