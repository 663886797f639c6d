"""Pairs of contents that share points: strong crops, cut-outs, parts of collages, whatever is written on or put around.

>>> MOST
100000
"""

from __future__ import annotations

import numpy as np

from curator.catalog import IntArray
from curator.embed.row_file import RowFile
from curator.matching.components import label_components
from curator.matching.neighbours import IsWanted
from curator.matching.pictures import Indices
from curator.matching.points.laid import agree_where_laid
from curator.matching.points.shared import find_shared

MOST = 100_000
"""Most pictures that are compared by points: for each, some 0.04 MB are held while that is done."""
BY_HASH_ONLY = (
    f"Among more than {MOST:,} different pictures, copies are looked for by hash alone: those whose hashes are far "
    "apart (cropped by a fifth and more, cut out, with a caption or large text, rotated by some degrees) are not found."
)
STAND_INS = 3
"""Most contents that stand for all that are known to be one picture."""


def find_sharing(
    file: RowFile,
    place: IntArray,
    known: tuple[IntArray, IntArray],
    copies: tuple[IntArray, IntArray],
    is_wanted: IsWanted | None,
) -> tuple[Indices, Indices]:
    """Find pairs of contents that share points, of which more agree where the one is laid over the other.

    Args:
        file: of glimpses.
        place: int64, shape (contents,): the row of each in it; -1: it has none.
        known: pairs i < j of contents that are judged already.
        copies: those of them that are one picture as a whole.
        is_wanted: whether pairs are worth a look; without it all are.

    Returns:
        i < j, not known yet, each pair once, in order.
    """
    n = max(1, len(place))
    stands = _choose(file, place, copies)
    shared = find_shared(file.rows, place[stands])
    i, j = stands[shared.i], stands[shared.j]
    names = i * n + j
    chosen = ~np.isin(names, known[0] * n + known[1])
    if is_wanted:
        chosen &= is_wanted(i, j)
    deserves = agree_where_laid(file.rows, place[stands], shared.where(chosen))
    i, j = np.divmod(np.unique(names[chosen][deserves]), n)
    return i, j


def _choose(file: RowFile, place: IntArray, copies: tuple[IntArray, IntArray]) -> IntArray:
    """Choose who stands for the copies of a picture, since points that many have say nothing: who has most copies."""
    n = len(place)
    group, known = label_components(n, *copies), np.flatnonzero(place >= 0)
    n_copies = np.bincount(np.concatenate(copies), minlength=n)[known]
    n_points = file.rows["n_points"][place[known]].astype(np.int64)
    order = known[np.lexsort((known, -n_points, -n_copies, group[known]))]
    first = np.flatnonzero(np.diff(group[order], prepend=-1))
    rank = np.arange(len(order)) - np.repeat(first, np.diff(np.append(first, len(order))))
    return np.sort(order[rank < STAND_INS])
