"""Find the pictures that are copies of one another: alike in some orientation, or one a crop of the other.

>>> nothing = PictureEvidence(np.empty((0, 32), np.uint8), pa.array([], pa.binary(SIGNATURE_BYTES)))
>>> len(find_copies(np.empty((0, 8), np.uint64), nothing, radius=10, rotations=True).i)
0
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa  # noqa: F401 (for the doctest)

from curator.matching.confirm import PictureEvidence, confirm_matches
from curator.matching.crops import IsWanted, match_crops, unlike
from curator.matching.luma_signatures import SIGNATURE_BYTES as SIGNATURE_BYTES
from curator.matching.picture_matches import Matches, OrientationHashes, join_matches, match_pictures


def find_copies(
    turns: OrientationHashes, evidence: PictureEvidence, radius: int, rotations: bool, is_wanted: IsWanted | None = None
) -> Matches:
    """Find all pairs of pictures that are one picture, as far as hashes and thumbnails tell.

    Args:
        turns: uint64, shape (n, 8), from the catalog's ``phash_turns``; equal pictures once.
        evidence: of the same pictures.
        radius: the largest distance of two 64-bit hashes, in bits, that gets a closer look.
        rotations: look at all eight orientations; crops are found upright only.
        is_wanted: tells of pairs ``i``, ``j`` whether they are worth comparing; all are where it is not given.
    """

    def agree(found: Matches) -> npt.NDArray[np.bool_]:
        agreed = np.ones(len(found.i), bool) if is_wanted is None else is_wanted(found.i, found.j)
        near = found.where(agreed)
        agreed[agreed] = confirm_matches(evidence, near.i, near.j, near.orientation)
        return agreed

    alike = match_pictures(turns, radius, rotations, agree)
    is_new = unlike(alike, len(turns))
    both = is_new if is_wanted is None else lambda i, j: is_wanted(i, j) & is_new(i, j)
    return join_matches([alike, match_crops(evidence, turns[:, 0], radius, both)])
