"""Bring the images of a data set into its object store: what is new on the disk, packed into shards and committed.

The fetch writes its files to the disk as ever. While it works, a thread packs what fills a shard; what is left over is
packed at its end. A file leaves the disk only when a committed shard has it, so a kill loses nothing: the next fetch
packs what is still here.

>>> cut_into_shards([(Path("a"), 100), (Path("b"), SHARD_BYTES), (Path("c"), 1)])
[[PosixPath('a')], [PosixPath('b')], [PosixPath('c')]]
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from curator.errors import CuratorError, StateError
from curator.events import Warned, WorkAdvanced, WorkFinished, WorkStarted, ignore
from curator.manifests.project import Project
from curator.manifests.recipe import Recipe
from curator.manifests.tombstones import read_tombstones
from curator.store.image_store import store_of
from curator.store.paths import STORE
from curator.store.shards.commit import commit, forget_images, write_damaged_anew
from curator.store.shards.place import PLACE, Place, read_place, write_place
from curator.store.shards.shard_store import ShardStore
from curator.store.shards.tar_shard import SHARD_BYTES, tar_bytes
from curator.store.whole_files import disk_errors
from curator.text import Command, plural

_WORK = "storing the images"
_LEAST_WAIT_S, _MOST_WAIT_S = 5.0, 300.0
_N_SHOWN = 5


def place_of(recipe: Recipe) -> str:
    """Return the address of a data set's part of the object store of its recipe; nothing if that names none."""
    return f"{recipe.store.url.rstrip('/')}/{recipe.name}" if recipe.store.url else ""


def note_place(project: Project) -> None:
    """Note what the recipe says of the object store, for all that read images.

    Without ``[store]``, images that are in one stay there and come back as they are read.

    Raises:
        StateError: the images are in another store than the recipe says.
    """
    folder, wanted = project.paths.folder, project.recipe.store
    before = read_place(folder)
    if not wanted.url:
        if before:
            write_place(folder, replace(before, keep_local=True))
        return
    url = place_of(project.recipe)
    if before and before.url != url:
        place = folder / STORE / PLACE
        raise StateError(
            f"The images of {project.recipe.name} are in {before.url}, not in {url}, as the recipe says.",
            f"Put that address back, or copy what is there to the new place with the store's own tools and delete "
            f"{place}.",
        )
    write_place(folder, Place(url, wanted.keep_local, int(wanted.cache_gb * 1e9)))


@contextmanager
def storing(project: Project) -> Iterator[None]:
    """Bring images into the object store while the block fetches, and what is left at its end.

    Raises:
        StoreError: the store refused or cannot be reached; before the block begins, so that nothing is fetched in vain.
        DiskError: there is no room here for a shard.
    """
    note_place(project)
    store = store_of(project.paths.folder)
    if store is None or not project.recipe.store.url:
        yield
        return
    _open_store(project, store)
    stop = threading.Event()
    quiet = replace(project, emit=ignore)
    thread = threading.Thread(target=_keep_storing, args=(quiet, stop), name="storing", daemon=True)
    thread.start()
    try:
        yield
    except BaseException:
        stop.set()  # a shard that it is at is committed or not: both are whole
        raise
    stop.set()
    thread.join()
    store_images(project)


def _open_store(project: Project, store: ShardStore) -> None:
    """Look at what others did in the store and at what may be done there; name what in it is none of this program's."""
    bad = store.sync()
    store.objects.try_rights()
    if bad:
        some = ", ".join(bad[:_N_SHOWN]) + (f" and {len(bad) - _N_SHOWN:,} more" if len(bad) > _N_SHOWN else "")
        project.emit(Warned(f"{store.place.url} has what is no index of a shard, which was left unread: {some}."))
    write_damaged_anew(store)
    forgotten = read_tombstones(project.paths.forgotten)["content"]
    if store.index().has([bytes.fromhex(sha256) for sha256 in forgotten]).any():
        forget_images(store, forgotten)  # on another machine, or a forget was killed


def _keep_storing(project: Project, stop: threading.Event) -> None:
    """Store what fills a shard, now and then; after a failure, with a longer pause. The end tells of one that lasts.

    The more a look costs, the fewer there are: they take a tenth of a core at most.
    """
    wait_s = _LEAST_WAIT_S
    while not stop.wait(min(wait_s, _MOST_WAIT_S)):
        before = time.thread_time()
        try:
            store_images(project, whole_only=True, stop=stop)
            wait_s = max(_LEAST_WAIT_S, 10 * (time.thread_time() - before))
        except CuratorError:
            wait_s *= 2


def store_images(project: Project, *, whole_only: bool = False, stop: threading.Event | None = None) -> int:
    """Put the images on the disk that no shard has into shards; return how many. What is forgotten is removed instead.

    Those that a shard has leave the disk, the oldest first, until the rest has room in ``[store] cache_gb``.

    Args:
        project: its lock is held.
        whole_only: leave what does not fill a shard.
        stop: end after the shard at work once it is set.

    Raises:
        StoreError: the store refused or cannot be reached.
        DiskError: there is no room here for a shard.
    """
    store = store_of(project.paths.folder)
    if store is None:
        return 0
    forgotten = read_tombstones(project.paths.forgotten)["content"]
    found = list(_not_forgotten(store, forgotten))
    held = store.are_held(path for path, _ in found)
    new = sorted((one for one, is_held in zip(found, held, strict=True) if not is_held), key=lambda one: one[0].name)
    shards = cut_into_shards(new)
    if whole_only:
        shards = shards[:-1]
    project.emit(WorkStarted(_WORK, sum(map(len, shards))))
    refused = []
    for files in shards:
        if stop is not None and stop.is_set():
            break
        refused += _store_shard(project, store, files)
    project.emit(WorkFinished(_WORK))
    store.trim()
    if refused and not whole_only:
        n = plural(len(refused), "image was", "images were")
        why = "their bytes differ from their SHA-256. " if len(refused) > 1 else "its bytes differ from its SHA-256. "
        project.emit(Warned((f"{n} not stored in {store.place.url}: {why}", Command("verify"), " names all.")))
    return sum(map(len, shards)) - len(refused)


def _not_forgotten(store: ShardStore, forgotten: Collection[str]) -> Iterator[tuple[Path, int]]:
    """Yield the images on the disk with their bytes, and remove those whose content was forgotten on any machine."""
    for path, n_bytes in store.on_disk():
        if path.name.partition(".")[0] in forgotten:
            with disk_errors(path):
                path.unlink(missing_ok=True)
        else:
            yield path, n_bytes


def _store_shard(project: Project, store: ShardStore, files: Sequence[Path]) -> list[str]:
    def named() -> Iterator[tuple[str, Path]]:
        for path in files:
            yield path.name, path
            project.emit(WorkAdvanced(_WORK))

    return commit(store, named()).refused


def cut_into_shards(files: Sequence[tuple[Path, int]]) -> list[list[Path]]:
    """Cut files, each with its bytes, into runs that fit into a shard; a larger file is a run of its own."""
    shards: list[list[Path]] = []
    room = 0
    for path, n_bytes in files:
        needed = tar_bytes(n_bytes)
        if not shards or needed > room:
            shards.append([])
            room = SHARD_BYTES
        shards[-1].append(path)
        room -= needed
    return shards
