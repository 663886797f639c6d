"""Multi-index hashing: look hashes up by chunks of their bits, so that only hashes that may be near are compared.

Cut 64 bits into m chunks with radii r1 … rm where (r1 + 1) + … + (rm + 1) = r + 1. Two hashes within r bits are within
rk bits in at least one chunk k: were each chunk further apart, the distances would add up to r + 1 or more. So each
chunk gets a table from its value to the hashes that hold it, and is probed with every mask of at most rk bits
(Norouzi, Punjani and Fleet, CVPR 2012, there for one query at a time). Here whole buckets of queries are compared with
all hashes within their radius; see :mod:`curator.matching.hamming_balls`. A chunk with a smaller radius has fewer masks
and may have fuller buckets, so it gets fewer bits.

>>> cut_bits(4, radius=10, n_hashes=1_000_000, n_queries=1_000_000)[:2]
(Chunk(shift=0, width=14, radius=1), Chunk(shift=14, width=17, radius=2))
"""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, chain, combinations
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from curator.matching.buckets import Buckets, Indices, Places, UInt64s
from curator.matching.hamming_balls import cut_keys, find_in_balls

_Task = Callable[[], Places]
_Result = TypeVar("_Result")

MAX_WIDTH = 22
"""Widest chunk, in bits: its table holds 2**22 buckets, 96 MiB."""
TASKS_AHEAD = 4
"""Tasks a core whose results may wait to be taken."""
SAMPLE = 1 << 15
_GATHER_NS, _COPY_NS, _PAIR_NS = 8.0, 4.0, 0.8
"""Of each bucket of each key that is looked up, of each hash in it, and of each pair that is compared."""
_BUCKET_NS, _ROW_NS = 2.0, 150.0
"""Of each bucket and each hash that is laid out."""


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

    def of(self, hashes: UInt64s) -> UInt64s:
        """Cut the chunk out of each hash."""
        return (hashes >> np.uint64(self.shift)) & np.uint64((1 << self.width) - 1)

    def n_masks(self) -> int:
        """Count the masks of at most ``radius`` bits."""
        return sum(math.comb(self.width, bits) for bits in range(self.radius + 1))


def plan_chunks(hashes: UInt64s, n_queries: int, radius: int) -> tuple[Chunk, ...]:
    """Choose the chunks that should cost the least time, judged by how often a sample of the hashes collides."""
    chance = np.random.default_rng(0)
    sample = hashes if len(hashes) <= SAMPLE else chance.choice(hashes, SAMPLE, replace=False)
    plans = [cut_bits(n_chunks, radius, len(hashes), n_queries) for n_chunks in range(1, min(radius + 1, 16) + 1)]
    return min(plans, key=lambda plan: sum(_judge_ns(chunk, sample, len(hashes), n_queries) for chunk in plan))


def cut_bits(n_chunks: int, radius: int, n_hashes: int, n_queries: int) -> tuple[Chunk, ...]:
    """Cut 64 bits into chunks whose radii plus one, equal within one, add up to ``radius + 1``.

    Each bit goes to the chunk that it makes cheaper the most, if hashes are spread evenly; one that would cost more
    than it saves is in none.
    """
    radii = [(radius + 1) * (k + 1) // n_chunks - (radius + 1) * k // n_chunks - 1 for k in range(n_chunks)]
    widths = [min(10, 32 // n_chunks)] * n_chunks
    for _ in range(64 - sum(widths)):
        costs = [
            [_cost_ns(Chunk(0, w, min(r, w)), n_hashes / 2.0**w, n_hashes, n_queries) for w in (width, width + 1)]
            for width, r in zip(widths, radii, strict=True)
        ]
        saved = [now - then if width < MAX_WIDTH else 0 for width, (now, then) in zip(widths, costs, strict=True)]
        if max(saved) <= 0:
            break
        widths[saved.index(max(saved))] += 1
    shifts = accumulate(widths, initial=0)
    return tuple(Chunk(shift, width, min(r, width)) for shift, width, r in zip(shifts, widths, radii, strict=False))


def _judge_ns(chunk: Chunk, sample: UInt64s, n_hashes: int, n_queries: int) -> float:
    _, counts = np.unique(chunk.of(sample), return_counts=True)
    equal = float((counts * (counts - 1.0)).sum()) / max(1.0, len(sample) * (len(sample) - 1.0))
    return _cost_ns(chunk, n_hashes * max(equal, 0.5**chunk.width), n_hashes, n_queries)


def _cost_ns(chunk: Chunk, load: float, n_hashes: int, n_queries: int) -> float:
    """Estimate what a chunk costs whose buckets hold ``load`` hashes each."""
    gathered = min(n_queries, 2.0**chunk.width) * (_GATHER_NS + load * _COPY_NS)
    laid_out = _BUCKET_NS * 2.0**chunk.width + _ROW_NS * (n_hashes + n_queries)
    return chunk.n_masks() * (gathered + n_queries * load * _PAIR_NS) + laid_out


class HashIndex:
    """Hashes laid out in one table a chunk, to be searched many times for what is within ``radius`` bits."""

    def __init__(self, hashes: UInt64s, radius: int, n_queries: int) -> None:
        """Plan for searches of some ``n_queries`` hashes at once."""
        self.radius = radius
        self.plan = plan_chunks(hashes, n_queries, radius)
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            self.tables = list(threads.map(lambda chunk: _lay_out(hashes, chunk), self.plan))

    def join(self, queries: UInt64s | None) -> Iterator[Pairs]:
        """Find all (query, hash) within the radius; with ``queries`` None all pairs among the hashes, once each.

        Yields:
            Part after part, in no certain order: ``i`` is the index in ``queries``, ``j`` that in the hashes.
        """
        with ThreadPoolExecutor(os.cpu_count()) as threads, ThreadPoolExecutor(1) as beside:
            tables = iter(self.tables)
            if queries is not None:  # each chunk's table of the queries is made while the one before it is in use
                tables = _run_ahead(beside, (partial(_lay_out, queries, chunk) for chunk in self.plan), ahead=1)
            for number, (chunk, left, right) in enumerate(zip(self.plan, tables, self.tables, strict=True)):
                search = _Search(chunk, left, right, self.radius, self.plan[:number])
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


class _Search:
    """Looks one chunk's table up and keeps the pairs that no earlier chunk finds."""

    def __init__(self, chunk: Chunk, left: Buckets, right: Buckets, radius: int, earlier: tuple[Chunk, ...]) -> None:
        self.chunk, self.left, self.right, self.radius, self.earlier = chunk, left, right, radius, earlier

    def run(self, task: _Task) -> Pairs:
        """Find all pairs of this task, but for those that an earlier chunk finds."""
        left, right = task()
        differing = self.left.hashes[left] ^ self.right.hashes[right]
        new = np.ones(len(differing), bool)
        for chunk in self.earlier:
            new &= np.bitwise_count(chunk.of(differing)) > chunk.radius
        i, j = self.left.order[left[new]], self.right.order[right[new]]
        return Pairs(i.astype(np.intp), j.astype(np.intp), np.bitwise_count(differing[new]))

    def tasks(self) -> Iterator[_Task]:
        """Divide the work; each task may run in a thread of its own."""
        masks = _list_masks(self.chunk.width, self.chunk.radius)
        for keys in cut_keys(self.left, self.right, len(masks)):
            yield partial(find_in_balls, self.left, self.right, keys, masks, self.radius, self.left is self.right)


def _list_masks(width: int, most: int) -> Indices:
    """List the masks of at most ``most`` of ``width`` bits, those of fewer bits first."""
    bit_sets = chain.from_iterable(combinations(range(width), size) for size in range(most + 1))
    return np.array([sum(1 << bit for bit in bits) for bits in bit_sets])
