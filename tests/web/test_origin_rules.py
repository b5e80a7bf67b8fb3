"""Addresses of clients and proxies."""

from ipaddress import ip_network

import pytest
from aiohttp.test_utils import make_mocked_request

from pymeet.web.origins import client_address, is_trusted, neighbourhood

PROXIES = (ip_network("10.0.0.0/8"), ip_network("2001:db8::/32"))


@pytest.mark.parametrize(
    ("address", "trusted"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("2001:db8::1", True),
        ("11.1.2.3", False),
        ("::1", False),
        ("", False),
        (None, False),
        ("unix:", False),
    ],
)
def test_a_proxy_is_trusted_by_its_network(address: str | None, trusted: bool):
    """Also when an IPv4 proxy arrives on an IPv6 socket."""
    assert is_trusted(address, PROXIES) is trusted


@pytest.mark.parametrize(
    ("remote", "forwarded", "client"),
    [
        ("192.0.2.1", "198.51.100.1", "192.0.2.1"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.2.3.4, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1, nonsense", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", ",,,", "10.0.0.1"),
    ],
)
def test_the_client_is_the_last_one_who_is_no_proxy(remote: str, forwarded: str, client: str):
    """What stands further left was written by the client itself and proves nothing."""
    request = make_mocked_request("GET", "/", headers={"X-Forwarded-For": forwarded}).clone(remote=remote)

    assert client_address(request, PROXIES) == client


def test_an_ipv6_host_cannot_roam_to_new_attempts():
    """It has 2^64 addresses of its own."""
    assert neighbourhood("2001:db8:1:2:3:4:5:6") == neighbourhood("2001:db8:1:2::1") == "2001:db8:1:2::/64"
    assert neighbourhood("::ffff:192.0.2.1") == neighbourhood("192.0.2.1") == "192.0.2.1"
    assert neighbourhood("") == ""
