"""metrics.json: every number of a benchmark, written whole, read by the report.

>>> import tempfile
>>> path = Path(tempfile.mkdtemp()) / "metrics.json"
>>> write_metrics(path, {"accuracy": 0.9})
>>> read_metrics(path)["accuracy"]
0.9
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curator.errors import StateError, why
from curator.store.plain_json import Faults, read_json
from curator.store.whole_files import write_text_whole
from curator.text import Command, Text

VERSION = 1
"""Raised when a key changes its meaning; a reader refuses a newer one."""


def write_metrics(path: Path, metrics: dict[str, Any]) -> None:
    """Write metrics as strict JSON (no NaN), stamped with the format's version."""
    write_text_whole(path, json.dumps({"version": VERSION, **metrics}, indent=1, allow_nan=False) + "\n")


BENCHMARK, CURVE, ABLATION = map(Command, ("benchmark", "benchmark --curve", "benchmark --ablation"))
"""The commands that write ``metrics.json``, ``curve.json`` and ``ablation.json``, all read here."""


def read_metrics(path: Path, made_by: Command = BENCHMARK) -> dict[str, Any] | None:
    """Read metrics; None if there are none yet.

    Args:
        path: the file.
        made_by: the command that writes it.

    Raises:
        StateError: the file is damaged or was written by a newer version.
    """
    try:
        metrics = read_json(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise StateError(f"{path} cannot be read ({why(error)}).", (made_by, " writes it anew.")) from error
    faults = Faults()
    version = faults.take(metrics, "version", int) if isinstance(metrics, dict) else None
    if version is None:
        message = f"{path} is not as it was written: {faults.sentence() or 'it states no version'}."
        raise StateError(message, (made_by, " writes it anew."))
    if version > VERSION:
        raise StateError(f"{path} was written by a newer curator.", "Upgrade with `pip install -U imageset-curator`.")
    found: dict[str, Any] = metrics
    return found


def list_comparisons(metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return every pair of models compared; metrics of an earlier version compare two models under another key.

    >>> list_comparisons({"comparison": {"first": "cnn"}})
    [{'first': 'cnn'}]
    """
    only = metrics.get("comparison")
    pairs: list[dict[str, Any]] = metrics.get("comparisons", [only] if only else [])
    return pairs


@dataclass(frozen=True)
class BenchmarkResult:
    """What a benchmark ended with: mean test accuracy a model, and warnings to show.

    ``missing`` says why for each model that was not trained, ``replaced`` for each that another one stands in for.
    """

    accuracy: Mapping[str, float]
    missing: Mapping[str, Text] = field(default_factory=dict)
    replaced: Mapping[str, Text] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    smoke_test: bool = False
    cross_validation: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Of each model the mean accuracy over folds, its interval (low, high) and each fold's; empty without folds."""

    @property
    def exit_code(self) -> int:
        """1 if a requested model is missing, else 0."""
        return 1 if self.missing else 0
