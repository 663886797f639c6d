"""The captions source: tables of addresses and captions, such as CC12M or parts of LAION, by words of the captions.

A row is listed if its caption has words or phrases of one label, whole words, and none of ``except``.

>>> source = Captions(path="cc12m.tsv", words={"rugby": ("rugby", "-")}, columns={"captoin": "TEXT"})
>>> for key, problem in source.problems(("rugby", "soccer")):
...     print(key, problem)
words names '-', which has no letter
columns names 'captoin', did you mean caption?
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from curator.errors import SourceError
from curator.events import Noted
from curator.manifests.toml_settings import setting, suggest
from curator.sources.base import ListingContext, PlannedRead, Source, known_labels, listed_table
from curator.sources.captions.caption_rows import (
    LABEL,
    PHRASE,
    CaptionFilter,
    FoundRows,
    caption_entry,
    read_captions,
)
from curator.sources.captions.phrases import Phrases, phrase_problems
from curator.sources.large_columns import rows_where
from curator.sources.reading.places import file_name, shown_name
from curator.sources.reading.read import probe_size
from curator.sources.url_list.columns import ROLES
from curator.sources.url_list.columns_of_rows import addresses, further_columns
from curator.sources.url_list.formats import QUOTING, Writing
from curator.sources.url_list.table_files import missing_tables, path_problem, state_of_tables, table_files
from curator.text import plural, was

_WAY_OUT = "Mend it, or name another as `path` in the recipe, then run again."


@dataclass(frozen=True)
class Captions(Source):
    """``kind = "captions"``: a table of addresses and captions, by words of the captions."""

    kind: ClassVar[str] = "captions"

    path: str | tuple[str, ...] = setting(doc="the table: a path or an address; several, a folder, a pattern")
    words: Mapping[str, tuple[str, ...]] | None = setting(
        None, "label to words and phrases; else the label and its other names"
    )
    except_: tuple[str, ...] = setting((), "words and phrases that a caption must not have")
    columns: Mapping[str, str] | None = setting(None, "what which column is, if its name does not say it")
    delimiter: str = setting("", "the sign between the fields of the table; else the one that it shows")
    quoting: str = setting("auto", "whether fields of the table may be in double quotes", choices=QUOTING)
    encoding: str = setting("", "the encoding of the table; else UTF-8, or UTF-16 if it begins so")
    name: str = setting("", "the source's name in tables; its kind if not given")

    def covers(self, labels: Sequence[str]) -> tuple[str, ...]:
        """Return the labels that this source can list."""
        return tuple(label for label in labels if self.words is None or self.words.get(label))

    def problems(self, labels: Sequence[str]) -> list[tuple[str, str]]:
        """List the recipe's mistakes that only this source can see, as (key, message) pairs."""
        found = known_labels("words", self.words or {}, labels)
        found += [("words", problem) for problem in phrase_problems(self.words or {})]
        found += [("except", problem) for problem in phrase_problems({"": self.except_})]
        roles = ("caption", *ROLES)
        found += [
            ("columns", f"names {role!r}{suggest(role, roles)}") for role in self.columns or {} if role not in roles
        ]
        found += self._writing.problems()
        problem = path_problem(self.path)
        return [*found, ("path", problem)] if problem else found

    def missing(self, base_dir: Path) -> list[tuple[str, str]]:
        """List the local places that are not there now, as (key, message) pairs."""
        problem = missing_tables(self.path, base_dir)
        return [("path", problem)] if problem else []

    def local_state(self, base_dir: Path) -> str:
        """Hash the sizes and times of its local tables."""
        return state_of_tables(self.path, base_dir)

    def plan(self, tier: int, context: ListingContext) -> Sequence[PlannedRead]:
        """Return how large the tables are; what was found in one that was read is kept."""
        places = table_files(self.path, context.base_dir)
        kept = {place for place in places if caption_entry(place, self._key(context), context).exists}
        sizes = [0 if place in kept else probe_size(place, context) for place in places]
        return [PlannedRead(shown_name(place), size, place in kept) for place, size in zip(places, sizes, strict=True)]

    def list_rows(self, tier: int, labels: Sequence[str], context: ListingContext) -> pa.Table:
        """List the rows whose caption has a word of one of ``labels``; report those left out.

        Raises:
            SourceError: a table cannot be read or has no captions, or no caption has a word of the recipe.
        """
        parts, n_rows, n_found = [], 0, 0
        for place in table_files(self.path, context.base_dir):
            found = self._read(place, context)
            self._note(place, found.counts, context)
            n_rows, n_found = n_rows + found.counts["rows"], n_found + found.tables.rows.num_rows
            parts.append(self._columns(found, labels, place, context))
        if not n_found:
            words = ", ".join(text for texts in self._words(context).values() for text in texts)
            place = self._shown(self.path)
            what = f"The table {place} has none of the words {words[:300]} in {plural(n_rows, 'caption')}."
            raise SourceError(what, "Write other `words` in the recipe, such as the caption of a picture would have.")
        whole = pa.concat_tables(parts, promote_options="default")
        return listed_table(self.kind, self.title, tier, {name: whole[name] for name in whole.column_names})

    def _words(self, context: ListingContext) -> dict[str, tuple[str, ...]]:
        """Return the words of each label."""
        if self.words is not None:
            return {label: tuple(texts) for label, texts in self.words.items()}
        others = context.label_names.names if context.label_names else {}
        return {label: (label, *others.get(label, ())) for label in context.labels}

    def _key(self, context: ListingContext) -> dict[str, Any]:
        """Return what determines which rows are found."""
        words = {label: list(texts) for label, texts in self._words(context).items()}
        written = {"written": astuple(self._writing)} if self._writing != Writing(beside="caption") else {}
        return {"words": words, "except": list(self.except_), "columns": dict(self.columns or {}), **written}

    @property
    def _writing(self) -> Writing:
        return Writing(self.quoting, self.delimiter, self.encoding, beside="caption")

    def _read(self, place: str, context: ListingContext) -> FoundRows:
        given = {"title" if role == "caption" else role: name for role, name in (self.columns or {}).items()}
        wanted = CaptionFilter(Phrases(self._words(context)), Phrases({"": self.except_}), given)
        try:
            return read_captions(place, self._key(context), wanted, self._writing, self._shown(place), context)
        except SourceError as error:
            message = error.message.removeprefix(place).strip().rstrip(".")
            raise SourceError(f"The table {place} {message}.", error.hint or _WAY_OUT) from error

    def _columns(self, found: FoundRows, labels: Sequence[str], place: str, context: ListingContext) -> pa.Table:
        """Return the columns of the catalog for the rows of these labels."""
        rows = found.tables.rows
        is_mine = pc.is_in(rows[LABEL], pa.array(list(labels), pa.string()))
        tables = found.tables.of(rows_where(rows, is_mine))
        urls = addresses(tables, "url", self._shown(place), context)
        known = further_columns(tables, self._shown(place), context)
        same = {"label": tables.rows[LABEL], "source_class": tables.rows[PHRASE], "url": urls, "key": urls}
        return pa.table({**known, **same})

    def _note(self, place: str, counts: Mapping[str, int], context: ListingContext) -> None:
        for reason, n in sorted(Counter(counts).items()):
            if n and reason != "rows":
                of_all = f"{n:,} of {plural(counts['rows'], 'row')}"
                context.emit(Noted(f"{self._shown(place)}: {of_all} {reason} {was(n)} left out"))

    def _shown(self, place: str | Sequence[str]) -> str:
        return file_name(place) if isinstance(place, str) else ", ".join(map(file_name, place))
