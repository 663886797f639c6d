"""The images that are most alike, exactly: cosine similarity in blocks, without a copy of the whole square.

>>> points = np.array([[1, 0], [0.9, 0.1], [0, 1], [0.1, 1]], np.float32)
>>> found = find_neighbours(points, np.arange(4), np.array([0, 1, 1, 1]), 1)
>>> found.index.ravel().tolist(), found.similarity.ravel().round(2)
([1, 0, 3, 2], array([0.99, 0.99, 1.  , 1.  ], dtype=float32))
>>> found.own.round(2), found.other.round(2)
(array([ nan, 0.21, 1.  , 1.  ], dtype=float32), array([0.99, 0.99, 0.  , 0.1 ], dtype=float32))
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

_CELLS_AT_ONCE = 24_000_000
_CHUNK = 64


@dataclass(frozen=True)
class Neighbours:
    """Of each image the most alike others, nearest first: ``index`` int64 and ``similarity`` (images, neighbours).

    Where an image has fewer, the index is -1 and the similarity NaN. ``own`` and ``other`` (images,) are the
    similarities to the most alike image of its own label and of any other one; NaN if there is none.
    """

    index: IntArray
    similarity: FloatArray
    own: FloatArray
    other: FloatArray

    @classmethod
    def none(cls, n: int) -> Neighbours:
        """Return that ``n`` images have no neighbours."""
        nothing = np.full(n, np.nan, np.float32)
        return cls(np.full((n, 1), -1, np.int64), np.full((n, 1), np.nan, np.float32), nothing, nothing)

    def among(self, allowed: npt.NDArray[np.bool_]) -> Neighbours:
        """Leave out the neighbours that are not ``allowed``, bool (images,)."""
        return replace(self, index=np.where((self.index >= 0) & allowed[self.index], self.index, -1))

    def only(self, rows: IntArray, place: IntArray) -> Neighbours:
        """Return the neighbours of some images among them; ``place`` is each image's number then, -1: left out."""
        index = np.where(self.index >= 0, place[self.index], -1)
        return Neighbours(index[rows], self.similarity[rows], self.own[rows], self.other[rows])


def find_neighbours(points: FloatArray, groups: IntArray, labels: IntArray, n: int) -> Neighbours:
    """Find the ``n`` most alike images of each that are not of its own group, by the cosine of their directions.

    A near-duplicate, or another photo of one series, says nothing about how usual a picture is.

    Args:
        points: float32 (images, dimensions).
        groups: a number a group (images,).
        labels: label indices (images,).
        n: neighbours wanted.
    """
    order = np.argsort(labels, kind="stable")  # the columns of a label are then beside each other
    starts = np.flatnonzero(np.diff(labels[order], prepend=-1))
    own_column = np.searchsorted(starts, np.arange(len(order)), "right") - 1
    directions = (points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-12))[order]
    index, similarity = np.full((len(points), n), -1, np.int64), np.full((len(points), n), np.nan, np.float32)
    own, other = np.full((2, len(points)), np.nan, np.float32)
    at_once = max(1, min(len(points), _CELLS_AT_ONCE // len(points)))
    members_of = _members(groups[order])

    def search(start: int) -> None:
        rows = np.arange(start, min(start + at_once, len(points)))
        cosines = directions[rows] @ directions.T
        for row in rows:
            cosines[row - start, members_of(row)] = -np.inf
        by_label = np.maximum.reduceat(cosines, starts, axis=1)
        column = own_column[rows]
        own[order[rows]] = _known(by_label[np.arange(len(rows)), column])
        by_label[np.arange(len(rows)), column] = -np.inf
        other[order[rows]] = _known(by_label.max(axis=1))
        best = _largest(cosines, n)
        values = np.take_along_axis(cosines, best, axis=1)
        by_likeness = np.lexsort((best, -values), axis=1)
        best, values = (np.take_along_axis(one, by_likeness, axis=1) for one in (best, values))
        index[order[rows], : best.shape[1]] = np.where(np.isfinite(values), order[best], -1)
        similarity[order[rows], : best.shape[1]] = _known(values)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(search, range(0, len(points), at_once)))
    return Neighbours(index, similarity, own, other)


def _known(values: FloatArray) -> FloatArray:
    return np.where(np.isfinite(values), values, np.float32(np.nan))


def _members(groups: IntArray) -> Callable[[np.int64], IntArray]:
    """Return what lists the images of an image's group."""
    order = np.argsort(groups, kind="stable")
    first, last = (np.searchsorted(groups[order], groups, side) for side in ("left", "right"))
    return lambda row: order[first[row] : last[row]]


def _largest(values: FloatArray, n: int) -> IntArray:
    """Return the columns of the ``n`` largest of each row: they are in the ``n`` chunks with the largest maxima."""
    n_rows, n_columns = values.shape
    if n_columns <= n * _CHUNK * 2:
        return np.argpartition(values, -min(n, n_columns), axis=1)[:, -min(n, n_columns) :]
    n_chunks = n_columns // _CHUNK
    maxima = values[:, : n_chunks * _CHUNK].reshape(n_rows, n_chunks, _CHUNK).max(axis=2)
    chunks = np.argpartition(maxima, -n, axis=1)[:, -n:]
    columns = (chunks[:, :, None] * _CHUNK + np.arange(_CHUNK)).reshape(n_rows, -1)
    rest = np.broadcast_to(np.arange(n_chunks * _CHUNK, n_columns), (n_rows, n_columns - n_chunks * _CHUNK))
    columns = np.concatenate([columns, rest], axis=1)
    best = np.argpartition(np.take_along_axis(values, columns, axis=1), -n, axis=1)[:, -n:]
    return np.asarray(np.take_along_axis(columns, best, axis=1), dtype=np.int64)
