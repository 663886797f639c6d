"""Image ids of Open Images, each once, ascending, as the numbers that they write; and tables by parts of such ids.

The ids of a table of any length are numbers in mapped files; of one that is sorted or joined, the rows whose ids begin
alike are in memory, a part after the other.

>>> ids = ids_of(pa.chunked_array([["00000000000000ff", "00000000000000ff"], ["a000000000000000"]]))
>>> len(ids), ids.are_in(pa.chunked_array([["a000000000000000", "ff", None, "00000000000000FF"]])).to_pylist()
(2, [True, False, False, False])
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curator.catalog import BoolArray
from curator.sources.budget import budget
from curator.store.spilled import ROWS_A_PART, pieces

Numbers = npt.NDArray[np.uint64]
_DIGITS = 16
_VALUE_OF = np.full(256, 255, np.uint8)
_VALUE_OF[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16)


@dataclass(frozen=True)
class ImageIds:
    """Ids as numbers: uint64, ascending, each once."""

    numbers: pa.ChunkedArray

    def __len__(self) -> int:
        """Count them."""
        return len(self.numbers)

    def are_in(self, column: pa.ChunkedArray) -> pa.Array:
        """Return which texts, or bytes, of a column are among these ids: bool, shape (rows,)."""
        wanted, is_id = _numbers_in(column)
        found = np.zeros(len(wanted), bool)
        chunks = [chunk.to_numpy() for chunk in self.numbers.chunks if len(chunk)]
        place = np.searchsorted(np.array([chunk[0] for chunk in chunks], np.uint64), wanted, side="right") - 1
        for number in np.unique(place[is_id & (place >= 0)]).tolist():
            here = np.flatnonzero(is_id & (place == number))
            chunk = chunks[number]
            at = np.minimum(np.searchsorted(chunk, wanted[here]), len(chunk) - 1)
            found[here] = chunk[at] == wanted[here]
        return pa.array(found)

    def beside(self, column: pa.ChunkedArray) -> ImageIds:
        """Return those of them that a column of texts does not hold."""
        others = budget().spilled()
        held = np.unique(_numbers_in(column)[0])
        for chunk in self.numbers.chunks:
            others.add(pa.table({"number": chunk.filter(pa.array(~np.isin(chunk.to_numpy(), held)))}))
        return ImageIds(others.whole()["number"])

    def digest(self) -> str:
        """Return the SHA-256 of the ids, one a line: 64 hex digits."""
        found, before = hashlib.sha256(), ""
        for chunk in self.numbers.chunks:
            if len(chunk):
                found.update((before + "\n".join(f"{number:016x}" for number in chunk.to_pylist())).encode("ascii"))
                before = "\n"
        return found.hexdigest()


def ids_of(column: pa.ChunkedArray) -> ImageIds:
    """Return the ids in a column that is sorted and holds nothing else."""
    found, last = budget().spilled(), None
    for piece in pieces(pa.table({"id": column})):
        distinct = np.unique(_numbers_in(piece["id"])[0])
        distinct = distinct[1:] if len(distinct) and distinct[0] == last else distinct
        last = distinct[-1] if len(distinct) else last
        found.add(pa.table({"number": pa.array(distinct, pa.uint64())}))
    return ImageIds(found.whole()["number"])


def parts_by_id(*tables: pa.Table, start: str = "") -> Iterator[tuple[pa.Table, ...]]:
    """Yield the rows of tables whose ``ImageID`` begins alike, in ascending order; few rows are one part.

    Args:
        tables: with text columns ``ImageID``; rows without an id may be in no part.
        start: with what the ids of all rows begin.
    """
    n_rows = max(table.num_rows for table in tables)
    if n_rows <= ROWS_A_PART or len(start) == _DIGITS:
        yield tables
        return
    n_digits = min(2 if ROWS_A_PART << 4 < n_rows <= ROWS_A_PART << 8 else 1, _DIGITS - len(start))
    for number in range(16**n_digits):
        longer = f"{start}{number:0{n_digits}x}"
        yield from parts_by_id(*(_beginning(table, longer) for table in tables), start=longer)


def _beginning(table: pa.Table, start: str) -> pa.Table:
    found = budget().spilled()
    for piece in pieces(table):
        found.add(piece.filter(pc.starts_with(piece["ImageID"], start)))
    return found.whole()


def _numbers_in(column: pa.ChunkedArray) -> tuple[Numbers, BoolArray]:
    """Return the number that each text writes, and whether it is an id: 16 hex digits."""
    is_id = np.asarray(pc.fill_null(pc.equal(pc.binary_length(column), _DIGITS), False).to_numpy(), bool)
    texts = column.filter(pa.array(is_id)).combine_chunks()
    starts = np.frombuffer(texts.buffers()[1] or b"", np.int32)[texts.offset : texts.offset + len(texts) + 1]
    first = int(starts[0]) if len(texts) else 0
    letters = np.frombuffer(texts.buffers()[2] or b"", np.uint8)[first : first + _DIGITS * len(texts)]
    values = _VALUE_OF[letters].reshape(-1, _DIGITS)
    numbers = np.zeros(len(texts), np.uint64)
    for digit in values.T:
        numbers = (numbers << np.uint64(4)) | digit.astype(np.uint64)
    found = np.zeros(len(is_id), np.uint64)
    found[is_id] = numbers
    is_id[np.flatnonzero(is_id)[(values == 255).any(axis=1)]] = False
    return found, is_id
