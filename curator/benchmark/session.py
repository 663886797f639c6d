"""Every model with every seed, one run after another, going on from checkpoints where asked.

>>> Parts(np.array([0, 1]), np.array([2]), np.array([3])).sizes()
{'train': 2, 'watched': 1, 'test': 1}
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from curator.benchmark.checkpoints import Checkpoint, CheckpointFile
from curator.benchmark.images.augment import PixelArray
from curator.benchmark.images.data import IntArray, LabelledImages
from curator.benchmark.images.validation import validation_rows
from curator.benchmark.models.cnn import CnnLearner, PixelData
from curator.benchmark.models.learner import Learner
from curator.benchmark.models.presets import Plan
from curator.benchmark.models.transfer import TransferData, TransferLearner
from curator.benchmark.train import Run, train
from curator.events import Listener, Noted
from curator.store.catalog_files import fingerprint

VERSION = 2
"""Raised when training changes so that an older checkpoint must not be gone on with."""

TRANSFER = "mobilenet_v2"

RunsByModel = dict[str, dict[int, Checkpoint]]


@dataclass(frozen=True)
class Parts:
    """Positions of the images that train, that watch the training, and that test."""

    train: IntArray
    watched: IntArray
    test: IntArray

    def sizes(self) -> dict[str, int]:
        """Count the images of each part."""
        return {name: len(rows) for name, rows in asdict(self).items()}


def cut_parts(images: LabelledImages, share: float) -> Parts:
    """Cut the watched part from train; with a share of 0 the test part is watched, as in the article."""
    train_rows, test_rows = images.rows("train"), images.rows("test")
    if not share:
        return Parts(train_rows, test_rows, test_rows)
    chosen = validation_rows(images.label_index[train_rows], images.groups[train_rows], share)
    return Parts(train_rows[~chosen], train_rows[chosen], test_rows)


@dataclass
class Session:
    """What one benchmark works with, and the runs that it has finished or left half-way, by model and seed."""

    folder: Path
    plan: Plan
    images: LabelledImages
    parts: Parts
    pixels: PixelArray
    transfer: TransferData | None
    resume: bool
    emit: Listener
    finished: RunsByModel = field(default_factory=dict)
    unfinished: RunsByModel = field(default_factory=dict)

    def train_all(self) -> None:
        """Train seed by seed, so that an interrupted benchmark has whole comparisons to show."""
        models = [model for model in self.plan.models if model != TRANSFER or self.transfer]
        for seed in self.plan.seeds:
            for model in models:
                self.train_one(model, seed)

    def train_one(self, model: str, seed: int) -> None:
        """Train one model with one seed, or take up what an earlier run finished."""
        run = self._run(model, seed)
        before = run.file.load() if self.resume else None
        if before and before.probabilities is not None:
            self.emit(Noted(f"{model}, seed {seed}: trained before, taken up as it is."))
            self.finished.setdefault(model, {})[seed] = before
            return
        if before is None:
            run.file.path.unlink(missing_ok=True)
        try:
            self.finished.setdefault(model, {})[seed] = train(run, self._learner(model, seed), before)
        except KeyboardInterrupt:
            if half := run.file.load():
                self.unfinished.setdefault(model, {})[seed] = half
            raise

    def _run(self, model: str, seed: int) -> Run:
        return Run(
            model=model,
            seed=seed,
            training=self.plan.training[model],
            labels=self.images.label_index,
            watched_rows=self.parts.watched,
            test_rows=self.parts.test,
            file=CheckpointFile(self.folder / f"{model}-seed{seed}.npz", self._key(model, seed)),
            emit=self.emit,
        )

    def _key(self, model: str, seed: int) -> str:
        """Name everything that decides the run's outcome, so that no other run's checkpoint is taken for its own."""
        plan, images = self.plan, self.images
        rows = images.table[["sha256", "label", "split"]].to_numpy().tolist()
        weights = self.transfer.weights_sha256 if self.transfer and model == TRANSFER else ""
        settings = [plan.image_size, plan.batch_size, plan.validation_share, asdict(plan.training[model])]
        return fingerprint(VERSION, model, seed, settings, images.labels, rows, images.groups.tolist(), weights)

    def _learner(self, model: str, seed: int) -> Learner:
        training, batch_size = self.plan.training[model], self.plan.batch_size
        if model == TRANSFER and self.transfer:
            return TransferLearner(self.transfer, training, seed, batch_size)
        data = PixelData(self.pixels, self.images.label_index, self.parts.train, len(self.images.labels))
        return CnnLearner(data, training, seed, batch_size)


def chance_accuracy(images: LabelledImages) -> float:
    """Give the test accuracy of always naming the most frequent training label."""
    most_frequent = np.bincount(images.label_index[images.rows("train")]).argmax()
    return float((images.label_index[images.rows("test")] == most_frequent).mean())
