"""Train models on a manifest and compare them honestly.

The Python packages of the extra ``benchmark`` (Keras, TensorFlow, scikit-learn, plots) are imported when
:func:`run_benchmark` is called, not with this package, so that every other command starts without them.

>>> BenchmarkResult(accuracy={"cnn": 0.8}, missing={"mobilenet_v2": "no weights"}).exit_code
1
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from curator.benchmark.metrics_file import BenchmarkResult
from curator.benchmark.models.registry import find_models
from curator.errors import CuratorError
from curator.manifests.project import Project


def run_benchmark(
    project: Project, *, weights: Path | None = None, quick: bool = False, resume: bool = False
) -> BenchmarkResult:
    """Train the models of the recipe's ``[benchmark]`` on the manifest; write ``metrics.json`` and predictions.

    Args:
        project: its recipe says which models, preset, epochs and seeds; results go to ``project.paths.benchmark``.
        weights: MobileNetV2's ImageNet weights without top (``.h5``); None looks in ``$CURATOR_WEIGHTS``, then in
            Keras' cache, then downloads.
        quick: a smoke test of under three minutes: one seed, 96 pixels, a few epochs.
        resume: go on from the checkpoints of an earlier run with the same settings.

    Raises:
        CuratorError: a model is unknown, the extra is not installed, or the manifest, an image or the weights cannot be
            used.
        KeyboardInterrupt: passed on after what is done was written; ``resume`` goes on from there.
    """
    run = _import("curator.benchmark.train_models", project.recipe.benchmark.models)
    result: BenchmarkResult = run.benchmark(project, weights=weights, quick=quick, resume=resume)
    return result


def run_curve(
    project: Project, *, models: Sequence[str] | None = None, weights: Path | None = None, quick: bool = False
) -> dict[str, Any]:
    """Measure a learning curve; see :func:`curator.benchmark.curve.learning_curve.measure_curve`."""
    run = _import("curator.benchmark.curve.learning_curve", models or ())
    found: dict[str, Any] = run.measure_curve(project, models=models, weights=weights, quick=quick)
    return found


def _import(module: str, models: Iterable[str]) -> Any:
    """Import what trains these models.

    Raises:
        CuratorError: a model is unknown, or the extra is not installed.
    """
    packages = [one for model in find_models(models) for one in model.packages]
    lacking = [one for one in packages if importlib.util.find_spec(one) is None]
    if lacking:
        raise _missing(lacking[0])
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise _missing(str(error.name)) from error


def _missing(package: str) -> CuratorError:
    message = f"The benchmark needs packages that are not installed (no module named {package})."
    return CuratorError(message, "Install them with `pip install 'imageset-curator[benchmark]'`.")
