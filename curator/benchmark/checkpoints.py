"""A training run on disk after every epoch, so that a killed run goes on as if it had never stopped.

>>> import tempfile
>>> file = CheckpointFile(Path(tempfile.mkdtemp()) / "cnn-seed0.npz", key="k1")
>>> file.save(Checkpoint([np.ones(2)], [np.ones(2)], 0, [{"epoch": 0, "loss": 0.7}]))
>>> file.load().history[0]["loss"]
0.7
>>> CheckpointFile(file.path, key="other settings").load() is None
True
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from curator.benchmark.models.learner import Array, Probabilities
from curator.store.sums import note_sum
from curator.store.whole_files import disk_errors


@dataclass(frozen=True)
class Checkpoint:
    """A run after its latest epoch: the learner's state, the best weights and their epoch, and one record an epoch.

    ``probabilities`` of the test images, shape (images, labels), and ``facts`` such as the number of parameters are
    there once the run has ended.
    """

    state: list[Array]
    best: list[Array]
    best_epoch: int
    history: list[dict[str, float]] = field(default_factory=list)
    probabilities: Probabilities | None = None
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CheckpointFile:
    """One run's file; ``key`` names the settings and data that it belongs to, and no other key reads it."""

    path: Path
    key: str

    def save(self, checkpoint: Checkpoint) -> None:
        """Write the checkpoint, whole or not at all.

        Without fsync, unlike other files: an epoch of the head takes milliseconds, a process that is killed loses
        nothing by it, and a file torn by a power cut is noticed and its run begun again.
        """
        meta = {"key": self.key, "best_epoch": checkpoint.best_epoch, "history": checkpoint.history}
        arrays: dict[str, Any] = {f"state{index}": array for index, array in enumerate(checkpoint.state)}
        arrays |= {f"best{index}": array for index, array in enumerate(checkpoint.best)}
        if checkpoint.probabilities is not None:
            arrays["probabilities"] = checkpoint.probabilities
        temporary = self.path.with_suffix(".tmp")
        with disk_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as file:
                np.savez(file, meta=json.dumps(meta | {"facts": checkpoint.facts}), **arrays)
            note_sum(self.path, temporary)
            temporary.replace(self.path)

    def load(self) -> Checkpoint | None:
        """Read the checkpoint; None if there is none, it is damaged, or it belongs to other settings or data."""
        try:
            with np.load(self.path) as file:
                meta = json.loads(str(file["meta"]))
                if meta["key"] != self.key:
                    return None
                return Checkpoint(
                    state=_numbered(file, "state"),
                    best=_numbered(file, "best"),
                    best_epoch=meta["best_epoch"],
                    history=meta["history"],
                    probabilities=file.get("probabilities"),
                    facts=meta["facts"],
                )
        except (FileNotFoundError, zipfile.BadZipFile, KeyError, ValueError, EOFError):
            return None


def _numbered(file: Any, prefix: str) -> list[Array]:
    count = sum(name.startswith(prefix) for name in file.files)
    return [file[f"{prefix}{index}"] for index in range(count)]
