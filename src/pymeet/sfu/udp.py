"""The rim of the media server: one UDP socket for everybody and one timer. The only file here that knows asyncio."""

import asyncio
import socket
import time

import structlog

from pymeet.sfu.batch import BATCH, ReceiveRing, SendTable
from pymeet.sfu.service import Sfu

_log = structlog.get_logger(__name__)

BUFFER_BYTES = 4 << 20
_MAX_RINGS_PER_TURN = 4
"""Rings emptied before the loop may serve others: bounds the delay that a flood of media puts on signaling."""


class MediaPort:
    """Feeds the socket's datagrams to an `Sfu` and sends what it has to say."""

    def __init__(self, sfu: Sfu, sock: socket.socket) -> None:
        self._sfu = sfu
        self._socket = sock
        self._ring = ReceiveRing(BATCH)
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self.port: int = sock.getsockname()[1]
        self.alive = True
        self.sent = self.sent_bytes = 0
        self.refused = 0
        """Datagrams that the kernel did not take."""
        self.faults = 0
        """Errors that nobody foresaw; each has ended the transport that met it."""
        sfu.port = self
        sfu.on_deadline = self._arm
        sfu.on_fault = self._note
        self._loop.add_reader(sock.fileno(), self._readable)
        self._arm()

    @classmethod
    async def open(cls, sfu: Sfu, host: str, port: int) -> "MediaPort":
        """Binds the media port and sets it in what the server advertises. Raises OSError when it is taken."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
            sock.setblocking(False)
            sock.bind((host, port))
        except OSError:
            sock.close()
            raise
        opened = cls(sfu, sock)
        sfu.addresses = [(address, advertised or opened.port) for address, advertised in sfu.addresses]
        return opened

    def send(self, datagram: bytes, address: tuple[str, int]) -> None:
        """Sends one datagram; what the kernel refuses is counted and lost, as on any network."""
        try:
            self._socket.sendto(datagram, address)
            self.sent += 1
            self.sent_bytes += len(datagram)
        except OSError:
            self.refused += 1

    def flush(self, table: SendTable, count: int) -> None:
        """Sends the copies of one packet."""
        refused = table.send(self._socket, count)
        self.refused += refused
        self.sent += count - refused
        self.sent_bytes += count * table.lengths[1]  # copies of one packet are of one size

    def _readable(self) -> None:
        sfu, ring, sock = self._sfu, self._ring, self._socket
        for _ in range(_MAX_RINGS_PER_TURN):
            count = ring.receive(sock)
            if count:
                sfu.receive_ring(ring, count, time.monotonic())
            if count < BATCH:
                return

    def _arm(self) -> None:
        when = self._sfu.next_deadline()
        if when is None or not self.alive:
            return
        if self._timer is not None:
            if self._timer.when() <= when:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(when, self._tick)

    def _tick(self) -> None:
        self._timer = None
        try:
            self._sfu.handle_timer(time.monotonic())
        finally:
            self._arm()

    def _note(self, error: Exception) -> None:
        self.faults += 1
        _log.error("a media connection failed by a fault of the server", exc_info=error)

    async def close(self) -> None:
        """Tells every peer good-bye and closes the socket."""
        if not self.alive:
            return
        self._sfu.close(time.monotonic())
        self.alive = False
        if self._timer is not None:
            self._timer.cancel()
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()
