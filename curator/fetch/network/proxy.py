"""Where the recipe's proxy is. The environment's are ignored: a proxy would fetch private addresses for us.

>>> proxy_addresses(""), proxy_addresses("http://127.0.0.1:3128")
(frozenset(), frozenset({'127.0.0.1'}))
"""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from curator.errors import CuratorError


def proxy_addresses(proxy: str) -> frozenset[str]:
    """Resolve the proxy that the recipe names: the only address that need not be public.

    Raises:
        CuratorError: it has no address.
    """
    host = urlsplit(proxy if "://" in proxy else f"http://{proxy}").hostname
    if not proxy or host is None:
        return frozenset()
    try:
        entries = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise CuratorError(f"The proxy {proxy} has no address ({error}).", "Correct proxy under [fetch].") from error
    return frozenset(str(entry[4][0]) for entry in entries)
