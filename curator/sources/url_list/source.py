"""The url-list source: your own list of URLs, local or at an address, with a label in each row or one for all.

>>> source = UrlList(path="rugby.txt", label="rugbi")
>>> source.problems(("rugby", "soccer"), Path("nowhere"))[0]
('label', "names 'rugbi', which is not in labels, did you mean rugby?")
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from curator.errors import SourceError
from curator.events import Noted
from curator.manifests.recipe import NAME_PATTERN
from curator.manifests.toml_settings import setting, suggest
from curator.sources.base import ListingContext, PlannedRead, Source, listed_rows
from curator.sources.reading.cache import CacheEntry
from curator.sources.reading.places import file_name, is_url, place_problem, place_version, shown_name
from curator.sources.reading.read import probe_size, read_place
from curator.sources.url_list.formats import read_url_table

CATALOG_COLUMNS = (
    "source_id",
    "source_class",
    "fallback_url",
    "landing_url",
    "license",
    "author",
    "author_url",
    "title",
    "rotation",
)
"""Columns of a list that become columns of the catalog; others are kept in ``extra``. ``local_path`` is not among
them: a list from elsewhere must not name files of this machine."""

_N_SHOWN = 5
_WAY_OUT = "Mend the list, or name another as `path` in the recipe, then run again."


@dataclass(frozen=True)
class UrlList(Source):
    """``kind = "url-list"``: CSV, TSV, JSONL or Parquet with ``url`` and ``label`` columns, or one URL a line."""

    kind: ClassVar[str] = "url-list"

    path: str = setting(doc="the list: a path or an address, plain or .gz")
    label: str = setting("", "the label of all rows, if the list has no column `label`")
    name: str = setting("", "the source's name in tables; its kind if not given")

    def covers(self, labels: Sequence[str]) -> tuple[str, ...]:
        """Return the labels that this source can list."""
        return tuple(label for label in labels if self.label in ("", label))

    def problems(self, labels: Sequence[str], base_dir: Path) -> list[tuple[str, str]]:
        """List the recipe's mistakes that only this source can see, as (key, message) pairs."""
        found = []
        if self.label and self.label not in labels:
            found.append(("label", f"names {self.label!r}, which is not in labels{suggest(self.label, labels)}"))
        problem = place_problem(self.path, base_dir, folder=False)
        return [*found, ("path", problem)] if problem else found

    def plan(self, tier: int, context: ListingContext) -> Sequence[PlannedRead]:
        """Return how large the list is."""
        cached = is_url(self.path) and self._entry(context).exists
        size = 0 if cached else probe_size(self.path, context)
        return [PlannedRead(shown_name(self.path), size, cached)]

    def list_images(self, tier: int, labels: Sequence[str], context: ListingContext) -> pd.DataFrame:
        """List the rows whose label is among ``labels``; rows of labels outside the recipe are counted and reported.

        Raises:
            SourceError: the list cannot be read, lacks a column, holds a label that is no label, or lists nothing.
        """
        try:
            rows = self._labelled(self._read(context), context)
        except SourceError as error:
            message = error.message.removeprefix(self.path).strip().rstrip(".")
            raise SourceError(f"The list {self.path} {message}.", error.hint or _WAY_OUT) from error
        rows = rows.filter(pc.is_in(rows["label"], value_set=pa.array(list(labels), pa.string())))
        known = {name: rows[name] for name in CATALOG_COLUMNS if name in rows.column_names}
        blank = {name: pc.equal(pc.utf8_trim_whitespace(column), "") for name, column in known.items()}
        columns = {name: pc.if_else(blank[name], None, column) for name, column in known.items()}
        if "rotation" in columns:
            degrees = pd.to_numeric(columns["rotation"].to_pandas(), errors="coerce").round()
            columns["rotation"] = pa.array(degrees.where(degrees.abs() <= 360), from_pandas=True)
        columns |= {"url": rows["url"], "key": rows["url"], "label": rows["label"], "extra": _extras(rows)}
        return listed_rows(self.kind, self.title, tier, columns)

    def _entry(self, context: ListingContext) -> CacheEntry:
        return CacheEntry(context, "url-list", place_version(self.path, context.base_dir))

    def _read(self, context: ListingContext) -> pa.Table:
        """Read the list, from the cache if it came from an address and was read before."""
        entry = self._entry(context)
        table = entry.load() if is_url(self.path) else None
        if table is not None:
            return table
        read = partial(read_url_table, name=file_name(self.path))
        found = read_place(self.path, read, context, max_bytes=16 << 30)
        self._note(context, found.n_malformed, "with another number of fields than the header")
        if is_url(self.path):
            entry.save(found.rows, {"origin": self.path, "malformed_rows": found.n_malformed})
        return found.rows

    def _labelled(self, table: pa.Table, context: ListingContext) -> pa.Table:
        """Check and clean ``url`` and ``label``; leave out rows without either, and of labels outside the recipe."""
        _need_column(table, "url", "")
        if "label" not in table.column_names and self.label:
            table = table.append_column("label", pa.array([self.label] * table.num_rows, pa.string()))
        _need_column(table, "label", ' or set one label for all its rows, such as `label = "rugby"`,')
        for name in ("url", "label"):
            trimmed = pc.fill_null(pc.utf8_trim_whitespace(table[name]), "")
            table = table.set_column(table.column_names.index(name), name, trimmed)
        labels = table["label"]
        good = pc.or_(pc.equal(labels, ""), pc.match_substring_regex(labels, f"^{NAME_PATTERN.pattern}$"))
        if rows := pc.indices_nonzero(pc.invert(good)).to_pylist():
            shown = ", ".join(f"{labels[row].as_py()[:60]!r} (row {row + 1})" for row in rows[:_N_SHOWN])
            what = f"has {len(rows):,} {'row' if len(rows) == 1 else 'rows'} with a label that is none: {shown}"
            raise SourceError(what, "Write labels as in the recipe: lower-case letters, digits, - and _ only.")
        filled = table.filter(pc.and_(pc.not_equal(table["url"], ""), pc.not_equal(table["label"], "")))
        self._note(context, table.num_rows - filled.num_rows, "without URL or label")
        inside = pc.is_in(filled["label"], value_set=pa.array(list(context.labels), pa.string()))
        found = filled.filter(inside)
        others = filled.filter(pc.invert(inside))["label"].value_counts().to_pylist()
        others.sort(key=lambda count: (-count["counts"], count["values"]))
        named = ", ".join(f"{count['values']} {count['counts']:,}" for count in others[:_N_SHOWN])
        if not found.num_rows:
            but = f" but of {named}" if named else ""
            raise SourceError(f"lists no image of {', '.join(context.labels)}{but}")
        self._note(context, filled.num_rows - found.num_rows, f"of labels outside the recipe ({named})")
        return found

    def _note(self, context: ListingContext, n_rows: int, which: str) -> None:
        if n_rows:
            context.emit(Noted(f"{self.name or file_name(self.path)}: {n_rows:,} rows {which} were left out"))


def _need_column(table: pa.Table, name: str, or_else: str) -> None:
    if name not in table.column_names:
        found = ", ".join(table.column_names)[:200]
        near = suggest(name, table.column_names).replace("did you mean", "perhaps it is")
        hint = f"Name the column{or_else} in the recipe." if or_else else ""
        raise SourceError(f"has no column `{name}` (its columns are {found}{near.rstrip('?')})", hint)


def _extras(rows: pa.Table) -> pa.Array:
    names = [name for name in rows.column_names if name not in ("url", "label", *CATALOG_COLUMNS)]
    if not names:
        return pa.nulls(rows.num_rows, pa.string())
    values = zip(*(rows[name].to_pylist() for name in names), strict=True)
    return pa.array([json.dumps(dict(zip(names, row, strict=True))) for row in values], pa.string())
