"""Publish a finished split: the manifest, what it was made with, and the train and test folders.

The folders are built aside and swapped in, so that a reader never sees half of one. A file that every reader shows as
it is becomes a read-only hard link into the store; any other becomes an RGB PNG, upright, made once and kept in
``converted/``.

>>> is_published(DataPaths(Path("nowhere"), Path("nowhere"), "balls"), "")
False
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path
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
from curator.observe.observation import observe_image
from curator.observe.pixels import decode_rgb
from curator.pipeline.held_sides import find_left
from curator.reasons import SPLITS, Stage, splits_of
from curator.store.catalog_files import file_digest
from curator.store.image_files import link_file
from curator.store.paths import DataPaths
from curator.store.whole_files import disk_errors, remove_folder, whole_file, write_text_whole
from curator.text import Command

_WHAT, _LOOKING = "linking the folders", "looking at stored files again"


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
    rows = folder_rows(look_again(table, project))
    build_folders(rows, project)
    text = manifest_text(manifest_rows(rows))
    digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
    made_with = MadeWith(digest, settings, catalog.counts(table), find_left(rows, previous))
    write_made_with(paths.made_with, made_with)
    write_text_whole(paths.manifest, text)
    _swap_folders(paths)
    return digest


def look_again(table: pd.DataFrame, project: Project) -> pd.DataFrame:
    """Find out which kept files are well-formed where an older version did not ask; the next fetch remembers it."""
    unknown = catalog.is_kept(table) & is_plain(table) & table["well_formed"].isna().to_numpy(dtype=bool)
    if not unknown.any():
        return table
    project.emit(WorkStarted(_LOOKING, int(unknown.sum())))
    known = table["well_formed"].astype(object).to_numpy(copy=True)
    for row in np.flatnonzero(unknown):
        image = table.iloc[row]
        stored = project.paths.image(image["sha256"], image["format"])
        known[row] = stored.exists() and bool(observe_image(stored.read_bytes(), max_pixels=sys.maxsize).well_formed)
        project.emit(WorkAdvanced(_LOOKING))
    project.emit(WorkFinished(_LOOKING))
    return catalog.with_columns(table, {"well_formed": known})


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


def build_folders(rows: pd.DataFrame, project: Project) -> None:
    """Build new train and test folders beside the old ones, from :func:`curator.manifests.manifest.folder_rows`."""
    new = project.paths.new_folders
    project.emit(WorkStarted(_WHAT, len(rows)))
    with disk_errors(new):
        remove_folder(new)
        for folder in sorted({str(Path(name).parent) for name in rows["file"]} | set(splits_of(()))):
            (new / folder).mkdir(parents=True)
        columns = (rows["file"], rows["linked"], rows["sha256"], rows["format"])
        for name, linked, sha256, kind in zip(*columns, strict=True):
            link_file(_readable_file(project.paths, sha256, kind, linked), new / name)
            project.emit(WorkAdvanced(_WHAT))
    project.emit(WorkFinished(_WHAT))


def _swap_folders(paths: DataPaths) -> None:
    """Put the new folders in the place of the old ones."""
    new, old = paths.new_folders, paths.old_folders
    with disk_errors(new):
        remove_folder(old)
        old.mkdir(parents=True)
        for split in SPLITS:
            if paths.split_folder(split).exists():
                paths.split_folder(split).rename(old / split)
            if (new / split).exists():
                (new / split).rename(paths.split_folder(split))
        remove_folder(old)
        remove_folder(new)


def _readable_file(paths: DataPaths, sha256: str, kind: str, linked: bool) -> Path:
    stored = paths.image(sha256, kind)
    if not stored.exists():
        message = f"The stored image {stored} is gone."
        raise StateError(message, (Command("fetch"), " gets it again; ", Command("verify"), " lists all that differ."))
    if linked:
        return stored
    converted = paths.converted_image(sha256)
    if converted.exists():
        return converted
    try:
        picture = decode_rgb(stored.read_bytes())
    except (OSError, ValueError) as error:
        message = f"The stored image {stored} cannot be decoded ({error})."
        hint = (Command("fetch"), " looks at it again, and takes another in its place; ", Command("verify"))
        raise StateError(message, (*hint, " lists all that are damaged.")) from error
    with whole_file(converted) as temporary:
        picture.save(temporary, format="PNG")
        temporary.chmod(0o444)
    return converted
