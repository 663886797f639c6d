"""One request through libcurl: a handle that is used again and again, and what it brought.

>>> transfer = Transfer(FetchSettings(allow_private_hosts=True, timeout_s=1.0))
>>> transfer.begin(0, "http://127.0.0.1:1/a.jpg", now=0.0)
>>> try:
...     transfer.handle.perform()
... except pycurl.error as error:
...     transfer.result(*error.args)[0].reason.value
'refused'
>>> gate = SimpleNamespace(is_requesting=lambda task: False, may_follow=lambda task, url: False)
>>> transfer = WaryTransfer(FetchSettings(), frozenset(), gate)
>>> transfer.begin(0, "http://h.example/a.jpg", now=0.0)
>>> transfer.note_header(b"HTTP/1.1 302 Found"), transfer.note_header(b"Location: //other.example/b.jpg")
(None, -1)
>>> transfer.leads_to
'http://other.example/b.jpg'
"""

from __future__ import annotations

import errno
import os
import socket
import time
from dataclasses import replace
from types import SimpleNamespace as SimpleNamespace
from typing import Any

import certifi

from curator.fetch.network.content_coding import CodingError, codings_of, undo
from curator.fetch.network.guard import is_public_address, name_private_host
from curator.fetch.network.identity import MOST_REDIRECTS, user_agent
from curator.fetch.network.libcurl import pycurl
from curator.fetch.network.redirects import Redirects, RefusedRedirectError
from curator.fetch.policy import Answer, Verdict, judge
from curator.fetch.politeness.lease_gate import LeaseGate
from curator.fetch.politeness.robots import MAX_TEXT_BYTES
from curator.fetch.politeness.robots_gate import RobotsGate
from curator.manifests.settings import FetchSettings
from curator.reasons import Drop
from curator.text import without_userinfo

MAX_CONNECT_S = 15.0
LOW_SPEED_BYTES = 250
"""A transfer slower than this many bytes a second over a third of its time is given up."""

_HTTP_ONLY = pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS
_HEADERS = ("Accept: image/*,*/*;q=0.5", "Accept-Encoding: identity")
_STOP = -1


class Transfer:
    """A libcurl handle and the state of the request that it is at.

    Attributes:
        handle: the libcurl easy handle.
        task: the number of the address that is requested.
        n_bytes: bytes of the body that came, be it whole or not.
        within_s: the seconds that it may take, from start to end; 0: any number.
        started: when, on the clock that never jumps; ``started_at`` on the one of the wall.
        referer: the page that the request names; mostly nothing.
        leads_to: where the redirect leads at which the request was broken off; nothing if it was not.
        lacks_descriptors: whether the system had no open file left for it.
        goes_to: where the same request goes on once libcurl has given it back; nothing if it is over.
    """

    def __init__(self, settings: FetchSettings, exempt: frozenset[str] = frozenset(), *, follows: bool = True) -> None:
        self._settings, self._exempt, self._follows = settings, exempt, follows
        self._allow_private = settings.allow_private_hosts
        self._chunks: list[bytes] = []
        self._headers: list[bytes] = []
        self._is_too_much = False
        self._n_answers = 0
        self._refused_address: str | None = None
        self.task, self.n_bytes = -1, 0
        self.within_s = settings.timeout_s
        self.referer = self.leads_to = self.goes_to = ""
        self.started = self.started_at = 0.0
        self.lacks_descriptors = False
        self.handle = pycurl.Curl()
        self._configure(settings)

    def begin(self, task: int, url: str, now: float, referer: str = "") -> None:
        """Prepare the handle for a request to ``url``, an address made by :func:`curator.addresses.request_url`.

        A request that names a page of https goes wherever it is led but to http, which would hear of that page.
        """
        self.task, self.n_bytes, self.started, self.started_at = task, 0, now, time.time()
        self._chunks.clear()
        self._headers.clear()
        self._is_too_much = False
        self._refused_address, self.lacks_descriptors = None, False
        self.handle.setopt(pycurl.URL, url)
        self.handle.setopt(pycurl.TIMEOUT_MS, int(1000 * self.within_s))
        self.handle.setopt(pycurl.COOKIELIST, "ALL")  # forgets what hosts set on the way of the request before
        if referer != self.referer:
            self.referer = referer
            self.handle.setopt(pycurl.HTTPHEADER, [*_HEADERS, *([f"Referer: {referer}"] if referer else [])])
            is_secret = referer.startswith("https:")
            self.handle.setopt(pycurl.REDIR_PROTOCOLS, pycurl.PROTO_HTTPS if is_secret else _HTTP_ONLY)

    def go_on(self, now: float) -> None:
        """Prepare the handle for the address that it goes to next, in what is left of the time."""
        self.handle.setopt(pycurl.URL, self.goes_to)
        self.goes_to = ""
        if self.within_s:
            self.handle.setopt(pycurl.TIMEOUT_MS, max(1, int(1000 * (self.within_s - now + self.started))))

    def result(self, errno: int = 0, error: str = "") -> tuple[Verdict, list[bytes]]:
        """Judge the finished request, and return the pieces of the content that it brought; none if it failed."""
        answer = self.answer(errno, error)
        verdict = judge(answer, self._settings.honour_noai)
        if verdict.reason is not None:
            return verdict, []
        if not (codings := codings_of(answer.headers)):
            pieces, self._chunks = self._chunks, []
            return verdict, pieces
        try:
            return verdict, [self._undo(codings)]
        except CodingError as failure:
            return Verdict(failure.reason, str(failure)), []

    def _undo(self, codings: tuple[str, ...]) -> bytes:
        return undo(b"".join(self._chunks), codings, self._settings.max_bytes)

    def answer(self, errno: int = 0, error: str = "") -> Answer:
        """Gather what the finished request brought; ``errno`` and ``error`` are libcurl's."""
        status = self.handle.getinfo(pycurl.RESPONSE_CODE)
        errno = pycurl.E_FILESIZE_EXCEEDED if self._is_too_much else errno
        starts = [number for number, line in enumerate(self._headers, 1) if line[:5] == b"HTTP/"]
        self._n_answers = len(starts)
        return Answer(errno, error, status, self._headers[starts[-1] :] if starts else [], self._refused_address)

    @property
    def final_url(self) -> str:
        """Where redirects led; without who signs in."""
        return without_userinfo(_text(self.handle, pycurl.EFFECTIVE_URL))

    @property
    def left_https(self) -> bool:
        """Whether a redirect led to an address of http, at any step."""
        status = b""
        for line in self._headers if self._n_answers > 1 else ():
            status = line.split()[1][:1] if line.startswith(b"HTTP/") and b" " in line else status
            if status == b"3" and line.lower().replace(b" ", b"").startswith(b"location:http:"):
                return True
        return False

    @property
    def ip(self) -> str:
        """The address of the machine that answered, or nothing if none did."""
        return _text(self.handle, pycurl.PRIMARY_IP)

    def _configure(self, settings: FetchSettings) -> None:
        options: dict[int, Any] = {
            pycurl.WRITEFUNCTION: self._take,
            pycurl.HEADERFUNCTION: self._headers.append,
            pycurl.OPENSOCKETFUNCTION: self._open_socket,
            pycurl.PROTOCOLS: _HTTP_ONLY,
            pycurl.REDIR_PROTOCOLS: _HTTP_ONLY,
            pycurl.FOLLOWLOCATION: self._follows,
            pycurl.MAXREDIRS: MOST_REDIRECTS,
            pycurl.MAXFILESIZE_LARGE: settings.max_bytes,
            pycurl.CONNECTTIMEOUT_MS: int(1000 * min(MAX_CONNECT_S, settings.timeout_s)),
            pycurl.LOW_SPEED_LIMIT: LOW_SPEED_BYTES,
            pycurl.LOW_SPEED_TIME: max(1, round(settings.timeout_s / 3)),
            pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_2TLS,
            pycurl.PIPEWAIT: True,
            pycurl.BUFFERSIZE: 1 << 18,
            pycurl.DNS_CACHE_TIMEOUT: 600,
            pycurl.NOSIGNAL: True,
            pycurl.USERAGENT: user_agent(settings.contact),
            pycurl.HTTPHEADER: list(_HEADERS),
            pycurl.COOKIEFILE: "",  # no file: cookies live in memory, for one request and its redirects
            pycurl.CAINFO: os.environ.get("SSL_CERT_FILE") or certifi.where(),
            # Empty means: no proxy, whatever the environment says.
            pycurl.PROXY: settings.proxy,
            pycurl.NOPROXY: "" if settings.proxy else "*",
        }
        for option, value in options.items():
            self.handle.setopt(option, value)

    def _take(self, chunk: bytes) -> int | None:
        """Take a part of the body; what is more than ``max_bytes`` is counted here, whatever libcurl counts."""
        if 0 < self._settings.max_bytes < self.n_bytes + len(chunk):
            self._is_too_much = True
            return _STOP
        self.n_bytes += len(chunk)
        self._chunks.append(chunk)
        return None

    def _open_socket(self, purpose: int, address: Any) -> socket.socket | int:
        """Libcurl calls it for each connection, when the name is resolved: the one place that no request evades."""
        ip = str(address.addr[0])
        if not (self._allow_private or ip in self._exempt or is_public_address(ip)):
            self._refused_address = ip
            return int(pycurl.SOCKET_BAD)
        try:
            return socket.socket(address.family, address.socktype, address.protocol)
        except OSError as error:
            self.lacks_descriptors = error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
            return int(pycurl.SOCKET_BAD)


class WaryTransfer(Transfer):
    """A :class:`Transfer` that reads only the beginning of a robots.txt, and follows a redirect only if it may.

    A request for a robots.txt itself goes wherever it is led (RFC 9309, 2.3.1.2), but for what is plainly private: a
    proxy would fetch that for us. Libcurl follows a redirect itself only if there is one way to read where it leads;
    else the request goes on, by :meth:`go_on`, to the address as it was judged.
    """

    def __init__(
        self,
        settings: FetchSettings,
        exempt: frozenset[str],
        gate: RobotsGate | LeaseGate | None,
        follows: bool = True,
    ) -> None:
        super().__init__(settings, exempt, follows=follows)
        self._gate = gate
        self._status, self._is_text, self._is_cut = b"", False, False
        self._redirects = Redirects("")
        self._refusal: tuple[Drop, str] | None = None
        self.handle.setopt(pycurl.HEADERFUNCTION, self.note_header)

    def begin(self, task: int, url: str, now: float, referer: str = "") -> None:
        """Prepare the handle; ``max_bytes`` is no limit for a robots.txt, which has one of its own (RFC 9309, 2.5)."""
        super().begin(task, url, now, referer)
        self._redirects, self._refusal = Redirects(url), None
        self._status, self._is_cut, self.leads_to, self.goes_to = b"", False, "", ""
        self._is_text = self._gate is not None and self._gate.is_requesting(task)
        self.handle.setopt(pycurl.WRITEFUNCTION, self._take_text if self._is_text else self._take)
        self.handle.setopt(pycurl.MAXFILESIZE_LARGE, 0 if self._is_text else self._settings.max_bytes)
        self.handle.setopt(pycurl.FOLLOWLOCATION, self._follows or self._is_text)

    def answer(self, errno: int = 0, error: str = "") -> Answer:
        """Gather what the finished request brought; a text of which enough was read is whole."""
        if self._refused_address is not None:
            errno = pycurl.E_COULDNT_CONNECT
        answer = super().answer() if self._is_cut else super().answer(errno, error)
        return replace(answer, errno=errno or _STOP, refusal=self._refusal) if self._refusal else answer

    def note_header(self, line: bytes) -> int | None:
        """Take a line of a response's head; -1 breaks the request off."""
        self._headers.append(line)
        name, _, value = line.partition(b":")
        if line.startswith(b"HTTP/"):
            self._status = line.split()[1] if len(line.split()) > 1 else b""
            self._redirects.next_answer()
        elif not (self._follows or self._is_text):
            return None
        elif name.lower() == b"location" and self._status.startswith(b"3"):  # of all of these, as libcurl does
            return self._note_redirect(value.strip())
        return None

    def _keeps_https(self) -> bool:
        """Return whether a redirect to http is refused: it would hear of the page that the request names."""
        return self.referer.startswith("https:")

    def _note_redirect(self, location: bytes) -> int | None:
        try:
            target, is_plain = self._redirects.follow(location, self._keeps_https())
        except RefusedRedirectError as error:
            self._refusal = error.reason, str(error)
            return _STOP
        if not self._allow_private and (host := name_private_host(target)):
            self._refused_address = host
        elif self._gate and not self._is_text and not self._gate.may_follow(self.task, target):
            self.leads_to = target
        elif not is_plain:
            self.goes_to = target
        else:
            return None
        return _STOP

    def _undo(self, codings: tuple[str, ...]) -> bytes:
        if not self._is_text:
            return super()._undo(codings)
        pardoned = (Drop.TOO_MANY_BYTES, Drop.INCOMPLETE) if self._is_cut else (Drop.TOO_MANY_BYTES,)
        return undo(b"".join(self._chunks), codings, MAX_TEXT_BYTES, pardoned)

    def _take_text(self, chunk: bytes) -> int | None:
        self.n_bytes += len(chunk)
        self._chunks.append(chunk)
        self._is_cut = self.n_bytes >= MAX_TEXT_BYTES
        return _STOP if self._is_cut else None


def _text(handle: pycurl.Curl, option: int) -> str:
    raw: bytes = handle.getinfo_raw(option) or b""
    return raw.decode("utf-8", "replace")
