"""An HTTP session that reaches public addresses only, and says who asks.

A name is resolved once, its addresses are judged, and one of those is connected to: neither a redirect nor a name that
resolves anew leads to a loopback, private or link-local address (server-side request forgery).

>>> session = open_session(FetchSettings(contact="me@example.org"))
>>> session.headers["User-Agent"].endswith("(+me@example.org)"), session.trust_env
(True, False)
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, ClassVar
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from curator import __version__
from curator.errors import SourceError
from curator.fetch.network.guard import is_private_name, is_public_address
from curator.manifests.recipe import FetchSettings

MAX_REDIRECTS = 10


def user_agent(contact: str) -> str:
    """Name this program and, where given, whom to write to.

    >>> user_agent("").startswith("imageset-curator/")
    True
    """
    return f"imageset-curator/{__version__}" + (f" (+{contact})" if contact else "")


def open_session(settings: FetchSettings) -> requests.Session:
    """Open a session for lists and metadata: no proxy or credentials from the environment, private hosts refused."""
    session = requests.Session()
    session.trust_env = False
    session.max_redirects = MAX_REDIRECTS
    session.headers.update({"User-Agent": user_agent(settings.contact), "Accept-Encoding": "identity"})
    if settings.proxy:
        session.proxies = {"http": settings.proxy, "https": settings.proxy}
    if not settings.allow_private_hosts:
        session.mount("http://", _PublicAdapter())
        session.mount("https://", _PublicAdapter())
    return session


def _refuse(host: str, address: str) -> SourceError:
    hint = "Set allow_private_hosts = true in [fetch] if you mean it."
    return SourceError(f"{host} leads to {address}, an address that is not public.", hint)


def _connect(connection: HTTPConnection, connect: Callable[[], socket.socket]) -> socket.socket:
    """Connect to an address that was judged, not to a name that may lead elsewhere when it is resolved again."""
    name = connection._dns_host
    try:
        found = socket.getaddrinfo(name, connection.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return connect()  # fails as connections to unknown names do
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        if not is_public_address(address.partition("%")[0]):
            raise _refuse(name, address)
    for address in addresses:
        connection._dns_host = address
        try:
            return connect()
        except (NewConnectionError, ConnectTimeoutError):
            if address == addresses[-1]:
                raise
        finally:
            connection._dns_host = name
    raise AssertionError("unreachable")


class _PublicHTTPConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self, super()._new_conn)


class _PublicHTTPSConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self, super()._new_conn)


class _PublicHTTPPool(HTTPConnectionPool):
    ConnectionCls = _PublicHTTPConnection


class _PublicHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _PublicHTTPSConnection


class _PublicAdapter(HTTPAdapter):
    """Checks every connection that is made directly; behind a proxy, which resolves names, the host as written."""

    POOLS: ClassVar[dict[str, Any]] = {"http": _PublicHTTPPool, "https": _PublicHTTPSPool}

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool: Any) -> None:
        self.poolmanager = PoolManager(num_pools=connections, maxsize=maxsize, block=block, **pool)
        self.poolmanager.pool_classes_by_scheme = self.POOLS

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        host = urlsplit(request.url or "").hostname or ""
        if isinstance(host, str) and is_private_name(host):
            raise _refuse(host, host)
        return super().send(request, *args, **options)
