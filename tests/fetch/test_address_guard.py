"""Names that lead inside: judged when the connection opens, whatever the name server said, and however it said it."""

from __future__ import annotations

import pytest

from curator.manifests.settings import FetchSettings
from curator.reasons import Drop

pytestmark = pytest.mark.torture("names that resolve inside, requested with the shipped settings")

INSIDE = ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "10.0.0.1", "[fd00::1]"]
INSIDE += ["169.254.169.254", "[fe80::1]", "[::ffff:169.254.169.254]", "100.100.100.200", "0.0.0.0"]


def port_of(lab, fault):
    """Give the port that a fault listens on."""
    return lab.bases[fault].rsplit(":", 1)[1]


def fetch(listed, shelf, *urls):
    """Fetch with the shipped settings."""
    return shelf.fetch(listed(urls), settings=FetchSettings(retries=0))


@pytest.mark.parametrize("address", INSIDE)
def test_a_public_name_that_resolves_inside_is_refused(lab, listed, shelf, resolve, address):
    """Loopback, private, link-local and metadata, in IPv4, IPv6, and as IPv4 within IPv6."""
    port = port_of(lab, "fine")
    resolve(f"photos.example:{port}:{address}")
    table = fetch(listed, shelf, f"http://photos.example:{port}/rebound.jpg")
    assert table["drop_reason"].tolist() == [Drop.PRIVATE_ADDRESS]
    assert not [url for url in lab.counts() if url.endswith("/rebound.jpg")]


def test_a_name_with_a_public_and_an_inner_address_is_never_followed_inside(lab, listed, shelf, resolve, monkeypatch):
    """Where the first address is dead the second is tried, and judged like the first."""
    monkeypatch.setattr("curator.fetch.network.transfer.is_public_address", lambda ip: ip == "127.0.0.9")
    port = port_of(lab, "fine")
    resolve(f"photos.example:{port}:127.0.0.9,127.0.0.1")
    table = fetch(listed, shelf, f"http://photos.example:{port}/second-address.jpg")
    assert table["drop_reason"].tolist() == [Drop.PRIVATE_ADDRESS]
    assert table["drop_detail"].tolist() == ["127.0.0.1"]
    assert not [url for url in lab.counts() if url.endswith("/second-address.jpg")]


def test_a_redirect_to_a_name_that_resolves_inside_is_refused(lab, listed, shelf, resolve, monkeypatch):
    """The redirect's own target is resolved and judged too; a page of the host that redirects still comes."""
    monkeypatch.setattr("curator.fetch.network.transfer.is_public_address", lambda ip: ip == "127.0.0.1")
    resolve("inner.example:80:127.0.0.9")
    urls = [lab.url("redirect-elsewhere", "/?http://inner.example/secret.jpg"), lab.url("fine", "/outer.jpg")]
    table = fetch(listed, shelf, *urls)
    assert table["drop_reason"].isna().tolist() == [False, True]
    assert table["drop_reason"].tolist()[0] == Drop.PRIVATE_ADDRESS
