r"""Read the tables of a url-list as one: each from the cache if it came from an address and was read before.

>>> import tempfile
>>> folder = Path(tempfile.mkdtemp())
>>> _ = (folder / "a.csv").write_text("url,label\nhttp://e.org/1.jpg,rugby\n")
>>> _ = (folder / "b.csv").write_text("url,label\nhttp://e.org/2.jpg,rugby\nhttp://e.org/3.jpg,soccer\n")
>>> found = read_tables([str(folder / name) for name in ("a.csv", "b.csv")], Writing(), {}, ListingContext((), folder))
>>> found.roles, found.rows["url"].to_pylist()[1:]
({'url': 'url', 'label': 'label'}, ['http://e.org/2.jpg', 'http://e.org/3.jpg'])
>>> found.where(pa.chunked_array([[False, True, True]]))
'(line 2 of b.csv, line 3 of b.csv)'
"""

from __future__ import annotations

import io
import json
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa

from curator.errors import SourceError
from curator.manifests.cells import unguard_column
from curator.sources.base import ListingContext
from curator.sources.budget import budget
from curator.sources.escaped import Ampersands
from curator.sources.large_columns import changed, repeated
from curator.sources.reading.cache import CacheEntry
from curator.sources.reading.delimited import Rows, Wanted, rows_wanted
from curator.sources.reading.places import file_name, is_url, local_path, place_version
from curator.sources.reading.read import read_place
from curator.sources.reading.tally import N_SHOWN, Tally
from curator.sources.url_list.class_names import Names, names_beside
from curator.sources.url_list.columns import ROLES, MissingColumnError, find_columns, unnamed_addresses
from curator.sources.url_list.formats import Writing, read_url_table, refusal_hint
from curator.sources.url_list.parquet_rows import PICTURE, read_parquet
from curator.store.whole_files import whole_file

LINE, FILE, LABEL = " line", " file", " label"
"""The columns that say where each row was, and a label that is no column's; no name of a list begins with a space."""

READ_AS = 4
"""A list that was kept by another version of the reader is read again."""

MANIFEST = {"record_id", "label", "split", "sha256", "file", "format"}
"""The columns by which a manifest of curator is known."""

N_SAMPLED = 1000
"""Rows in which it is seen which column is what."""


@dataclass
class LeftOut:
    """Counts rows of labels outside the recipe, which were left out while a list was read.

    Attributes:
        others: how often each label occurs.
        further: how many more rows than there are have no label, no place, or repeat the header.
        ampersands: what their addresses have.
        sides: how often a text that is no side occurs where a side is stated.
        texts: what the column of labels says in them.
    """

    others: Counter[str] = field(default_factory=Counter)
    further: Counter[str] = field(default_factory=Counter)
    ampersands: Ampersands = field(default_factory=Ampersands)
    sides: Counter[str] = field(default_factory=Counter)
    texts: set[str] = field(default_factory=set)

    @property
    def n(self) -> int:
        """How many rows."""
        return self.others.total() + self.further.total()


@dataclass(frozen=True)
class Tables:
    """The rows of one table or several.

    Attributes:
        rows: their columns as text, with :data:`LINE`, :data:`FILE` and, if files hold pictures, ``PICTURE``.
        places: the files; :data:`FILE` numbers them.
        roles: which column is what.
        unit: what :data:`LINE` counts.
        left_out: what was left out of ``rows`` already.
    """

    rows: pa.Table
    places: tuple[str, ...]
    roles: Mapping[str, str]
    unit: str = "line"
    left_out: LeftOut = field(default_factory=LeftOut)

    @property
    def is_manifest(self) -> bool:
        """Whether this is the manifest of a data set that curator made."""
        return {*self.rows.column_names} >= MANIFEST

    def of(self, rows: pa.Table) -> Tables:
        """Return these of their rows."""
        return replace(self, rows=rows)

    def with_label(self, labels: pa.Array | pa.ChunkedArray) -> Tables:
        """Return them with a column of labels from elsewhere."""
        rows = self.rows.append_column(LABEL, labels)
        return replace(self, rows=rows, roles={**self.roles, "label": LABEL})

    def sample(self) -> dict[str, list[str | None]]:
        """Return the first values of each column."""
        return sample_of(self.rows)

    def where(self, is_meant: pa.ChunkedArray | pa.Array, n_further: int = 0) -> str:
        """Say where rows are: ``(lines 3, 5 …)``; ``n_further`` more of them were left out already."""
        rows = self.rows.select([LINE, FILE]).filter(is_meant)
        first, n_rows = rows.slice(0, N_SHOWN).to_pylist(), rows.num_rows + n_further
        if len(self.places) == 1:
            return Tally(unit=self.unit).place([row[LINE] for row in first], n_rows)
        named = [f"{self.unit} {row[LINE]} of {file_name(self.places[row[FILE]])}" for row in first]
        return f"({', '.join(named)}{' …' if n_rows > len(first) else ''})"


def sample_of(rows: pa.Table) -> dict[str, list[str | None]]:
    """Return the first values of each column that a list names."""
    names = [name for name in rows.column_names if not name.startswith(" ")]
    return {name: rows[name].slice(0, N_SAMPLED).to_pylist() for name in names}


def read_tables(
    places: Sequence[str],
    writing: Writing,
    columns: Mapping[str, str],
    context: ListingContext,
    shown: str = "",
    where: Wanted | None = None,
) -> Tables:
    """Read tables, report which rows are refused, and find which column is what.

    Args:
        columns: roles to names of columns, as a recipe has them.
        shown: what reports call the list, if not by the name of its file.
        where: says which rows of some are wanted; none: all.

    Raises:
        SourceError: one of them cannot be read, has other columns than the first, or none holds addresses or files.
    """
    read: list[Rows] = []
    names = [shown if shown and len(places) == 1 else file_name(place) for place in places]
    for place in places:
        try:
            read.append(read_table(place, writing, context, where))
        except SourceError as error:
            _tell_refused(read, names, writing, context)
            raise SourceError(f"{place} {error.message.removeprefix(place).strip()}", error.hint) from error
    _tell_refused(read, names, writing, context)  # not before, as they may have to be read again
    parts = [
        found.rows.append_column(LINE, found.lines).append_column(FILE, repeated(number, len(found.lines), pa.int32()))
        for number, found in enumerate(read)
    ]
    rows = pa.concat_tables(parts, promote_options="default")
    if not rows.num_rows:
        raise SourceError(f"{places[0]} has no row behind its header")
    rows = _unguarded(rows) if {*rows.column_names} >= MANIFEST else rows
    roles = roles_of(rows, columns, places)
    _refuse_other_columns(places, parts, roles)
    return Tables(rows, tuple(places), roles, read[0].tally.unit)


def _tell_refused(read: Sequence[Rows], names: Sequence[str], writing: Writing, context: ListingContext) -> None:
    for name, found in zip(names, read, strict=False):
        found.tally.tell(context.emit, name, refusal_hint(found.tally, writing))


def _refuse_other_columns(places: Sequence[str], parts: Sequence[pa.Table], roles: Mapping[str, str]) -> None:
    for place, part in zip(places, parts, strict=True):
        needed = [name for role, name in roles.items() if role in ("url", "path", "label", "split", "group")]
        if missing := [name for name in needed if name not in part.column_names]:
            others = ", ".join(name for name in part.column_names if not name.startswith(" "))[:200]
            what = f"{place} has no column {', '.join(missing)}, which {places[0]} has (its columns are {others})"
            raise SourceError(what, "Read tables of other columns by a [[sources]] table of their own.")


class ReadAgainError(Exception):
    """What was said of rows no longer holds: the tables are to be read again, all rows."""


def read_table(place: str, writing: Writing, context: ListingContext, where: Wanted | None = None) -> Rows:
    """Read one table, from the cache if it came from an address and was read before: there all its rows are kept."""
    if is_url(place):
        return rows_wanted(_read_remote(place, writing, context), where)
    n_reads = count()

    def read(stream: io.BufferedReader) -> Rows:
        if where and next(n_reads):  # it changed meanwhile
            raise ReadAgainError
        return read_url_table(stream, file_name(place), writing, where and _counting(where))

    return read_place(place, read, context)


def _counting(where: Wanted) -> Wanted:
    """Count all rows of a table against the budget of the source, those too that are left out."""
    limits, n_rows = budget(), 0

    def look(rows: pa.Table) -> pa.ChunkedArray:
        nonlocal n_rows
        n_rows += rows.num_rows
        limits.rows(n_rows)
        return where(rows)

    return look


def _read_remote(place: str, writing: Writing, context: ListingContext) -> Rows:
    read = partial(read_url_table, name=file_name(place), writing=writing)
    entry = cache_entry(place, writing, context)
    table = entry.load()
    if table is not None and (PICTURE not in table.column_names or whole_copy(entry).is_file()):
        tally = Tally.from_facts(json.loads(table.schema.metadata[b"curator"])["tally"])
        return Rows(table.drop_columns([LINE]).replace_schema_metadata(None), table[LINE], tally)
    found = read_place(place, partial(_read_and_keep, read=read, copy=whole_copy(entry)), context)
    entry.save(found.rows.append_column(LINE, found.lines), {"origin": place, "tally": found.tally.as_facts()})
    return found


def cache_entry(place: str, writing: Writing, context: ListingContext) -> CacheEntry:
    """Name what is kept of a list from an address."""
    how = {"read_as": READ_AS, **{key: value for key, value in asdict(writing).items() if value}}
    return CacheEntry(context, "url-list", place_version(place, context.base_dir) | how)


def whole_copy(entry: CacheEntry) -> Path:
    """Name the copy of a Parquet file from an address that holds pictures."""
    return entry.path.with_suffix(".whole")


def _read_and_keep(stream: io.BufferedReader, read: Any, copy: Path) -> Rows:
    """Read a list; keep the file if it holds pictures, which are read when their labels are known."""
    if stream.peek(4)[:4] != b"PAR1":
        found: Rows = read(stream)
        return found
    with whole_file(copy) as temporary:
        with temporary.open("wb") as file:
            shutil.copyfileobj(stream, file, 1 << 20)
        with temporary.open("rb") as file:
            found = read_parquet(file)
    if PICTURE not in found.rows.column_names:
        copy.unlink()
    return found


def roles_of(rows: pa.Table, columns: Mapping[str, str], places: Sequence[str]) -> dict[str, str]:
    """Find which column is what; a list from an address names no files of this machine."""
    has_pictures, is_remote = PICTURE in rows.column_names, any(map(is_url, places))
    sample = sample_of(rows)
    if is_remote or has_pictures:
        columns = {role: name for role, name in columns.items() if role != "path"}
    roles = find_columns(sample, columns)
    if has_pictures or is_remote:
        path = roles.pop("path", None)
        if path and has_pictures:
            roles.setdefault("source_id", path)  # what the picture was called before it was put in here
        elif path and "url" not in roles:
            what = f"{places[0]} names files (its column {path}), which a list from an address must not"
            raise SourceError(what, "Download it beside the files, and name that file in the recipe.")
    if "url" in roles or "path" in roles or has_pictures:
        return roles
    found = ", ".join(sample)[:200]
    names = unnamed_addresses(sample)
    if names:
        hint = f'Its column {names[0]} holds addresses: write `columns = {{ url = "{names[0]}" }}` beside its path.'
    else:
        hint = 'Name the column in the recipe: `columns = { url = "link" }`, or for local files `{ path = "file" }`.'
    message = f"{places[0]} has no column `url` (its columns are {found})"
    raise MissingColumnError("url", message, hint, names, sample)


def _unguarded(rows: pa.Table) -> pa.Table:
    """Take the apostrophes away that guard the texts of a manifest."""
    for number, name in enumerate(rows.column_names):
        if name in ROLES and name not in ("label", "path", "split"):
            plain = changed(rows[name], lambda texts: unguard_column(texts.combine_chunks()))
            rows = rows.set_column(number, name, plain)
    return rows


def classes_beside(rows: pa.Table, roles: Mapping[str, str], place: str, context: ListingContext) -> Names:
    """Read the names of the classes that files beside a table state, if its labels are numbers."""
    name = roles.get("label")
    if name is None or is_url(place) or any(not (text or "0").lstrip("-").isdigit() for text in sample_of(rows)[name]):
        return {}
    names, files = names_beside(local_path(place, context.base_dir).absolute().parent)
    context.watch(files)
    return names
