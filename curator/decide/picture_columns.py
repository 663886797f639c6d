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

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curator.catalog import BoolArray, IntArray, Rows, as_arrow
from curator.decide.keyed_hash import mix
from curator.decide.row_places import read_bytes
from curator.matching.luma_signatures import SIGNATURE_BYTES
from curator.matching.perceptual_hash import FLAT_DETAIL, Hashes64
from curator.matching.pictures import Pictures
from curator.matching.sort_order import sort_order

if TYPE_CHECKING:
    import pandas as pd

_BATCH_ROWS = 1 << 16
_SHORT_BYTES, _LONG_BYTES = 64, 32
"""Of ``phash_turns`` and of ``phash256``."""


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
    known = find_comparable(table) & table["phash256"].notna().to_numpy(dtype=bool)
    rows = np.flatnonzero(known)
    numbers = np.full(len(table), -1, np.int64)
    columns = (("phash_turns", _SHORT_BYTES), ("phash256", _LONG_BYTES))
    words = [read_bytes(table[name], width).view(np.uint64) for name, width in columns]
    numbers[rows] = _number_rows(words, rows)
    return numbers


def _number_rows(words: Sequence[npt.NDArray[np.uint64]], rows: Rows) -> IntArray:
    """Number some rows of numbers, equal ones alike, from 0 in their order, by a hash of each: one sort in all."""
    mixed = np.zeros(len(rows), np.uint64)
    for part in words:
        for column in part.T:
            mixed = mix(mixed ^ column[rows], "picture", 0)
    order = sort_order(mixed)
    mixed = mixed[order]
    is_first = np.append(True, mixed[1:] != mixed[:-1])[: len(rows)]
    again = np.flatnonzero(~is_first)
    one, other = rows[order[again]], rows[order[again - 1]]
    if not all((part[one] == part[other]).all() for part in words):  # two of one hash
        _, first, place = np.unique(np.concatenate(words, axis=1)[rows], axis=0, return_index=True, return_inverse=True)
        return np.argsort(np.argsort(first))[place.ravel()]
    first = order[is_first]
    number = np.zeros(len(rows), np.int64)
    number[first] = 1
    number = np.cumsum(number) - 1
    numbers = np.empty(len(rows), np.int64)
    numbers[order] = np.repeat(number[first], np.diff(np.append(np.flatnonzero(is_first), len(rows))))
    return numbers


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
    return Pictures(hashes, read_bytes(table["phash256"], _LONG_BYTES), signatures, places)


def read_orientation_hashes(column: pd.Series[Any]) -> Hashes64:
    """Read the catalog's ``phash_turns`` as uint64 of shape (n, 8); a missing one is all zeros."""
    return read_bytes(column, _SHORT_BYTES).view(">u8").astype(np.uint64)
