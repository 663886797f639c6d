"""The order in which a view shows its rows, and which of them belong together.

>>> Selection(np.array([4, 1, 2]), sizes=np.array([2, 1])).sizes.tolist()
[2, 1]
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curator.matching.components import label_components
from curator.reasons import COPIES, Drop
from curator.review.library import BoolArray, Images, as_mask
from curator.review.wrong import WrongImage

Rows = npt.NDArray[np.int64]
GROUPED = ("duplicates", "conflicts", "placeholders")
"""The views that show groups."""

LEAST_REPEATS = 3
"""So many listings of the same bytes look like a placeholder: one picture that stands for many."""


@dataclass(frozen=True)
class Selection:
    """The rows of a view in order; ``sizes`` counts those of each group, and is None where there are no groups."""

    rows: Rows
    sizes: Rows | None = None
    wrong: dict[str, WrongImage] = field(default_factory=dict)


def select(images: Images, view: str, passing: BoolArray, wrong: dict[str, WrongImage]) -> Selection:
    """Order the rows of a view.

    Args:
        view: ``all``: the rows that pass, in the catalog's order; ``duplicates``, ``conflicts``, ``placeholders``: each
            group with a row that passes, whole, the largest first, its keeper first; ``wrong``: the rows that pass and
            that the benchmark's models get wrong, the most confident first.
        passing: the rows that pass the filters, shape (rows,).
        wrong: record id to what the models say.
    """
    if view == "duplicates":
        return _grouped(images, passing, _by_other(images, COPIES))
    if view == "conflicts":
        return _grouped(images, passing, _by_other(images, (Drop.LABEL_CONFLICT,)))
    if view == "placeholders":
        return _grouped(images, passing, _by_content(images))
    if view == "wrong":
        rows = np.array([images.row_of(record_id) for record_id in wrong], np.int64)
        rows = rows[rows >= 0]
        return Selection(rows[passing[rows]], None, wrong)
    return Selection(np.flatnonzero(passing))


def _by_other(images: Images, reasons: tuple[Drop, ...]) -> Rows:
    """Number the groups of rows that ``duplicate_of`` links; -1: in no group."""
    reason = images.table["drop_reason"]
    linked = np.flatnonzero(as_mask(pc.is_in(reason, pa.array([str(one) for one in reasons]))))
    others = pc.index_in(images.table["duplicate_of"].take(pa.array(linked)), images.table["record_id"])
    others = pc.fill_null(others, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    linked, others = linked[others >= 0], others[others >= 0]
    groups = np.full(len(images), -1, np.int64)
    members = np.union1d(linked, others)
    groups[members] = label_components(len(images), linked, others)[members]
    return groups


def _by_content(images: Images) -> Rows:
    """Number the groups of known and suspected placeholders, and of the same bytes listed often; -1: in no group."""
    content = images.table["sha256"].combine_chunks().dictionary_encode()
    numbers = pc.fill_null(content.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    counts = np.bincount(numbers[numbers >= 0], minlength=len(content.dictionary) + 1)
    known = as_mask(pc.equal(images.table["drop_reason"], str(Drop.PLACEHOLDER)))
    suspected = as_mask(pc.equal(images.table["drop_reason"], str(Drop.PLACEHOLDER_SUSPECTED)))
    shown = (numbers >= 0) & (known | suspected | (counts[numbers] >= LEAST_REPEATS))
    rows = np.flatnonzero(suspected & shown)
    hashes = images.table["phash"].take(pa.array(rows)).combine_chunks().dictionary_encode()
    alike = _joined_by(numbers[rows], pc.fill_null(hashes.indices, -1).to_numpy(zero_copy_only=False), len(counts))
    return np.where(shown, alike[numbers], -1)


def _joined_by(numbers: Rows, hashes: npt.NDArray[np.integer], n: int) -> Rows:
    """Join the groups (``numbers``, below ``n``) of rows whose hashes are equal; give each group's new number."""
    order = np.argsort(hashes, kind="stable")
    same = (np.diff(hashes[order]) == 0) & (hashes[order][1:] >= 0)
    return label_components(n, numbers[order][1:][same], numbers[order][:-1][same])


def _grouped(images: Images, passing: BoolArray, groups: Rows) -> Selection:
    rows = np.flatnonzero(groups >= 0)
    if not len(rows):
        return Selection(rows, np.zeros(0, np.int64))
    groups = groups[rows]
    numbers = np.unique(groups, return_inverse=True)[1]
    shown = np.bincount(numbers, passing[rows]) > 0
    rows, numbers = rows[shown[numbers]], numbers[shown[numbers]]
    sizes = np.bincount(numbers, minlength=len(shown))
    is_dropped = as_mask(pc.is_valid(images.table["drop_reason"]))[rows]
    distance = pc.fill_null(images.table["distance_bits"], 0).to_numpy()[rows]
    order = np.lexsort((rows, distance, is_dropped, numbers, -sizes[numbers]))
    ordered = numbers[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=-1)) if len(ordered) else ordered
    return Selection(rows[order], np.diff(np.append(starts, len(ordered))))
