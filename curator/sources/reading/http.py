"""One request for a list or a table, by the same transfers as images: its body is read as it comes, in constant memory.

>>> ask_size("http://127.0.0.1:9/list.txt", FetchSettings()) is None  # a private address: no request is made
True
>>> Version('"v1"', "", 10).differs_from(Version('"v2"', "", 10))
True
"""

from __future__ import annotations

import re
import selectors
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import NamedTuple
from urllib.parse import urlsplit

from curator.addresses import request_url
from curator.errors import CuratorError, SourceError
from curator.fetch.network.content_coding import codings_of
from curator.fetch.network.curl_loop import CurlLoop, noticed_interrupts
from curator.fetch.network.guard import name_private_host, proxy_addresses
from curator.fetch.network.libcurl import pycurl
from curator.fetch.network.transfer import WaryTransfer
from curator.fetch.policy import Answer, header_values, judge
from curator.manifests.settings import FetchSettings
from curator.reasons import Drop
from curator.sources.reading.sending import Sent

CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-[0-9]{1,18}/([0-9]{1,18}|\*)")
"""The header of a partial answer: its first byte, and the size of the whole file (RFC 9110, 14.4)."""


LEAST_BYTES_A_SECOND = 100
"""An answer that is slower than this for ``timeout_s`` is broken off: no list comes a byte a second."""


def origin_of(url: str) -> str:
    """Return scheme, host and port of an address (RFC 6454), in lower case, without who signs in.

    >>> origin_of("HTTPS://ann:secret@Hub.example:8443/a?b"), origin_of("https://hub.example/x")
    ('https://hub.example:8443', 'https://hub.example')
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}".lower()


class Version(NamedTuple):
    """What distinguishes one version of a file from another; empty or None if the server does not say."""

    etag: str
    last_modified: str
    total_bytes: int | None

    @property
    def validator(self) -> str:
        """What ``If-Range`` may carry: a strong entity tag, else the date (RFC 9110, 13.1.5)."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.last_modified

    def differs_from(self, other: Version) -> bool:
        """Return whether anything that both state is different."""
        return any(mine != theirs for mine, theirs in zip(self, other, strict=True) if mine and theirs)


class BrokenOffError(Exception):
    """No answer came, or no whole one."""

    def __init__(self, reason: Drop | None, detail: str | None) -> None:
        super().__init__(detail)
        self.reason = reason


class _ListTransfer(WaryTransfer):
    """A request for a file of any size, which may take any time while it gets on."""

    def __init__(self, settings: FetchSettings, headers: Sequence[str], follows: bool) -> None:
        super().__init__(replace(settings, max_bytes=0), proxy_addresses(settings.proxy), None, follows)
        self.handle.setopt(pycurl.LOW_SPEED_LIMIT, LEAST_BYTES_A_SECOND)
        self.handle.setopt(pycurl.LOW_SPEED_TIME, max(1, round(settings.timeout_s)))
        # HTTP/2 would bring what its window holds, 10 MB, whether it is read or not.
        self.handle.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
        has_coding = any(line.startswith("Accept-Encoding:") for line in headers)
        plain = [] if has_coding else ["Accept-Encoding: identity"]
        self._lines = ["Accept: */*", *plain, *headers]

    def begin(self, task: int, url: str, now: float, referer: str = "") -> None:
        """Prepare the handle."""
        super().begin(task, url, now, referer)
        self.handle.setopt(pycurl.HTTPHEADER, self._lines)
        self._is_safe, self._origin = url.startswith("https:"), origin_of(url)

    def go_on(self, now: float) -> None:
        """Prepare the handle for the next address; another origin than the first one is not told who asks."""
        if origin_of(self.goes_to) != self._origin:
            self.handle.setopt(pycurl.HTTPHEADER, [one for one in self._lines if not one.startswith("Authorization:")])
        super().go_on(now)

    def _keeps_https(self) -> bool:
        """Return whether a redirect to http is refused: a list that was signed for could be changed on the way."""
        return self._is_safe

    def take(self) -> list[bytes]:
        """Return the bytes that came since the last time, in pieces, the last one first."""
        pieces = self._chunks[::-1]
        self._chunks.clear()
        return pieces


class StreamedAnswer:
    """The answer to a request: ``status`` and ``headers`` are those of the last redirect, the body is still to be read.

    The body comes as it was sent: ``codings`` are those of its ``Content-Encoding``, which ``Range`` counts too.

    Args:
        url: the address, an http or https one.
        settings: who requests it, through which proxy, how long to wait for a byte, whether private hosts are allowed.
        headers: further lines of the request.
        method: ``GET``, or ``HEAD``, which brings no body.
        within_s: seconds for the whole answer; 0: no limit.
        loop: one whose connections are used again, and which has no other transfer; none: one of its own.
        follows: whether redirects are followed.
        sent: what the request brings to the server, by the method that it states.

    Raises:
        SourceError: no request can be made for the address, or it leads to one that is not public.
        BrokenOffError: no answer came.
    """

    def __init__(
        self,
        url: str,
        settings: FetchSettings,
        headers: Sequence[str] = (),
        method: str = "GET",
        within_s: float = 0.0,
        loop: CurlLoop | None = None,
        follows: bool = True,
        sent: Sent | None = None,
    ) -> None:
        try:
            self._transfer = _ListTransfer(settings, [*headers, *(sent.headers if sent else ())], follows)
        except CuratorError as error:  # the proxy has no address
            raise SourceError(error.message, error.hint) from error
        self._transfer.handle.setopt(pycurl.NOBODY, method == "HEAD")
        if sent is not None:
            sent.prepare(self._transfer.handle)
        self._transfer.within_s = within_s
        self._left: list[bytes] = []
        self._has_ended = False
        self._broke_off: BrokenOffError | None = None
        try:
            wanted = request_url(url)
        except ValueError as error:
            raise SourceError(f"{url} could not be read ({error}).") from error
        if not settings.allow_private_hosts and (host := name_private_host(wanted)):
            raise _refuse(f"{host} is a host")
        answer = self._begin(wanted, loop)
        self.verdict = judge(answer, honour_noai=False)
        ranged = CONTENT_RANGE.fullmatch(self.header("content-range"))
        total = ranged[2] if ranged else self.header("content-length") if self.status == 200 else ""
        size = (
            int(total) if re.fullmatch(r"[0-9]{1,18}", total) else None
        )  # of the whole file, also if only a part was sent
        self.codings = codings_of(self.headers)
        self.version = Version(self.header("etag"), self.header("last-modified"), size)
        is_chunked = "chunked" in self.header("transfer-encoding").lower()
        self.says_its_end = is_chunked or bool(self.header("content-length"))
        """Whether a body that was cut short is known to be; else the end of the connection is all that ends it."""

    def _begin(self, url: str, loop: CurlLoop | None) -> Answer:
        """Make the request, and wait for the first bytes of its answer."""
        with ExitStack() as opened:
            self._loop = loop or opened.enter_context(CurlLoop(opened.enter_context(selectors.DefaultSelector())))
            opened.callback(self._loop.abort)
            self._loop.start(self._transfer, 0, url)
            self._advance()
            answer: Answer = self._transfer.answer()
            self.status, self.headers = answer.http_status, answer.headers
            if self._broke_off and not 200 <= self.status < 300:
                raise self._broke_off
            self._opened = opened.pop_all()
        return answer

    def read(self, n_bytes: int) -> bytes:
        """Return up to ``n_bytes`` bytes of the body, at least one; none at its end.

        Raises:
            BrokenOffError: the connection broke, or nothing came for too long.
        """
        if not self._left:
            self._advance()
        if self._broke_off and not self._left:
            raise self._broke_off
        piece = self._left.pop() if self._left else b""
        if len(piece) > n_bytes:
            self._left.append(piece[n_bytes:])
        return piece[:n_bytes]

    def header(self, name: str) -> str:
        """Return the value of a header (its name in lower case), or nothing."""
        return next(iter(header_values(self.headers, name.encode("ascii"))), "")

    def close(self) -> None:
        """Close the connection."""
        self._opened.close()

    def _advance(self) -> None:
        """Wait for the next bytes of the body, or for its end: what came before a connection broke counts."""
        with noticed_interrupts() as interrupted:
            while not (self._left or self._has_ended):
                self._loop.wait(0.2)  # and then look for Ctrl-C
                self._left = self._transfer.take()
                for _, errno, error in self._loop.finished():
                    self._has_ended, verdict = True, judge(self._transfer.answer(errno, error), honour_noai=False)
                    if verdict.reason == Drop.PRIVATE_ADDRESS:
                        host = urlsplit(self._transfer.final_url).hostname or ""
                        raise _refuse(f"{host} leads to {verdict.detail}, an address")
                    self._broke_off = BrokenOffError(verdict.reason, verdict.detail) if errno else None
                if interrupted():
                    raise KeyboardInterrupt


def _refuse(what: str) -> SourceError:
    return SourceError(f"{what} that is not public.", "Set allow_private_hosts = true in [fetch] if you mean it.")


def ask_size(url: str, settings: FetchSettings, further: Sequence[str] = ()) -> int | None:
    """Request how many bytes reading ``url`` would transfer; None if the server does not say. Never raises."""
    for method, headers in (("HEAD", ()), ("GET", ("Range: bytes=0-0",))):
        try:
            answer = StreamedAnswer(url, settings, [*headers, *further], method, within_s=10.0)
        except (BrokenOffError, CuratorError):
            return None
        answer.close()
        if answer.version.total_bytes is not None or answer.status in (404, 410):
            return answer.version.total_bytes
    return None
