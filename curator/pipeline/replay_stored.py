"""Take from an object store what it has of a manifest's images, by their SHA-256, so that nobody is asked for them.

Each is looked at as a local file is, and stored like one that was fetched; some at a time, so that the disk need not
hold all. What the data set has already is not read again.

>>> MOST_AT_ONCE >= N_AT_ONCE
True
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from curator import catalog
from curator.events import WorkAdvanced, WorkFinished, WorkStarted, ignore
from curator.fetch.fetch_images import fetch_images
from curator.fetch.outcomes import read_outcomes
from curator.manifests.manifest import RESCUED
from curator.manifests.project import Project
from curator.store.image_store import has_images
from curator.store.shards.place import Place
from curator.store.shards.shard_store import N_AT_ONCE, ShardStore
from curator.store.whole_files import remove_folder

MOST_AT_ONCE = 40 * N_AT_ONCE
"""Images that are on the disk before they are looked at."""
MOST_PARTS = 64
"""Where all stay on the disk, they are looked at in no more parts: each goes through all that is there already."""
_WORK = "reading the object store"


def take_stored(rows: pd.DataFrame, listed: pd.DataFrame, url: str, project: Project) -> pd.DataFrame:
    """Store the images of a manifest that an object store has.

    Args:
        rows: the manifest's, with the SHA-256 of the files as served; ``listed`` the same rows of a catalog.
        url: of a data set's own part of the object store.
        project: the data set that gets them; its lock is held, and nothing is in its ``spool``.

    Returns:
        The rows of ``listed`` that came, by their index, as they are after a fetch, without what
        :func:`curator.fetch.outcomes.with_pictures` adds.

    Raises:
        StoreError: the object store refused or cannot be reached.
        DiskError: the disk refused.
    """
    spool = project.paths.spool
    store = ShardStore(spool.folder, Place(url, keep_local=True))
    try:
        store.sync()
        is_there = store.index().has([bytes.fromhex(one) for one in rows["sha256"]])
        return _take(rows[is_there], listed[is_there], store, project) if is_there.any() else listed[:0]
    finally:
        remove_folder(spool.folder)


def _take(rows: pd.DataFrame, listed: pd.DataFrame, store: ShardStore, project: Project) -> pd.DataFrame:
    """See :func:`take_stored`; the store has an index that names each of these rows."""
    images = [project.paths.spool.image(*one) for one in zip(rows["sha256"], rows["format"], strict=True)]
    nothing = pa.nulls(len(rows))
    local = {"local_path": [str(path.absolute()) for path in images], "url": nothing, "fallback_url": nothing}
    wanted = catalog.with_columns(listed, local)
    _look_at(wanted, _unknown(wanted, rows["sha256"], project), images, store, project)
    if not project.paths.attempts.exists():  # nothing came, and nothing was fetched before
        return listed[:0]
    done = read_outcomes(wanted, project)
    came = (done["sha256"] == rows["sha256"]).fillna(False).to_numpy(dtype=bool)
    archived = {name: rows[name] for name in RESCUED if name in rows}
    return catalog.with_columns(done, {name: listed[name] for name in local} | archived)[came]


def _unknown(wanted: pd.DataFrame, sha256s: pd.Series, project: Project) -> catalog.IntArray:
    """Find the rows whose image the data set does not have, or has dropped under other settings."""
    if not project.paths.attempts.exists():
        return np.arange(len(wanted))
    known = read_outcomes(wanted, project)
    is_known = (known["sha256"] == sha256s).fillna(False).to_numpy(dtype=bool) & catalog.is_kept(known)
    return np.flatnonzero(~(is_known & has_images(project.paths, sha256s)))


def _look_at(
    wanted: pd.DataFrame, rows: catalog.IntArray, images: Sequence[Path], store: ShardStore, project: Project
) -> None:
    """Bring the images of some rows to the disk, look at them and store them, and remove what was brought."""
    project.emit(WorkStarted(_WORK, len(rows)))
    quiet = replace(project, emit=ignore)
    least = -(-len(rows) // MOST_PARTS) if project.recipe.store.keep_local else 0
    for start in range(0, len(rows), most := max(MOST_AT_ONCE, least)):
        some = rows[start : start + most].tolist()
        for first in range(0, len(some), N_AT_ONCE):
            store.bring([images[row] for row in some[first : first + N_AT_ONCE]])
            project.emit(WorkAdvanced(_WORK, len(some[first : first + N_AT_ONCE])))
        if here := [row for row in some if images[row].exists()]:
            fetch_images(wanted.iloc[here].reset_index(drop=True), quiet)
        for row in some:
            images[row].unlink(missing_ok=True)
    project.emit(WorkFinished(_WORK))
