"""The memory for datagrams, over real loopback sockets: with the system's batch calls and one by one, the same."""

import socket
from collections.abc import Iterator

import pytest

from pymeet.sfu.address import pack_address, unpack_address
from pymeet.sfu.batch import (
    BATCH,
    HAS_BATCH_CALLS,
    MAX_DATAGRAM,
    SLOT_BYTES,
    ReceiveRing,
)

HOW = [pytest.param("receive", marks=pytest.mark.skipif(not HAS_BATCH_CALLS, reason="no recvmmsg")), "receive_singly"]


@pytest.fixture
def sockets() -> Iterator[list[socket.socket]]:
    """Four UDP sockets on loopback."""
    made = []
    for _ in range(4):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setblocking(False)
        sock.bind(("127.0.0.1", 0))
        made.append(sock)
    yield made
    for sock in made:
        sock.close()


def _slot(ring: ReceiveRing, i: int) -> bytes:
    return bytes(ring.view[i * SLOT_BYTES : i * SLOT_BYTES + ring.size(i)])


@pytest.mark.parametrize("how", HOW)
def test_what_waits_is_taken_with_its_size_and_sender(how: str, sockets: list[socket.socket]) -> None:
    """A datagram's sender is the key by which it finds its transport."""
    server, *clients = sockets
    ring = ReceiveRing(8)
    for i, client in enumerate(clients):
        client.sendto(b"x" * (i * 700), server.getsockname())

    assert getattr(ring, how)(server) == 3

    assert [ring.size(i) for i in range(3)] == [0, 700, 1400]
    assert [unpack_address(ring.sender(i)) for i in range(3)] == [c.getsockname() for c in clients]
    assert getattr(ring, how)(server) == 0


@pytest.mark.parametrize("how", HOW)
def test_a_full_ring_leaves_the_rest_for_the_next_turn(how: str, sockets: list[socket.socket]) -> None:
    """Nothing is lost and nothing is repeated when more waits than fits."""
    server, client, *_ = sockets
    ring = ReceiveRing(BATCH)
    for i in range(BATCH + 10):
        client.sendto(b"%d" % i, server.getsockname())
    got = []

    while count := getattr(ring, how)(server):
        assert count <= BATCH
        got += [_slot(ring, i) for i in range(count)]

    assert got == [b"%d" % i for i in range(BATCH + 10)]


@pytest.mark.parametrize("how", HOW)
def test_a_datagram_too_large_is_seen_to_be_so(how: str, sockets: list[socket.socket]) -> None:
    """It is cut at the slot's end, never written into its neighbour, and its size tells that it must be dropped."""
    server, client, *_ = sockets
    ring = ReceiveRing(4)
    for size in (9000, 5):
        client.sendto(b"y" * size, server.getsockname())

    assert getattr(ring, how)(server) == 2

    assert ring.size(0) > MAX_DATAGRAM
    assert _slot(ring, 1) == b"y" * 5


def test_addresses_come_back_as_they_were() -> None:
    """The kernel's form and Python's."""
    for address in (("0.0.0.0", 0), ("255.255.255.255", 65535), ("192.0.2.1", 5004)):
        raw = pack_address(address)
        assert len(raw) == 8
        assert unpack_address(raw) == address


def test_a_slot_filled_by_hand_is_like_a_received_one() -> None:
    """The way of systems without batch calls, and of tests."""
    ring = ReceiveRing(2)
    ring.put(1, b"hello", pack_address(("192.0.2.1", 7)))

    assert _slot(ring, 1) == b"hello"
    assert unpack_address(ring.sender(1)) == ("192.0.2.1", 7)
