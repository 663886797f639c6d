"""Find points of different pictures that are described alike: some of their bits are looked up among those of all.

Bits that many points have, of an edge or of a texture, say nothing and are left out: what is left is rare.

>>> words = np.random.default_rng(0).integers(0, 1 << 63, (6, 2), dtype=np.uint64)
>>> words[4] = words[1] ^ np.uint64(1 << 40)
>>> starts = np.array([0, 3, 6])
>>> meetings = find_meetings(starts, words, ~words)
>>> meetings.x.tolist(), meetings.y.tolist(), meetings.is_mirrored.tolist()
([1], [4], [False])
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from curator.matching.threads import one_thread_a_core

Integers = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]

_MASKS = np.frombuffer(
    bytes.fromhex(
        "b3b0106614c3800ae004074ce222a5410231706c28740021a0693707f8804d04032129c03508106d5604a04187505b72"
        "1a709c6ca84d03842051a2910c098868de302217128b6814052290420a08f503c80212be81e390914491c06042019857"
        "685091a0d621c46073210244d1206a266320c1a308568089ebf0708064481504"
    ),
    "<u8",
).reshape(-1, 2)
"""Eight times 44 of 128 bits, drawn at random."""
_FACTORS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], np.uint64)
MOST_ALIKE = 8
"""Most points that have these bits: of more, all are left out."""
FARTHEST = 10
"""Most bits, of 128, in which two points that meet differ. Half of a copy's points differ in 8 at most."""
_AT_ONCE = 1 << 20
"""Points that are looked up together, and pairs that are compared."""
_MANY = 1 << 23
"""Of more points, one mask after the other is looked up: each takes 64 bytes a point while it is."""


@dataclass(frozen=True)
class Meetings:
    """Pairs of points described alike, each once, in order; arrays of shape (pairs,).

    ``x`` is of a picture before that of ``y``; ``is_mirrored``: one of them is as the other is in the mirror.
    """

    x: Integers
    y: Integers
    is_mirrored: npt.NDArray[np.bool_]


def find_meetings(starts: Integers, words: Words, mirrored: Words) -> Meetings:
    """Find the points of different pictures that are described alike.

    Args:
        starts: int64, shape (pictures + 1,): where the points of each begin among all; and how many there are.
        words, mirrored: uint64, shape (points, 2).
    """
    picture = np.repeat(np.arange(len(starts) - 1, dtype=np.int32), np.diff(starts))
    upright, turned = list[Integers](), list[Integers]()
    with one_thread_a_core(1 if len(picture) > _MANY else None) as threads:
        for one, other in threads.map(lambda mask: _meet(picture, words, mirrored, mask), _MASKS):
            upright.append(one)
            turned.append(other)
    n = max(1, len(picture))
    both = [_once(names) for names in (upright, turned)]
    x, y = np.divmod(np.concatenate(both), n)
    return Meetings(x, y, np.repeat([False, True], [len(names) for names in both]))


def _once(parts: list[Integers]) -> Integers:
    names = np.sort(np.concatenate(parts))
    return np.asarray(names[np.diff(names, prepend=-1) != 0])


def _meet(picture: npt.NDArray[np.int32], words: Words, mirrored: Words, mask: Words) -> tuple[Integers, Integers]:
    """Find the pairs with the bits of one mask in common, as x * n + y: upright, and mirrored."""
    n = len(picture)
    keys = _make_keys(words, mask)
    order = np.argsort(keys)
    keys = keys[order]
    first = np.flatnonzero(np.append(True, keys[1:] != keys[:-1])[:n])
    counts = np.diff(np.append(first, n))

    def near(x: Integers, y: Integers, others: Words) -> Iterator[Integers]:
        for start in range(0, len(x), _AT_ONCE):
            one, other = x[start : start + _AT_ONCE], y[start : start + _AT_ONCE]
            chosen = picture[one] < picture[other]
            one, other = one[chosen], other[chosen]
            bits = np.bitwise_count(words[one] ^ others[other]).sum(axis=1, dtype=np.int16)
            yield np.asarray(one[bits <= FARTHEST] * n + other[bits <= FARTHEST])

    upright = [np.empty(0, np.int64)]
    for count in range(2, MOST_ALIKE + 1):
        runs = first[counts == count]
        for a, b in combinations(range(count), 2):
            x, y = order[runs + a], order[runs + b]
            is_later = picture[x] > picture[y]
            upright += near(np.where(is_later, y, x), np.where(is_later, x, y), words)
    few = counts <= MOST_ALIKE
    known, first, counts = keys[first[few]], first[few], counts[few]
    turned = [np.empty(0, np.int64)]
    for y, place in _look_up(known, mirrored, mask):
        for step in range(MOST_ALIKE):
            has = counts[place] > step
            turned += near(order[first[place[has]] + step], y[has], mirrored)
    return np.concatenate(upright), np.concatenate(turned)


def _look_up(known: Words, words: Words, mask: Words) -> Iterator[tuple[Integers, Integers]]:
    """Look points up among known keys, block by block: which are there, and the places of their keys."""
    for start in range(0, len(words) if len(known) else 0, _AT_ONCE):
        keys = _make_keys(words[start : start + _AT_ONCE], mask)
        order = np.argsort(keys)
        place = np.searchsorted(known, keys[order]).clip(max=len(known) - 1)
        there = known[place] == keys[order]
        yield start + order[there], place[there]


def _make_keys(words: Words, mask: Words) -> Words:
    """Return a number for what points have of a mask's bits: uint64, shape (points,)."""
    keys = np.zeros(len(words), np.uint64)
    for place, factor in enumerate(_FACTORS):
        keys = (keys ^ (words[:, place] & mask[place])) * factor
        keys ^= keys >> np.uint64(29)
    return keys
