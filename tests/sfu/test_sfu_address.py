"""Addresses in the kernel's form, over real sockets: IPv4, IPv6 and both on one socket must find the same transport."""

import socket
from collections.abc import Iterator

import pytest

from pymeet.sfu import udp
from pymeet.sfu.address import (
    NAME_BYTES,
    Stream,
    for_socket,
    from_socket,
    pack_address,
    peer_of,
    unpack_address,
)
from pymeet.sfu.batch import HAS_BATCH_CALLS, ReceiveRing

needs_ipv6 = pytest.mark.skipif(not udp.has_ipv6(), reason="this kernel has no IPv6")
HOW = [pytest.param("receive", marks=pytest.mark.skipif(not HAS_BATCH_CALLS, reason="no recvmmsg")), "receive_singly"]


@pytest.fixture
def dual() -> Iterator[socket.socket]:
    """A socket that takes both families, as the media port is."""
    sock = udp.bind(socket.SOCK_DGRAM, "::", 0)
    yield sock
    sock.close()


@pytest.mark.parametrize(
    "address",
    [
        ("0.0.0.0", 0),
        ("255.255.255.255", 65535),
        ("192.0.2.1", 5004),
        ("::1", 9),
        ("2001:db8::5", 65535),
        ("fe80::1%3", 7),
    ],
)
def test_an_address_comes_back_as_it_was(address: tuple[str, int]) -> None:
    """What was learned from a datagram is where the answer goes."""
    raw = pack_address(address)

    assert len(raw) == (NAME_BYTES if ":" in address[0] else 8)
    assert unpack_address(raw) == address


def test_ipv4_is_the_same_whichever_socket_told_it() -> None:
    """A socket of both families writes it as ::ffff:192.0.2.1."""
    assert pack_address(("::ffff:192.0.2.1", 7)) == pack_address(("192.0.2.1", 7))
    assert from_socket(("::ffff:192.0.2.1", 7, 0, 0)) == ("192.0.2.1", 7)
    assert from_socket(("fe80::1%eth0", 7, 0, 3)) == ("fe80::1%3", 7)
    assert for_socket(("192.0.2.1", 7), socket.AF_INET6) == ("::ffff:192.0.2.1", 7)
    assert for_socket(("192.0.2.1", 7), socket.AF_INET) == ("192.0.2.1", 7)
    assert for_socket(("::1", 7), socket.AF_INET6) == ("::1", 7)


def test_two_connections_of_one_peer_are_two_addresses() -> None:
    """And neither is the peer's UDP address."""
    peer = ("192.0.2.1", 7)
    one, two = (Stream(peer, lambda _packet: None, lambda: None) for _ in range(2))

    assert len({pack_address(one), pack_address(two), pack_address(peer)}) == 3
    assert len({one, two, peer}) == 3
    assert peer_of(one) == peer_of(peer) == peer


@needs_ipv6
@pytest.mark.parametrize("how", HOW)
def test_one_socket_takes_both_families(how: str, dual: socket.socket) -> None:
    """And each sender is known by the address it has, not by the form in which the kernel tells it."""
    ring, port, senders = ReceiveRing(4), dual.getsockname()[1], []
    for host in ("127.0.0.1", "::1"):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.bind((host, 0))
            client.sendto(b"hello", (host, port))
            senders.append((host, client.getsockname()[1]))

    assert getattr(ring, how)(dual) == 2

    assert [unpack_address(ring.sender(i)) for i in range(2)] == senders
    assert [ring.sender(i) for i in range(2)] == [pack_address(sender) for sender in senders]


def test_without_ipv6_in_the_kernel_the_port_is_opened_for_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some hosts switch it off at boot; the server must start there as anywhere."""
    monkeypatch.setattr(udp, "has_ipv6", lambda: False)

    with udp.bind(socket.SOCK_DGRAM, "::", 0) as sock:
        assert sock.family == socket.AF_INET
        assert sock.getsockname()[0] == "0.0.0.0"
