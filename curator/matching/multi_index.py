"""Multi-index hashing: look hashes up by chunks of their bits, so that only hashes that may be near are compared.

Cut 64 bits into m chunks with radii r1 … rm where (r1 + 1) + … + (rm + 1) = r + 1. Two hashes within r bits are within
rk bits in at least one chunk k: were each chunk further apart, the distances would add up to r + 1 or more. So each
chunk gets a table from its value to the hashes that hold it, and is probed with every mask of at most rk bits
(Norouzi, Punjani and Fleet, CVPR 2012, there for one query at a time). Here whole arrays are joined: hashes are sorted
by the chunk, so that one mask's probes run through memory in order, and of the two directions of a pair only that is
probed whose chunk has a zero where the mask has its highest bit. If buckets are full, whole buckets are compared with
all within their radius instead; see :mod:`curator.matching.hamming_balls`.

>>> cut_evenly(3, radius=8, max_width=22)
(Chunk(shift=0, width=21, radius=2), Chunk(shift=21, width=21, radius=2), Chunk(shift=42, width=22, radius=2))
"""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain, combinations, pairwise
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from curator.matching.buckets import (
    Buckets,
    Indices,
    Places,
    UInt64s,
    find_in_buckets,
    find_in_slots,
    find_within_buckets,
)
from curator.matching.hamming_balls import cut_keys, find_in_balls

_Task = Callable[[], Iterator[Places]]
_Result = TypeVar("_Result")

MAX_WIDTH = 22
"""Widest chunk, in bits: its table holds 2**22 buckets, 96 MiB."""
BLOCK_ROWS = 1 << 15
"""Rows probed at once: small enough for the caches, large enough that Python's own time does not count."""
MAX_OVERFLOW = 0.15
"""Share of the hashes beyond the second of their bucket up to which the first two are looked up apart."""
FULL_BUCKETS = 1.2
"""Hashes a bucket from which on more than ``MAX_OVERFLOW`` overflow, for hashes that are spread evenly."""
MASKS_PER_TASK = 32
TASKS_AHEAD = 4
"""Tasks a core whose results may wait to be taken."""
SAMPLE = 1 << 15
_PROBE_NS, _BUCKET_NS, _ROW_NS = 5.0, 2.0, 150.0
_GATHER_NS, _PAIR_NS = 8.0, 1.4


@dataclass(frozen=True)
class Pairs:
    """Index pairs and their distances in bits; three arrays of shape (pairs,)."""

    i: Indices
    j: Indices
    distance: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.i)


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
    load = n_hashes * max(equal, 0.5**chunk.width)
    if load < FULL_BUCKETS:
        search = n_queries * _PROBE_NS
    else:
        search = min(n_queries, 2.0**chunk.width) * (1 + load) * _GATHER_NS + n_queries * load * _PAIR_NS
    return chunk.n_masks() * search + _BUCKET_NS * 2.0**chunk.width + _ROW_NS * (n_hashes + n_queries)


class HashIndex:
    """Hashes laid out in one table a chunk, to be searched many times for what is within ``radius`` bits."""

    def __init__(self, hashes: UInt64s, radius: int, n_queries: int) -> None:
        """Plan for searches of some ``n_queries`` hashes at once."""
        self.radius = radius
        self.plan = plan_chunks(hashes, n_queries, radius)
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            self.sides = list(threads.map(lambda chunk: _Side(hashes, chunk), self.plan))

    def join(self, queries: UInt64s | None) -> Iterator[Pairs]:
        """Find all (query, hash) within the radius; with ``queries`` None all pairs among the hashes, once each.

        Yields:
            Part after part, in no certain order: ``i`` is the index in ``queries``, ``j`` that in the hashes.
        """
        with ThreadPoolExecutor(os.cpu_count()) as threads, ThreadPoolExecutor(1) as beside:
            tables = iter([side.table for side in self.sides])
            if queries is not None:  # each chunk's table of the queries is made while the one before it is in use
                tables = _run_ahead(beside, (partial(_lay_out, queries, chunk) for chunk in self.plan), ahead=1)
            for number, (chunk, left, side) in enumerate(zip(self.plan, tables, self.sides, strict=True)):
                search = _Search(chunk, left, side, self.radius, self.plan[:number])
                runs = (partial(search.run, task) for task in search.tasks())
                yield from _run_ahead(threads, runs, ahead=TASKS_AHEAD * (os.cpu_count() or 1))


def _lay_out(hashes: UInt64s, chunk: Chunk) -> Buckets:
    return Buckets(hashes, chunk.of(hashes), chunk.width)


def _run_ahead(threads: ThreadPoolExecutor, calls: Iterable[Callable[[], _Result]], ahead: int) -> Iterator[_Result]:
    """Run calls in threads and yield their results in order, at most ``ahead`` of them waiting: so not all are held."""
    running: deque[Future[_Result]] = deque()
    for call in calls:
        running.append(threads.submit(call))
        if len(running) > ahead:
            yield running.popleft().result()
    while running:
        yield running.popleft().result()


class _Side:
    """One chunk's table of the hashes, with slots if few hashes would overflow them."""

    def __init__(self, hashes: UInt64s, chunk: Chunk) -> None:
        self.table = _lay_out(hashes, chunk)
        slots, self.overflow = self.table.fill_slots()
        self.slots = slots if len(self.overflow) <= MAX_OVERFLOW * len(hashes) else None


def _masks(width: int, most: int, top_bit: int = 0) -> list[int]:
    """List the masks of at most ``most`` of ``width`` bits, those of fewer bits first, each with ``top_bit`` set."""
    bit_sets = chain.from_iterable(combinations(range(width), size) for size in range(most + 1))
    return [sum((1 << bit for bit in bits), top_bit) for bits in bit_sets]


class _Search:
    """Looks one chunk's table up and keeps the pairs that no earlier chunk finds."""

    def __init__(self, chunk: Chunk, left: Buckets, side: _Side, radius: int, earlier: tuple[Chunk, ...]) -> None:
        self.chunk, self.left, self.right, self.radius, self.earlier = chunk, left, side.table, radius, earlier
        self.slots, self.overflow = side.slots, side.overflow
        self.paired = left is side.table

    def run(self, task: _Task) -> Pairs:
        """Find all pairs of this task, but for those that an earlier chunk finds."""
        nowhere = np.empty(0, np.intp)
        left, right = (np.concatenate(places) for places in zip((nowhere, nowhere), *task(), strict=True))
        differing = self.left.hashes[left] ^ self.right.hashes[right]
        new = np.ones(len(differing), bool)
        for chunk in self.earlier:
            new &= np.bitwise_count(chunk.of(differing)) > chunk.radius
        return Pairs(self.left.order[left[new]], self.right.order[right[new]], np.bitwise_count(differing[new]))

    def tasks(self) -> Iterator[_Task]:
        """Divide the work; each task may run in a thread of its own."""
        width, radius = self.chunk.width, self.chunk.radius
        if self.slots is None:
            masks = np.array(_masks(width, radius))
            for keys in cut_keys(self.left, self.right, len(masks)):
                yield partial(find_in_balls, self.left, self.right, keys, masks, self.radius, self.paired)
        elif not self.paired:
            yield from self._probes(self.slots, _masks(width, radius), None)
        else:
            everywhere = _blocks(np.arange(len(self.left.keys)))
            yield lambda: (find_within_buckets(self.left, places, self.radius) for places in everywhere)
            for top_bit in range(width) if radius else ():
                yield from self._probes(self.slots, _masks(top_bit, radius - 1, 1 << top_bit), top_bit)

    def _probes(self, slots: npt.NDArray[np.complex128], masks: list[int], top_bit: int | None) -> Iterator[_Task]:
        for start in range(0, len(masks), MASKS_PER_TASK):
            yield partial(self._probe, slots, tuple(masks[start : start + MASKS_PER_TASK]), top_bit)

    def _probe(
        self, slots: npt.NDArray[np.complex128], masks: tuple[int, ...], top_bit: int | None
    ) -> Iterator[Places]:
        """Probe with masks; ``top_bit`` is the highest bit of all if pairs are sought once, else None."""
        for places in _blocks(_with_bit(self.left.keys, top_bit, False)):
            hashes, keys = self.left.hashes[places], self.left.keys[places]
            for rows, found in find_in_slots(self.right, slots, hashes, keys, masks, self.radius):
                yield places[rows], found
        for places in _blocks(self.overflow[_with_bit(self.right.keys[self.overflow], top_bit, True)]):
            hashes, keys = self.right.hashes[places], self.right.keys[places]
            for mask in masks:
                rows, found = find_in_buckets(self.left, hashes, keys, mask, self.radius)
                yield found, places[rows]


def _with_bit(keys: Indices, bit: int | None, value: bool) -> Indices:
    """Return the places of the keys that have the bit set, or not set; all if there is no such bit."""
    return np.arange(len(keys)) if bit is None else np.flatnonzero((keys >> bit & 1) == value)


def _blocks(places: Indices) -> Iterator[Indices]:
    for start in range(0, len(places), BLOCK_ROWS):
        yield places[start : start + BLOCK_ROWS]
