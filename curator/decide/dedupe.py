"""Find images that are the same picture, and drop all but one of each: exact copies, label conflicts, near-duplicates.

>>> rows = {"record_id": ["x-1", "x-2"], "label": ["a", "a"], "source": ["x"] * 2, "kind": ["x"] * 2, "tier": [0] * 2}
>>> table = catalog.conform(pd.DataFrame(rows | {"sha256": ["f" * 64] * 2}))
>>> table = find_duplicates(table, DedupeSettings(), labels=("a", "b"))
>>> table[["record_id", "duplicate_of", "drop_reason", "drop_detail"]].iloc[1].tolist()
['x-2', 'x-1', 'exact-duplicate', 'same bytes as x-1']
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from curator import catalog
from curator.catalog import IntArray, number_values, rank_among
from curator.decide.representatives import (
    find_conflicts,
    find_covered,
    find_leaders,
    link_across_labels,
    put_first,
    rank_representatives,
)
from curator.decide.verdicts import CONFLICT, EXACT, KEPT, NEAR, Verdicts, write_verdicts
from curator.manifests.recipe import DedupeSettings
from curator.matching.confirm import PictureEvidence
from curator.matching.copies import find_copies
from curator.matching.picture_matches import (
    Indices,
    Matches,
    OrientationHashes,
    find_comparable,
    join_matches,
    read_orientation_hashes,
)


def find_duplicates(
    table: pd.DataFrame,
    settings: DedupeSettings,
    labels: Sequence[str],
    sources: Sequence[str] = (),
    is_protected: npt.NDArray[np.bool_] | None = None,
    is_member: npt.NDArray[np.bool_] | None = None,
) -> pd.DataFrame:
    """Drop every kept image that is a copy of another one, or that contradicts another one's label.

    1. *Exact copies*: the same SHA-256 under one label.
    2. *Label conflicts*, over all matches: the same bytes or the same picture under two labels.
    3. *Near-duplicates*: the rest is grouped as stars, so each one dropped was matched to one that is kept.

    Two images are the same picture where their 64-bit hashes are within ``max_distance`` in some orientation, or near
    by a crop, and 256-bit hashes or thumbnails confirm it: see :mod:`curator.matching.confirm` and ``crops``.

    A copy of an image that is dropped later shares its fate: an exact copy of a conflicted picture is in that conflict
    too, and one of a near-duplicate points at the image that is kept in the end, as a near-duplicate itself. A picture
    without hash, without ``detail``, or with a ``detail`` under ``FLAT_DETAIL`` matches by its bytes only.

    Args:
        table: a catalog.
        settings: ``max_distance`` in bits, ``rotations``, ``across_labels`` and ``keep``.
        labels: the recipe's labels in order; for ``across_labels = "keep-first"`` the first one wins.
        sources: names of sources in the recipe's order; for ``keep = "first"``.
        is_protected: shape (rows,): rows that a person wants: kept before all others, never dropped as a conflict or a
            near-duplicate; of the same bytes under one label, one is enough all the same.
        is_member: shape (rows,): rows that stand in a manifest: kept before the others, so that growth replaces none.

    Returns:
        The catalog with the copies dropped, and ``duplicate_of``, ``distance_bits`` and ``turn`` (how the dropped image
        is turned against the other) filled. It does not depend on the order of the rows.
    """
    rows = np.flatnonzero(catalog.is_kept(table))
    nobody = np.zeros(len(table), bool)
    protected, members = (nobody if given is None else given for given in (is_protected, is_member))
    images = _read_images(table.iloc[rows], settings, labels, sources, protected[rows], members[rows])
    return write_verdicts(table, rows, _judge(images, settings))


@dataclass(frozen=True)
class _Images:
    """The images to judge: each one's label, rank, and the numbers of its bytes and of its picture (-1: unknown)."""

    label: IntArray
    rank: IntArray
    content: IntArray
    picture: IntArray
    turns: OrientationHashes
    evidence: PictureEvidence
    protected: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.label)

    def lead(self, groups: IntArray) -> Indices:
        """Give each image the best one of its group under its own label; a group of -1 is one image."""
        n_labels = int(self.label.max(initial=0)) + 1
        return find_leaders(np.where(groups < 0, -1, groups * n_labels + self.label), self.rank)


def _read_images(
    images: pd.DataFrame,
    settings: DedupeSettings,
    order: Sequence[str],
    names: Sequence[str],
    protected: npt.NDArray[np.bool_],
    members: npt.NDArray[np.bool_],
) -> _Images:
    return _Images(
        label=rank_among(images["label"], order),
        rank=put_first(put_first(rank_representatives(images, settings.keep, names), members), protected),
        content=number_values(images["sha256"]),
        picture=_number_pictures(images),
        turns=read_orientation_hashes(images["phash_turns"]),
        evidence=PictureEvidence.read(images),
        protected=protected,
    )


def _number_pictures(images: pd.DataFrame) -> IntArray:
    """Number what has equal hashes, of 64 bits in every orientation and of 256 bits; -1 where there is none."""
    short, long = number_values(images["phash_turns"]), number_values(images["phash256"])
    known = find_comparable(images) & (long >= 0)
    return np.where(known, short * (long.max(initial=0) + 1) + long, -1)


def _judge(images: _Images, settings: DedupeSettings) -> Verdicts:
    verdicts = Verdicts.none(len(images))
    by_content = images.lead(images.content)
    is_first = by_content == np.arange(len(images))
    by_picture = images.lead(np.where(is_first, images.picture, -1))
    by_picture = np.where(images.protected & is_first, np.arange(len(images)), by_picture)
    matches = _match(images, is_first, by_picture, settings).both_ways()
    conflicting = find_conflicts(matches.i, matches.j, images.label, settings.across_labels, images.protected)
    verdicts.give_nearest(CONFLICT, matches.where(conflicting), images.rank)
    is_open = verdicts.reason == KEPT
    same_label = images.label[matches.i] == images.label[matches.j]
    within = matches.where(same_label & is_open[matches.i] & is_open[matches.j])
    coverable = within.where(~images.protected[within.j])
    covered = find_covered(coverable.i, coverable.j, images.rank)
    verdicts.give_nearest(NEAR, within.where(covered[within.i] & ~covered[within.j]), images.rank)
    verdicts.follow(by_picture, NEAR)
    verdicts.follow(by_content, EXACT)
    return verdicts


def _match(images: _Images, is_first: npt.NDArray[np.bool_], by_picture: Indices, settings: DedupeSettings) -> Matches:
    """Match one image of each picture and label by hash, and the same bytes under two labels."""
    leads = is_first & (by_picture == np.arange(len(images)))
    pictures = np.flatnonzero(leads & (images.picture >= 0))
    evidence = images.evidence.take(pictures)
    by_hash = find_copies(images.turns[pictures], evidence, settings.max_distance, settings.rotations)
    i, j = link_across_labels(np.where(is_first, images.content, -1), images.label)
    same = np.zeros(len(i), np.uint8)
    return join_matches([by_hash.renumber(pictures), Matches(by_picture[i], by_picture[j], same, same)])
