"""Let a person's decision beat the rules: before any other judgement, drop, relabel or protect what was reviewed.

>>> rows = {"record_id": ["x-1", "x-2"], "label": ["a", "a"], "source": ["x"] * 2, "kind": ["x"] * 2, "tier": [0] * 2}
>>> table = catalog.conform(pd.DataFrame(rows | {"sha256": ["1" * 64, "2" * 64]}))
>>> logo = Review("2026-01-02T03:04:05Z", "ann", "1" * 64, "a", "drop", reason="a logo")
>>> after, is_protected = apply_reviews(table, {logo.key: logo}, labels=("a", "b"))
>>> after["drop_reason"][0], after["drop_detail"][0], is_protected.tolist()
('reviewed-out', 'ann, 2026-01-02: a logo', [False, False])
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog
from curator.catalog import BoolArray, Drop, Rows, Stage, as_arrow
from curator.decide.row_places import drop_rows, mark, spread
from curator.errors import StateError
from curator.manifests.reviews import Key, Review
from curator.text import Command

OVERRULED = tuple(str(reason) for reason in Drop if reason.traits.overruled)
"""What a person may overrule of the judgements before dedupe: the picture is whole, a rule found it poor."""


class ReviewedTable(NamedTuple):
    """The catalog with the reviews applied, and which rows no rule may drop as a copy: bool, shape (rows,)."""

    table: pd.DataFrame
    is_protected: BoolArray


def apply_reviews(table: pd.DataFrame, standing: Mapping[Key, Review], labels: Sequence[str]) -> ReviewedTable:
    """Apply what people decided to every row with that content and listed label.

    ``drop`` drops the row as reviewed-out. ``keep`` takes back :data:`OVERRULED` and protects the row. ``relabel`` does
    the same under the new label; ``relabelled_from`` keeps the old one. Nothing brings back a row without a picture.

    Args:
        table: a catalog before dedupe.
        standing: see :func:`curator.manifests.reviews.standing_reviews`.
        labels: the recipe's labels.

    Raises:
        StateError: a relabel to a label that the recipe does not have.
    """
    unknown = sorted({review.new_label for review in standing.values()} - {*labels, ""})
    if unknown:
        message = f"reviews.jsonl relabels images to {', '.join(unknown)}, but the recipe's labels are"
        hint = ("Add the label to the recipe, or undo in ", Command("review"), ".")
        raise StateError(f"{message} {', '.join(labels)}.", hint)
    rows, reviews = _match(table, standing)
    if not reviews:
        return ReviewedTable(table, np.zeros(len(table), bool))
    decisions = np.array([review.decision for review in reviews])
    wanted = mark(rows[decisions != "drop"], len(table))
    table = _restore(table, wanted)
    details = [review.in_words() for review in reviews if review.decision == "drop"]
    table = drop_rows(table, rows[decisions == "drop"], Stage.DEDUPED, Drop.REVIEWED_OUT, details)
    return ReviewedTable(_relabel(table, rows, reviews), wanted & catalog.is_kept(table))


def find_wanted(table: pd.DataFrame, standing: Mapping[Key, Review]) -> BoolArray:
    """Find the rows of a catalog after :func:`apply_reviews` that a person wants: bool, shape (rows,)."""
    if not standing:
        return np.zeros(len(table), bool)
    old, new = (as_arrow(table[name], pa.string()) for name in ("relabelled_from", "label"))
    rows, reviews = _match(catalog.with_columns(table, {"label": pc.coalesce(old, new)}), standing)
    return mark(rows[np.array([review.decision != "drop" for review in reviews], bool)], len(table))


def _match(table: pd.DataFrame, standing: Mapping[Key, Review]) -> tuple[Rows, list[Review]]:
    """Find the rows that reviews are about, and the review of each."""
    hashes = pa.array(sorted({sha256 for sha256, _ in standing}), pa.string())
    candidates = np.flatnonzero(pc.is_in(as_arrow(table["sha256"], pa.string()), hashes).to_numpy(False))
    pairs = zip(table["sha256"].iloc[candidates], table["label"].iloc[candidates], strict=True)
    found = [standing.get(pair) for pair in pairs]
    rows = candidates[np.array([review is not None for review in found], bool)]
    return rows, [review for review in found if review is not None]


def _restore(table: pd.DataFrame, wanted: BoolArray) -> pd.DataFrame:
    overruled = wanted & table["drop_reason"].isin(OVERRULED).to_numpy(dtype=bool)
    mask = pa.array(overruled & table["width"].notna().to_numpy(dtype=bool))
    columns = ("drop_stage", "drop_reason", "drop_detail")
    nothing = pa.scalar(None, pa.string())
    return catalog.with_columns(table, {name: pc.if_else(mask, nothing, pa.array(table[name])) for name in columns})


def _relabel(table: pd.DataFrame, rows: Rows, reviews: list[Review]) -> pd.DataFrame:
    names = [review.new_label for review in reviews]
    at = rows[np.array([name != "" for name in names], bool)]
    if not len(at):
        return table
    labels = as_arrow(table["label"], pa.string())
    new = spread(pa.array(filter(None, names), pa.string()), at, len(table))
    old = pc.if_else(pa.array(mark(at, len(table))), labels, pa.scalar(None, pa.string()))
    return catalog.with_columns(table, {"label": pc.coalesce(new, labels), "relabelled_from": old})
