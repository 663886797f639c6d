"""Find the pictures that are copies of one another: alike in some orientation, or one a crop of the other.

>>> nothing = Pictures.unpack([], [], [])
>>> len(find_copies(nothing, radius=10, rotations=True).i)
0
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from curator.matching.confirm import confirm_matches
from curator.matching.crops import IsWanted, match_crops
from curator.matching.hamming import Search
from curator.matching.picture_matches import Matches, join_matches, match_pictures
from curator.matching.pictures import BoolArray, Indices, Pictures


def find_copies(
    pictures: Pictures,
    radius: int,
    rotations: bool,
    is_wanted: IsWanted | None = None,
    search: Search | None = None,
) -> Matches:
    """Find all pairs of pictures that are one picture, as far as hashes and luma signatures tell.

    Args:
        pictures: equal ones once.
        radius: the largest distance of two 64-bit hashes, in bits, that gets a closer look.
        rotations: look at all eight orientations; crops are found upright only.
        is_wanted: whether pairs ``i``, ``j`` are worth comparing; without it, all are.
        search: see :func:`curator.matching.picture_matches.match_pictures`.
    """

    def accept(found: Matches) -> BoolArray:
        accepted = np.ones(len(found.i), bool) if is_wanted is None else is_wanted(found.i, found.j)
        accepted[accepted] = confirm_matches(pictures, found.where(accepted))
        return accepted

    alike = match_pictures(pictures.hashes, radius, rotations, accept, search)
    is_new = exclude(alike, len(pictures))
    both = is_new if is_wanted is None else lambda i, j: is_wanted(i, j) & is_new(i, j)
    return join_matches([alike, match_crops(pictures, radius, both, search)])


def exclude(matches: Matches, n: int) -> IsWanted:
    """Want all pairs of ``n`` pictures but those that are matched already, in either order.

    >>> found = Matches(np.array([2]), np.array([0]), np.zeros(1, np.uint8), np.zeros(1, np.uint8))
    >>> exclude(found, 3)(np.array([0, 1]), np.array([2, 2]))
    array([False,  True])
    """

    def name(i: Indices, j: Indices) -> npt.NDArray[np.int64]:
        names = np.minimum(i, j).astype(np.int64)
        names *= n
        names += np.maximum(i, j)
        return names

    known = name(matches.i, matches.j)
    known.sort()  # np.unique takes many times as long

    def is_wanted(i: Indices, j: Indices) -> BoolArray:
        names = name(i, j)
        places = np.searchsorted(known, names)
        return np.asarray(np.take(known, places, mode="clip") != names if len(known) else np.ones(len(names), bool))

    return is_wanted
