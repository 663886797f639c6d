"""A loopback HTTP server for a world: keep-alive, HEAD, Range, ETag, and the planted trouble, decided by the URL alone.

Each host of the world has a port of its own, on 127.0.0.1. URLs, and with them the record ids that are made from them,
therefore depend on the ports: :data:`DEFAULT_PORT` and those after it if they are free. If the same URLs are
needed on any port (a golden manifest), serve ``as_proxy``: the hosts are then names such as ``farm.example``, and the
one port is the proxy that reaches them.

>>> import urllib.request
>>> world = World("one", {}, (), {Address("farm", "/a.txt"): Answer(b"hello", content_type="text/plain")})
>>> with serve(world, port=0) as served:
...     urllib.request.urlopen(Address("farm", "/a.txt").url(served.origins)).read()
b'hello'
"""

from __future__ import annotations

import hashlib
import re
import socketserver
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, NamedTuple
from urllib.parse import urlsplit

from curator.demo.listing import BUSY_REFUSALS, HOSTS, Address, Answer, World
from curator.demo.site import site_answers
from curator.errors import CuratorError

DEFAULT_PORT = 8431
_ADDRESS = "127.0.0.1"
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_NOTHING_THERE = Answer(b"nothing here\n", 404, "text/plain")
_SLOW_DOWN = Answer(b"slow down\n", 429, "text/plain", (("Retry-After", "1"),))


@dataclass
class Served:
    """A world while it is served; ``requests`` counts how often each address was requested (HEAD not counted)."""

    world: World
    origins: Mapping[str, str]
    port: int
    proxy: str = ""
    requests: Counter[Address] = field(default_factory=Counter)

    @property
    def base_url(self) -> str:
        """Where the lists, tables and the bucket are."""
        return self.origins["main"]


@contextmanager
def serve(world: World, port: int | None = None, *, as_proxy: bool = False) -> Iterator[Served]:
    """Serve a world in threads of this process until the block ends.

    Args:
        world: what to serve.
        port: the first of five ports in a row; 0 takes any free ones; None takes :data:`DEFAULT_PORT`, or any free
            ones if one of the five is taken.
        as_proxy: listen on one port as a proxy to hosts that are names; the planted closed port then answers 404, as
            no refused connection reaches the client.

    Raises:
        CuratorError: a port that was chosen is taken.
    """
    hosts = ("main",) if as_proxy else HOSTS
    with ExitStack() as stack:
        servers = _listen(hosts, port, stack)
        first = f"http://{_ADDRESS}:{servers[0].server_port}"
        if as_proxy:
            origins = {host: f"http://{host}.example" for host in HOSTS}
        else:
            origins = {host: f"http://{_ADDRESS}:{one.server_port}" for host, one in zip(hosts, servers, strict=True)}
        served = Served(world, origins, servers[0].server_port, first if as_proxy else "")
        shop = _Shop(site_answers(world, origins), served.requests)
        stack.callback(shop.closing.set)
        for server in servers:
            server.shop = shop
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            stack.callback(server.shutdown)
        yield served


def _listen(hosts: tuple[str, ...], port: int | None, stack: ExitStack) -> list[_Server]:
    first = DEFAULT_PORT if port is None else port
    servers: list[_Server] = []
    try:
        for index, host in enumerate(hosts):
            servers.append(_Server(host, first and first + index))
            stack.callback(servers[-1].server_close)
    except (OSError, OverflowError) as error:
        if port is None:
            return _listen(hosts, 0, stack)
        last = first + len(hosts) - 1
        hint = "Choose another with --port; 0 takes any that are free."
        raise CuratorError(f"The ports {first} to {last} cannot be served on ({error}).", hint) from error
    return servers


class _Shop:
    """What all hosts' threads share: the answers, their ETags and the counts."""

    def __init__(self, site: Mapping[Address, Answer], requests: Counter[Address]) -> None:
        self.site, self.requests = site, requests
        self.lock, self.closing = threading.Lock(), threading.Event()
        self.n_busy = 0

    def answer(self, address: Address, *, counted: bool) -> Answer:
        """Return the answer to one more request; the first few to the busy host are refused."""
        with self.lock:
            self.requests[address] += counted
            self.n_busy += counted and address.host == "busy"
            refused = address.host == "busy" and self.n_busy <= BUSY_REFUSALS
        return _SLOW_DOWN if refused else self.site.get(address, _NOTHING_THERE)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    allow_reuse_port = False
    shop: _Shop

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        super().__init__((_ADDRESS, port), _Handler)

    def server_bind(self) -> None:
        """Bind without asking the name service for this machine's name, which may take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = _ADDRESS, self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that hang up."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "curator-demo", ""
    timeout = 30
    wbufsize = -1  # one segment an answer: unbuffered, headers and body would wait for each other
    disable_nagle_algorithm: ClassVar[bool] = True

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the terminal clean."""

    def do_GET(self) -> None:
        """Answer, to HEAD without the body."""
        with_body = self.command == "GET"
        answer = self.server.shop.answer(self._address(), counted=with_body)
        if answer.delay_s:
            self.server.shop.closing.wait(answer.delay_s)
        body = answer.content()
        part = self._part(answer.status, body, _tag(body))
        self.send_response(part.status)
        self._send_headers(answer, body, part)
        if with_body:
            self.close_connection |= answer.cut_after is not None
            self.wfile.write(memoryview(body[: answer.cut_after])[part.start : part.stop])

    do_HEAD = do_GET  # noqa: N815 - the name that the standard library calls

    def _address(self) -> Address:
        if self.path.startswith("/"):
            return Address(self.server.host, self.path)
        parts = urlsplit(self.path)  # what a client of a proxy sends
        name = (parts.hostname or "").removesuffix(".example")
        return Address(name, parts.path + (f"?{parts.query}" if parts.query else ""))

    def _part(self, status: int, body: bytes, tag: str) -> _Part:
        """Choose what to send: all, a range, nothing as the client has it, or nothing as the range lies beyond it."""
        total = len(body)
        if status != 200:
            return _Part(status, 0, total)
        if self.headers.get("If-None-Match") == tag:
            return _Part(304, 0, 0)
        wanted = _RANGE.fullmatch(self.headers.get("Range", ""))
        if wanted is None or self.headers.get("If-Range", tag) != tag:
            return _Part(200, 0, total)
        start, stop = int(wanted[1]), min(int(wanted[2]) + 1, total) if wanted[2] else total
        return _Part(206, start, stop) if start < stop else _Part(416, 0, 0)

    def _send_headers(self, answer: Answer, body: bytes, part: _Part) -> None:
        headers = dict(answer.headers)
        if answer.status == 200:
            headers |= {"ETag": _tag(body), "Accept-Ranges": "bytes"}
        if part.status == 206:
            headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{len(body)}"
        elif part.status == 416:
            headers["Content-Range"] = f"bytes */{len(body)}"
        headers |= {"Content-Type": answer.content_type, "Content-Length": str(part.stop - part.start)}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


class _Part(NamedTuple):
    status: int
    start: int
    stop: int


def _tag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:20]}"'
