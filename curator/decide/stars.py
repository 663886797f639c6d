"""Group matched images as stars: each one dropped was matched to one that is kept, so that no chain merges strangers.

In the chain 0 - 1 - 2, image 1 is dropped for 0, and 2 stays, since it was never matched to 0:

>>> cover_by_stars(np.array([0, 1, 1, 2]), np.array([1, 0, 2, 1]), ranks=np.array([0, 1, 2]))
array([False,  True, False])
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from curator.decide.columns import IntArray

Indices = npt.NDArray[np.intp]


def cover_by_stars(i: Indices, j: Indices, ranks: IntArray) -> npt.NDArray[np.bool_]:
    """Go through the images from the best rank on: one that no kept image matched is kept, and covers all its matches.

    Args:
        i: shape (matches,); every match stands here both ways.
        j: shape (matches,): what each ``i`` was matched to.
        ranks: shape (images,): all different, the smallest is kept first.

    Returns:
        A bool array, shape (images,): true where an image is matched to one that is kept. No two kept images match.
    """
    order = np.argsort(i, kind="stable")
    neighbours = j[order]
    matched, starts = np.unique(i[order], return_index=True)
    ends = np.append(starts[1:], len(neighbours))
    covered = np.zeros(len(ranks), bool)
    for place in np.argsort(ranks[matched]):
        if not covered[matched[place]]:
            covered[neighbours[starts[place] : ends[place]]] = True
    return covered
