"""The images of one data set in the shards of its object store: where each is, and which are on the disk too.

The indexes are kept on the disk, in ``store/``: to know where an image is asks nobody.

>>> import tempfile
>>> store = ShardStore(Path(tempfile.mkdtemp()), Place("file:///nowhere"))
>>> store.are_held([Path("images/ab") / f"{'ab' * 32}.jpg"]), len(store.index().prefixes)
([False], 0)
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

from curator.errors import StoreError
from curator.store import beneath
from curator.store.paths import IMAGES, STORE
from curator.store.shards.index import Index, Location
from curator.store.shards.index_copies import SHARDS, IndexCopies, tar_name
from curator.store.shards.object_store import Objects, open_objects
from curator.store.shards.place import Place
from curator.store.shards.tar_shard import is_image_name
from curator.store.syncing import sync_file
from curator.store.whole_files import disk_errors, temporary_beside

N_AT_ONCE = 64
"""Images that are read from shards together."""
_N_KEPT = 4 * N_AT_ONCE
"""Images that were read last and are kept whatever their bytes are: somebody is at them."""
N_SPARED = _N_KEPT
"""The same for :meth:`ShardStore.trim`, which other processes do not wait for."""
_N_THREADS = 16

Item = TypeVar("Item")


class _Cached(NamedTuple):
    """An image on the disk: its bytes, and when it was used."""

    n_bytes: int
    used_ns: int


class ShardStore:
    """The images of one data set that are in its object store, and which of them are on the disk too.

    Args:
        folder: the data folder.
        place: where they are.
    """

    def __init__(self, folder: Path, place: Place) -> None:
        self.folder, self.place = folder, place
        self._objects: Objects | None = None
        self.copies = IndexCopies(folder / STORE)
        self._lock = threading.RLock()
        self._cached: dict[Path, _Cached] | None = None
        self._cached_bytes = 0
        self._whole: set[str] = set()

    @property
    def objects(self) -> Objects:
        """The object store, opened when it is needed."""
        if self._objects is None:
            self._objects = open_objects(self.place.url)
        return self._objects

    def index(self) -> Index:
        """Return where the images are, from the copies on the disk."""
        return self.copies.index()

    def sync(self) -> list[str]:
        """Make the copies of the indexes those of the object store, and note which shards are there, whole.

        Returns:
            See :meth:`curator.store.shards.index_copies.IndexCopies.sync`.

        Raises:
            StoreError: the object store refused or cannot be reached.
        """
        bad = self.copies.sync(self.objects)
        sizes, odd = self.objects.listed(SHARDS)
        self._whole = {one for one, n_bytes in self.index().shards.items() if sizes.get(tar_name(one)) == n_bytes}
        return [*bad, odd] if odd else bad

    def location(self, path: Path) -> Location | None:
        """Return where a stored image is, by its path on the disk; None if it is in no shard."""
        sha256 = _sha256(path)
        found = self.index().locations([sha256])[0] if sha256 else []
        return next((one for one in found if one.shard in self._whole), found[0]) if found else None

    def are_held(self, paths: Iterable[Path]) -> list[bool]:
        """Say of stored images whether each is in a shard that is there, whole, as far as is known: nobody is asked."""
        named = [_sha256(path) or bytes(32) for path in paths]
        held: list[bool] = self.index().has(named, self._whole).tolist()
        return held

    def bring(self, paths: Sequence[Path]) -> None:
        """Put those of some stored images on the disk that are in shards alone; what is in none is left out.

        Raises:
            StoreError: the object store refused or cannot be reached.
            DiskError: the disk refused.
        """
        named = [self.folder.joinpath(*path.parts[-3:]) for path in paths]
        self._note_used([path for path in named if path.exists()])
        wanted = {sha256: path for path in named if not path.exists() and (sha256 := _sha256(path))}
        left = self._bring(wanted)
        if left and (self.copies.lost or not self._are_there(left)):
            self.sync()  # another machine has written a shard anew meanwhile, or a copy of an index was damaged
            self._bring(left)

    def _are_there(self, sha256s: Iterable[bytes]) -> bool:
        """Say whether the shards are whole that should have some images."""
        found = self.index().locations(list(sha256s))
        return all(one.shard in self._whole for some in found for one in some)

    def _bring(self, wanted: dict[bytes, Path]) -> dict[bytes, Path]:
        """Read images from any shard that has them as they should be; return those that none has."""
        found = dict(zip(wanted, self.index().locations(list(wanted)), strict=True))
        left, turn = dict(wanted), 0
        while now := {sha256: found[sha256][turn] for sha256 in left if len(found[sha256]) > turn}:
            came = self._read_all(now)
            _at_once(lambda one: self._put(wanted[one[0]], one[1]), came)  # each is synced: at once, as cheap as a few
            here = {sha256 for sha256, _ in came}
            left = {sha256: path for sha256, path in left.items() if sha256 not in here}
            turn += 1
        return left

    def _read_all(self, locations: Mapping[bytes, Location]) -> list[tuple[bytes, bytes]]:
        """Read images, by their SHA-256, each where it should be; return those that are what they should be."""
        came: list[tuple[bytes, bytes]] = []
        by_shard = dict[str, list[tuple[int, int, bytes]]]()
        for sha256, (shard, offset, length) in locations.items():
            by_shard.setdefault(shard, []).append((offset, length, sha256))
        _at_once(lambda one: came.extend(self._read(*one)), list(by_shard.items()))
        return came

    def _read(self, shard: str, parts: list[tuple[int, int, bytes]]) -> Iterator[tuple[bytes, bytes]]:
        """Yield the images in one shard, given by offset, length and SHA-256, that are what they should be."""
        if shard not in self._whole and not self.look_at([shard]):
            return
        ranges = [(offset, length) for offset, length, _ in sorted(parts)]
        try:
            found = self.objects.read_ranges(tar_name(shard), ranges)
        except StoreError:
            if self.look_at([shard]):
                raise
            return  # it was whole before
        for data, (_, _, sha256) in zip(found, sorted(parts), strict=True):
            if hashlib.sha256(data).digest() == sha256:
                yield sha256, data

    def look_at(self, shards: Collection[str]) -> set[str]:
        """Ask the object store which of some shards are there, whole: as long as their indexes say; return these."""
        lengths, whole = self.index().shards, set[str]()

        def look(shard: str) -> None:
            if shard in lengths and self.objects.size(tar_name(shard)) == lengths[shard]:
                whole.add(shard)

        _at_once(look, list(shards))
        self._whole = self._whole - set(shards) | whole
        return whole

    def _put(self, path: Path, data: bytes) -> None:
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = temporary_beside(path)
            try:
                temporary.write_bytes(data)
                temporary.chmod(0o444)
                sync_file(temporary)
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
        self._note_used([path])
        self._make_room()

    def _note_used(self, paths: Iterable[Path]) -> None:
        """Let the time of files say that they are wanted now, to other processes too."""
        if self.place.keep_local:
            return
        with self._lock:
            if self._cached is None:
                self._cached = {path: _Cached(size, used) for path, size, used in self._walk()}
                self._cached_bytes = sum(one.n_bytes for one in self._cached.values())
            for path in paths:
                with suppress(OSError):  # another process has removed it meanwhile
                    os.utime(path)
                    facts = path.stat()
                    before = self._cached.pop(path, _Cached(0, 0))
                    self._cached[path] = _Cached(facts.st_size, facts.st_mtime_ns)
                    self._cached_bytes += facts.st_size - before.n_bytes

    def _make_room(self) -> None:
        """Remove the images that were used longest ago and are in shards, as long as there are too many bytes."""
        with self._lock:
            cached = self._cached or {}
            while self._cached_bytes > self.place.cache_bytes and len(cached) > _N_KEPT:
                path, known = next(iter(cached.items()))
                self._cached_bytes -= cached.pop(path).n_bytes
                with suppress(FileNotFoundError):
                    if (used := path.stat().st_mtime_ns) == known.used_ns:
                        self.drop([path])
                    else:  # by another process
                        cached[path] = _Cached(known.n_bytes, used)
                        self._cached_bytes += known.n_bytes

    def _walk(self) -> Iterator[tuple[Path, int, int]]:
        """Yield the images on the disk, the one used longest ago first, with their bytes and the time."""
        walked = beneath.walk(self.folder, IMAGES)
        found = [
            (facts.st_mtime_ns, name, facts.st_size) for name, facts in walked if is_image_name(name.rpartition("/")[2])
        ]
        yield from ((self.folder / name, size, used) for used, name, size in sorted(found))

    def on_disk(self) -> Iterator[tuple[Path, int]]:
        """Yield the images on the disk, the one used longest ago first, with their bytes."""
        yield from ((path, size) for path, size, _ in self._walk())

    def drop(self, paths: Iterable[Path]) -> None:
        """Remove images from the disk that are in shards which are there, whole, asked once; others stay.

        Raises:
            StoreError: the object store refused or cannot be reached.
        """
        some = list(paths)
        if unknown := self._shards_of(some) - self._whole:
            self.look_at(unknown)
        for path, is_held in zip(some, self.are_held(some), strict=True):
            if is_held:
                with disk_errors(path):
                    path.unlink(missing_ok=True)

    def _shards_of(self, paths: Iterable[Path]) -> set[str]:
        found = self.index().locations([_sha256(path) or bytes(32) for path in paths])
        return {one.shard for some in found for one in some}

    def trim(self) -> None:
        """Remove images from the disk that are in shards, the oldest first, until the rest has its room.

        The shards are looked at first: an image whose shard has gone meanwhile, or is cut, stays. So do the last ones
        that were used, which another process may be at.

        Raises:
            StoreError: the object store refused or cannot be reached.
        """
        if self.place.keep_local:
            return
        files = list(self.on_disk())
        total, doomed = sum(size for _, size in files), []
        old = files[: max(len(files) - N_SPARED, 0)]
        for (path, size), is_held in zip(old, self.are_held(path for path, _ in old), strict=True):
            if total > self.place.cache_bytes and is_held:
                doomed.append(path)
                total -= size
        self.look_at(self._shards_of(doomed))
        self.drop(doomed)
        with self._lock:
            self._cached = None


def _at_once(function: Callable[[Item], None], items: Sequence[Item]) -> None:
    """Call a function for each item, in threads if there are several."""
    if len(items) == 1:
        function(items[0])
    elif items:
        with ThreadPoolExecutor(min(_N_THREADS, len(items))) as threads:
            for _ in threads.map(function, items):
                pass


def _sha256(path: Path) -> bytes | None:
    with suppress(ValueError):
        if len(found := bytes.fromhex(path.name.partition(".")[0])) == 32:
            return found
    return None
