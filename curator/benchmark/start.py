"""Train the bundled models on a manifest and compare them honestly.

The Python packages of the extra ``benchmark`` (Keras, TensorFlow, scikit-learn, plots) are imported when
:func:`run_benchmark` is called, not with this package, so that every other command starts without them.

>>> BenchmarkResult(accuracy={"cnn": 0.8}, missing={"mobilenet_v2": "no weights"}).exit_code
1
"""

from __future__ import annotations

import importlib
from pathlib import Path

from curator.benchmark.metrics_file import BenchmarkResult
from curator.errors import CuratorError
from curator.events import Listener, ignore
from curator.manifests.recipe import Recipe
from curator.store.paths import DataPaths

INSTALL = "Install them with `pip install 'imageset-curator[benchmark]'`."


def run_benchmark(
    recipe: Recipe,
    paths: DataPaths,
    *,
    weights: Path | None = None,
    quick: bool = False,
    resume: bool = False,
    emit: Listener = ignore,
) -> BenchmarkResult:
    """Train ``recipe.benchmark.models`` on the manifest and write ``metrics.json``, predictions and plots.

    Args:
        recipe: its ``benchmark`` section says which models, preset, epochs and seeds.
        paths: where the manifest and the images are; results go to ``paths.benchmark``.
        weights: MobileNetV2's ImageNet weights without top (``.h5``); None looks in ``$CURATOR_WEIGHTS``, then in
            Keras' cache, then downloads.
        quick: a smoke test of under three minutes: one seed, 96 pixels, a few epochs.
        resume: go on from the checkpoints of an earlier run with the same settings.
        emit: told of progress.

    Raises:
        CuratorError: the extra is not installed, or the manifest, an image or the weights cannot be used.
        KeyboardInterrupt: passed on after what is done was written; ``resume`` goes on from there.
    """
    try:
        run = importlib.import_module("curator.benchmark.run")
    except ModuleNotFoundError as error:
        message = f"The benchmark needs packages that are not installed (no module named {error.name})."
        raise CuratorError(message, INSTALL) from error
    result: BenchmarkResult = run.benchmark(recipe, paths, weights=weights, quick=quick, resume=resume, emit=emit)
    return result
