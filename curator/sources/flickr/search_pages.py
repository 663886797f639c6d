"""Pages of a search of Flickr, each requested once, and kept: https://www.flickr.com/services/api/flickr.photos.search.html.

>>> photo = {"id": "7", "owner": "1@N00", "title": "A ruck", "ownername": "Ann", "license": "4", "url_z": "https://h/7_z.jpg"}
>>> photo_row(photo, {"4": "https://creativecommons.org/licenses/by/2.0/"})["landing_url"]
'https://www.flickr.com/photos/1@N00/7'
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from curator.errors import SourceError
from curator.events import MetadataFinished, MetadataStarted
from curator.manifests.spdx import is_allowed
from curator.sources.base import ListingContext
from curator.sources.reading.cache import CacheEntry
from curator.sources.reading.json_api import JsonApi
from curator.sources.reading.json_text import plain_text

API = "https://api.flickr.com/services/rest/"
KEY = "FLICKR_API_KEY"
"""The variable of the environment that holds the key; it is sent to the API, and written nowhere."""

PAUSE_S = 1.0
"""Flickr allows 3,600 requests an hour: https://www.flickr.com/services/developer/api/."""

A_PAGE, MOST_FOUND = 500, 4_000
"""Photos on a page, and how many a search of Flickr ends after."""

COLUMNS = ("source_id", "url", "landing_url", "license", "author", "author_url", "title")
SCHEMA = pa.schema([(name, pa.string()) for name in COLUMNS])
_SIZES = ("url_l", "url_c", "url_z", "url_m")
_BUSY = {"0": "service", "10": "search", "105": "service", "106": "operation", "201": "service"}
_INVALID_KEY = "100"
_LATER = "Run the command again later: what was listed so far is kept."
_GET_KEY = (
    f"Make one on https://www.flickr.com/services/apps/create/ and put it into the environment: `export {KEY}=…`."
)


class SearchPages:
    """The searches of one listing; used as a context, which closes the connection."""

    def __init__(self, name: str, context: ListingContext) -> None:
        self._name, self._context = name, context
        self._licences = CacheEntry(context, "flickr-licences", {"api": API})
        self._api = JsonApi(API, name, context, hints=(_LATER, _LATER), pause_s=PAUSE_S)

    def __enter__(self) -> SearchPages:
        return self

    def __exit__(self, *error: object) -> None:
        self._api.__exit__(*error)

    def licences(self) -> dict[str, str]:
        """Return the address of each licence that has one, by its number."""
        if (kept := self._licences.load()) is None:
            listed = _table(self._ask({"method": "flickr.photos.licenses.getInfo"}, "licences").get("licenses")).get(
                "license"
            )
            known = {str(one.get("id")): str(one.get("url") or "") for one in _rows(listed)}
            kept = pa.table({"id": pa.array(known, pa.string()), "url": pa.array(known.values(), pa.string())})
            self._licences.save(kept, {"origin": API})
        return dict(zip(kept["id"].to_pylist(), kept["url"].to_pylist(), strict=True))

    def allowed(self, codes: Sequence[str]) -> dict[str, str]:
        """Return those licences that are one of these, in any version."""
        return {number: url for number, url in self.licences().items() if is_allowed(url, codes)}

    def is_kept(self, text: str, codes: Sequence[str]) -> bool:
        """Return whether nothing of a search must be requested."""
        if not self._licences.exists:
            return False
        allowed = self.allowed(codes)
        for page in range(1, MOST_FOUND // A_PAGE + 1):
            if (rows := self.entry(text, allowed, page).load()) is None:
                return False
            if not _has_more(rows):
                break
        return True

    def pages(self, text: str, licences: Mapping[str, str]) -> Iterator[pa.Table]:
        """Yield the photos that a search finds under these licences, a page at a time.

        Raises:
            SourceError: the API refuses, or is busy for too long.
        """
        for page in range(1, MOST_FOUND // A_PAGE + 1):
            entry = self.entry(text, licences, page)
            if (rows := entry.load()) is None:
                rows = self._read(text, licences, page, entry)
            yield rows.replace_schema_metadata(None)
            if not _has_more(rows):
                break

    def entry(self, text: str, licences: Mapping[str, str], page: int) -> CacheEntry:
        """Name what is kept of a page."""
        return CacheEntry(
            self._context, "flickr", {"api": API, "text": text, "licences": sorted(licences), "page": page}
        )

    def _read(self, text: str, licences: Mapping[str, str], page: int, entry: CacheEntry) -> pa.Table:
        asked = {
            **{"method": "flickr.photos.search", "text": text, "license": ",".join(sorted(licences))},
            **{"media": "photos", "content_type": "1", "safe_search": "1", "sort": "relevance"},
            **{"extras": f"license,owner_name,{','.join(_SIZES)}", "per_page": str(A_PAGE), "page": str(page)},
        }
        found = _table(self._ask(asked, text).get("photos"))
        listed = _rows(found.get("photo"))
        rows = [row for photo in listed if (row := photo_row(photo, licences))]
        has_more = bool(listed) and page < int(str(found.get("pages") or 0))
        entry.save(pa.Table.from_pylist(rows, SCHEMA), {"origin": API, "has_more": has_more})
        kept: pa.Table = entry.load()
        return kept

    def _ask(self, asked: Mapping[str, str], reading: str) -> dict[str, Any]:
        key = os.environ.get(KEY, "").strip()
        if not key:
            raise SourceError(f"{self._api.host} answers only with a key, and {KEY} is not set.", _GET_KEY)
        self._context.emit(MetadataStarted(reading, None))
        try:
            answer = self._api.ask(
                {**asked, "api_key": key, "format": "json", "nojsoncallback": "1"}, reading, _is_busy
            )
        finally:
            self._context.emit(MetadataFinished(reading))
        if _table(answer).get("stat") == "ok":
            return _table(answer)
        code, message = str(_table(answer).get("code")), str(_table(answer).get("message", "no object of JSON"))
        if code == _INVALID_KEY:
            raise SourceError(f"{self._api.host} refuses the key in {KEY}.", _GET_KEY)
        said = message.replace(key, "***").rstrip(".")[:300]
        raise SourceError(f"{self._api.host} answered the search {reading} with an error ({said}).", _LATER)


def _is_busy(answer: Any) -> str:
    """Say why an answer means to try again later."""
    what = _BUSY.get(str(_table(answer).get("code"))) if _table(answer).get("stat") == "fail" else None
    return f"is busy (its {what} is not available)" if what else ""


def photo_row(photo: Mapping[str, Any], licences: Mapping[str, str]) -> dict[str, str | None] | None:
    """Return the columns of a photo; None if it has no address, or another licence."""
    url = next((text for size in _SIZES if (text := _text(photo.get(size)))), "")
    licence = licences.get(_text(photo.get("license")))
    photo_id, owner = _text(photo.get("id")), _text(photo.get("owner"))
    if not (url and licence and photo_id):
        return None
    return {
        "source_id": photo_id,
        "url": url,
        "landing_url": f"https://www.flickr.com/photos/{owner}/{photo_id}",
        "license": licence,
        "author": _text(photo.get("ownername")) or owner,
        "author_url": f"https://www.flickr.com/people/{owner}/",
        "title": _text(photo.get("title")) or None,
    }


def _has_more(rows: pa.Table) -> bool:
    return bool(json.loads(rows.schema.metadata[b"curator"])["has_more"])


def _text(value: Any) -> str:
    return plain_text(str(value)).strip() if isinstance(value, str | int) else ""


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _rows(value: Any) -> Sequence[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
