"""What models learn of the set, and what saved ones make of pictures: a part of :class:`curator.inspect.view.View`.

>>> [name for name in ("load_model", "learning_curve", "ablation") if hasattr(Trained, name)]
['load_model', 'learning_curve', 'ablation']
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curator.errors import raises_curator_errors
from curator.inspect.pictures import Pictures
from curator.manifests.project import Project

if TYPE_CHECKING:
    from curator.benchmark.saved_model import SavedModel
    from curator.inspect.evaluate.evaluation import Evaluation
    from curator.inspect.evaluate.predict import Predictions


class Trained(Pictures):
    """One data set with the models that are trained on it."""

    @raises_curator_errors
    def load_model(self, name: str | None = None) -> SavedModel:
        """Load a model that :meth:`benchmark` has saved; its ``predict`` takes paths, arrays and PIL images.

        Args:
            name: such as ``cnn``; None: the one that was most often right on the test images.

        Raises:
            CuratorError: no such model is saved, or the extra ``embed`` is not installed.
        """
        from curator.inspect.evaluate.choose_models import load_model

        return load_model(self.project, name)

    @raises_curator_errors
    def predict(self, *images: str | Path, model: str | None = None) -> Predictions:
        """Label picture files, and all pictures in folders, with a saved model, see :meth:`load_model`."""
        from curator.inspect.evaluate.predict import predict

        return predict(self.project, tuple(map(str, images)), model)

    @raises_curator_errors
    def evaluate(
        self,
        *places: str | Path,
        models: Sequence[str] | None = None,
        labels: Mapping[str, str] | None = None,
        columns: Mapping[str, str] | None = None,
        cache: str | Path | None = None,
    ) -> Evaluation:
        """Measure saved models on another set, where it lies; near-duplicates of training images are set apart.

        Args:
            places: a folder with a sub-folder a label, also by sides; a manifest or table; or several of one set.
            models: their names; None: all that are saved.
            labels: what a label there means, as in ``{"football": "soccer"}``; ``""``: its images are left out.
            columns: what which column of a table is, as in ``{"label": "species"}``.
            cache: the folder that keeps what was seen of files; None: in the user's cache folder, as an audit's.

        Raises:
            SourceError: there is no labelled set at the places.
            CuratorError: no model is saved, or a label there is none of the model's.
        """
        from curator.inspect.evaluate.evaluate import evaluate

        home = None if cache is None else Path(cache).expanduser()
        return evaluate(self.project, tuple(map(str, places)), models, labels, columns, home)

    @raises_curator_errors
    def learning_curve(
        self,
        *,
        models: Sequence[str] | None = None,
        preset: str | None = None,
        epochs: int | None = None,
        seeds: Sequence[int] | None = None,
        image_size: int | None = None,
        batch_size: int | None = None,
        weights: str | Path | None = None,
        quick: bool = False,
    ) -> dict[str, Any]:
        """Train on six parts of train with five seeds, fit how the error falls, and say what more images would bring.

        Args:
            models: which; None: those of the recipe that train a head on kept features. ``cnn`` takes hours.
            preset, epochs, seeds, image_size, batch_size, weights, quick: as of :meth:`curator.Dataset.benchmark`;
                fewer seeds than five are made up to five.

        Returns:
            What ``benchmark/curve.json`` holds, see docs/benchmark.md; ``"models"`` has a curve a model.

        Raises:
            CuratorError: the extra ``benchmark`` is not installed, or there are too few images for a curve.
        """
        from curator.benchmark.run_benchmark import run_curve
        from curator.report.build import build_report

        options: dict[str, Any] = {"preset": preset, "epochs": epochs, "image_size": image_size}
        project = self._with("benchmark", **options, batch_size=batch_size, seeds=seeds and tuple(seeds))
        found = run_curve(project, models=models, weights=Path(weights) if weights else None, quick=quick)
        build_report(project)
        return found

    @raises_curator_errors
    def ablation(self) -> dict[str, Any]:
        """Measure what curation bought: train with copies and suspects and without, and split in the wrong order.

        Returns:
            What ``benchmark/ablation.json`` holds, see docs/benchmark.md: accuracies and paired differences, as shares.

        Raises:
            CuratorError: the extra ``embed`` is not installed, nothing was split, or there are too few images.
        """
        from curator.inspect.ablation.ablation import measure_ablation
        from curator.report.build import build_report

        found = measure_ablation(self.project)
        build_report(self.project)
        return found

    def _with(self, section: str, **options: Any) -> Project:
        recipe = self.project.recipe.with_overrides(section, **options)
        return dataclasses.replace(self.project, recipe=recipe)
