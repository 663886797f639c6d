"""A web archive on loopback that answers as documented: as the Internet Archive's CDX server or as pywb's.

https://github.com/internetarchive/wayback/tree/master/wayback-cdx-server
https://pywb.readthedocs.io/en/latest/manual/cdxserver_api.html
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit


class Captured(NamedTuple):
    """One capture; ``lie`` is served in the place of ``body``, whose digest the index has: nothing is a redirect."""

    address: str
    time: str
    body: bytes
    kind: str = "image/jpeg"
    status: int = 200
    lie: bytes | None = None

    @property
    def digest(self) -> str:
        return base64.b32encode(hashlib.sha1(self.body, usedforsecurity=False).digest()).decode()


class Seen(NamedTuple):
    """One request: what was requested, by whom, over which connection."""

    path: str
    agent: str
    port: int
    referer: str | None


@dataclass
class Archive:
    """What it holds and was asked; ``answers`` are (status, headers, perhaps a body) given first."""

    captures: list[Captured] = field(default_factory=list)
    dialect: str = "wayback"
    robots: str | None = None
    answers: list[tuple[int, dict[str, str]] | tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    most_at_once: int = 0
    base: str = ""

    @property
    def index(self) -> str:
        return self.base + {"wayback": "/cdx/search/cdx", "pywb": "/mine/cdx"}[self.dialect]

    @property
    def place(self) -> str:
        return self.base + {"wayback": "/web/", "pywb": "/mine/"}[self.dialect]

    def lookups(self) -> list[str]:
        """The addresses that it was asked for, in order."""
        return [parse_qs(urlsplit(one.path).query)["url"][0] for one in self.seen if "cdx?" in one.path]

    def downloads(self) -> list[str]:
        """The captures that were requested, in order: time and address."""
        return [one.path.split("/", 2)[2] for one in self.seen if "id_/" in one.path]

    def look_up(self, query: dict[str, list[str]]) -> list[Captured]:
        """The captures of an address, or of what begins with it, as both servers compare: case and www. are nothing."""
        wanted, is_prefix = _key(query["url"][0]), query.get("matchType") == ["prefix"]
        found = sorted((_key(one.address), one.time, one) for one in self.captures)
        found = [one for one in found if one[0] == wanted or (is_prefix and one[0].startswith(wanted))]
        lines = [one for *_, one in found if f"statuscode:{one.status}" in query["filter"]]
        if "digest" in query.get("collapse", ()) and self.dialect == "wayback":
            lines = [one for place, one in enumerate(lines) if not place or one.digest != lines[place - 1].digest]
        return lines[: int(query["limit"][0])]

    def lines(self, found: list[Captured]) -> bytes:
        """The answer of the index."""
        facts = [(_key(one.address), one.time, one.address, one.kind, str(one.status), one.digest) for one in found]
        if self.dialect == "wayback":
            header = ("urlkey", "timestamp", "original", "mimetype", "statuscode", "digest")
            return json.dumps([header, *facts] if facts else []).encode()
        names = ("urlkey", "timestamp", "url", "mime", "status", "digest")
        return "".join(json.dumps(dict(zip(names, one, strict=True))) + "\n" for one in facts).encode()


def _key(address: str) -> str:
    return unquote(address).lower().partition("://")[2].removeprefix("www.")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    archive: Archive
    lock = threading.Lock()
    n_at_once = 0

    def do_GET(self) -> None:
        kind = type(self)
        with self.lock:
            kind.n_at_once += 1
            self.archive.most_at_once = max(self.archive.most_at_once, kind.n_at_once)
            agent, referer = self.headers.get("User-Agent", ""), self.headers.get("Referer")
            self.archive.seen.append(Seen(self.path, agent, self.client_address[1], referer))
        status, headers, body = self._answer()
        time.sleep(0.005)  # long enough that a second request meanwhile would be seen
        with self.lock:
            kind.n_at_once -= 1
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _answer(self) -> tuple[int, dict[str, str], bytes]:
        archive, parts = self.archive, urlsplit(self.path)
        if parts.path == "/robots.txt":
            return (404, {}, b"") if archive.robots is None else (200, {}, archive.robots.encode())
        if archive.answers:
            status, headers, *body = archive.answers.pop(0)
            return status, headers, b"".join(body)
        if parts.path.endswith("/cdx"):
            return 200, {"Content-Type": "application/json"}, archive.lines(archive.look_up(parse_qs(parts.query)))
        moment, _, address = self.path.removeprefix(urlsplit(archive.place).path).partition("id_/")
        for one in archive.captures:
            if one.time == moment and _key(one.address) == _key(address):
                if one.lie == b"":
                    return 302, {"Location": f"{archive.base}/elsewhere"}, b""
                return one.status, {"Content-Type": one.kind}, one.body if one.lie is None else one.lie
        return 404, {}, b"not in the archive"

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served(archive: Archive) -> Iterator[Archive]:
    """Serve it within the block."""
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), type("Handler", (_Handler,), {"archive": archive, "lock": threading.Lock()})
    )
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    archive.base = f"http://127.0.0.1:{server.server_port}"
    try:
        yield archive
    finally:
        server.shutdown()
        server.server_close()
