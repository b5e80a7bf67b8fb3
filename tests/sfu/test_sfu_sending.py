"""The way out, over real loopback sockets: with the system's batch calls and one by one, in runs and without, the same."""

import socket
from collections.abc import Iterator

import pytest

from pymeet.sfu import sending
from pymeet.sfu.batch import SocketName
from pymeet.sfu.sending import Layout, SendTable, can_segment, pointers_of

SEND = [pytest.param("send", marks=pytest.mark.skipif(sending.libc is None, reason="no sendmmsg")), "send_singly"]


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


def _name(address: tuple[str, int]) -> SocketName:
    name = SocketName()
    name.set(address)
    return name


def _fill(table: SendTable, messages: list[tuple[SocketName, list[bytes]]]) -> None:
    """What the fan-out does: texts into slots, names and sizes into headers."""
    layout = table.lay(len(messages[0][1]))
    for m, (name, texts) in enumerate(messages):
        for text, (at, _, _, length) in zip(texts, layout.cells[m], strict=True):
            table.view[at : at + len(text)] = text
            table.lengths[length] = len(text)
        layout.words[m * Layout.stride] = pointers_of([name])[0]
        layout.segments[m * Layout.segment_stride + Layout.segment_at] = len(texts[0])
        table.names[m] = name
    table.count = len(messages)


def _received(sock: socket.socket) -> list[bytes]:
    got = []
    while True:
        try:
            got.append(sock.recv(2000))
        except BlockingIOError:
            return got


@pytest.mark.parametrize("how", SEND)
def test_every_copy_goes_to_its_receiver(how: str, sockets: list[socket.socket]) -> None:
    """One call, many addresses."""
    server, *clients = sockets
    table = SendTable(8)
    _fill(table, [(_name(c.getsockname()), [b"copy %d" % i]) for i, c in enumerate(clients)])

    assert getattr(table, how)(server) == 0

    assert [_received(c) for c in clients] == [[b"copy 0"], [b"copy 1"], [b"copy 2"]]
    assert table.count == 0


@pytest.mark.parametrize("how", SEND)
def test_a_receiver_that_moves_is_written_once(how: str, sockets: list[socket.socket]) -> None:
    """The headers point at the name, so a rebinding NAT does not touch them."""
    server, first, second, _ = sockets
    table, name = SendTable(2), _name(first.getsockname())
    _fill(table, [(name, [b"hello"])])
    name.set(second.getsockname())

    getattr(table, how)(server)

    assert _received(second) == [b"hello"]


@pytest.mark.parametrize("how", SEND)
def test_one_receiver_that_cannot_be_reached_does_not_stop_the_others(how: str, sockets: list[socket.socket]) -> None:
    """A partial send goes on behind the culprit, and it is counted."""
    server, *clients = sockets
    bad = ("255.255.255.255", 9)  # broadcast is refused to an ordinary socket
    table = SendTable(8)
    addresses = [bad, clients[0].getsockname(), bad, bad, clients[1].getsockname(), bad]
    _fill(table, [(_name(a), [b"copy %d" % i]) for i, a in enumerate(addresses)])

    assert getattr(table, how)(server) == 4

    assert [_received(c) for c in clients[:2]] == [[b"copy 1"], [b"copy 4"]]


@pytest.mark.parametrize("how", SEND)
def test_a_run_arrives_as_the_packets_it_was_made_of(how: str, sockets: list[socket.socket]) -> None:
    """All of one size but the last, in order: the receiver cannot tell that they left as one message."""
    server, *clients = sockets
    runs = [[bytes([97 + i]) * 1200, bytes([65 + i]) * 1200, b"end %d" % i] for i in range(3)]
    table = SendTable(9)
    _fill(table, [(_name(c.getsockname()), run) for c, run in zip(clients, runs, strict=True)])

    assert getattr(table, how)(server) == 0

    assert [_received(c) for c in clients] == runs


needs_segmentation = pytest.mark.skipif(sending.libc is None, reason="no sendmmsg")


@needs_segmentation
def test_a_run_that_is_refused_goes_packet_by_packet(sockets: list[socket.socket]) -> None:
    """One receiver behind a narrow path (the kernel says EINVAL) keeps its packets, and others keep their runs."""
    server, client, other, _ = sockets
    name, wide = _name(client.getsockname()), _name(other.getsockname())
    run = [b"x" * 1200, b"y" * 1200, b"z" * 7]
    table = SendTable(6)
    _fill(table, [(name, run), (wide, run)])
    table.layout.segments[Layout.segment_at] = 1  # more segments than the kernel makes: refused as a narrow path is

    assert table.send(server) == 0

    assert _received(client) == run
    assert _received(other) == run
    assert (name.is_whole, wide.is_whole) == (True, False)
    name.set(client.getsockname())
    assert not name.is_whole, "another path may be wide"


@needs_segmentation
def test_a_socket_that_refuses_every_run_loses_nothing(sockets: list[socket.socket]) -> None:
    """Without checksums (SO_NO_CHECK) the kernel cuts up nothing, and says so only when it is asked to send."""
    server, *clients = sockets
    server.setsockopt(socket.SOL_SOCKET, 11, 1)
    run = [b"x" * 1200, b"y" * 1200]
    table = SendTable(6)
    names = [_name(c.getsockname()) for c in clients]
    _fill(table, [(name, run) for name in names])

    assert table.send(server) == 0

    assert [_received(c) for c in clients] == [run] * 3
    assert all(name.is_whole for name in names)


def test_a_socket_that_knows_no_segmentation_is_found_out() -> None:
    """An older kernel takes the wish for no wish at all, and would send a run as one giant datagram."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        assert not can_segment(other)
