"""The addresses of this machine, found without asking anybody else: no STUN, no lookup of a public address."""

import fcntl
import socket
import struct
from ipaddress import ip_address

from pymeet.config import Config
from pymeet.config_values import is_loopback

_SIOCGIFADDR = 0x8915  # Linux: the IPv4 address of an interface (netdevice(7))


def found_addresses() -> list[str]:
    """The IPv4 addresses of the network interfaces; 127.0.0.1 alone when there is no other."""
    found = [address for _, name in socket.if_nameindex() if (address := _address_of(name))]
    useful = [address for address in found if not _is_local_only(address)]
    return list(dict.fromkeys(useful)) or ["127.0.0.1"]


def advertised_addresses(config: Config) -> list[str]:
    """What browsers are told to send media to: the configured addresses, otherwise the found ones.

    A server that only this machine can reach advertises 127.0.0.1 only.
    """
    if config.media.addresses:
        return list(config.media.addresses)
    return ["127.0.0.1"] if config.listens_on_loopback else found_addresses()


def media_host(config: Config) -> str:
    """The address to open the media port on: loopback where nothing else is advertised, otherwise every one."""
    loopback = all(is_loopback(address) for address in advertised_addresses(config))
    return "127.0.0.1" if loopback else "0.0.0.0"  # noqa: S104 - browsers must reach it


def public_url(config: Config) -> str:
    """The address that goes into links, without a slash at its end."""
    if config.http.public_url:
        return config.http.public_url
    host = config.http.host
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        host = found_addresses()[0]
    shown = f"[{host}]" if ":" in host else host
    return f"{'http' if config.http.tls.mode == 'off' else 'https'}://{shown}:{config.http.port}"


def room_url(config: Config, slug: str) -> str:
    """The link of a room."""
    return f"{public_url(config)}/r/{slug}"


def _address_of(interface: str) -> str | None:
    """The IPv4 address of one interface; None when it has none."""
    request = struct.pack("256s", interface.encode()[:15])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            answer = fcntl.ioctl(probe.fileno(), _SIOCGIFADDR, request)
        except OSError:
            return None
    return socket.inet_ntoa(answer[20:24])


def _is_local_only(text: str) -> bool:
    address = ip_address(text)
    return address.is_loopback or address.is_unspecified or address.is_link_local
