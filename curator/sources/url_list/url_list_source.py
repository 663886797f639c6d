"""The url-list source: your own table of addresses or files, with a label in each row or one for all.

>>> source = UrlList(path="rugby.txt", label="rugbi", columns={"ulr": "link"})
>>> for key, problem in source.problems(("rugby", "soccer")):
...     print(key, problem)
label names 'rugbi', which is not in labels, did you mean rugby?
columns names 'ulr', did you mean url?
>>> source.missing(Path("nowhere"))
[('path', 'names nowhere/rugby.txt, which is not a file')]
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from curator.errors import SourceError
from curator.events import Noted
from curator.manifests.toml_settings import setting
from curator.sources.base import ListingContext, PlannedRead, Source, listed_table, most_frequent, unknown_label
from curator.sources.large_columns import changed, numbers_of_rows, repeated, rows_of_numbers, rows_where
from curator.sources.local_pictures import AMBIGUOUS, OUTSIDE
from curator.sources.reading.places import file_name, is_url, missing_place, scheme_problem, shown_name
from curator.sources.reading.read import probe_size
from curator.sources.table_forms import n_same
from curator.sources.url_list.class_names import with_classes
from curator.sources.url_list.columns import column_problems, folded
from curator.sources.url_list.columns_of_rows import addresses, further_columns, sides
from curator.sources.url_list.formats import QUOTING, Writing
from curator.sources.url_list.joined_tables import (
    ReadAgainError,
    Tables,
    cache_entry,
    classes_beside,
    read_tables,
    roles_of,
)
from curator.sources.url_list.label_filter import LabelFilter
from curator.sources.url_list.labels_of_rows import label_rows, need_label, nothing_listed, trimmed
from curator.sources.url_list.occurrences import has_id, records_beside, species_of
from curator.sources.url_list.parquet_rows import PICTURE
from curator.sources.url_list.pictures_of_rows import Files, find_files, with_pictures
from curator.sources.url_list.table_files import missing_tables, path_problem, state_of_tables, table_files
from curator.text import plural, was

_ROW = " row"
_HINTS = {
    OUTSIDE: "Write `root` beside its path: a folder around the table that holds all its files too, or mend the table.",
    AMBIGUOUS: "Write the folder of each into the table, such as part_1/1.jpg, and name the folder around as `root`.",
}
_WAY_OUT = "Mend the list, or name another as `path` in the recipe, then run again."


@dataclass(frozen=True)
class UrlList(Source):
    """``kind = "url-list"``: a table of addresses or files (CSV, TSV, JSON, Parquet, Excel), or one address a line."""

    kind: ClassVar[str] = "url-list"

    path: str | tuple[str, ...] = setting(
        doc="the list: a path or an address, plain or .gz; several, a folder, a pattern"
    )
    label: str = setting("", "the label of all rows, if the list has no column `label`")
    columns: Mapping[str, str] | None = setting(None, "what which column is, if its name does not say it")
    root: str | tuple[str, ...] = setting(
        "", "the folder that local files are relative to, or several; else that of their table"
    )
    links: bool = setting(False, "follow links that lead out of that folder")
    delimiter: str = setting("", "the sign between the fields of the table; else the one that it shows")
    quoting: str = setting("auto", "whether fields of the table may be in double quotes", choices=QUOTING)
    encoding: str = setting("", "the encoding of the table; else UTF-8, or UTF-16 if it begins so")
    sheet: str = setting("", "the sheet of a workbook; else its first")
    name: str = setting("", "the source's name in tables; its kind if not given")

    def covers(self, labels: Sequence[str]) -> tuple[str, ...]:
        """Return the labels that this source can list."""
        return tuple(label for label in labels if self.label in ("", label))

    def problems(self, labels: Sequence[str]) -> list[tuple[str, str]]:
        """List the recipe's mistakes that only this source can see, as (key, message) pairs."""
        found = unknown_label(self.label, labels)
        found += [("columns", problem) for problem in column_problems(self.columns or {})]
        found += [("root", problem) for root in self.roots if (problem := scheme_problem(root))]
        found += self.writing.problems()
        problem = path_problem(self.path)
        return [*found, ("path", problem)] if problem else found

    def missing(self, base_dir: Path) -> list[tuple[str, str]]:
        """List the local places that are not there now, as (key, message) pairs."""
        table = missing_tables(self.path, base_dir)
        found = [("root", problem) for root in self.roots if (problem := missing_place(root, base_dir, folder=True))]
        return [*([("path", table)] if table else []), *found]

    @property
    def roots(self) -> tuple[str, ...]:
        """The folders that local files are relative to, as the recipe names them."""
        return (self.root,) * bool(self.root) if isinstance(self.root, str) else self.root

    @property
    def writing(self) -> Writing:
        """How the table is written, as far as the recipe says so."""
        return Writing(self.quoting, self.delimiter, self.encoding, self.sheet)

    def plan(self, tier: int, context: ListingContext) -> Sequence[PlannedRead]:
        """Return how large the list is."""
        places = table_files(self.path, context.base_dir)
        cached = {place for place in places if is_url(place) and cache_entry(place, self.writing, context).exists}
        sizes = [0 if place in cached else probe_size(place, context) for place in places]
        return [
            PlannedRead(shown_name(place), size, place in cached) for place, size in zip(places, sizes, strict=True)
        ]

    def local_state(self, base_dir: Path) -> str:
        """Hash the sizes and times of its local tables."""
        return state_of_tables(self.path, base_dir)

    def list_rows(self, tier: int, labels: Sequence[str], context: ListingContext) -> pa.Table:
        """List the rows whose label is among ``labels``; rows of labels outside the recipe are counted and reported.

        Raises:
            SourceError: the list cannot be read, lacks a column, or lists nothing.
        """
        try:
            tables = self.read(context, only_wanted=True)
            listed = self._listed(tables, tier, labels, context)
        except SourceError as error:
            message = error.message.removeprefix(self._place).strip().rstrip(".")
            raise SourceError(f"The list {self._place} {message}.", error.hint or _WAY_OUT) from error
        self._note(context, n_same(listed), "repeating an address and its label")
        return listed

    def read(self, context: ListingContext, *, only_wanted: bool = False) -> Tables:
        """Read the tables, each row with what it says of its label.

        Args:
            only_wanted: leave out, while reading, rows of labels outside the recipe, as far as nothing else is in them.

        Raises:
            SourceError: they cannot be read, or have no labels.
        """
        places = table_files(self.path, context.base_dir)
        records, columns = records_beside(places, context.base_dir), dict(self.columns or {})
        given = folded(columns.pop("label", "")) if records else ""
        wanted = self._filter(places, columns, context) if only_wanted and not records else None
        tables = self._read(places, columns, wanted, context)
        is_named = "label" in columns or tables.roles.get("label") == "label"
        if given and given in tables.rows.column_names:
            return replace(tables, roles={**tables.roles, "label": given})
        if self.label and not is_named:
            return tables.with_label(repeated(self.label, tables.rows.num_rows, pa.string()))
        if "label" in tables.roles and not given:
            return tables
        if records and has_id(tables.rows.column_names):
            tables = self._still_images(tables, context)
            context.watch([str(records.absolute())])
            context.emit(
                Noted(f"{self._shown}: the label is {given or 'the scientific name'} in {records.name} beside it")
            )
            return tables.with_label(species_of(tables.rows, records, given, context))
        raise need_label(tables)

    def _read(
        self, places: Sequence[str], columns: Mapping[str, str], wanted: LabelFilter | None, context: ListingContext
    ) -> Tables:
        try:
            tables = read_tables(places, self.writing, columns, context, self.name, wanted)
        except ReadAgainError:
            return self._read(places, columns, None, context)
        label, classes = tables.roles.get("label", ""), self.classes_of(tables.rows, tables.roles, places, context)
        rows = with_classes(tables.rows, label, classes)
        return replace(tables, rows=rows, left_out=wanted.left_out if wanted else tables.left_out)

    def _filter(self, places: Sequence[str], columns: Mapping[str, str], context: ListingContext) -> LabelFilter:
        def find_roles(rows: pa.Table) -> Mapping[str, str]:
            roles = roles_of(rows, columns, places)
            is_named = not self.label or "label" in columns or roles.get("label") == "label"
            return roles if is_named else {}

        return LabelFilter(
            context.find_label, find_roles, lambda rows, roles: self.classes_of(rows, roles, places, context)
        )

    def classes_of(
        self, rows: pa.Table, roles: Mapping[str, str], places: Sequence[str], context: ListingContext
    ) -> list[Mapping[str, str]]:
        """Return the names that the numbers in the column of labels stand for, by each source of such names."""
        beside = classes_beside(rows, roles, places[0], context).get(folded(roles.get("label", "")))
        return [beside] if beside else []

    @property
    def _place(self) -> str:
        """What messages call the list."""
        return self.path if isinstance(self.path, str) else ", ".join(self.path)

    @property
    def _shown(self) -> str:
        return self.name or file_name(self._place)

    def _still_images(self, tables: Tables, context: ListingContext) -> Tables:
        """Leave out sounds and films, which tables of media hold too."""
        if "type" not in tables.rows.column_names:
            return tables
        is_still = pc.is_in(pc.utf8_lower(trimmed(tables.rows["type"])), pa.array(["", "stillimage", "image"]))
        is_out = pc.invert(is_still)
        self._note(context, pc.sum(is_out).as_py() or 0, f"of a type other than still image {tables.where(is_out)}")
        return replace(tables, rows=tables.rows.filter(is_still))

    def choose(self, tables: Tables, context: ListingContext) -> pa.Table:
        """Choose the rows of the recipe's labels that have an address, a file or a picture; report the others.

        Returns:
            Columns of the catalog as far as they need a look at all rows, the rows' ``key``, and their number.

        Raises:
            SourceError: there are none; says what there is instead, and what to write.
        """
        found = label_rows(tables, context.find_label)
        if not pc.any(pc.is_valid(found.labels)).as_py():
            raise nothing_listed(found.others, context.labels)
        files = find_files(tables, pc.is_valid(found.labels), self.roots, context, follow_links=self.links)
        urls = addresses(tables, "url", self._shown, context)
        can_be_had = self._can_be_had(tables, urls, files, found.labels, context)
        for which, (n_rows, where) in found.left_out.items():
            self._note(context, n_rows, f"{which} {where}")
        self._note(context, found.others.total(), f"of labels outside the recipe ({most_frequent(found.others)})")
        columns = {
            "label": found.labels,
            "url": urls,
            "local_path": files.paths,
            "source_id": files.source_ids,
            "listed_split": sides(tables, self._shown, context),
            "key": changed(urls, pc.coalesce, self._keys(files, context)) if urls.null_count else urls,
            _ROW: numbers_of_rows(tables.rows.num_rows),
        }
        return rows_where(pa.table(columns), pc.and_(pc.is_valid(found.labels), can_be_had))

    def _listed(self, tables: Tables, tier: int, labels: Sequence[str], context: ListingContext) -> pa.Table:
        """List the rows of these labels with all that is known of them."""
        chosen = self.choose(tables, context)
        chosen = rows_where(chosen, pc.is_in(chosen["label"], pa.array(list(labels), pa.string())))
        mine = replace(tables, rows=rows_of_numbers(tables.rows, chosen[_ROW]))
        columns = {name: chosen[name] for name in chosen.column_names if name != _ROW}
        listed = pa.table(columns | further_columns(mine, self._shown, context))
        if PICTURE in mine.rows.column_names:
            listed, n_without = with_pictures(mine, listed, self.writing, context)
            self._note(context, n_without, "without a picture")
        if context.every_row:
            keys = changed(listed["key"], _numbered, numbers_of_rows(listed.num_rows))
            listed = listed.set_column(listed.column_names.index("key"), "key", keys)
        return listed_table(self.kind, self.title, tier, {name: listed[name] for name in listed.column_names})

    def _can_be_had(
        self, tables: Tables, urls: pa.Array, files: Files, labels: pa.ChunkedArray, context: ListingContext
    ) -> pa.Array:
        """Return which rows have an address, a picture or a file that exists; report the files that do not.

        Raises:
            SourceError: there are only files, and none of them exists.
        """
        is_held = pc.is_valid(tables.rows[PICTURE]) if PICTURE in tables.rows.column_names else pc.is_valid(urls)
        has_other = pc.or_(pc.is_valid(urls), is_held)
        can_be_had, is_labelled = pc.or_(has_other, pc.is_valid(files.paths)), pc.is_valid(labels)
        for reason in pc.unique(files.reasons).drop_null().to_pylist():
            is_missing = pc.and_(is_labelled, pc.fill_null(pc.equal(files.reasons, reason), False))
            is_out = pc.and_not(is_missing, has_other)
            n_out, n_missing = (pc.sum(one).as_py() or 0 for one in (is_out, is_missing))
            if n_out and not pc.any(pc.and_(is_labelled, can_be_had)).as_py():
                first = tables.rows[tables.roles["path"]].filter(is_out)[0].as_py()
                hint = _HINTS.get(reason, 'Write `root = "…"` beside its path: the folder that they are relative to.')
                raise SourceError(f"names {plural(n_out, 'file')} {reason}, such as {first[:100]!r}", hint)
            self._note(context, n_out, f"{reason} {tables.where(is_out)}")
            if n := n_missing - n_out:
                how = "is requested at its address" if n == 1 else "are requested at their addresses"
                context.emit(Noted(f"{self._shown}: {plural(n, 'row')} {reason} {how}"))
        return can_be_had

    def _keys(self, files: Files, context: ListingContext) -> pa.ChunkedArray:
        """Name files; those of a second list without a name of its own are told apart by its path."""
        if not context.has_namesake:
            return files.source_ids
        place = json.dumps([self.name, self._place])
        return changed(files.source_ids, lambda ids: pc.binary_join_element_wise(place, ids, "\n"))

    def _note(self, context: ListingContext, n_rows: int, which: str) -> None:
        if n_rows:
            context.emit(Noted(f"{self._shown}: {plural(n_rows, 'row')} {which} {was(n_rows)} left out"))


def _numbered(keys: pa.ChunkedArray, numbers: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(keys, numbers.cast(pa.string()), "\n")
