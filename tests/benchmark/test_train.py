"""The training loop, on a learner whose losses are set: when it stops, and which weights come back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curator.benchmark.checkpoints import CheckpointFile
from curator.benchmark.models.model import Training
from curator.benchmark.train import Run, train
from curator.events import ignore


class SetLosses:
    """A learner whose validation loss after each epoch is given; its one weight is the number of epochs trained."""

    n_batches = 1

    def __init__(self, losses: Sequence[float]) -> None:
        self.losses, self.epochs = losses, 0

    def train_epoch(self, epoch: int, learning_rate: float, tell: Any) -> tuple[float, float]:
        """Count the epoch."""
        self.epochs = epoch + 1
        return 0.0, 0.0

    def probabilities(self, rows: Any) -> Any:
        """Predict the true label, 0, with the probability that gives the epoch's loss."""
        right = np.exp(-self.losses[self.epochs - 1])
        return np.tile([right, 1 - right], (len(rows), 1))

    def facts(self, rows: Any) -> dict[str, Any]:
        """Tell nothing."""
        return {}

    def state(self) -> list[Any]:
        """Return the count."""
        return self.weights()

    def restore(self, state: Sequence[Any]) -> None:
        """Take up the count."""
        self.set_weights(state)

    def weights(self) -> list[Any]:
        """Return the count."""
        return [np.array(self.epochs)]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Take up the count."""
        self.epochs = int(weights[0])


@pytest.mark.parametrize(
    ("warmup_epochs", "losses", "n_epochs", "best_epoch"),
    [
        (0, [0.5, 0.6, 0.7, 0.1, 0.1], 3, 0),
        (4, [0.5, 0.6, 0.7, 0.8, 0.1, 0.6, 0.6, 0.1], 7, 4),
        (4, [0.5, 0.6, 0.7, 0.8, 0.9, 0.9, 0.1, 0.1], 6, 0),
    ],
)
def test_patience_is_counted_from_the_end_of_the_warm_up(
    tmp_path: Path, warmup_epochs: int, losses: list[float], n_epochs: int, best_epoch: int
) -> None:
    """Two epochs of patience stop a run after two worse epochs, but none of the warm-up counts; the best come back."""
    training = Training(len(losses), 0.1, "unit", warmup_epochs=warmup_epochs, patience=2)
    rows, learner = np.arange(3), SetLosses(losses)
    file = CheckpointFile(tmp_path / "run.npz", "key")
    finished = train(Run("cnn", 0, training, np.zeros(3, dtype=np.int64), rows, rows, file, ignore), learner)
    assert (len(finished.history), finished.best_epoch) == (n_epochs, best_epoch)
    assert learner.epochs == best_epoch + 1
