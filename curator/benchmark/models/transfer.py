"""The transfer model as a learner: the frozen base runs once an image, then only the head trains, in plain NumPy.

An epoch over cached features computes what an epoch over images would: dropout, a dense layer, softmax cross-entropy
and Adam (Kingma and Ba 2014, https://arxiv.org/abs/1412.6980, with Keras' epsilon of 1e-7).

>>> rows = np.arange(8)
>>> data = FeatureData(np.eye(8, dtype=np.float32)[None], rows % 2, rows, 2)
>>> learner = HeadLearner(data, Training(epochs=50, learning_rate=0.1, preprocessing="unit"), seed=0, batch_size=4)
>>> loss = [learner.train_epoch(epoch, 0.1, lambda *_: None)[0] for epoch in range(50)]
>>> learner.probabilities(rows).argmax(axis=1).tolist()
[0, 1, 0, 1, 0, 1, 0, 1]
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from curator.benchmark.images.augment import PixelArray, augment_image
from curator.benchmark.images.labelled_images import IntArray
from curator.benchmark.models.learner import Array, BatchListener, Probabilities, softmax
from curator.benchmark.models.model import Training, TrainingSet
from curator.benchmark.models.weights import PretrainedBase
from curator.embed.embedder import Embedder, FloatArray, runtime_version
from curator.embed.features import embed_images, features_of, open_features
from curator.embed.graph import Graph
from curator.embed.models import assemble
from curator.embed.network import add_network

N_TIMED = 128
"""Test images on which the base's speed is measured."""

DROPOUT = 0.2
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7


@dataclass(frozen=True)
class FeatureData:
    """Features float32 (variants, images, channels), label indices (images,), and the rows to train on.

    Variant 0 is the image as it is and all that prediction uses; training takes one variant an image and epoch by
    chance. Variants beyond 0 need hold true values for the training rows only.
    """

    features: FloatArray
    labels: IntArray
    train_rows: IntArray
    n_labels: int


class HeadLearner:
    """Trains a dense softmax layer with dropout before it."""

    n_batches = 0

    def __init__(
        self, data: FeatureData, training: Training, seed: int, batch_size: int, dropout: float = DROPOUT
    ) -> None:
        self.data, self.training, self.seed, self.batch_size, self.dropout = data, training, seed, batch_size, dropout
        n_channels = data.features.shape[2]
        limit = np.sqrt(6 / (n_channels + data.n_labels))
        kernel = np.random.default_rng([seed]).uniform(-limit, limit, (n_channels, data.n_labels))
        self.kernel, self.bias = kernel.astype(np.float32), np.zeros(data.n_labels, dtype=np.float32)
        self.moments = [np.zeros_like(array) for array in (self.kernel, self.kernel, self.bias, self.bias)]
        self.step = 0

    def train_epoch(self, epoch: int, learning_rate: float, on_batch: BatchListener) -> tuple[float, float]:
        """Train one epoch; order, variants and dropout depend on the seed and the epoch only."""
        rng = np.random.default_rng([self.seed, epoch])
        order = rng.permutation(self.data.train_rows)
        variants = rng.integers(len(self.data.features), size=len(order))
        loss = correct = 0.0
        for start in range(0, len(order), self.batch_size):
            rows = order[start : start + self.batch_size]
            inputs = self.data.features[variants[start : start + self.batch_size], rows]
            if self.dropout:
                kept = rng.random(inputs.shape, dtype=np.float32) >= self.dropout
                inputs = np.asarray(inputs * kept / np.float32(1 - self.dropout), dtype=np.float32)
            batch_loss, batch_correct = self._train_batch(inputs, self.data.labels[rows], learning_rate)
            loss, correct = loss + batch_loss, correct + batch_correct
        return loss / len(order), correct / len(order)

    def _train_batch(self, inputs: FloatArray, labels: IntArray, learning_rate: float) -> tuple[float, float]:
        """Take one step; returns the summed loss and the number correct, before the step."""
        probabilities = softmax(inputs @ self.kernel + self.bias)
        chosen = probabilities[np.arange(len(labels)), labels]
        correct = float((probabilities.argmax(axis=1) == labels).sum())
        error = probabilities.astype(np.float32)
        error[np.arange(len(labels)), labels] -= 1
        error /= len(labels)
        self._adam([inputs.T @ error, error.sum(axis=0)], learning_rate)
        return float(-np.log(np.clip(chosen, 1e-12, None)).sum()), correct

    def _adam(self, gradients: Sequence[FloatArray], learning_rate: float) -> None:
        self.step += 1
        rate = np.float32(learning_rate * np.sqrt(1 - BETA_2**self.step) / (1 - BETA_1**self.step))
        for index, (array, gradient) in enumerate(zip((self.kernel, self.bias), gradients, strict=True)):
            mean, square = self.moments[2 * index : 2 * index + 2]
            mean += (gradient - mean) * np.float32(1 - BETA_1)
            square += (gradient * gradient - square) * np.float32(1 - BETA_2)
            array -= rate * mean / (np.sqrt(square) + np.float32(EPSILON))

    def probabilities(self, rows: IntArray) -> Probabilities:
        """Predict: shape (rows, labels)."""
        return softmax(self.data.features[0, rows] @ self.kernel + self.bias)

    def facts(self, rows: IntArray) -> dict[str, Any]:
        """Count this layer's parameters; :class:`TransferLearner` adds the base's."""
        n_parameters = self.kernel.size + self.bias.size
        return {"parameters": n_parameters, "trainable_parameters": n_parameters}

    def state(self) -> list[Array]:
        """Copy the weights, the moments and the step."""
        return [*self.weights(), *(array.copy() for array in self.moments), np.array(self.step)]

    def restore(self, state: Sequence[Array]) -> None:
        """Take up a state that :meth:`state` returned."""
        self.set_weights(state[:2])
        self.moments = [array.copy() for array in state[2:6]]
        self.step = int(state[6])

    def weights(self) -> list[Array]:
        """Copy the kernel and the bias."""
        return [self.kernel.copy(), self.bias.copy()]

    def set_weights(self, weights: Sequence[Array]) -> None:
        """Take up weights that :meth:`weights` returned."""
        self.kernel, self.bias = (array.copy() for array in weights)


@dataclass(frozen=True)
class TransferData:
    """What every head trains on, and what the base before it is and cost."""

    features: FeatureData
    feature_seconds: float
    pixels: PixelArray
    embedder: Embedder
    base: PretrainedBase


class TransferLearner(HeadLearner):
    """A head on features of the frozen base; its facts count the base as well."""

    def __init__(self, data: TransferData, training: Training, seed: int, batch_size: int) -> None:
        super().__init__(data.features, training, seed, batch_size)
        self.transfer = data

    def facts(self, rows: IntArray) -> dict[str, Any]:
        """Count parameters, base and head; time base and head together over at most 128 of the rows."""
        timed = rows[:N_TIMED]
        start = time.perf_counter()
        self.transfer.embedder.run(self.transfer.pixels[timed])
        self.probabilities(timed)
        head = super().facts(rows)
        return head | {
            "parameters": head["parameters"] + self.transfer.base.n_parameters,
            "images_per_second": len(timed) / (time.perf_counter() - start),
            "runtime": runtime_version(),
            "feature_seconds": self.transfer.feature_seconds,
        }

    def add_onnx(self, graph: Graph) -> str:
        """Add base and head to a graph."""
        means = add_network(graph, self.transfer.base.blocks, self.training.preprocessing)
        return graph.dense(graph.add("Flatten", [means]), self.kernel, self.bias)

    def keras_network(self) -> Any:
        """Build base and head in Keras."""
        from curator.benchmark.models.keras_blocks import build_blocks

        side = self.transfer.pixels.shape[1]
        return build_blocks(self.transfer.base.blocks, self.training.preprocessing, side, self.kernel, self.bias)


def gather_features(base: PretrainedBase, data: TrainingSet, training: Training) -> TransferData:
    """Gather every image's features and those of the training images' augmented copies; what is cached is read."""
    side = data.pixels.shape[1]
    embedder = assemble(base.title, base.sha256, base.blocks, training.preprocessing, side)
    values = np.zeros((1 + training.n_variants, len(data.sha256s), embedder.n_features), dtype=np.float32)
    start = time.perf_counter()
    for variant in range(1 + training.n_variants):
        rows = data.train_rows if variant else np.arange(len(data.sha256s))
        names = [data.sha256s[row] for row in rows]
        file = open_features(data.cache, embedder, variant)

        def read(number: int, rows: IntArray = rows, variant: int = variant) -> PixelArray:
            pixels, key = data.pixels[rows[number]], int(data.sha256s[rows[number]][:12], 16)
            return augment_image(pixels, np.random.default_rng([variant, key])) if variant else pixels

        embed_images(file, names, embedder, read, data.emit)
        values[variant, rows] = features_of(file, names)
    features = FeatureData(values, data.labels, data.train_rows, data.n_labels)
    return TransferData(features, time.perf_counter() - start, data.pixels, embedder, base)
