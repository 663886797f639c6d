"""The images of one data set in the shards of its object store: where each is, and which are on the disk too.

The indexes are kept on the disk, in ``store/``: to know where an image is asks nobody.

>>> import tempfile
>>> store = ShardStore(Path(tempfile.mkdtemp()), Place("file:///nowhere"))
>>> store.has(Path("images/ab") / f"{'ab' * 32}.jpg"), len(store.index().prefixes)
(False, 0)
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

from curator.store import beneath
from curator.store.paths import IMAGES, STORE
from curator.store.shards.index import Index
from curator.store.shards.object_store import MissingObjectError, Objects, open_objects
from curator.store.shards.place import Place
from curator.store.syncing import sync_file
from curator.store.whole_files import TEMPORARY_PREFIX, disk_errors, temporary_beside, whole_file

SHARDS, INDEX = "shards", "index"
"""The folders of an object store: the tars, and what makes each of them count."""
N_AT_ONCE = 64
"""Images that are read from shards together."""
_N_KEPT = 4 * N_AT_ONCE
"""Images that were read last and are kept whatever their bytes are: somebody is at them."""
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
        self._lock, self._index, self._seen = threading.RLock(), Index.of(()), (-1, -1)
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
        """Read the indexes on the disk, anew if there are others than last time."""
        home = self.folder / STORE
        with self._lock:
            facts = home.stat() if home.is_dir() else None
            seen = (facts.st_mtime_ns, facts.st_nlink) if facts else (-1, -1)
            if seen != self._seen:
                names = [name for name in beneath.list_names(home) if is_index(name)]
                self._index, self._seen = Index.of((home / name).read_bytes() for name in names), seen
            return self._index

    def sync(self) -> None:
        """Make the indexes on the disk those of the object store: what others committed, and removed, is news.

        Raises:
            StoreError: the object store refused or cannot be reached.
        """
        home = self.folder / STORE
        there = {name.rpartition("/")[2] for name in self.objects.sizes(INDEX)}
        here = {name for name in beneath.list_names(home) if is_index(name)}
        for name in sorted(filter(is_index, there - here)):
            with whole_file(home / name) as temporary:
                temporary.write_bytes(self.objects.read(f"{INDEX}/{name}"))
        for name in here - there:
            beneath.remove(home, name)

    def has(self, path: Path) -> bool:
        """Say whether a stored image, by its path on the disk, is in a shard."""
        return self.place_of(path) is not None

    def place_of(self, path: Path) -> tuple[str, int, int] | None:
        """Return the shard of a stored image, and the offset and the length of its bytes; None if it is in none."""
        sha256, index = _sha256(path), self.index()
        row = int(index.find([sha256])[0]) if sha256 else -1
        return index.place(row) if row >= 0 else None

    def bring(self, paths: Sequence[Path]) -> None:
        """Put those of some stored images on the disk that are in shards alone; what is in none is left out.

        Raises:
            StoreError: the object store refused or cannot be reached.
            DiskError: the disk refused.
        """
        named = [self.folder.joinpath(*path.parts[-3:]) for path in paths]
        self._note_used([path for path in named if path.exists()])
        wanted = {sha256: path for path in named if not path.exists() and (sha256 := _sha256(path))}
        try:
            self._bring(wanted)
        except MissingObjectError:  # another machine has written its shard anew meanwhile
            self.sync()
            self._bring({sha256: path for sha256, path in wanted.items() if not path.exists()}, is_last=True)

    def _bring(self, wanted: dict[bytes, Path], is_last: bool = False) -> None:
        index, by_shard = self.index(), dict[str, list[tuple[int, int, bytes]]]()
        for sha256, row in zip(wanted, index.find(list(wanted)).tolist(), strict=True):
            if row >= 0:
                shard, offset, length = index.place(row)
                by_shard.setdefault(shard, []).append((offset, length, sha256))

        def read(shard: str) -> None:
            if not self._is_whole(shard, index.lengths_of[shard], is_last):
                return
            parts = sorted(by_shard[shard])
            ranges = [(offset, length) for offset, length, _ in parts]
            found = self.objects.read_ranges(f"{SHARDS}/{shard}.tar", ranges)
            for data, (_, _, sha256) in zip(found, parts, strict=True):
                if hashlib.sha256(data).digest() == sha256:
                    came.append((wanted[sha256], data))

        came: list[tuple[Path, bytes]] = []
        _at_once(read, list(by_shard))
        _at_once(lambda one: self._put(*one), came)  # each is synced: at once, that costs as much as a few

    def _is_whole(self, shard: str, n_bytes: int, is_last: bool) -> bool:
        """Say whether a shard is there as its index says, asked once; one that is cut or gone has no image.

        Raises:
            MissingObjectError: it is gone, but another one may have its images: not ``is_last``.
        """
        if shard not in self._whole:
            size = self.objects.size(f"{SHARDS}/{shard}.tar")
            if size is None and not is_last:
                raise MissingObjectError(f"{self.place.url}/{SHARDS}/{shard}.tar is not there.")
            if size != n_bytes:
                return False
            self._whole.add(shard)
        return True

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
        found = [(facts.st_mtime_ns, name, facts.st_size) for name, facts in walked if TEMPORARY_PREFIX not in name]
        yield from ((self.folder / name, size, used) for used, name, size in sorted(found))

    def on_disk(self) -> Iterator[tuple[Path, int]]:
        """Yield the images on the disk, the one used longest ago first, with their bytes."""
        yield from ((path, size) for path, size, _ in self._walk())

    def drop(self, paths: Iterable[Path]) -> None:
        """Remove images from the disk that are in shards; others stay."""
        for path in paths:
            if self.has(path):
                with disk_errors(path):
                    path.unlink(missing_ok=True)

    def trim(self) -> None:
        """Remove images from the disk that are in shards, the oldest first, until the rest has its room."""
        if self.place.keep_local:
            return
        files = list(self.on_disk())
        total = sum(size for _, size in files)
        for path, size in files:
            if total > self.place.cache_bytes and self.has(path):
                self.drop([path])
                total -= size
        self._cached = None


def _at_once(function: Callable[[Item], None], items: Sequence[Item]) -> None:
    """Call a function for each item, in threads if there are several."""
    if len(items) == 1:
        function(items[0])
    elif items:
        with ThreadPoolExecutor(min(_N_THREADS, len(items))) as threads:
            for _ in threads.map(function, items):
                pass


def is_index(name: str) -> bool:
    """Say whether a file is the index of a shard, by its name."""
    return len(name) == 72 and name.endswith(".parquet") and set(name[:64]) <= set("0123456789abcdef")


def _sha256(path: Path) -> bytes | None:
    with suppress(ValueError):
        if len(found := bytes.fromhex(path.name.partition(".")[0])) == 32:
            return found
    return None
