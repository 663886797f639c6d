"""Group images that must not be divided between train and test: near-duplicates, one author's, one photo page's.

Near-duplicates are pairs at most ``NEAR_BITS`` apart by the 64-bit hash, or ``REORIENTED_BITS`` where one is turned or
mirrored, that the 256-bit hash confirms. Of 1,582 real photos (balls and scenes), all pairs looked at by eye; d64 and
d256 are the two distances:

====  =====  =====================================  =====  ==========================================
d64   pairs  d256                                   d256   what the pictures are
====  =====  =====================================  =====  ==========================================
0-2     137  0 to 10                                0-10   the same picture
4         5  3 9 39 44 100                          38-46  one design: another colour, name or cut-out
6         5  38 90 109 109 113                      60-82  one kind of ball, another print
8        61  43 44 46 60 60 62 …, median 87         > 82   strangers
10      186  42 46 47 48 58 …, median 100
====  =====  =====================================  =====  ==========================================

Known copies of 150 of them, found at d64 <= 8 (share) and their d256 (median, 95th percentile): half size 100% 1 2;
JPEG quality 50 100% 1 4; mirrored 100% 0 2; turned 100% 1 2; contrast 100% 7 13; brightness 97% 14 26; cropped by 2%
99% 16 25, by 5% 92% 39 54, by 10% 36% 70 84. ``CONFIRMED_BITS`` = 48 keeps one design together and no strangers.

The narrower search for turned copies takes a million pictures from 47 seconds of processor time to 12. Of 120 photos
mirrored, or turned by 90 degrees, it finds as many as d64 <= 8 would (all) where nothing else was done to them but JPEG
quality 50 or half size, and with contrast 99% (of 100%), brightness 94% (97%), a crop of 2% 97% (99%), of 5% 57% (80%).
Those beyond are dedupe's to find, which comes first and looks further.

>>> from curator import catalog
>>> rows = {"author": ["Ann", "Bob", "Ann", None, None], "source": ["x"] * 5, "record_id": list("cbade")}
>>> table = catalog.conform(pd.DataFrame(rows | {"label": ["a"] * 5, "kind": ["x"] * 5, "tier": [0] * 5}))
>>> find_leak_groups(table, ("author",))
array([2, 1, 2, 3, 4])
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from curator.catalog import IntArray, number_values, rank_texts, read_bytes
from curator.decide.origins import identify_authors, identify_pages
from curator.matching.components import label_components
from curator.matching.orientations import ORIENTATIONS, orient_hash256
from curator.matching.picture_matches import (
    Indices,
    Matches,
    OrientationHashes,
    find_comparable,
    join_matches,
    match_reoriented,
    match_upright,
    read_orientation_hashes,
)

NEAR_BITS = 8
REORIENTED_BITS = 4
CONFIRMED_BITS = 48
_BLOCK = 1 << 17

Links = tuple[Indices, Indices]


def find_leak_groups(table: pd.DataFrame, group_by: Sequence[str], copies: IntArray | None = None) -> IntArray:
    """Group the rows that must stay on one side of a split.

    Args:
        table: the kept rows of a catalog, of all labels.
        group_by: any of ``"near-duplicate"``, ``"author"``, ``"page"``. What is unknown groups nothing.
        copies: shape (rows,): near-duplicates known already have one number, as from
            :func:`curator.decide.kept_copies.number_kept_copies`; -1: none known.

    Returns:
        int64, shape (rows,): for each row, the row of its group that has the smallest record id.
    """
    finders = {"near-duplicate": _link_near_duplicates, "author": _link_authors, "page": _link_pages}
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        place_later = threads.submit(rank_texts, table["record_id"])
        links = list(threads.map(lambda name: finders[name](table), group_by))
    place: IntArray = place_later.result()
    if copies is not None and "near-duplicate" in group_by:
        links.append(_link_equal(copies))
    i, j = (np.concatenate([np.empty(0, np.intp), *ends]) for ends in (zip(*links, strict=True) if links else ([], [])))
    row_at = np.argsort(place)
    first = label_components(len(table), place[i], place[j])
    return row_at[first[place]]


def _link_authors(table: pd.DataFrame) -> Links:
    return _link_equal(number_values(identify_authors(table)))


def _link_pages(table: pd.DataFrame) -> Links:
    return _link_equal(number_values(identify_pages(table)))


def _link_equal(numbers: IntArray) -> Links:
    """Link each row to the next one of the same number; -1 is equal to nothing."""
    rows = np.flatnonzero(numbers >= 0)
    order = rows[np.argsort(numbers[rows], kind="stable")]
    same = np.flatnonzero(np.diff(numbers[order]) == 0)
    return order[same], order[same + 1]


def _link_near_duplicates(table: pd.DataFrame) -> Links:
    same_bytes = _link_equal(number_values(table["sha256"]))
    rows = np.flatnonzero(find_comparable(table) & table["phash256"].notna().to_numpy(dtype=bool))
    turns = read_orientation_hashes(table["phash_turns"].iloc[rows])
    hashes = read_bytes(table["phash256"].iloc[rows], 32)
    picture = _number_rows(np.hstack([turns.view(np.uint8).reshape(-1, 64), hashes]))
    same_picture = _link_equal(picture)
    _, one_each = np.unique(picture, return_index=True)
    matches = _match(turns[one_each]).renumber(one_each)
    near = matches.where(confirm_by_hash256(matches, hashes))
    i, j = (np.concatenate(ends) for ends in zip(same_picture, (near.i, near.j), strict=True))
    return np.append(same_bytes[0], rows[i]), np.append(same_bytes[1], rows[j])


def _match(turns: OrientationHashes) -> Matches:
    return join_matches([match_upright(turns, NEAR_BITS), match_reoriented(turns, REORIENTED_BITS)])


def _number_rows(values: npt.NDArray[np.uint8]) -> IntArray:
    width = values.shape[1]
    buffer = pa.py_buffer(np.ascontiguousarray(values))
    return number_values(pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(values), [None, buffer]))


def confirm_by_hash256(matches: Matches, hashes: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Tell which matches the 256-bit hashes confirm: at most ``CONFIRMED_BITS`` apart in the orientation that matched.

    Args:
        matches: pairs of pictures; of each, ``i`` looks like ``j`` turned.
        hashes: uint8, shape (pictures, 32).
    """
    confirmed = np.zeros(len(matches.i), bool)
    for turn in range(len(ORIENTATIONS)):
        turned = np.flatnonzero(matches.orientation == turn)
        for start in range(0, len(turned), _BLOCK):
            block = turned[start : start + _BLOCK]
            differing = hashes[matches.i[block]] ^ orient_hash256(hashes[matches.j[block]], turn)
            confirmed[block] = np.bitwise_count(differing).sum(axis=1) <= CONFIRMED_BITS
    return confirmed
