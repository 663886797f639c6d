"""The article's convolutional network, trained from scratch on pixels.

>>> build_cnn(n_labels=2, side=224).count_params()
6451554
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from curator.benchmark.models.model import BLUE, SYMMETRIC, UNIT, MakeLearner, Model, Training, TrainingSet

if TYPE_CHECKING:
    from curator.benchmark.models.weights import PretrainedBase

DROPOUT = 0.4


def build_cnn(n_labels: int, side: int, preprocessing: str = UNIT) -> Any:
    """Build the network in backend-neutral Keras 3, from 8-bit pixels to logits.

    The article ends in a softmax and names a loss on logits; here the network ends in the logits themselves and the
    softmax is taken when probabilities are wanted, which is the same function on every backend.

    Args:
        n_labels: outputs.
        side: input height and width in pixels.
        preprocessing: how pixels are scaled, inside the network, so that batches stay 8-bit until then.
    """
    from curator.benchmark.models.keras_backend import keras, rescaling

    layers = keras.layers
    blocks = [
        layer
        for filters in (32, 32, 64)
        for layer in (layers.Conv2D(filters, 3, padding="same", activation="relu"), layers.MaxPooling2D())
    ]
    top = [layers.Dropout(DROPOUT), layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dense(n_labels)]
    return keras.Sequential([layers.Input((side, side, 3)), rescaling(preprocessing), *blocks, *top], name="cnn")


def _prepare(data: TrainingSet, training: Training, base: PretrainedBase | None) -> MakeLearner:
    from curator.benchmark.models.keras_learner import KerasLearner

    return lambda seed: KerasLearner(build_cnn, data, training, seed)


# The dense layer sums 50,176 activations, none negative: one step of Adam moves each output of that layer by up to the
# learning rate times their sum. After a rough start all of its units may be below zero on every image, where ReLU has
# no gradient, and the network answers as a coin does for good. Centred pixels and a long warm-up help.
_DEFAULT = Training(
    epochs=30, learning_rate=3e-4, preprocessing=SYMMETRIC, decay=True, warmup_epochs=5, patience=10, augment=True
)

CNN = Model(
    name="cnn",
    title="CNN",
    about="Three blocks of convolution and pooling and a dense layer of 128, trained from scratch.",
    prepare=_prepare,
    presets={
        "default": _DEFAULT,
        "article": Training(epochs=500, learning_rate=1e-6),
        "quick": dataclasses.replace(_DEFAULT, epochs=6, warmup_epochs=1, patience=6),
    },
    colour=BLUE,
    article_accuracy=0.83,
    packages=("keras",),
)
