"""Publish a finished split: the manifest, what it was made with, and the train and test folders.

The folders are built aside and swapped in (:mod:`curator.pipeline.folders`), so that a reader never sees half of one.

>>> is_published(DataPaths(Path("nowhere"), Path("nowhere"), "balls"), "")
False
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path as Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curator import catalog
from curator.errors import StateError
from curator.events import WorkAdvanced, WorkFinished, WorkStarted
from curator.manifests.file_names import find_shared_names
from curator.manifests.made_with import MadeWith, read_made_with, write_made_with
from curator.manifests.manifest import folder_rows, is_plain, manifest_chunks
from curator.manifests.project import Project
from curator.observe.workers.look import look_at_files
from curator.pipeline.folders import Parts, build_folders, swap_folders
from curator.pipeline.held_sides import find_left
from curator.pipeline.kept_rows import KeptRows
from curator.reasons import Stage, splits_of
from curator.store.catalog_files import file_digest
from curator.store.image_store import makes_folders
from curator.store.packed import digest_beneath
from curator.store.paths import DataPaths
from curator.store.whole_files import whole_file

if TYPE_CHECKING:
    import pandas as pd

NAMED = ("record_id", "label", "sha256", "local_path", "url", "source_id")
"""The columns of a catalog that say how the files of kept images are called."""
_LOOKING = "looking at stored files again"


def publish(
    project: Project,
    table: pd.DataFrame,
    groups: Callable[[], Iterable[pa.Table]],
    settings: Mapping[str, Any],
    previous: pd.DataFrame | None = None,
) -> str:
    """Write ``manifest.csv``, ``manifest.json`` and the folders from a catalog after the split, a part at a time.

    ``manifest.json`` comes first: a run that is killed between the two leaves a manifest of another hash than it
    states, which is published again, and no image's side is lost.

    Args:
        table: the columns of the catalog that say what is kept, and under which name.
        groups: returns its rows in the same order, with all columns, in groups.
        previous: the sides that were held (see :func:`curator.pipeline.held_sides.read_sides`): of its images,
            ``manifest.json`` remembers those that leave.

    Returns:
        The SHA-256 of the manifest.

    Raises:
        StateError: a stored image is gone or no longer decodes.
        DiskError: a write was refused; the manifest that was there before is kept.
    """
    paths = project.paths
    kept = KeptRows(table, groups, paths.folder, lambda part: with_sha1(look_again(part, project), paths))
    kept_rows = catalog.kept(table[[*NAMED, "drop_reason"]])
    sharing = find_shared_names(kept_rows)
    build_folders(Parts(len(kept_rows), lambda: (folder_rows(part, sharing) for part in kept)), project)
    chunks = manifest_chunks((folder_rows(part, sharing) for part in kept), kept.optional)
    with whole_file(paths.manifest) as temporary:
        digest = write_hashed(temporary, chunks)
        left = find_left(kept_rows, previous)
        made_with = MadeWith(digest, _recipe_digest(project), settings, catalog.counts(table), left)
        write_made_with(paths.made_with, made_with)
    swap_folders(paths)
    return digest


def write_hashed(path: Path, chunks: Iterable[bytes]) -> str:
    """Write what comes in chunks, and return its SHA-256: 64 hex digits."""
    sums = hashlib.sha256()
    with path.open("wb") as file:
        for chunk in chunks:
            sums.update(chunk)
            file.write(chunk)
    return sums.hexdigest()


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
    are_there = [paths.split_folder(name).is_dir() for name in splits_of(found.to_pylist())]
    return all(are_there) if makes_folders(paths.folder) else not any(are_there)
