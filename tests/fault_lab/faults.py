"""The ways in which the fault lab misbehaves: each takes a request and answers it, or does worse.

A function that returns ``"close"`` has the connection closed after it.
"""

from __future__ import annotations

import gzip
import random
import socket
import struct
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

import pyarrow as pa
from pictures import PICTURES, photo, unavailable

NEVER = threading.Event()
BOMB = gzip.compress(bytes(20_000_000), 1)


@dataclass
class Request:
    """One request: where it came from, what it asked for, and how often that was asked for before."""

    connection: socket.socket
    target: str
    headers: dict[str, str]
    bases: dict[str, str]
    n_before: int = 0

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def head(self, status: str, *headers: str) -> None:
        self.send("\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode("latin-1"))

    def answer(self, body: bytes, *headers: str, status: str = "200 OK") -> None:
        head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""])
        self.send(head.encode("latin-1") + body)

    def reset(self) -> str:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return "close"

    def photo(self) -> bytes:
        """Give a picture that no other URL gives."""
        return photo(self.target)

    def redirect(self, where: str, status: str = "302 Found") -> None:
        self.answer(b"", f"Location: {where}", status=status)


Fault = Callable[[Request], object]


def fine(request: Request) -> None:
    request.answer(request.photo(), "Content-Type: image/jpeg")


def picture(request: Request) -> None:
    """Serve one of the odd files by its name."""
    request.answer(PICTURES[request.target.lstrip("/")](), "Content-Type: image/jpeg")


def same(request: Request) -> None:
    """Serve the same picture under every URL, as a host does whose photos are gone."""
    request.answer(photo("gone"), "Content-Type: image/jpeg")


def stamped(request: Request) -> None:
    """Serve the same drawing under every URL, in bytes of its own."""
    request.answer(unavailable(request.target), "Content-Type: image/png")


def slow(request: Request) -> None:
    time.sleep(0.4)
    fine(request)


def reset_before(request: Request) -> str:
    return request.reset()


def reset_amid(request: Request) -> str:
    body = request.photo()
    request.head("200 OK", f"Content-Length: {len(body)}")
    request.send(body[: len(body) // 2])
    time.sleep(0.05)
    return request.reset()


def hang_up(request: Request) -> str:
    return "close"


def silent(request: Request) -> None:
    NEVER.wait()


def drip(request: Request) -> None:
    request.head("200 OK", "Content-Length: 1000")
    for byte in request.photo():
        request.send(bytes([byte]))
        time.sleep(0.5)


def endless(request: Request) -> None:
    request.head("200 OK")
    while True:
        request.send(request.photo()[:2] + bytes(65536))


def announced_too_large(request: Request) -> None:
    request.head("200 OK", "Content-Length: 1000000000000")
    NEVER.wait()


def length_too_large(request: Request) -> str:
    body = request.photo()
    request.head("200 OK", f"Content-Length: {len(body) + 100}")
    request.send(body)
    return "close"


def length_too_small(request: Request) -> str:
    body = request.photo()
    request.head("200 OK", f"Content-Length: {len(body) // 2}")
    request.send(body)
    return "close"


def length_negative(request: Request) -> str:
    request.head("200 OK", "Content-Length: -5")
    request.send(request.photo())
    return "close"


def chunked(request: Request) -> None:
    body = request.photo()
    request.head("200 OK", "Transfer-Encoding: chunked")
    request.send(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))


def chunked_garbage(request: Request) -> str:
    request.head("200 OK", "Transfer-Encoding: chunked")
    request.send(b"zz\r\nthis is no chunk\r\n")
    return "close"


def chunked_cut(request: Request) -> str:
    request.head("200 OK", "Transfer-Encoding: chunked")
    request.send(b"1000\r\nnot so many")
    return "close"


def gzip_bomb(request: Request) -> None:
    request.answer(BOMB, "Content-Type: image/png", "Content-Encoding: gzip")


def raw_deflate(data: bytes) -> bytes:
    """Deflate without the head of zlib, as some servers send it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


CODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "raw-deflate": raw_deflate,
    "br": lambda data: pa.Codec("brotli").compress(data, asbytes=True),
    "zstd": lambda data: pa.Codec("zstd").compress(data, asbytes=True),
}
WAYS: dict[str, Callable[[bytes], bytes]] = {
    "whole": lambda packed: packed,
    "cut": lambda packed: packed[: len(packed) * 2 // 3],
    "headless": lambda packed: b"\x9d\x9e\x9f\0" + packed[4:],
    "damaged": lambda packed: packed[:60] + bytes(255 - byte for byte in packed[60:90]) + packed[90:],
}


def encode_body(names: str, body: bytes) -> bytes:
    """Apply the codings that a comma-separated list names, in its order; a name that is none does nothing."""
    for name in names.lower().replace("x-gzip", "gzip").split(","):
        body = CODERS.get(name.strip(), bytes)(body)
    return body


def encoded(request: Request) -> None:
    """Serve ``/CODINGS/WAY/name``: a picture with these codings, spoilt in this way; ``plain`` only says so."""
    names, way = unquote(request.target).split("/")[1:3]
    body = {"bomb": bytes(26_000_000), "page": b"<html><body>no</body></html>"}.get(way, request.photo())
    packed = body if way == "plain" else WAYS.get(way, bytes)(encode_body(names, body))
    headers = [f"Content-Encoding: {name}" for name in names.replace("raw-", "").split(";")]
    request.answer(packed, "Content-Type: image/jpeg", *headers)


def says_encoding(request: Request) -> None:
    """Serve a picture only to who wants no encoding."""
    wants_none = request.headers.get("accept-encoding") == "identity"
    request.answer(request.photo() if wants_none else b"no", status="200 OK" if wants_none else "406 No")


def cookie_bounce(request: Request) -> None:
    """Redirect to itself with a cookie, again and again until it comes back."""
    if "bounced=yes" in request.headers.get("cookie", ""):
        fine(request)
    else:
        request.answer(b"", f"Location: {request.target}", "Set-Cookie: bounced=yes; Path=/", status="302 Found")


def cookie_taker(request: Request) -> None:
    """Set a cookie, and refuse whoever comes with one from before."""
    if "cookie" in request.headers:
        request.answer(b"no", status="409 I know you")
    else:
        request.answer(request.photo(), "Set-Cookie: known=yes; Path=/; Max-Age=9999")


def wants_page(request: Request) -> None:
    """Answer 403 to whoever does not come from a page: of any, or of the one that the query names."""
    page = unquote(request.target.partition("?")[2])
    referer = request.headers.get("referer", "")
    if referer and (not page or referer == page):
        fine(request)
    else:
        request.answer(b"no", status="403 Forbidden")


def wants_no_page(request: Request) -> None:
    """Refuse whoever names a page, be it an empty one."""
    if "referer" in request.headers:
        request.answer(b"no", status="409 Not from there")
    else:
        fine(request)


def robots_gzip(request: Request) -> None:
    """Encode robots.txt: what it disallows is private."""
    if request.target == "/robots.txt":
        text = b"User-agent: *\nDisallow: /private\n" + b"# and so on\n" * 100_000
        request.answer(gzip.compress(text), "Content-Encoding: gzip")
    else:
        fine(request)


def not_http(request: Request) -> str:
    request.send(b"220 ready, but not for this\r\n")
    return "close"


def status_line(request: Request) -> str:
    """Begin with the line that the query holds."""
    request.send(unquote(request.target.partition("?")[2]).encode() + b"\r\nContent-Length: 0\r\n\r\n")
    return "close"


def large_headers(request: Request) -> None:
    request.head("200 OK", *(f"X-Filler-{n}: {'x' * 1000}" for n in range(1000)), "Content-Length: 0")


def large_header(request: Request) -> None:
    request.head("200 OK", f"X-Filler: {'x' * 1_000_000}", "Content-Length: 0")


def redirect_loop(request: Request) -> None:
    request.redirect(f"{request.target}x")


def redirect(request: Request) -> None:
    """Redirect with the status that the URL names, to a fine picture."""
    status = request.target.split("/")[1]
    request.redirect(f"{request.bases['fine']}/after-{status}.jpg", f"{status} Moved")


def redirect_elsewhere(request: Request) -> None:
    """Redirect to the address that the query holds."""
    request.redirect(unquote(request.target.partition("?")[2]))


def html(request: Request) -> None:
    request.answer(b"<!DOCTYPE html><html><body>Not here any more</body></html>", "Content-Type: text/html")


def html_as_jpeg(request: Request) -> None:
    request.answer(b"<!DOCTYPE html><html><body>Not here any more</body></html>", "Content-Type: image/jpeg")


def jpeg_as_html(request: Request) -> None:
    request.answer(request.photo(), "Content-Type: text/html")


def json_200(request: Request) -> None:
    request.answer(b'{"error": "no such photo"}', "Content-Type: application/json")


def empty(request: Request) -> None:
    request.answer(b"", "Content-Type: image/jpeg")


def no_content(request: Request) -> None:
    request.head("204 No Content")


def status(request: Request) -> None:
    """Answer with the status that the URL names; 404 where it names none."""
    named = request.target.split("/")[1]
    request.answer(b"no", status=f"{named if named.isdecimal() else 404} Told so")


def status_once(request: Request) -> None:
    """Answer with the status that the URL names the first time, and well from then on."""
    if request.n_before:
        fine(request)
    else:
        status(request)


def retry_after_seconds(request: Request) -> None:
    if request.n_before:
        fine(request)
    else:
        request.answer(b"slow down", "Retry-After: 1", status="429 Too Many Requests")


def retry_after_date(request: Request) -> None:
    if request.n_before:
        fine(request)
    else:
        headers = ("Date: Thu, 01 Jan 2026 00:00:00 GMT", "Retry-After: Thu, 01 Jan 2026 00:00:01 GMT")
        request.answer(b"slow down", *headers, status="429 Too Many Requests")


def retry_after_hours(request: Request) -> None:
    request.answer(b"come back tomorrow", "Retry-After: 86400", status="429 Too Many Requests")


def opted_out(request: Request) -> None:
    request.answer(request.photo(), "X-Robots-Tag: noindex, NoAI")


def opted_out_for_another(request: Request) -> None:
    request.answer(request.photo(), "X-Robots-Tag: otherbot: noai", "X-Robots-Tag: noindex")


def robots_some(request: Request) -> None:
    """Disallow what is private."""
    if request.target == "/robots.txt":
        request.answer(b"User-agent: *\nDisallow: /private\n", "Content-Type: text/plain")
    else:
        fine(request)


def robots_down(request: Request) -> None:
    """Be well but for robots.txt."""
    if request.target == "/robots.txt":
        request.answer(b"not now", status="503 Service Unavailable")
    else:
        fine(request)


def robots_silent(request: Request) -> None:
    """Never answer for robots.txt."""
    if request.target == "/robots.txt":
        NEVER.wait()
    fine(request)


def robots_long(request: Request) -> None:
    """Announce a robots.txt of a gigabyte, send 600 KB of it and no more: the rules stand at the beginning."""
    if request.target == "/robots.txt":
        request.head("200 OK", "Content-Length: 1000000000")
        request.send(b"User-agent: *\nDisallow: /private\n" + b"# and so on\n" * 50_000)
        NEVER.wait()
    fine(request)


def robots_long_error(request: Request) -> None:
    """Answer 503 with a page that is longer than what is read of a robots.txt."""
    if request.target == "/robots.txt":
        request.answer(b"User-agent: *\nAllow: /\n" * 30_000, status="503 Service Unavailable")
    else:
        fine(request)


def robots_moved(request: Request) -> None:
    """Have robots.txt on another host."""
    if request.target == "/robots.txt":
        request.redirect(f"{request.bases['robots-some']}/robots.txt", "301 Moved Permanently")
    else:
        fine(request)


def signpost(request: Request) -> None:
    """Allow all, and redirect to the address that the query holds."""
    if request.target == "/robots.txt":
        request.answer(b"", status="404 Not Found")
    else:
        redirect_elsewhere(request)


def wander(request: Request) -> None:
    """Redirect to another host each time that the same is asked for."""
    if request.target == "/robots.txt":
        request.answer(b"", status="404 Not Found")
    else:
        names = ("status", "html", "json", "noise", "same", "stamped", "empty", "no-content", "echo-path", "opted-out")
        hosts = [request.bases[name] for name in names]
        request.redirect(f"{hosts[request.n_before % len(hosts)]}{request.target}")


def echo_path(request: Request) -> None:
    """Serve a picture where the path arrives as a browser would send it, else 404."""
    wanted = {
        "/a%20b.jpg",
        "/a%20c.jpg",
        "/100%25.jpg",
        "/f%C3%BCnf.jpg",
        "/%E2%9A%BD.jpg?q=%C3%BC",
        "/%5Bx%5D.jpg",
    }
    if request.target in wanted:
        fine(request)
    else:
        request.answer(b"", status="404 Not Found")


def with_cookies_and_noise(request: Request) -> None:
    request.answer(request.photo(), "Set-Cookie: a=b", "X-\xe9: \xff", "Server:")


def lottery(request: Request) -> None:
    """Fail the first time in one of several ways, chosen by the URL: for runs that are killed."""
    if request.n_before or random.Random(request.target).random() < 0.7:
        fine(request)
    else:
        request.answer(b"not now", status="500 Try Again")


FAULTS: dict[str, Fault] = {
    "fine": fine,
    "picture": picture,
    "same": same,
    "stamped": stamped,
    "slow": slow,
    "reset-before": reset_before,
    "reset-amid": reset_amid,
    "hang-up": hang_up,
    "silent": silent,
    "drip": drip,
    "endless": endless,
    "announced-too-large": announced_too_large,
    "length-too-large": length_too_large,
    "length-too-small": length_too_small,
    "length-negative": length_negative,
    "chunked": chunked,
    "chunked-garbage": chunked_garbage,
    "chunked-cut": chunked_cut,
    "gzip-bomb": gzip_bomb,
    "encoded": encoded,
    "says-encoding": says_encoding,
    "cookie-bounce": cookie_bounce,
    "cookie-taker": cookie_taker,
    "wants-page": wants_page,
    "wants-no-page": wants_no_page,
    "robots-gzip": robots_gzip,
    "not-http": not_http,
    "status-line": status_line,
    "large-headers": large_headers,
    "large-header": large_header,
    "redirect-loop": redirect_loop,
    "redirect": redirect,
    "redirect-elsewhere": redirect_elsewhere,
    "html": html,
    "html-as-jpeg": html_as_jpeg,
    "jpeg-as-html": jpeg_as_html,
    "json": json_200,
    "empty": empty,
    "no-content": no_content,
    "status": status,
    "status-once": status_once,
    "throttled": status,
    "retry-after-seconds": retry_after_seconds,
    "retry-after-date": retry_after_date,
    "retry-after-hours": retry_after_hours,
    "opted-out": opted_out,
    "opted-out-for-another": opted_out_for_another,
    "robots-some": robots_some,
    "robots-down": robots_down,
    "robots-silent": robots_silent,
    "robots-long": robots_long,
    "robots-long-error": robots_long_error,
    "robots-moved": robots_moved,
    "signpost": signpost,
    "wander": wander,
    "echo-path": echo_path,
    "noise": with_cookies_and_noise,
    "lottery": lottery,
}
