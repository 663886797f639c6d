"""Multi-index hashing: look hashes up by chunks of their bits, so that only hashes that may be near are compared.

Cut 64 bits into m chunks with radii r1 … rm where (r1 + 1) + … + (rm + 1) = r + 1. Two hashes within r bits are within
rk bits in at least one chunk k: were each chunk further apart, the distances would add up to r + 1 or more. So each
chunk gets a table from its value to the hashes that hold it, and is probed with every mask of at most rk bits
(Norouzi, Punjani and Fleet, CVPR 2012, there for one query at a time). Here whole buckets of queries are compared with
all hashes within their radius; see :mod:`curator.matching.hamming_balls`. A chunk with a smaller radius has fewer masks
and may have fuller buckets, so it gets fewer bits.

What is left to the last chunk differs by more than rk bits in each of the others, and by rk + 1 exactly if in the last
one by all that its radius allows. So the parities of the others are a part of its key, and a mask flips those that must
differ: of three chunks a quarter of a bucket is looked at, of four an eighth.

>>> chunks = cut_bits(3, radius=8, n_hashes=10_000_000, n_queries=10_000_000)
>>> [(chunk.width, chunk.radius) for chunk in chunks], chunks[2].n_key_bits
([(21, 2), (21, 2), (19, 2)], 21)
"""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
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
    """Bits ``shift`` to ``shift + width`` of a hash, in which near hashes may differ by ``radius`` bits.

    Attributes:
        others: all other chunks, whose parities are a part of the key; none unless this chunk is the last.
    """

    shift: int
    width: int
    radius: int
    others: tuple[Chunk, ...] = ()

    @property
    def n_key_bits(self) -> int:
        """The bits of a key: the chunk's, and one for each of the others."""
        return self.width + len(self.others)

    def of(self, hashes: UInt64s) -> UInt64s:
        """Cut the chunk out of each hash."""
        return (hashes >> np.uint64(self.shift)) & np.uint64((1 << self.width) - 1)

    def key(self, hashes: UInt64s) -> UInt64s:
        """Return the chunk of each hash, and behind it the parities of the others."""
        keys = self.of(hashes)
        for other in self.others:
            keys <<= np.uint64(1)
            keys |= np.bitwise_count(other.of(hashes)) & np.uint64(1)
        return keys

    def n_masks(self) -> int:
        """Count the masks."""
        parities = [math.comb(len(self.others), flips) for flips in range(len(self.others) + 1)]
        return sum(
            math.comb(self.width, bits) * sum(parities[: self.radius - bits + 1]) for bits in range(self.radius + 1)
        )

    def list_masks(self) -> Indices:
        """List what keys of near hashes may differ by: at most ``radius`` bits, those of fewer bits first.

        Of n bits less than the radius, the other chunks may differ by n more than they would have to, so n of the
        parities may be others.
        """
        exact = sum((other.radius + 1) % 2 << place for place, other in enumerate(reversed(self.others)))
        parities = [_list_numbers(len(self.others), n) ^ exact for n in range(self.radius + 1)]
        masks = [
            (_list_numbers(self.width, bits, bits)[:, None] << len(self.others) | parities[self.radius - bits]).ravel()
            for bits in range(self.radius + 1)
        ]
        return np.concatenate(masks)


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
            [_cost_ns(chunk, n_hashes / 2.0**chunk.n_key_bits, n_hashes, n_queries) for chunk in both]
            for both in zip(
                _lay_side_by_side(widths, radii), _lay_side_by_side([w + 1 for w in widths], radii), strict=True
            )
        ]
        saved = [
            now - then if chunk.n_key_bits < MAX_WIDTH else 0
            for chunk, (now, then) in zip(_lay_side_by_side(widths, radii), costs, strict=True)
        ]
        if max(saved) <= 0:
            break
        widths[saved.index(max(saved))] += 1
    return _lay_side_by_side(widths, radii)


def _lay_side_by_side(widths: Sequence[int], radii: Sequence[int]) -> tuple[Chunk, ...]:
    """Make the chunks; the last has the parities of the others in its key, unless it is narrower than its radius."""
    shifts = accumulate(widths, initial=0)
    *before, last = (Chunk(shift, width, min(r, width)) for shift, width, r in zip(shifts, widths, radii, strict=False))
    return *before, replace(last, others=tuple(before)) if last.radius == radii[-1] else last


def _judge_ns(chunk: Chunk, sample: UInt64s, n_hashes: int, n_queries: int) -> float:
    _, counts = np.unique(chunk.key(sample), return_counts=True)
    equal = float((counts * (counts - 1.0)).sum()) / max(1.0, len(sample) * (len(sample) - 1.0))
    return _cost_ns(chunk, n_hashes * max(equal, 0.5**chunk.n_key_bits), n_hashes, n_queries)


def _cost_ns(chunk: Chunk, load: float, n_hashes: int, n_queries: int) -> float:
    """Estimate what a chunk costs whose buckets hold ``load`` hashes each."""
    n_keys = 2.0**chunk.n_key_bits
    gathered = min(n_queries, n_keys) * (_GATHER_NS + load * _COPY_NS)
    laid_out = _BUCKET_NS * n_keys + _ROW_NS * (n_hashes + n_queries)
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
    return Buckets(hashes, chunk.key(hashes), chunk.n_key_bits)


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
        masks = self.chunk.list_masks()
        for keys in cut_keys(self.left, self.right, len(masks)):
            yield partial(find_in_balls, self.left, self.right, keys, masks, self.radius, self.left is self.right)


def _list_numbers(width: int, most: int, least: int = 0) -> Indices:
    """List the numbers of ``width`` bits of which ``least`` to ``most`` are set, those of fewer bits first."""
    bit_sets = chain.from_iterable(combinations(range(width), size) for size in range(least, most + 1))
    return np.array([sum(1 << bit for bit in bits) for bits in bit_sets], np.intp)
