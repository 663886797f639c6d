"""Which rows of a list name an image that a row before them names, told by numbers that are as good as the names.

A list may have a hundred million rows: their numbers are in a file that is mapped into memory, and are compared a part
at a time, those with the same last bits together.

>>> rows = pa.table({"label": ["a", "b", "a"], "key": ["http://e.org/1", "http://e.org/1", "http://ann@e.org/1"]})
>>> is_first_of_same(numbers_of_images(rows)).tolist()
[True, True, False]
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curator.catalog import BoolArray, IntArray
from curator.sources.budget import budget
from curator.sources.large_columns import changed
from curator.sources.userinfo import drop_userinfo

_COMPARED_AT_ONCE, _MOST_PARTS = 1 << 17, 256
Numbers = npt.NDArray[np.uint64]


def number_of(label: str, key: str) -> int:
    """Return the first 64 bits of the SHA-256 of a label and what identifies an image there."""
    return int.from_bytes(hashlib.sha256(f"{label}\n{key}".encode("utf-8", "surrogatepass")).digest()[:8])


def numbers_of_images(rows: pa.Table) -> pa.ChunkedArray:
    """Number images by their columns ``label`` and ``key``: uint64, as many as rows; a password makes no new image."""
    return changed(rows["label"], _numbered, rows["key"].cast(pa.string()))


def _numbered(labels: pa.ChunkedArray, keys: pa.ChunkedArray) -> pa.Array:
    named = zip(labels.to_pylist(), drop_userinfo(keys).to_pylist(), strict=True)
    return pa.array([number_of(label, key) for label, key in named], pa.uint64())


def is_first_of_same(numbers: pa.ChunkedArray) -> BoolArray:
    """Return whether no row before has the same number: bool array, shape (rows,)."""
    is_first = np.zeros(len(numbers), bool)
    for rows, values in _parts(numbers):
        is_first[rows[np.unique(values, return_index=True)[1]]] = True
    return is_first


def numbered_by_side(rows: pa.Table, numbers: pa.ChunkedArray) -> pa.ChunkedArray:
    """Number an image that is on two sides twice: it is a leak, which is not mended here.

    Args:
        rows: with the column ``listed_split`` beside ``label`` and ``key``.
        numbers: as :func:`numbers_of_images` returns them.
    """
    sides = pc.fill_null(rows["listed_split"].cast(pa.string()), "")
    names = pc.unique(sides)
    side = np.concatenate([pc.index_in(chunk, names).to_numpy().astype(np.int16) for chunk in sides.chunks])
    is_elsewhere = np.zeros(len(numbers), bool)
    for at, values in _parts(numbers):
        _, first, place = np.unique(values, return_index=True, return_inverse=True)
        is_elsewhere[at] = side[at] != side[at[first]][place]
    return changed(numbers, _told_apart, pa.array(is_elsewhere), rows["label"], rows["key"].cast(pa.string()), sides)


def _told_apart(
    numbers: pa.ChunkedArray,
    is_elsewhere: pa.ChunkedArray,
    labels: pa.ChunkedArray,
    keys: pa.ChunkedArray,
    sides: pa.ChunkedArray,
) -> pa.ChunkedArray | pa.Array:
    if not pc.any(is_elsewhere).as_py():
        return numbers
    named = zip(
        *(column.filter(is_elsewhere).to_pylist() for column in (labels, drop_userinfo(keys), sides)), strict=True
    )
    others = [number_of(label, f"{key}\n{side}") for label, key, side in named]
    values = numbers.to_numpy().copy()
    values[is_elsewhere.to_numpy()] = np.array(others, np.uint64)
    return pa.array(values)


def _parts(numbers: pa.ChunkedArray) -> Iterator[tuple[IntArray, Numbers]]:
    """Yield all numbers, those that are equal in the same part, with the rows that they are in: ascending."""
    n_parts = 1
    while n_parts * _COMPARED_AT_ONCE < len(numbers) and n_parts < _MOST_PARTS:
        n_parts *= 2
    for part in range(n_parts):
        rows, values, start = [np.empty(0, np.int64)], [np.empty(0, np.uint64)], 0
        for chunk in numbers.chunks:
            of_chunk = chunk.to_numpy()
            here = np.flatnonzero((of_chunk & np.uint64(n_parts - 1)) == part)
            rows.append(here + start)
            values.append(of_chunk[here])
            start += len(of_chunk)
        budget().time()
        yield np.concatenate(rows), np.concatenate(values)
