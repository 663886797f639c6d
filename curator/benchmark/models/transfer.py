"""The transfer model as a learner: the frozen base runs once an image, then only the head trains.

>>> TransferLearner.__mro__[1].__name__
'HeadLearner'
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from curator.benchmark.images.augment import PixelArray
from curator.benchmark.images.data import IntArray, LabelledImages
from curator.benchmark.models.extract import BATCH, Extractor, make_extractor
from curator.benchmark.models.features import FeatureSource, cached_features
from curator.benchmark.models.head import FeatureData, HeadLearner
from curator.benchmark.models.networks import N_FEATURES
from curator.benchmark.models.presets import Training
from curator.benchmark.models.weights import PretrainedBase
from curator.events import Listener

N_TIMED = 128
"""Test images on which the base's speed is measured."""


@dataclass(frozen=True)
class TransferData:
    """What every head trains on, and what the base before it is and cost."""

    features: FeatureData
    feature_seconds: float
    pixels: PixelArray
    extractor: Extractor
    weights_sha256: str
    n_base_parameters: int


class TransferLearner(HeadLearner):
    """A head on features of the frozen base; its facts count the base as well."""

    def __init__(self, data: TransferData, training: Training, seed: int, batch_size: int) -> None:
        super().__init__(data.features, training, seed, batch_size)
        self.transfer = data

    def facts(self, rows: IntArray) -> dict[str, Any]:
        """Count parameters, base and head; time base and head together over at most 128 of the rows."""
        timed = rows[:N_TIMED]
        start = time.perf_counter()
        for first in range(0, len(timed), BATCH):
            self.transfer.extractor.run(self.transfer.pixels[timed[first : first + BATCH]])
        self.probabilities(timed)
        head = super().facts(rows)
        return head | {
            "parameters": head["parameters"] + self.transfer.n_base_parameters,
            "images_per_second": len(timed) / (time.perf_counter() - start),
            "runtime": self.transfer.extractor.runtime,
            "feature_seconds": self.transfer.feature_seconds,
        }


def prepare_transfer(
    base: PretrainedBase,
    pixels: PixelArray,
    images: LabelledImages,
    train_rows: IntArray,
    training: Training,
    folder: Path,
    emit: Listener,
) -> TransferData:
    """Gather every image's features and the augmented copies' of the training images, from ``folder`` where kept."""
    source = FeatureSource(
        pixels=pixels,
        sha256s=images.table["sha256"].tolist(),
        extractor=make_extractor(base, training.preprocessing),
        weights_sha256=base.sha256,
        preprocessing=training.preprocessing,
        folder=folder,
        emit=emit,
    )
    values, seconds = _all_features(source, train_rows, training.n_variants)
    data = FeatureData(values, images.label_index, train_rows, len(images.labels))
    return TransferData(data, seconds, pixels, source.extractor, base.sha256, base.model.count_params())


def _all_features(source: FeatureSource, train_rows: IntArray, n_variants: int) -> tuple[Any, float]:
    features = np.zeros((1 + n_variants, len(source.sha256s), N_FEATURES), dtype=np.float32)
    plain = cached_features(source, range(len(source.sha256s)))
    features[0], seconds = plain.values, plain.seconds
    for variant in range(1, 1 + n_variants):
        augmented = cached_features(source, train_rows.tolist(), variant)
        features[variant, train_rows] = augmented.values
        seconds += augmented.seconds
    return features, seconds
