"""The addresses of this machine, found without asking anybody else: no STUN, no lookup of a public address."""

import fcntl
import socket
import struct
from ipaddress import ip_address
from pathlib import Path

from pymeet.config import Config
from pymeet.config_values import is_loopback

_SIOCGIFADDR = 0x8915  # Linux: the IPv4 address of an interface (netdevice(7))
_IF_INET6 = Path("/proc/net/if_inet6")  # Linux: every IPv6 address with its interface, scope and flags
_IPV6_GLOBAL = 0x00
_IPV6_PASSING = 0x01 | 0x08 | 0x20 | 0x40  # temporary, taken by somebody else, deprecated, not yet proven to be ours


def found_addresses() -> list[str]:
    """The addresses of the network interfaces, IPv4 first; 127.0.0.1 alone when there is no other."""
    found = [address for _, name in socket.if_nameindex() if (address := _address_of(name))]
    useful = [address for address in found + _ipv6_addresses(_IF_INET6) if not _is_local_only(address)]
    return list(dict.fromkeys(useful)) or ["127.0.0.1"]


def advertised_addresses(config: Config) -> list[str]:
    """What browsers are told to send media to: the configured addresses, otherwise the found ones.

    A server that only this machine can reach advertises the loopback address only.
    """
    if config.media.addresses:
        return list(config.media.addresses)
    if config.listens_on_loopback:
        return ["::1" if config.http.host == "::1" else "127.0.0.1"]
    return found_addresses()


def media_host(config: Config) -> str:
    """The address to open the media port on: loopback where nothing else is advertised, otherwise every one."""
    advertised = advertised_addresses(config)
    if all(is_loopback(address) for address in advertised) and len({":" in address for address in advertised}) == 1:
        return "::1" if ":" in advertised[0] else "127.0.0.1"
    return "::"


def takes_tcp(config: Config) -> bool:
    """Whether media may also come by TCP: wanted, and the number is not that of the pages."""
    return config.media.tcp and (config.media.port == 0 or config.media.port != config.http.port)


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


def _ipv6_addresses(listing: Path) -> list[str]:
    """Those in the kernel's list that reach further than one network and will stay; none where there is no IPv6."""
    try:
        lines = listing.read_text(encoding="ascii").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        raw, _, _, scope, flags, _ = line.split(maxsplit=5)
        if int(scope, 16) == _IPV6_GLOBAL and not int(flags, 16) & _IPV6_PASSING:
            found.append(socket.inet_ntop(socket.AF_INET6, bytes.fromhex(raw)))
    return found


def _is_local_only(text: str) -> bool:
    address = ip_address(text)
    return address.is_loopback or address.is_unspecified or address.is_link_local
