"""The views of the page: which rows each shows, in which order, and which of them form groups.

A view is one entry in :data:`VIEWS`: its name in the address, its title, a hint, and what chooses its rows.

>>> Selection(np.array([4, 1, 2]), sizes=np.array([2, 1])).sizes.tolist()
[2, 1]
>>> [view.name for view in VIEWS if view.is_grouped]
['duplicates', 'conflicts', 'placeholders']
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from curator.errors import StateError, why
from curator.matching.components import label_components
from curator.reasons import COPIES, Drop
from curator.review.images import BoolArray, Images, as_mask
from curator.review.picture_map import rows_on_map
from curator.review.suspected import choose_suspected
from curator.store.paths import DataPaths
from curator.text import Command

Rows = npt.NDArray[np.int64]
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
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What the page shows of a row beside the catalog, by record id: ``predicted`` or ``suggested``, ``confidence`` (0
    to 1), ``evidence``."""


@dataclass(frozen=True)
class View:
    """One view of the page.

    Attributes:
        name: what the page's address calls it.
        title: what its button says.
        hint: what a person looks for in it.
        choose: given the images, which rows pass the filters (bool, shape (rows,)) and the paths, orders its rows; a
            group with a row that passes is shown whole.
        is_grouped: whether it shows groups, the representative first.
        order: what its own order is called, beside those to sort by.
        command: what finds something for it, if nothing was found yet.
    """

    name: str
    title: str
    hint: str
    choose: Callable[[Images, BoolArray, DataPaths], Selection]
    is_grouped: bool = False
    command: str = "dedupe"
    order: str = "As listed"


def choose_all(images: Images, passing: BoolArray, paths: DataPaths) -> Selection:
    """Show the rows that pass, in the catalog's order."""
    return Selection(np.flatnonzero(passing))


def choose_duplicates(images: Images, passing: BoolArray, paths: DataPaths) -> Selection:
    """Show each picture with its copies, the largest group first."""
    return _grouped(images, passing, _by_other(images, COPIES))


def choose_conflicts(images: Images, passing: BoolArray, paths: DataPaths) -> Selection:
    """Show each picture that has two labels."""
    return _grouped(images, passing, _by_other(images, (Drop.LABEL_CONFLICT,)))


def choose_placeholders(images: Images, passing: BoolArray, paths: DataPaths) -> Selection:
    """Show known and suspected placeholders, and the same bytes listed often."""
    return _grouped(images, passing, _by_content(images))


def choose_wrong(images: Images, passing: BoolArray, paths: DataPaths) -> Selection:
    """Show the rows whose label the benchmark's models do not predict, the most confident first."""
    found = read_mispredictions(paths.predictions)
    rows = np.array([images.row_of(record_id) for record_id in found], np.int64)
    rows = rows[rows >= 0]
    facts = {name: {"predicted": one.predicted, "confidence": one.confidence} for name, one in found.items()}
    return Selection(rows[passing[rows]], None, facts)


def _suspected(heading: str) -> Callable[[Images, BoolArray, DataPaths], Selection]:
    choose = choose_suspected(heading)

    def selected(images: Images, passing: BoolArray, paths: DataPaths) -> Selection:
        rows, facts = choose(images, passing, paths)
        return Selection(rows, None, facts)

    return selected


VIEWS = (
    View("all", "All images", "", choose_all),
    View(
        "suspects",
        "Suspects",
        "Labels that are probably wrong, the surest first: Y gives the label that fits better.",
        _suspected("wrong label"),
        command="suspects",
        order="Surest first",
    ),
    View(
        "unlike",
        "Unlike the rest",
        "Pictures that are like none of the set: do they belong in it?",
        _suspected("unlike the rest"),
        command="suspects",
        order="Least alike first",
    ),
    View(
        "quality",
        "Low quality",
        "Blurred, dark, washed out, tiny, odd in shape, or grey among colour.",
        _suspected("low quality"),
        command="suspects",
    ),
    View("duplicates", "Duplicates", "The representative first, its copies beside it.", choose_duplicates, True),
    View(
        "conflicts",
        "Label conflicts",
        "One picture under two labels is kept under neither: K keeps it under the right one.",
        choose_conflicts,
        is_grouped=True,
    ),
    View(
        "placeholders",
        "Placeholders",
        "Known ones, suspected ones, and bytes that are listed three times or more.",
        choose_placeholders,
        is_grouped=True,
    ),
    View(
        "wrong",
        "Confidently wrong",
        "What the models of the benchmark are most sure of and wrong about.",
        choose_wrong,
        command="benchmark",
        order="Surest first",
    ),
    View(
        "map",
        "Map",
        "Alike pictures lie beside each other: draw around some to select them, or click one.",
        lambda images, passing, paths: Selection(rows_on_map(images, passing, paths)),
        command="suspects",
        order="Neighbours in turn",
    ),
)
"""The views in the order of their buttons; a new one is one entry here."""


def find_view(name: str) -> View:
    """Return the view of that name, which exists."""
    return next(view for view in VIEWS if view.name == name)


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
        raise StateError(
            f"{path} cannot be read ({why(error)}).", (Command("benchmark"), " writes it again.")
        ) from error
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
