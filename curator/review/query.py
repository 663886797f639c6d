"""The view and filters of the page, from the parameters of a request to a mask over the rows.

>>> query = Query.parse({"label": "rugby", "min_side": "200", "nonsense": "1"})
>>> query.view, query.label, query.min_side
('all', 'rugby', 200)
>>> Query.parse({"view": "everything"})
Traceback (most recent call last):
ValueError: view must be one of all, suspects, unlike, quality, duplicates, conflicts, placeholders, wrong, map
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc

from curator.review.images import FACETS, BoolArray, Images, as_mask
from curator.review.sorting import LIKE, SORTS
from curator.review.views import VIEWS

FATES = ("any", "kept", "dropped")
REVIEWED = ("", "undecided", "keep", "drop", "relabel")
SEARCHED = (
    *("record_id", "title", "author", "source_id", "source_class", "url", "landing_url", "drop_detail", "sha256"),
)
"""The columns that the search looks into."""


@dataclass(frozen=True)
class Query:
    """One view and its filters; an empty filter passes everything."""

    view: str = "all"
    sort: str = ""
    like: str = ""
    fate: str = "any"
    reviewed: str = ""
    label: str = ""
    source: str = ""
    split: str = ""
    drop_reason: str = ""
    host: str = ""
    license: str = ""
    text: str = ""
    min_side: int = 0
    max_side: int = 0

    @classmethod
    def parse(cls, parameters: Mapping[str, str]) -> Query:
        """Read the parameters of a request; unknown ones are ignored.

        Raises:
            ValueError: a value that is not one of those possible.
        """
        values: dict[str, Any] = {}
        for field in dataclasses.fields(cls):
            text = parameters.get(field.name, "").strip()
            if text:
                is_side = field.name.endswith("_side")
                if is_side and (not text.isdecimal() or len(text) > 6):
                    raise ValueError(f"{field.name} must be a number of pixels")
                values[field.name] = int(text) if is_side else text
        query = cls(**values)
        views, sorts = tuple(view.name for view in VIEWS), ("", *(sort.name for sort in SORTS))
        for name, choices in (("view", views), ("sort", sorts), ("fate", FATES), ("reviewed", REVIEWED)):
            if getattr(query, name) not in choices:
                raise ValueError(f"{name} must be one of {', '.join(filter(None, choices))}")
        if (query.sort == LIKE) != bool(query.like):
            raise ValueError(f"sort={LIKE} needs like, the record id of an image, and nothing else has it")
        return query


def find_rows(images: Images, query: Query, decided: Mapping[int, str]) -> BoolArray:
    """Return which rows pass all filters.

    Args:
        decided: row to decision, of the rows that a person decided about.

    Returns:
        A bool array, shape (rows,).
    """
    table = images.table
    mask = np.ones(len(images), bool)
    if query.fate != "any":
        mask &= as_mask(pc.is_null(table["drop_reason"])) == (query.fate == "kept")
    for name in FACETS:
        if wanted := getattr(query, name):
            mask &= as_mask(pc.equal(table[name], wanted))
    for limit, is_within in ((query.min_side, pc.greater_equal), (query.max_side, pc.less_equal)):
        if limit:
            shorter = pc.min_element_wise(table["width"], table["height"], skip_nulls=False)
            mask &= as_mask(is_within(shorter, limit))
    if query.text:
        found = [as_mask(pc.match_substring(table[name], query.text, ignore_case=True)) for name in SEARCHED]
        mask &= np.any(found, axis=0)
    if query.reviewed:
        reviewed = [row for row, decision in decided.items() if query.reviewed in ("undecided", decision)]
        mask &= np.isin(np.arange(len(images)), reviewed, invert=query.reviewed == "undecided")
    return mask
