"""Train models on a manifest and compare them honestly.

The Python packages of the extra ``benchmark`` (Keras, TensorFlow, scikit-learn, plots) are imported when
:func:`run_benchmark` is called, not with this package, so that every other command starts without them.

>>> BenchmarkResult(accuracy={"cnn": 0.8}, missing={"mobilenet_v2": "no weights"}).exit_code
1
"""

from __future__ import annotations

import importlib
from pathlib import Path

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
    find_models(project.recipe.benchmark.models)
    try:
        run = importlib.import_module("curator.benchmark.train_models")
    except ModuleNotFoundError as error:
        message = f"The benchmark needs packages that are not installed (no module named {error.name})."
        raise CuratorError(message, "Install them with `pip install 'imageset-curator[benchmark]'`.") from error
    result: BenchmarkResult = run.benchmark(project, weights=weights, quick=quick, resume=resume)
    return result
