"""What to run next, and why if that is not plain.

>>> next_step(Stage.FETCHED, {"rugby": 3})
(Command(words='split --per-class max'), 'too few images: rugby misses 3; or fetch more')
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

from curator.benchmark.metrics_file import read_metrics
from curator.catalog import Stage
from curator.errors import StateError
from curator.manifests.inventory import export_folders, is_current_export, making_commands
from curator.store.catalog_files import file_digest
from curator.store.paths import DataPaths
from curator.text import MOST, Command

_TRAINING = ("sklearn", "keras")
"""Modules without which a benchmark does not begin."""

_INSTALL = "to train models on it instead, run `pip install 'imageset-curator[benchmark]'` first"


def next_step(
    stage: Stage | None,
    missing: dict[str, int],
    most: Command = MOST,
    empty: Sequence[str] = (),
) -> tuple[Command, str]:
    """Say what to run next before the split, and why if that is not plain.

    Args:
        stage: the latest stage.
        missing: the images that each label is short of.
        most: the command that takes as many images of each label as there are.
        empty: the labels without any image.
    """
    if stage in (None, Stage.LISTED):
        return Command("fetch"), ""
    if missing and empty:
        return Command("fetch"), f"there is no image of {', '.join(empty)}: give it another source first"
    if missing:
        short = ", ".join(f"{label} misses {n:,}" for label, n in missing.items())
        return most, f"too few images: {short}; or fetch more"
    return Command({Stage.FETCHED: "dedupe"}.get(stage, "split")), ""


def next_after_split(paths: DataPaths) -> tuple[tuple[Command, ...], str]:
    """Say what to run once there is a manifest: what nobody has made of it yet, and can make here.

    Returns:
        A benchmark, if its packages are installed; a report, an export, or nothing; then why.
    """
    commands = making_commands(paths)
    can_train = all(importlib.util.find_spec(name) for name in _TRAINING)
    if can_train and not _is_measured(paths):
        return (Command("benchmark"),), ""
    remark = "" if can_train else _INSTALL
    if not paths.report.exists():
        return (commands["report"],), remark
    folders = list(export_folders(paths))
    if not any(is_current_export(paths, folder) for folder in folders):
        again = f"export {folders[0].name}" if folders else ""
        return (Command(again) if again else commands["export"],), remark
    return (), remark


def _is_measured(paths: DataPaths) -> bool:
    """Return whether the last benchmark was of the manifest as it is."""
    try:
        metrics = read_metrics(paths.metrics) or {}
        return bool(metrics.get("hashes", {}).get("manifest") == file_digest(paths.manifest))
    except (StateError, OSError):
        return False
