"""Which host names belong to one host: its family, the registrable domain, with the names that big hosts share.

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

import pyarrow as pa
from publicsuffixlist import PublicSuffixList

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
