"""The memory for datagrams, over real loopback sockets: with the system's batch calls and one by one, the same."""

import socket
from collections.abc import Iterator

import pytest

from pymeet.sfu.batch import (
    BATCH,
    HAS_BATCH_CALLS,
    MAX_DATAGRAM,
    SLOT_BYTES,
    ReceiveRing,
    SendTable,
    SocketName,
    pack_address,
    unpack_address,
)

HOW = [pytest.param("receive", marks=pytest.mark.skipif(not HAS_BATCH_CALLS, reason="no recvmmsg")), "receive_singly"]
SEND = [pytest.param("send", marks=pytest.mark.skipif(not HAS_BATCH_CALLS, reason="no sendmmsg")), "send_singly"]


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


def _table(names: list[tuple[str, int]]) -> tuple[SendTable, list[SocketName]]:
    table, targets = SendTable(len(names)), []
    for i, address in enumerate(names):
        name = SocketName()
        name.set(address)
        targets.append(name)
        text = b"copy %d" % i
        table.view[i * SLOT_BYTES : i * SLOT_BYTES + len(text)] = text
        table.lengths[2 * i + 1] = len(text)
    table.address(targets)
    return table, targets


@pytest.mark.parametrize("how", SEND)
def test_every_copy_goes_to_its_receiver(how: str, sockets: list[socket.socket]) -> None:
    """One call, many addresses."""
    server, *clients = sockets
    table, _ = _table([c.getsockname() for c in clients])

    assert getattr(table, how)(server, 3) == 0

    assert [c.recv(100) for c in clients] == [b"copy 0", b"copy 1", b"copy 2"]


@pytest.mark.parametrize("how", SEND)
def test_only_as_many_as_asked_are_sent(how: str, sockets: list[socket.socket]) -> None:
    """A table is larger than the meeting."""
    server, *clients = sockets
    table, _ = _table([c.getsockname() for c in clients])

    getattr(table, how)(server, 2)

    assert [c.recv(100) for c in clients[:2]] == [b"copy 0", b"copy 1"]
    with pytest.raises(BlockingIOError):
        clients[2].recv(100)


@pytest.mark.parametrize("how", SEND)
def test_a_receiver_that_moves_is_written_once(how: str, sockets: list[socket.socket]) -> None:
    """The table points at the name, so a rebinding NAT does not touch it."""
    server, first, second, _ = sockets
    table, (name,) = _table([first.getsockname()])
    name.set(second.getsockname())

    getattr(table, how)(server, 1)

    assert second.recv(100) == b"copy 0"


@pytest.mark.parametrize("how", SEND)
def test_one_receiver_that_cannot_be_reached_does_not_stop_the_others(how: str, sockets: list[socket.socket]) -> None:
    """A partial send goes on behind the culprit, and it is counted."""
    server, *clients = sockets
    bad = ("255.255.255.255", 9)  # broadcast is refused to an ordinary socket
    addresses = [bad, clients[0].getsockname(), bad, bad, clients[1].getsockname(), bad]
    table, _ = _table(addresses)

    assert getattr(table, how)(server, 6) == 4

    assert [c.recv(100) for c in clients[:2]] == [b"copy 1", b"copy 4"]


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
