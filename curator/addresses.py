"""Addresses as lists spell them, made into ones that can be asked for; and the host that each belongs to.

>>> request_url("http://example.org/a b/ü%20ñ%.jpg#top")
'http://example.org/a%20b/%C3%BC%20%C3%B1%25.jpg'
>>> hosts_of(pa.array(["https://A.example:8080/x.jpg", "ftp://b.example/", "nonsense", None])).to_pylist()
['a.example:8080', None, None, None]

Which host names belong to one host: its family, the registrable domain, with the names that big hosts share.

A host serves photos under many names (``farm3.static.flickr.com``, ``live.staticflickr.com``); what it does to one of
them it does to all. Where a registrable domain begins says the Public Suffix List (https://publicsuffix.org), which
knows ``co.uk`` and ``gouv.fr``, and ``github.io`` and ``s3.amazonaws.com``, where each customer has a name.

>>> host_family("farm3.static.flickr.com"), host_family("live.staticflickr.com:443"), host_family("www.bbc.co.uk")
('flickr.com', 'flickr.com', 'bbc.co.uk')
>>> host_family("ann.github.io"), host_family("127.0.0.1:8431"), host_family("[::1]:80"), host_family("localhost")
('ann.github.io', '127.0.0.1', '[::1]', 'localhost')
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import pyarrow as pa
import pyarrow.compute as pc
from publicsuffixlist import PublicSuffixList

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


def host_of(url: Any) -> str:
    """Name an address's host; nothing where there is none."""
    try:
        return (urlsplit(url).hostname or "") if isinstance(url, str) else ""
    except ValueError:
        return ""


_CUSTOMER_NAMES = frozenset(
    {"files.wordpress.com", "livejournal.com", "tumblr.com", "typepad.com", "weebly.com", "wordpress.com"}
)
"""Where each customer has a name of their own, too, though the list does not say so: one customer is one host."""
_SHARED_NAMES = {
    "staticflickr.com": "flickr.com",
    "yimg.com": "flickr.com",  # where Flickr sends for photos that are gone
    "ytimg.com": "youtube.com",
    "twimg.com": "twitter.com",
    "fbcdn.net": "facebook.com",
    "pinimg.com": "pinterest.com",
    "media-amazon.com": "amazon.com",
    "images-amazon.com": "amazon.com",
    "ssl-images-amazon.com": "amazon.com",
    "ebayimg.com": "ebay.com",
    "ebaystatic.com": "ebay.com",
    "wikimedia.org": "wikipedia.org",
    "photobucketcdn.com": "photobucket.com",
}
_ADDRESS = re.compile(r"\[.*\]|[0-9.]+")


def host_family(host: str) -> str:
    """Name the family of a host, given in lower case with or without a port."""
    name = re.sub(r":[0-9]*$", "", host).rstrip(".")
    if _ADDRESS.fullmatch(name):
        return name
    family = _public_suffixes().privatesuffix(name) or name
    while family in _CUSTOMER_NAMES and family != name:
        family = ".".join(name.split(".")[-family.count(".") - 2 :])
    return _SHARED_NAMES.get(family, family)


def host_families(hosts: pa.Array) -> pa.Array:
    """Name the family of each host; null where there is none. Each distinct host is looked at once."""
    coded = hosts.dictionary_encode()
    families = pa.array([host_family(name) for name in coded.dictionary.to_pylist()], pa.string())
    return families.take(coded.indices)


@cache
def _public_suffixes() -> PublicSuffixList:
    """Read the list that the package brings along."""
    return PublicSuffixList()
