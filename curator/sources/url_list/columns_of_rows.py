"""The columns of the catalog that the rows of a list say themselves: addresses, the side, and what else is known.

>>> context = ListingContext((), Path())
>>> rows = pa.table({"url": [" http://e.org/1.jpg", ""], "caption": ["a heron", " "], "n": ["1", "2"]})
>>> tables = Tables(rows, ("list.csv",), {"url": "url", "title": "caption"})
>>> addresses(tables, "url", "list.csv", context).to_pylist()
['http://e.org/1.jpg', None]
>>> {name: column.to_pylist() for name, column in further_columns(tables, "list.csv", context).items()}
{'title': ['a heron', None], 'extra': ['{"n": "1"}', '{"n": "2"}']}
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path as Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curator.events import Noted
from curator.sources.base import ListingContext as ListingContext
from curator.sources.base import most_frequent
from curator.sources.budget import budget
from curator.sources.escaped import NO_AMPERSANDS, unescaped
from curator.sources.large_columns import changed, repeated
from curator.sources.sides import side_of
from curator.sources.url_list.joined_tables import FILE, Tables
from curator.sources.url_list.labels_of_rows import trimmed
from curator.sources.url_list.table_files import side_of_place
from curator.text import plural

_ROWS_AT_ONCE = 8192
_NUMBER = re.compile(r"\s*[+-]?(\d{1,20}\.?\d*|\.\d+)(e[+-]?\d{1,3})?\s*", re.ASCII | re.IGNORECASE)
_TEXTS = ("source_id", "source_class", "license", "author", "title", "rotation")
_ADDRESSES = ("fallback_url", "landing_url", "author_url")


def addresses(tables: Tables, role: str, shown: str, context: ListingContext) -> pa.ChunkedArray:
    """Return the addresses of a role, null if a row has none."""
    if (name := tables.roles.get(role)) is None:
        return repeated(None, tables.rows.num_rows, pa.string())
    others = tables.left_out.ampersands if role == "url" else NO_AMPERSANDS
    clean = unescaped(changed(tables.rows[name], trimmed), shown, context.emit, others)
    return changed(clean, lambda texts: _known(texts, texts))


def _known(texts: pa.ChunkedArray, trimmed_texts: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(pc.equal(trimmed_texts, ""), None, texts)


def further_columns(tables: Tables, shown: str, context: ListingContext) -> dict[Any, Any]:
    """Return the columns of the catalog that say more about rows that are chosen."""
    rows, roles = tables.rows, tables.roles
    columns: dict[Any, Any] = {role: addresses(tables, role, shown, context) for role in _ADDRESSES if role in roles}
    for role in _TEXTS:
        if role in roles:
            columns[role] = changed(rows[roles[role]], lambda texts: _known(texts, pc.utf8_trim_whitespace(texts)))
    if "rotation" in columns:
        columns["rotation"] = changed(columns["rotation"], _degrees)
    if "group" in roles:
        groups = changed(rows[roles["group"]], trimmed)
        columns["listed_group"] = changed(groups, lambda texts: _known(texts, texts))
    others = [name for name in rows.column_names if name not in roles.values() and not name.startswith(" ")]
    if others and not tables.is_manifest:
        written = budget().spilled()
        for extras in _extras(rows.select(others)):
            written.add(pa.table({"extra": extras}))
        columns["extra"] = written.whole()["extra"] if rows.num_rows else pa.array([], pa.string())
    return columns


def _degrees(texts: pa.ChunkedArray) -> pa.Array:
    return pa.array([_degree(text) for text in texts.to_pylist()], pa.float64())


def _degree(text: str | None) -> float | None:
    degrees = float(text) if text and _NUMBER.fullmatch(text) else math.inf
    return float(round(degrees)) if abs(degrees) <= 360.5 else None


def _extras(rows: pa.Table) -> Iterator[pa.Array]:
    """Write what else each row says as JSON, some rows at a time; a column that a row lacks is left out."""
    for batch in rows.to_batches(_ROWS_AT_ONCE):
        facts: list[dict[str, str]] = [{} for _ in range(batch.num_rows)]
        for name, column in zip(rows.column_names, batch.columns, strict=True):
            for place, text in zip(
                np.flatnonzero(column.is_valid()).tolist(), column.drop_null().to_pylist(), strict=True
            ):
                facts[place][name] = text
        yield pa.array(map(json.dumps, facts), pa.string())


def sides(tables: Tables, shown: str, context: ListingContext) -> pa.Array | pa.ChunkedArray:
    """Return the side that each row says, or else the name of its file."""
    rows = tables.rows
    if (name := tables.roles.get("split")) is None:
        by_file = pa.array([side_of_place(place) for place in tables.places], pa.string())
        return changed(rows[FILE], lambda numbers: by_file.take(numbers.combine_chunks()))
    texts = changed(rows[name], trimmed)
    counts = {one["values"]: one["counts"] for one in pc.value_counts(texts).to_pylist()}
    known = {text: side_of(text) for text in counts}
    none = Counter({text: n for text, n in counts.items() if text and known[text] is None}) + tables.left_out.sides
    if none:
        what = f"{plural(none.total(), 'row is', 'rows are')} of no side in the column {name} ({most_frequent(none)})"
        context.emit(Noted(f"{shown}: {what}; they are split like rows that have none"))
    return changed(texts, lambda some: pa.array([known[text] for text in some.to_pylist()], pa.string()))
