"""The Flickr source: photos that a search finds, under licences that the recipe allows; the key is in the environment.

>>> source = Flickr(search={"rugby": ("rugby match",)})
>>> source.covers(("rugby", "soccer")), source.licences
(('rugby',), ('CC0', 'PDM', 'CC-BY', 'CC-BY-SA'))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa

from curator.errors import SourceError
from curator.events import Warned
from curator.manifests.spdx import FAMILIES
from curator.manifests.toml_settings import setting
from curator.sources.base import ListingContext, PlannedRead, Source, blank_texts, known_labels, listed_table
from curator.sources.budget import Kept
from curator.sources.flickr.search_pages import COLUMNS, SearchPages


@dataclass(frozen=True)
class Flickr(Source):
    """``kind = "flickr"``: photos that a search finds, by licence."""

    kind: ClassVar[str] = "flickr"

    search: Mapping[str, tuple[str, ...]] = setting(
        doc="label to what is searched for in titles, descriptions and tags"
    )
    licences: tuple[str, ...] = setting(FAMILIES[:4], "licences that are allowed, in any version", choices=FAMILIES)
    name: str = setting("", "the source's name in tables; its kind if not given")

    def covers(self, labels: Sequence[str]) -> tuple[str, ...]:
        """Return the labels that this source can list."""
        return tuple(label for label in labels if self.search.get(label))

    def problems(self, labels: Sequence[str]) -> list[tuple[str, str]]:
        """List the recipe's mistakes that only this source can see, as (key, message) pairs."""
        found = known_labels("search", self.search, labels) + blank_texts("search", self.search)
        return found if self.licences else [*found, ("licences", "must name at least one licence")]

    def plan(self, tier: int, context: ListingContext) -> Sequence[PlannedRead]:
        """Return which searches will be requested, as far as they are not kept."""
        texts = dict.fromkeys(text for label in context.labels for text in self.search.get(label, ()))
        with SearchPages(self.title, context) as searches:
            return [PlannedRead(text, None, searches.is_kept(text, self.licences)) for text in texts]

    def list_rows(self, tier: int, labels: Sequence[str], context: ListingContext) -> pa.Table:
        """List the photos that the searches of ``labels`` find; a search that finds none is warned about.

        Raises:
            SourceError: there is no key, the API refuses, or nothing is found.
        """
        kept, n_photos = Kept(len(COLUMNS)), 0
        with SearchPages(self.title, context) as searches:
            allowed = searches.allowed(self.licences)
            for label in labels:
                for text in self.search.get(label, ()):
                    n_before = n_photos
                    for rows in searches.pages(text, allowed):
                        n_photos += rows.num_rows
                        kept.keep(_labelled(rows, label, text))
                    if n_photos == n_before:
                        context.emit(Warned(f"{self.title}: the search {text!r} finds no photo of these licences."))
        if not n_photos:
            what = f"No search finds a photo under {', '.join(self.licences)}."
            raise SourceError(what, "Write other words into `search`, or more `licences`.")
        whole = kept.whole()
        return listed_table(self.kind, self.title, tier, {name: whole[name] for name in whole.column_names})


def _labelled(rows: pa.Table, label: str, text: str) -> pa.Table:
    same = {"label": label, "source_class": f"search {text}"}
    constant = {name: pa.array([value] * rows.num_rows, pa.string()) for name, value in same.items()}
    return pa.table({**{name: rows[name] for name in COLUMNS}, **constant, "key": rows["source_id"]})
