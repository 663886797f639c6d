"""The index of a shard, which is its commit: a Parquet file that says where in the tar each image is.

>>> shard = Shard("ee" * 32, 4096, (Member("ab" * 32, "jpg", 512, 700), Member("cd" * 32, "png", 2048, 9)))
>>> data = index_bytes(shard)
>>> read_index(data, "ee" * 32) == shard
True
>>> index = Index.joined([Index.of("ee" * 32, data)])
>>> index.has([bytes.fromhex("cd" * 32), bytes(32)]).tolist(), index.locations([bytes.fromhex("cd" * 32)])[0][0].offset
([True, False], 2048)
>>> read_index(data, "ff" * 32)
Traceback (most recent call last):
ValueError: it is no index of that shard
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from curator.store.shards.tar_shard import MEMBER_BYTES, SHARD_BYTES, Member, Shard, is_ending

_SCHEMA = pa.schema(
    [("sha256", pa.binary(32)), ("ending", pa.string()), ("offset", pa.int64()), ("n_bytes", pa.int64())]
)
_SHARD, _LENGTH = b"shard", b"shard_bytes"
MOST_ROWS = SHARD_BYTES // 1024
"""A member of a tar takes two blocks at least."""
MOST_BYTES = 64 << 20
"""Of an index, on its way and unpacked: twice what so many rows take."""

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
PrefixArray = npt.NDArray[np.uint64]
WordArray = npt.NDArray[np.uint64]


def index_bytes(shard: Shard) -> bytes:
    """Write the index of a shard: columns ``sha256``, ``ending``, ``offset`` and ``n_bytes``, a row a member."""
    rows = {
        "sha256": [bytes.fromhex(one.sha256) for one in shard.members],
        "ending": [one.ending for one in shard.members],
        "offset": [one.offset for one in shard.members],
        "n_bytes": [one.n_bytes for one in shard.members],
    }
    about = {_SHARD: shard.sha256, _LENGTH: str(shard.n_bytes)}
    table = pa.table(rows, schema=_SCHEMA.with_metadata(about))
    pq.write_table(table, out := pa.BufferOutputStream(), compression="zstd")
    return bytes(out.getvalue())


def read_index(data: bytes, sha256: str) -> Shard:
    """Read the index of a shard, which somebody else may have written.

    Args:
        data: its bytes.
        sha256: of the shard, which names its index.

    Raises:
        ValueError: it is none of that shard, or names bytes that no shard has.
    """
    table, n_bytes = _read(data, sha256)
    columns = [table[name].to_pylist() for name in _SCHEMA.names]
    members = [Member(image.hex(), *rest) for image, *rest in zip(*columns, strict=True)]
    return Shard(sha256, n_bytes, tuple(members))


def _read(data: bytes, sha256: str) -> tuple[pa.Table, int]:
    """Read an index; return it with the length of the shard."""
    try:
        file = pq.ParquetFile(pa.BufferReader(data), read_dictionary=["ending"])
        _refuse_unless(file.schema_arrow.names == _SCHEMA.names and file.metadata.num_rows <= MOST_ROWS)
        stated = (file.metadata.row_group(one).total_byte_size for one in range(file.metadata.num_row_groups))
        _refuse_unless(sum(stated) <= MOST_BYTES)
        about = file.schema_arrow.metadata or {}
        length = about.get(_LENGTH, b"")
        _refuse_unless(about.get(_SHARD) == sha256.encode() and bool(re.fullmatch(rb"[0-9]{1,15}", length)))
        table = file.read(use_threads=False)
        _refuse_unless(all(is_ending(one) for one in table["ending"].unique().to_pylist()))
        table = table.replace_schema_metadata().cast(_SCHEMA)
    except (pa.ArrowException, OSError, TypeError) as error:
        raise ValueError("it is no index of that shard") from error
    _refuse_unless(all(table[name].null_count == 0 for name in _SCHEMA.names))
    starts, lengths, whole = table["offset"].to_numpy(), table["n_bytes"].to_numpy(), int(length)
    _refuse_unless(bool(((starts > 0) & (lengths > 0) & (lengths <= MEMBER_BYTES) & (starts <= whole - lengths)).all()))
    return table, whole


def _refuse_unless(is_right: bool) -> None:
    if not is_right:
        raise ValueError("it is no index of that shard")


class Location(NamedTuple):
    """Where an image is: the SHA-256 of its shard, and the offset and the length of its bytes."""

    shard: str
    offset: int
    n_bytes: int


@dataclass(frozen=True)
class Index:
    """Where the images of some shards are; one that is in several has a row for each.

    Attributes:
        shards: the bytes of each shard, by its SHA-256, in order.
        words: the images' SHA-256s as four numbers of 64 bits, ascending by the first; uint64, shape (images, 4).
        shard: the place of each one's shard in ``shards``; int64, shape (images,).
        offsets, lengths: of its bytes in there; int64, shape (images,).
    """

    shards: Mapping[str, int]
    words: WordArray
    shard: IntArray
    offsets: IntArray
    lengths: IntArray

    @classmethod
    def of(cls, sha256: str, data: bytes) -> Index:
        """Read the index of one shard, given by its SHA-256.

        Raises:
            ValueError: it is none of that shard.
        """
        table, n_bytes = _read(data, sha256)
        words = words_of(table["sha256"].to_pylist())
        rest = (table[name].to_numpy() for name in ("offset", "n_bytes"))
        return cls({sha256: n_bytes}, words, np.zeros(len(words), np.int64), *rest)

    @classmethod
    def joined(cls, parts: Sequence[Index] = ()) -> Index:
        """Join indexes of different shards."""
        shards: dict[str, int] = {}
        empty = np.zeros(0, np.int64)
        columns: list[list[IntArray]] = [[empty], [empty], [empty]]
        for part in parts:
            for column, one in zip(columns, (part.shard + len(shards), part.offsets, part.lengths), strict=True):
                column.append(one)
            shards |= part.shards
        words = np.concatenate([words_of(()), *(part.words for part in parts)])
        order = np.argsort(words[:, 0], kind="stable")
        return cls(shards, words[order], *(np.concatenate(column)[order] for column in columns))

    @property
    def prefixes(self) -> PrefixArray:
        """The first 64 bits of the images' SHA-256s, ascending; uint64, shape (images,)."""
        return self.words[:, 0]

    def rows(self, sha256s: Sequence[bytes]) -> tuple[IntArray, IntArray]:
        """Find images (SHA-256, 32 bytes): of each match the place in ``sha256s``, ascending, and the row: int64."""
        wanted = words_of(sha256s)
        first, last = (np.searchsorted(self.prefixes, wanted[:, 0], side) for side in ("left", "right"))
        alike = last - first
        asked = np.repeat(np.arange(len(wanted)), alike)
        rows = np.arange(len(asked)) + np.repeat(first - (np.cumsum(alike) - alike), alike)
        is_same = (self.words[rows] == wanted[asked]).all(axis=1)
        return asked[is_same], rows[is_same]

    def has(self, sha256s: Sequence[bytes], only: Collection[str] | None = None) -> BoolArray:
        """Say of each image (SHA-256, 32 bytes) whether it is in a shard, or in one of some; bool, shape (images,)."""
        counts = np.array([only is None or shard in only for shard in self.shards], bool)
        asked, rows = self.rows(sha256s)
        found = np.zeros(len(sha256s), bool)
        found[asked[counts[self.shard[rows]]]] = True
        return found

    def locations(self, sha256s: Sequence[bytes]) -> list[list[Location]]:
        """Return where each image (SHA-256, 32 bytes) is: nowhere, or in one shard, or in several."""
        names = list(self.shards)
        found: list[list[Location]] = [[] for _ in sha256s]
        for asked, row in zip(*(one.tolist() for one in self.rows(sha256s)), strict=True):
            found[asked].append(Location(names[self.shard[row]], int(self.offsets[row]), int(self.lengths[row])))
        return found


def words_of(sha256s: Sequence[bytes]) -> WordArray:
    """Return SHA-256s (32 bytes) as numbers of 64 bits, in the same order; uint64, shape (images, 4)."""
    return np.frombuffer(b"".join(sha256s), ">u8").astype(np.uint64).reshape(-1, 4)


def prefixes_of(sha256s: Iterable[bytes]) -> PrefixArray:
    """Return the first 64 bits of SHA-256s as numbers, in the same order."""
    return np.frombuffer(b"".join(one[:8] for one in sha256s), ">u8").astype(np.uint64)
