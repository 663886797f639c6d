"""The addresses (URLs) that lists name: their parts as columns, what a request for one sends, and its host family.

>>> listed = parse_addresses(pa.array(["https://Ann:pw@A.example:8080/x.jpg", "ftp://b.example/", "nonsense", None]))
>>> listed.host.to_pylist(), listed.host_name.to_pylist()
(['a.example:8080', None, None, None], ['a.example', 'b.example', None, None])
>>> request_url("http://example.org/a b/ü%20ñ%.jpg#top")
'http://example.org/a%20b/%C3%BC%20%C3%B1%25.jpg'

A host serves photos under many names (``farm3.static.flickr.com``, ``live.staticflickr.com``); what it does to one of
them it does to all. They are one family: the registrable domain, or the domain that a big host is known by. Where a
registrable domain begins says the Public Suffix List (https://publicsuffix.org), which knows ``co.uk`` and
``gouv.fr``, and ``github.io`` and ``s3.amazonaws.com``, where each customer has a name.

>>> host_family("farm3.static.flickr.com"), host_family("live.staticflickr.com:443"), host_family("www.bbc.co.uk")
('flickr.com', 'flickr.com', 'bbc.co.uk')
>>> host_family("ann.github.io"), host_family("127.0.0.1:8431"), host_family("[::1]:80"), host_family("localhost")
('ann.github.io', '127.0.0.1', '[::1]', 'localhost')
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import pyarrow as pa
import pyarrow.compute as pc
from publicsuffixlist import PublicSuffixList

_NAME = r"(?:[A-Za-z0-9_-]+\.)*[A-Za-z0-9_-]+\.?"
_PLAIN = re.compile(
    rf"https?://{_NAME}(?::[0-5]?[0-9]{{1,4}})?(?=/)(?:/(?!\.|%2[Ee])|[A-Za-z0-9._~:?@!$&'()*+,;=-]|%[0-9A-Fa-f]{{2}})*"
)
_HOST = re.compile(rf"({_NAME}|\[[0-9A-Fa-f:.]+\])(?::([0-9]{{0,5}}))?")
_DOT = re.compile(r"%2e", re.IGNORECASE)
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_RESERVED = "%/?:@!$&'()*+,;=~"
_IN_USERINFO = "%:!$&'()*+,;=~"
_BEGINNING = (
    r"^\s*(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):"
    r"(?://(?:[^/?#\\]*@)?(?P<host>\[[^\]/?#]+\](?::[0-9]*)?|[^/?#@\[\]\\\s]+))?"
)
_PORT_AND_BRACKETS = r"^\[([^\]]*)\].*$|:.*$"
_CHUNK_ROWS = 1 << 16


@dataclass(frozen=True)
class Addresses:
    """Parsed addresses: the hosts of each distinct beginning are kept once, and its number (int32) for each row."""

    hosts: pa.Array
    names: pa.Array
    beginning: pa.Array

    @property
    def host(self) -> pa.Array:
        """Each address's host in lower case, with its port if one is given; null if no request can be made for it."""
        return self.hosts.take(self.beginning)

    @property
    def host_name(self) -> pa.Array:
        """Each address's host in lower case without port and brackets, whatever the scheme; null if it has none."""
        return self.names.take(self.beginning)


def parse_addresses(urls: pa.Array | pa.ChunkedArray) -> Addresses:
    """Find the hosts, in one pass: each distinct beginning (scheme and host) is parsed once."""
    coded = pa.chunked_array(list(_beginnings(urls)), pa.dictionary(pa.int32(), pa.string()))
    distinct = coded.unify_dictionaries().combine_chunks()
    parts = pc.extract_regex(distinct.dictionary, _BEGINNING)
    scheme, host = (_null_if_empty(pc.struct_field(parts, name)) for name in ("scheme", "host"))
    host = pc.utf8_lower(host)
    is_web = pc.is_in(pc.utf8_lower(scheme), pa.array(["http", "https"]))
    names = _null_if_empty(pc.replace_substring_regex(host, _PORT_AND_BRACKETS, r"\1"))
    return Addresses(pc.if_else(is_web, host, None), names, distinct.indices)


def _beginnings(urls: pa.Array | pa.ChunkedArray) -> Iterator[pa.Array]:
    """Cut each address before its third slash, where its host has ended, some at a time to save memory."""
    for chunk in urls.chunks if isinstance(urls, pa.ChunkedArray) else [urls]:
        for start in range(0, len(chunk), _CHUNK_ROWS):
            part = chunk.slice(start, _CHUNK_ROWS).cast(pa.string())  # not of 64-bit places: they are not joined
            parts = pc.split_pattern(part, "/", max_splits=3)
            yield pc.binary_join(pc.list_slice(parts, 0, 3), "/").dictionary_encode()


def _null_if_empty(texts: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(texts, ""), None, texts)


def host_names(urls: Iterable[Any], otherwise: str) -> list[str]:
    """Name the host of each address of a table's column, in lower case without port; ``otherwise`` if it has none.

    >>> host_names(["http://A.example:80/1.jpg", None], "none")
    ['a.example', 'none']
    """
    names = parse_addresses(pa.array(urls, pa.string(), from_pandas=True)).host_name
    return [name or otherwise for name in names.to_pylist()]


def request_url(url: str) -> str:
    r"""Write an address as a request takes it (RFC 3986), so that all who read it read the same host and path.

    What an address may not hold is percent-encoded, nothing twice; the host is in its ASCII form (RFC 3490), without
    percent signs; the path is without ``..`` (RFC 3986, 5.2.4); there is no fragment. About all else libraries differ:
    to one ``http://127.0.0.%31/`` is a name, to the other this machine.

    Raises:
        ValueError: no request can be made for this address.

    >>> request_url("http://127.0.0.%31/a/../b"), request_url("http://\N{FULLWIDTH DIGIT ONE}0.0.0.1")
    ('http://127.0.0.1/b', 'http://10.0.0.1/')
    """
    if _PLAIN.fullmatch(url):
        return url
    parts = urlsplit(url.strip())
    if not parts.hostname:
        raise ValueError("no host")
    userinfo, at, host = parts.netloc.rpartition("@")
    path = _without_dots(_encode(parts.path)) or "/"
    return urlunsplit(
        (parts.scheme, _encode(userinfo, _IN_USERINFO) + at + _host(host), path, _encode(parts.query), "")
    )


def _host(written: str) -> str:
    """Write a host and its port in ASCII.

    Raises:
        ValueError: it is none.
    """
    host = unquote(written, errors="strict") if "%" in written and "[" not in written else written
    host = host if host.isascii() else host.encode("idna").decode("ascii")
    found = _HOST.fullmatch(host)
    if found is None or int(found[2] or 0) > 65535:
        raise ValueError(f"{host!r} is no host name")
    if host.startswith("["):
        ipaddress.IPv6Address(found[1][1:-1])
    return host if found[2] else found[1]


def _without_dots(path: str) -> str:
    """Remove the segments ``.`` and ``..`` of a path, however they are encoded (RFC 3986, 5.2.4)."""
    kept: list[str] = []
    segments = path.split("/")
    for number, segment in enumerate(segments, 1):
        dots = _DOT.sub(".", segment)
        if dots == "..":
            del kept[max(1, len(kept) - 1) :]
        if dots not in (".", ".."):
            kept.append(segment)
        elif number == len(segments):
            kept.append("")
    return "/".join(kept)


def with_userinfo(url: str, userinfo: str) -> str:
    """Put who signs in, with which password, into an address made by :func:`request_url`.

    >>> with_userinfo("http://h.example/1.jpg", "ann:s3cr@t")
    'http://ann:s3cr%40t@h.example/1.jpg'
    """
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{_encode(userinfo, _IN_USERINFO)}@{rest}"


def _encode(text: str, safe: str = _RESERVED) -> str:
    return quote(_LONE_PERCENT.sub("%25", text), safe=safe)


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
    "wikimedia.org": "wikipedia.org",
    "photobucketcdn.com": "photobucket.com",
    **dict.fromkeys(("media-amazon.com", "images-amazon.com", "ssl-images-amazon.com"), "amazon.com"),
    **dict.fromkeys(("ebayimg.com", "ebaystatic.com"), "ebay.com"),
}

_public_suffixes = cache(PublicSuffixList)
"""Reads the list that the package brings along."""


def host_family(host: str) -> str:
    """Name the family of a host, given in lower case with or without a port."""
    name = re.sub(r":[0-9]*$", "", host).rstrip(".")
    if re.fullmatch(r"\[.*\]|[0-9.]+", name):  # an IP address
        return name
    family = _public_suffixes().privatesuffix(name) or name
    while family in _CUSTOMER_NAMES and family != name:
        family = ".".join(name.split(".")[-family.count(".") - 2 :])
    return _SHARED_NAMES.get(family, family)


def host_families(hosts: pa.Array) -> pa.Array:
    """Name the family of each host; null if there is none. Each distinct host is looked at once."""
    coded = hosts.dictionary_encode()
    families = pa.array([host_family(name) for name in coded.dictionary.to_pylist()], pa.string())
    return families.take(coded.indices)
