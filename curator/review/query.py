"""The view and filters of the page, from the parameters of a request to a mask over the rows.

>>> query = Query.parse({"label": "rugby", "min_side": "200", "nonsense": "1"})
>>> query.view, query.label, query.min_side
('all', 'rugby', 200)
>>> Query.parse({"view": "everything"})
Traceback (most recent call last):
ValueError: view must be one of all, duplicates, conflicts, placeholders, wrong
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc

from curator.review.images import FACETS, BoolArray, Images, as_mask

VIEWS = ("all", "duplicates", "conflicts", "placeholders", "wrong")
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
                values[field.name] = _pixels(field.name, text) if field.name.endswith("_side") else text
        query = cls(**values)
        _check("view", query.view, VIEWS)
        _check("fate", query.fate, FATES)
        _check("reviewed", query.reviewed, REVIEWED)
        return query


def _pixels(name: str, text: str) -> int:
    if not text.isdecimal() or len(text) > 6:
        raise ValueError(f"{name} must be a number of pixels")
    return int(text)


def _check(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choice for choice in choices if choice)}")


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
    if query.min_side:
        mask &= as_mask(pc.greater_equal(_shorter(images), query.min_side))
    if query.max_side:
        mask &= as_mask(pc.less_equal(_shorter(images), query.max_side))
    if query.text:
        mask &= _mentions(images, query.text)
    if query.reviewed:
        mask &= _reviewed(len(images), query.reviewed, decided)
    return mask


def _shorter(images: Images) -> Any:
    return pc.min_element_wise(images.table["width"], images.table["height"], skip_nulls=False)


def _mentions(images: Images, text: str) -> BoolArray:
    found = np.zeros(len(images), bool)
    for name in SEARCHED:
        found |= as_mask(pc.match_substring(images.table[name], text, ignore_case=True))
    return found


def _reviewed(n: int, wanted: str, decided: Mapping[int, str]) -> BoolArray:
    mask = np.zeros(n, bool)
    mask[[row for row, decision in decided.items() if wanted in ("undecided", decision)]] = True
    return ~mask if wanted == "undecided" else mask
