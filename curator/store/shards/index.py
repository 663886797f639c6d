"""The index of a shard, which is its commit: a Parquet file that says where in the tar each image is.

>>> shard = Shard("ee" * 32, 4096, (Member("ab" * 32, "jpg", 512, 700), Member("cd" * 32, "png", 2048, 9)))
>>> data = index_bytes(shard)
>>> read_index(data) == shard
True
>>> index = Index.of([data])
>>> index.find([bytes.fromhex("cd" * 32), bytes(32)]).tolist(), index.place(1)
([1, -1], ('eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee', 2048, 9))
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from curator.store.shards.tar_shard import Member, Shard

_SCHEMA = pa.schema(
    [("sha256", pa.binary(32)), ("ending", pa.string()), ("offset", pa.int64()), ("n_bytes", pa.int64())]
)
_SHARD, _LENGTH = b"shard", b"shard_bytes"

IntArray = npt.NDArray[np.int64]
PrefixArray = npt.NDArray[np.uint64]


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


def read_index(data: bytes) -> Shard:
    """Read an index.

    Raises:
        ValueError: it is none.
    """
    table = _read(data)
    about = table.schema.metadata
    members = [Member(row["sha256"].hex(), row["ending"], row["offset"], row["n_bytes"]) for row in table.to_pylist()]
    return Shard(about[_SHARD].decode(), int(about[_LENGTH]), tuple(members))


def _read(data: bytes) -> pa.Table:
    try:
        table = pq.ParquetFile(pa.BufferReader(data)).read(use_threads=False)
        about = table.schema.metadata or {}
        if table.column_names == _SCHEMA.names and about[_LENGTH].isdigit():
            return table.cast(_SCHEMA.with_metadata(about))
    except (pa.ArrowException, KeyError) as error:
        raise ValueError("it is no index of a shard") from error
    raise ValueError("it is no index of a shard")


@dataclass(frozen=True)
class Index:
    """Where the images of some shards are.

    Attributes:
        shards: the SHA-256 of each.
        lengths_of: the bytes of each, by its SHA-256.
        prefixes: the first 64 bits of the images' SHA-256s, ascending: they distinguish images well enough, and what
            is read is compared with all of them; uint64, shape (images,).
        shard: the place of each one's shard in ``shards``; int64, shape (images,).
        offsets, lengths: of its bytes in there; int64, shape (images,).
    """

    shards: tuple[str, ...]
    lengths_of: Mapping[str, int]
    prefixes: PrefixArray
    shard: IntArray
    offsets: IntArray
    lengths: IntArray

    @classmethod
    def of(cls, files: Iterable[bytes]) -> Index:
        """Join the indexes of shards; an image that is in several is taken from the first.

        Raises:
            ValueError: one is none.
        """
        tables = [_read(data) for data in files]
        about = [table.schema.metadata for table in tables]
        shards = tuple(one[_SHARD].decode() for one in about)
        lengths_of = {one[_SHARD].decode(): int(one[_LENGTH]) for one in about}
        numbers = np.repeat(np.arange(len(tables)), [len(table) for table in tables])
        whole = pa.concat_tables([_SCHEMA.empty_table(), *(table.replace_schema_metadata() for table in tables)])
        prefixes = prefixes_of(whole["sha256"].to_pylist())
        order = np.argsort(prefixes, kind="stable")
        offsets, lengths = (whole[name].to_numpy()[order] for name in ("offset", "n_bytes"))
        return cls(shards, lengths_of, prefixes[order], numbers[order], offsets, lengths)

    def find(self, sha256s: Sequence[bytes]) -> IntArray:
        """Return the row of each image (SHA-256, 32 bytes), -1 if it is in no shard; int64, shape (images,)."""
        wanted = prefixes_of(sha256s)
        rows = np.searchsorted(self.prefixes, wanted)
        there = rows < len(self.prefixes)
        there[there] = self.prefixes[rows[there]] == wanted[there]
        return np.where(there, rows, -1)

    def place(self, row: int) -> tuple[str, int, int]:
        """Return the shard of an image, and the offset and the length of its bytes."""
        return self.shards[self.shard[row]], int(self.offsets[row]), int(self.lengths[row])


def prefixes_of(sha256s: Iterable[bytes]) -> PrefixArray:
    """Return the first 64 bits of SHA-256s as numbers, in the same order."""
    return np.frombuffer(b"".join(one[:8] for one in sha256s), ">u8").astype(np.uint64)
