"""The lines of the lab, as a process of its own: what one namespace sends through its TUN device goes to another's, later or never.

It stands between the server and every client: `python forwarder.py SERVER_FD CLIENT_FD…`. Each line of its input is a JSON
object, the number of a client and the new conditions of its line, and is answered by an empty line. It ends with its input.
"""

import heapq
import json
import os
import random
import select
import sys
import time
from contextlib import suppress
from dataclasses import dataclass

_IPV4 = 4
_PROTOCOL, _DESTINATION_CLIENT = 9, 18
"""Where an IPv4 header says what it carries, and where the third byte of the destination stands: the client's number."""
_UDP = 17
_READ_AT_ONCE = 64
_LARGEST = 65536


@dataclass(frozen=True)
class Conditions:
    """What a line does to the packets of either way."""

    loss: float = 0.0
    """The share that is lost, each by itself."""
    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    """Up to so much later, evenly spread; the order stays, as in a queue."""
    rate_bps: float = 0.0
    """What passes; 0 means all. What would wait longer than `queue_ms` is lost."""
    queue_ms: float = 300.0
    blocks_udp: bool = False


class Way:
    """One direction of a line. Times are in seconds of one clock."""

    def __init__(self, rng: random.Random) -> None:
        self.conditions = Conditions()
        self._rng = rng
        self._free_at = self._last_at = 0.0

    def arrival(self, size: int, is_udp: bool, now: float) -> float | None:
        """When a packet of so many bytes arrives; None when it never does."""
        its = self.conditions
        if (its.blocks_udp and is_udp) or (its.loss and self._rng.random() < its.loss):
            return None
        at = now
        if its.rate_bps:
            begin = max(now, self._free_at)
            if begin - now > its.queue_ms / 1000:
                return None
            at = self._free_at = begin + size * 8 / its.rate_bps
        at += (its.delay_ms + its.jitter_ms * self._rng.random()) / 1000
        self._last_at = max(self._last_at, at)
        return self._last_at


class Forwarder:
    """All the lines, between the server's device and the clients'."""

    def __init__(self, server: int, clients: list[int], rng: random.Random) -> None:
        self._server, self._clients = server, clients
        self._up = [Way(rng) for _ in clients]
        self._down = [Way(rng) for _ in clients]
        self._waiting: list[tuple[float, int, int, bytes]] = []
        self._count = 0

    def run(self) -> None:
        """Forwards till the input ends."""
        control = sys.stdin.fileno()
        poll = select.epoll()
        for fd in (control, self._server, *self._clients):
            poll.register(fd, select.EPOLLIN)
        while True:
            wait_s = max(0.0, self._waiting[0][0] - time.monotonic()) if self._waiting else -1
            ready = {fd for fd, _ in poll.poll(wait_s)}
            if control in ready and not self._obey():
                return
            for fd in ready - {control}:
                self._read(fd)
            self._deliver()

    def _obey(self) -> bool:
        line = sys.stdin.buffer.readline()
        if not line:
            return False
        order = json.loads(line)
        client = order.pop("client") - 1
        self._up[client].conditions = self._down[client].conditions = Conditions(**order)
        print(flush=True)
        return True

    def _read(self, fd: int) -> None:
        now = time.monotonic()
        for _ in range(_READ_AT_ONCE):
            try:
                packet = os.read(fd, _LARGEST)
            except BlockingIOError:
                return
            if packet[0] >> 4 != _IPV4:
                continue
            if fd == self._server:
                client = packet[_DESTINATION_CLIENT] - 1
                if not 0 <= client < len(self._clients):
                    continue
                way, out = self._down[client], self._clients[client]
            else:
                way, out = self._up[self._clients.index(fd)], self._server
            at = way.arrival(len(packet), packet[_PROTOCOL] == _UDP, now)
            if at is not None:
                self._count += 1
                heapq.heappush(self._waiting, (at, self._count, out, packet))

    def _deliver(self) -> None:
        now = time.monotonic()
        while self._waiting and self._waiting[0][0] <= now:
            _, _, out, packet = heapq.heappop(self._waiting)
            with suppress(OSError):  # a full queue or a device without an address: lost
                os.write(out, packet)


if __name__ == "__main__":
    with suppress(PermissionError):
        os.nice(-10)  # a line must not be slow because the browsers beside it are busy
    devices = [int(argument) for argument in sys.argv[1:]]
    Forwarder(devices[0], devices[1:], random.Random(1)).run()
