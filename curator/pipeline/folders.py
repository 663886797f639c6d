"""The train and test folders that Keras and others read: built aside, then swapped in.

A file that every reader shows as it is becomes a read-only hard link into the store; any other becomes an RGB PNG,
upright, made once and kept in ``converted/``.

>>> NEW
'.new'
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd

from curator.errors import StateError
from curator.events import Listener, WorkAdvanced, WorkFinished, WorkStarted
from curator.observe.pixels import decode_rgb
from curator.reasons import SPLITS
from curator.store.image_files import link_file
from curator.store.paths import DataPaths
from curator.store.whole_files import disk_errors, whole_file
from curator.text import Command

NEW = ".new"
_OLD = ".old"
_WHAT = "linking the folders"


def build_folders(rows: pd.DataFrame, paths: DataPaths, emit: Listener) -> None:
    """Build new train and test folders beside the old ones.

    Args:
        rows: ``manifest.folder_rows``: ``file``, ``linked``, ``sha256`` and ``format`` are read.
        paths: where the data set stands.
        emit: told of each file made.

    Raises:
        StateError: a stored image is gone or no longer decodes.
        DiskError: the disk refused a write.
    """
    new = _aside(paths, NEW)
    emit(WorkStarted(_WHAT, len(rows)))
    with disk_errors(new):
        _remove(new)
        for folder in sorted({str(Path(name).parent) for name in rows["file"]} | set(SPLITS)):
            (new / folder).mkdir(parents=True)
        columns = (rows["file"], rows["linked"], rows["sha256"], rows["format"])
        for name, linked, sha256, kind in zip(*columns, strict=True):
            link_file(_readable_file(paths, sha256, kind, linked), new / name)
            emit(WorkAdvanced(_WHAT))
    emit(WorkFinished(_WHAT))


def swap_folders(paths: DataPaths) -> None:
    """Put the new folders in the place of the old ones."""
    new, old = _aside(paths, NEW), _aside(paths, _OLD)
    with disk_errors(new):
        _remove(old)
        old.mkdir(parents=True)
        for split in SPLITS:
            if paths.split_folder(split).exists():
                paths.split_folder(split).rename(old / split)
            (new / split).rename(paths.split_folder(split))
        _remove(old)
        _remove(new)


def _aside(paths: DataPaths, ending: str) -> Path:
    return paths.folder / f"folders{ending}"


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def _readable_file(paths: DataPaths, sha256: str, kind: str, linked: bool) -> Path:
    stored = paths.image(sha256, kind)
    if not stored.exists():
        message = f"The stored image {stored} is gone."
        raise StateError(message, (Command("fetch"), " gets it again; ", Command("verify"), " lists all that differ."))
    if linked:
        return stored
    converted = paths.converted_image(sha256)
    if not converted.exists():
        _convert(stored, converted)
    return converted


def _convert(stored: Path, converted: Path) -> None:
    try:
        picture = decode_rgb(stored.read_bytes())
    except (OSError, ValueError) as error:
        message = f"The stored image {stored} cannot be decoded ({error})."
        raise StateError(message, (Command("verify"), " says whether its bytes have changed.")) from error
    with whole_file(converted) as temporary:
        picture.save(temporary, format="PNG")
        temporary.chmod(0o444)
