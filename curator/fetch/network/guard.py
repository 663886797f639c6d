"""Which addresses may be reached: judged when a connection opens, after DNS and on every redirect.

A list of URLs from the web may name anything, so only addresses of the public Internet are reached, unless the recipe
allows private hosts. The ranges are those of the IANA special-purpose address registries (RFC 6890 and its updates).

>>> is_public_address("93.184.216.34"), is_public_address("::ffff:10.0.0.1"), is_public_address("169.254.169.254")
(True, False, False)
>>> proxy_addresses(""), proxy_addresses("http://127.0.0.1:3128")
(frozenset(), frozenset({'127.0.0.1'}))
"""

from __future__ import annotations

import ipaddress
import socket
from functools import lru_cache
from urllib.parse import urlsplit

from curator.errors import CuratorError

_REFUSED_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT; one cloud's metadata service lives here
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # a cloud's host services, at a public-looking address
        "169.254.0.0/16",  # link-local, and most clouds' metadata services
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and the broadcast address
    )
)
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_REFUSED_V6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarking
        "2001:db8::/32",  # documentation
        "3fff::/20",  # documentation
    )
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


@lru_cache(maxsize=65536)
def is_public_address(ip: str) -> bool:
    """Return whether ``ip``, an IPv4 or IPv6 address as text, lies on the public Internet.

    An IPv4 address carried inside an IPv6 one (mapped, NAT64 of RFC 6052, 6to4 of RFC 3056) is judged as that IPv4
    address. What is no address at all is not public.

    >>> is_public_address("64:ff9b::7f00:1"), is_public_address("2002:7f00:1::"), is_public_address("localhost")
    (False, False, False)
    """
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        in_nat64 = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
        inner = in_nat64 or address.ipv4_mapped or address.sixtofour
        if inner is None:
            return address in _GLOBAL_V6 and not any(address in network for network in _REFUSED_V6)
        address = inner
    return not any(address in network for network in _REFUSED_V4)


def is_private_name(host: str) -> bool:
    """Return whether a host, as an address spells it, is plainly not public: all that can be judged behind a proxy.

    >>> [is_private_name(host) for host in ("10.0.0.1", "127.1", "2130706433", "::1", "localhost.", "example.org")]
    [True, True, True, True, True, False]
    """
    name = host.casefold().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return not is_public_address(str(ipaddress.ip_address(name)))
    except ValueError:
        pass
    try:
        return not is_public_address(socket.inet_ntoa(socket.inet_aton(name)))  # 127.1 and the like
    except OSError:
        return False


def name_private_host(url: str) -> str:
    """Name the host of an address if it is plainly not public; else nothing.

    >>> name_private_host("http://127.1:8080/a.jpg"), name_private_host("http://example.org/a.jpg")
    ('127.1', '')
    """
    host = urlsplit(url).hostname or ""
    return host if is_private_name(host) else ""


def proxy_addresses(proxy: str) -> frozenset[str]:
    """Resolve the proxy that the recipe names: the only address that need not be public.

    The proxies that the environment names are ignored: one would fetch private addresses for us.

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
