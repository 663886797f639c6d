"""What dedupe decided about each image, in arrays while it decides, as columns and reasons of the catalog at the end.

>>> verdicts = Verdicts.none(2)
>>> verdicts.give(np.array([1]), EXACT, other=np.array([0]))
>>> verdicts.reason.tolist(), verdicts.other.tolist()
([0, 1], [-1, 0])
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog
from curator.catalog import Drop, IntArray, Stage, as_arrow
from curator.matching.orientations import ORIENTATION_PHRASES, ORIENTATIONS
from curator.matching.picture_matches import Indices, Matches

KEPT, EXACT, NEAR, CONFLICT = range(4)
_REASONS = {EXACT: Drop.EXACT_DUPLICATE, NEAR: Drop.NEAR_DUPLICATE, CONFLICT: Drop.LABEL_CONFLICT}


@dataclass
class Verdicts:
    """One verdict an image: its reason (``KEPT`` …), the other image, and how far and how turned it is against that."""

    reason: npt.NDArray[np.uint8]
    other: Indices
    distance: npt.NDArray[np.uint8]
    orientation: npt.NDArray[np.uint8]

    @classmethod
    def none(cls, n: int) -> Verdicts:
        """Keep all of ``n`` images."""
        distance, turn, reason = (np.zeros(n, np.uint8) for _ in range(3))
        return cls(reason, np.full(n, -1, np.intp), distance, turn)

    def give(self, images: Indices, reason: int, other: Indices) -> None:
        """Drop ``images`` as equal to ``other``, image by image."""
        self.reason[images], self.other[images] = reason, other
        self.distance[images] = self.orientation[images] = 0

    def give_nearest(self, reason: int, matches: Matches, ranks: IntArray) -> None:
        """Drop each image ``i`` of ``matches`` for the nearest ``j``; of equally near ones, that of the best rank."""
        order = np.lexsort((matches.orientation, ranks[matches.j], matches.distance, matches.i))
        images, first = np.unique(matches.i[order], return_index=True)
        chosen = order[first]
        self.reason[images], self.other[images] = reason, matches.j[chosen]
        self.distance[images], self.orientation[images] = matches.distance[chosen], matches.orientation[chosen]

    def follow(self, leaders: Indices, reason: int) -> None:
        """Drop each image that another leads: for its leader where that is kept, else for the leader's own reason."""
        images = np.flatnonzero(leaders != np.arange(len(leaders)))
        leader = leaders[images]
        kept = self.reason[leader] == KEPT
        self.give(images[kept], reason, leader[kept])
        rest, leader = images[~kept], leader[~kept]
        self.reason[rest], self.other[rest] = self.reason[leader], self.other[leader]
        self.distance[rest], self.orientation[rest] = self.distance[leader], self.orientation[leader]


def write_verdicts(table: pd.DataFrame, rows: Indices, verdicts: Verdicts) -> pd.DataFrame:
    """Drop the judged images from the catalog, with their evidence.

    Args:
        table: the catalog.
        rows: shape (images,): the row of each image that was judged.
        verdicts: of these images; ``other`` counts in images, not in rows.
    """
    dropped = np.flatnonzero(verdicts.reason != KEPT)
    at, other = rows[dropped], rows[verdicts.other[dropped]]
    place = np.full(len(table), -1, np.int64)
    place[at] = np.arange(len(at))
    spread = pa.array(place, mask=place < 0)
    distance, turn = verdicts.distance[dropped], verdicts.orientation[dropped]
    columns = {
        "duplicate_of": as_arrow(table["record_id"], pa.string()).take(pa.array(other)).take(spread),
        "distance_bits": pa.array(distance, pa.int16()).take(spread),
        "turn": pa.array(ORIENTATIONS).take(pa.array(turn)).take(spread),
    }
    detail = _describe(table, at, other, verdicts.reason[dropped], distance, turn).take(spread)
    result = catalog.with_columns(table, columns)
    for code, reason in _REASONS.items():
        chosen = np.zeros(len(table), bool)
        chosen[at[verdicts.reason[dropped] == code]] = True
        if chosen.any():
            result = catalog.drop(result, chosen, Stage.DEDUPED, reason, detail)
    return result


def _describe(
    table: pd.DataFrame,
    rows: Indices,
    others: Indices,
    reason: npt.NDArray[np.uint8],
    distance: npt.NDArray[np.uint8],
    turn: npt.NDArray[np.uint8],
) -> pa.Array:
    """Write the evidence of each verdict, such as ``3 bits from imagenet-…, mirrored``."""
    record_ids, sha256s, labels = (as_arrow(table[name], pa.string()) for name in ("record_id", "sha256", "label"))
    at, to = pa.array(rows), pa.array(others)
    same_bytes = pc.fill_null(pc.equal(sha256s.take(at), sha256s.take(to)), False)
    bits = pa.array([f"{n} bit{'' if n == 1 else 's'} from " for n in range(65)]).take(pa.array(distance))
    phrases = pa.array(["", *(f", {phrase}" for phrase in ORIENTATION_PHRASES[1:])]).take(pa.array(turn))
    conflict = pa.array(reason == CONFLICT)
    under = pc.if_else(conflict, pc.binary_join_element_wise(" under label ", labels.take(to), ""), "")
    start = pc.if_else(same_bytes, "same bytes as ", bits)
    return pc.binary_join_element_wise(start, record_ids.take(to), under, phrases, "")
