"""Find pictures that are a part of another one: half or a quarter of a collage, or what is within a frame or bars.

The hash of such a part is read off a luma signature, and looked up among the hashes of all. Nothing is said by
that: it is worth a look at the pixels.

>>> from curator.matching.luma_signatures import pack_signatures
>>> from curator.matching.perceptual_hash import hash64, transform
>>> chance = np.random.default_rng(0)
>>> whole, other = np.kron(chance.integers(0, 256, (2, 8, 8), np.uint8), np.ones((4, 4), np.uint8))
>>> collage = np.hstack([other[:, ::2], whole[:, ::2]])
>>> lumas = np.stack([whole, collage, np.pad(whole[::2, ::2], 8)])
>>> hashes = [int(one).to_bytes(8) * 8 for one in hash64(transform(lumas))]
>>> from curator.matching.picture_matches import join_matches
>>> pictures = Pictures.unpack(hashes, [bytes(32)] * 3, pack_signatures(lumas))
>>> found = join_matches(match_parts(pictures, 10, lambda i, j: i != j))
>>> sorted(set(zip(found.i.tolist(), found.j.tolist())))
[(1, 0), (2, 0)]
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import numpy.typing as npt

from curator.matching.crops import IsWanted, sign_coefficients
from curator.matching.hamming import Search, look_up_in
from curator.matching.luma_signatures import SIDE
from curator.matching.perceptual_hash import HashBytes, Hashes64
from curator.matching.picture_matches import Accept, Matches, Owners, expand_pairs
from curator.matching.pictures import Indices, Pictures
from curator.matching.threads import one_thread_a_core

PART_BITS, FRAMED_BITS = 6, 8
"""Of 64: the largest distance of a half or a quarter to the picture there, and of what is within bars: of 120 collages
2 are farther; of frames, letterboxes and padding a quarter."""
LEAST_LIKENESS = 0.8
"""Least correlation of the part with the other picture's signature."""

_BAR_GREYS = 1
"""Most difference, of sixteen greys, of a cell in a bar to the bar's own grey."""
_LEAST_LEFT = 10
"""Fewest cells within bars."""
_MOST_QUERIES = 1 << 22
"""Parts looked up at once, some 80 bytes each: all eight of a million pictures take 315 MB more, and no less time."""
_BLOCK = 512

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_HALVES = ((0, 64), (0, 32), (32, 64))
"""Where the lines of a part begin and end, in half cells."""
_PARTS: Integers = np.array([(down, right) for down in _HALVES for right in _HALVES][1:])


def match_parts(
    pictures: Pictures,
    radius: int,
    is_wanted: IsWanted,
    accept: Accept = lambda found: np.ones(len(found.i), bool),
    search: Search | None = None,
) -> Iterator[Matches]:
    """Find the pairs of pictures of which one may be a part of the other, both upright.

    Args:
        pictures: one without luma signature matches nothing.
        radius: most differing bits between a part's hash and a picture's, at most those above.
        is_wanted: called before a pair is compared.
        accept: called then, with the distance of the pair's hashes, block by block of what is yielded.
        search: see :func:`curator.matching.picture_matches.match_pictures`.

    Yields:
        Matches of a picture i with a part that is like picture j, in blocks: where all look like all, they are many.
    """
    rows = np.flatnonzero(pictures.has_signature)
    blocks = [rows[start : start + _BLOCK] for start in range(0, len(rows), _BLOCK)]
    with one_thread_a_core() as threads:
        hashed = list(threads.map(lambda block: _hash_parts(pictures.read_signatures(block)), blocks))
    if not hashed:
        return
    parts, framed, lines = (np.concatenate(one) for one in zip(*hashed, strict=True))
    within = np.flatnonzero((lines != _HALVES[0]).any(axis=(1, 2)))
    per_search, bits = max(1, _MOST_QUERIES // max(1, len(rows))), min(radius, PART_BITS)
    for first in range(0, len(_PARTS), per_search):
        some = parts[:, first : first + per_search]
        yield from _look_up(pictures, rows, rows, some, bits, is_wanted, accept, _PARTS[None, first:], search)
    bits, some = min(radius, FRAMED_BITS), framed[within, None]
    yield from _look_up(pictures, rows, rows[within], some, bits, is_wanted, accept, lines[within, None], search)


def _look_up(
    pictures: Pictures,
    rows: Indices,
    owners: Indices,
    hashes: Hashes64,
    bits: int,
    is_wanted: IsWanted,
    accept: Accept,
    lines: Integers,
    search: Search | None,
) -> Iterator[Matches]:
    """Look parts of some pictures, shape (owners, parts), up among all, and compare their signatures.

    Args:
        lines: of each part, of shape (owners or 1, parts or more, 2, 2).
    """
    wholes, looks = Owners(pictures.hashes[rows, :1]), Owners(hashes)
    find = look_up_in(wholes.hashes, bits, len(looks.hashes), search)
    every = np.broadcast_to(lines, (len(owners), *lines.shape[1:]))
    for pairs in find(looks.hashes):
        for look, j, distance in expand_pairs(pairs, looks, wholes):
            part, i = np.divmod(look, len(owners))
            left, right = owners[i], rows[j]
            near = np.flatnonzero((left != right) & is_wanted(left, right))
            for some in (near[start : start + _BLOCK] for start in range(0, len(near), _BLOCK)):
                some = some[accept(Matches.upright(left[some], right[some], distance[some]))]
                greys = [pictures.read_signatures(side[some]).astype(np.float64) for side in (left, right)]
                cut_out = _read_parts(greys[0], every[i[some], part[some]])
                some = some[_correlate(cut_out, greys[1]) >= LEAST_LIKENESS]
                yield Matches.upright(left[some], right[some], distance[some])


def _hash_parts(greys: HashBytes) -> tuple[Hashes64, Hashes64, Integers]:
    """Hash the halves and quarters of signatures, (n, 8), and what is within bars, (n,), with its lines, (n, 2, 2)."""
    both = _COSINES @ greys.astype(np.float64) @ _COSINES.T
    both = both.reshape(-1, len(_HALVES), 8, len(_HALVES), 8).swapaxes(2, 3)
    parts = sign_coefficients(both.reshape(-1, 64)).reshape(len(greys), -1)[:, 1:]
    lines = np.stack([_find_bars(greys), _find_bars(greys.swapaxes(1, 2))], axis=1)
    down, right = (_tables()[1][lines[:, side, 0], 2 * SIDE - lines[:, side, 1]] for side in (0, 1))
    framed = sign_coefficients((down @ greys.astype(np.float64) @ right.swapaxes(1, 2)).reshape(-1, 64))
    return parts, framed, lines


def _find_bars(greys: HashBytes) -> Integers:
    """Find the first and the last line within bars of one grey, in half cells: shape (n, 2)."""
    counts = []
    for lines in (greys, greys[:, ::-1]):
        grey = np.median(lines[:, 0], axis=1)[:, None, None]
        is_bar = (np.abs(lines.astype(np.float32) - grey) <= _BAR_GREYS).all(axis=2)
        counts.append(np.where(is_bar.all(axis=1), 0, np.argmin(is_bar, axis=1)))
    both = np.stack(counts, axis=1)
    both[SIDE - both.sum(axis=1) < _LEAST_LEFT] = 0
    edges = 2 * both + (both > 0)  # the bar ends within the next cell
    return np.stack([edges[:, 0], 2 * SIDE - edges[:, 1]], axis=1)


def _read(start: int, end: int) -> Floats:
    """Return the matrix that reads 32 lines between two half cells of a signature: shape (32, 32)."""
    at = (start + (end - start) * (np.arange(SIDE) + 0.5) / SIDE) / 2 - 0.5
    at = at.clip(np.ceil(start / 2), np.floor(end / 2) - 1)
    return np.asarray(np.maximum(0, 1 - np.abs(at[:, None] - np.arange(SIDE))))


def _read_parts(greys: Floats, lines: Integers) -> Floats:
    """Read parts as signatures: shape (n, 32, 32)."""
    down, right = (_tables()[0][lines[:, side, 0], 2 * SIDE - lines[:, side, 1]] for side in (0, 1))
    return np.asarray(down @ greys @ right.swapaxes(1, 2))


def _correlate(one: Floats, other: Floats) -> Floats:
    a, b = (cells.reshape(-1, SIDE**2) - cells.mean(axis=(1, 2))[:, None] for cells in (one, other))
    squares = np.einsum("nk,nk->n", a, a) * np.einsum("nk,nk->n", b, b)
    return np.asarray(np.einsum("nk,nk->n", a, b) / np.sqrt(np.maximum(squares, 1e-6)))


@cache
def _tables() -> tuple[Floats, Floats]:
    """Return the matrices of :func:`_read` by how many half cells are left out at either end; and of low cosines."""
    most = 2 * (SIDE - _LEAST_LEFT) + 2
    nothing = np.zeros((SIDE, SIDE))
    lines = [
        [_read(start, 2 * SIDE - end) if start + end <= most else nothing for end in range(most + 1)]
        for start in range(most + 1)
    ]
    return np.array(lines), _BASIS @ np.array(lines)


_BASIS: Floats = 2 * np.cos(np.pi * np.arange(8)[:, None] * (2 * np.arange(SIDE) + 1) / (2 * SIDE))
_COSINES: Floats = np.concatenate([_BASIS @ _read(*half) for half in _HALVES])
