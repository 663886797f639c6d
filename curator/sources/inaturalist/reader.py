r"""Read what a recipe wants of iNaturalist's tables, one after the other; what was found in each is kept.

>>> tables = OpenTables("https://example.org/inat", "inaturalist", ListingContext((), Path()))
>>> tables.kept_tables({"heron": ("Ardea",)}, ("research",), most=10)
set()
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path as Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from curator.errors import SourceError
from curator.events import Noted
from curator.sources.base import ListingContext
from curator.sources.inaturalist.tables import ObservationFilter, among, below, named_like, place_of, read_rows
from curator.sources.inaturalist.taxa import EXCEPTED, Taxon, find_taxa, owner_of
from curator.sources.reading.cache import CacheEntry
from curator.sources.reading.delimited import Rows, Wanted
from curator.sources.reading.places import file_name, place_version
from curator.sources.reading.read import read_place

_TAXON = ("taxon_id", "ancestry", "name", "rank", "active")
_OBSERVATION = ("observation_uuid", "taxon_id", "quality_grade")
_PHOTO = ("photo_id", "observation_uuid", "observer_id", "extension", "license", "width", "height")
_OBSERVER = ("observer_id", "login", "name")
_WAY_OUT = 'Run again later, or download the tables yourself and name their folder: `path = "folder"`.'
Wishes = Mapping[str, tuple[str, ...]]
"""Each label's taxa, and those that are left out as :data:`EXCEPTED`."""


class OpenTables:
    """The tables at one place, for the source that is called ``title``."""

    def __init__(self, path: str, title: str, context: ListingContext) -> None:
        self._path, self._title, self._context = path, title, context

    def taxa(self, wishes: Wishes) -> dict[str, str]:
        """Return the label of each wanted taxon, by its id.

        Raises:
            SourceError: the table cannot be read, or a taxon is unknown or ambiguous.
        """
        entry = self._taxa_entry(wishes)
        if (kept := entry.load()) is None:
            texts = [text.strip() for texts in wishes.values() for text in texts]
            known = self._read("taxa", _TAXON, named_like(texts)).to_pylist()
            try:
                owners = find_taxa(wishes, [Taxon(*(row[name] or "" for name in _TAXON)) for row in known])
            except SourceError as error:
                end = "" if error.message.endswith("?") else "."
                raise SourceError(f"Of the taxa of iNaturalist, {error.message}{end}", error.hint) from error
            rows = self._read("taxa", _TAXON, below([*owners]))
            pairs = zip(rows["taxon_id"].to_pylist(), rows["ancestry"].to_pylist(), strict=True)
            labels = {taxon_id: owner_of(taxon_id, path or "", owners) for taxon_id, path in pairs}
            wanted = {taxon_id: label for taxon_id, label in labels.items() if label not in (None, EXCEPTED)}
            kept = pa.table(
                {"taxon_id": pa.array(wanted, pa.string()), "label": pa.array(wanted.values(), pa.string())}
            )
            _save(entry, kept)
        return dict(zip(kept["taxon_id"].to_pylist(), kept["label"].to_pylist(), strict=True))

    def observations(self, label_of: Mapping[str, str], grades: Sequence[str], most: int) -> pa.Table:
        """Return the observations that are chosen: columns ``observation_uuid``, ``taxon_id`` and ``label``."""
        entry = self._observations_entry(label_of, grades, most)
        if (kept := entry.load()) is None:
            wanted = ObservationFilter(label_of, grades, most)
            rows = self._read("observations", _OBSERVATION, wanted, wanted.begin)
            chosen = wanted.chosen()
            rows = rows.filter(pc.is_in(rows["observation_uuid"], value_set=pa.array(chosen, pa.string())))
            labels = pa.array([chosen[uuid] for uuid in rows["observation_uuid"].to_pylist()], pa.string())
            kept = rows.select(["observation_uuid", "taxon_id"]).append_column("label", labels)
            _save(entry, kept)
            for label, n in sorted(wanted.counts.items()):
                if n > most:
                    what = f"{most:,} of {n:,} observations of {label} are taken, by chance (`most`)"
                    self._context.emit(Noted(f"{self._title}: {what}"))
        return kept.replace_schema_metadata(None)

    def photos(self, uuids: Sequence[str]) -> pa.Table:
        """Return the photos of observations."""
        return self._rows("photos", _PHOTO, "observation_uuid", uuids)

    def observers(self, photos: pa.Table) -> dict[str, str]:
        """Return the name of each photo's observer, by their id; without the table, nobody's."""
        try:
            rows = self._rows("observers", _OBSERVER, "observer_id", _observers_of(photos))
        except SourceError as error:
            self._context.emit(Noted(f"{self._title}: observers are named by their numbers. {error.message}"))
            return {}
        is_named = pc.not_equal(pc.fill_null(pc.utf8_trim_whitespace(rows["name"]), ""), "")
        names = pc.if_else(is_named, rows["name"], rows["login"])
        return dict(zip(rows["observer_id"].to_pylist(), names.to_pylist(), strict=True))

    def kept_tables(self, wishes: Wishes, grades: Sequence[str], most: int) -> set[str]:
        """Return the tables of which all that is wanted is kept."""
        kept = set[str]()
        if self._taxa_entry(wishes).exists:
            kept.add("taxa")
            observed = self._observations_entry(self.taxa(wishes), grades, most).load()
            if observed is not None:
                kept.add("observations")
                photos = self._ids_entry("photos", observed["observation_uuid"].to_pylist()).load()
                if photos is not None:
                    kept.add("photos")
                    kept |= {"observers"} if self._ids_entry("observers", _observers_of(photos)).exists else set()
        return kept

    def _rows(self, table: str, columns: Sequence[str], key: str, ids: Sequence[str]) -> pa.Table:
        """Return the rows of a table that have one of these ids."""
        entry = self._ids_entry(table, ids)
        if (kept := entry.load()) is None:
            kept = self._read(table, columns, among(key, ids))
            _save(entry, kept)
        return kept.replace_schema_metadata(None)

    def _read(
        self, table: str, columns: Sequence[str], where: Wanted, begin: Callable[[], None] = lambda: None
    ) -> pa.Table:
        place = place_of(self._path, table, self._context.base_dir)

        def read(stream: io.BufferedReader) -> Rows:
            begin()  # a table that changes meanwhile is read again
            return read_rows(stream, columns, where)

        try:
            found = read_place(place, read, self._context)
        except SourceError as error:
            message = error.message.removeprefix(place).strip().rstrip(".")
            raise SourceError(f"The table {place} {message}.", error.hint or _WAY_OUT) from error
        found.tally.tell(self._context.emit, file_name(place))
        return found.rows

    def _taxa_entry(self, wishes: Wishes) -> CacheEntry:
        return self._entry("taxa", {"taxa": {owner: list(texts) for owner, texts in wishes.items()}})

    def _observations_entry(self, label_of: Mapping[str, str], grades: Sequence[str], most: int) -> CacheEntry:
        of_taxa = _digest(f"{taxon_id} {label}" for taxon_id, label in label_of.items())
        return self._entry("observations", {"taxa": of_taxa, "grades": list(grades), "most": most})

    def _ids_entry(self, table: str, ids: Sequence[str]) -> CacheEntry:
        return self._entry(table, {"ids": _digest(ids)})

    def _entry(self, table: str, key: Mapping[str, Any]) -> CacheEntry:
        place = place_of(self._path, table, self._context.base_dir)
        return CacheEntry(
            self._context, f"inaturalist-{table}", {**place_version(place, self._context.base_dir), **key}
        )


def _save(entry: CacheEntry, table: pa.Table) -> None:
    entry.save(table, {"origin": entry.key["place"]})


def _observers_of(photos: pa.Table) -> list[str]:
    return sorted(set(photos["observer_id"].drop_null().to_pylist()))


def _digest(texts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(texts)).encode()).hexdigest()
