"""Old lists hold spaces, other scripts and stray percent signs; each becomes an address that can be asked for."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.addresses import parse_addresses, request_url

CASES = {
    "http://h.example/a.jpg": "http://h.example/a.jpg",
    "http://h.example/a b.jpg": "http://h.example/a%20b.jpg",
    "http://h.example/a%20b.jpg": "http://h.example/a%20b.jpg",
    "http://h.example/100%.jpg": "http://h.example/100%25.jpg",
    "http://h.example/%zz%41.jpg": "http://h.example/%25zz%41.jpg",
    "http://h.example/é.jpg": "http://h.example/%C3%A9.jpg",
    "http://h.example/[1]|{2}.jpg": "http://h.example/%5B1%5D%7C%7B2%7D.jpg",
    "http://h.example": "http://h.example/",
    "http://h.example?q=ü x": "http://h.example/?q=%C3%BC%20x",
    " http://h.example/a.jpg#part ": "http://h.example/a.jpg",
    "http://münchen.example/a.jpg": "http://xn--mnchen-3ya.example/a.jpg",
    "http://ann:s3cr@t ü%@h.example/a.jpg": "http://ann:s3cr%40t%20%C3%BC%25@h.example/a.jpg",
    "http://[::1]:80/a.jpg": "http://[::1]:80/a.jpg",
}


@pytest.mark.parametrize("listed", CASES)
def test_addresses_are_encoded_once_and_only_where_needed(listed):
    """Each spelling gives the one request that a browser would make."""
    assert request_url(listed) == CASES[listed]


@pytest.mark.parametrize(
    "listed",
    [
        "http:///a.jpg",
        "http://[::1/a.jpg",
        "http://a b.example/",
        "http://" + "é" * 80,
        "http://1.1.1.1../",
        "http://a..b/",
        "http://.a.example/",
        "http://./",
    ],
)
def test_an_address_that_cannot_be_asked_for_is_an_error(listed):
    """No host, or a host that no name server could be asked about."""
    with pytest.raises(ValueError, match=r"."):
        request_url(listed)


@given(st.text(max_size=30))
def test_encoding_twice_changes_nothing(path):
    """What was encoded is plain ASCII and stays as it is."""
    once = request_url("http://h.example/" + path.encode("utf-8", "replace").decode())
    assert once.isascii()
    assert request_url(once) == once


def test_hosts_are_found_for_http_only():
    """User names are no hosts, case does not count, and other schemes have none."""
    urls = [
        "HTTP://USER:pw@Farm1.Example:81/x",
        "https://b.example",
        "https://[::1]:8/x",
        "file:///etc/passwd",
        "//c.example/",
        "",
        " http://d.example/x",
        "http://e.example?x@y",
        None,
    ]
    hosts = ["farm1.example:81", "b.example", "[::1]:8", None, None, None, "d.example", "e.example", None]
    assert parse_addresses(pa.array(urls)).host.to_pylist() == hosts
