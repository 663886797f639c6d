"""Addresses as lists spell them, made into ones that can be asked for; and the host that each belongs to.

>>> request_url("http://example.org/a b/ü%20ñ%.jpg#top")
'http://example.org/a%20b/%C3%BC%20%C3%B1%25.jpg'
>>> hosts_of(pa.array(["https://A.example:8080/x.jpg", "ftp://b.example/", "nonsense", None])).to_pylist()
['a.example:8080', None, None, None]
"""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit, urlunsplit

import pyarrow as pa
import pyarrow.compute as pc

_PLAIN = re.compile(r"https?://[A-Za-z0-9.:-]+/(?:[A-Za-z0-9._~:/?@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*")
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_RESERVED = "%/?:@!$&'()*+,;=~"
_IN_USERINFO = "%:!$&'()*+,;=~"
_HOST = r"^\s*[hH][tT][tT][pP][sS]?://(?:[^/?#\\]*@)?(?P<host>\[[^\]/?#]+\](?::[0-9]*)?|[^/?#@\[\]\\\s]+)"


def hosts_of(urls: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Find the host (with its port where one is given), in lower case, of each address; null unless http or https."""
    return pc.utf8_lower(pc.struct_field(pc.extract_regex(urls, _HOST), "host"))


def request_url(url: str) -> str:
    """Percent-encode what an address may not hold (RFC 3986), without encoding anything twice; drop its fragment.

    Host names in other scripts are written in their ASCII form (RFC 3490).

    Raises:
        ValueError: no request can be made for this address.
    """
    if _PLAIN.fullmatch(url):
        return url
    parts = urlsplit(url.strip())
    if not parts.hostname:
        raise ValueError("no host")
    host = parts.netloc if parts.netloc.isascii() else parts.netloc.encode("idna").decode("ascii")
    if " " in host:
        raise ValueError("a space in the host name")
    return urlunsplit((parts.scheme, host, _encode(parts.path) or "/", _encode(parts.query), ""))


def with_userinfo(url: str, userinfo: str) -> str:
    """Put who signs in, with which password, into an address made by :func:`request_url`.

    >>> with_userinfo("http://h.example/1.jpg", "ann:s3cr@t")
    'http://ann:s3cr%40t@h.example/1.jpg'
    """
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{quote(_LONE_PERCENT.sub('%25', userinfo), safe=_IN_USERINFO)}@{rest}"


def _encode(text: str) -> str:
    return quote(_LONE_PERCENT.sub("%25", text), safe=_RESERVED)
