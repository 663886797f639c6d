"""Save what a benchmark has trained: one file that runs anywhere (ONNX), one for Keras, the labels, and a model card.

Saved is the run of the first seed, whatever its accuracy: the best of several, chosen on the test images, would look
better than it is.

>>> MOST_DIFFERENCE
0.001
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from curator import __version__
from curator.benchmark import saved_model
from curator.benchmark.checkpoints import Checkpoint
from curator.benchmark.compare import estimate
from curator.benchmark.images.arrays import image_array
from curator.benchmark.measures import share_correct
from curator.benchmark.model_card import PREPROCESSING, card_text
from curator.benchmark.models.learner import SavableLearner
from curator.benchmark.models.model import MakeLearner
from curator.benchmark.models.registry import find_models
from curator.benchmark.results import Findings
from curator.embed.embedder import run_session, start_session
from curator.embed.graph import INPUT, Graph
from curator.errors import CuratorError
from curator.events import Noted, Warned
from curator.observe.pixels import DECODER_VERSION
from curator.store.catalog_files import file_digest
from curator.store.whole_files import whole_file, write_text_whole

MOST_DIFFERENCE = 1e-3
"""By how much a probability of the saved file may differ from that of the training, at most."""

_N_COMPARED = 32


def save_models(findings: Findings, learners: Mapping[str, MakeLearner]) -> None:
    """Save the run of the first seed of each model that has ended; one that cannot be saved is told."""
    seed = findings.plan.seeds[0]
    for name, make_learner in learners.items():
        run = findings.finished.get(name, {}).get(seed)
        if run is None:
            continue
        learner = make_learner(seed)
        learner.set_weights(run.best)
        problem = "it has no form for files"
        if findings.plan.smoke_test and _is_trained_in_full(findings.project.paths.saved_model(name)):
            findings.project.emit(Noted(f"{name} as trained before stays saved: a smoke test does not replace it"))
            continue
        if isinstance(learner, SavableLearner):
            problem = _save(findings, name, learner, run)
        if problem:
            findings.project.emit(Warned(f"{find_models([name])[0].title} was trained and is not saved: {problem}."))


def _is_trained_in_full(folder: Path) -> bool:
    """Say whether a model is saved that is more than a smoke test's."""
    try:
        return not saved_model.read_facts(folder).get("smoke_test")
    except CuratorError:
        return False


def _save(findings: Findings, name: str, learner: SavableLearner, run: Checkpoint) -> str:
    """Write a model's folder; return what keeps it from being saved, if anything does."""
    folder = findings.project.paths.saved_model(name)
    facts = describe(findings, name, run)
    try:
        onnx = write_onnx(learner, facts)
    except ValueError as error:
        return str(error)
    if not (difference := _measure_difference(findings, onnx, run)) <= MOST_DIFFERENCE:  # not a number is no figure
        return f"its ONNX file differs from what was trained by {difference:.3f} in a probability"
    facts |= {"onnx_sha256": hashlib.sha256(onnx).hexdigest(), "onnx_difference": difference}
    json.dumps(facts, allow_nan=False)  # before anything is replaced
    for old in (saved_model.FACTS, saved_model.KERAS):
        (folder / old).unlink(missing_ok=True)
    with whole_file(folder / saved_model.ONNX) as temporary:
        temporary.write_bytes(onnx)
    with suppress(ImportError):  # Keras, or what it computes with, is not installed
        _save_keras(learner, facts, folder / saved_model.KERAS)
    facts["files"] = sorted(path.name for path in folder.glob("model.*"))
    write_text_whole(folder / saved_model.LABELS, "".join(f"{label}\n" for label in facts["labels"]))
    write_text_whole(folder / saved_model.TRAINED_ON, _trained_on(findings).to_csv(index=False, lineterminator="\n"))
    write_text_whole(folder / saved_model.CARD, card_text(facts))
    write_text_whole(
        folder / saved_model.FACTS, json.dumps(facts, indent=1, allow_nan=False) + "\n"
    )  # last: all is there
    return ""


def write_onnx(learner: SavableLearner, facts: Mapping[str, Any]) -> bytes:
    """Write a model as one file from 8-bit pixels to probabilities, which says what it takes and what it returns.

    Raises:
        ValueError: it has a layer that is not written as ONNX.
    """
    graph = Graph()
    graph.add("Softmax", [learner.add_onnx(graph)], saved_model.PROBABILITIES, axis=1)
    side, labels = facts["side"], facts["labels"]
    told = {"labels": json.dumps(labels, ensure_ascii=False), "input": PREPROCESSING.format(side=side)}
    about = f"{facts['title']} of the data set {facts['data_set']}, trained by curator {facts['curator']}"
    return graph.serialise(saved_model.PROBABILITIES, len(labels), (side, side), told, about)


def _measure_difference(findings: Findings, onnx: bytes, run: Checkpoint) -> float:
    """Return the largest difference of a probability, on some test images, of the file from the training."""
    project, rows = findings.project, findings.parts.test[:_N_COMPARED]
    side, max_pixels = findings.plan.image_size, project.recipe.quality.max_pixels
    pixels = image_array(findings.images.table, project.paths, side, project.emit, max_pixels)
    run_image = run_session(start_session(onnx, "the model"), INPUT, lambda image: image)
    found = np.stack([run_image(pixels[row]) for row in rows])
    if run.probabilities is None:
        raise ValueError("the run has not ended")
    return float(np.abs(found - run.probabilities[: len(rows)]).max())


def _save_keras(learner: SavableLearner, facts: Mapping[str, Any], path: Path) -> None:
    from curator.benchmark.models.keras_backend import keras

    side = facts["side"]
    layers = [keras.Input((side, side, 3), name=INPUT), learner.keras_network(), keras.layers.Softmax()]
    with whole_file(path) as temporary:
        keras.Sequential(layers, name=facts["name"]).save(temporary)


def describe(findings: Findings, name: str, run: Checkpoint) -> dict[str, Any]:
    """Gather what is said of a model: see :mod:`curator.benchmark.model_card`."""
    plan, project = findings.plan, findings.project
    model, base = find_models([name])[0], findings.bases.get(name)
    return {
        "version": saved_model.VERSION,
        "name": name,
        "title": model.title,
        "about": model.about,
        "data_set": project.recipe.name,
        "labels": list(findings.images.labels),
        "side": plan.image_size,
        "pixels": plan.training[name].preprocessing,
        "preset": plan.preset,
        "seed": plan.seeds[0],
        "epochs": len(run.history),
        "parameters": run.facts["parameters"],
        "smoke_test": plan.smoke_test,
        "curator": __version__,
        "decoder": DECODER_VERSION,
        "manifest_sha256": file_digest(project.paths.manifest),
        "weights": {"title": base.title, "sha256": base.sha256} if base else None,
        "licence": model.pretrained.licence if model.pretrained else None,
        **_measured(findings, name, run),
        "warnings": list(findings.warnings),
    }


def _measured(findings: Findings, name: str, run: Checkpoint) -> dict[str, Any]:
    """Count the images of each part, and measure on the test images."""
    images, parts, runs = findings.images, findings.parts, findings.finished[name]
    labels, groups = images.label_index[parts.test], images.groups[parts.test]
    correct = share_correct({findings.plan.seeds[0]: run}, labels)
    rows = {"train": parts.train, "watched": parts.watched, "test": parts.test}
    counts = {part: np.bincount(images.label_index[of], minlength=len(images.labels)) for part, of in rows.items()}
    numbered = list(enumerate(images.labels))
    return {
        "counts": {label: {part: int(of[number]) for part, of in counts.items()} for number, label in numbered},
        "watched_is_test": not findings.plan.validation_share,
        "test": {"n": len(labels), "accuracy": estimate(correct, groups)},
        "over_seeds": {"n": len(runs), "accuracy": estimate(share_correct(runs, labels), groups)},
        "by_label": {label: float(correct[labels == number].mean()) for number, label in numbered},
    }


def _trained_on(findings: Findings) -> pd.DataFrame:
    """List the images that training saw: those that it trained on, and those that told it when to stop."""
    parts = findings.parts
    rows = parts.train if not findings.plan.validation_share else np.concatenate([parts.train, parts.watched])
    return findings.images.table.iloc[np.sort(rows)][["record_id", "label", "sha256", "format"]]
