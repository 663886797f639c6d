"""The images of a data set, wherever they are: on its disk, else in the shards of its object store.

:func:`here` is what every reader of a stored image calls first: a file that is on the disk costs it one look, and one
that is in a shard alone is read from there, compared with its SHA-256, and put in its place on the disk. So many bytes
of such files stay there as ``[store] cache_gb`` says; the oldest make room.

>>> here(Path("nowhere/images/ab/abcd.jpg")).name
'abcd.jpg'
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

import numpy as np

from curator.store.image_files import stored_hashes
from curator.store.paths import IMAGES, STORE, DataPaths
from curator.store.shards.index import BoolArray, PrefixArray, prefixes_of
from curator.store.shards.index_copies import tar_name
from curator.store.shards.place import PLACE, read_place
from curator.store.shards.shard_store import N_AT_ONCE, ShardStore

_KNOWN: dict[Path, tuple[int, ShardStore | None]] = {}
_KNOWN_LOCK = threading.Lock()
os.register_at_fork(after_in_child=_KNOWN.clear)


def store_of(folder: Path) -> ShardStore | None:
    """Return the object store of the data set in a data folder; None if its images are on its disk alone.

    Raises:
        StateError: what is noted of it is damaged.
    """
    try:
        noted = (folder / STORE / PLACE).stat().st_mtime_ns
    except OSError:
        return None
    home = folder.absolute()
    with _KNOWN_LOCK:
        before, store = _KNOWN.get(home, (0, None))
        if store is None or before != noted:
            place = read_place(home)
            store = ShardStore(home, place) if place else None
            _KNOWN[home] = noted, store
        return store


def makes_folders(folder: Path) -> bool:
    """Say whether the train and test folders of a data set are made, which takes all its images on this disk."""
    store = store_of(folder)
    return store is None or store.place.keep_local


def here(path: Path) -> Path:
    """Return the path of a stored image, which is read from its shard first if it is not on the disk.

    Any other file, and what is in no shard, is left as it is.

    Raises:
        StoreError: the object store refused or cannot be reached.
    """
    bring_here([path])
    return path


def bring_here(paths: Sequence[Path]) -> None:
    """Do for some files what :func:`here` does for one, with fewer requests."""
    by_folder: dict[Path, list[Path]] = {}
    for path in paths:
        if _is_image(path):
            by_folder.setdefault(path.parents[2], []).append(path)
    for folder, some in by_folder.items():
        if store := store_of(folder):
            store.bring(some)


def _is_image(path: Path) -> bool:
    return len(path.parts) > 3 and path.parts[-3] == IMAGES


def in_turn(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield files in order, each when it is here; the next ones are read together with it."""
    coming = iter(paths)
    while some := list(islice(coming, N_AT_ONCE)):
        bring_here(some)
        yield from some


def is_away(path: Path) -> bool:
    """Say whether a stored image is in a shard alone."""
    return not path.exists() and size_of(path) is not None


def where_is(path: Path) -> str:
    """Say where a stored image is, on the disk or in which shard; nothing if it is nowhere."""
    if path.exists():
        return str(path)
    store = store_of(path.parents[2]) if _is_image(path) else None
    place = store.location(path) if store else None
    return f"{store.place.url}/{tar_name(place.shard)}, from byte {place.offset:,}" if store and place else ""


def size_of(path: Path) -> int | None:
    """Return how many bytes a stored image has, on the disk or in a shard; None if it is nowhere."""
    with suppress(OSError):
        return path.stat().st_size
    store = store_of(path.parents[2]) if _is_image(path) else None
    place = store.location(path) if store else None
    return place.n_bytes if place else None


def are_in_shards(paths: DataPaths, sha256s: Iterable[str]) -> list[bool]:
    """Say of each image, by its SHA-256, whether it is in a shard."""
    wanted, store = [*sha256s], store_of(paths.folder)
    if store is None:
        return [False] * len(wanted)
    found: list[bool] = store.index().has([bytes.fromhex(one) for one in wanted]).tolist()
    return found


def has_images(paths: DataPaths, sha256s: Iterable[str]) -> BoolArray:
    """Say of each image, by its SHA-256, whether a data set has it, by its first 64 bits; bool, shape (images,)."""
    return np.isin(prefixes_of([bytes.fromhex(one) for one in sha256s]), stored_prefixes(paths))


def stored_prefixes(paths: DataPaths) -> PrefixArray:
    """Return the first 64 bits of the images that a data set has, on the disk and in shards, ascending."""
    found, store = prefixes_of(stored_hashes(paths)), store_of(paths.folder)
    return np.sort(np.concatenate([found, store.index().prefixes]) if store else found)
