"""A table from a chunk of a hash's bits to the hashes that hold it.

>>> table = Buckets(np.array([5, 9, 5 + 16], np.uint64), keys=np.array([5, 9, 5], np.uint64), width=4)
>>> starts, counts = table.find(np.array([5, 6]))
>>> starts[0], counts, table.order[list_ranges(starts, counts)]
(np.int32(0), array([2, 0], dtype=int32), array([0, 2], dtype=int32))
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

UInt64s = npt.NDArray[np.uint64]
Int32s = npt.NDArray[np.int32]
Indices = npt.NDArray[np.intp]
Places = tuple[Indices, Indices]

_INDEX_BITS = 40


class Buckets:
    """Hashes sorted by key: those of one key, a bucket, lie side by side in ``hashes``.

    ``order`` holds the index of each place in the hashes as they came, ``counts`` how many each key has.
    """

    def __init__(self, hashes: UInt64s, keys: UInt64s, width: int) -> None:
        numbered = keys << np.uint64(_INDEX_BITS)
        numbered |= np.arange(len(keys), dtype=np.uint64)
        numbered.sort()  # some times as fast as argsort
        self.order = (numbered & np.uint64((1 << _INDEX_BITS) - 1)).astype(np.int32)
        numbered >>= np.uint64(_INDEX_BITS)
        self.hashes = hashes[self.order]
        self._bounds = np.zeros((1 << width, 2), np.int32)
        self.counts = self._bounds[:, 1]
        self.counts[:] = np.bincount(numbered.view(np.int64), minlength=1 << width)
        self._bounds[1:, 0] = np.cumsum(self.counts[:-1])

    def find(self, keys: Indices) -> tuple[Int32s, Int32s]:
        """Return where the bucket of each key starts and how many hashes it holds: int32, of the shape of ``keys``."""
        both = np.take(self._bounds.view(np.int64)[:, 0], keys, mode="clip").view(np.int32)  # one read for both
        return both[..., ::2], both[..., 1::2]


def list_ranges(first: npt.NDArray[np.integer[Any]], counts: npt.NDArray[np.integer[Any]]) -> Indices:
    """List the numbers from ``first[k]`` on, ``counts[k]`` of them, range after range.

    >>> list_ranges(np.array([7, 3]), np.array([2, 1]))
    array([7, 8, 3])
    """
    places = np.repeat(first - (np.cumsum(counts, dtype=np.intp) - counts), counts)
    places += np.arange(len(places))
    return places
