"""The Wikimedia source: files of Wikimedia Commons by category and by search, each with its licence and its author.

It asks the MediaWiki action API as https://www.mediawiki.org/wiki/API:Etiquette wants it: one request at a time, with
``maxlag`` and an address to write to. Categories come first, then those below them, each depth while a label is short.

>>> source = Wikimedia(categories={"rugby": ("Category:Rugby_union matches",)}, depth=2)
>>> source.n_tiers, category_name("Category:Rugby_union matches")
(3, 'Rugby union matches')
>>> source.problems(("rugby", "soccer")), source.covers(("rugby", "soccer"))
([], ('rugby',))
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from curator.errors import SourceError
from curator.events import Noted, Warned
from curator.manifests.toml_settings import setting
from curator.sources.base import ListingContext, PlannedRead, Source, blank_texts, known_labels, listed_table
from curator.sources.budget import Kept
from curator.sources.reading.places import is_url
from curator.sources.wikimedia.file_lists import MOST_FOUND, FileLists, Query
from curator.sources.wikimedia.file_rows import COLUMNS
from curator.text import plural, was

API = "https://commons.wikimedia.org/w/api.php"
IMAGES = "https://upload.wikimedia.org"

WIDTHS = (120, 250, 330, 500, 960, 1280, 1920, 3840)
"""The widths that Wikimedia keeps of each image: https://www.mediawiki.org/wiki/Common_thumbnail_sizes."""

AT_ONCE = 2
"""Requests in flight that https://wikitech.wikimedia.org/wiki/Robot_policy allows at the server of the images."""

_CONTACT = 'Write `contact = "you@example.org"`, or the address of your page, under [fetch] in the recipe.'
_LISTED = tuple(name for name in COLUMNS if name != "left_out")


@dataclass(frozen=True)
class Wikimedia(Source):
    """``kind = "wikimedia"``: files of Wikimedia Commons by category and by search."""

    kind: ClassVar[str] = "wikimedia"

    categories: Mapping[str, tuple[str, ...]] | None = setting(None, "label to categories")
    search: Mapping[str, tuple[str, ...]] | None = setting(None, "label to what is searched for")
    depth: int = setting(0, "how deep subcategories are read, while a label is short", minimum=0, maximum=20)
    except_: tuple[str, ...] = setting((), "subcategories that are not read; `*` stands for any text")
    width: int = setting(960, "width of the images, in pixels; 0: as uploaded", choices=(*WIDTHS, 0))
    most: int = setting(5_000, "most files of one category or search", minimum=1)
    api: str = setting(API, "the address of the site's api.php")
    name: str = setting("", "the source's name in tables; its kind if not given")

    @property
    def n_tiers(self) -> int:
        """A tier for each depth."""
        return 1 + self.depth if self.categories else 1

    def covers(self, labels: Sequence[str]) -> tuple[str, ...]:
        """Return the labels that this source can list."""
        return tuple(label for label in labels if any(label in table for table in self._tables.values()))

    def problems(self, labels: Sequence[str]) -> list[tuple[str, str]]:
        """List the recipe's mistakes that only this source can see, as (key, message) pairs."""
        found = [problem for key, table in self._tables.items() for problem in known_labels(key, table, labels)]
        categories = {label: tuple(map(category_name, names)) for label, names in (self.categories or {}).items()}
        found += blank_texts("categories", categories) + blank_texts("search", self.search or {})
        if not self._tables:
            found.append(("categories", 'or search is missing, such as categories = { heron = ["Ardea cinerea"] }'))
        if not is_url(self.api):
            found.append(("api", f"must be an http or https address, not {self.api}"))
        return found

    def gentle_hosts(self) -> Mapping[str, int]:
        """Return how many requests at once the server of the images allows."""
        return {IMAGES: AT_ONCE}

    def plan(self, tier: int, context: ListingContext) -> Sequence[PlannedRead]:
        """Return which categories and searches the tier reads, as far as the categories above them are known."""
        lists = self._lists(context)
        queries = {query: None for label in context.labels for query in self._known(label, tier, lists)}
        kept = {query for query in queries if lists.kept_subcategories(query, self._most_of(query)) is not None}
        return [PlannedRead(query.shown, None, query in kept) for query in queries]

    def list_rows(self, tier: int, labels: Sequence[str], context: ListingContext) -> pa.Table:
        """List the files of a depth of categories, and with the first those that are found.

        Raises:
            SourceError: the recipe names nobody to write to, the API refuses, or nothing is listed.
        """
        if not context.fetch.contact:
            what = f"{self.api} answers only who says in the User-Agent how to be reached."
            raise SourceError(what, _CONTACT)
        kept = Kept(len(COLUMNS))
        with self._lists(context) as lists:
            for label in labels:
                self._keep_label(label, tier, lists, kept, context)
        has_more = self.depth > 0 and any(self._known(label, 1, lists) for label in labels)
        whole = kept.whole()
        if not whole.num_rows and tier == 0 and not has_more:
            named = ", ".join(query.shown for label in labels for query in self._roots(label))
            raise SourceError(f"No file is in {named}.", f"Look at their names on {lists.host}, and mend them.")
        whole = whole if whole.num_rows else pa.table({name: pa.array([], pa.string()) for name in _COLUMNS})
        return listed_table(self.kind, self.title, tier, {name: whole[name] for name in whole.column_names})

    @property
    def _tables(self) -> dict[str, Mapping[str, tuple[str, ...]]]:
        tables = {"categories": self.categories, "search": self.search}
        return {key: table for key, table in tables.items() if table is not None}

    def _lists(self, context: ListingContext) -> FileLists:
        return FileLists(self.api, self.title, context)

    def _roots(self, label: str) -> list[Query]:
        """Return what the recipe names for a label."""
        named = (self.categories or {}).get(label, ())
        found = [Query("category", category_name(name), self.width) for name in named]
        found += [Query("search", text.strip(), self.width) for text in (self.search or {}).get(label, ())]
        return list(dict.fromkeys(found))

    def _known(self, label: str, tier: int, lists: FileLists) -> list[Query]:
        """Return the lists of a tier that are known without a request."""
        level = self._roots(label)
        seen = {*level}
        for _ in range(tier):
            below = [name for query in level for name in lists.kept_subcategories(query, self.most) or ()]
            level = self._new(below, seen)
        return level

    def _level(self, label: str, tier: int, lists: FileLists) -> list[Query]:
        """Return the lists of a tier; a category that is met again, such as in a circle, is left out."""
        level = self._roots(label)
        seen = {*level}
        for _ in range(tier):
            categories = [query for query in level if query.kind == "category"]
            level = self._new([name for one in categories for name in self._below(one, lists)], seen)
        return level

    def _below(self, category: Query, lists: FileLists) -> Iterator[str]:
        """Yield the subcategories that come with the files that are listed of a category; no more of it is read."""
        n_left = self.most
        for part in lists.parts(category):
            yield from part.subcategories
            n_left -= part.rows.num_rows
            if n_left <= 0:
                break

    def _most_of(self, query: Query) -> int:
        return min(self.most, MOST_FOUND) if query.kind == "search" else self.most

    def _new(self, names: Sequence[str], seen: set[Query]) -> list[Query]:
        """Return the categories of these names that were not met before, nor are in ``except``."""
        patterns = [category_name(text).casefold() for text in self.except_]
        wanted = [name for name in names if not any(fnmatchcase(name.casefold(), one) for one in patterns)]
        found = [query for name in dict.fromkeys(wanted) if (query := Query("category", name, self.width)) not in seen]
        seen.update(found)
        return found

    def _keep_label(self, label: str, tier: int, lists: FileLists, kept: Kept, context: ListingContext) -> None:
        """Keep the files of a tier of a label, and report those that are left out, and lists without any."""
        left_out = Counter[str]()
        for query in self._level(label, tier, lists):
            n_left = self._most_of(query)
            is_empty = True
            for part in lists.parts(query):
                is_empty = is_empty and not (part.rows.num_rows or part.subcategories)
                rows = part.rows.slice(0, n_left)
                n_left -= rows.num_rows
                left_out.update(rows["left_out"].drop_null().to_pylist())
                rows = rows.filter(pc.is_null(rows["left_out"]))
                kept.keep(_as_columns(rows, label, query))
                if n_left <= 0:
                    break
            if is_empty and not tier:
                context.emit(Warned(f"{self.title}: {query.shown} has no file. Look at its name on {lists.host}."))
        for reason, n in sorted(left_out.items()):
            context.emit(Noted(f"{self.title}: {plural(n, 'file')} of {label} {reason} {was(n)} left out"))


_COLUMNS = (*_LISTED, "label", "source_class", "key")


def _as_columns(rows: pa.Table, label: str, query: Query) -> pa.Table:
    same = {"label": label, "source_class": query.shown}
    constant = {name: pa.array([text] * rows.num_rows, pa.string()) for name, text in same.items()}
    return pa.table({**{name: rows[name] for name in _LISTED}, **constant, "key": rows["source_id"]})


def category_name(text: str) -> str:
    """Return the name of a category as the site writes it: no ``Category:``, spaces for ``_``, a first capital.

    >>> category_name("category: rugby_union"), category_name("Rugby union")
    ('Rugby union', 'Rugby union')
    """
    name = " ".join(re.sub(r"(?i)^\s*category\s*:", "", text).replace("_", " ").split())
    return name[:1].upper() + name[1:]
