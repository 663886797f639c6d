"""The guard lets through the public Internet and nothing else."""

from __future__ import annotations

import pytest

from curator.fetch.network.guard import is_public_address

PRIVATE = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.9",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "fe80::1",
    "fe80::1%eth0",
    "fd00:ec2::254",
    "fec0::1",
    "ff02::1",
    "100::1",
    "64:ff9b:1::1",
    "2001::1",
    "2001:db8::1",
    "3fff::1",
    "5f00::1",
]
EMBEDDED_PRIVATE = [
    "::ffff:127.0.0.1",
    "::ffff:a9fe:a9fe",
    "64:ff9b::10.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::1",
    "2002:c0a8:101::",
]
PUBLIC = [
    "1.1.1.1",
    "93.184.216.34",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.0.1",
    "172.32.0.1",
    "2606:4700::1111",
    "2a00:1450:4001::1",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2002:808:808::1",
]


@pytest.mark.parametrize("ip", PRIVATE)
def test_private_and_reserved_addresses_are_refused(ip):
    """Loopback, private, link-local, metadata, shared, multicast and reserved ranges are not public."""
    assert not is_public_address(ip)


@pytest.mark.parametrize("ip", EMBEDDED_PRIVATE)
def test_a_private_ipv4_address_cannot_hide_inside_ipv6(ip):
    """Mapped, NAT64 and 6to4 forms are unwrapped before judging."""
    assert not is_public_address(ip)


@pytest.mark.parametrize("ip", PUBLIC)
def test_public_addresses_pass(ip):
    """Neighbours of refused ranges and public addresses in IPv6 clothes are reachable."""
    assert is_public_address(ip)


@pytest.mark.parametrize("text", ["", "localhost", "2130706433", "0x7f000001", "127.1", "1.2.3.4.5", "::g"])
def test_what_is_no_address_is_not_public(text):
    """Short, decimal and hexadecimal spellings are never addresses here: libcurl hands over what it resolved."""
    assert not is_public_address(text)
