"""Serve a folder of photos on this machine, by nginx where it is installed, promptly or late, dead links among them.

>>> Web(8080, 9, "127.0.0.1").urls(3, dead=False)
['http://127.0.0.1:8080/0.jpg', 'http://127.0.0.1:8080/1.jpg', 'http://127.0.0.1:8080/2.jpg']
>>> Web(8080, 9, "127.0.0.1").urls(10, dead=True)[4::5]
['http://127.0.0.1:8080/gone/4.jpg', 'http://127.1.0.9:9/9.jpg']
"""

from __future__ import annotations

import asyncio
import grp
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

LATENCY_S = 0.02
N_HOSTS = 200
DEAD_EVERY = 5
"""Each fifth link is dead in the rough mode: by turns it answers 404, or its host refuses the connection."""

_START_LIMIT_S = 10.0

# The late server asks a listener whose queue is full, which no connection to comes about; at the end of its patience
# it serves the file. So each answer is late by that patience, without a process between client and server.
_NGINX = """
{user} daemon off; worker_processes 1; pid {place}/nginx.pid; error_log stderr crit;
events {{ worker_connections 4096; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; open_file_cache max=20000;
  types {{ image/jpeg jpg; }}
  client_body_temp_path {place}/body; proxy_temp_path {place}/proxy; fastcgi_temp_path {place}/fastcgi;
  uwsgi_temp_path {place}/uwsgi; scgi_temp_path {place}/scgi;
  server {{ {prompt} root {photos}; }}
  server {{
    listen 127.0.0.1:{late_port} backlog=4096; root {photos};
    location / {{
      proxy_pass http://127.0.0.1:{full_port}; proxy_connect_timeout {latency_ms}ms; error_page 502 504 = @photos;
    }}
    location @photos {{ }}
  }}
}}
"""


@dataclass(frozen=True)
class Web:
    """Where photos are served: ``port`` answers, ``closed_port`` refuses; ``server`` names the server."""

    port: int
    closed_port: int
    server: str

    def urls(self, n_urls: int, *, dead: bool, n_hosts: int = 1) -> list[str]:
        """List addresses of distinct photos; a refusing host is another machine each time, as rotten links are."""
        return [self._url(number, dead, n_hosts) for number in range(n_urls)]

    def _url(self, number: int, dead: bool, n_hosts: int) -> str:
        if dead and number % DEAD_EVERY == DEAD_EVERY - 1:
            if number % (2 * DEAD_EVERY) > DEAD_EVERY:
                return f"http://127.1.{number // 250}.{number % 250}:{self.closed_port}/{number}.jpg"
            return f"http://127.0.0.1:{self.port}/gone/{number}.jpg"
        return f"http://127.0.0.{1 + number % n_hosts}:{self.port}/{number}.jpg"


def has_many_addresses() -> bool:
    """Tell whether 127.0.0.2 and those after it are this machine too, as they are on Linux."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.2", 0))
        except OSError:
            return False
    return True


@contextmanager
def serve_photos(photos: Path, place: Path) -> Iterator[tuple[Web, Web]]:
    """Serve a folder until the block ends: a prompt web, and one that is 20 ms late.

    Args:
        photos: holds ``N.jpg``.
        place: an empty folder for the server's own files.
    """
    with ExitStack() as stack:
        closed = stack.enter_context(closing(_bound()))  # bound, not listening: refuses, and nobody else gets it
        prompt, late = _free_port(), _free_port()
        hosts = [f"127.0.0.{host}" for host in range(1, 1 + (N_HOSTS if has_many_addresses() else 1))]
        if nginx := shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/bin:/usr/bin"):
            full = stack.enter_context(_full_listener())
            text = _NGINX.format(
                user=_nginx_user(), prompt=" ".join(f"listen {host}:{prompt} backlog=4096;" for host in hosts),
                late_port=late, full_port=full, latency_ms=int(1000 * LATENCY_S), photos=photos, place=place,
            )  # fmt: skip
            (place / "nginx.conf").write_text(text, encoding="utf-8")
            command = [nginx, "-p", str(place), "-c", str(place / "nginx.conf"), "-e", "stderr"]
        else:
            command = [sys.executable, __file__, str(photos), str(prompt), str(late), *hosts]
        server = stack.enter_context(_running(command))
        for port in (prompt, late):
            _wait_for(port, server)
        name, refusing = "nginx" if nginx else "asyncio", closed.getsockname()[1]
        yield Web(prompt, refusing, name), Web(late, refusing, name)


def _nginx_user() -> str:
    """Started by root, nginx would else become somebody who cannot read the photos."""
    return "" if os.geteuid() else f"user root {grp.getgrgid(os.getegid()).gr_name};"


def _bound() -> socket.socket:
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    return sock


def _free_port() -> int:
    with _bound() as sock:
        return int(sock.getsockname()[1])


@contextmanager
def _full_listener() -> Iterator[int]:
    """A listener that accepts nobody and whose queue is full: further connections neither come about nor fail."""
    with ExitStack() as stack:
        listener = stack.enter_context(closing(_bound()))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(closing(socket.socket()))
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield int(listener.getsockname()[1])


@contextmanager
def _running(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    limit = time.monotonic() + _START_LIMIT_S
    while time.monotonic() < limit and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"the web server did not start on port {port}")


async def _answer(photos: Path, wait_s: float, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer GET requests on one connection, one after another, until the client closes it."""
    with closing(writer):
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await asyncio.sleep(wait_s)
                path = photos / head.split(b" ", 2)[1].decode().lstrip("/")
                body = path.read_bytes() if path.is_file() else b""
                status = b"200 OK" if body else b"404 Not Found"
                writer.write(b"HTTP/1.1 %s\r\nContent-Type: image/jpeg\r\nContent-Length: " % status)
                writer.write(b"%d\r\n\r\n" % len(body) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return


async def _serve(photos: Path, prompt: int, late: int, hosts: list[str]) -> None:
    """The server where there is no nginx."""
    waits = {prompt: 0.0, late: LATENCY_S}
    servers = [
        await asyncio.start_server(lambda r, w, s=wait: _answer(photos, s, r, w), hosts, port, backlog=1024)
        for port, wait in waits.items()
    ]
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]))
