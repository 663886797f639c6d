"""An HTTP session that reaches public addresses only, and says who asks.

The address is checked on the open connection, before anything is sent: what a name resolved to a moment ago, or
where a redirect leads, cannot be swapped for a loopback, private or link-local address (server-side request forgery).

>>> session = open_session(FetchSettings(contact="me@example.org"))
>>> session.headers["User-Agent"].endswith("(+me@example.org)"), session.trust_env
(True, False)
"""

from __future__ import annotations

import socket
from typing import Any, ClassVar
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from curator import __version__
from curator.errors import SourceError
from curator.fetch.guard import is_private_name, is_public_address
from curator.recipe import FetchSettings

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


def _checked(connection: socket.socket, host: str) -> socket.socket:
    address = str(connection.getpeername()[0]).partition("%")[0]
    if not is_public_address(address):
        connection.close()
        raise _refuse(host, address)
    return connection


class _PublicHTTPConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _checked(super()._new_conn(), self.host)


class _PublicHTTPSConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _checked(super()._new_conn(), self.host)


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
