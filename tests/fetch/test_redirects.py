"""This program and libcurl read an address alike: what was judged is what is requested, of a proxy too."""

from __future__ import annotations

import re
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from curator.addresses import request_url
from curator.errors import CuratorError
from curator.fetch.network.guard import name_private_host
from curator.fetch.network.libcurl import pycurl
from curator.fetch.network.redirects import Redirects, RefusedRedirectError
from curator.manifests.settings import FetchSettings
from curator.sources.reading.http import BrokenOffError, StreamedAnswer
from tests.fuzz.rounds import counted, examples

pytestmark = pytest.mark.torture

BEGIN = "http://photos.example/in/1.jpg"


@dataclass
class Proxy:
    """A proxy that sends on from ``BEGIN``, and answers all else; what it was asked for."""

    address: str = ""
    status: str = "302"
    location: bytes = b""
    asked: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    """A running proxy, which writes what is no header that a library would write."""
    made = Proxy()

    class Handler(socketserver.StreamRequestHandler):
        timeout = 30

        def handle(self) -> None:
            while line := self.rfile.readline():
                url = line.split(b" ")[1].decode("latin-1")
                while self.rfile.readline() not in (b"\r\n", b""):
                    pass
                made.asked.append(url)
                head = b"Location: " + made.location + b"\r\n" if url == BEGIN else b""
                status = made.status if url == BEGIN else "200"
                self.wfile.write(f"HTTP/1.1 {status} x\r\nContent-Length: 0\r\n".encode() + head + b"\r\n")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        made.address = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield made
        server.shutdown()


OUTSIDE = ("photos.example", "b.example")
INSIDE = ("127.0.0.1", "127.1", "localhost", "0x7f.1", "[::1]", "169.254.169.254", "10.0.0.1")
HOSTS = [
    text.translate({ord(a): b}) for text in (*OUTSIDE, *INSIDE) for a, b in (("x", "x"), ("1", "%31"), ("o", "%6F"))
]
HOSTS += ["\uff11\uff12\uff17.0.0.1", "\uff4cocalhost", "127\u30020\u30020\u30021", "\u2488\u2488\u2488\u2488"]
SPELT = st.tuples(
    st.sampled_from(["", "http:", "HTTP:", "https:", "http", "ftp:", "//", "\\\\", " "]),
    st.sampled_from(["", "/", "//", "///", "/\\", "\\/", "////"]),
    st.sampled_from(["", "", "u@", "b.example@", "127.0.0.1\\@", "a:b@", "b.example#@", "b.example?@"]),
    st.sampled_from(HOSTS),
    st.sampled_from(["", ":80", ":", ":x", "%3a80", ".", "\t", "%00", "%2f", "\u3002"]),
    st.sampled_from(["", "/", "/a.jpg", "/a/../b.jpg", "/%2e%2E/b", "?q", "#f", "/a b", "/\u00fc", "/..", "\\a"]),
).map("".join) | st.text(st.sampled_from("htp:/\\.@#?%[]127a \u00e9"), max_size=14)


def as_asked(url: str) -> str:
    """Return how a proxy is asked for an address: without who signs in there and the usual port."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return normal(f"{parts.hostname}:{parts.port or 443}")
    return normal(parts._replace(netloc=parts.netloc.rpartition("@")[2].lower()).geturl())


def normal(url: str) -> str:
    """Write an address as libcurl may: without the usual port, ``127.1`` in full, and with ``%3a`` as ``%3A``."""
    host = (urlsplit(url if "//" in url else f"//{url}").hostname or "").rstrip(".")
    with suppress(OSError):
        url = re.sub(r"(?:(?<=//)|^(?!http))[^/:]+", socket.inet_ntoa(socket.inet_aton(host)), url)
    return re.sub("%[0-9a-f]{2}", lambda found: found[0].upper(), url.replace(":80/", "/"), flags=re.IGNORECASE)


def asked_after(proxy: Proxy, location: str, status: str = "302") -> list[str]:
    """Follow a redirect as a list is read; what was requested after it."""
    proxy.location, proxy.status = location.encode("utf-8", "replace"), status
    proxy.asked.clear()
    with suppress(CuratorError, BrokenOffError):
        StreamedAnswer(BEGIN, FetchSettings(proxy=proxy.address, timeout_s=30.0)).close()
    assert proxy.asked[0] == BEGIN
    return proxy.asked[1:]


@settings(max_examples=examples(150), deadline=None, suppress_health_check=list(HealthCheck))
@given(SPELT)
@example("http://127.0.0.%31/")
@example("http://loca%6chost/")
@example("http:/127.0.0.1/")
@example("http:///127.0.0.1/")
@example("http:127.0.0.1/")
@example("///127.0.0.1/")
@example("/\\127.0.0.1/")
@example("http:\\\\127.0.0.1\\")
@example("//\u2488\u2488\u2488\u2488.")
def test_a_redirect_is_requested_as_it_was_judged_or_not_at_all(proxy: Proxy, location: str) -> None:
    """Nothing that is plainly private is asked of the proxy, whatever the spelling and the number of slashes."""
    try:
        target, _ = Redirects(BEGIN).follow(location.encode("utf-8"))
    except RefusedRedirectError:
        expected = []
    else:
        expected = [] if name_private_host(target) else [as_asked(target)]
    with counted("redirects in odd spellings, sent to a proxy as they were judged or not at all"):
        assert [normal(url) for url in asked_after(proxy, location)[:1]] == expected


@settings(max_examples=examples(150), deadline=None, suppress_health_check=list(HealthCheck))
@given(SPELT)
def test_libcurl_requests_exactly_what_was_made_of_a_listed_address(proxy: Proxy, listed: str) -> None:
    """Host, port, path and query; or no request can be made."""
    try:
        url = request_url(listed)
    except ValueError:
        return
    if not url.startswith("http:"):
        return
    proxy.asked.clear()
    handle = pycurl.Curl()
    handle.setopt(pycurl.URL, url)
    handle.setopt(pycurl.PROXY, proxy.address)
    handle.setopt(pycurl.NOPROXY, "")
    handle.setopt(pycurl.WRITEFUNCTION, lambda data: None)
    with counted("addresses in odd spellings, requested by libcurl as they were read"):
        handle.perform()
        handle.close()
        assert [normal(one) for one in proxy.asked] == [as_asked(url)]


@pytest.mark.parametrize("status", ["300", "301", "304", "305", "399"])
def test_no_status_leads_past_the_guard(proxy: Proxy, status: str) -> None:
    """Libcurl follows a Location of each answer that begins with 3."""
    assert asked_after(proxy, "http://127.0.0.1/", status) == []
    assert asked_after(proxy, "http://b.example/x", status) in ([], ["http://b.example/x"])


@pytest.mark.parametrize("location", ["http://b.example/x\r\nLocation: http://127.0.0.1/", "\r\n http://127.0.0.1/"])
def test_a_second_or_a_folded_location_is_judged_too(proxy: Proxy, location: str) -> None:
    """Nothing of it is requested."""
    assert not [url for url in asked_after(proxy, location) if name_private_host(url)]


def test_a_redirect_to_another_script_and_to_a_path_goes_on(proxy: Proxy) -> None:
    """As a browser would request it, by the request that it began with, in the same time."""
    assert asked_after(proxy, "http://b\u00fccher.example/\u00fc x") == ["http://xn--bcher-kva.example/%C3%BC%20x"]
    assert asked_after(proxy, "../out/2.jpg") == ["http://photos.example/out/2.jpg"]
    assert asked_after(proxy, "2.jpg?a=1#top") == ["http://photos.example/in/2.jpg?a=1"]
    assert asked_after(proxy, "/2.jpg") == ["http://photos.example/2.jpg"]


def test_a_loop_of_redirects_that_this_program_follows_ends(proxy: Proxy) -> None:
    """As one that libcurl follows."""
    assert len(asked_after(proxy, "1.jpg")) == 8


def test_robots_txt_is_asked_where_a_redirect_leads_in_any_script(proxy: Proxy, listed, shelf, reasons) -> None:
    """Under the name and the path that are then requested; no answer ends the run."""
    proxy.location, proxy.status = "http://bücher.example/a/../ü.jpg".encode(), "302"
    careful = FetchSettings(proxy=proxy.address, timeout_s=30.0, retries=0, robots=True)
    for location in (
        proxy.location,
        b"http://[::1",
        b"\xff\xfe://\xc2\xb2",
        b"http://a.example:99999999999/",
        b"?" * 9000,
    ):
        proxy.asked.clear()
        proxy.location = location
        assert len(reasons(shelf.fetch(listed([BEGIN]), settings=careful, retry="failed"))) == 1
        if b"cher" in location:
            there = "http://xn--bcher-kva.example/"
            assert proxy.asked[-3:] == [f"{there}robots.txt", BEGIN, f"{there}%C3%BC.jpg"]
