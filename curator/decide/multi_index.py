"""Multi-index hashing: look hashes up by chunks of their bits, so that only hashes that may be near are compared.

Cut 64 bits into m chunks with radii r1 … rm where (r1 + 1) + … + (rm + 1) = r + 1. Two hashes within r bits are within
rk bits in at least one chunk k: were each chunk further apart, the distances would add up to r + 1 or more. So each
chunk gets a table from its value to the hashes that hold it, and is probed with every mask of at most rk bits
(Norouzi, Punjani and Fleet, CVPR 2012, there for one query at a time). Here whole arrays are joined: hashes are sorted
by the chunk, so that one mask's probes run through memory in order, and of the two directions of a pair only that is
probed whose chunk has a zero where the mask has its highest bit.

>>> cut_evenly(3, radius=8, max_width=24)
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

UInt64s = npt.NDArray[np.uint64]
Indices = npt.NDArray[np.intp]
Int32s = npt.NDArray[np.int32]
Found = tuple[Indices, Indices, npt.NDArray[np.uint8]]

MAX_WIDTH = 24
"""Widest chunk, in bits: its table holds 2**24 buckets, 64 MiB."""
BLOCK_ROWS = 1 << 17
"""Rows probed at once: small enough for the caches, large enough that Python's own time does not count."""
BLOCK_CANDIDATES = 1 << 20
"""Most pairs compared at once (unless one bucket alone is larger)."""
MASKS_PER_TASK = 32
SAMPLE = 1 << 15
_PROBE_NS, _PAIR_NS, _BUCKET_NS, _ROW_NS = 4.0, 9.0, 2.0, 150.0


@dataclass(frozen=True)
class Chunk:
    """Bits ``shift`` to ``shift + width`` of a hash, in which near hashes may differ by ``radius`` bits."""

    shift: int
    width: int
    radius: int

    def of(self, hashes: UInt64s) -> Int32s:
        """Cut the chunk out of each hash."""
        return ((hashes >> np.uint64(self.shift)) & np.uint64((1 << self.width) - 1)).astype(np.int32)

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


class _Table:
    """One chunk's table: hashes sorted by the chunk; bucket b is rows ``starts[b]`` to ``starts[b] + counts[b]``."""

    def __init__(self, hashes: UInt64s, chunk: Chunk) -> None:
        keys = chunk.of(hashes)
        self.chunk = chunk
        self.order = np.argsort(keys, kind="stable")
        self.keys = keys[self.order]
        self.hashes = hashes[self.order]

    def add_buckets(self) -> _Table:
        self.counts = np.bincount(self.keys, minlength=1 << self.chunk.width).astype(np.int32)
        self.starts = np.cumsum(self.counts, dtype=np.int64).astype(np.int32) - self.counts
        return self


def join_within(queries: UInt64s, hashes: UInt64s | None, radius: int) -> Found:
    """Find all (query, hash) within ``radius`` bits, or with ``hashes`` None all pairs among ``queries``, once each.

    Returns:
        Three arrays of shape (found,): index in ``queries``, index in ``hashes``, distance; in no certain order.
    """
    others = queries if hashes is None else hashes
    if not len(queries) or not len(others):
        return _concatenate([])
    plan = plan_chunks(others, len(queries), radius)
    found: list[Found] = []
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for number, chunk in enumerate(plan):
            right = _Table(others, chunk).add_buckets()
            left = right if hashes is None else _Table(queries, chunk)
            search = _Search(left, right, radius, plan[:number])
            found.extend(threads.map(search.run, _tasks(chunk, paired=hashes is None)))
    return _concatenate(found)


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
    """Probes one chunk's table with masks and keeps the pairs that hold for whole hashes."""

    def __init__(self, left: _Table, right: _Table, radius: int, earlier: tuple[Chunk, ...]) -> None:
        self.left, self.right, self.radius, self.earlier = left, right, radius, earlier
        self.paired = left is right

    def run(self, task: _Task) -> Found:
        """Give all pairs that this task's masks find."""
        found: list[Found] = []
        for rows in self._blocks(task.top_bit):
            keys = self.left.keys[rows]
            for mask in task.masks:
                found.extend(self._probe(rows, keys, mask))
        return _concatenate(found)

    def _blocks(self, top_bit: int | None) -> Iterator[Indices]:
        for start in range(0, len(self.left.keys), BLOCK_ROWS):
            block = self.left.keys[start : start + BLOCK_ROWS]
            if top_bit is None:
                yield np.arange(start, start + len(block))
            else:
                yield np.flatnonzero(block & (1 << top_bit) == 0) + start

    def _probe(self, rows: Indices, keys: Int32s, mask: int) -> Iterator[Found]:
        probes = keys ^ np.int32(mask)
        counts = self.right.counts[probes]
        hit = np.flatnonzero(counts)
        left, probes = rows[hit], probes[hit]
        counts, first = counts[hit].astype(np.int64), self.right.starts[probes].astype(np.int64)
        if self.paired and mask == 0:
            counts, first = first + counts - left - 1, left + 1
        ends = np.cumsum(counts)
        total = int(ends[-1]) if len(ends) else 0
        cuts = np.searchsorted(ends, np.arange(BLOCK_CANDIDATES, total, BLOCK_CANDIDATES))
        for low, high in zip([0, *cuts], [*cuts, len(left)], strict=True):
            if high > low:
                yield self._compare(left[low:high], first[low:high], counts[low:high])

    def _compare(self, left: Indices, first: Indices, counts: Indices) -> Found:
        places = np.repeat(first - (np.cumsum(counts) - counts), counts)
        places += np.arange(len(places))
        differing = np.repeat(self.left.hashes[left], counts)
        differing ^= self.right.hashes[places]
        near = np.flatnonzero(np.bitwise_count(differing) <= self.radius)
        near = near[self._is_new(differing[near])]
        owner = np.searchsorted(np.cumsum(counts), near, side="right")
        return (
            self.left.order[left[owner]],
            self.right.order[places[near]],
            np.bitwise_count(differing[near]),
        )

    def _is_new(self, differing: UInt64s) -> npt.NDArray[np.bool_]:
        new = np.ones(len(differing), bool)
        for chunk in self.earlier:
            new &= np.bitwise_count(chunk.of(differing)) > chunk.radius
        return new
