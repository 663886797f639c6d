"""A mirror in an object store: ``images/<two digits>/<SHA-256>.<ending>`` as in a folder, and the manifest.

Nothing is ever overwritten: an image is created if there is none of its name, and one of another length is damaged and
made anew.

>>> kind_of("gs://bucket/backup").snippet("balls").splitlines()[0]
'gcloud storage rsync --recursive gs://bucket/backup .'
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pandas as pd

from curator.errors import StateError
from curator.export.mirror.kind import DAMAGED, NOT_STORED, PRESENT, REPAIRED, WRITTEN, Kind
from curator.export.mirror.to_folder import CHECK, kept_name
from curator.store import beneath
from curator.store.image_files import stored_name
from curator.store.image_store import bring_here
from curator.store.paths import IMAGES, DataPaths
from curator.store.shards.object_store import Objects, open_objects
from curator.store.shards.shard_store import N_AT_ONCE

_N_THREADS = 16
_CLIENTS = {
    "s3": "aws s3 sync {} .",
    "gs": "gcloud storage rsync --recursive {} .",
    "az": "rclone copy {} .    # with a remote of that name",
    "file": "cd {}",
}


def kind_of(url: str) -> Kind:
    """Return the kind of mirror that an object store's address means."""
    scheme, _, path = url.partition("://")
    client = _CLIENTS[scheme].format(path if scheme == "file" else url)
    summary = "the files, each once, named by their SHA-256, in an object store"
    return Kind("objects", summary, write=write_objects, snippet=lambda name: f"{client}\n{CHECK}")


def write_objects(rows: pd.DataFrame, paths: DataPaths, url: str, advance: Callable[[], None]) -> list[str]:
    """Put the stored file of each row there, verified by its SHA-256; see :class:`curator.export.mirror.kind.Kind`.

    What is there already is compared by its length: to read it back would cost as much as to write it.

    Raises:
        StoreError: the store refused or cannot be reached.
    """
    objects = open_objects(url)
    there = objects.sizes(IMAGES)
    wanted = list(zip(rows["sha256"], map(stored_name, rows["sha256"], rows["format"]), strict=True))
    outcomes: dict[str, str] = {}
    distinct = list(dict.fromkeys(wanted))
    with ThreadPoolExecutor(_N_THREADS) as threads:
        for start in range(0, len(distinct), N_AT_ONCE):
            some = distinct[start : start + N_AT_ONCE]
            bring_here([paths.folder / name for _, name in some])
            for (_, name), outcome in zip(some, threads.map(partial(_put, objects, there, paths), some), strict=True):
                outcomes[name] = outcome
                advance()
    objects.put_new(kept_name(paths), paths.manifest.read_bytes())
    return [outcomes[name] for _, name in wanted]


def _put(objects: Objects, there: dict[str, int], paths: DataPaths, image: tuple[str, str]) -> str:
    """Put one image there; say what became of it."""
    sha256, name = image
    try:
        data = _read(paths.folder, name)
    except FileNotFoundError:
        return PRESENT if name in there else NOT_STORED
    except StateError:
        return DAMAGED
    if hashlib.sha256(data).hexdigest() != sha256:
        return DAMAGED
    if there.get(name) == len(data):
        return PRESENT
    if name in there:
        objects.remove(name)
    is_new = objects.put_new(name, data)
    return REPAIRED if name in there else WRITTEN if is_new else PRESENT


def _read(folder: Path, name: str) -> bytes:
    with beneath.opened_file(folder, name) as source, os.fdopen(os.dup(source), "rb") as file:
        return file.read()
