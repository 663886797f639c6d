"""The copies of a store's indexes on the disk, in ``store/``, joined: to know where an image is asks nobody.

What is in the object store may have been written by anybody: an index counts only if it is one of the shard that its
name says, and any other is left where it is and named.

>>> import tempfile
>>> copies = IndexCopies(Path(tempfile.mkdtemp()))
>>> len(copies.index().shards), copies.index() is copies.index()
(0, True)
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from curator.store import beneath
from curator.store.shards.index import MOST_BYTES, Index, read_index
from curator.store.shards.object_store import Objects
from curator.store.shards.tar_shard import Shard
from curator.store.whole_files import whole_file, write_text_whole

SHARDS, INDEX = "shards", "index"
"""The folders of an object store: the tars, and what makes each of them count."""
_DAMAGED = "damaged.txt"
_TICK_NS = 50_000_000
"""A folder that changed in so short a time may change again without a news of its time."""


class IndexCopies:
    """The indexes on the disk.

    Args:
        home: their folder.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self._lock, self._index, self._seen = threading.RLock(), Index.joined(), (-1, -1)
        self.lost = False
        """A copy was damaged and is gone until the next :meth:`sync`."""

    def index(self) -> Index:
        """Read the copies; only those that are new, unless some went."""
        with self._lock:
            facts = self.home.stat() if self.home.is_dir() else None
            seen = (facts.st_mtime_ns, facts.st_nlink) if facts else (-1, -1)
            if seen != self._seen:
                self._refresh()
                is_settled = time.time_ns() - seen[0] > _TICK_NS
                self._seen = seen if is_settled else (-1, -1)
            return self._index

    def _refresh(self) -> None:
        here = [_shard_of(name) for name in beneath.list_names(self.home) if is_index(name)]
        known = self._index if self._index.shards.keys() <= set(here) else Index.joined()
        new = [sha256 for sha256 in here if sha256 not in known.shards]
        self._index = Index.joined([known, *self._read(new)]) if new else known

    def _read(self, shards: list[str]) -> Iterator[Index]:
        """Yield the copies that are whole, and remove the others: the next look at the store gets them anew."""
        for sha256 in shards:
            try:
                yield Index.of(sha256, (self.home / f"{sha256}.parquet").read_bytes())
            except FileNotFoundError:  # another process has removed it meanwhile
                continue
            except ValueError:
                self.remove(sha256)
                self.lost = True

    def shards(self) -> Iterator[Shard]:
        """Yield each shard, with its members."""
        for sha256 in self.index().shards:
            yield read_index((self.home / f"{sha256}.parquet").read_bytes(), sha256)

    def write(self, sha256: str, data: bytes) -> None:
        """Keep a copy of an index."""
        with whole_file(self.home / f"{sha256}.parquet") as temporary:
            temporary.write_bytes(data)

    def remove(self, sha256: str) -> None:
        """Remove a copy."""
        beneath.remove(self.home, f"{sha256}.parquet")

    def note_damaged(self, shards: Iterable[str]) -> None:
        """Note the shards that are not what their indexes say, for the next fetch to write them anew."""
        if news := set(shards) - self.damaged():
            write_text_whole(self.home / _DAMAGED, "\n".join(sorted(self.damaged() | news)) + "\n")

    def damaged(self) -> set[str]:
        """Return the shards that are noted as damaged and count still."""
        try:
            noted = (self.home / _DAMAGED).read_text("ascii", "replace").split()
        except FileNotFoundError:
            return set()
        return set(noted) & self.index().shards.keys()

    def forget_damaged(self) -> None:
        """Note none any more."""
        beneath.remove(self.home, _DAMAGED)

    def sync(self, objects: Objects) -> list[str]:
        """Make the copies those of the object store: what others committed, and removed, is news.

        Returns:
            The names of objects among the indexes that are none, each as a person should read it.

        Raises:
            StoreError: the object store refused or cannot be reached.
        """
        sizes, odd = objects.listed(INDEX)
        names = {name.removeprefix(f"{INDEX}/"): size for name, size in sizes.items()}
        bad = [odd] if odd else []
        there = {_shard_of(name) for name in names if is_index(name)}
        here = self.index().shards.keys()
        self.lost = False
        for sha256 in sorted(there - here):
            data = objects.read(f"{INDEX}/{sha256}.parquet", MOST_BYTES)
            try:
                Index.of(sha256, data)
            except ValueError:
                bad.append(f"{INDEX}/{sha256}.parquet")
            else:
                self.write(sha256, data)
        for sha256 in here - there:
            self.remove(sha256)
        return bad


def is_index(name: str) -> bool:
    """Say whether a file is the index of a shard, by its name."""
    return len(name) == 72 and name.endswith(".parquet") and set(name[:64]) <= set("0123456789abcdef")


def _shard_of(name: str) -> str:
    return name.partition(".")[0]


def tar_name(sha256: str) -> str:
    """Name the tar of a shard in the object store."""
    return f"{SHARDS}/{sha256}.tar"


def index_name(sha256: str) -> str:
    """Name the index of a shard in the object store."""
    return f"{INDEX}/{sha256}.parquet"
