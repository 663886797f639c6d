"""The rows of a table of captions that have a wanted word, read as a stream: all others take no memory.

>>> rows = pa.table({"url": ["http://e.org/1", "http://e.org/2"], "text": ["a Scrum", "a cat"]})
>>> wanted = CaptionFilter(Phrases({"rugby": ("scrum",)}), Phrases({}), {})
>>> wanted(rows).to_pylist(), wanted.counts
([True, False], Counter({'rows': 2}))
"""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curator.errors import SourceError
from curator.sources.base import ListingContext
from curator.sources.budget import budget
from curator.sources.captions.phrases import SEVERAL, Phrases
from curator.sources.large_columns import repeated
from curator.sources.reading.cache import CacheEntry
from curator.sources.reading.delimited import Rows
from curator.sources.reading.places import file_name, place_version
from curator.sources.reading.read import read_place
from curator.sources.reading.tally import Tally
from curator.sources.url_list.columns import find_columns, is_address
from curator.sources.url_list.formats import Writing, read_url_table, refusal_hint
from curator.sources.url_list.joined_tables import FILE, LINE, Tables, sample_of
from curator.store.spilled import pieces

LABEL, PHRASE = " label", " phrase"
"""The columns that say what a row was found by; no name of a table begins with a space."""

NO_CAPTION = "without a caption"
NO_ADDRESS = "without an address"
OF_TWO = "whose caption has words of two labels"
EXCEPTED = "whose caption has words of `except`"

READ_AS = 1
_COLUMN = 'Write which one it is, such as `columns = { caption = "TEXT" }`, beside its path in the recipe.'


@dataclass
class CaptionFilter:
    """Says which rows have a word of one label, and counts why others are left out; which column is what, it finds.

    ``columns`` are roles to names of columns, as a recipe has them.
    """

    phrases: Phrases
    excepted: Phrases
    columns: Mapping[str, str]
    counts: Counter[str] = field(default_factory=Counter)
    roles: dict[str, str] = field(default_factory=dict)

    def begin(self) -> None:
        """Forget what was seen: the table is read from its start."""
        self.counts.clear()
        self.roles = {}

    def __call__(self, rows: pa.Table) -> pa.ChunkedArray:
        """Return whether each row is wanted."""
        if not rows.num_rows:
            return pa.chunked_array([pa.array([], pa.bool_())])
        self.roles = self.roles or self._find_roles(rows)
        self.counts["rows"] += rows.num_rows
        captions, urls = (self._texts(rows, role) for role in ("title", "url"))
        n_blank = pc.sum(pc.equal(captions, "")).as_py() or 0
        self.counts.update({NO_CAPTION: n_blank} if n_blank else {})
        wanted = np.zeros(rows.num_rows, bool)
        places = pc.indices_nonzero(self.phrases.may_be_in(captions))
        near = zip(places.to_pylist(), captions.take(places).to_pylist(), urls.take(places).to_pylist(), strict=True)
        for place, caption, url in near:
            meaning = self.phrases.meaning(caption)
            if meaning is not None:
                reason = self._reason(meaning, caption, url)
                self.counts.update([reason] if reason else [])
                wanted[place] = not reason
        return pa.chunked_array([pa.array(wanted)])

    def _reason(self, meaning: tuple[str, str], caption: str, url: str) -> str:
        """Say why a row with words of a label is left out, if it is."""
        if self.excepted.meaning(caption) is not None:
            return EXCEPTED
        if meaning[0] == SEVERAL:
            return OF_TWO
        return "" if is_address(url) else NO_ADDRESS

    def _texts(self, rows: pa.Table, role: str) -> pa.ChunkedArray:
        if (name := self.roles[role]) not in rows.column_names:
            return pa.chunked_array([pa.array([""] * rows.num_rows, pa.string())])
        return pc.fill_null(pc.utf8_trim_whitespace(rows[name]), "")

    def _find_roles(self, rows: pa.Table) -> dict[str, str]:
        sample = sample_of(rows)
        roles = find_columns(sample, self.columns)
        shown = f"(its columns are {', '.join(sample)[:200]})"
        if "url" not in roles:
            raise SourceError(
                f"has no column of addresses {shown}", _COLUMN.replace("caption", "url").replace("TEXT", "link")
            )
        if "title" not in roles:
            raise SourceError(f"has no column of captions {shown}", _COLUMN)
        return roles


@dataclass(frozen=True)
class FoundRows:
    """The rows of one table that were found, with :data:`LABEL` and :data:`PHRASE`; and how many were left out why."""

    tables: Tables
    counts: Mapping[str, int]


def read_captions(
    place: str,
    key: Mapping[str, Any],
    wanted: CaptionFilter,
    writing: Writing,
    shown: str,
    context: ListingContext,
) -> FoundRows:
    """Read the rows of a table that are wanted, from the cache if it was read before.

    Args:
        key: what determines which rows are wanted.

    Raises:
        SourceError: it cannot be read, or has no captions.
    """
    entry = caption_entry(place, key, context)
    if (kept := entry.load()) is not None:
        facts = json.loads(kept.schema.metadata[b"curator"])
        _tell(Tally.from_facts(facts["tally"]), writing, shown, context)
        return _found(kept.replace_schema_metadata(None), place, facts)

    def read_anew(stream: io.BufferedReader) -> Rows:
        wanted.begin()  # a table that changes meanwhile is read again
        return read_url_table(stream, name=file_name(place), writing=writing, where=wanted)

    read = read_place(place, read_anew, context)
    if not wanted.counts["rows"]:
        raise SourceError("has no row that can be read")
    if wanted.counts[NO_CAPTION] == wanted.counts["rows"]:
        raise SourceError(f"has no caption in its column {wanted.roles['title']}", _COLUMN)
    _tell(read.tally, writing, shown, context)
    rows = _with_meanings(read.rows.append_column(LINE, read.lines), wanted)
    facts = {"origin": place, "tally": read.tally.as_facts(), "counts": wanted.counts, "roles": wanted.roles}
    entry.save(rows, facts)
    return _found(rows, place, facts)


def _with_meanings(rows: pa.Table, wanted: CaptionFilter) -> pa.Table:
    found = budget().spilled()
    for piece in pieces(rows):
        captions = piece[wanted.roles["title"]].to_pylist()
        meanings = [wanted.phrases.meaning(text) or ("", "") for text in captions]
        for name, column in ((LABEL, 0), (PHRASE, 1)):
            piece = piece.append_column(name, pa.array([meaning[column] for meaning in meanings], pa.string()))
        found.add(piece)
    return found.whole()


def caption_entry(place: str, key: Mapping[str, Any], context: ListingContext) -> CacheEntry:
    """Name what is kept of a table."""
    return CacheEntry(context, "captions", {**place_version(place, context.base_dir), **key, "read_as": READ_AS})


def _tell(tally: Tally, writing: Writing, shown: str, context: ListingContext) -> None:
    tally.tell(context.emit, shown, refusal_hint(tally, writing))


def _found(rows: pa.Table, place: str, facts: Mapping[str, Any]) -> FoundRows:
    files = repeated(0, rows.num_rows, pa.int32())
    unit = facts["tally"]["unit"]
    return FoundRows(Tables(rows.append_column(FILE, files), (place,), facts["roles"], unit), facts["counts"])
