"""A Keras network as a learner, trained on batches that stay 8-bit until they are inside the network.

>>> issubclass(PixelBatches, keras.utils.PyDataset)
True
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from curator.benchmark.images.augment import PixelArray, augment_images
from curator.benchmark.images.labelled_images import IntArray
from curator.benchmark.models.keras_backend import keras, set_random_seed
from curator.benchmark.models.keras_onnx import add_keras
from curator.benchmark.models.learner import Array, BatchListener, Probabilities, softmax
from curator.benchmark.models.model import Training, TrainingSet
from curator.embed.graph import Graph

BuildNetwork = Callable[[int, int, str], Any]
"""Builds a Keras network from 8-bit pixels to logits, for a number of labels, a side and a pixel scaling."""


class PixelBatches(keras.utils.PyDataset):
    """Batches of ``rows`` in the order given; ``augment_key`` set augments each image by that key and its row."""

    def __init__(self, data: TrainingSet, rows: IntArray, augment_key: tuple[int, ...] = ()) -> None:
        super().__init__()
        self.data, self.rows, self.augment_key = data, rows, augment_key

    def __len__(self) -> int:
        return -(-len(self.rows) // self.data.batch_size)

    def __getitem__(self, batch: int) -> tuple[PixelArray, IntArray]:
        rows = self.rows[batch * self.data.batch_size : (batch + 1) * self.data.batch_size]
        pixels = self.data.pixels[rows]
        if self.augment_key:
            pixels = augment_images(pixels, rows.tolist(), *self.augment_key)
        return pixels, self.data.labels[rows]


class KerasLearner:
    """Trains a network with Adam on the cross-entropy of its logits."""

    def __init__(self, build: BuildNetwork, data: TrainingSet, training: Training, seed: int) -> None:
        keras.utils.clear_session()  # else every seed's network stays in memory
        set_random_seed(seed)
        self.data, self.training, self.seed = data, training, seed
        self.model = build(data.n_labels, data.pixels.shape[1], training.preprocessing)
        self.model.compile(
            optimizer=keras.optimizers.Adam(training.learning_rate),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
        )
        self.model.optimizer.build(self.model.trainable_variables)
        self.n_batches = -(-len(data.train_rows) // data.batch_size)

    def train_epoch(self, epoch: int, learning_rate: float, on_batch: BatchListener) -> tuple[float, float]:
        """Train one epoch; the order and the augmentation depend on the seed and the epoch only."""
        self.model.optimizer.learning_rate = learning_rate
        order = np.random.default_rng([self.seed, epoch]).permutation(self.data.train_rows)
        key = (self.seed, epoch) if self.training.augment else ()
        each_batch = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: on_batch(batch, float(logs["loss"]), float(logs["accuracy"]))
        )
        batches = PixelBatches(self.data, order, key)
        fitted = self.model.fit(batches, epochs=1, shuffle=False, verbose=0, callbacks=[each_batch])
        return fitted.history["loss"][0], fitted.history["accuracy"][0]

    def probabilities(self, rows: IntArray) -> Probabilities:
        """Predict: shape (rows, labels)."""
        return softmax(self.model.predict(PixelBatches(self.data, rows), verbose=0))

    def facts(self, rows: IntArray) -> dict[str, Any]:
        """Count parameters and time the prediction of some rows, the first batch apart."""
        self.probabilities(rows[: self.data.batch_size])
        start = time.perf_counter()
        self.probabilities(rows)
        n_parameters = self.model.count_params()
        return {
            "parameters": n_parameters,
            "trainable_parameters": sum(int(np.prod(one.shape)) for one in self.model.trainable_variables),
            "images_per_second": len(rows) / (time.perf_counter() - start),
            "runtime": f"keras {keras.__version__} ({keras.backend.backend()})",
        }

    def state(self) -> list[Array]:
        """Copy the weights, the dropout's random state and the optimiser's moments."""
        return [np.array(keras.ops.convert_to_numpy(variable)) for variable in self._variables()]

    def restore(self, state: Sequence[Array]) -> None:
        """Take up a state that :meth:`state` returned."""
        for variable, value in zip(self._variables(), state, strict=True):
            variable.assign(value)

    def weights(self) -> list[Array]:
        """Copy the weights."""
        return [np.array(weight) for weight in self.model.get_weights()]

    def set_weights(self, weights: Sequence[Array]) -> None:
        """Take up weights that :meth:`weights` returned."""
        self.model.set_weights(list(weights))

    def add_onnx(self, graph: Graph) -> str:
        """Add the network to a graph."""
        return add_keras(graph, self.model)

    def keras_network(self) -> Any:
        """Return the network."""
        return self.model

    def _variables(self) -> list[Any]:
        return [*self.model.non_trainable_variables, *self.model.trainable_variables, *self.model.optimizer.variables]
