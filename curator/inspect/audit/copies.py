"""Find the copies in a set: which pairs of images are one file or one picture, across sides, labels, and within.

>>> rows = {"record_id": ["a", "b", "c"], "label": ["x", "x", "y"], "listed_split": ["train", "test", "test"]}
>>> rows |= {"sha256": ["1" * 64] * 3, "source": "x", "kind": "x", "tier": 0}
>>> copies = find_pairs(catalog.conform(pd.DataFrame(rows)), by_bytes=True)
>>> copies.n_exact_across, copies.is_leaked.tolist(), copies.is_conflicting.tolist()
(2, [False, True, True], [True, True, True])
>>> copies.pairs[["i", "j", "is_across", "is_conflict"]].to_numpy().tolist()
[[0, 1, True, False], [0, 2, True, True], [1, 2, False, True]]
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from curator import catalog as catalog
from curator.catalog import BoolArray, IntArray, number_values
from curator.decide.judged import Judged, overrule
from curator.decide.picture_columns import number_pictures, read_pictures
from curator.decide.row_places import rank_among
from curator.manifests.settings import DedupeSettings
from curator.matching.buckets import list_ranges
from curator.matching.components import label_components, link_equal
from curator.matching.copies import find_copies
from curator.matching.orientations import ORIENTATIONS, invert_orientation
from curator.matching.picture_matches import Matches
from curator.matching.pictures import Pictures
from curator.reasons import SPLITS

MOST_PAIRS = 1_000_000
"""Pairs that are listed; of more, all are counted, and these are of the smallest groups."""

MOST_MATCHES = 20_000_000
"""Of a set that a sample foretells more matches of, every picture looks like every other: only bytes are compared."""
_SAMPLE = 2000


@dataclass(frozen=True)
class Copies:
    """The copies in a set.

    Attributes:
        pairs: a row a pair of images: ``i`` and ``j`` (numbers of rows, that of the earlier side first), ``is_exact``
            (the same bytes), ``distance_bits``, ``turn`` (of j against i), ``is_across`` (on two sides),
            ``is_conflict`` (under two labels).
        n_exact, n_near: pairs of the same bytes, and of other bytes that show the same picture.
        n_exact_across, n_near_across: those of them on two sides.
        groups: for each row, the first row of all that are its copies, directly or through others.
        is_leaked: which rows have a copy on an earlier side (train before val before test).
        is_conflicting: which rows have a copy under another label.
        n_compared: how many different pictures were compared; None: only bytes were.
    """

    pairs: pd.DataFrame
    n_exact: int
    n_near: int
    n_exact_across: int
    n_near_across: int
    groups: IntArray
    is_leaked: BoolArray
    is_conflicting: BoolArray
    n_compared: int | None


def find_pairs(table: pd.DataFrame, by_bytes: bool = False, judged: Judged | None = None) -> Copies:
    """Find the pairs of copies among usable images, as dedupe would see them, whatever their sides and labels.

    Args:
        table: kept rows of a catalog; ``listed_split`` is their side.
        by_bytes: only files of the same bytes are copies.
        judged: what pixels say of pairs of contents.
    """
    content = number_values(table["sha256"])
    settings, nothing = DedupeSettings(), Matches.upright(*np.empty((2, 0), np.intp))
    if by_bytes:
        return _gather(table, content, content, nothing, None)
    picture = number_pictures(table)
    picture = picture if judged is None else judged.part_equal(table["sha256"], picture)
    node = _number_nodes(picture, content)
    rows = np.unique(node, return_index=True)[1]  # the first row of each picture
    comparable = np.flatnonzero(picture[rows] >= 0)
    pictures = read_pictures(table.iloc[rows[comparable]])
    if judged is None and _are_too_alike(pictures):
        return _gather(table, content, content, nothing, None)
    matches = find_copies(pictures, settings.max_distance, settings.rotations)
    if judged is not None:
        numbers, pairs = picture[rows[comparable]], judged.among(table["sha256"], picture)
        matches = overrule(matches, np.arange(len(numbers)), numbers, pairs, pictures)
    return _gather(table, node, content, _once(matches.renumber(comparable, comparable)), len(pictures))


def _number_nodes(picture: IntArray, content: IntArray) -> IntArray:
    """Number what is one picture by its hashes; what cannot be compared is one by its bytes."""
    alone = picture < 0
    keys = np.where(alone, content, picture + content.max(initial=0) + 1)
    return np.asarray(np.unique(keys, return_inverse=True)[1], dtype=np.int64)


def is_too_alike(table: pd.DataFrame) -> bool:
    """Foretell whether more of the pictures would look alike than memory is for; they are not to be compared then."""
    numbers = number_pictures(table)
    _, first = np.unique(numbers, return_index=True)
    return _are_too_alike(read_pictures(table.iloc[first[numbers[first] >= 0]]))


def _are_too_alike(pictures: Pictures) -> bool:
    if len(pictures) <= _SAMPLE:
        return False
    settings = DedupeSettings()
    sample = pictures.take(np.linspace(0, len(pictures) - 1, _SAMPLE).astype(np.intp))
    found = find_copies(sample, settings.max_distance, settings.rotations)
    return len(found.i) * (len(pictures) / _SAMPLE) ** 2 > MOST_MATCHES


def _once(matches: Matches) -> Matches:
    """Keep one match of each pair: the nearest, and of those the one that turns least."""
    low, high = np.minimum(matches.i, matches.j), np.maximum(matches.i, matches.j)
    order = np.lexsort((matches.orientation, matches.distance, high, low))
    is_first = np.ones(len(order), bool)
    is_first[1:] = (np.diff(low[order]) != 0) | (np.diff(high[order]) != 0)
    return matches.where(order[is_first])


def _gather(table: pd.DataFrame, node: IntArray, content: IntArray, matches: Matches, n_compared: int | None) -> Copies:
    side = rank_among(table["listed_split"], SPLITS)
    side = np.where(side < len(SPLITS), side, -1)
    label = number_values(table["label"])
    n_exact, n_exact_across = _count_within(content, side)
    (n_same, n_same_across), (n_alike, n_alike_across) = _count_within(node, side), _count_between(node, side, matches)
    i, j = link_equal(node)
    first = np.unique(node, return_index=True)[1]
    groups = label_components(len(table), np.concatenate([i, first[matches.i]]), np.concatenate([j, first[matches.j]]))
    return Copies(
        pairs=_list_pairs(node, side, label, content, matches),
        n_exact=n_exact,
        n_near=n_same + n_alike - n_exact,
        n_exact_across=n_exact_across,
        n_near_across=n_same_across + n_alike_across - n_exact_across,
        groups=groups,
        is_leaked=_find_leaked(node, side, matches),
        is_conflicting=_find_conflicting(node, label, matches),
        n_compared=n_compared,
    )


def _by_side(numbers: IntArray, side: IntArray) -> IntArray:
    """Count the rows of each number on each side: int64 (numbers, sides)."""
    counts = np.zeros((int(numbers.max(initial=-1)) + 1, len(SPLITS)), np.int64)
    known = (side >= 0) & (numbers >= 0)
    np.add.at(counts, (numbers[known], side[known]), 1)
    return counts


def _count_within(numbers: IntArray, side: IntArray) -> tuple[int, int]:
    """Count the pairs of rows that have one number, and those of them on two sides."""
    total = np.bincount(numbers[numbers >= 0])
    counts = _by_side(numbers, side)
    across = (counts.sum(axis=1) ** 2 - (counts**2).sum(axis=1)) // 2
    return int((total * (total - 1) // 2).sum()), int(across.sum())


def _count_between(node: IntArray, side: IntArray, matches: Matches) -> tuple[int, int]:
    """Count the pairs of rows of two pictures that match, and those of them on two sides."""
    total, counts = np.bincount(node), _by_side(node, side)
    one, other = counts[matches.i], counts[matches.j]
    across = one.sum(axis=1) * other.sum(axis=1) - (one * other).sum(axis=1)
    return int((total[matches.i] * total[matches.j]).sum()), int(across.sum())


def _find_leaked(node: IntArray, side: IntArray, matches: Matches) -> BoolArray:
    own = _by_side(node, side) > 0
    has = own.copy()
    np.logical_or.at(has, matches.i, own[matches.j])
    np.logical_or.at(has, matches.j, own[matches.i])
    earlier = np.arange(len(SPLITS)) < side[:, None]
    return np.asarray((has[node] & earlier).any(axis=1))


def _find_conflicting(node: IntArray, label: IntArray, matches: Matches) -> BoolArray:
    n_nodes = int(node.max(initial=-1)) + 1
    least, most = np.full(n_nodes, np.iinfo(np.int64).max), np.full(n_nodes, -1)
    np.minimum.at(least, node, label)
    np.maximum.at(most, node, label)
    lows, highs = least.copy(), most.copy()
    for one, other in ((matches.i, matches.j), (matches.j, matches.i)):
        np.minimum.at(lows, one, least[other])
        np.maximum.at(highs, one, most[other])
    return np.asarray((lows[node] < label) | (highs[node] > label))


def _list_pairs(node: IntArray, side: IntArray, label: IntArray, content: IntArray, matches: Matches) -> pd.DataFrame:
    """List the pairs of rows, those of the smallest groups if they are too many."""
    order = np.argsort(node, kind="stable")
    sizes = np.bincount(node)
    starts = np.cumsum(sizes) - sizes
    n_within, n_between = sizes * (sizes - 1) // 2, sizes[matches.i] * sizes[matches.j]
    inside, between = _choose_smallest(n_within, n_between)
    place = np.arange(len(node))
    rest = np.where(inside[node[order]], (starts + sizes)[node[order]] - place - 1, 0)
    i, j = order[np.repeat(place, rest)], order[list_ranges(place + 1, rest)]
    edges = matches.where(between)
    edge = np.repeat(np.arange(len(edges.i)), sizes[edges.i])
    left = list_ranges(starts[edges.i], sizes[edges.i])
    n_right = sizes[edges.j[edge]]
    a, b = order[np.repeat(left, n_right)], order[list_ranges(starts[edges.j[edge]], n_right)]
    edge = np.repeat(edge, n_right)
    i, j = np.concatenate([i, a]), np.concatenate([j, b])
    bits = np.concatenate([np.zeros(len(i) - len(a), np.int64), edges.distance[edge]])
    turn = np.concatenate([np.zeros(len(i) - len(a), np.int64), edges.orientation[edge]])  # of i against j
    swap = (side[i] > side[j]) | ((side[i] == side[j]) & (i > j))
    inverse = np.array([invert_orientation(one) for one in range(len(ORIENTATIONS))])
    pairs = pd.DataFrame({"i": np.where(swap, j, i), "j": np.where(swap, i, j)})
    pairs["is_exact"], pairs["distance_bits"] = content[i] == content[j], bits
    pairs["turn"] = np.array(ORIENTATIONS)[np.where(swap, turn, inverse[turn])]
    pairs["is_across"] = (side[i] >= 0) & (side[j] >= 0) & (side[i] != side[j])
    pairs["is_conflict"] = label[i] != label[j]
    return pairs.sort_values(["j", "i"], ignore_index=True)


def _choose_smallest(n_within: IntArray, n_between: IntArray) -> tuple[BoolArray, BoolArray]:
    """Choose the groups and matches that make the fewest pairs each, up to :data:`MOST_PAIRS` of all."""
    sizes = np.concatenate([n_within, n_between])
    order = np.argsort(sizes, kind="stable")
    chosen = np.zeros(len(sizes), bool)
    chosen[order] = np.cumsum(sizes[order]) <= MOST_PAIRS
    return chosen[: len(n_within)], chosen[len(n_within) :]
