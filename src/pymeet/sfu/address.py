"""Where peers are: a host and port for UDP, a connection for TCP, and both in the form by which datagrams find their transport."""

import itertools
import socket
import struct
import sys
from collections.abc import Callable

NAME_BYTES = 28
"""Room for `struct sockaddr_in6`, the larger of the two forms that the kernel writes."""

RawAddress = bytes
"""Family, port and address as the kernel writes them (8 bytes for IPv4, 28 for IPv6), or the key of a stream (8 bytes)."""

_IPV4 = struct.pack("=H", socket.AF_INET)
_IPV6 = struct.pack("=H", socket.AF_INET6)
_STREAM = struct.pack("=H", socket.AF_UNSPEC)
_FAMILY_AT = 0 if sys.byteorder == "little" else 1
_MAPPED = bytes(10) + b"\xff\xff"  # IPv4 as a socket of both families tells it (RFC 4291 section 2.5.5.2)
_keys = itertools.count(1)


class Stream:
    """One TCP connection as an address. Each connection is another one: it equals nothing but itself."""

    __slots__ = ("close", "key", "peer", "send")

    def __init__(
        self, peer: tuple[str, int], send: Callable[[bytes | memoryview], None], close: Callable[[], None]
    ) -> None:
        self.peer = peer
        self.send = send
        """Takes one packet, keeps its own bound, never waits and never raises; also after the connection's end."""
        self.close = close
        """Ends the connection, after what was sent. Safe to call again."""
        self.key: RawAddress = _STREAM + next(_keys).to_bytes(6, "big")


Address = tuple[str, int] | Stream


def peer_of(address: Address) -> tuple[str, int]:
    """The host and port at the other end."""
    return address.peer if isinstance(address, Stream) else address


def pack_address(address: Address) -> RawAddress:
    """An address in the form that keys transports."""
    if isinstance(address, Stream):
        return address.key
    host, port = _plain(address[0]), address[1]
    if ":" not in host:
        return _IPV4 + port.to_bytes(2, "big") + socket.inet_aton(host)
    host, _, scope = host.partition("%")
    raw = socket.inet_pton(socket.AF_INET6, host)
    return _IPV6 + port.to_bytes(2, "big") + bytes(4) + raw + struct.pack("=I", int(scope or 0))


def unpack_address(raw: RawAddress) -> tuple[str, int]:
    """The reverse of `pack_address`, for a host and port."""
    port = int.from_bytes(raw[2:4], "big")
    if raw[_FAMILY_AT] == socket.AF_INET:
        return socket.inet_ntoa(raw[4:8]), port
    (scope,) = struct.unpack_from("=I", raw, 24)
    host = socket.inet_ntop(socket.AF_INET6, raw[8:24])
    return (f"{host}%{scope}" if scope else host), port


def raw_sender(names: memoryview, at: int) -> RawAddress:
    """The key of the address that the kernel, or `pack_address`, wrote at `at`."""
    raw = bytes(names[at : at + 8])
    if raw[_FAMILY_AT] != socket.AF_INET6:
        return raw
    raw = bytes(names[at : at + NAME_BYTES])
    return _IPV4 + raw[2:4] + raw[20:24] if raw[8:20] == _MAPPED else raw


def from_socket(address: tuple[str, int] | tuple[str, int, int, int]) -> tuple[str, int]:
    """The reverse of `for_socket`: what Python's `recvfrom` tells, an interface by its number."""
    host = address[0].partition("%")[0]
    scope = address[3] if len(address) == 4 else 0
    return (f"{host}%{scope}" if scope else _plain(host)), address[1]


def _plain(host: str) -> str:
    """IPv4 that a socket of both families told, as itself."""
    return host.removeprefix("::ffff:") if "." in host else host


def for_socket(address: tuple[str, int], family: int) -> tuple[str, int]:
    """The address as Python's `sendto` wants it on a socket of this family."""
    host, port = address
    return (f"::ffff:{host}", port) if family == socket.AF_INET6 and ":" not in host else (host, port)
