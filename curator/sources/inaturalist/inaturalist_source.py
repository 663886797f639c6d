"""The iNaturalist source: photos of taxa and of all below them, from its open-data tables, with licence and observer.

The tables are read as a stream, one after the other, and what is wanted of each is kept.
https://github.com/inaturalist/inaturalist-open-data says what is in them.

>>> source = INaturalist(taxa={"heron": ("Ardea",)}, size="huge")
>>> source.covers(("heron", "stork")), source.bulk_address()
(('heron',), 'https://inaturalist-open-data.s3.amazonaws.com')
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from curator.errors import SourceError
from curator.manifests.toml_settings import setting
from curator.sources.base import ListingContext, PlannedRead, Source, blank_texts, known_labels, listed_table
from curator.sources.inaturalist.reader import OpenTables, Wishes
from curator.sources.inaturalist.tables import TABLES, place_of
from curator.sources.inaturalist.taxa import EXCEPTED
from curator.sources.named_files import state_of_files
from curator.sources.reading.places import file_name, is_url, missing_place, scheme_problem
from curator.sources.reading.read import probe_size

BUCKET = "https://inaturalist-open-data.s3.amazonaws.com"
SITE = "https://www.inaturalist.org"
SIZES = ("original", "large", "medium", "small")
GRADES = ("research", "needs_id", "casual")
_COMMONS = "https://creativecommons.org"


@dataclass(frozen=True)
class INaturalist(Source):
    """``kind = "inaturalist"``: photos of taxa, from the open-data tables."""

    kind: ClassVar[str] = "inaturalist"

    taxa: Mapping[str, tuple[str, ...]] = setting(doc="label to taxa: scientific names or ids, with all below them")
    except_: tuple[str, ...] = setting((), "taxa that are left out, with all below them")
    grades: tuple[str, ...] = setting(("research",), "how well an observation is identified", choices=GRADES)
    most: int = setting(5_000, "most observations of a label", minimum=1)
    size: str = setting("medium", "size of the photos: at most 2048, 1024, 500, 240 pixels", choices=SIZES)
    path: str = setting(BUCKET, "where the tables are: an address or a folder")
    images: str = setting(BUCKET, "where the photos are, as photos/{id}/{size}.{extension}")
    name: str = setting("", "the source's name in tables; its kind if not given")

    def covers(self, labels: Sequence[str]) -> tuple[str, ...]:
        """Return the labels that this source can list."""
        return tuple(label for label in labels if self.taxa.get(label))

    def problems(self, labels: Sequence[str]) -> list[tuple[str, str]]:
        """List the recipe's mistakes that only this source can see, as (key, message) pairs."""
        found = known_labels("taxa", self.taxa, labels) + blank_texts("taxa", self.taxa)
        if not self.grades:
            found.append(("grades", "must name at least one grade"))
        if not is_url(self.images):
            found.append(("images", f"must be an http or https address, not {self.images}"))
        problem = scheme_problem(self.path)
        return [*found, ("path", problem)] if problem else found

    def missing(self, base_dir: Path) -> list[tuple[str, str]]:
        """List the local places that are not there now, as (key, message) pairs."""
        problem = missing_place(self.path, base_dir, folder=True)
        return [("path", problem)] if problem else []

    def local_state(self, base_dir: Path) -> str:
        """Hash the sizes and times of its tables, if they are in a local folder."""
        places = (place_of(self.path, table, base_dir) for table in TABLES)
        return "" if is_url(self.path) else state_of_files(places, f"{base_dir}/")

    def bulk_address(self) -> str:
        """Return the bucket's address."""
        return self.images

    def plan(self, tier: int, context: ListingContext) -> Sequence[PlannedRead]:
        """Return how large the tables are of which not all that is wanted is kept."""
        kept = OpenTables(self.path, self.title, context).kept_tables(self._wishes, self.grades, self.most)
        places = {table: place_of(self.path, table, context.base_dir) for table in TABLES}
        sizes = {table: 0 if table in kept else probe_size(place, context) for table, place in places.items()}
        return [PlannedRead(file_name(place), sizes[table], table in kept) for table, place in places.items()]

    def list_rows(self, tier: int, labels: Sequence[str], context: ListingContext) -> pa.Table:
        """List the photos of the observations of the taxa of ``labels``.

        Raises:
            SourceError: a table cannot be read, a taxon is unknown or ambiguous, or nothing is listed.
        """
        tables = OpenTables(self.path, self.title, context)
        observed = tables.observations(tables.taxa(self._wishes), self.grades, self.most)
        if not observed.num_rows:
            named = ", ".join(text for texts in self.taxa.values() for text in texts)
            hint = 'Write `grades = ["research", "needs_id"]`, or other taxa.'
            raise SourceError(f"There is no observation of {named} of the grade {' or '.join(self.grades)}.", hint)
        photos = tables.photos(observed["observation_uuid"].to_pylist())
        joined = photos.join(observed, "observation_uuid", join_type="inner")
        joined = joined.sort_by([("photo_id", "ascending"), ("observation_uuid", "ascending")])
        groups = _joined_observations(joined["photo_id"].to_pylist(), joined["observation_uuid"].to_pylist())
        joined = joined.append_column("group", pa.array(groups, pa.string()))
        mine = joined.filter(pc.is_in(joined["label"], value_set=pa.array(list(labels), pa.string())))
        return listed_table(self.kind, self.title, tier, self._columns(mine, tables.observers(photos)))

    @property
    def _wishes(self) -> Wishes:
        return {**self.taxa, **({EXCEPTED: self.except_} if self.except_ else {})}

    def _columns(self, rows: pa.Table, observers: Mapping[str, str]) -> dict[str, Any]:
        """Return the columns of the catalog: what belongs to one observation stays on one side of a split."""
        ids, observed_by = rows["photo_id"].to_pylist(), rows["observer_id"].to_pylist()
        folder = f"{self.images.rstrip('/')}/photos"
        sides = zip(rows["width"].to_pylist(), rows["height"].to_pylist(), strict=True)
        endings = rows["extension"].to_pylist()
        return {
            "label": rows["label"],
            "key": rows["photo_id"],
            "source_id": rows["photo_id"],
            "source_class": pc.binary_join_element_wise("taxon", rows["taxon_id"], " "),
            "url": [f"{folder}/{one}/{self.size}.{ending}" for one, ending in zip(ids, endings, strict=True)],
            "landing_url": [f"{SITE}/photos/{one}" for one in ids],
            "license": [licence_of(text or "") for text in rows["license"].to_pylist()],
            "author": [one and (observers.get(one) or f"observer {one} of iNaturalist") for one in observed_by],
            "author_url": [one and f"{SITE}/users/{one}" for one in observed_by],
            "listed_group": rows["group"],
            "extra": [json.dumps({"width": wide, "height": high}) for wide, high in sides],
        }


def _joined_observations(photos: Sequence[str], observations: Sequence[str]) -> list[str]:
    """Name the first of all observations that share photos with each one's, as some photos are listed for several.

    >>> _joined_observations(["1", "1", "2", "3"], ["b", "c", "c", "d"])
    ['b', 'b', 'b', 'd']
    """
    above = {uuid: uuid for uuid in observations}

    def first(uuid: str) -> str:
        while above[uuid] != uuid:
            above[uuid] = uuid = above[above[uuid]]
        return uuid

    for (photo, uuid), (other, another) in pairwise(zip(photos, observations, strict=True)):
        if photo == other:
            low, high = sorted((first(uuid), first(another)))
            above[high] = low
    return [first(uuid) for uuid in observations]


def licence_of(text: str) -> str | None:
    """Return the address of a licence, those of Creative Commons in the version that the site uses; else its name.

    >>> licence_of("CC-BY-NC"), licence_of("PD")
    ('https://creativecommons.org/licenses/by-nc/4.0/', 'Public domain')
    """
    name = text.strip()
    if name.upper().startswith("CC-BY"):
        return f"{_COMMONS}/licenses/{name[3:].lower()}/4.0/"
    return {"CC0": f"{_COMMONS}/publicdomain/zero/1.0/", "PD": "Public domain"}.get(name.upper(), name or None)
