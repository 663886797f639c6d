"""Which host names belong to one host: its family, the registrable domain, with the names that big hosts share.

A host serves photos under many names (``farm3.static.flickr.com``, ``live.staticflickr.com``); what it does to one of
them it does to all. The registrable domain is found by rule, not from the Public Suffix List (https://publicsuffix.org):
two labels, three under a country's second level (``co.uk``) or where each customer has a name (``ann.blogspot.com``).

>>> host_family("farm3.static.flickr.com"), host_family("live.staticflickr.com:443"), host_family("www.bbc.co.uk")
('flickr.com', 'flickr.com', 'bbc.co.uk')
>>> host_family("ann.blogspot.com"), host_family("127.0.0.1:8431"), host_family("[::1]:80"), host_family("localhost")
('ann.blogspot.com', '127.0.0.1', '[::1]', 'localhost')
"""

from __future__ import annotations

import re

import pyarrow as pa

_SECOND_LEVELS = frozenset({"ac", "co", "com", "edu", "go", "gob", "gov", "gv", "ltd", "mil", "ne", "net", "or", "org"})
_CUSTOMER_NAMES = frozenset(
    {
        *("blogspot.com", "github.io", "gitlab.io", "livejournal.com", "netlify.app", "pages.dev", "tumblr.com"),
        *("typepad.com", "vercel.app", "weebly.com", "wixsite.com", "wordpress.com", "s3.amazonaws.com"),
        *("appspot.com", "azureedge.net", "blob.core.windows.net", "cloudfront.net", "herokuapp.com"),
    }
)
"""Where each customer has a name of their own, so that one customer is one host."""
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
    labels = name.split(".")
    n = 3 if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVELS else 2
    n = next((k + 1 for k in (4, 3, 2) if ".".join(labels[-k:]) in _CUSTOMER_NAMES), n)
    family = ".".join(labels[-n:])
    return _SHARED_NAMES.get(family, family)


def host_families(hosts: pa.Array) -> pa.Array:
    """Name the family of each host; null where there is none. Each distinct host is looked at once."""
    coded = hosts.dictionary_encode()
    families = pa.array([host_family(name) for name in coded.dictionary.to_pylist()], pa.string())
    return families.take(coded.indices)
