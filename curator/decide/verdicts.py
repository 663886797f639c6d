"""What dedupe decided about each image: arrays while it decides, then columns and reasons of the catalog, then groups.

>>> verdicts = Verdicts.none(2)
>>> verdicts.drop(np.array([1]), EXACT, other=np.array([0]))
>>> verdicts.reason.tolist(), verdicts.other.tolist()
([0, 1], [-1, 0])
>>> rows = {"record_id": ["x-1", "x-2"], "label": "a", "source": "x", "kind": "x", "tier": 0, "sha256": "f" * 64}
>>> table = write_verdicts(catalog.conform(pd.DataFrame(rows)), np.arange(2), verdicts)
>>> table["drop_reason"][1], table["drop_detail"][1], explain_groups(table)[0]["keeper"]
('exact-duplicate', 'same bytes as x-1', 'x-1')
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog
from curator.catalog import Drop, IntArray, Stage, as_arrow
from curator.decide.judged import measure_bits
from curator.decide.representatives import Chained
from curator.decide.row_places import drop_rows, spread
from curator.matching.orientations import ORIENTATION_PHRASES, ORIENTATIONS
from curator.matching.picture_matches import Matches
from curator.matching.pictures import Indices, Pictures
from curator.matching.sort_order import sort_order
from curator.reasons import COPIES
from curator.text import plural

KEPT, EXACT, NEAR, CONFLICT = range(4)
_REASONS = {EXACT: Drop.EXACT_DUPLICATE, NEAR: Drop.NEAR_DUPLICATE, CONFLICT: Drop.LABEL_CONFLICT}

SmallInts = npt.NDArray[np.uint8]

_AT_ONCE = 1 << 20
_NONE = np.uint64((1 << 64) - 1)


@dataclass
class Verdicts:
    """One verdict an image: its reason (``KEPT`` …), the other image, and the distance and orientation against that.

    ``via`` is the image by way of which the other one was found; -1: none, the two were compared.
    """

    reason: SmallInts
    other: Indices
    distance: SmallInts
    orientation: SmallInts
    via: Indices

    @classmethod
    def none(cls, n: int) -> Verdicts:
        """Keep all of ``n`` images."""
        distance, orientation, reason = (np.zeros(n, np.uint8) for _ in range(3))
        return cls(reason, np.full(n, -1, np.intp), distance, orientation, np.full(n, -1, np.intp))

    def drop(self, images: Indices, reason: int, other: Indices) -> None:
        """Drop ``images`` as equal to ``other``, image by image."""
        self.reason[images], self.other[images] = reason, other
        self.distance[images] = self.orientation[images] = 0

    def drop_for_nearest(self, reason: int, matches: Matches, ranks: IntArray) -> None:
        """Drop each image ``i`` of ``matches`` for the nearest ``j``; of equally near ones, that of the best rank.

        ``ranks`` are the numbers from 0, each once.
        """
        nearest = np.full(len(ranks), _NONE, np.uint64)
        for start in range(0, len(matches.i), _AT_ONCE):
            part = matches.where(slice(start, start + _AT_ONCE))
            place = ranks[part.j].astype(np.uint64) << np.uint64(3) | part.orientation  # one of eight orientations
            np.minimum.at(nearest, part.i, part.distance.astype(np.uint64) << np.uint64(56) | place)
        images = np.flatnonzero(nearest != _NONE)
        found, by_rank = nearest[images], sort_order(ranks)
        rank = (found & np.uint64((1 << 56) - 1)) >> np.uint64(3)
        self.reason[images], self.other[images] = reason, by_rank[rank.astype(np.intp)]
        self.distance[images], self.orientation[images] = found >> np.uint64(56), found & np.uint64(7)
        self.via[images] = -1

    def drop_chained(self, reason: int, chained: Chained, pictures: Pictures) -> None:
        """Drop images that only chains reach."""
        images = np.array(list(chained), np.intp)
        first, via, turned = np.array([*chained.values()], np.intp).reshape(-1, 3).T
        orientation = turned.astype(np.uint8)
        self.reason[images], self.other[images], self.via[images] = reason, first, via
        self.distance[images], self.orientation[images] = (
            measure_bits(pictures, images, first, orientation),
            orientation,
        )

    def drop_for_leaders(self, leaders: Indices, reason: int) -> None:
        """Drop each image that another leads: for its leader if that is kept, else for the leader's own reason."""
        images = np.flatnonzero(leaders != np.arange(len(leaders)))
        leader = leaders[images]
        kept = self.reason[leader] == KEPT
        self.drop(images[kept], reason, leader[kept])
        rest, leader = images[~kept], leader[~kept]
        for column in (self.reason, self.other, self.distance, self.orientation, self.via):
            column[rest] = column[leader]


def write_verdicts(table: pd.DataFrame, rows: Indices, verdicts: Verdicts) -> pd.DataFrame:
    """Drop the judged images from the catalog, with their evidence.

    Args:
        table: the catalog.
        rows: shape (images,): the row of each image that was judged.
        verdicts: of these images; ``other`` counts in images, not in rows.
    """
    dropped = np.flatnonzero(verdicts.reason != KEPT)
    at, other = rows[dropped], pa.array(rows[verdicts.other[dropped]])
    reason, distance, orientation = verdicts.reason[dropped], verdicts.distance[dropped], verdicts.orientation[dropped]
    record_ids, sha256s, labels = (as_arrow(table[name], pa.string()) for name in ("record_id", "sha256", "label"))
    under = pc.binary_join_element_wise(" under label ", as_arrow(labels.take(other), pa.string()), "")
    others = as_arrow(record_ids.take(other), pa.string())  # of a wide column, too, texts that can be joined
    names = pc.binary_join_element_wise(others, pc.if_else(pa.array(reason == CONFLICT), under, ""), "")
    details = write_evidence(sha256s.take(pa.array(at)), sha256s.take(other), names, distance, orientation)
    via = verdicts.via[dropped]
    way = pc.binary_join_element_wise(", by way of ", as_arrow(record_ids.take(pa.array(rows[via])), pa.string()), "")
    details = pc.binary_join_element_wise(details, pc.if_else(pa.array(via >= 0), way, ""), "")
    table = write_likeness(table, at, distance, orientation)
    table = catalog.with_columns(table, {"duplicate_of": spread(others, at, len(table))})
    for code, drop_reason in _REASONS.items():
        chosen = np.flatnonzero(reason == code)
        if len(chosen):
            table = drop_rows(table, at[chosen], Stage.DEDUPED, drop_reason, details.take(pa.array(chosen)))
    return table


def write_likeness(table: pd.DataFrame, rows: Indices, distance: SmallInts, orientation: SmallInts) -> pd.DataFrame:
    """Write how far the images of these rows are from others, and in which orientation."""
    turns = pa.array(ORIENTATIONS).take(pa.array(orientation))
    values = {"distance_bits": pa.array(distance, pa.int16()), "turn": turns}
    return catalog.with_columns(table, {name: spread(one, rows, len(table)) for name, one in values.items()})


def write_evidence(
    sha256: pa.Array, other_sha256: pa.Array, other_name: pa.Array, distance: SmallInts, orientation: SmallInts
) -> pa.Array:
    """Say what each image is to another one, such as ``3 bits from x-1, mirrored`` or ``same bytes as x-1``."""
    same_bytes = pc.fill_null(pc.equal(sha256, other_sha256), False)
    bits = pa.array([f"{plural(n, 'bit')} from " for n in range(65)]).take(pa.array(distance))
    phrases = pa.array(["", *(f", {phrase}" for phrase in ORIENTATION_PHRASES[1:])]).take(pa.array(orientation))
    return pc.binary_join_element_wise(pc.if_else(same_bytes, "same bytes as ", bits), other_name, phrases, "")


_TOLD_OF_COPIES = ("drop_reason", "distance_bits", "turn", "width", "height", "file")


def explain_groups(table: pd.DataFrame) -> list[dict[str, Any]]:
    """List the groups of a deduplicated catalog, largest first: who is kept, and its copies, nearest first.

    Returns:
        One dict a group: ``keeper``, ``label``, ``width``, ``height`` and ``copies``, a list of dicts with
        ``record_id``, ``drop_reason``, ``distance_bits``, ``turn``, ``width`` and ``height``, each with its ``file``,
        what a folder or table calls it; None: not known.
    """
    table = table.assign(file=table["source_id"].where(table["local_path"].notna()))
    rows = table.astype(object).where(table.notna(), None).set_index("record_id", drop=False)
    is_copy = rows["drop_reason"].isin(list(map(str, COPIES)))
    groups: list[dict[str, Any]] = []
    for record_id, members in rows[is_copy].groupby("duplicate_of", sort=True):
        copies = members[["record_id", *_TOLD_OF_COPIES]].to_dict("records")
        copies.sort(key=lambda copy: (copy["distance_bits"] or 0, copy["record_id"]))
        kept = {name: rows.at[record_id, name] for name in ("label", "width", "height", "file")}
        groups.append({"keeper": record_id, **kept, "copies": copies})
    return sorted(groups, key=lambda group: (-len(group["copies"]), group["keeper"]))
