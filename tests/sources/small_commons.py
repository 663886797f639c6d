"""A small Wikimedia Commons: answers as the MediaWiki action API does, and notes whatever its etiquette forbids.

https://www.mediawiki.org/wiki/API:Etiquette, API:Categorymembers, API:Search, API:Imageinfo, API:Continue; the limits
of https://wikitech.wikimedia.org/wiki/Robot_policy and https://www.mediawiki.org/wiki/Common_thumbnail_sizes.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.small_webs import PictureHandler

STEPS = (20, 40, 60, 120, 250, 330, 500, 960, 1280, 1920, 3840)
AUTHORS = (
    '<a href="//commons.wikimedia.org/wiki/User:Ann" title="User:Ann">Ann &amp; <b>Bo</b></a>',
    '<span>Caf&eacute; M&#252;ller</span><span style="display:none">hidden</span>',
    "",
)
LICENCES = (
    {"LicenseShortName": "CC BY-SA 4.0", "LicenseUrl": "https://creativecommons.org/licenses/by-sa/4.0"},
    {"LicenseShortName": "CC BY 2.0 <i>de</i>", "LicenseUrl": "//creativecommons.org/licenses/by/2.0/de/deed.en"},
    {"LicenseShortName": "Public domain"},
)
Reply = tuple[int, dict[str, str], bytes]


@dataclass
class Commons:
    """Categories (their subcategories, and how many files each has), what searches find, and what was asked.

    ``odd`` are pages that lists have beside their files; ``replies`` are sent in the place of the first answers;
    ``always`` answers every request, if it returns anything.
    """

    tree: dict[str, tuple[tuple[str, ...], int]] = field(default_factory=dict)
    found: dict[str, int] = field(default_factory=dict)
    odd: list[dict[str, Any]] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    always: Callable[[dict[str, str]], Reply | None] = lambda asked: None
    halves: bool = True
    asked: list[dict[str, str]] = field(default_factory=list)
    peers: set[object] = field(default_factory=set)
    faults: set[str] = field(default_factory=set)
    url: str = ""
    _here: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(1))

    def reply(self, asked: dict[str, str], headers: Any) -> Reply:
        """Answer a request to ``api.php``."""
        if not self._here.acquire(blocking=False):
            self.faults.add("two requests at once")
            return 200, {}, b"{}"
        try:
            self.asked.append(asked)
            self._look(asked, headers)
            if reply := self.always(asked):
                return reply
            if self.replies:
                return self.replies.pop(0)
            return 200, {}, json.dumps(self._answer(asked)).encode()
        finally:
            self._here.release()

    def _look(self, asked: dict[str, str], headers: Any) -> None:
        limit = int(asked.get("gcmlimit", asked.get("gsrlimit", "0")))
        expected = {
            "maxlag": asked.get("maxlag") == "5",
            "User-Agent": "(+" in headers.get("User-Agent", ""),
            "gzip": "gzip" in headers.get("Accept-Encoding", ""),
            "format": (asked.get("format"), asked.get("formatversion")) == ("json", "2"),
            "limit": 1 <= limit <= (50 if "iiurlwidth" in asked else 500),
            "width": int(asked.get("iiurlwidth", STEPS[0])) in STEPS,
            "properties": {*["url", "size", "mime", "sha1", "extmetadata"]} <= {*asked.get("iiprop", "").split("|")},
        }
        self.faults |= {name for name, is_so in expected.items() if not is_so}

    def _answer(self, asked: dict[str, str]) -> dict[str, Any]:
        if asked["generator"] == "categorymembers":
            title = asked["gcmtitle"]
            if not title.startswith("Category:"):
                return {"error": {"code": "invalidcategory", "info": "The category name you entered is not valid."}}
            below, n_files = self.tree.get(title[9:], ((), 0))
            sub = [{"ns": 14, "title": f"Category:{name}", "pageid": _number(name)} for name in below]
            listed, token = [*sub, *self.odd[: 99 * bool(n_files)], *self._files(title[9:], n_files)], "gcmcontinue"
        else:
            words = asked["gsrsearch"].removesuffix(" filetype:bitmap")
            assert asked["gsrnamespace"] == "6"
            listed, token = self._files(words, self.found.get(words, 0)), "gsroffset"
        limit = int(asked.get("gcmlimit", asked.get("gsrlimit", "50")))
        start = int(asked.get(token, "0").rpartition("|")[2])
        batch = listed[start : start + limit]
        answer: dict[str, Any] = {"batchcomplete": True}
        if start + limit < len(listed):
            number = str(start + limit) if token == "gsroffset" else f"file|4d41|{start + limit}"
            answer["continue"] = {token: number, "continue": f"{token}||"}
        if self.halves and len(batch) > 1 and "iicontinue" not in asked:  # as of a batch whose metadata are too many
            rest = {token: asked[token]} if token in asked else {}
            answer = {"continue": {"iicontinue": "Half.jpg|20260101000000", "continue": "||", **rest}}
            batch = [page if n % 2 else {**page, "imageinfo": []} for n, page in enumerate(batch)]
            batch = [{key: value for key, value in page.items() if value != []} for page in batch]
        if batch:
            answer["query"] = {"pages": batch}
        return answer

    def _files(self, name: str, n: int) -> list[dict[str, Any]]:
        return [self.page(name, number) for number in range(n)]

    def page(self, name: str, number: int, **changed: Any) -> dict[str, Any]:
        """Make the page of a file."""
        stated = {"Artist": AUTHORS[number % 3], **LICENCES[number % 3], "Credit": "<p>own work</p>" * (number % 2)}
        if number % 3 == 2:
            stated["ObjectName"] = f"{name} &quot;{number}&quot;"
        whole = f"{self.url}/{_number(name) % 89 + number}.jpg"
        info = {
            "user": "Uploader",
            "size": 4_000_000,
            "width": 4000,
            "height": 3000,
            "sha1": hashlib.sha1(f"{name}{number}".encode()).hexdigest(),
            "thumburl": f"{whole}?width=960",
            "url": whole,
            "descriptionurl": f"https://commons.wikimedia.org/wiki/File:{name}_{number}.jpg",
            "mime": "image/jpeg",
            "extmetadata": {key: {"value": value, "source": "commons-desc-page"} for key, value in stated.items()},
        } | changed
        return {"pageid": _number(name) + number, "ns": 6, "title": f"File:{name} {number}.jpg", "imageinfo": [info]}


def _number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:5]) << 20


def handler_of(commons: Commons) -> type[PictureHandler]:
    """Return the handler that serves a site: its API, and its pictures."""

    class Handler(PictureHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:  # noqa: N802 -- http.server's name
            parts = urlsplit(self.path)
            if parts.path != "/w/api.php":
                self.path = parts.path
                self.close_connection = True
                self.send_picture()
                return
            asked = {key: values[0] for key, values in parse_qs(parts.query).items()}
            commons.peers.add(self.client_address)
            status, headers, body = commons.reply(asked, self.headers)
            packed = gzip.compress(body, 1)
            self.send_response(status)
            for key, value in {"Content-Encoding": "gzip", "Content-Length": str(len(packed)), **headers}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(packed)

    return Handler
