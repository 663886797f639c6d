"""A second network trained from scratch: batch normalisation, and a mean over rows and columns before the output.

The article's CNN has 6.4 million weights between its last pictures and its dense layer, and few hundred images to learn
them from; here each of the last channels has one weight a label (Lin and others 2014, https://arxiv.org/abs/1312.4400).
docs/results.md says what was tried.

>>> build_cnn_pooled(n_labels=2, side=224).count_params()
395106
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from curator.benchmark.models.model import SYMMETRIC, VIOLET, MakeLearner, Model, Training, TrainingSet

if TYPE_CHECKING:
    from curator.benchmark.models.weights import PretrainedBase

FILTERS = (16, 32, 64, 128, 256)
"""Of the convolutions, each of which halves the side: an epoch takes a third of the article's CNN's arithmetic."""

DROPOUT = 0.4

MOMENTUM = 0.9
"""Of the means of batch normalisation: an epoch of some hundred images has too few batches for Keras' 0.99."""


def build_cnn_pooled(n_labels: int, side: int, preprocessing: str = SYMMETRIC) -> Any:
    """Build the network in backend-neutral Keras 3, from 8-bit pixels to logits; see :func:`cnn.build_cnn`."""
    from curator.benchmark.models.keras_backend import keras, rescaling

    layers = keras.layers
    blocks = [
        layer
        for filters in FILTERS
        for layer in (
            layers.Conv2D(filters, 3, strides=2, padding="same"),
            layers.BatchNormalization(momentum=MOMENTUM),
            layers.ReLU(),
        )
    ]
    top = [layers.GlobalAveragePooling2D(), layers.Dropout(DROPOUT), layers.Dense(n_labels)]
    return keras.Sequential([layers.Input((side, side, 3)), rescaling(preprocessing), *blocks, *top], name="cnn_pooled")


def _prepare(data: TrainingSet, training: Training, base: PretrainedBase | None) -> MakeLearner:
    from curator.benchmark.models.keras_learner import KerasLearner

    return lambda seed: KerasLearner(build_cnn_pooled, data, training, seed)


_DEFAULT = Training(
    epochs=60, learning_rate=1e-3, preprocessing=SYMMETRIC, decay=True, warmup_epochs=2, patience=20, augment=True
)

CNN_POOLED = Model(
    name="cnn_pooled",
    title="Pooled CNN",
    about="Five convolutions with batch normalisation and the mean over rows and columns, trained from scratch.",
    prepare=_prepare,
    presets={"default": _DEFAULT, "quick": dataclasses.replace(_DEFAULT, epochs=10, patience=10)},
    colour=VIOLET,
    packages=("keras",),
)
