"""What others are told about where this machine is."""

from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from pymeet.config import Config
from pymeet.ops.addresses import (
    _ipv6_addresses,
    advertised_addresses,
    found_addresses,
    media_host,
    public_url,
    room_url,
    takes_tcp,
)


def make(**http: Any) -> Config:
    return Config.model_validate({"http": http})


def test_found_addresses_are_addresses_of_this_machine() -> None:
    """There is always at least one, and loopback only where there is no other."""
    found = found_addresses()

    assert found
    assert [ip_address(address).version for address in found] == sorted(
        ip_address(address).version for address in found
    )
    assert found == ["127.0.0.1"] or not any(ip_address(address).is_loopback for address in found)


def test_a_server_on_loopback_advertises_loopback_only() -> None:
    """Nobody else can open its page, so its network addresses are nobody else's business."""
    config = make(host="127.0.0.1")

    assert advertised_addresses(config) == ["127.0.0.1"]
    assert media_host(config) == "127.0.0.1"


def test_configured_addresses_are_advertised_as_they_are() -> None:
    """Behind NAT only the operator knows the outside address; a proxy may hold the page on loopback."""
    config = Config.model_validate({"http": {"host": "127.0.0.1"}, "media": {"addresses": ["203.0.113.5"]}})

    assert advertised_addresses(config) == ["203.0.113.5"]
    assert media_host(config) == "::"


def test_ipv6_addresses_that_pass_are_not_told_to_browsers(tmp_path: Path) -> None:
    """Temporary ones, those of one network only, and those that are not proven to be ours."""
    listing = tmp_path / "if_inet6"
    rows = [
        ("20010db8000000000000000000000005", "00", "80", "kept"),
        ("fd000000000000000000000000000002", "00", "82", "kept too: a network without a provider"),
        ("20010db800000000abcdabcdabcdabcd", "00", "01", "temporary"),
        ("20010db8000000000000000000000006", "00", "40", "tentative"),
        ("20010db8000000000000000000000007", "00", "20", "deprecated"),
        ("fe80000000000000fc00fffffe000001", "20", "80", "link-local"),
        ("00000000000000000000000000000001", "10", "80", "loopback"),
    ]
    listing.write_text("".join(f"{raw} 04 40 {scope} {flags}     eth0\n" for raw, scope, flags, _ in rows))

    assert _ipv6_addresses(listing) == ["2001:db8::5", "fd00::2"]
    assert _ipv6_addresses(tmp_path / "no-ipv6-here") == []


@pytest.mark.parametrize(
    ("addresses", "host"),
    [
        (["127.0.0.1"], "127.0.0.1"),
        (["::1"], "::1"),
        (["127.0.0.1", "::1"], "::"),
        (["2001:db8::5"], "::"),
    ],
)
def test_the_media_port_is_open_where_browsers_are_told(addresses: list[str], host: str) -> None:
    """Both families at one port, but on loopback alone where nobody else is told of it."""
    assert media_host(Config.model_validate({"media": {"addresses": addresses}})) == host


def test_media_over_tcp_gives_way_to_the_pages() -> None:
    """Who had both under one number keeps a server that starts."""
    assert takes_tcp(Config())
    assert not takes_tcp(Config.model_validate({"media": {"tcp": False}}))
    assert not takes_tcp(Config.model_validate({"media": {"port": 443}, "http": {"port": 443}}))
    assert takes_tcp(Config.model_validate({"media": {"port": 0}, "http": {"port": 0}}))


@pytest.mark.parametrize(
    ("http", "url"),
    [
        ({"public_url": "https://meet.example.org/"}, "https://meet.example.org"),
        ({"host": "127.0.0.1", "port": 80, "tls": {"mode": "off"}}, "http://127.0.0.1:80"),
        ({"host": "meet.lan"}, "https://meet.lan:8443"),
        ({"host": "::1"}, "https://[::1]:8443"),
    ],
)
def test_links_start_with_the_public_address(http: dict[str, Any], url: str) -> None:
    """A link must open for those it is sent to."""
    assert public_url(make(**http)) == url
    assert room_url(make(**http), "tea") == f"{url}/r/tea"


def test_without_a_public_address_links_carry_a_found_one() -> None:
    """0.0.0.0 is no address that anybody could open."""
    assert public_url(Config()) == f"https://{found_addresses()[0]}:8443"
