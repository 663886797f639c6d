"""A request that checks each redirect first: robots.txt there must allow it, and no proxy is sent inside.

>>> gate = SimpleNamespace(is_requesting=lambda task: False, may_follow=lambda url: False)
>>> transfer = WaryTransfer(FetchSettings(), frozenset(), gate)
>>> transfer.begin(0, "http://h.example/a.jpg", now=0.0)
>>> transfer.note_header(b"HTTP/1.1 302 Found"), transfer.note_header(b"Location: //other.example/b.jpg")
(None, -1)
>>> transfer.leads_to
'http://other.example/b.jpg'
"""

from __future__ import annotations

from types import SimpleNamespace as SimpleNamespace
from urllib.parse import urljoin, urlsplit

from curator.fetch.network.guard import name_private_host
from curator.fetch.network.libcurl import pycurl
from curator.fetch.network.transfer import Transfer
from curator.fetch.policy import Answer
from curator.fetch.politeness.robots import MAX_TEXT_BYTES
from curator.fetch.politeness.robots_gate import RobotsGate
from curator.manifests.recipe import FetchSettings

_REDIRECTS = (b"301", b"302", b"303", b"307", b"308")
_STOP = -1


class WaryTransfer(Transfer):
    """A :class:`Transfer` that reads only the beginning of a robots.txt, and follows a redirect only if it may.

    A request for a robots.txt itself goes wherever it is led (RFC 9309, 2.3.1.2), but for what is plainly private: a
    proxy would fetch that for us.
    """

    def __init__(self, settings: FetchSettings, exempt: frozenset[str], gate: RobotsGate | None) -> None:
        super().__init__(settings, exempt)
        self._max_bytes, self._gate = settings.max_bytes, gate
        self._goes_inside = settings.allow_private_hosts
        self._url, self._status, self._is_text, self._is_cut = "", b"", False, False
        self.leads_to = ""
        self.handle.setopt(pycurl.HEADERFUNCTION, self.note_header)

    def begin(self, task: int, url: str, now: float) -> None:
        """Prepare the handle; ``max_bytes`` is no limit for a robots.txt, which has one of its own (RFC 9309, 2.5)."""
        super().begin(task, url, now)
        self._url, self._status, self._is_cut, self.leads_to = url, b"", False, ""
        self._is_text = self._gate is not None and self._gate.is_requesting(task)
        self.handle.setopt(pycurl.WRITEFUNCTION, self._take_text if self._is_text else self._chunks.append)
        self.handle.setopt(pycurl.MAXFILESIZE_LARGE, 0 if self._is_text else self._max_bytes)

    def answer(self, errno: int = 0, error: str = "") -> Answer:
        """Gather what the finished request brought; a text of which enough was read is whole."""
        if self._refused_address is not None:
            errno = pycurl.E_COULDNT_CONNECT
        return super().answer() if self._is_cut else super().answer(errno, error)

    def note_header(self, line: bytes) -> int | None:
        """Take a line of a response's head; -1 breaks the request off."""
        self._headers.append(line)
        name, _, value = line.partition(b":")
        if line.startswith(b"HTTP/"):
            self._status = line.split()[1] if len(line.split()) > 1 else b""
        elif name.lower() == b"location" and self._status in _REDIRECTS:
            return self._note_redirect(value.strip().decode("latin-1"))
        return None

    def _note_redirect(self, location: str) -> int | None:
        try:
            target = urljoin(self._url, location)
            is_web = urlsplit(target).scheme in ("http", "https") and bool(urlsplit(target).hostname)
        except ValueError:
            return None  # libcurl says what is wrong with it
        if is_web and not self._goes_inside and (host := name_private_host(target)):
            self._refused_address = host
            return _STOP
        if is_web and self._gate and not self._is_text and not self._gate.may_follow(target):
            self.leads_to = target
            return _STOP
        self._url = target
        return None

    def _take_text(self, chunk: bytes) -> int | None:
        self._chunks.append(chunk)
        self._is_cut = self.n_bytes >= MAX_TEXT_BYTES
        return _STOP if self._is_cut else None


def make_transfer(settings: FetchSettings, exempt: frozenset[str], gate: RobotsGate | None) -> Transfer:
    """Make a transfer for a run: one that checks redirects if there is a gate or a proxy."""
    return WaryTransfer(settings, exempt, gate) if gate or exempt else Transfer(settings, exempt)
