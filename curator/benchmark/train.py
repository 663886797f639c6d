"""The training loop that all models share: schedule, early stopping, best weights, a checkpoint an epoch.

>>> rates = [learning_rate_at(Training(10, 1.0, decay=True, warmup_epochs=2), epoch) for epoch in range(10)]
>>> [round(rate, 2) for rate in rates]
[0.5, 1.0, 1.0, 0.96, 0.85, 0.69, 0.5, 0.31, 0.15, 0.04]
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace

from curator.benchmark.checkpoints import Checkpoint, CheckpointFile
from curator.benchmark.images.labelled_images import IntArray
from curator.benchmark.models.learner import Learner, accuracy, mean_loss
from curator.benchmark.models.model import Training
from curator.events import BatchTrained, EpochFinished, Listener, TrainingFinished, TrainingStarted


@dataclass(frozen=True)
class Run:
    """One model with one seed: how it trains, which rows it watches, which it is tested on, and its checkpoint."""

    model: str
    seed: int
    training: Training
    labels: IntArray
    watched_rows: IntArray
    test_rows: IntArray
    file: CheckpointFile
    emit: Listener


def learning_rate_at(training: Training, epoch: int) -> float:
    """Return the learning rate of an epoch (from 0): linear warm-up, then half a cosine down if decay is set."""
    if epoch < training.warmup_epochs:
        return training.learning_rate * (epoch + 1) / training.warmup_epochs
    if not training.decay:
        return training.learning_rate
    progress = (epoch - training.warmup_epochs) / max(1, training.epochs - training.warmup_epochs)
    return training.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))


def train(run: Run, learner: Learner, before: Checkpoint | None = None) -> Checkpoint:
    """Train to the end, going on from ``before`` if there is one; returns the finished run.

    The test rows are predicted once, after the last epoch, with the best weights (the last if nothing stops early).
    """
    checkpoint = before or Checkpoint(learner.state(), learner.weights(), -1)
    if before:
        learner.restore(before.state)
    n_done = len(checkpoint.history)
    run.emit(TrainingStarted(run.model, run.seed, run.training.epochs, learner.n_batches, n_done))
    for epoch in range(n_done, run.training.epochs):
        if _is_stale(checkpoint, run.training):
            break
        checkpoint = _train_epoch(run, learner, checkpoint, epoch)
        run.file.save(checkpoint)
    learner.set_weights(checkpoint.best)
    probabilities = learner.probabilities(run.test_rows)
    # A finished run goes on from nowhere: its optimiser's moments, twice the weights, are let go.
    finished = replace(checkpoint, state=[], probabilities=probabilities, facts=learner.facts(run.test_rows))
    run.file.save(finished)
    reached = float(accuracy(probabilities, run.labels[run.test_rows]))
    run.emit(TrainingFinished(run.model, run.seed, len(finished.history), reached))
    return finished


def _train_epoch(run: Run, learner: Learner, checkpoint: Checkpoint, epoch: int) -> Checkpoint:
    start, rate = time.perf_counter(), learning_rate_at(run.training, epoch)

    def on_batch(batch: int, loss: float, share_correct: float) -> None:
        run.emit(BatchTrained(run.model, run.seed, epoch, batch, loss, share_correct))

    loss, share_correct = learner.train_epoch(epoch, rate, on_batch)
    watched = learner.probabilities(run.watched_rows)
    watched_labels = run.labels[run.watched_rows]
    record = {
        "epoch": epoch,
        "learning_rate": rate,
        "loss": float(loss),
        "accuracy": float(share_correct),
        "watched_loss": float(mean_loss(watched, watched_labels)),
        "watched_accuracy": float(accuracy(watched, watched_labels)),
        "seconds": time.perf_counter() - start,
    }
    shown = {name: record[name] for name in record if name not in ("epoch", "learning_rate")}
    run.emit(EpochFinished(run.model, run.seed, epoch, **shown))
    history = [*checkpoint.history, record]
    best_loss = checkpoint.history[checkpoint.best_epoch]["watched_loss"] if checkpoint.best_epoch >= 0 else math.inf
    if run.training.patience is None or record["watched_loss"] < best_loss:
        return Checkpoint(learner.state(), learner.weights(), epoch, history)
    return Checkpoint(learner.state(), checkpoint.best, checkpoint.best_epoch, history)


def _is_stale(checkpoint: Checkpoint, training: Training) -> bool:
    """Whether early stopping has had enough; read from the checkpoint, so that a resumed run stops alike."""
    if training.patience is None or checkpoint.best_epoch < 0:
        return False
    last_warmup_epoch = training.warmup_epochs - 1
    return len(checkpoint.history) - 1 - max(checkpoint.best_epoch, last_warmup_epoch) >= training.patience
