"""Find the images that another data set has already: the same bytes, or the same picture by the rule of dedupe.

>>> rows = {"record_id": ["x-1", "x-2"], "label": ["a", "a"], "source": ["x"] * 2, "kind": ["x"] * 2, "tier": [0] * 2}
>>> table = catalog.conform(pd.DataFrame(rows | {"sha256": ["f" * 64, "e" * 64]}))
>>> others = other_images(["test/1.jpg"], sha256=["e" * 64])
>>> table = drop_elsewhere(table, find_elsewhere(table, others, DedupeSettings()), others)
>>> table[["record_id", "drop_reason", "drop_detail"]].iloc[1].tolist()
['x-2', 'already-elsewhere', 'same bytes as test/1.jpg']
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog
from curator.catalog import Drop, Stage, as_arrow, number_values
from curator.manifests.recipe import DedupeSettings
from curator.matching.confirm import PictureEvidence
from curator.matching.copies import find_copies
from curator.matching.hamming import find_matches
from curator.matching.orientations import ORIENTATION_PHRASES, ORIENTATIONS, invert_orientation
from curator.matching.picture_matches import Indices, Matches, find_comparable, join_matches, read_orientation_hashes

HASH_ONLY_BITS = 4
"""Most differing bits where nothing but a 64-bit hash is known, as in a manifest: what is beyond needs confirming."""

COLUMNS = ("sha256", "detail", "phash", "phash_turns", "phash256", "thumbnail")
"""What is compared, as the catalog has it; any of it may be unknown."""


def other_images(names: Sequence[str], **columns: Sequence[Any]) -> pd.DataFrame:
    """Make the table of another data set's images: ``name`` (a path or record id) and :data:`COLUMNS`."""
    arrays = {"name": pa.array(names, pa.string())}
    for column in COLUMNS:
        kind = catalog.SCHEMA.field(column).type
        arrays[column] = pa.array(columns[column], kind) if column in columns else pa.nulls(len(names), kind)
    return catalog.from_arrow(pa.table(arrays))


def find_elsewhere(table: pd.DataFrame, others: pd.DataFrame, settings: DedupeSettings) -> Matches:
    """Find the nearest match of each kept image among another data set's images.

    Args:
        table: a catalog.
        others: from :func:`other_images`.
        settings: ``max_distance`` and ``rotations``, as dedupe takes them.

    Returns:
        Matches of a row ``i`` of the catalog and a row ``j`` of ``others``, at most one for each ``i``. Pictures match
        by dedupe's rule where both sides have all hashes; where the others have ``phash`` alone, within
        ``HASH_ONLY_BITS``. Flat pictures match by their bytes only.
    """
    rows = np.flatnonzero(catalog.is_kept(table))
    ours = table.iloc[rows]
    found = [_same_bytes(ours, others), _same_pictures(ours, others, settings), _near_hashes(ours, others, settings)]
    nearest = _nearest(join_matches(found))
    return Matches(rows[nearest.i], nearest.j, nearest.distance, nearest.orientation)


def drop_elsewhere(table: pd.DataFrame, found: Matches, others: pd.DataFrame) -> pd.DataFrame:
    """Drop the rows of :func:`find_elsewhere`'s matches, with the other's name, the distance and the turn."""
    chosen = np.zeros(len(table), bool)
    chosen[found.i] = True
    place = np.full(len(table), -1, np.int64)
    place[found.i] = np.arange(len(found.i))
    spread = pa.array(place, mask=place < 0)
    detail = pa.array(describe_elsewhere(table, found, others), pa.string()).take(spread)
    columns = {
        "distance_bits": pa.array(found.distance, pa.int16()).take(spread),
        "turn": pa.array(ORIENTATIONS).take(pa.array(found.orientation)).take(spread),
    }
    return catalog.drop(
        catalog.with_columns(table, columns), chosen, Stage.DEDUPED, Drop.ALREADY_ELSEWHERE, detail.to_pylist()
    )


def describe_elsewhere(table: pd.DataFrame, found: Matches, others: pd.DataFrame) -> list[str]:
    """Say of each match what it is, such as ``2 bits from test/1.jpg, mirrored``."""
    ours, theirs = table["sha256"].iloc[found.i].tolist(), others["sha256"].iloc[found.j].tolist()
    texts = []
    for mine, its, name, (_, _, bits, turn) in zip(
        ours, theirs, others["name"].iloc[found.j], found.rows(), strict=True
    ):
        if not pd.isna(its) and mine == its:
            texts.append(f"same bytes as {name}")
        else:
            phrase = f", {ORIENTATION_PHRASES[turn]}" if turn else ""
            texts.append(f"{bits} bit{'' if bits == 1 else 's'} from {name}{phrase}")
    return texts


def _matches(i: Indices, j: Indices) -> Matches:
    return Matches(i, j, np.zeros(len(i), np.uint8), np.zeros(len(i), np.uint8))


def _same_bytes(ours: pd.DataFrame, others: pd.DataFrame) -> Matches:
    known = as_arrow(others["sha256"], pa.string())
    place = pc.index_in(as_arrow(ours["sha256"], pa.string()), known, skip_nulls=True)
    j = pc.fill_null(place, -1).to_numpy(zero_copy_only=False).astype(np.intp)
    i = np.flatnonzero(j >= 0)
    return _matches(i, j[i])


def _same_pictures(ours: pd.DataFrame, others: pd.DataFrame, settings: DedupeSettings) -> Matches:
    """Match by dedupe's rule: search all pictures together, and confirm those pairs only that cross over."""
    sides = [_Pictures(ours), _Pictures(others)]
    n_ours = len(sides[0].first)
    evidence = PictureEvidence(
        np.concatenate([side.evidence.hashes for side in sides]),
        pa.concat_arrays([side.evidence.thumbnails for side in sides]),
    )

    turns = np.concatenate([side.turns for side in sides])
    found = find_copies(
        turns,
        evidence,
        settings.max_distance,
        settings.rotations,
        is_wanted=lambda i, j: (i < n_ours) != (j < n_ours),
    ).both_ways()
    found = found.where(found.i < n_ours)
    return sides[0].spread(Matches(found.i, sides[1].first[found.j - n_ours], found.distance, found.orientation))


def _near_hashes(ours: pd.DataFrame, others: pd.DataFrame, settings: DedupeSettings) -> Matches:
    bare = np.flatnonzero((others["phash"].notna() & others["phash_turns"].isna()).to_numpy(dtype=bool))
    mine, radius = _Pictures(ours), min(settings.max_distance, HASH_ONLY_BITS)
    hashes, first = np.unique(others["phash"].iloc[bare].to_numpy(dtype=np.uint64), return_index=True)
    parts = [_matches(np.empty(0, np.intp), np.empty(0, np.intp))]
    for turn in range(len(ORIENTATIONS) if settings.rotations else 1):
        found = find_matches(mine.turns[:, turn], hashes, radius)
        back = np.full(len(found), invert_orientation(turn), np.uint8)
        parts.append(Matches(found.i, bare[first[found.j]], found.distance, back))
    return mine.spread(join_matches(parts))


class _Pictures:
    """The comparable pictures of a table, each once: ``first`` is the row that shows it."""

    def __init__(self, table: pd.DataFrame) -> None:
        self.rows = np.flatnonzero(find_comparable(table) & table["phash256"].notna().to_numpy(dtype=bool))
        images = table.iloc[self.rows]
        hashes = [as_arrow(images[name], pa.binary(size)) for name, size in (("phash_turns", 64), ("phash256", 32))]
        both = pc.binary_join_element_wise(*(column.cast(pa.binary()) for column in hashes), b"")
        _, places, self.number = np.unique(number_values(both), return_index=True, return_inverse=True)
        self.first = self.rows[places]
        self.turns = read_orientation_hashes(images["phash_turns"].iloc[places])
        self.evidence = PictureEvidence.read(images.iloc[places])

    def spread(self, found: Matches) -> Matches:
        """Give the nearest match of a picture, ``i`` of ``found``, to every row that shows it."""
        nearest = _nearest(found)
        at = np.full(len(self.first), -1, np.intp)
        at[nearest.i] = np.arange(len(nearest.i))
        have = at[self.number]
        chosen = have[have >= 0]
        return Matches(self.rows[have >= 0], nearest.j[chosen], nearest.distance[chosen], nearest.orientation[chosen])


def _nearest(found: Matches) -> Matches:
    """Keep the nearest match of each ``i``; of equally near ones the earliest in the list, so the same bytes first."""
    order = np.lexsort((np.arange(len(found.i)), found.distance, found.i))
    _, first = np.unique(found.i[order], return_index=True)
    best = order[first]
    return Matches(found.i[best], found.j[best], found.distance[best], found.orientation[best])
