"""What others are told about where this machine is."""

from ipaddress import ip_address
from typing import Any

import pytest

from pymeet.config import Config
from pymeet.ops.addresses import advertised_addresses, found_addresses, media_host, public_url, room_url


def make(**http: Any) -> Config:
    return Config.model_validate({"http": http})


def test_found_addresses_are_addresses_of_this_machine() -> None:
    """There is always at least one, and loopback only where there is no other."""
    found = found_addresses()

    assert found
    assert all(ip_address(address).version == 4 for address in found)
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
    assert media_host(config) == "0.0.0.0"


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
