"""Publish a finished split: the manifest, the settings it was made with, and the train and test folders.

The folders are built aside and swapped in, so that a reader never sees half of one.

>>> settings_text({"split": {"seed": 0}}, {"listed": 1}, "ab", {}).splitlines()[1]
'  "counts": {'
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pandas as pd

from curator import __version__, catalog
from curator.events import Listener
from curator.manifests.manifest import folder_rows, manifest_rows, manifest_text
from curator.pipeline.folders import build_folders, swap_folders
from curator.store.catalog_files import file_digest
from curator.store.paths import DataPaths
from curator.store.whole_files import write_text_whole


def publish(
    table: pd.DataFrame,
    settings: dict[str, Any],
    paths: DataPaths,
    emit: Listener,
    earlier: pd.DataFrame | None = None,
) -> None:
    """Write ``manifest.csv``, ``manifest.json`` and the folders from a catalog after the split.

    ``manifest.json`` comes first: a run that is killed between the two leaves a manifest of another hash than it
    states, which is published again, and no image's side is lost.

    Args:
        earlier: the sides that were held (see :func:`curator.pipeline.held_sides.read_sides`): of its images,
            ``manifest.json`` remembers those that leave.

    Raises:
        StateError: a stored image is gone or no longer decodes.
        DiskError: a write was refused; the manifest that stood before still stands.
    """
    rows = folder_rows(table)
    build_folders(rows, paths, emit)
    text = manifest_text(manifest_rows(rows))
    digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
    left = find_left(rows, earlier)
    write_text_whole(paths.manifest_settings, settings_text(settings, catalog.counts(table), digest, left))
    write_text_whole(paths.manifest, text)
    swap_folders(paths)


def find_left(rows: pd.DataFrame, earlier: pd.DataFrame | None) -> dict[str, list[str]]:
    """List the images that had a side and are not in the manifest now: side to sorted SHA-256s."""
    if earlier is None:
        return {}
    left = earlier[~earlier["sha256"].isin(rows["sha256"])]
    return {str(split): sorted(map(str, contents)) for split, contents in left.groupby("split")["sha256"]}


def settings_text(
    settings: dict[str, Any], counts: dict[str, Any], manifest_sha256: str, left: dict[str, list[str]]
) -> str:
    """Format what the manifest was made with: effective settings, counts, version, its SHA-256, and who left it."""
    facts = {"counts": counts, "curator": __version__, "manifest_sha256": manifest_sha256, "settings": settings}
    facts |= {"left": left} if left else {}
    return json.dumps(facts, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def is_published(paths: DataPaths, manifest_sha256: str) -> bool:
    """Tell whether the manifest with this hash is the one that was written last and the folders stand.

    A run that was killed may have written another, and not its folders.
    """
    try:
        facts = json.loads(paths.manifest_settings.read_text(encoding="utf-8"))
        same: bool = facts["manifest_sha256"] == file_digest(paths.manifest) == manifest_sha256
    except (OSError, ValueError, KeyError):
        return False
    return same and all(paths.split_folder(split).is_dir() for split in ("train", "test"))
