"""Which rows a view shows, in which order, and which of them form groups.

>>> Selection(np.array([4, 1, 2]), sizes=np.array([2, 1])).sizes.tolist()
[2, 1]
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from curator.errors import StateError
from curator.matching.components import label_components
from curator.reasons import COPIES, Drop
from curator.review.images import BoolArray, Images, as_mask
from curator.text import Command

Rows = npt.NDArray[np.int64]
GROUPED = ("duplicates", "conflicts", "placeholders")
"""The views that show groups."""

LEAST_REPEATS = 3
"""So many listings of the same bytes look like a placeholder: one picture in place of many."""


@dataclass(frozen=True)
class Misprediction:
    """The label that the models predict for one image, on average over models and runs, and how confident they are."""

    predicted: str
    confidence: float


@dataclass(frozen=True)
class Selection:
    """The rows of a view in order; ``sizes`` counts those of each group, and is None if there are no groups."""

    rows: Rows
    sizes: Rows | None = None
    mispredicted: dict[str, Misprediction] = field(default_factory=dict)


def select(images: Images, view: str, passing: BoolArray, mispredicted: dict[str, Misprediction]) -> Selection:
    """Order the rows of a view.

    Args:
        view: ``all``: the rows that pass, in the catalog's order; ``duplicates``, ``conflicts``, ``placeholders``: each
            group with a row that passes, whole, the largest first, its representative first; ``wrong``: the rows that
            pass and whose label the benchmark's models do not predict, the most confident first.
        passing: the rows that pass the filters, shape (rows,).
        mispredicted: what :func:`read_mispredictions` returns.
    """
    if view == "duplicates":
        return _grouped(images, passing, _by_other(images, COPIES))
    if view == "conflicts":
        return _grouped(images, passing, _by_other(images, (Drop.LABEL_CONFLICT,)))
    if view == "placeholders":
        return _grouped(images, passing, _by_content(images))
    if view == "wrong":
        rows = np.array([images.row_of(record_id) for record_id in mispredicted], np.int64)
        rows = rows[rows >= 0]
        return Selection(rows[passing[rows]], None, mispredicted)
    return Selection(np.flatnonzero(passing))


def read_mispredictions(path: Path) -> dict[str, Misprediction]:
    """Read the predictions of a benchmark: the record ids of those that are wrong, the most confident first.

    >>> read_mispredictions(Path("no-benchmark.csv"))
    {}

    Raises:
        StateError: the file is damaged.
    """
    if not path.exists():
        return {}
    try:
        table = pd.read_csv(path, dtype={"record_id": str, "label": str, "predicted": str}, keep_default_na=False)
        columns = [name for name in table.columns if name.startswith("p_")]
        means = table.groupby("record_id")[columns].mean()
        label = table.groupby("record_id")["label"].first()
    except (ValueError, KeyError, OSError) as error:
        raise StateError(f"{path} cannot be read ({error}).", (Command("benchmark"), " writes it again.")) from error
    found = pd.DataFrame({"label": label, "predicted": means.idxmax(axis=1).str[2:], "confidence": means.max(axis=1)})
    found = found[found["label"] != found["predicted"]].sort_values("confidence", ascending=False, kind="stable")
    rows = zip(found.index, found["predicted"], found["confidence"], strict=True)
    return {str(record_id): Misprediction(str(name), float(confidence)) for record_id, name, confidence in rows}


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
    """Number the groups of known and suspected placeholders, and of the same bytes listed often; -1: in no group.

    Groups of suspected placeholders whose hashes are equal are one.
    """
    content = images.table["sha256"].combine_chunks().dictionary_encode()
    numbers = pc.fill_null(content.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    counts = np.bincount(numbers[numbers >= 0], minlength=len(content.dictionary) + 1)
    known = as_mask(pc.equal(images.table["drop_reason"], str(Drop.PLACEHOLDER)))
    suspected = as_mask(pc.equal(images.table["drop_reason"], str(Drop.PLACEHOLDER_SUSPECTED)))
    shown = (numbers >= 0) & (known | suspected | (counts[numbers] >= LEAST_REPEATS))
    rows = np.flatnonzero(suspected & shown)
    hashes = images.table["phash"].take(pa.array(rows)).combine_chunks().dictionary_encode()
    hashes = pc.fill_null(hashes.indices, -1).to_numpy(zero_copy_only=False)
    order = np.argsort(hashes, kind="stable")
    same = (np.diff(hashes[order]) == 0) & (hashes[order][1:] >= 0)
    ordered = numbers[rows][order]
    alike = label_components(len(counts), ordered[1:][same], ordered[:-1][same])
    return np.where(shown, alike[numbers], -1)


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
