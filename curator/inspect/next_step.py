"""What to run next, and why if that is not plain.

>>> from curator.store.paths import DataPaths
>>> project = Project(Recipe("balls", ("a",), ()), DataPaths(Path("data"), Path("manifests/balls"), "balls"))
>>> next_step(project, None, catalog.empty())
(Command(words='fetch'), '')
"""

from __future__ import annotations

import importlib.util
from collections.abc import Collection, Sequence
from pathlib import Path as Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog
from curator.benchmark.metrics_file import read_metrics
from curator.catalog import Drop, Stage, as_arrow
from curator.decide.shortfall import command_for_more, why_empty
from curator.embed.weights import find_weights
from curator.errors import CuratorError, StateError
from curator.manifests.inventory import export_command, export_folders, is_current_export, making_commands
from curator.manifests.project import Project
from curator.manifests.recipe import Recipe as Recipe
from curator.pipeline.made_from import Change
from curator.pipeline.run_stages import missing_per_label
from curator.store.catalog_files import file_digest
from curator.store.paths import DataPaths
from curator.store.root import shown
from curator.store.suspects_file import read_made_with
from curator.text import Command, Text

if TYPE_CHECKING:
    import pandas as pd

SPLIT_AGAIN = Command("split")

_TRAINING = ("sklearn", "keras")
"""Modules without which a benchmark does not begin."""

_RUNTIME = "onnxruntime"
"""The module without which no network runs."""

_INSTALL = "to train models on it instead, run `pip install 'imageset-curator[benchmark]'` first"


def next_step(project: Project, stage: Stage | None, table: pd.DataFrame | pa.Table) -> tuple[Command, Text]:
    """Say what to run next before the split, and why if that is not plain.

    Args:
        project: its recipe says what each label should get.
        stage: the latest stage.
        table: its catalog.
    """
    if stage in (None, Stage.LISTED):
        return Command("fetch"), ""
    missing = missing_per_label(project.recipe, table) if stage in (Stage.FETCHED, Stage.DEDUPED) else {}
    if not missing:
        return Command({Stage.FETCHED: "dedupe"}.get(stage, "split")), ""
    kept = catalog.kept(table)
    more, empty = (
        command_for_more(table, list(missing)),
        sorted(set(missing) - set(pc.unique(as_arrow(kept["label"])).to_pylist())),
    )
    if empty:
        return _next_of_empty(project, table, empty)
    short = ", ".join(f"{label} misses {n:,}" for label, n in missing.items())
    others = ("; ", more, " may find more") if more else ()
    return project.most_command, (f"too few images: {short}", *others)


def _next_of_empty(project: Project, table: pd.DataFrame | pa.Table, empty: Sequence[str]) -> tuple[Command, str]:
    """Say what to run if these labels have no image: a fetch that may bring one, else what says why there is none."""
    none, why = f"there is no image of {', '.join(empty)}", why_empty(table, empty)
    if more := command_for_more(table, empty):
        return more, f"{none}: {why}"
    reasons, names, urls = (as_arrow(table[name], pa.string()) for name in ("drop_reason", "record_id", "url"))
    is_of_empty = pc.is_in(as_arrow(table["label"], pa.string()), pa.array(empty, pa.string()))
    counted = catalog.count_values(reasons.filter(is_of_empty))
    if not counted:
        return Command("split"), f"{none}: give it another source in {shown(project.paths.recipe)} first"
    reason = max(counted, key=lambda one: counted[one])
    first = pc.index(pc.and_(is_of_empty, pc.equal(reasons, reason)), True).as_py()
    by_host = Drop(reason).traits.advice and urls[first].is_valid
    return Command("status --hosts") if by_host else Command.of("why", names[first].as_py()), f"{none}: {why}"


def next_by_news(
    paths: DataPaths, stage: Stage | None, changes: Collection[Change], *, reviewed: bool, sources: bool, settings: bool
) -> tuple[Command, str] | None:
    """Say what comes before all else because something has changed, and why; None if nothing has.

    Args:
        stage: the latest stage.
        changes: what has changed since, see :func:`curator.pipeline.made_from.examine`.
        reviewed: people have decided something that no stage knows of.
        sources: what the sources list has changed.
        settings: so have settings that decide what is fetched.
    """
    if sources:
        return SPLIT_AGAIN, "it fetches first what has changed"
    if settings:
        return Command("fetch"), "it decides anew what the changed settings concern"
    if stage == Stage.SPLIT and Change.UNPUBLISHED in changes:
        gone = "the manifest again: it is gone" if not paths.manifest.exists() else "the folders again"
        return SPLIT_AGAIN, f"it writes {gone}"
    return (SPLIT_AGAIN, "") if reviewed else None


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
        return (export_command(folders[0]) if folders else commands["export"],), remark
    return (), remark


def _is_measured(paths: DataPaths) -> bool:
    """Return whether the last benchmark was of the manifest as it is."""
    try:
        metrics = read_metrics(paths.metrics) or {}
        return bool(metrics.get("hashes", {}).get("manifest") == file_digest(paths.manifest))
    except (StateError, OSError):
        return False


def can_find_suspects(project: Project) -> bool:
    """Return whether nobody has looked for suspects yet, though that could be done here: packages and weights exist."""
    if read_made_with(project.paths.suspects) is not None:
        return False
    try:
        return bool(importlib.util.find_spec(_RUNTIME) and find_weights(project.recipe.embed, project.recipe.base_dir))
    except (CuratorError, OSError):
        return False
