"""Commit shards to an object store, and take images out of it: whole at every instant, whoever else writes there.

A shard counts once its index is there, which only one writer can create; until then nobody reads it. An image is taken
out by a shard without it, which is committed before the index of the old one goes, and after that its tar. So another
writer loses nothing: the rest of its shard is in the new one.

>>> import tempfile
>>> from curator.store.shards.place import Place
>>> folder = Path(tempfile.mkdtemp())
>>> store = ShardStore(folder, Place(f"file://{folder}/elsewhere"))
>>> image = b"abc"
>>> name = f"{hashlib.sha256(image).hexdigest()}.jpg"
>>> commit(store, [(name, image)]).members[0].n_bytes, uncommitted(store)
(3, {})
>>> forget_images(store, [name.partition(".")[0]]), store.objects.sizes(SHARDS), store.objects.sizes(INDEX)
(1, {}, {})
"""

from __future__ import annotations

import hashlib as hashlib
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from curator.errors import StoreError
from curator.store.paths import STORE
from curator.store.shards.index import MOST_BYTES, index_bytes, read_index
from curator.store.shards.index_copies import INDEX as INDEX
from curator.store.shards.index_copies import SHARDS, index_name, is_index, tar_name
from curator.store.shards.object_store import MissingObjectError
from curator.store.shards.shard_store import ShardStore
from curator.store.shards.tar_shard import Shard, read_members, write_shard
from curator.store.whole_files import disk_errors, temporary_beside

_N_TRIES = 5


def commit(store: ShardStore, files: Iterable[tuple[str, Path | bytes]]) -> Shard:
    """Write a shard, put it into the object store, and commit it.

    Args:
        files: see :func:`curator.store.shards.tar_shard.write_shard`.

    Raises:
        StoreError: the object store refused or cannot be reached; nothing counts then.
        DiskError: there is no room here for the shard.
    """
    home = store.folder / STORE
    tar = temporary_beside(home / "shard.tar")
    with disk_errors(home):
        home.mkdir(parents=True, exist_ok=True)
        try:
            shard = write_shard(tar, files)
            if shard.members:
                _put(store, shard, tar)
        finally:
            tar.unlink(missing_ok=True)
    return shard


def _put(store: ShardStore, shard: Shard, tar: Path) -> None:
    """Put a tar and then its index there; the tar again if another machine took it away before it counted.

    A tar that is there without an index may be damaged: it is replaced by what its name says.
    """
    data = index_bytes(shard)
    for _ in range(_N_TRIES):
        store.objects.put_file(tar_name(shard.sha256), tar)
        _put_index(store, shard, data)
        store.copies.write(shard.sha256, data)
        if store.look_at([shard.sha256]):
            return
    what = f"{store.place.url}/{tar_name(shard.sha256)} was put there, and is not there as it was put."
    raise StoreError(what, "Let no other program change what is there, then run the same command again.")


def _put_index(store: ShardStore, shard: Shard, data: bytes) -> None:
    """Create an index; one that says something else of the same tar is replaced."""
    name = index_name(shard.sha256)
    if store.objects.put_new(name, data):
        return
    with suppress(MissingObjectError, ValueError):
        there = read_index(store.objects.read(name, MOST_BYTES), shard.sha256)
        if (there.n_bytes, there.members) == (shard.n_bytes, shard.members):
            return
    store.objects.remove(name)
    store.objects.put_new(name, data)


def uncommitted(store: ShardStore) -> dict[str, int]:
    """Return what has no index among the tars, with its bytes: of writers that were killed or are at work, or of any.

    The store's indexes are on the disk: see :meth:`ShardStore.sync`.
    """
    known = {tar_name(sha256) for sha256 in store.index().shards}
    there = {**store.objects.sizes(SHARDS), **store.objects.half_written(SHARDS)}
    return {name: size for name, size in there.items() if name not in known}


def forget_images(store: ShardStore, contents: Collection[str]) -> int:
    """Take images out of the object store, by their SHA-256s; return how many were in it.

    Run again after a kill, it finishes what was begun: the new shard of before is committed again, which is no change.

    Raises:
        StoreError: the object store refused or cannot be reached, or what is there cannot be read: all else is done.
    """
    store.sync()
    wanted, gone, unread = frozenset(contents), set[str](), []
    found = store.index().locations([bytes.fromhex(sha256) for sha256 in wanted])
    holding = sorted({one.shard for some in found for one in some})
    without = [name for name in uncommitted(store) if _holds(store, name, wanted)]
    for name in [*map(tar_name, holding), *without]:
        try:
            gone |= _write_anew(store, name, wanted)
        except ValueError as error:
            unread.append(f"{store.place.url}/{name} ({error})")
    if unread:
        what = f"What is forgotten may be in what cannot be read: {', '.join(unread)}."
        raise StoreError(what, "Delete that, and the index of the same name, then run the same command again.")
    return len(gone)


def write_damaged_anew(store: ShardStore) -> None:
    """Put what is sound in the shards that are noted as damaged into new ones, and remove the old ones.

    What was not sound is in no shard then.

    Raises:
        StoreError: the object store refused or cannot be reached.
    """
    for sha256 in store.copies.damaged():
        _write_anew(store, tar_name(sha256), (), is_damaged=True)
    store.copies.forget_damaged()


def _write_anew(store: ShardStore, name: str, without: Collection[str], is_damaged: bool = False) -> set[str]:
    """Put what is sound in a tar into a new shard, except some images, and remove the old one; return which were in it.

    Args:
        name: of the tar.
        without: SHA-256s.
        is_damaged: take what comes before the place where it is no tar.

    Raises:
        ValueError: it is no tar, and is not known to be damaged.
        StoreError: the object store refused or cannot be reached.
    """
    found: set[str] = set()

    def left() -> Iterator[tuple[str, bytes]]:
        try:
            for member, data in read_members(store.objects.pieces(name)):
                if member.sha256 in without:
                    found.add(member.sha256)
                else:
                    yield f"{member.sha256}.{member.ending}", data
        except ValueError:
            if not is_damaged:
                raise

    made = None
    with suppress(MissingObjectError):  # then the index alone is left, of nothing
        made = commit(store, left())
    if made is None or tar_name(made.sha256) != name:
        _remove(store, name)
    return found


def _remove(store: ShardStore, name: str) -> None:
    """Remove a tar and its index; the index again if a writer created it meanwhile, which saw the tar."""
    sha256 = name.removeprefix(f"{SHARDS}/").removesuffix(".tar")
    is_shard = is_index(f"{sha256}.parquet") and name == tar_name(sha256)
    if is_shard:
        store.objects.remove(index_name(sha256))
    store.objects.remove(name)
    if is_shard:
        if store.objects.size(index_name(sha256)) is not None:
            store.objects.remove(index_name(sha256))
        store.copies.remove(sha256)


def _holds(store: ShardStore, name: str, contents: Collection[str]) -> bool:
    """Say whether a tar without index holds one of some images, as far as it is a tar."""
    with suppress(ValueError, MissingObjectError):
        return any(member.sha256 in contents for member, _ in read_members(store.objects.pieces(name)))
    return False
