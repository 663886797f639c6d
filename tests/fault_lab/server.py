"""A loopback server, in its own process, that misbehaves in every way that the open web does.

Each fault listens on its own port, so that to the fetch each is another host. ``python server.py FOLDER`` prints one
line of JSON (the fault's name to the base of its URLs) and serves until its standard input is closed. ``GET /counts``
at the base named ``control`` tells how often each URL was asked for.
"""

from __future__ import annotations

import json
import selectors
import socket
import ssl
import sys
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from faults import FAULTS, Request

TLS_FOLDER = Path(__file__).parent / "tls"
TLS_FAULTS = {
    "tls-fine": "localhost",
    "tls-wrong-name": "wrong-name",
    "tls-expired": "expired",
    "tls-stranger": "stranger",
}


@dataclass
class Lab:
    """The sockets that listen, and how often each URL was asked for."""

    listening: dict[str, socket.socket] = field(default_factory=dict)
    bases: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def listen(self, name: str) -> None:
        family, host = (socket.AF_INET6, "::1") if name == "ipv6" else (socket.AF_INET, "127.0.0.1")
        listener = socket.create_server((host, 0), family=family, backlog=512)
        listener.setblocking(False)
        self.listening[name] = listener
        scheme, shown = ("https", "localhost") if name in TLS_FAULTS else ("http", f"[{host}]" if ":" in host else host)
        self.bases[name] = f"{scheme}://{shown}:{listener.getsockname()[1]}"

    def serve(self, name: str, connection: socket.socket) -> None:
        try:
            connection.settimeout(60)
            if name in TLS_FAULTS:
                connection = wrap(connection, TLS_FAULTS[name])
            while request := read_request(connection, self):
                with self.lock:
                    self.counts[self.bases[name] + request.target] += 1
                    request.n_before = self.counts[self.bases[name] + request.target] - 1
                if name == "control":
                    request.answer(json.dumps(self.counts).encode(), "Content-Type: application/json")
                elif FAULTS.get(name, FAULTS["fine"])(request) == "close":
                    break
        except OSError:
            pass  # the client went away: faults make it do so
        finally:
            connection.close()


def wrap(connection: socket.socket, certificate: str) -> ssl.SSLSocket:
    """Speak TLS with one of the certificates; they and their key were made for these tests and guard nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS_FOLDER / f"{certificate}.pem", TLS_FOLDER / "key.pem")
    return context.wrap_socket(connection, server_side=True)


def read_request(connection: socket.socket, lab: Lab) -> Request | None:
    """Read a request's head; None where the client is done."""
    received = b""
    while b"\r\n\r\n" not in received:
        chunk = connection.recv(65536)
        if not chunk:
            return None
        received += chunk
    head = received.split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    return Request(connection, head[0].split()[1], headers, lab.bases)


def main() -> None:
    """Serve until standard input is closed."""
    lab = Lab()
    for name in [*FAULTS, *TLS_FAULTS, "ipv6", "control"]:
        lab.listen(name)
    deaf = socket.socket()  # bound, so that no other server gets its port, and never listening
    deaf.bind(("127.0.0.1", 0))
    lab.bases["refused"] = f"http://127.0.0.1:{deaf.getsockname()[1]}"
    print(json.dumps(lab.bases), flush=True)
    with selectors.DefaultSelector() as selector:
        selector.register(sys.stdin, selectors.EVENT_READ)
        for name, listener in lab.listening.items():
            selector.register(listener, selectors.EVENT_READ, name)
        while True:
            for key, _ in selector.select():
                if key.data is None:
                    return
                connection, _ = key.fileobj.accept()
                threading.Thread(target=lab.serve, args=(key.data, connection), daemon=True).start()


if __name__ == "__main__":
    main()
