"""Multi-index hashing: look hashes up by chunks of their bits, so that only hashes that may be near are compared.

Cut 64 bits into m chunks with radii r1 … rm where (r1 + 1) + … + (rm + 1) = r + 1. Two hashes within r bits are within
rk bits in at least one chunk k: were each chunk further apart, the distances would add up to r + 1 or more. So each
chunk gets a table from its value to the hashes that hold it, and is probed with every mask of at most rk bits
(Norouzi, Punjani and Fleet, CVPR 2012, there for one query at a time). Here whole arrays are joined: hashes are sorted
by the chunk, so that one mask's probes run through memory in order, and of the two directions of a pair only that is
probed whose chunk has a zero where the mask has its highest bit.

>>> cut_evenly(3, radius=8, max_width=22)
(Chunk(shift=0, width=21, radius=2), Chunk(shift=21, width=21, radius=2), Chunk(shift=42, width=22, radius=2))
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt

from curator.decide.buckets import (
    Buckets,
    Indices,
    Places,
    UInt64s,
    find_in_buckets,
    find_in_slots,
    find_within_buckets,
)

Found = tuple[Indices, Indices, npt.NDArray[np.uint8]]

MAX_WIDTH = 22
"""Widest chunk, in bits: its table holds 2**22 buckets, 96 MiB."""
BLOCK_ROWS = 1 << 15
"""Rows probed at once: small enough for the caches, large enough that Python's own time does not count."""
MAX_OVERFLOW = 0.15
"""Share of the hashes beyond the second of their bucket up to which the first two are looked up apart."""
MASKS_PER_TASK = 32
SAMPLE = 1 << 15
_PROBE_NS, _PAIR_NS, _BUCKET_NS, _ROW_NS = 4.0, 9.0, 2.0, 150.0


@dataclass(frozen=True)
class Chunk:
    """Bits ``shift`` to ``shift + width`` of a hash, in which near hashes may differ by ``radius`` bits."""

    shift: int
    width: int
    radius: int

    def of(self, hashes: UInt64s) -> Indices:
        """Cut the chunk out of each hash."""
        return ((hashes >> np.uint64(self.shift)) & np.uint64((1 << self.width) - 1)).astype(np.intp)

    def n_masks(self) -> int:
        """Count the masks of at most ``radius`` bits."""
        return sum(math.comb(self.width, bits) for bits in range(self.radius + 1))


def plan_chunks(hashes: UInt64s, n_queries: int, radius: int) -> tuple[Chunk, ...]:
    """Choose the chunks that should cost the least time, judged by how often a sample of the hashes collides."""
    chance = np.random.default_rng(0)
    sample = hashes if len(hashes) <= SAMPLE else chance.choice(hashes, SAMPLE, replace=False)
    max_width = min(len(hashes).bit_length() + 2, MAX_WIDTH)
    plans = [cut_evenly(n_chunks, radius, max_width) for n_chunks in range(1, min(radius + 1, 16) + 1)]
    return min(plans, key=lambda plan: sum(_cost_ns(chunk, sample, len(hashes), n_queries) for chunk in plan))


def cut_evenly(n_chunks: int, radius: int, max_width: int) -> tuple[Chunk, ...]:
    """Cut 64 bits into chunks of equal width (within a bit) whose radii plus one add up to ``radius + 1``.

    Bits beyond ``max_width`` of a chunk belong to none: a table that wide would cost more than it saves.
    """
    edges = [64 * k // n_chunks for k in range(n_chunks + 1)]
    radii = [(radius + 1) * (k + 1) // n_chunks - (radius + 1) * k // n_chunks - 1 for k in range(n_chunks)]
    widths = [min(high - low, max_width) for low, high in pairwise(edges)]
    return tuple(Chunk(shift, width, min(r, width)) for shift, width, r in zip(edges[:-1], widths, radii, strict=True))


def _cost_ns(chunk: Chunk, sample: UInt64s, n_hashes: int, n_queries: int) -> float:
    _, counts = np.unique(chunk.of(sample), return_counts=True)
    equal = float((counts * (counts - 1.0)).sum()) / max(1.0, len(sample) * (len(sample) - 1.0))
    pairs = n_queries * n_hashes * max(equal, 0.5**chunk.width)
    probes = chunk.n_masks() * (n_queries * _PROBE_NS + pairs * _PAIR_NS)
    return probes + _BUCKET_NS * 2.0**chunk.width + _ROW_NS * (n_hashes + n_queries)


class HashIndex:
    """Hashes laid out in one table a chunk, to be searched many times for what is within ``radius`` bits."""

    def __init__(self, hashes: UInt64s, radius: int) -> None:
        self.radius = radius
        self.plan = plan_chunks(hashes, len(hashes), radius)
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            self.sides = list(threads.map(lambda chunk: _Side(hashes, chunk), self.plan))

    def join(self, queries: UInt64s | None) -> Found:
        """Find all (query, hash) within the radius; with ``queries`` None all pairs among the hashes, once each.

        Returns:
            Three arrays of shape (found,): index in ``queries``, index in the hashes, distance; in no certain order.
        """
        found: list[Found] = []
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            for number, (chunk, side) in enumerate(zip(self.plan, self.sides, strict=True)):
                left = side.table if queries is None else Buckets(queries, chunk.of(queries), chunk.width)
                search = _Search(left, side, self.radius, self.plan[:number])
                found.extend(threads.map(search.run, _tasks(chunk, paired=queries is None)))
        return _concatenate(found)


class _Side:
    """One chunk's table of the hashes, with slots where few hashes would overflow them."""

    def __init__(self, hashes: UInt64s, chunk: Chunk) -> None:
        self.table = Buckets(hashes, chunk.of(hashes), chunk.width)
        slots, self.overflow = self.table.fill_slots()
        self.slots = slots if len(self.overflow) <= MAX_OVERFLOW * len(hashes) else None


def _concatenate(found: list[Found]) -> Found:
    parts = [part for part in found if len(part[0])]
    empty = (np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0, np.uint8))
    i, j, distance = (np.concatenate(arrays) for arrays in zip(*(parts or [empty]), strict=True))
    return i, j, distance


@dataclass(frozen=True)
class _Task:
    """Masks to probe with; ``top_bit`` is their highest bit where pairs are sought once, else None."""

    masks: tuple[int, ...]
    top_bit: int | None


def _tasks(chunk: Chunk, paired: bool) -> Iterator[_Task]:
    if not paired:
        masks = [sum(1 << bit for bit in bits) for bits in _bit_sets(chunk.width, chunk.radius)]
        yield from (_Task(batch, None) for batch in _batches(masks))
        return
    yield _Task((0,), None)
    if chunk.radius:
        for top_bit in range(chunk.width):
            masks = [(1 << top_bit) | sum(1 << bit for bit in bits) for bits in _bit_sets(top_bit, chunk.radius - 1)]
            yield from (_Task(batch, top_bit) for batch in _batches(masks))


def _bit_sets(width: int, most: int) -> Iterator[tuple[int, ...]]:
    for size in range(most + 1):
        yield from combinations(range(width), size)


def _batches(masks: list[int]) -> Iterator[tuple[int, ...]]:
    for start in range(0, len(masks), MASKS_PER_TASK):
        yield tuple(masks[start : start + MASKS_PER_TASK])


class _Search:
    """Probes one chunk's table with masks and keeps the pairs that no earlier chunk finds."""

    def __init__(self, left: Buckets, side: _Side, radius: int, earlier: tuple[Chunk, ...]) -> None:
        self.left, self.right, self.radius, self.earlier = left, side.table, radius, earlier
        self.slots, self.overflow = side.slots, side.overflow
        self.paired = left is side.table

    def run(self, task: _Task) -> Found:
        """Give all pairs that this task's masks find."""
        return _concatenate([self._settle(*places) for places in self._find(task)])

    def _find(self, task: _Task) -> Iterator[Places]:
        if self.paired and task.top_bit is None:
            for places in _blocks(np.arange(len(self.left.keys))):
                yield find_within_buckets(self.left, places, self.radius)
        elif self.slots is None:
            yield from self._probe_buckets(self.left, self.right, self._with_bit(self.left, task, False), task)
        else:
            yield from self._probe_slots(self.slots, task)
            rest = self.overflow[self._with_bit(self.right, task, True, self.overflow)]
            for right, left in self._probe_buckets(self.right, self.left, rest, task):
                yield left, right

    def _with_bit(self, table: Buckets, task: _Task, value: bool, places: Indices | None = None) -> Indices:
        """Give the places whose key has the task's highest bit set, or not set; all where there is no such bit."""
        keys = table.keys if places is None else table.keys[places]
        if task.top_bit is None:
            return np.arange(len(keys))
        return np.flatnonzero((keys >> task.top_bit & 1) == value)

    def _probe_slots(self, slots: npt.NDArray[np.complex128], task: _Task) -> Iterator[Places]:
        for places in _blocks(self._with_bit(self.left, task, False)):
            hashes, keys = self.left.hashes[places], self.left.keys[places]
            for rows, found in find_in_slots(self.right, slots, hashes, keys, task.masks, self.radius):
                yield places[rows], found

    def _probe_buckets(self, queries: Buckets, table: Buckets, chosen: Indices, task: _Task) -> Iterator[Places]:
        for places in _blocks(chosen):
            hashes, keys = queries.hashes[places], queries.keys[places]
            for mask in task.masks:
                rows, found = find_in_buckets(table, hashes, keys, mask, self.radius)
                yield places[rows], found

    def _settle(self, left: Indices, right: Indices) -> Found:
        differing = self.left.hashes[left] ^ self.right.hashes[right]
        new = np.ones(len(differing), bool)
        for chunk in self.earlier:
            new &= np.bitwise_count(chunk.of(differing)) > chunk.radius
        distance = np.bitwise_count(differing[new])
        return self.left.order[left[new]], self.right.order[right[new]], distance


def _blocks(places: Indices) -> Iterator[Indices]:
    for start in range(0, len(places), BLOCK_ROWS):
        yield places[start : start + BLOCK_ROWS]
