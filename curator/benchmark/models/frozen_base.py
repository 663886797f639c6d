"""What every transfer model does: a frozen base runs once an image, and a dense layer is trained on its features.

>>> prepare_transfer(TrainingSet(None, None, None, 2), Training(1, 0.1), None)
Traceback (most recent call last):
ValueError: a transfer model starts from weights
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.benchmark.models.model import MakeLearner, Training, TrainingSet

if TYPE_CHECKING:
    from curator.benchmark.models.weights import PretrainedBase


def prepare_transfer(data: TrainingSet, training: Training, base: PretrainedBase | None) -> MakeLearner:
    """Gather the features; return what makes a learner for a seed."""
    from curator.benchmark.models.transfer import TransferLearner, gather_features

    if base is None:
        raise ValueError("a transfer model starts from weights")
    gathered = gather_features(base, data, training)
    return lambda seed: TransferLearner(gathered, training, seed, data.batch_size)
