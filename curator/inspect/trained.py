"""What the models that a benchmark has saved make of pictures: a part of :class:`curator.inspect.view.View`.

>>> [name for name in ("load_model", "predict", "evaluate") if hasattr(Trained, name)]
['load_model', 'predict', 'evaluate']
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from curator.errors import raises_curator_errors
from curator.inspect.pictures import Pictures

if TYPE_CHECKING:
    from curator.benchmark.saved_model import SavedModel
    from curator.inspect.evaluate.evaluation import Evaluation
    from curator.inspect.evaluate.predict import Predictions


class Trained(Pictures):
    """One data set with the models that were trained on it."""

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
