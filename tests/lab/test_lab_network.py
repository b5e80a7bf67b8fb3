"""The lab's network does what it says: tests of faults are worth as much as their faults."""

import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.lab.forwarder import Conditions
from tests.lab.network import SERVER, Lab

PORT = 4000


@dataclass
class Told:
    """What came of datagrams that were sent from a client and back."""

    sent: int
    numbers: list[int]
    round_trips_ms: list[float]
    bits: int
    seconds: float

    @property
    def lost(self) -> float:
        return 1 - len(self.numbers) / self.sent


@pytest.fixture
def lab(make_lab: Callable[[int], Lab]) -> Iterator[Lab]:
    """Two clients, and an echo at the server that tells where a datagram came from."""
    lab = make_lab(2)
    with lab.server.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as echo:
        echo.bind((SERVER, PORT))
        thread = threading.Thread(target=_echo, args=(echo,))
        thread.start()
        yield lab
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ending:
            ending.sendto(b"", (SERVER, PORT))
        thread.join()


def _echo(echo: socket.socket) -> None:
    while True:
        data, address = echo.recvfrom(2048)
        if not data:
            return
        echo.sendto(data + address[0].encode(), address)


def _ask(lab: Lab, client: int) -> str:
    """Where the server sees the client."""
    with lab.clients[client].inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(1)
        probe.sendto(b"-", (SERVER, PORT))
        return probe.recv(100).decode()[1:]


def _probe(lab: Lab, client: int, count: int, *, every_s: float = 0.002, size: int = 100) -> Told:
    with lab.clients[client].inside():
        probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    numbers: list[int] = []
    trips: list[float] = []
    with probe:
        begun = last = time.monotonic()
        sent = 0
        while sent < count or time.monotonic() < last + 0.7:
            now = time.monotonic()
            if sent < count and now >= begun + sent * every_s:
                probe.sendto(struct.pack("!Id", sent, now).ljust(size), (SERVER, PORT))
                sent += 1
                last = now
            elif select.select([probe], [], [], 0.001)[0]:
                number, at = struct.unpack("!Id", probe.recv(2048)[:12])
                numbers.append(number)
                trips.append((time.monotonic() - at) * 1000)
                last = time.monotonic()
    return Told(count, numbers, sorted(trips), len(numbers) * (size + 28) * 8, last - begun)


def test_a_line_loses_the_share_it_is_told_and_no_other_line_does(lab: Lab) -> None:
    """Each way by itself."""
    lab.set(1, Conditions(loss=0.1))

    there, beside = _probe(lab, 1, 400), _probe(lab, 2, 100)

    assert 0.12 < there.lost < 0.27
    assert not beside.lost


def test_what_is_delayed_comes_in_order(lab: Lab) -> None:
    """A queue does not turn things round."""
    lab.set(1, Conditions(delay_ms=20, jitter_ms=100))

    told = _probe(lab, 1, 200)

    assert told.numbers == sorted(told.numbers)
    assert not told.lost
    assert told.round_trips_ms[0] >= 40
    assert told.round_trips_ms[len(told.round_trips_ms) // 2] > 80


def test_a_narrow_line_lets_its_rate_through_and_its_queue_is_bounded(lab: Lab) -> None:
    """Three times as much as fits: a third arrives, and waits no longer than in the queue; without an end that would take 2 s."""
    lab.set(1, Conditions(rate_bps=300_000, queue_ms=100))

    told = _probe(lab, 1, 200, every_s=0.01, size=1097)

    assert 0.55 < told.lost < 0.75
    assert 200_000 < told.bits / told.seconds < 330_000
    assert told.round_trips_ms[len(told.round_trips_ms) // 2] < 350


def test_blocked_udp_leaves_tcp_alone(lab: Lab) -> None:
    """As in networks that let only web pages out."""
    lab.set(2, Conditions(blocks_udp=True))
    with socket.create_server((SERVER, PORT)) as listening:
        listening.settimeout(2)
        with lab.clients[2].inside():
            client = socket.create_connection((SERVER, PORT), timeout=2)
        with client, listening.accept()[0] as accepted:
            client.sendall(b"hello")
            assert accepted.recv(100) == b"hello"

    assert not _probe(lab, 2, 20).numbers
    assert not _probe(lab, 1, 20).lost


def test_who_moves_is_seen_at_the_new_address(lab: Lab) -> None:
    """Nobody tells the server; it has to notice by what comes."""
    assert _ask(lab, 1) == "198.18.1.2"

    lab.move(1)

    assert _ask(lab, 1) == "198.18.1.3"
    assert _ask(lab, 2) == "198.18.2.2"
