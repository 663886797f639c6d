"""A loopback server of lists and tables with planted faults, and a context that may reach it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from curator.events import Event, Noted, Warned
from curator.manifests.settings import FetchSettings
from curator.sources.base import ListingContext
from curator.sources.reading import resume
from curator.text import spell


@dataclass
class Page:
    """What one path answers; ``statuses`` and ``cuts`` are used up request by request.

    ``later`` is the body and tag that replace this page's once it was sent.
    """

    body: bytes = b""
    etag: str = '"v1"'
    ranges: bool = True
    content_type: str = "text/plain"
    location: str = ""
    statuses: list[int] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)
    later: tuple[bytes, str] | None = None
    coding: str = ""


@dataclass
class ListServer:
    """Serves ``pages`` by path and remembers each request as (method, path, headers)."""

    url: str = ""
    pages: dict[str, Page] = field(default_factory=dict)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def serve(self, path: str, body: bytes | str = b"", **page: object) -> str:
        self.pages[path] = Page(body.encode() if isinstance(body, str) else body, **page)  # type: ignore[arg-type]
        return self.url + path

    def gets(self) -> list[str]:
        return [path for method, path, _ in self.requests if method == "GET"]


class Handler(BaseHTTPRequestHandler):
    """Answers as the pages say."""

    protocol_version = "HTTP/1.1"
    lists: ListServer

    def log_message(self, *args: object) -> None: ...

    def handle(self) -> None:
        # A client that has what it wants may hang up at any time.
        with contextlib.suppress(ConnectionError):
            super().handle()

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        self.lists.requests.append((self.command, self.path, dict(self.headers)))
        page = self.lists.pages.get(self.path)
        if page is None:
            self._send(404, b"nothing here", Page(), with_body)
            return
        if page.location:
            self._send(302, b"", page, with_body)
            return
        status = page.statuses.pop(0) if page.statuses and with_body else 200
        if status != 200:
            self._send(status, b"", page, with_body)
            return
        self._send_whole_or_part(page, with_body)
        if with_body and page.later:
            page.body, page.etag = page.later
            page.later = None

    def _send_whole_or_part(self, page: Page, with_body: bool) -> None:
        wanted = self.headers.get("Range", "")
        current = self.headers.get("If-Range") in (None, page.etag)
        if not (wanted and page.ranges and current):
            self._send(200, page.body, page, with_body)
            return
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        part = page.body[int(first) : int(last) + 1 if last else None]
        end = int(first) + len(part) - 1
        self._send(206, part, page, with_body, f"bytes {first}-{end}/{len(page.body)}")

    def _send(self, status: int, body: bytes, page: Page, with_body: bool, content_range: str = "") -> None:
        self.send_response(status)
        headers = {"Content-Type": page.content_type, "Content-Length": str(len(body)), "ETag": page.etag}
        headers |= {"Content-Range": content_range, "Location": page.location, "Content-Encoding": page.coding}
        for name, value in headers.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        if not with_body:
            return
        cut = page.cuts.pop(0) if page.cuts and status in (200, 206) else None
        self.wfile.write(body[:cut])
        self.close_connection = cut is not None


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ListServer]:
    """Serve lists on a loopback port; a back-off takes no time."""
    monkeypatch.setattr(resume, "BACKOFF_S", 0.0)
    lists = ListServer()
    handler = type("Serving", (Handler,), {"lists": lists})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        lists.url = f"http://127.0.0.1:{http.server_address[1]}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield lists
        http.shutdown()
        thread.join()


@pytest.fixture
def events() -> list[Event]:
    """The events that the context was told, in order."""
    return []


@pytest.fixture
def context(tmp_path: Path, events: list[Event]) -> ListingContext:
    """A context for the labels rugby and soccer that may reach the loopback server."""
    return ListingContext(
        labels=("rugby", "soccer"),
        cache_dir=tmp_path / "sources",
        base_dir=tmp_path,
        fetch=FetchSettings(allow_private_hosts=True, timeout_s=10, contact="test@example.org"),
        emit=events.append,
    )


@pytest.fixture
def told(events: list[Event]) -> Callable[[], str]:
    """Everything that was noted or warned, as one text."""
    return lambda: "\n".join(spell(event.message) for event in events if isinstance(event, Noted | Warned))
