"""A table from a chunk of a hash's bits to the hashes that hold it, and two ways to look many hashes up in it.

>>> table = Buckets(np.array([5, 9, 5 + 16], np.uint64), keys=np.array([5, 9, 5]), width=4)
>>> rows, places = find_in_buckets(table, np.array([7], np.uint64), keys=np.array([7]), mask=0b0010, radius=1)
>>> rows, table.order[places]
(array([0]), array([0]))
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

UInt64s = npt.NDArray[np.uint64]
Indices = npt.NDArray[np.intp]
Places = tuple[Indices, Indices]

BLOCK_CANDIDATES = 1 << 20
"""Most pairs compared at once (unless one bucket alone is larger)."""
SLOTS = 2
"""Hashes of a bucket that are in the table itself; the few further ones overflow."""
_INDEX_BITS = 40


class Buckets:
    """Hashes sorted by key; bucket k is places ``starts[k]`` to ``starts[k] + counts[k]`` of ``hashes``.

    ``order`` holds the index of each place in the hashes as they came.
    """

    def __init__(self, hashes: UInt64s, keys: Indices, width: int) -> None:
        numbered = keys.astype(np.uint64) << np.uint64(_INDEX_BITS) | np.arange(len(keys), dtype=np.uint64)
        numbered.sort()  # some times as fast as argsort
        self.order = (numbered & np.uint64((1 << _INDEX_BITS) - 1)).view(np.int64).astype(np.intp, copy=False)
        self.keys = np.right_shift(numbered, np.uint64(_INDEX_BITS), out=numbered).view(np.int64)
        self.hashes = hashes[self.order]
        self.counts = np.bincount(self.keys, minlength=1 << width).astype(np.int32)
        self.starts = np.cumsum(self.counts, dtype=np.int32) - self.counts

    def fill_slots(self) -> tuple[npt.NDArray[np.complex128], Indices]:
        """Lay the first two hashes of each bucket side by side, as complex numbers, so that one read takes both.

        Returns:
            (slots, overflow): complex128, shape (buckets,), and the places of the hashes beyond the first two.
        """
        slot = np.arange(len(self.keys)) - self.starts[self.keys]
        first = slot < SLOTS
        slots = np.zeros((len(self.counts), SLOTS), np.uint64)
        slots[self.keys[first], slot[first]] = self.hashes[first]
        return slots.view(np.complex128).ravel(), np.flatnonzero(~first)


def find_in_slots(
    table: Buckets,
    slots: npt.NDArray[np.complex128],
    hashes: UInt64s,
    keys: Indices,
    masks: tuple[int, ...],
    radius: int,
) -> Iterator[Places]:
    """Look hashes up under ``key ^ mask`` for each mask, among the first two hashes of each bucket.

    There is no branch in it: a row costs the same whether its bucket is empty or not, some nanoseconds a mask.

    Yields:
        (rows, places): hash ``rows[k]`` is within ``radius`` bits of the one at ``places[k]`` of the table.
    """
    twice = np.repeat(hashes, SLOTS)
    probes, found, bits = np.empty_like(keys), np.empty(len(keys), np.complex128), np.empty(len(twice), np.uint8)
    differing = found.view(np.uint64)
    for mask in masks:
        np.bitwise_xor(keys, mask, out=probes)
        np.take(slots, probes, out=found, mode="clip")
        np.bitwise_xor(differing, twice, out=differing)
        np.bitwise_count(differing, out=bits)
        if len(bits) and bits.min() <= radius:
            rows, slot = np.divmod(np.flatnonzero(bits <= radius), SLOTS)
            filled = slot < table.counts[probes[rows]]
            rows, slot = rows[filled], slot[filled]
            yield rows, table.starts[probes[rows]] + slot


def find_in_buckets(table: Buckets, hashes: UInt64s, keys: Indices, mask: int, radius: int) -> Places:
    """Look hashes up under ``key ^ mask`` in whole buckets, however large.

    Returns:
        (rows, places): hash ``rows[k]`` is within ``radius`` bits of the one at ``places[k]`` of the table.
    """
    probes = keys ^ mask
    counts = table.counts[probes]
    rows = np.flatnonzero(counts)
    return compare_ranges(table, hashes[rows], rows, table.starts[probes[rows]], counts[rows], radius)


def find_within_buckets(table: Buckets, places: Indices, radius: int) -> Places:
    """Compare the hashes at ``places`` with those behind them in their own buckets."""
    bucket = table.keys[places]
    counts = table.starts[bucket] + table.counts[bucket] - places - 1
    return compare_ranges(table, table.hashes[places], places, places + 1, counts, radius)


def compare_ranges(
    table: Buckets, hashes: UInt64s, rows: Indices, first: Indices, counts: Indices, radius: int
) -> Places:
    """Compare hash k with the ``counts[k]`` hashes of the table from place ``first[k]`` on; ``rows[k]`` is its name."""
    counts = counts.astype(np.int64)
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    cuts = np.searchsorted(ends, np.arange(BLOCK_CANDIDATES, total, BLOCK_CANDIDATES))
    near = [(np.empty(0, np.intp), np.empty(0, np.intp))]
    for low, high in zip([0, *cuts], [*cuts, len(rows)], strict=True):
        places = list_ranges(first[low:high], counts[low:high])
        differing = np.repeat(hashes[low:high], counts[low:high])
        differing ^= table.hashes[places]
        hits = np.flatnonzero(np.bitwise_count(differing) <= radius)
        owner = np.searchsorted(np.cumsum(counts[low:high]), hits, side="right")
        near.append((rows[low:high][owner], places[hits]))
    found_rows, found_places = (np.concatenate(parts) for parts in zip(*near, strict=True))
    return found_rows, found_places


def list_ranges(first: npt.NDArray[np.integer[Any]], counts: npt.NDArray[np.integer[Any]]) -> Indices:
    """List the numbers from ``first[k]`` on, ``counts[k]`` of them, range after range.

    >>> list_ranges(np.array([7, 3]), np.array([2, 1]))
    array([7, 8, 3])
    """
    places = np.repeat(first - (np.cumsum(counts, dtype=np.intp) - counts), counts)
    places += np.arange(len(places))
    return places
