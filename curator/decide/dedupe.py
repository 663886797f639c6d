"""Find images that are the same picture, and drop all but one of each: exact copies, label conflicts, near-duplicates.

>>> rows = {"record_id": ["x-1", "x-2"], "label": ["a", "a"], "source": ["x"] * 2, "kind": ["x"] * 2, "tier": [0] * 2}
>>> table = catalog.conform(pd.DataFrame(rows | {"sha256": ["f" * 64] * 2}))
>>> table = find_duplicates(table, DedupeSettings(), labels=("a", "b"))
>>> table[["record_id", "duplicate_of", "drop_reason", "drop_detail"]].iloc[1].tolist()
['x-2', 'x-1', 'exact-duplicate', 'same bytes as x-1']
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from curator import catalog
from curator.catalog import BoolArray, IntArray, number_values
from curator.decide.chains import Ties
from curator.decide.flaws import COMPOSED, rate_flaws
from curator.decide.judged import Judged, Pairs, overrule
from curator.decide.picture_columns import Facts, number_pictures, read_pictures, take_facts
from curator.decide.representatives import (
    find_conflicts,
    find_covered,
    find_leaders,
    link_across_labels,
    put_first,
    rank_representatives,
)
from curator.decide.row_places import rank_among
from curator.decide.verdicts import CONFLICT, EXACT, KEPT, NEAR, Verdicts, write_verdicts
from curator.manifests.settings import DedupeSettings
from curator.matching import picture_matches
from curator.matching.copies import find_copies
from curator.matching.hamming import Search
from curator.matching.picture_matches import Matches, join_matches, limit_radius
from curator.matching.pictures import Indices, Pictures
from curator.reasons import SPLITS

N_COMPARED = "pictures compared"
"""Which of ``attrs`` of the table after :func:`find_duplicates` counts them, those of equal hashes once a label."""


def find_duplicates(
    table: pd.DataFrame,
    settings: DedupeSettings,
    labels: Sequence[str],
    sources: Sequence[str] = (),
    is_protected: BoolArray | None = None,
    is_member: BoolArray | None = None,
    listed: IntArray | None = None,
    judged: Judged | None = None,
    search: Search | None = None,
) -> pd.DataFrame:
    """Drop every kept image that is a copy of another one, or that contradicts another one's label.

    Pixels decide; of a pair not judged, hashes. One without hash, or under ``FLAT_DETAIL``, matches by its bytes only.

    Args:
        table: a catalog.
        settings: ``mode`` (``"exact"``: by bytes only; ``"off"``: nothing is a copy), ``max_distance`` in bits,
            ``rotations``, ``across_labels`` and ``keep``.
        labels, sources: in the recipe's order; the first wins by ``across_labels = "keep-first"``, ``keep = "first"``.
        is_protected: shape (rows,): rows that a person wants: kept first, dropped only for the same bytes and label.
        is_member: shape (rows,): rows that are in a manifest: kept before the others, so that growth replaces none.
        listed: the sides that are kept (:func:`curator.decide.growth.find_listed_sides`): an image of one is no copy of
            an image of another one, and never a copy of one without a side.
        judged: what pixels say of pairs of contents.
        search: searches near hashes elsewhere; without it, here. The result is the same.

    Returns:
        The catalog with the copies dropped, and ``duplicate_of``, ``distance_bits`` and ``turn`` (the orientation of
        the dropped image against the other) filled. It does not depend on the order of the rows.
    """
    rows, nobody = np.flatnonzero(catalog.is_kept(table)), np.zeros(len(table), bool)
    protected, members = (nobody if given is None else given for given in (is_protected, is_member))
    side, kept = np.full(len(table), -1, np.int64) if listed is None else listed, take_facts(table, rows)
    flaws = None if judged is None else rate_flaws(judged, kept["sha256"])
    images = _read_images(table, kept, settings, labels, sources, flaws, protected[rows], members[rows], side[rows])
    verdicts, n_compared = _judge(*_apply(judged, images, kept["sha256"], settings), settings, search)
    table = write_verdicts(table, rows, verdicts)
    table.attrs[N_COMPARED] = n_compared
    return table


def describe_narrower(n: int, settings: DedupeSettings) -> tuple[str, ...]:
    """Say within how many bits copies were looked for among ``n`` pictures, if that is less than the setting."""
    radius = settings.max_distance
    for limit, which, bits in (
        (picture_matches.VERY_MANY, "copies", limit_radius(radius, n)),
        (picture_matches.MANY, "rotated and mirrored copies", limit_radius(radius, n, reoriented=settings.rotations)),
    ):
        if bits < radius:
            among = f"Among more than {limit:,} different pictures, {which} are looked for"
            return (f"{among} within {bits} bits, not {radius}.",)
    return ()


def _read_images(
    table: pd.DataFrame,
    images: Facts,
    settings: DedupeSettings,
    labels: Sequence[str],
    sources: Sequence[str],
    flaws: IntArray | None,
    protected: BoolArray,
    members: BoolArray,
    side: IntArray,
) -> _Images:
    """Read the images to judge; the arrays are as for :func:`find_duplicates`, of these rows."""
    unknown = np.full(len(images), -1, np.int64)
    with ThreadPoolExecutor(2) as beside:  # of millions, each of them sorts or counts on one core for long
        ranks = beside.submit(rank_representatives, images, settings.keep, sources, flaws)
        by_hash = beside.submit(lambda: number_pictures(images) if settings.mode == "near" else unknown)
        content = number_values(images["sha256"]) if settings.mode != "off" else unknown
    label = rank_among(images["label"], labels)
    rank = put_first(put_first(ranks.result(), members), side >= 0)
    return _Images(
        label=label.astype(np.min_scalar_type(-int(label.max(initial=0)) - 1)),  # read for each of millions of matches
        side=_join_sides(side, content),
        rank=put_first(rank, protected),
        content=content,
        picture=by_hash.result(),
        table=table,
        rows=np.asarray(images.rows, np.intp),
        protected=protected,
        settled=protected | members | (side >= 0),
        composed=np.zeros(len(images), bool) if flaws is None else flaws & COMPOSED > 0,
    )


def _apply(
    judged: Judged | None, images: _Images, sha256s: pd.Series[Any], settings: DedupeSettings
) -> tuple[_Images, Pairs | None]:
    """Part what hashes alone hold equal, and return the judged pairs of the pictures that there are then."""
    if judged is None or settings.mode != "near":
        return images, None
    judged = judged if settings.rotations else judged.upright()
    images = dataclasses.replace(images, picture=judged.part_equal(sha256s, images.picture))
    return images, judged.among(sha256s, images.picture)


@dataclass(frozen=True)
class _Images:
    """The images to judge: each one's label, side (-1: none), rank, and the numbers of its bytes and of its picture.

    What is protected is dropped for the same bytes alone; what is settled, for what it was matched to itself alone; no
    chain goes on from what is composed.
    """

    label: IntArray
    side: IntArray
    rank: IntArray
    content: IntArray
    picture: IntArray
    table: pd.DataFrame
    rows: Indices
    protected: BoolArray
    settled: BoolArray
    composed: BoolArray

    def __len__(self) -> int:
        return len(self.label)

    def read_pictures(self, chosen: Indices | slice = slice(None)) -> Pictures:
        """Read the pictures of all images, or of the chosen ones: a hundred bytes each, so they are not held."""
        return read_pictures(self.table).take(self.rows[chosen])

    def lead(self, groups: IntArray) -> Indices:
        """Return, for each image, the best one of its group, label and side; a group of -1 is one image."""
        n_labels, n_sides = int(self.label.max(initial=0)) + 1, len(SPLITS) + 1
        own = (groups * n_labels + self.label) * n_sides + self.side + 1
        return find_leaders(np.where(groups < 0, -1, own), self.rank)


def _join_sides(side: IntArray, content: IntArray) -> IntArray:
    """Give an image without a side that of an image of the same bytes, the first one: it is a copy of that."""
    if (side < 0).all():
        return side
    has_side = np.flatnonzero((side >= 0) & (content >= 0))
    least = np.full(int(content.max(initial=0)) + 1, len(SPLITS))
    np.minimum.at(least, content[has_side], side[has_side])
    joined = np.where(content >= 0, least[content], len(SPLITS))
    return np.where((side < 0) & (joined < len(SPLITS)), joined, side)


def _judge(
    images: _Images, pairs: Pairs | None, settings: DedupeSettings, search: Search | None
) -> tuple[Verdicts, int]:
    """Judge label conflicts (one picture or the same bytes under two labels) before near-duplicates among the rest.

    A copy shares the fate of the image that leads it: an exact copy of a conflicted picture is in that
    conflict too, and one of a near-duplicate points at the image that is kept in the end, as a near-duplicate itself.

    Returns:
        The verdicts, and how many images were compared by hash.
    """
    verdicts = Verdicts.none(len(images))
    by_content = images.lead(images.content)
    is_first = by_content == np.arange(len(images))
    by_picture = images.lead(np.where(is_first, images.picture, -1))
    by_picture = np.where(images.protected & is_first, np.arange(len(images)), by_picture)
    compared = np.flatnonzero(is_first & (by_picture == np.arange(len(images))) & (images.picture >= 0))
    contents = _link_contents(images, is_first, by_picture)
    matches = join_matches([_match(images, compared, settings, pairs, search), contents]).both_ways()
    if (images.side >= 0).any():
        one, other = images.side[matches.i], images.side[matches.j]
        matches = matches.where((one == other) | (one < 0) | (other < 0))
    conflicting = find_conflicts(matches.i, matches.j, images.label, settings.across_labels, images.protected)
    verdicts.drop_for_nearest(CONFLICT, matches.where(conflicting), images.rank)
    is_open = verdicts.reason == KEPT
    same_label = images.label[matches.i] == images.label[matches.j]
    within = matches.where(same_label & is_open[matches.i] & is_open[matches.j])
    del matches, conflicting, same_label  # of pictures that are all alike, millions
    coverable = within.where(~images.protected[within.j])
    ties = Ties.of_matches(within, images.picture, pairs) if pairs is not None else Ties({})
    reach = partial(ties.follow, stays=images.settled, ranks=images.rank, composed=images.composed)
    covered, chained = find_covered(coverable.i, coverable.j, images.rank, reach)
    if chained:
        verdicts.drop_chained(NEAR, chained, images.read_pictures())
    verdicts.drop_for_nearest(NEAR, within.where(covered[within.i] & ~covered[within.j]), images.rank)
    verdicts.drop_for_leaders(by_picture, NEAR)
    verdicts.drop_for_leaders(by_content, EXACT)
    return verdicts, len(compared)


def _match(
    images: _Images, rows: Indices, settings: DedupeSettings, pairs: Pairs | None, search: Search | None
) -> Matches:
    """Match one image of each picture and label by hash and by pixels."""
    pictures = images.read_pictures(rows)
    found = find_copies(pictures, settings.max_distance, settings.rotations, search=search).renumber(rows, rows)
    del pictures  # a hundred bytes each, before those of all are read
    return found if pairs is None else overrule(found, rows, images.picture, pairs, images.read_pictures())


def _link_contents(images: _Images, is_first: BoolArray, by_picture: Indices) -> Matches:
    """Match the same bytes under two labels."""
    i, j = link_across_labels(np.where(is_first, images.content, -1), images.label)
    return Matches.upright(by_picture[i], by_picture[j])
