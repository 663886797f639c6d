"""Find the images that another data set has already: the same bytes, or the same picture by the rule of dedupe.

>>> rows = {"record_id": ["x-1", "x-2"], "label": ["a", "a"], "source": ["x"] * 2, "kind": ["x"] * 2, "tier": [0] * 2}
>>> table = catalog.conform(pd.DataFrame(rows | {"sha256": ["f" * 64, "e" * 64]}))
>>> others = other_images(["test/1.jpg"], sha256=["e" * 64])
>>> table = drop_elsewhere(table, find_elsewhere(table, others, DedupeSettings()).matches, others)
>>> table[["record_id", "drop_reason", "drop_detail"]].iloc[1].tolist()
['x-2', 'already-elsewhere', 'same bytes as test/1.jpg']
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from curator import catalog
from curator.catalog import Drop, IntArray, Stage, as_arrow
from curator.decide.judged import Judged, Pairs, overrule
from curator.decide.picture_columns import number_pictures, read_pictures
from curator.decide.row_places import drop_rows, find_places
from curator.decide.verdicts import write_evidence, write_likeness
from curator.manifests.settings import DedupeSettings
from curator.matching.copies import find_copies
from curator.matching.hamming import Search, look_up_in
from curator.matching.orientations import ORIENTATIONS, invert_orientation
from curator.matching.picture_matches import Matches, join_matches

HASH_ONLY_BITS = 4
"""Most differing bits if nothing but a 64-bit hash is known, as in a manifest: what is beyond needs confirming."""

COLUMNS = ("sha256", "detail", "phash", "phash_turns", "phash256", "thumbnail")
"""What is compared, as the catalog has it; any of it may be unknown."""


def other_images(names: Sequence[str], files: Sequence[str] = (), **columns: Sequence[Any]) -> pd.DataFrame:
    """Make the table of another data set's images: ``name`` (a path or record id), ``file`` and :data:`COLUMNS`."""
    arrays = {"name": pa.array(names, pa.string())}
    for column in COLUMNS:
        kind = catalog.SCHEMA.field(column).type
        arrays[column] = pa.array(columns[column], kind) if column in columns else pa.nulls(len(names), kind)
    paths = pd.Series(list(files) or [""] * len(names), dtype=object)  # of bytes that are no text, perhaps
    return catalog.from_arrow(pa.table(arrays)).assign(file=paths)


class Elsewhere(NamedTuple):
    """Matches of a row ``i`` of a catalog and a row ``j`` elsewhere, at most one for each ``i``.

    ``n_compared`` is how many different pictures, of both, were compared by hash.
    """

    matches: Matches
    n_compared: int


def find_elsewhere(
    table: pd.DataFrame,
    others: pd.DataFrame,
    settings: DedupeSettings,
    judged: Judged | None = None,
    search: Search | None = None,
) -> Elsewhere:
    """Find the nearest match of each kept image among another data set's images.

    Args:
        table: a catalog.
        others: from :func:`other_images`.
        settings: ``mode`` (by bytes only, unless ``"near"``), ``max_distance`` and ``rotations``, as dedupe takes them.
        judged: what pixels say of pairs of contents.
        search: does the search for near hashes elsewhere; without it, here. The result is the same.

    Returns:
        Pictures match by dedupe's rule if both sides have all hashes; if the others have ``phash`` alone, within
        ``HASH_ONLY_BITS``. Flat pictures match by their bytes only.
    """
    rows = np.flatnonzero(catalog.is_kept(table))
    ours = table.iloc[rows]
    j = find_places(ours["sha256"], others["sha256"])
    i = np.flatnonzero(j >= 0)
    found, n_compared = [Matches.upright(i, j[i])], 0
    if settings.mode == "near":
        numbers, pairs = _number_all(ours, others, judged if settings.rotations or judged is None else judged.upright())
        pictures, there = _Distinct(ours, numbers[: len(ours)]), _Distinct(others, numbers[len(ours) :])
        n_compared = len(pictures) + len(there)
        found += [_same_pictures(pictures, there, settings, pairs, search)]
        found += [_near_hashes(pictures, others, settings, search)]
    nearest = _nearest(join_matches(found))
    return Elsewhere(nearest.renumber(rows, np.arange(len(others))), n_compared)


def drop_elsewhere(table: pd.DataFrame, found: Matches, others: pd.DataFrame) -> pd.DataFrame:
    """Drop the rows of :func:`find_elsewhere`'s matches, with the other's name, the distance and the orientation."""
    details = describe_elsewhere(table, found, others)
    table = write_likeness(table, found.i, found.distance, found.orientation)
    return drop_rows(table, found.i, Stage.DEDUPED, Drop.ALREADY_ELSEWHERE, details)


def describe_elsewhere(table: pd.DataFrame, found: Matches, others: pd.DataFrame) -> list[str]:
    """Say of each match what it is, such as ``2 bits from test/1.jpg, mirrored``."""
    ours, theirs, names = (
        as_arrow(column.iloc[rows], pa.string())
        for column, rows in ((table["sha256"], found.i), (others["sha256"], found.j), (others["name"], found.j))
    )
    texts: list[str] = write_evidence(ours, theirs, names, found.distance, found.orientation).to_pylist()
    return texts


def _number_all(ours: pd.DataFrame, others: pd.DataFrame, judged: Judged | None) -> tuple[IntArray, Pairs | None]:
    """Number the pictures of both, ours first, and return the judged pairs of these numbers."""
    kinds = {name: ours[name].dtype if _is_wide(ours[name]) else others[name].dtype for name in COLUMNS}
    both = pd.concat([one[list(kinds)].astype(kinds) for one in (ours, others)], ignore_index=True)
    numbers = number_pictures(both)
    if judged is None:
        return numbers, None
    numbers = judged.part_equal(both["sha256"], numbers)
    return numbers, judged.among(both["sha256"], numbers)


def _is_wide(column: pd.Series[Any]) -> bool:
    """Say whether a column is of the kind that may have more than two gigabytes: the other one's texts become so."""
    return pa.array(column[:0]).type in catalog.WIDE.values()


class _Distinct:
    """The pictures of a table that can be compared, each once: ``first`` is the row that shows it.

    ``names`` are their numbers, of which ``numbers`` has one for each row; -1: it cannot be compared.
    """

    def __init__(self, table: pd.DataFrame, numbers: IntArray) -> None:
        self.rows = np.flatnonzero(numbers >= 0)
        self.names, places, self.number = np.unique(numbers[self.rows], return_index=True, return_inverse=True)
        self.first = self.rows[places]
        self.pictures = read_pictures(table.iloc[self.first])

    def __len__(self) -> int:
        return len(self.first)

    def spread(self, found: Matches) -> Matches:
        """Match every row that shows a picture, ``i`` of ``found``, with what is nearest to the picture."""
        order = np.lexsort((found.orientation, found.j))  # of equally near ones, the first, in whichever order found
        nearest = _nearest(found.where(order))
        at = np.full(len(self), -1, np.intp)
        at[nearest.i] = np.arange(len(nearest.i))
        have = at[self.number]
        chosen = nearest.where(have[have >= 0])
        return Matches(self.rows[have >= 0], chosen.j, chosen.distance, chosen.orientation)


def _same_pictures(
    ours: _Distinct, others: _Distinct, settings: DedupeSettings, pairs: Pairs | None, search: Search | None
) -> Matches:
    """Match by dedupe's rule: search all pictures together, and confirm those pairs only that cross over."""
    n_ours, pictures = len(ours), ours.pictures.append(others.pictures)
    found = find_copies(
        pictures, settings.max_distance, settings.rotations, lambda i, j: (i < n_ours) != (j < n_ours), search
    )
    if pairs is not None:
        names = np.concatenate([ours.names, others.names])
        found = overrule(found, np.arange(len(names)), names, pairs, pictures)
    found = found.both_ways()
    found = found.where((found.i < n_ours) & (found.j >= n_ours))
    return ours.spread(Matches(found.i, others.first[found.j - n_ours], found.distance, found.orientation))


def _near_hashes(ours: _Distinct, others: pd.DataFrame, settings: DedupeSettings, search: Search | None) -> Matches:
    """Match with images of which only the 64-bit hash is known."""
    bare = np.flatnonzero((others["phash"].notna() & others["phash_turns"].isna()).to_numpy(dtype=bool))
    radius = min(settings.max_distance, HASH_ONLY_BITS)
    hashes, first = np.unique(others["phash"].iloc[bare].to_numpy(dtype=np.uint64), return_index=True)
    if not len(hashes):
        return join_matches([])
    parts, find = [], look_up_in(hashes, radius, len(ours), search)
    for orientation in range(len(ORIENTATIONS) if settings.rotations else 1):
        for found in find(ours.pictures.hashes[:, orientation]):
            inverse = np.full(len(found), invert_orientation(orientation), np.uint8)
            parts.append(Matches(found.i, bare[first[found.j]], found.distance, inverse))
    return ours.spread(join_matches(parts))


def _nearest(found: Matches) -> Matches:
    """Keep the nearest match of each ``i``; of equally near ones the earliest in the list, so the same bytes first."""
    order = np.lexsort((found.distance, found.i))  # stable
    _, first = np.unique(found.i[order], return_index=True)
    return found.where(order[first])
