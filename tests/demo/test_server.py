"""The loopback server: what each address answers, and how HTTP is spoken."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
import requests

from curator.demo import server
from curator.demo.listing import BUSY_REFUSALS, HOSTS, Address, Answer, Listing, World
from curator.demo.server import Served, serve
from curator.errors import CuratorError


@pytest.fixture
def web() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def planted(world: World, kind: str) -> Listing:
    return next(row for row in world.listings if row.plant.kind == kind)


def get(web: requests.Session, served: Served, kind: str) -> requests.Response:
    return web.get(planted(served.world, kind).url(served.origins), timeout=60)


@pytest.mark.parametrize(
    ("kind", "status", "content_type", "start"),
    [
        ("clean", 200, "image/jpeg", b"\xff\xd8\xff"),
        ("slow-host", 200, "image/jpeg", b"\xff\xd8\xff"),
        ("png", 200, "image/png", b"\x89PNG"),
        ("wrong-type", 200, "text/plain", b"\xff\xd8\xff"),
        ("html-page", 200, "image/jpeg", b"<!DOCTYPE html>"),
        ("placeholder", 200, "image/png", b"\x89PNG"),
        ("placeholder-redirect", 200, "image/png", b"\x89PNG"),
        ("truncated", 200, "image/jpeg", b"\xff\xd8\xff"),
        ("empty", 200, "image/jpeg", b""),
        ("gone", 404, "text/html", b"<!DOCTYPE html>"),
        ("gone-for-good", 410, "text/html", b"<!DOCTYPE html>"),
        ("forbidden", 403, "text/html", b"<!DOCTYPE html>"),
    ],
)
def test_planted_addresses_answer_as_planted(
    served: Served, web: requests.Session, kind: str, status: int, content_type: str, start: bytes
) -> None:
    """Status, type and first bytes are the plant's, and the same a second time."""
    first, again = get(web, served, kind), get(web, served, kind)
    assert (first.status_code, first.headers["Content-Type"]) == (status, content_type)
    assert first.content.startswith(start)
    assert len(first.content) == int(first.headers["Content-Length"])
    assert again.content == first.content


def test_the_placeholder_is_the_same_bytes_direct_and_redirected(served: Served, web: requests.Session) -> None:
    """Unrelated addresses end at one picture; the redirect is a real one."""
    direct, redirected = get(web, served, "placeholder"), get(web, served, "placeholder-redirect")
    assert direct.content == redirected.content
    assert [answer.status_code for answer in redirected.history] == [302]


def test_a_closed_port_refuses(served: Served, web: requests.Session) -> None:
    """Nobody listens there."""
    with pytest.raises(requests.ConnectionError, match="refused"):
        get(web, served, "refused-port")


def test_a_cut_connection_ends_before_its_announced_length(served: Served, web: requests.Session) -> None:
    """The client sees fewer bytes than Content-Length."""
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        get(web, served, "cut-connection")


def test_an_image_that_opts_out_says_so(served: Served, web: requests.Session) -> None:
    """The header that asks not to be used is sent."""
    assert get(web, served, "opted-out").headers["X-Robots-Tag"] == "noai"


def test_the_busy_host_refuses_first_and_then_is_fine(served: Served, web: requests.Session) -> None:
    """429 with Retry-After, as often as it says, whatever is asked for; then the picture."""
    answers = [get(web, served, "busy-host") for _ in range(BUSY_REFUSALS + 1)]
    assert [answer.status_code for answer in answers] == [429] * BUSY_REFUSALS + [200]
    assert answers[0].headers["Retry-After"] == "1"


def test_the_bucket_lacks_what_falls_back(served: Served, web: requests.Session) -> None:
    """The bucket answers 404, the original address gives the picture."""
    row = planted(served.world, "bucket-gap")
    assert web.get(row.url(served.origins), timeout=60).status_code == 404
    assert web.get(row.address.url(served.origins), timeout=60).content.startswith(b"\xff\xd8")


TEXT = Address("main", "/text")
SMALL_WORLD = World("small", {}, (), {TEXT: Answer(b"0123456789", content_type="text/plain")})


@pytest.fixture
def text_url() -> Iterator[str]:
    with serve(SMALL_WORLD, port=0) as served:
        yield TEXT.url(served.origins)


@pytest.mark.parametrize(
    ("asked", "status", "body", "content_range"),
    [
        ("bytes=4-", 206, b"456789", "bytes 4-9/10"),
        ("bytes=0-0", 206, b"0", "bytes 0-0/10"),
        ("bytes=8-99", 206, b"89", "bytes 8-9/10"),
        ("bytes=10-", 416, b"", "bytes */10"),
        ("nonsense", 200, b"0123456789", None),
    ],
)
def test_ranges(
    text_url: str, web: requests.Session, asked: str, status: int, body: bytes, content_range: str | None
) -> None:
    """A cut transfer can be resumed where it ended; a range beyond the end is told so."""
    answer = web.get(text_url, headers={"Range": asked}, timeout=60)
    assert (answer.status_code, answer.content, answer.headers.get("Content-Range")) == (status, body, content_range)


def test_a_range_of_another_version_gives_the_whole(text_url: str, web: requests.Session) -> None:
    """If-Range with the right ETag resumes, with another one starts over."""
    tag = web.head(text_url, timeout=60).headers["ETag"]
    resumed = web.get(text_url, headers={"Range": "bytes=5-", "If-Range": tag}, timeout=60)
    changed = web.get(text_url, headers={"Range": "bytes=5-", "If-Range": '"old"'}, timeout=60)
    assert (resumed.status_code, changed.status_code, changed.content) == (206, 200, b"0123456789")


def test_head_and_not_modified_send_no_body(text_url: str, web: requests.Session) -> None:
    """HEAD tells the size; a known ETag is answered 304."""
    head = web.head(text_url, timeout=60)
    assert (head.headers["Content-Length"], head.content) == ("10", b"")
    known = web.get(text_url, headers={"If-None-Match": head.headers["ETag"]}, timeout=60)
    assert (known.status_code, known.content) == (304, b"")


def test_one_connection_serves_many_requests(text_url: str) -> None:
    """Keep-alive: a second request on the same socket is answered too."""
    host, port = text_url.removeprefix("http://").split("/")[0].split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        for _ in range(2):
            connection.sendall(b"GET /text HTTP/1.1\r\nHost: x\r\n\r\n")
            received = b""
            while not received.endswith(b"0123456789"):
                received += connection.recv(4096)
            assert received.startswith(b"HTTP/1.1 200 ")


def test_requests_are_counted_by_address(web: requests.Session) -> None:
    """GETs count, HEADs do not: a test can tell what was asked for twice."""
    with serve(SMALL_WORLD, port=0) as served:
        url = TEXT.url(served.origins)
        web.head(url, timeout=60)
        web.get(url, timeout=60)
        web.get(url, timeout=60)
        assert served.requests[TEXT] == 2


def test_each_host_has_a_port_of_its_own_in_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that is asked for is the first of as many as there are hosts."""
    with serve(SMALL_WORLD, port=0) as served:
        assert len({*served.origins.values()}) == len(HOSTS)
        taken = served.port
        monkeypatch.setattr(server, "DEFAULT_PORT", taken)
        with serve(SMALL_WORLD) as other:
            assert other.port != taken


def test_a_port_that_was_asked_for_and_is_taken_is_an_error() -> None:
    """No silent fallback: the message names the ports and the way out."""
    with (
        serve(SMALL_WORLD, port=0) as served,
        pytest.raises(CuratorError, match=f"The ports {served.port} to .* Choose another with --port"),
        serve(SMALL_WORLD, port=served.port),
    ):
        pass


def test_a_port_beyond_the_last_is_an_error() -> None:
    """There are no five ports after 65535."""
    with pytest.raises(CuratorError, match="The ports 65534 to 65538"), serve(SMALL_WORLD, port=65534):
        pass


def test_as_a_proxy_urls_do_not_depend_on_the_port(world: World, web: requests.Session) -> None:
    """Two servers on different ports list the same URLs, and the proxy reaches them all."""
    with serve(world, port=0, as_proxy=True) as first, serve(world, port=0, as_proxy=True) as second:
        assert first.port != second.port
        assert first.origins == second.origins
        url = planted(world, "clean").address.url(first.origins)
        assert url.startswith("http://farm.example/")
        for served in (first, second):
            answer = web.get(url, proxies={"http": served.proxy}, timeout=60)
            assert answer.content.startswith(b"\xff\xd8")


def test_the_server_is_gone_after_its_block(web: requests.Session) -> None:
    """Nothing listens once the block has ended."""
    with serve(SMALL_WORLD, port=0) as served:
        url = TEXT.url(served.origins)
    with pytest.raises(requests.ConnectionError):
        web.get(url, timeout=60)
