"""Publish a finished split: the manifest, what it was made with, and the train and test folders.

The folders are built aside and swapped in, so that a reader never sees half of one.

>>> from pathlib import Path
>>> is_published(DataPaths(Path("nowhere"), Path("nowhere"), "balls"), "")
False
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import pandas as pd

from curator import catalog
from curator.events import Listener
from curator.manifests.made_with import MadeWith, read_made_with, write_made_with
from curator.manifests.manifest import folder_rows, manifest_rows, manifest_text
from curator.pipeline.folders import build_folders, swap_folders
from curator.pipeline.held_sides import find_left
from curator.reasons import SPLITS
from curator.store.catalog_files import file_digest
from curator.store.paths import DataPaths
from curator.store.whole_files import write_text_whole


def publish(
    table: pd.DataFrame,
    settings: Mapping[str, Any],
    paths: DataPaths,
    emit: Listener,
    previous: pd.DataFrame | None = None,
) -> str:
    """Write ``manifest.csv``, ``manifest.json`` and the folders from a catalog after the split.

    ``manifest.json`` comes first: a run that is killed between the two leaves a manifest of another hash than it
    states, which is published again, and no image's side is lost.

    Args:
        previous: the sides that were held (see :func:`curator.pipeline.held_sides.read_sides`): of its images,
            ``manifest.json`` remembers those that leave.

    Returns:
        The SHA-256 of the manifest.

    Raises:
        StateError: a stored image is gone or no longer decodes.
        DiskError: a write was refused; the manifest that was there before is kept.
    """
    rows = folder_rows(table)
    build_folders(rows, paths, emit)
    text = manifest_text(manifest_rows(rows))
    digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
    made_with = MadeWith(digest, settings, catalog.counts(table), find_left(rows, previous))
    write_made_with(paths.made_with, made_with)
    write_text_whole(paths.manifest, text)
    swap_folders(paths)
    return digest


def is_published(paths: DataPaths, manifest_sha256: str) -> bool:
    """Say whether the manifest with this hash is the one that was written last, and the folders exist.

    A run that was killed may have written another, and not its folders.
    """
    if not paths.manifest.exists() or read_made_with(paths.made_with).manifest_sha256 != manifest_sha256:
        return False
    folders_exist = all(paths.split_folder(split).is_dir() for split in SPLITS)
    return folders_exist and file_digest(paths.manifest) == manifest_sha256
