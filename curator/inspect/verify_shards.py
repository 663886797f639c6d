"""What ``verify`` reads of an object store: every shard whole, each image in it compared with its SHA-256 and SHA-1.

>>> check_shards(DataPaths(Path("nowhere"), Path(), "balls"), {})
Shards(findings=(), sound=frozenset())
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path as Path

from curator.errors import StoreError
from curator.events import Listener, WorkAdvanced, WorkFinished, WorkStarted, ignore
from curator.inspect.findings import Finding
from curator.store.image_store import store_of
from curator.store.paths import DataPaths
from curator.store.shards.commit import uncommitted
from curator.store.shards.index_copies import index_name, tar_name
from curator.store.shards.object_store import MissingObjectError
from curator.store.shards.shard_store import ShardStore
from curator.store.shards.tar_shard import Member, Shard, read_members

_WORK = "reading the shards"


@dataclass(frozen=True)
class Shards:
    """What is wrong with shards, and the SHA-256 of every image that is in one as it should be."""

    findings: tuple[Finding, ...] = ()
    sound: frozenset[str] = frozenset()


def check_shards(paths: DataPaths, sha1s: Mapping[str, str], emit: Listener = ignore) -> Shards:
    """Read every shard of a data set's object store; note the damaged ones, which the next fetch writes anew.

    Args:
        paths: of the data set.
        sha1s: the SHA-1 of images of the manifest that state one, by SHA-256.

    Raises:
        StoreError: the object store refused or cannot be reached.
    """
    store = store_of(paths.folder)
    if store is None:
        return Shards()
    url, bad = store.place.url, store.sync()
    shards = list(store.copies.shards())
    sound, damaged = set[str](), list[str]()
    findings = [
        Finding("", f"{url}/{name}", "has no index: nobody reads it", is_fault=False) for name in uncommitted(store)
    ]
    findings += [
        Finding("", f"{url}/{name}", "is no index of the shard that it is named after: it is not read", is_fault=False)
        for name in bad
    ]
    emit(WorkStarted(_WORK, len(shards)))
    for shard in shards:
        good = set(_sound_members(store, shard, sha1s))
        sound |= {member.sha256 for member in good}
        if n_bad := len(shard.members) - len(good):
            what = f"{n_bad:,} of its {len(shard.members):,} images are missing or differ from their SHA-256"
            damaged.append(shard.sha256)
            findings.append(Finding("", f"{url}/{index_name(shard.sha256)}", f"{what} in {tar_name(shard.sha256)}"))
        emit(WorkAdvanced(_WORK))
    emit(WorkFinished(_WORK))
    store.copies.note_damaged(damaged)
    return Shards(tuple(findings), frozenset(sound))


def _sound_members(store: ShardStore, shard: Shard, sha1s: Mapping[str, str]) -> Iterator[Member]:
    """Yield the images that are where the index says, and are what it says."""
    wanted = set(shard.members)
    try:
        for member, data in read_members(store.objects.pieces(tar_name(shard.sha256))):
            sha1 = sha1s.get(member.sha256)
            is_same = sha1 is None or hashlib.sha1(data, usedforsecurity=False).hexdigest() == sha1
            if member in wanted and is_same and hashlib.sha256(data).hexdigest() == member.sha256:
                yield member
    except (ValueError, MissingObjectError):
        return
    except StoreError:
        if store.objects.size(tar_name(shard.sha256)) == shard.n_bytes:
            raise
