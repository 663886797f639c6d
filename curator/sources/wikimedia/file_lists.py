"""The files of a category or a search of a MediaWiki, requested page by page and kept part by part.

A listing that is killed goes on where its last part ends: a part says how the API is asked for the next one.
https://www.mediawiki.org/wiki/API:Categorymembers, API:Search and API:Continue say how.

>>> query = Query("category", "Rugby union", width=960)
>>> query.shown, query.parameters()["gcmtitle"], query.parameters()["iiurlwidth"]
('Category:Rugby union', 'Category:Rugby union', '960')
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyarrow as pa

from curator.errors import SourceError
from curator.events import MetadataFinished, MetadataStarted
from curator.sources.base import ListingContext
from curator.sources.reading.cache import CacheEntry
from curator.sources.reading.json_api import JsonApi
from curator.sources.wikimedia.file_rows import ASKED, METADATA, SCHEMA, file_row

MAXLAG_S = 5
"""The lag of its databases from which a site wants to be left alone: https://www.mediawiki.org/wiki/Manual:Maxlag."""

FILES_AT_ONCE = 50
"""The API scales no more images in one request: https://www.mediawiki.org/wiki/API:Imageinfo, iiurlwidth."""

ANSWERS_A_PART = 10
MOST_EMPTY = 100
"""So many answers without a page may come one behind the other; the API says that some may have none."""

MOST_FOUND = 10_000
"""No search of a site of Wikimedia goes on beyond: https://www.mediawiki.org/wiki/Help:CirrusSearch."""

_READ_AS = 1
_FILES, _CATEGORIES = 6, 14
_BUSY = ("maxlag", "ratelimited", "readonly", "cirrussearch-too-busy-error")
_HAS_KIND = re.compile(r"\bfile(?:type|mime):")
_LATER = "Run the command again later: what was listed so far is kept."
_NOT_LET_IN = (
    "Look whether `contact` under [fetch] says how to reach you, as its policy for robots wants, and run again."
)


@dataclass(frozen=True)
class Query:
    """One list of files: those of a category, with its subcategories, or those that a search finds.

    Attributes:
        kind: ``category`` or ``search``.
        text: the category's name, without ``Category:``, or what is searched for.
        width: of the images, in pixels; 0: as they were uploaded.
    """

    kind: str
    text: str
    width: int = 0

    @property
    def shown(self) -> str:
        """What messages and the catalog call it."""
        return f"Category:{self.text}" if self.kind == "category" else f"search {self.text}"

    def parameters(self) -> dict[str, str]:
        """Return what the API is asked."""
        if self.kind == "category":
            listed = {"generator": "categorymembers", "gcmtitle": self.shown, "gcmtype": "subcat|file"}
            listed["gcmlimit"] = str(FILES_AT_ONCE)
        else:
            kinds = "" if _HAS_KIND.search(self.text) else " filetype:bitmap"
            listed = {"generator": "search", "gsrsearch": self.text + kinds, "gsrnamespace": str(_FILES)}
            listed["gsrlimit"] = str(FILES_AT_ONCE)
        scaled = {"iiurlwidth": str(self.width)} if self.width else {}
        return {
            **{"action": "query", "format": "json", "formatversion": "2", "maxlag": str(MAXLAG_S)},
            **listed,
            **{"prop": "imageinfo", "iiprop": ASKED, "iiextmetadatafilter": METADATA, **scaled},
        }


class Part(NamedTuple):
    """Some of the files of a list, its subcategories among them, and what continues it: empty at its end."""

    rows: pa.Table
    subcategories: tuple[str, ...]
    rest: Mapping[str, str]


class FileLists:
    """The lists of one site, each read once; used as a context, which closes the connection."""

    def __init__(self, api: str, name: str, context: ListingContext) -> None:
        self._api, self._context = JsonApi(api, name, context, hints=(_LATER, _NOT_LET_IN)), context
        self.host = self._api.host

    def __enter__(self) -> FileLists:
        return self

    def __exit__(self, *error: object) -> None:
        self._api.__exit__(*error)

    def parts(self, query: Query) -> Iterator[Part]:
        """Yield a list part by part: those that are kept, then those that are read, which are kept.

        Raises:
            SourceError: the API refuses, is busy for too long, or sends no page, or the same ones, for ever.
        """
        rest: Mapping[str, str] | None = {}
        seen: list[Mapping[str, str]] = []
        n_without = 0
        while rest is not None:
            if n_without > MOST_EMPTY:
                raise self._endless(query)
            seen.append(rest)
            entry = self._entry(query, rest)
            if (part := _load(entry)) is None:
                part = self._read(query, seen, entry)
            yield part
            n_without = 0 if part.rows.num_rows else n_without + 1
            rest = part.rest or None

    def kept_subcategories(self, query: Query, most: int) -> tuple[str, ...] | None:
        """Return the subcategories within the first ``most`` files of a category; None if not all of them are kept."""
        found: list[str] = []
        rest: Mapping[str, str] | None = {}
        while rest is not None and most > 0:
            if (part := _load(self._entry(query, rest))) is None:
                return None
            found += part.subcategories
            most -= part.rows.num_rows
            rest = part.rest or None
        return tuple(found)

    def _entry(self, query: Query, rest: Mapping[str, str]) -> CacheEntry:
        how = {"read_as": _READ_AS, "api": self._api.address, **query.parameters(), "from": dict(rest)}
        return CacheEntry(self._context, "wikimedia", how)

    def _read(self, query: Query, seen: Sequence[Mapping[str, str]], entry: CacheEntry) -> Part:
        """Read the part behind those that were seen, and keep it; of one that breaks off, keep what came."""
        rest = seen[-1]
        rows: list[dict[str, str | None]] = []
        subcategories: list[str] = []
        n_answers = n_empty = 0
        self._context.emit(MetadataStarted(query.shown, None))
        try:
            while n_answers < ANSWERS_A_PART:
                try:
                    pages, following = self._batch(query, rest)
                except (SourceError, KeyboardInterrupt):
                    if n_answers:
                        _save(entry, rows, subcategories, rest)
                    raise
                rows += [file_row(page) for page in pages if page.get("ns") == _FILES]
                subcategories += [_name(page) for page in pages if page.get("ns") == _CATEGORIES]
                n_answers, n_empty = n_answers + bool(pages), 0 if pages else n_empty + 1
                if (following and following in (*seen, rest)) or n_empty > MOST_EMPTY:
                    raise self._endless(query)
                rest = following
                if not rest:
                    break
        finally:
            self._context.emit(MetadataFinished(query.shown))
        _save(entry, rows, subcategories, rest)
        return Part(pa.Table.from_pylist(rows, SCHEMA), tuple(subcategories), rest)

    def _batch(self, query: Query, rest: Mapping[str, str]) -> tuple[list[dict[str, Any]], dict[str, str]]:
        """Request pages until all that is asked of them has come, and what continues behind them."""
        pages: dict[Any, dict[str, Any]] = {}
        for _ in range(MOST_EMPTY):
            answer = self._api.ask({**query.parameters(), **rest}, query.shown, _is_busy)
            self._refuse_error(answer, query)
            for page in _list(_table(answer.get("query")).get("pages")):
                pages[page.get("pageid")] = pages.get(page.get("pageid"), {}) | page
            rest = {str(name): str(value) for name, value in _table(answer.get("continue")).items()}
            if "batchcomplete" in answer or not rest:
                return list(pages.values()), rest
        raise SourceError(f"{self.host} does not come to the end of a page of {query.shown}.", _LATER)

    def _endless(self, query: Query) -> SourceError:
        return SourceError(f"{self.host} sends no further page of {query.shown}, for ever.", _LATER)

    def _refuse_error(self, answer: Any, query: Query) -> None:
        if not isinstance(answer, dict):
            raise SourceError(f"{self.host} answered {query.shown} with no object of JSON.", _WRONG)
        if error := _table(answer.get("error")):
            what = f"{error.get('code', 'an error')}: {str(error.get('info', '')).rstrip('.')[:300]}"
            raise SourceError(f"{self.host} answered {query.shown} with {what}.", _WRONG)


_WRONG = "Mend that in the recipe; `api` is the address of the site's api.php."


def _is_busy(answer: Any) -> str:
    """Say why an answer means to try again later.

    >>> _is_busy({"error": {"code": "maxlag", "info": "Waiting for a database server: 7 seconds lagged."}})
    'is busy (maxlag: Waiting for a database server: 7 seconds lagged)'
    """
    error = _table(answer.get("error")) if isinstance(answer, dict) else {}
    code = str(error.get("code", ""))
    is_so = code in _BUSY or code.startswith("internal_api_error")
    return f"is busy ({code}: {str(error.get('info', '')).rstrip('.')[:200]})" if is_so else ""


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _name(page: Mapping[str, Any]) -> str:
    return str(page.get("title", "")).partition(":")[2]


def _load(entry: CacheEntry) -> Part | None:
    if (table := entry.load()) is None:
        return None
    facts = json.loads(table.schema.metadata[b"curator"])
    return Part(table.replace_schema_metadata(None), tuple(facts["subcategories"]), facts["rest"])


def _save(
    entry: CacheEntry, rows: list[dict[str, str | None]], subcategories: list[str], rest: Mapping[str, str]
) -> None:
    facts = {"origin": entry.key["api"], "subcategories": subcategories, "rest": dict(rest)}
    entry.save(pa.Table.from_pylist(rows, SCHEMA), facts)
