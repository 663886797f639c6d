"""Cookies live for one request and its redirects: a host that bounces gets its own back, and nobody any other's."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from curator.sources.base import ListingContext
from curator.sources.reading.read import read_place


@contextmanager
def web(answer):
    """Serve on all names of this machine: ``answer(host, path, cookie)`` gives status, headers and body."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            host = self.headers["Host"].partition(":")[0]
            cookie = self.headers.get("Cookie", "")
            seen.append((host, self.path, cookie))
            status, headers, body = answer(host, self.path, cookie)
            self.send_response(status)
            for name, value in [*headers, ("Content-Length", str(len(body)))]:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server.server_port, seen
        server.shutdown()


def test_a_bounce_off_a_cookie_ends_at_the_picture(lab, shelf, listed, reasons):
    """Many at once, over handles that are used again."""
    urls = [lab.url("cookie-bounce", f"/{n}.jpg") for n in range(12)]
    assert set(reasons(shelf.fetch(listed(urls)))) == {None}


def test_no_cookie_is_sent_back_by_another_request(lab, shelf, listed, reasons):
    """Neither of the same run nor of the next."""
    urls = [lab.url("cookie-taker", f"/{n}.jpg") for n in range(12)]
    settings = replace(shelf.settings, per_host=1, connections=1)
    assert set(reasons(shelf.fetch(listed(urls[:6]), settings=settings))) == {None}
    assert set(reasons(shelf.fetch(listed(urls)))) == {None}


def test_a_bounce_is_passed_with_robots_too(lab, shelf, listed, reasons):
    """Where the rules are asked for first, from a host that bounces those as well."""
    table = shelf.fetch(listed([lab.url("cookie-bounce", "/1.jpg")]), settings=replace(shelf.settings, robots=True))
    assert reasons(table) == [None]


@pytest.mark.parametrize(
    ("cookie", "came"),
    [
        ("a=1; Path=/", ["a=1", "", "", ""]),  # to the host itself alone
        ("a=1; Path=/; Domain=site.example", ["a=1", "a=1", "", ""]),  # to what is below its domain
        ("a=1; Path=/; Domain=other.test", ["", "", "", ""]),  # nobody sets another's
        ("a=1; Path=/; Domain=example", ["", "", "", ""]),  # nor a whole registry's
        ("a=1; Path=/; Domain=co.uk", ["", "", "", ""]),
        ("a=1; Path=/; Secure", ["", "", "", ""]),  # http may not set it
        ("a=1; Path=/deep", ["", "", "", ""]),
        ("a=1; Path=/; Max-Age=0", ["", "", "", ""]),
        ("a=" + "1" * 9000 + "; Path=/", ["", "", "", ""]),
    ],
)
def test_a_cookie_goes_only_where_its_domain_says(shelf, listed, resolve, lab_photo, cookie, came):
    """Along redirects over four hosts, back at the first of them, and to its neighbours."""
    way = ["www.site.example", "img.site.example", "other.test", "shop.co.uk"]

    def answer(host, path, sent):
        number = int(path[1:])
        if number == len(way):
            return 200, [], lab_photo
        headers = [("Location", f"http://{way[number]}:{port}/{number + 1}")]
        if number == 0:
            headers.append(("Set-Cookie", cookie))
        return 302, headers, b""

    with web(answer) as (port, seen):
        resolve(*(f"{host}:{port}:127.0.0.1" for host in way))
        table = shelf.fetch(listed([f"http://www.site.example:{port}/0"]))
    assert table["drop_reason"].isna().all()
    assert [sent for _, _, sent in seen[1:]] == came


def test_a_flood_of_cookies_is_bounded(shelf, listed, resolve, lab_photo):
    """However many a host sets, the next request stays a request, and the picture is had."""

    def answer(host, path, sent):
        if path == "/a":
            return 302, [("Location", "/b"), *(("Set-Cookie", f"n{n}={'x' * 2000}; Path=/") for n in range(60))], b""
        return (200, [], lab_photo) if len(sent) < 9000 else (431, [], b"")

    with web(answer) as (port, _):
        table = shelf.fetch(listed([f"http://127.0.0.1:{port}/a"]))
    assert table["drop_reason"].isna().all()


def test_a_list_behind_a_bounce_is_read(tmp_path, shelf):
    """Lists come the same way as images, and leave no cookie either."""

    def answer(host, path, sent):
        if "ok=1" not in sent:
            return 302, [("Location", path), ("Set-Cookie", "ok=1; Path=/")], b""
        return 200, [], b"http://h.example/1.jpg\n"

    context = ListingContext(labels=("a",), cache_dir=tmp_path, fetch=shelf.settings)
    with web(answer) as (port, seen):
        for _ in range(2):
            content = read_place(f"http://127.0.0.1:{port}/l.txt", lambda stream: stream.read(), context)
            assert content == b"http://h.example/1.jpg\n"
    assert [sent for _, _, sent in seen] == ["", "ok=1", "", "ok=1"]
