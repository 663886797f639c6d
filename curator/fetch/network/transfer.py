"""One request through libcurl: a handle that is used again and again, and what it brought.

>>> transfer = Transfer(FetchSettings(allow_private_hosts=True, timeout_s=1.0))
>>> transfer.begin(0, "http://127.0.0.1:1/a.jpg", now=0.0)
>>> try:
...     transfer.handle.perform()
... except pycurl.error as error:
...     judge(transfer.answer(*error.args), honour_noai=True).reason.value
'refused'
"""

from __future__ import annotations

import os
import socket
import time
from typing import Any

import certifi

from curator.credentials import without_userinfo
from curator.fetch.libcurl import pycurl
from curator.fetch.network.guard import is_public_address
from curator.fetch.network.identity import MOST_REDIRECTS, user_agent
from curator.fetch.policy import Answer
from curator.fetch.policy import judge as judge
from curator.manifests.recipe import FetchSettings

MAX_CONNECT_S = 15.0
LOW_SPEED_BYTES = 250
"""A transfer slower than this many bytes a second over a third of its time is given up."""

_BUFFER_BYTES = 1 << 18
_HTTP_ONLY = pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS


class Transfer:
    """A libcurl handle and the state of the request that it is at.

    Attributes:
        handle: the libcurl easy handle.
        task: the number of the address that is asked.
        started: when, on the clock that never jumps; ``started_at`` on the one of the wall.
        leads_to: where the redirect leads at which the request was broken off; nothing where it was not.
    """

    def __init__(self, settings: FetchSettings, exempt: frozenset[str] = frozenset()) -> None:
        self._allow_private, self._exempt = settings.allow_private_hosts, exempt
        self._chunks: list[bytes] = []
        self._headers: list[bytes] = []
        self._refused_address: str | None = None
        self.task = -1
        self.leads_to = ""
        self.started = self.started_at = 0.0
        self.handle = pycurl.Curl()
        self._configure(settings)

    def begin(self, task: int, url: str, now: float) -> None:
        """Prepare the handle for a request to ``url``, an address made by :func:`curator.addresses.request_url`."""
        self.task, self.started, self.started_at = task, now, time.time()
        self._chunks.clear()
        self._headers.clear()
        self._refused_address = None
        self.handle.setopt(pycurl.URL, url)

    def answer(self, errno: int = 0, error: str = "") -> Answer:
        """Gather what the finished request brought; ``errno`` and ``error`` are libcurl's."""
        status = self.handle.getinfo(pycurl.RESPONSE_CODE)
        return Answer(errno, error, status, self._last_headers(), self._refused_address)

    def body(self) -> bytes:
        """Give the bytes that came."""
        return self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)

    @property
    def final_url(self) -> str:
        """Where redirects led; without who signs in."""
        return without_userinfo(_text(self.handle, pycurl.EFFECTIVE_URL))

    @property
    def ip(self) -> str:
        """The address of the machine that answered, or nothing where none did."""
        return _text(self.handle, pycurl.PRIMARY_IP)

    @property
    def n_bytes(self) -> int:
        """Bytes of the body that came, be it whole or not."""
        return sum(map(len, self._chunks))

    def _last_headers(self) -> list[bytes]:
        starts = [number for number, line in enumerate(self._headers) if line.startswith(b"HTTP/")]
        return self._headers[starts[-1] + 1 :] if starts else []

    def _configure(self, settings: FetchSettings) -> None:
        options: dict[int, Any] = {
            pycurl.WRITEFUNCTION: self._chunks.append,
            pycurl.HEADERFUNCTION: self._headers.append,
            pycurl.OPENSOCKETFUNCTION: self._open_socket,
            pycurl.PROTOCOLS: _HTTP_ONLY,
            pycurl.REDIR_PROTOCOLS: _HTTP_ONLY,
            pycurl.FOLLOWLOCATION: True,
            pycurl.MAXREDIRS: MOST_REDIRECTS,
            pycurl.MAXFILESIZE_LARGE: settings.max_bytes,
            pycurl.CONNECTTIMEOUT_MS: int(1000 * min(MAX_CONNECT_S, settings.timeout_s)),
            pycurl.TIMEOUT_MS: max(1, int(1000 * settings.timeout_s)),
            pycurl.LOW_SPEED_LIMIT: LOW_SPEED_BYTES,
            pycurl.LOW_SPEED_TIME: max(1, round(settings.timeout_s / 3)),
            pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_2TLS,
            pycurl.PIPEWAIT: True,
            pycurl.BUFFERSIZE: _BUFFER_BYTES,
            pycurl.DNS_CACHE_TIMEOUT: 600,
            pycurl.NOSIGNAL: True,
            pycurl.USERAGENT: user_agent(settings.contact),
            pycurl.HTTPHEADER: ["Accept: image/*,*/*;q=0.5"],
            pycurl.CAINFO: os.environ.get("SSL_CERT_FILE") or certifi.where(),
            # Empty means: no proxy, whatever the environment says.
            pycurl.PROXY: settings.proxy,
            pycurl.NOPROXY: "" if settings.proxy else "*",
        }
        for option, value in options.items():
            self.handle.setopt(option, value)

    def _open_socket(self, purpose: int, address: Any) -> socket.socket | int:
        """Called by libcurl for each connection, when the name is resolved: the one place that no request evades."""
        ip = str(address.addr[0])
        if not (self._allow_private or ip in self._exempt or is_public_address(ip)):
            self._refused_address = ip
            return int(pycurl.SOCKET_BAD)
        return socket.socket(address.family, address.socktype, address.protocol)


def _text(handle: pycurl.Curl, option: int) -> str:
    raw: bytes = handle.getinfo_raw(option) or b""
    return raw.decode("utf-8", "replace")
