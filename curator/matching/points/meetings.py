"""Find points of different pictures that are described alike: some of their bits are looked up among those of all.

Bits that many points have, of an edge or of a texture, say nothing and are left out: what is left is rare.

>>> words = np.random.default_rng(0).integers(0, 1 << 63, (6, 2), dtype=np.uint64)
>>> words[4] = words[1] ^ np.uint64(1 << 40)
>>> starts = np.array([0, 3, 6])
>>> (meetings,) = find_meetings(starts, words, ~words)
>>> meetings.x.tolist(), meetings.y.tolist(), meetings.is_mirrored
([1], [4], False)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from curator.matching.threads import one_thread_a_core

Integers = npt.NDArray[np.int64]
Places = npt.NDArray[np.int32]
Words = npt.NDArray[np.uint64]
_Part = tuple[Places, Words]
"""Points, and their keys."""

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
_AT_ONCE, _LOOKED_UP = 1 << 16, 1 << 18
"""Points whose keys are made together, and that are looked up together: what these take stays in a core's cache."""
_LEAST_BITS, _MOST_BITS = 3, 8
"""Points are looked up a part after the other, by so many of the first bits of their keys."""
_BLOCK = 1 << 22
"""Pairs of a block, at least, if there are as many."""


@dataclass(frozen=True)
class Meetings:
    """Pairs of points described alike, each once, in order; arrays of shape (pairs,).

    ``x`` is of a picture before that of ``y``; ``is_mirrored``: one of them is as the other is in the mirror.
    """

    x: Integers
    y: Integers
    is_mirrored: bool


def find_meetings(starts: Integers, words: Words, mirrored: Words) -> Iterator[Meetings]:
    """Find the points of different pictures that are described alike.

    Args:
        starts: int64, shape (pictures + 1,): where the points of each begin among all; and how many there are.
        words, mirrored: uint64, shape (points, 2).

    Yields:
        Blocks, none of them empty, first the upright ones, then the mirrored; in either, those of one picture with all
        after it are in one.
    """
    picture = np.repeat(np.arange(len(starts) - 1, dtype=np.int32), np.diff(starts))
    n, both, found = max(1, len(picture)), (words, mirrored), (list[Integers](), list[Integers]())
    n_bits = min(_MOST_BITS, max(_LEAST_BITS, (n // _LOOKED_UP).bit_length()))
    with one_thread_a_core() as threads:
        for mask in _MASKS:
            divided = threads.map(partial(_divide, mask=mask, n_bits=n_bits), both)
            for met in threads.map(partial(_meet, picture, both, n_bits), *divided):
                for names, way in zip(met, found, strict=True):
                    way.append(names)
    for is_mirrored, parts in zip((False, True), found, strict=True):
        names = _once(parts)
        end = 0
        while end < len(names):
            last = picture[names[min(end + _BLOCK, len(names)) - 1] // n]
            start, end = end, int(np.searchsorted(names, starts[last + 1] * n))
            x, y = np.divmod(names[start:end], n)
            yield Meetings(x, y, is_mirrored)


def _once(parts: list[Integers]) -> Integers:
    """Join, sort, and leave each out but once; what was to be joined is emptied."""
    names = np.concatenate(parts)
    parts.clear()
    names.sort()
    return np.asarray(names[np.diff(names, prepend=-1) != 0])


def _divide(words: Words, mask: Words, n_bits: int) -> list[_Part]:
    """Return the points of which keys begin with each number of ``n_bits`` bits, in rising order, and their keys."""
    points, keys = ([list[Any]() for _ in range(1 << n_bits)] for _ in range(2))
    for start in range(0, max(1, len(words)), _AT_ONCE):
        own = _make_keys(words[start : start + _AT_ONCE], mask)
        beginnings = (own >> np.uint64(64 - n_bits)).astype(np.uint8)
        order = np.argsort(beginnings, kind="stable")  # bytes are put in order by counting
        ends = np.cumsum(np.bincount(beginnings, minlength=1 << n_bits))[:-1]
        for parts, values in ((points, start + order.astype(np.int32)), (keys, own[order])):
            for part, some in zip(parts, np.split(values, ends), strict=True):
                part.append(some)
    return [(np.concatenate(each), np.concatenate(both)) for each, both in zip(points, keys, strict=True)]


def _meet(
    picture: Places, both: tuple[Words, Words], n_bits: int, upright: _Part, turned: _Part
) -> tuple[Integers, Integers]:
    """Find the pairs of equal keys among some points, as x * n + y: both upright, and y mirrored."""
    n, spare = len(picture), max(len(upright[0]), len(turned[0])).bit_length()
    order, known = _sort(upright, n_bits, spare)
    first = np.flatnonzero(np.append(True, known[1:] != known[:-1])[: len(order)])
    counts = np.diff(np.append(first, len(order)))
    few = counts <= MOST_ALIKE
    order, known, counts = order[np.repeat(few, counts)], known[first[few]], counts[few]
    first, words = np.cumsum(counts) - counts, np.take(both[0], order, axis=0)  # what is compared lies together

    def near(x: Integers, y: Integers, points: Places, described: Words) -> Integers:
        bits = np.bitwise_count(np.take(words, x, axis=0) ^ np.take(described, y, axis=0))
        chosen = bits[:, 0] + bits[:, 1] <= FARTHEST
        one, other = order[x[chosen]].astype(np.int64), points[y[chosen]]
        return np.asarray((one * n + other)[picture[one] < picture[other]])

    met, met_turned = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for count in range(2, MOST_ALIKE + 1):
        runs = first[counts == count]
        met += (near(runs + a, runs + b, order, words) for a, b in combinations(range(count), 2))
    points, place = _look_up(known, *_sort(turned, n_bits, spare))
    described, n_alike, has = np.take(both[1], points, axis=0), counts[place], np.arange(len(points))
    for step in range(MOST_ALIKE):
        has = has[n_alike[has] > step]
        met_turned.append(near(first[place[has]] + step, has, points, described))
    return np.concatenate(met), np.concatenate(met_turned)


def _sort(part: _Part, n_bits: int, spare: int) -> tuple[Places, Words]:
    """Put points into the order of their keys; return these, too, without the first bits and the last ``spare``.

    The places of the points take those: so words are sorted, which is fastest, and nothing is read in another order.
    """
    points, keys = part
    for_places = np.uint64(spare)
    words = keys << np.uint64(n_bits) >> for_places << for_places
    words |= np.arange(len(points), dtype=np.uint64)
    words.sort()
    return points[words & np.uint64((1 << spare) - 1)], words >> for_places


def _look_up(known: Words, points: Places, keys: Words) -> tuple[Places, Integers]:
    """Look keys up among known ones, both in order: the points whose keys are there, and the places of these."""
    if not len(known):
        return points[:0], np.empty(0, np.int64)
    place = np.searchsorted(known, keys).clip(max=len(known) - 1)
    there = known[place] == keys
    return points[there], place[there]


def _make_keys(words: Words, mask: Words) -> Words:
    """Return a number for what points have of a mask's bits: uint64, shape (points,)."""
    keys = np.zeros(len(words), np.uint64)
    for place, factor in enumerate(_FACTORS):
        keys ^= keys >> np.uint64(29)
        keys ^= words[:, place] & mask[place]
        keys *= factor
    return keys
