"""What the training loop needs of a model: an epoch at a time, probabilities, and its whole state as arrays.

>>> round(mean_loss(np.array([[0.5, 0.5]]), np.array([0])), 3)
0.693
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from curator.benchmark.images.labelled_images import IntArray
from curator.embed.graph import Graph

Array = npt.NDArray[Any]
Probabilities = npt.NDArray[np.float64]
BatchListener = Callable[[int, float, float], None]
"""Called after each step: its number in the epoch, and the epoch's mean loss and accuracy so far."""


class Learner(Protocol):
    """A model that trains an epoch at a time; the same seed and state always go on to the same result."""

    n_batches: int

    def train_epoch(self, epoch: int, learning_rate: float, on_batch: BatchListener) -> tuple[float, float]:
        """Train one epoch (from 0); returns the epoch's mean loss and accuracy, measured while training."""

    def probabilities(self, rows: IntArray) -> Probabilities:
        """Predict: shape (rows, labels), each row sums to 1."""

    def facts(self, rows: IntArray) -> dict[str, Any]:
        """Report what the model costs: ``parameters``, ``trainable_parameters``, ``images_per_second``."""

    def state(self) -> list[Array]:
        """Return everything that the next epoch depends on, as copies."""

    def restore(self, state: Sequence[Array]) -> None:
        """Take up a state that :meth:`state` returned."""

    def weights(self) -> list[Array]:
        """Return what predictions depend on, as copies."""

    def set_weights(self, weights: Sequence[Array]) -> None:
        """Take up weights that :meth:`weights` returned."""


@runtime_checkable
class SavableLearner(Protocol):
    """What a learner has besides, whose model can be used outside of the benchmark."""

    def add_onnx(self, graph: Graph) -> str:
        """Add the model as it is now, from 8-bit pixels to logits, to a graph; return the name of its output."""

    def keras_network(self) -> Any:
        """Return the same as a Keras network; called only if Keras is installed."""


def softmax(logits: npt.NDArray[Any]) -> Probabilities:
    """Turn logits (images, labels) into probabilities, in float64."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def mean_loss(probabilities: Probabilities, labels: IntArray) -> float:
    """Mean cross-entropy in nats of the true labels, shape (images,)."""
    chosen = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.clip(chosen, 1e-12, None)).mean())


def accuracy(probabilities: Probabilities, labels: IntArray) -> float:
    """Share of images whose most probable label is the true one."""
    return float((probabilities.argmax(axis=1) == labels).mean())
