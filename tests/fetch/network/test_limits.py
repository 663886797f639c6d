"""What is counted and told here does not depend on which libcurl there is."""

from __future__ import annotations

import re
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from curator.errors import CuratorError
from curator.events import Event, Warned
from curator.fetch.network.guard import proxy_addresses
from curator.fetch.network.libcurl import pycurl, refuse_old
from curator.fetch.network.transfer import Transfer, WaryTransfer
from curator.manifests.settings import FetchSettings
from curator.reasons import Drop
from tests.observe.drawings import draw, encode

TLS_FOLDER = Path(__file__).parents[2] / "fault_lab" / "tls"
SETTINGS = FetchSettings(max_bytes=100_000, allow_private_hosts=True, timeout_s=60)


@contextmanager
def serving(answer: Callable[[bytes], bytes], *, is_safe: bool = False) -> Iterator[str]:
    """Answer every path with bytes, and close the connection; yield the base of the addresses."""

    class Handler(socketserver.StreamRequestHandler):
        timeout = 30

        def setup(self) -> None:
            if is_safe:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(TLS_FOLDER / "localhost.pem", TLS_FOLDER / "key.pem")
                self.request = context.wrap_socket(self.request, server_side=True)
            super().setup()

        def handle(self) -> None:
            path = self.rfile.readline().split()[1]
            while self.rfile.readline() not in (b"\r\n", b""):
                pass
            with suppress(OSError):  # the limit was reached
                self.wfile.write(answer(path))

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"{'https://localhost' if is_safe else 'http://127.0.0.1'}:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.parametrize("is_wary", [False, True])
@pytest.mark.parametrize(("n_bytes", "reason"), [(100_000, None), (100_001, Drop.TOO_MANY_BYTES), (10_000_000, 0)])
def test_a_body_without_end_is_broken_off_here(is_wary: bool, n_bytes: int, reason: Drop | int | None) -> None:
    """An old libcurl compares only what a header announces; so does this one, told that there is no limit."""
    transfer = WaryTransfer(SETTINGS, frozenset(), None) if is_wary else Transfer(SETTINGS)
    with serving(lambda path: b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + bytes(n_bytes)) as base:
        transfer.begin(0, f"{base}/a.jpg", time.monotonic())
        transfer.handle.setopt(pycurl.MAXFILESIZE_LARGE, 0)
        errno = 0
        try:
            transfer.handle.perform()
        except pycurl.error as error:
            errno = error.args[0]
        verdict, pieces = transfer.result(errno)
    assert verdict.reason == (Drop.TOO_MANY_BYTES if reason == 0 else reason)
    assert sum(map(len, pieces)) == (0 if verdict.reason else n_bytes)
    assert transfer.n_bytes <= 100_000


def test_an_image_that_left_https_on_its_way_is_told_of(
    shelf: Any, listed: Callable[..., pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The image is kept, its address after redirects recorded, and one warning counts such images by host."""
    monkeypatch.setenv("SSL_CERT_FILE", str(TLS_FOLDER / "authority.pem"))
    picture = encode(draw(200, 150), "PNG")
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(picture) + picture
    with serving(lambda path: whole) as plain:
        to = f"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nConnection: close\r\nLocation: {plain}/x.png\r\n\r\n".encode()
        with serving(lambda path: to if path.startswith(b"/leaves") else whole, is_safe=True) as safe:
            for settings in (shelf.settings, replace(shelf.settings, robots=True)):
                name = f"{settings.robots}.png"
                told: list[Event] = []
                table = shelf.fetch(
                    listed([f"{safe}/leaves-{name}", f"{safe}/stays-{name}", f"{plain}/{name}"]),
                    settings=replace(settings, timeout_s=60), emit=told.append,
                )  # fmt: skip
                assert table["final_url"][0] == f"{plain}/x.png" and pd.isna(table["drop_reason"][0])
                (warning,) = [str(one.message) for one in told if isinstance(one, Warned)]
                assert warning.startswith("1 image listed with https came over http") and re.search(
                    r"localhost:\d+ 1$", warning
                )


def test_a_libcurl_that_is_too_old_or_without_tls_is_refused() -> None:
    """In a sentence that says what to type; the one here is neither."""
    refuse_old(pycurl.version_info())
    with pytest.raises(CuratorError, match=r"libcurl 7.88.1 is older than 8.4.0.*pip install --upgrade pycurl"):
        refuse_old((7, "7.88.1", 0x075801, "", 0, "", 0, "", ("https",)))
    with pytest.raises(CuratorError, match="without TLS"):
        refuse_old((7, "8.9.0", 0x080900, "", 0, "", 0, "", ("http",)))


def test_lists_and_images_trust_the_same_certificates(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """``SSL_CERT_FILE`` if it is set, else certifi's: a list from the server is read as an image of it is."""
    from curator.sources.base import ListingContext
    from curator.sources.reading.read import read_place

    context = ListingContext((), tmp_path, fetch=replace(SETTINGS, retries=0))
    body = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc"
    with serving(lambda path: body, is_safe=True) as safe:
        for authority, is_read in ((str(TLS_FOLDER / "authority.pem"), True), ("", False)):
            monkeypatch.setenv("SSL_CERT_FILE", authority)
            transfer = Transfer(SETTINGS, proxy_addresses(""))
            transfer.begin(0, f"{safe}/a", time.monotonic())
            if is_read:
                transfer.handle.perform()
                assert read_place(f"{safe}/a", lambda stream: stream.read(), context) == b"abc"
            else:
                with pytest.raises(pycurl.error):
                    transfer.handle.perform()
                with pytest.raises(CuratorError, match="certificate"):
                    read_place(f"{safe}/a", lambda stream: stream.read(), context)
