"""Answers that nobody thought of: each address ends with a reason of the enum or a picture, and a second run is idle.

``CURATOR_FUZZ`` multiplies their number; each is made from its number alone, so that one that fails is found again.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import random
import selectors
import socket
import struct
import threading
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pyarrow as pa
import pytest
from PIL import Image

from curator.fetch.fetch_images import fetch_images
from curator.manifests.project import Project
from curator.manifests.recipe import Recipe
from curator.manifests.settings import FetchSettings
from curator.reasons import Drop
from curator.sources.base import listed_rows
from curator.store.paths import DataPaths
from tests.fuzz.rounds import counted, seeds
from tests.ledger_file import query

pytestmark = pytest.mark.torture

N_ANSWERS = len(seeds(150))
PER_HOST = 3
"""Answers of one port, which to the fetch is a host of its own: one that fails takes few others with it."""

STATUS_LINES = (
    *["HTTP/1.1 200 OK"] * 12, "HTTP/1.0 200 OK", "HTTP/1.1 200", "HTTP/1.1 206 Partial Content", "HTTP/1.1 204 None",
    "HTTP/1.1 299 Odd", "HTTP/1.1 304 Not Modified", "HTTP/1.1 403 Forbidden", "HTTP/1.1 404 Not Found",
    "HTTP/1.1 416 Range", "HTTP/1.1 429 Too Many", "HTTP/1.1 500 Oops", "HTTP/1.1 503 Busy", "HTTP/1.1 999 Denied",
    "HTTP/1.1 000 Nothing", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/9.9 200 OK", "HTTP/1.1 abc OK", "HTTQ/1.1 200",
    "ICY 200 OK", "", "HTTP/1.1 100 Continue", "HTTP/1.1 103 Early Hints", "HTTP/1.1 200 \xff\xfe",
)  # fmt: skip
HEADERS = (
    "X-Robots-Tag: noai", "X-Robots-Tag: googlebot: noai", "X-Robots-Tag:", "Retry-After: 0",
    "Retry-After: 1e9", "Retry-After: 99999999999999999999", "Retry-After: Thu, 32 Foo 2026 99:99:99 GMT",
    "Date: yesterday", "Content-Type: text/html", "Content-Type: image/jpeg; charset=\xff", "Connection: keep-alive",
    "Connection: upgrade",
    "Set-Cookie: a=b", "Set-Cookie: =; Domain=.; Path=", "Set-Cookie: " + "x" * 9000, "Set-Cookie: a=b; Domain=com",
    "Content-Encoding:", "Content-Encoding: identity", "Content-Encoding: utf-8", "Content-Encoding: compress",
    "Content-Encoding: ,,,", "Content-Range: bytes 0-1/2", "ETag: \x01", "X: \x00", ": no name", "no colon",
    " folded", "Trailer: X", "Alt-Svc: h3=\":443\"", "Strict-Transport-Security: max-age=1", "Location: /nowhere",
    "Content-Disposition: attachment; filename=../../x", "X-Long: " + "y" * 60_000,
)  # fmt: skip
PLACES = (
    "/{0}?again", "{0}", "//127.0.0.1:{1}/{0}", "http://127.0.0.1:{1}/{0}?on", "http://[::1", "http://", "https://127.0.0.1:{1}/x",
    "ftp://127.0.0.1/x", "file:///etc/passwd", "javascript:1", "http://user:pass@127.0.0.1:{1}/{0}?u", "?q=\xfc", "",
    "http://127.0.0.1:99999/", "http://a b/", "\t", "#top", "..", "data:image/png;base64,AA==",
)  # fmt: skip


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


CODERS = {
    "gzip": gzip.compress,
    "deflate": raw_deflate,
    "br": lambda data: pa.Codec("brotli").compress(data, asbytes=True),
    "zstd": lambda data: pa.Codec("zstd").compress(data, asbytes=True),
    "x-gzip": gzip.compress,
}


def make_body(rng: random.Random) -> bytes:
    """A picture, whole or spoilt, or something else."""
    stream = io.BytesIO()
    kind = rng.choice(["JPEG", "PNG", "GIF", "WEBP", "BMP"])
    coarse = Image.frombytes("RGB", (6, 5), rng.randbytes(90)).resize((120, 90), Image.Resampling.BICUBIC)
    coarse.save(stream, kind)
    picture = stream.getvalue()
    spoilt = bytearray(picture)
    spoilt[rng.randrange(len(spoilt))] ^= 1 << rng.randrange(8)
    other = [b"", b"<html>no</html>", b"{}", rng.randbytes(300), bytes(1_100_000), picture[: len(picture) // 2]]
    return rng.choice([picture] * 6 + [bytes(spoilt), picture + rng.randbytes(50), *other])


def frame(rng: random.Random, body: bytes) -> tuple[list[str], bytes]:
    """Say how long the body is: rightly, wrongly, in chunks, or not at all."""
    n, way = len(body), rng.randrange(14)
    if way < 6:
        return [f"Content-Length: {n}"], body
    if way < 8:
        return [], body
    if way < 10:
        cuts = sorted(rng.randrange(n + 1) for _ in range(3))
        pieces = [body[a:b] for a, b in zip([0, *cuts], [*cuts, n], strict=True)]
        chunks = b"".join(b"%x;x=y\r\n%s\r\n" % (len(piece), piece) for piece in pieces if piece)
        return ["Transfer-Encoding: chunked"], chunks + rng.choice([b"0\r\n\r\n", b"0\r\nX: y\r\n\r\n", b"", b"zz\r\n"])
    wrong = [f"Content-Length: {n + 9}", f"Content-Length: {n // 2}", "Content-Length: -1", "Content-Length: 1e3",
             f"Content-Length: {10**30}", f"Content-Length: {n}\r\nContent-Length: {n + 1}", "Transfer-Encoding: gzip",
             f"Content-Length: {n}, {n}"]  # fmt: skip
    return [rng.choice(wrong)], body


def make_answer(number: int, head: bytes, port: int) -> bytes:
    """Make the answer of this number to a request."""
    rng = random.Random(number)
    rng.seed(f"{number} {head.split(b' ')[1] if head.count(b' ') else b''}")
    if rng.random() < 0.04:
        return rng.randbytes(200)
    headers = [rng.choice(HEADERS) for _ in range(rng.choice([0, 0, 1, 1, 2, 5]))]
    if rng.random() < 0.15 and b"passed=1" not in head:  # a redirect, perhaps one that ends once its cookie comes back
        place = rng.choice(PLACES).format(number, port)
        status = rng.choice([301, 302, 303, 307, 308, 300, 305])
        lines = [
            f"HTTP/1.1 {status} Moved",
            f"Location: {place}",
            "Set-Cookie: passed=1; Path=/",
            "Content-Length: 0",
        ]
        return "\r\n".join([*lines, *headers, "", ""]).encode("latin-1")
    body = make_body(rng)
    if rng.random() < 0.35:
        names = [rng.choice(sorted(CODERS)) for _ in range(rng.choice([1, 1, 1, 2, 6]))]
        plain = body
        for name in names:
            body = CODERS[name](body)
        body = rng.choice([body] * 4 + [plain, body[: len(body) // 2], body + b"more", rng.randbytes(9) + body])
        headers.append(
            f"Content-Encoding: {rng.choice([', ', ',']).join(names)}".replace("gzip", rng.choice(["gzip", "GZIP"]))
        )
    lengths, body = frame(rng, body)
    whole = "\r\n".join([rng.choice(STATUS_LINES), *headers, *lengths, "", ""]).encode("latin-1") + body
    return whole[: rng.randrange(len(whole) + 1)] if rng.random() < 0.05 else whole


ALLOWING = b"HTTP/1.1 200 OK\r\nContent-Length: 23\r\n\r\nUser-agent: *\nDisallow:\n"[:-1]


def port_of(connection: socket.socket) -> int:
    return int(connection.getsockname()[1])


class Server:
    """Listens on many ports; each request is answered by the number in its path, and its connection closed."""

    def __init__(self, n_ports: int) -> None:
        self.listening = [socket.create_server(("127.0.0.1", 0)) for _ in range(n_ports)]
        self.ports = [one.getsockname()[1] for one in self.listening]
        self.n_requests, self.is_over = 0, threading.Event()

    def run(self) -> None:
        with selectors.DefaultSelector() as selector:
            for one in self.listening:
                selector.register(one, selectors.EVENT_READ)
            while not self.is_over.is_set():
                for key, _ in selector.select(0.05):
                    connection, _ = key.fileobj.accept()
                    threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError, ValueError, IndexError):
            connection.settimeout(5)
            head = b""
            while b"\r\n\r\n" not in head and (piece := connection.recv(65536)):
                head += piece
            if not head:
                return
            path = head.split(b" ")[1].decode("latin-1")
            if path == "/robots.txt" and port_of(connection) % 2:
                connection.sendall(ALLOWING)
                return
            self.n_requests += path != "/robots.txt"
            digits = "".join(filter(str.isdecimal, path.partition("?")[0]))
            number = int(digits or port_of(connection))
            connection.sendall(make_answer(number, head, port_of(connection)))
            if number % 17 == 0:  # a reset in place of an end
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@contextmanager
def serving(n_answers: int) -> Iterator[Server]:
    server = Server(-(-n_answers // PER_HOST))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.is_over.set()
        thread.join()
        for one in server.listening:
            one.close()


@pytest.mark.parametrize("seed", range(-(-N_ANSWERS // 600)))
@pytest.mark.parametrize("robots", [False, True])
def test_every_answer_ends_in_a_picture_or_a_reason(tmp_path: Path, seed: int, robots: bool) -> None:
    """Rows in are rows out, nothing crashes, what is kept is whole in the store, and a second run requests nothing.

    With robots, every other host's ``robots.txt`` is as odd as its images, and the others allow all.
    """
    n = min(600, N_ANSWERS - 600 * seed) // (1 + robots)
    how = "with robots.txt" if robots else "without robots.txt"
    with counted(f"addresses that answer anything, {how}, fetched, then once more", n):
        check_answers(tmp_path, range(600 * seed, 600 * seed + n), robots)


def check_answers(tmp_path: Path, numbers: range, robots: bool) -> None:
    """Fetch these answers twice."""
    n = len(numbers)
    settings = FetchSettings(allow_private_hosts=True, robots=robots, timeout_s=20.0, retries=0, max_bytes=1_000_000)
    paths = DataPaths(tmp_path, tmp_path, "balls")
    project = Project(Recipe("balls", ("ball",), (), settings), paths)
    with serving(n) as server:
        urls = [f"http://127.0.0.1:{server.ports[place // PER_HOST]}/{number}" for place, number in enumerate(numbers)]
        pages = [f"http://127.0.0.1/page/{number}" if number % 2 else None for number in numbers]
        listed = listed_rows(
            "url-list", "web", 0, {"label": ["ball"] * n, "key": urls, "url": urls, "landing_url": pages}
        )
        table = fetch_images(listed, project)
        n_requests = server.n_requests
        again = fetch_images(listed, project)
        assert server.n_requests == n_requests
    assert table["url"].tolist() == listed["url"].tolist()
    assert table.equals(again)
    reasons = Counter(reason if isinstance(reason, str) else None for reason in table["drop_reason"])
    assert set(reasons) - {None} <= set(map(str, Drop))
    assert reasons[None] > n / 20, reasons
    assert len(reasons) > 5, reasons
    kept = table[table["drop_reason"].isna().to_numpy(dtype=bool)]
    for sha256, ending in zip(kept["sha256"], kept["format"], strict=True):
        assert hashlib.sha256(paths.image(sha256, ending).read_bytes()).hexdigest() == sha256
    unsettled = query(paths.attempts, "SELECT count(*) FROM attempts WHERE outcome = 'ok' AND sha256 IS NULL")
    assert unsettled == [(0,)]
