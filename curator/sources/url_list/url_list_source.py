"""The url-list source: your own list of URLs, local or at an address, with a label in each row or one for all.

>>> source = UrlList(path="rugby.txt", label="rugbi")
>>> source.problems(("rugby", "soccer"), Path("nowhere"))[0]
('label', "names 'rugbi', which is not in labels, did you mean rugby?")
"""

from __future__ import annotations

import json
from collections import Counter
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
from curator.manifests.toml_settings import setting, suggest, toml_key
from curator.sources.base import ListingContext, PlannedRead, Source, listed_rows, most_frequent
from curator.sources.escaped import unescaped
from curator.sources.reading.cache import CacheEntry
from curator.sources.reading.delimited import Rows
from curator.sources.reading.places import file_name, is_url, place_problem, place_version, shown_name
from curator.sources.reading.read import probe_size, read_place
from curator.sources.reading.tally import N_SHOWN, Tally
from curator.sources.url_list.formats import QUOTING, read_url_table, refusal_hint

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

_ADDRESSES = ("fallback_url", "landing_url", "author_url")
_LINE = " line"
"""The column of the cached list that keeps where each row was; no name of a list begins with a space."""
_WAY_OUT = "Mend the list, or name another as `path` in the recipe, then run again."


@dataclass(frozen=True)
class UrlList(Source):
    """``kind = "url-list"``: CSV, TSV, JSON or Parquet with ``url`` and ``label`` columns, or one URL a line."""

    kind: ClassVar[str] = "url-list"

    path: str = setting(doc="the list: a path or an address, plain or .gz")
    label: str = setting("", "the label of all rows, if the list has no column `label`")
    quoting: str = setting("auto", "whether fields of the table may be in double quotes", choices=QUOTING)
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
            SourceError: the list cannot be read, lacks a column, or lists nothing.
        """
        try:
            found = self._read(context)
            rows = self._labelled(found, context)
        except SourceError as error:
            message = error.message.removeprefix(self.path).strip().rstrip(".")
            raise SourceError(f"The list {self.path} {message}.", error.hint or _WAY_OUT) from error
        for name in ("url", *(name for name in _ADDRESSES if name in rows.column_names)):
            clean = unescaped(rows[name], self._shown, context.emit)
            rows = rows.set_column(rows.column_names.index(name), name, clean)
        rows = rows.filter(pc.is_in(rows["label"], value_set=pa.array(list(labels), pa.string())))
        known = {name: rows[name] for name in CATALOG_COLUMNS if name in rows.column_names}
        blank = {name: pc.equal(pc.utf8_trim_whitespace(column), "") for name, column in known.items()}
        columns = {name: pc.if_else(blank[name], None, column) for name, column in known.items()}
        if "rotation" in columns:
            degrees = pd.to_numeric(columns["rotation"].to_pandas(), errors="coerce").round()
            columns["rotation"] = pa.array(degrees.where(degrees.abs() <= 360), from_pandas=True)
        if names := [name for name in rows.column_names if name not in ("url", "label", *CATALOG_COLUMNS)]:
            values = zip(*(rows[name].to_pylist() for name in names), strict=True)
            columns["extra"] = pa.array([json.dumps(dict(zip(names, row, strict=True))) for row in values], pa.string())
        columns |= {"url": rows["url"], "key": rows["url"], "label": rows["label"]}
        listed = listed_rows(self.kind, self.title, tier, columns)
        self._note(context, rows.num_rows - len(listed), "that repeat an address and its label")
        return listed

    @property
    def _shown(self) -> str:
        return self.name or file_name(self.path)

    def _entry(self, context: ListingContext) -> CacheEntry:
        how = {"read_as": 2, "quoting": self.quoting}
        return CacheEntry(context, "url-list", place_version(self.path, context.base_dir) | how)

    def _read(self, context: ListingContext) -> Rows:
        """Read the list, from the cache if it came from an address and was read before; tell what of it is refused."""
        entry = self._entry(context)
        table = entry.load() if is_url(self.path) else None
        if table is not None:
            tally = Tally.from_facts(json.loads(table.schema.metadata[b"curator"])["tally"])
            found = Rows(table.drop_columns([_LINE]), table[_LINE], tally)
        else:
            read = partial(read_url_table, name=file_name(self.path), quoting=self.quoting)
            found = read_place(self.path, read, context, max_bytes=16 << 30)
            if is_url(self.path):
                kept = found.rows.append_column(_LINE, found.lines)
                entry.save(kept, {"origin": self.path, "tally": found.tally.as_facts()})
        found.tally.tell(context.emit, self._shown, refusal_hint(found.tally, self.quoting))
        return found

    def _labelled(self, found: Rows, context: ListingContext) -> pa.Table:
        """Clean ``url`` and ``label``; leave out rows without either, repeated headers, and other labels."""
        table, lines = found.rows, found.lines
        _need_column(table, "url", "")
        if "label" not in table.column_names and self.label:
            table = table.append_column("label", pa.array([self.label] * table.num_rows, pa.string()))
        _need_column(table, "label", ' or set one label for all its rows, such as `label = "rugby"`,')
        for name in ("url", "label"):
            unmarked = pc.utf8_ltrim(table[name], "\ufeff")  # of a table that was put behind another
            trimmed = pc.fill_null(pc.utf8_trim_whitespace(unmarked), "")
            table = table.set_column(table.column_names.index(name), name, trimmed)
        is_header = pc.equal(pc.utf8_lower(table["url"]), "url")
        is_filled = pc.and_(pc.not_equal(table["url"], ""), pc.not_equal(table["label"], ""))
        meant = _find_labels(table["label"], context)
        is_listed = pc.is_valid(meant)
        is_other = pc.and_(is_filled, pc.invert(pc.or_(is_header, is_listed)))
        counts = Counter(table["label"].filter(is_other).to_pylist())
        left_out = {
            "that repeat the header": is_header,
            "without URL or label": pc.invert(is_filled),
            f"of labels outside the recipe ({most_frequent(counts)})": is_other,
        }
        table = table.set_column(table.column_names.index("label"), "label", meant)
        chosen = table.filter(pc.and_(pc.and_(is_filled, is_listed), pc.invert(is_header)))
        if not chosen.num_rows:
            raise _nothing_listed(counts, context.labels)
        for which, is_out in left_out.items():
            at = lines.filter(is_out)
            where = found.tally.place(at.slice(0, N_SHOWN).to_pylist(), len(at))
            self._note(context, len(at), f"{which} {where}" if "outside" not in which else which)
        return chosen

    def _note(self, context: ListingContext, n_rows: int, which: str) -> None:
        if n_rows:
            context.emit(Noted(f"{self._shown}: {n_rows:,} rows {which} were left out"))


def _find_labels(texts: pa.ChunkedArray, context: ListingContext) -> pa.ChunkedArray:
    """Find the label that each text means, or null."""
    distinct = pc.unique(texts)
    labels = pa.array([context.find_label(text) for text in distinct.to_pylist()], pa.string())
    return pa.chunked_array([labels.take(pc.index_in(chunk, distinct)) for chunk in texts.chunks], pa.string())


def _nothing_listed(counts: Counter[str], labels: Sequence[str]) -> SourceError:
    """Say which labels a list holds instead, and what to write."""
    what = f"lists no image of {', '.join(labels)}"
    if not counts:
        return SourceError(what)
    most = max(counts, key=lambda text: counts[text])
    example = f"labels = {{ {toml_key(labels[0])} = [{json.dumps(most, ensure_ascii=False)}], … }}"
    hint = f"Write `labels` in the recipe as in the list, or say there what means which: `{example}`."
    return SourceError(f"{what} but of {most_frequent(counts)}", hint)


def _need_column(table: pa.Table, name: str, or_else: str) -> None:
    if name not in table.column_names:
        found = ", ".join(table.column_names)[:200]
        near = suggest(name, table.column_names).replace("did you mean", "perhaps it is")
        hint = f"Name the column{or_else} in the recipe." if or_else else ""
        raise SourceError(f"has no column `{name}` (its columns are {found}{near.rstrip('?')})", hint)
