"""Read the pictures of a catalog: which rows can be compared by hash, which are equal, and what tells them apart.

>>> import pandas as pd
>>> rows = {"detail": [50.0, 50.0, 1.0], "phash_turns": [bytes(64)] * 3, "phash256": [bytes(32)] * 3, "thumbnail": None}
>>> table = pd.DataFrame(rows)
>>> number_pictures(table)
array([ 0,  0, -1])
>>> read_pictures(table).has_signature.tolist()
[False, False, False]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa

from curator.catalog import BoolArray, IntArray, Rows, as_arrow, number_values
from curator.decide.row_places import read_bytes
from curator.matching.luma_signatures import SIGNATURE_BYTES
from curator.matching.perceptual_hash import FLAT_DETAIL, Hashes64
from curator.matching.pictures import Pictures

if TYPE_CHECKING:
    import pandas as pd

_BATCH_ROWS = 1 << 16


class Columns(Protocol):
    """A catalog, or some of its rows, of which whole columns are read by their names."""

    def __len__(self) -> int:
        """Count the rows."""

    def __getitem__(self, name: str, /) -> pd.Series[Any]:
        """Return a column."""


class Facts:
    """Some rows of a catalog. A column is taken when it is read, and is not kept: long texts stay where they are.

    >>> import pandas as pd
    >>> facts = take_facts(pd.DataFrame({"author": ["Ann", "Bob", "Cid"]}), np.array([2, 0, 1]))
    >>> take_facts(facts, np.array([1, 0]))["author"].tolist()
    ['Ann', 'Cid']
    """

    def __init__(self, table: Columns, rows: Rows) -> None:
        self.table, self.rows = table, rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, name: str, /) -> pd.Series[Any]:
        column = self.table[name]
        return column.take(pa.array(self.rows)) if isinstance(column, pa.ChunkedArray) else column.iloc[self.rows]


def take_facts(table: Columns, rows: Rows) -> Facts:
    """Take rows of a catalog, given by their places in it."""
    return Facts(table.table, table.rows[rows]) if isinstance(table, Facts) else Facts(table, rows)


def cut_rows(table: Columns) -> Iterator[Facts]:
    """Yield the rows in parts of 65,536, at least one: what is made of a text takes the memory of one part."""
    places = np.arange(len(table))
    for start in range(0, max(1, len(table)), _BATCH_ROWS):
        yield take_facts(table, places[start : start + _BATCH_ROWS])


def identify_by_parts(identify: Callable[[Columns], pa.Array], table: Columns) -> pa.ChunkedArray:
    """Say something of each row, part by part."""
    return pa.chunked_array(map(identify, cut_rows(table)))


def find_comparable(table: Columns) -> BoolArray:
    """Return which rows can be compared by hash: bool, shape (rows,). Unknown ``detail`` and flat pictures cannot."""
    detailed = (table["detail"] >= FLAT_DETAIL).fillna(False).to_numpy(dtype=bool)
    return np.asarray(detailed & table["phash_turns"].notna().to_numpy(dtype=bool))


def number_pictures(table: Columns) -> IntArray:
    """Number the rows by their hashes, of 64 bits in every orientation and of 256 bits: equal pictures are one number.

    Returns:
        int64, shape (rows,): from 0 in the order of the rows; -1: the row cannot be compared, or has no 256-bit hash.
    """
    with ThreadPoolExecutor(2) as threads:
        short, long = threads.map(number_values, (table["phash_turns"], table["phash256"]))
    unknown = ~find_comparable(table) | (long < 0)
    return number_values(pa.array(short * (long.max(initial=0) + 1) + long, mask=unknown))


def read_pictures(table: Columns) -> Pictures:
    """Read the hashes and luma signatures of all rows, without copying the signatures; a missing hash is all zeros."""
    column = as_arrow(table["thumbnail"], pa.large_binary())
    _, offsets, values = column.buffers()
    starts = np.frombuffer(offsets or b"", np.int64)[column.offset : column.offset + len(column)]
    usable = (values.size if values else 0) // SIGNATURE_BYTES * SIGNATURE_BYTES
    signatures = np.frombuffer(values or b"", np.uint8)[:usable].reshape(-1, SIGNATURE_BYTES)
    known = column.is_valid().to_numpy(zero_copy_only=False)
    places = np.where(known, starts // SIGNATURE_BYTES, -1)
    hashes = read_orientation_hashes(table["phash_turns"])
    return Pictures(hashes, read_bytes(table["phash256"], 32), signatures, places)


def read_orientation_hashes(column: pd.Series[Any]) -> Hashes64:
    """Read the catalog's ``phash_turns`` as uint64 of shape (n, 8); a missing one is all zeros."""
    return read_bytes(column, 64).view(">u8").astype(np.uint64)
