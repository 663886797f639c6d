"""The saved models of a data set, by their names.

>>> choose_names(["cnn", "mobilenet_v2"], ["mobilenet_v2"])
['mobilenet_v2']
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from curator.benchmark.models.registry import model_names
from curator.benchmark.saved_model import SavedModel, list_saved, read_facts, read_saved
from curator.errors import CuratorError, StateError
from curator.manifests.project import Project
from curator.manifests.toml_settings import suggest
from curator.store.catalog_files import file_digest
from curator.text import Command, Text


def load_model(project: Project, name: str | None = None) -> SavedModel:
    """Load a saved model.

    Args:
        project: its data folder has the models.
        name: such as ``cnn``; None: the one that was most often right on the test images.

    Raises:
        StateError: no benchmark has saved it, or its files are damaged.
        CuratorError: there is no such model, or ONNX Runtime is not installed.
    """
    saved = list_saved(project.paths.benchmark_models)
    names = choose_names(saved, None if name is None else [name])
    folders = [project.paths.saved_model(one) for one in names]
    best = folders[0] if len(folders) == 1 else max(folders, key=lambda folder: _accuracy(read_facts(folder)))
    return read_saved(best, project.recipe.quality.max_pixels)


def choose_names(saved: Sequence[str], wanted: Sequence[str] | None) -> list[str]:
    """Return the models that are wanted, all that are saved if none is named; see :func:`load_model`."""
    if not saved:
        train: Text = (Command("benchmark"), " trains models and saves them.")
        raise StateError("No model is saved for this data set yet.", train)
    for name in wanted or ():
        if name in saved:
            continue
        has = f"Saved are {', '.join(saved)}."
        if name in model_names():
            raise StateError(
                f"The model {name} is not saved. {has}", (Command(f"benchmark --models {name}"), " saves it.")
            )
        raise CuratorError(f"There is no model {name!r}{suggest(name, saved) or '.'} {has}")
    return list(dict.fromkeys(wanted)) if wanted else list(saved)


def _accuracy(facts: dict[str, Any]) -> float:
    return float(facts["test"]["accuracy"]["mean"])


def warnings_about(project: Project, model: SavedModel) -> list[Text]:
    """Say what makes a model's answers mean less: hardly trained, or on another manifest than today's."""
    found: list[Text] = []
    if model.facts.get("smoke_test"):
        again = (Command(f"benchmark --models {model.name}"), " trains it properly.")
        found.append((f"{model.name} is of a smoke test, and hardly trained: ", *again))
    manifest = project.paths.manifest
    if not manifest.is_file() or file_digest(manifest) != model.facts.get("manifest_sha256"):
        again = (Command(f"benchmark --models {model.name}"), " trains it on today's.")
        found.append((f"{model.name} was trained on an earlier manifest: ", *again))
    return found
