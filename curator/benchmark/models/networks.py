"""The two networks of the article in backend-neutral Keras 3; both take 8-bit pixels and give logits.

>>> build_cnn(n_labels=2, side=224).count_params()
6451554
"""

from __future__ import annotations

from typing import Any

from curator.benchmark.models.keras_backend import keras
from curator.benchmark.models.presets import SYMMETRIC, UNIT

layers = keras.layers

N_FEATURES = 1280
"""Channels of MobileNetV2's last layer, and so the length of an image's features."""

DROPOUT_CNN, DROPOUT_TRANSFER = 0.4, 0.2


def rescaling(preprocessing: str) -> Any:
    """Make the layer that scales pixels from 0..255 to [0, 1] (``unit``) or [-1, 1] (``symmetric``)."""
    scale, offset = {UNIT: (1 / 255, 0.0), SYMMETRIC: (1 / 127.5, -1.0)}[preprocessing]
    return layers.Rescaling(scale, offset=offset)


def build_cnn(n_labels: int, side: int, preprocessing: str = UNIT) -> Any:
    """Build the article's convolutional network, from pixels to logits.

    The article ends in a softmax and names a loss on logits; here the network ends in the logits themselves and the
    softmax is taken when probabilities are wanted, which is the same function on every backend.

    Args:
        n_labels: outputs.
        side: input height and width in pixels.
        preprocessing: how pixels are scaled, inside the network, so that batches stay 8-bit until then.
    """
    blocks = [
        layer
        for filters in (32, 32, 64)
        for layer in (layers.Conv2D(filters, 3, padding="same", activation="relu"), layers.MaxPooling2D())
    ]
    top = [layers.Dropout(DROPOUT_CNN), layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dense(n_labels)]
    return keras.Sequential([layers.Input((side, side, 3)), rescaling(preprocessing), *blocks, *top], name="cnn")


def build_frozen_base(side: int) -> Any:
    """Build MobileNetV2 without its top, average-pooled to 1,280 features, frozen, its weights still random.

    Sandler and others 2018, https://arxiv.org/abs/1801.04381. The weights come from
    :func:`curator.benchmark.models.weights.load_base`; nothing trains on this base before.
    """
    base = keras.applications.MobileNetV2(
        input_shape=(side, side, 3), include_top=False, weights=None, pooling="avg", name="mobilenet_v2"
    )
    base.trainable = False
    return base


def build_features(base: Any, preprocessing: str) -> Any:
    """Put the pixel scaling before a frozen base: from 8-bit pixels to 1,280 features."""
    pixels = keras.Input(base.input_shape[1:])
    return keras.Model(pixels, base(rescaling(preprocessing)(pixels), training=False), name="features")


def build_transfer(base: Any, n_labels: int, preprocessing: str) -> Any:
    """Build the article's transfer model whole: frozen base, pooling, dropout 0.2 and a dense layer of logits.

    The benchmark trains the last layer alone on cached features; this whole model is what that is tested against.
    """
    features = build_features(base, preprocessing)
    dropped = layers.Dropout(DROPOUT_TRANSFER)(features.output)
    return keras.Model(features.input, layers.Dense(n_labels, name="head")(dropped), name="transfer")
