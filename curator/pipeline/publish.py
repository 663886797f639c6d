"""Publish a finished split: the manifest, what it was made with, and the train and test folders.

The folders are built aside and swapped in (:mod:`curator.pipeline.folders`), so that a reader never sees half of one.

>>> is_published(DataPaths(Path("nowhere"), Path("nowhere"), "balls"), "")
False
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path as Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from curator import catalog
from curator.errors import StateError
from curator.events import WorkAdvanced, WorkFinished, WorkStarted
from curator.manifests.made_with import MadeWith, read_made_with, write_made_with
from curator.manifests.manifest import folder_rows, is_plain, manifest_rows, manifest_text
from curator.manifests.project import Project
from curator.observe.workers.look import look_at_files
from curator.pipeline.folders import build_folders, swap_folders
from curator.pipeline.held_sides import find_left
from curator.reasons import Stage, splits_of
from curator.store.catalog_files import file_digest
from curator.store.packed import digest_beneath
from curator.store.paths import DataPaths
from curator.store.whole_files import write_text_whole

_LOOKING = "looking at stored files again"


def publish(
    project: Project, table: pd.DataFrame, settings: Mapping[str, Any], previous: pd.DataFrame | None = None
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
    paths = project.paths
    rows = folder_rows(with_sha1(look_again(table, project), paths))
    build_folders(rows, project)
    text = manifest_text(manifest_rows(rows))
    digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
    made_with = MadeWith(digest, _recipe_digest(project), settings, catalog.counts(table), find_left(rows, previous))
    write_made_with(paths.made_with, made_with)
    write_text_whole(paths.manifest, text)
    swap_folders(paths)
    return digest


def note_recipe(project: Project) -> None:
    """Let ``manifest.json`` state the recipe's SHA-256, which may have changed without changing the manifest."""
    path = project.paths.made_with
    before = read_made_with(path)
    now = replace(before, recipe_sha256=_recipe_digest(project))
    if before not in (now, MadeWith()):  # the latter: there is no file
        write_made_with(path, now)


def _recipe_digest(project: Project) -> str:
    path = project.recipe.path
    return file_digest(path) if path and path.is_file() else ""


def look_again(table: pd.DataFrame, project: Project) -> pd.DataFrame:
    """Find out which kept files are well-formed where an older version did not ask; the next fetch remembers it."""
    unknown = catalog.is_kept(table) & is_plain(table) & table["well_formed"].isna().to_numpy(dtype=bool)
    if not unknown.any():
        return table
    project.emit(WorkStarted(_LOOKING, int(unknown.sum())))
    known = table["well_formed"].astype(object).to_numpy(copy=True)
    rows = np.flatnonzero(unknown)
    images = zip(table["sha256"].iloc[rows], table["format"].iloc[rows], strict=True)
    stored = [project.paths.image(sha256, image_format) for sha256, image_format in images]
    for number, sighting in look_at_files(stored, project.recipe.quality.max_pixels):
        known[rows[number]] = sighting is not None and bool(sighting.observation.well_formed)
        project.emit(WorkAdvanced(_LOOKING))
    project.emit(WorkFinished(_LOOKING))
    return catalog.with_columns(table, {"well_formed": known})


def with_sha1(table: pd.DataFrame, paths: DataPaths) -> pd.DataFrame:
    """Hash the stored files of kept images of which an older version noted no SHA-1; the next fetch remembers it."""
    rows = np.flatnonzero(catalog.is_kept(table) & table["sha1"].isna() & table["sha256"].notna())
    if not len(rows):
        return table
    found = table["sha1"].astype(object).to_numpy(copy=True)
    for row, sha256, image_format in zip(rows, table["sha256"].iloc[rows], table["format"].iloc[rows], strict=True):
        stored = paths.image(sha256, image_format).relative_to(paths.folder).as_posix()
        with suppress(OSError, StateError):  # whoever makes the folders says that it is gone
            found[row] = digest_beneath(paths.folder, stored, "sha1")
    return catalog.with_columns(table, {"sha1": found})


def is_published(paths: DataPaths, manifest_sha256: str) -> bool:
    """Say whether the manifest with this hash is the one that was written last, and the folders exist.

    A run that was killed may have written another, and not its folders.
    """
    if not paths.manifest.exists() or read_made_with(paths.made_with).manifest_sha256 != manifest_sha256:
        return False
    if file_digest(paths.manifest) != manifest_sha256:
        return False
    split = paths.catalog(Stage.SPLIT)
    found = pq.read_table(split, columns=["split"])["split"].unique().drop_null() if split.exists() else pa.array([])
    return all(paths.split_folder(name).is_dir() for name in splits_of(found.to_pylist()))
