"""Pairs of contents that share points: strong crops, cut-outs, parts of collages, whatever is written on or put around.

>>> MANY_VOTES > FEW_VOTES
True
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from curator.catalog import IntArray
from curator.embed.row_file import RowFile
from curator.matching.components import label_components
from curator.matching.pictures import Indices
from curator.matching.points.laid import MANY_VOTES as MANY_VOTES
from curator.matching.points.laid import agree_in_greys
from curator.matching.points.shared import find_shared

MOST = 200_000
"""Most pictures that are compared by points; for each, some 0.04 MB are held while that is done."""
FEW_VOTES = 3
"""Fewest points of a pair that say the same; two are enough if a network holds both alike."""

STAND_INS = 3
"""Most contents that stand for all that are known to be one picture."""

BoolArray = npt.NDArray[np.bool_]


def find_sharing(
    file: RowFile,
    place: IntArray,
    copies: tuple[IntArray, IntArray],
    likely: IntArray,
    is_wanted: Callable[[Indices, Indices], BoolArray],
) -> tuple[Indices, Indices]:
    """Find pairs of contents that share points, and whose greys agree where the points say.

    Args:
        file: of glimpses.
        place: int64, shape (contents,): the row of each in it; -1: it has none.
        copies: pairs of contents that are known to be one picture.
        likely: int64: pairs i * contents + j that a network holds alike.
        is_wanted: whether pairs are worth a look.

    Returns:
        i < j, not known to be one picture by others either, each pair once, in order.
    """
    n = len(place)
    group = label_components(n, *copies)
    stands = _choose(file, place, copies, group)
    shared = find_shared(file.rows, place[stands])
    i, j = stands[shared.i], stands[shared.j]
    chosen = (shared.votes >= FEW_VOTES) | np.isin(i * n + j, likely)
    shared = shared.where(chosen & (group[i] != group[j]) & is_wanted(i, j))
    agreeing = agree_in_greys(file.rows, place[stands], shared)
    names = np.unique(stands[shared.i[agreeing]] * n + stands[shared.j[agreeing]])
    i, j = np.divmod(names, max(1, n))
    return i, j


def _choose(file: RowFile, place: IntArray, copies: tuple[IntArray, IntArray], group: IntArray) -> IntArray:
    """Choose who stands for the copies of a picture, since points that many have say nothing: who has most copies."""
    n = len(place)
    known = np.flatnonzero(place >= 0)
    n_copies = np.bincount(np.concatenate(copies), minlength=n)[known]
    n_points = file.rows["n_points"][place[known]].astype(np.int64)
    order = known[np.lexsort((known, -n_points, -n_copies, group[known]))]
    first = np.flatnonzero(np.diff(group[order], prepend=-1))
    rank = np.arange(len(order)) - np.repeat(first, np.diff(np.append(first, len(order))))
    return np.sort(order[rank < STAND_INS])
