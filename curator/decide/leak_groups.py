"""Group images that must not be divided between train and test: near-duplicates, one author's, one recording's.

Near-duplicates are pairs at most ``NEAR_BITS`` apart by the 64-bit hash, or ``REORIENTED_BITS`` if one is rotated or
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
JPEG quality 50 100% 1 4; mirrored 100% 0 2; rotated 100% 1 2; contrast 100% 7 13; brightness 97% 14 26; cropped by 2%
99% 16 25, by 5% 92% 39 54, by 10% 36% 70 84. ``CONFIRMED_BITS`` = 48 keeps one design together and no strangers.

The narrower search for rotated copies takes a million pictures from 47 seconds of processor time to 12. Of 120 photos
mirrored, or rotated by 90 degrees, it finds as many as d64 <= 8 would (all) if nothing else was done to them but JPEG
quality 50 or half size, and with contrast 99% (of 100%), brightness 94% (97%), a crop of 2% 97% (99%), of 5% 57% (80%).
Those beyond are dedupe's to find, which comes first and looks further.

>>> rows = {"author": ["Ann", "Bob", "Ann", None, None], "source": ["x"] * 5, "record_id": list("cbade")}
>>> table = catalog.conform(pd.DataFrame(rows | {"label": ["a"] * 5, "kind": ["x"] * 5, "tier": [0] * 5}))
>>> find_leak_groups(table, ("author",))
array([2, 1, 2, 3, 4])
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog
from curator.catalog import IntArray, as_arrow, number_values
from curator.decide.judged import Judged
from curator.decide.name_pattern import find_in_names
from curator.decide.origins import identify_authors, identify_groups, identify_pages
from curator.decide.picture_columns import (
    Columns,
    identify_by_parts,
    number_pictures,
    read_orientation_hashes,
    read_pictures,
    take_facts,
)
from curator.decide.recordings import link_bursts, link_frames
from curator.decide.reviews import find_wanted
from curator.decide.row_places import find_places, rank_texts, read_bytes
from curator.manifests.reviews import Key, Review
from curator.manifests.settings import PATTERN, DedupeSettings
from curator.matching.components import label_components, link_equal
from curator.matching.confirm import count_bits256
from curator.matching.copies import find_copies
from curator.matching.picture_matches import join_matches, match_reoriented, match_upright
from curator.matching.pictures import Indices
from curator.matching.sort_order import sort_order

NEAR_BITS = 8
REORIENTED_BITS = 4
CONFIRMED_BITS = 48

Links = tuple[Indices, Indices]


def find_leak_groups(table: Columns, group_by: Sequence[str], copies: IntArray | None = None) -> IntArray:
    """Group the rows that must stay on one side of a split.

    Args:
        table: the kept rows of a catalog, of all labels.
        group_by: any of ``"near-duplicate"``, ``"exact-duplicate"``, ``"author"``, ``"page"``, ``"group"`` (as the
            source says), ``"video"``, ``"burst"``, and ``"pattern "`` with a regular expression for the names of files
            or addresses. What is unknown groups nothing.
        copies: shape (rows,): near-duplicates known already have one number, as from :func:`number_kept_copies`; -1:
            none known.

    Returns:
        int64, shape (rows,): for each row, the row of its group that has the smallest record id.
    """
    finders: dict[str, Callable[[Columns], Links]] = {
        "exact-duplicate": lambda rows: link_equal(number_values(rows["sha256"])),
        "author": lambda rows: link_equal(number_values(identify_by_parts(identify_authors, rows))),
        "page": lambda rows: link_equal(number_values(identify_by_parts(identify_pages, rows))),
        "group": lambda rows: link_equal(number_values(identify_by_parts(identify_groups, rows))),
        "video": link_frames,
        "burst": link_bursts,
    }
    for name in group_by:
        if name.startswith(PATTERN):
            finders[name] = partial(_link_names, pattern=name.removeprefix(PATTERN))
    by_text = sorted({"exact-duplicate" if name == "near-duplicate" else name for name in group_by})
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        place_later = threads.submit(rank_texts, table["record_id"])
        links = list(threads.map(lambda name: finders[name](table), by_text))
    place: IntArray = place_later.result()
    if "near-duplicate" in group_by:  # by itself: the search has threads of its own, and needs the memory
        links.append(_link_near_duplicates(table))
        links.append(link_equal(np.full(len(table), -1) if copies is None else copies))
    links.append(link_equal(number_values(_name_wholes(table))))
    i, j = _join(links)
    row_at = sort_order(place)
    first = label_components(len(table), place[i], place[j])
    return row_at[first[place]]


def _name_wholes(table: Columns) -> pa.Array:
    """Name the picture that each row is a part of, or is, if others are parts of it: they stay together always."""
    sha256, made_of = (as_arrow(table[name], pa.string()) for name in ("sha256", "made_of"))
    return pc.coalesce(made_of.cast(sha256.type), pc.if_else(pc.is_in(sha256, made_of.drop_null()), sha256, None))


def _join(links: Sequence[Links]) -> Links:
    nothing = np.empty(0, np.intp)
    i, j = (np.concatenate(ends) for ends in zip((nothing, nothing), *links, strict=True))
    return i, j


def _link_names(table: Columns, pattern: str) -> Links:
    return link_equal(number_values(find_in_names(table, pattern)))


def _link_near_duplicates(table: Columns) -> Links:
    """Link rows of equal hashes, and of near ones that the 256-bit hashes confirm."""
    picture = number_pictures(table)
    known = np.flatnonzero(picture >= 0)
    first = known[np.unique(picture[known], return_index=True)[1]]
    distinct = take_facts(table, first)
    hashes = read_orientation_hashes(distinct["phash_turns"])
    pa.default_memory_pool().release_unused()  # what texts took: a fifth of a gigabyte of a million rows
    matches = join_matches([match_upright(hashes, NEAR_BITS), match_reoriented(hashes, REORIENTED_BITS)])
    confirmed = count_bits256(read_bytes(distinct["phash256"], 32), matches) <= CONFIRMED_BITS
    near = matches.where(confirmed).renumber(first, first)
    return _join([link_equal(picture), (near.i, near.j)])


def number_kept_copies(
    table: pd.DataFrame,
    settings: DedupeSettings,
    standing: Mapping[Key, Review],
    listed: IntArray | None = None,
    judged: Judged | None = None,
) -> IntArray:
    """Number the copies of one picture that dedupe kept, so that no split puts them on two sides.

    Dedupe looks further than :func:`find_leak_groups` (crops, and hashes that only a luma signature confirms). It drops
    what it finds, unless ``across_labels`` is ``"ignore"``, a person wants both, or both are listed on sides kept.

    Args:
        table: a catalog after dedupe.
        settings: those that dedupe ran with.
        standing: see :func:`curator.manifests.reviews.standing_reviews`.
        listed: see :func:`curator.decide.growth.find_listed_sides`.
        judged: what pixels say: what is linked by pairs that are one picture, dropped ones too, has one number.

    Returns:
        int64, shape (rows,): copies, directly or by others, have one number; -1: no copy of it can be there.

    >>> rows = {"record_id": ["x-1", "x-2"], "label": ["a", "b"], "source": "x", "kind": "x", "tier": 0, "detail": 50.0}
    >>> hashes = {"phash_turns": [bytes(64), bytes([255, 3]) + bytes(62)], "phash256": [bytes(32)] * 2}
    >>> table = catalog.conform(pd.DataFrame(rows | hashes))
    >>> number_kept_copies(table, DedupeSettings(across_labels="ignore"), {}).tolist()
    [0, 0]
    >>> number_kept_copies(table, DedupeSettings(), {}).tolist()
    [-1, -1]
    """
    if settings.mode != "near":
        return np.full(len(table), -1, np.int64)
    may_be_copies = catalog.is_kept(table)
    if settings.across_labels != "ignore":
        may_be_copies = may_be_copies & (find_wanted(table, standing) | (False if listed is None else listed >= 0))
    i, j = _join([_link_hashed(table, np.flatnonzero(may_be_copies), settings), _link_judged(table, judged)])
    numbers = label_components(len(table), i, j)
    numbers[np.bincount(numbers, minlength=len(table))[numbers] < 2] = -1
    return numbers


def _link_hashed(table: pd.DataFrame, rows: Indices, settings: DedupeSettings) -> Links:
    """Link those of some rows that hashes hold to be one picture."""
    rows = rows[number_pictures(take_facts(table, rows)) >= 0]
    if len(rows) < 2:
        return rows[:0], rows[:0]
    found = find_copies(read_pictures(take_facts(table, rows)), settings.max_distance, settings.rotations)
    return rows[found.i], rows[found.j]


def _link_judged(table: pd.DataFrame, judged: Judged | None) -> Links:
    """Link the rows of contents that pixels hold to be one picture, and those of one content, dropped ones too."""
    if judged is None or not len(judged.i):
        return np.empty(0, np.intp), np.empty(0, np.intp)
    content = number_values(table["sha256"])
    pairs = judged.among(table["sha256"], np.where(content < 0, -1, find_places(table["sha256"], table["sha256"])))
    same = pairs.where(pairs.is_one)
    return _join([link_equal(content), (same.i.astype(np.intp), same.j.astype(np.intp))])
