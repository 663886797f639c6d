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
from curator.matching.pictures import Indices
from curator.matching.points.laid import MANY_VOTES as MANY_VOTES
from curator.matching.points.laid import agree_in_greys
from curator.matching.points.shared import find_shared

MOST = 200_000
"""Most pictures that are compared by points; for each, some 0.04 MB are held while that is done."""
FEW_VOTES = 3
"""Fewest points of a pair that say the same; two are enough if a network holds both alike."""

BoolArray = npt.NDArray[np.bool_]


def find_sharing(
    file: RowFile,
    place: IntArray,
    group: IntArray,
    likely: IntArray,
    is_wanted: Callable[[Indices, Indices], BoolArray],
) -> tuple[Indices, Indices]:
    """Find pairs of contents that share points, and whose greys agree where the points say.

    Args:
        file: of glimpses.
        place: int64, shape (contents,): the row of each in it; -1: it has none.
        group: int64, shape (contents,): those that are one picture, as far as is known, have one number; the one with
            most points stands for all of them, since points that many have say nothing.
        likely: int64: pairs i * contents + j that a network holds alike.
        is_wanted: whether pairs are worth a look.

    Returns:
        i < j, of different groups, each pair once, in order.
    """
    n = len(place)
    known = np.flatnonzero(place >= 0)
    n_points = np.zeros(n, np.int64)
    n_points[known] = file.rows["n_points"][place[known]]
    order = known[np.lexsort((known, -n_points[known], group[known]))]
    stands = np.sort(order[np.diff(group[order], prepend=-1) != 0])
    shared = find_shared(file.rows, place[stands])
    i, j = stands[shared.i], stands[shared.j]
    chosen = (shared.votes >= FEW_VOTES) | np.isin(i * n + j, likely)
    chosen &= is_wanted(i, j)
    shared = shared.where(chosen)
    agreeing = agree_in_greys(file.rows, place[stands], shared)
    names = np.unique(stands[shared.i[agreeing]] * n + stands[shared.j[agreeing]])
    i, j = np.divmod(names, max(1, n))
    return i, j
