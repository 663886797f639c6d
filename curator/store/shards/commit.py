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

from curator.store import beneath
from curator.store.paths import STORE
from curator.store.shards.index import index_bytes, read_index
from curator.store.shards.shard_store import INDEX, SHARDS, ShardStore, is_index
from curator.store.shards.tar_shard import Shard, read_members, write_shard
from curator.store.whole_files import disk_errors, temporary_beside, whole_file


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
    name, index = tar_name(shard.sha256), f"{shard.sha256}.parquet"
    data = index_bytes(shard)
    store.objects.put_file(name, tar)
    store.objects.put_new(f"{INDEX}/{index}", data)  # if there is one, it is of the same tar
    while store.objects.size(name) != shard.n_bytes:
        store.objects.put_file(name, tar)
        store.objects.put_new(f"{INDEX}/{index}", data)
    with whole_file(store.folder / STORE / index) as temporary:
        temporary.write_bytes(data)


def tar_name(sha256: str) -> str:
    """Name the tar of a shard in the object store."""
    return f"{SHARDS}/{sha256}.tar"


def committed(store: ShardStore) -> Iterator[Shard]:
    """Read the indexes on the disk: see :meth:`ShardStore.sync`.

    Raises:
        ValueError: one is none.
    """
    home = store.folder / STORE
    for name in filter(is_index, beneath.list_names(home)):
        yield read_index((home / name).read_bytes())


def uncommitted(store: ShardStore) -> dict[str, int]:
    """Return the tars that have no index, with their bytes: of writers that were killed, or are at work."""
    sizes = store.objects.sizes(SHARDS)
    known = {_shard_of(name) for name in store.objects.sizes(INDEX)}
    return {name: size for name, size in sizes.items() if _shard_of(name) not in known}


def _shard_of(name: str) -> str:
    return name.rpartition("/")[2].partition(".")[0]


def forget_images(store: ShardStore, contents: Collection[str]) -> int:
    """Take images out of the object store, by their SHA-256s; return how many were in it.

    Run again after a kill, it finishes what was begun: the new shard of before is committed again, which is no change.

    Raises:
        StoreError: the object store refused or cannot be reached.
    """
    store.sync()
    n_gone = 0
    held = {shard.sha256: {one.sha256 for one in shard.members} for shard in committed(store)}
    held |= {_shard_of(name): _contents(store, name) for name in uncommitted(store)}
    for sha256, members in held.items():
        if gone := members & set(contents):
            n_gone += len(gone)
            if gone < members:
                commit(store, _left(store, sha256, gone))
            _remove(store, sha256)
    return n_gone


def _left(store: ShardStore, sha256: str, gone: Collection[str]) -> Iterator[tuple[str, bytes]]:
    for member, data in read_members(store.objects.pieces(tar_name(sha256))):
        if member.sha256 not in gone:
            yield f"{member.sha256}.{member.ending}", data


def _remove(store: ShardStore, sha256: str) -> None:
    store.objects.remove(f"{INDEX}/{sha256}.parquet")
    store.objects.remove(tar_name(sha256))
    beneath.remove(store.folder / STORE, f"{sha256}.parquet")


def _contents(store: ShardStore, name: str) -> set[str]:
    """Read which images a tar without index holds, as far as it is a tar."""
    found = set()
    with suppress(ValueError):
        for member, _ in read_members(store.objects.pieces(name)):
            found.add(member.sha256)
    return found
