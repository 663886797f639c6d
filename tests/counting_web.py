"""Pictures on several hosts of this machine, and a count of what each is asked at once."""

from __future__ import annotations

import io
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import ThreadingHTTPServer

from tests.small_webs import PictureHandler
from tests.small_worlds import picture


class Web:
    """Pictures on several hosts of this machine (ports), what was asked, and how much of each host at once.

    ``started`` has the moment of each request, and ``at_once`` how many were in flight then, on all hosts.
    """

    def __init__(self, n_hosts: int, latency_s: float = 0.0) -> None:
        self.latency_s = latency_s
        self.lock = threading.Lock()
        self.in_flight, self.most, self.asked = Counter[int](), Counter[int](), Counter[str]()
        self.statuses: dict[str, list[int]] = {}
        self.redirects: dict[str, str] = {}
        self.robots: bytes | None = None
        self.started: list[tuple[float, str]] = []
        self.at_once: list[int] = []
        self.servers = [_server(self) for _ in range(n_hosts)]

    def host(self, number: int) -> str:
        return f"http://127.0.0.1:{self.servers[number].server_port}"

    def urls(self, n: int, hosts: range | None = None) -> list[str]:
        hosts = hosts or range(len(self.servers))
        return [f"{self.host(hosts[k % len(hosts)])}/{k}.jpg" for k in range(n)]

    def answer(self, handler: PictureHandler) -> None:
        """Answer a request; it is in flight until the last of it is about to be sent."""
        port = handler.server.server_port
        url = f"http://127.0.0.1:{port}{handler.path}"
        with self.lock:
            self.in_flight[port] += 1
            self.most[port] = max(self.most[port], self.in_flight[port])
            self.asked[url] += 1
            self.started.append((time.monotonic(), url))
            self.at_once.append(sum(self.in_flight.values()))
            statuses = self.statuses.get(url)
            status = statuses.pop(0) if statuses else 200
        time.sleep(self.latency_s)
        leads_to = self.redirects.get(url)
        if handler.path == "/robots.txt":
            status, body = (404, b"") if self.robots is None else (200, self.robots)
        else:
            body = _picture(int(handler.path[1:-4])) if status == 200 and not leads_to else b""
        with self.lock:
            self.in_flight[port] -= 1
        handler.send_response(302 if leads_to else status)
        if leads_to:
            handler.send_header("Location", leads_to)
        if status == 429:
            handler.send_header("Retry-After", "2")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)


@cache
def _picture(number: int) -> bytes:
    """Make the picture of a number."""
    stream = io.BytesIO()
    picture(number).save(stream, "JPEG", quality=90)
    return stream.getvalue()


def _server(web: Web) -> ThreadingHTTPServer:
    class Handler(PictureHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:  # noqa: N802
            web.answer(self)

    class Server(ThreadingHTTPServer):
        request_queue_size = 256
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Say nothing of who hung up: processes are killed."""

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server


@contextmanager
def counting_web(n_hosts: int, latency_s: float = 0.0) -> Iterator[Web]:
    """Serve one until the block ends."""
    web = Web(n_hosts, latency_s)
    try:
        yield web
    finally:
        for server in web.servers:
            server.shutdown()
            server.server_close()
