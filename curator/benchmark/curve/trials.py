"""Many trainings on parts of the training images: each is done once, and what it said of the test images is kept.

>>> Trials.errors.__annotations__["return"]
'BoolArray'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from curator.benchmark.images.labelled_images import IntArray
from curator.benchmark.models.model import Model, Training, TrainingSet
from curator.benchmark.models.weights import PretrainedBase
from curator.benchmark.train import learning_rate_at
from curator.embed.row_file import RowFile
from curator.observe.pixels import DECODER_VERSION
from curator.store.catalog_files import fingerprint

VERSION = 1
"""Raised when a training changes, so that no older one's predictions are taken for it."""

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Trials:
    """Trains on parts of ``data.train_rows`` and predicts ``test_rows``.

    A training goes through all of its epochs, as a few images leave none to tell it when to stop. ``bases`` are the
    pretrained weights by model.
    """

    data: TrainingSet
    test_rows: IntArray
    training: Mapping[str, Training]
    bases: Mapping[str, PretrainedBase]

    def errors(self, model: Model, rows: IntArray, seed: int) -> BoolArray:
        """Train a model on some rows and return which test images it gets wrong: bool (test images,)."""
        key = self._key(model, rows, seed)
        if (place := self._kept.find([key])[0]) < 0:
            self._kept.add([key], predicted=self._predict(model, rows, seed)[None])
            place = self._kept.find([key])[0]
        return np.asarray(self._kept.rows["predicted"][place] != self.data.labels[self.test_rows])

    def is_known(self, model: Model, rows: IntArray, seed: int) -> bool:
        """Say whether this training was done before."""
        return bool(self._kept.find([self._key(model, rows, seed)])[0] >= 0)

    def _predict(self, model: Model, rows: IntArray, seed: int) -> IntArray:
        training = replace(self.training[model.name], patience=None)
        make_learner = model.prepare(replace(self.data, train_rows=rows), training, self.bases.get(model.name))
        learner = make_learner(seed)
        for epoch in range(training.epochs):
            learner.train_epoch(epoch, learning_rate_at(training, epoch), lambda *_: None)
        return np.asarray(learner.probabilities(self.test_rows).argmax(axis=1), dtype=np.int64)

    @cached_property
    def _kept(self) -> RowFile:
        """The predictions of earlier trainings, of these test images."""
        tested = [self.data.sha256s[row] for row in self.test_rows]
        path = self.data.cache / f"trials-{fingerprint(tested)[:16]}.npy"
        return RowFile(path, [("predicted", "<i4", (len(tested),))])

    def _key(self, model: Model, rows: IntArray, seed: int) -> str:
        """Name a training by all that decides its outcome: twice 32 hex digits, as the file has rows by 64."""
        images = [[self.data.sha256s[row], int(self.data.labels[row])] for row in rows]
        base = self.bases[model.name].sha256 if model.name in self.bases else ""
        side, size = self.data.pixels.shape[1], self.data.batch_size
        settings = [VERSION, model.name, asdict(self.training[model.name]), side, size, DECODER_VERSION]
        return 2 * fingerprint(settings, seed, self.data.n_labels, base, images)
