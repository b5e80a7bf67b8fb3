"""The rim of the media server: one UDP port for everybody and one timer. With tcp.py the only file here that knows asyncio."""

import asyncio
import contextlib
import functools
import math
import socket
import time

import structlog

from pymeet.sfu.address import Address, Stream, for_socket
from pymeet.sfu.aside import open_aside
from pymeet.sfu.batch import BATCH, ReceiveRing
from pymeet.sfu.sending import SendTable, can_segment
from pymeet.sfu.service import Sfu

_log = structlog.get_logger(__name__)

BUFFER_BYTES = 4 << 20
_MOST_PER_TURN = 4 * BATCH
"""Datagrams taken before the loop may serve others: bounds the delay that a flood of media puts on signaling."""

_APART_S, _LATEST_S = 0.05, 0.08
"""How long after the last ones reports are read, once media has been sent on, and how long after them even if none comes: peers
collect for 50 ms and more before they report, and to wake up for a report costs more than to read it."""
_REPORTS_PER_TURN = 8
"""Then media that has come meanwhile goes first: to read one report takes as long as to send on ten packets. A server that
cannot keep up with media so reads reports late, or not at all, and sends less then."""

_IPV6_ADDR_PREFERENCES, _IPV6_PREFER_SRC_PUBLIC = 72, 2  # RFC 5014, as Linux numbers them


def bind(kind: socket.SocketKind, host: str, port: int) -> socket.socket:
    """A socket for media; `::` takes IPv6 and IPv4 alike, and IPv4 alone where the kernel has no IPv6. Raises OSError."""
    if host == "::" and not has_ipv6():
        host = "0.0.0.0"  # noqa: S104 - browsers must reach it
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
    try:
        sock.setblocking(False)
        if kind == socket.SOCK_DGRAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        else:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(host != "::"))
            with contextlib.suppress(OSError):
                # answers must come from the address that was asked, not from one that the kernel makes up for privacy
                sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_ADDR_PREFERENCES, _IPV6_PREFER_SRC_PUBLIC)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock


@functools.cache
def has_ipv6() -> bool:
    """Whether the kernel of this machine knows IPv6."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::", 0))
    except OSError:
        return False
    return True


class _Reports:
    """Reads the second socket (aside.py), mostly while the server is awake for media anyway."""

    def __init__(self, sfu: Sfu, sock: socket.socket) -> None:
        self._sfu = sfu
        self._socket = sock
        self._ring = ReceiveRing(_REPORTS_PER_TURN)
        self._loop = asyncio.get_running_loop()
        self._due: asyncio.Handle | None = None
        """When they are read next; None while the first one after a time without wakes us."""
        self._not_before = math.inf
        self._loop.add_reader(sock.fileno(), self._begin)

    def _begin(self) -> None:
        self._loop.remove_reader(self._socket.fileno())
        self._take()

    def in_passing(self) -> None:
        """Media has just been sent on."""
        if self._loop.time() >= self._not_before and self._due is not None:
            self._due.cancel()
            self._take()

    def _take(self) -> None:
        """Takes in reports that wait, and sees to it that this goes on as long as there are any."""
        count = 0
        try:
            count = self._ring.receive(self._socket)
            self._sfu.take_in(self._ring, count, time.monotonic())
        finally:
            self._due, self._not_before = None, math.inf
            if count == _REPORTS_PER_TURN:
                self._due = self._loop.call_soon(self._take)
            elif count:
                self._due = self._loop.call_later(_LATEST_S, self._take)
                self._not_before = self._loop.time() + _APART_S
            else:
                self._loop.add_reader(self._socket.fileno(), self._begin)
            self._sfu.flush()

    def close(self) -> None:
        """Reads no more."""
        if self._due is not None:
            self._due.cancel()
        self._not_before = math.inf
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()


class MediaPort:
    """Feeds the socket's datagrams to an `Sfu` and sends what it has to say."""

    def __init__(self, sfu: Sfu, sock: socket.socket) -> None:
        self._sfu = sfu
        self._socket = sock
        self._family = sock.family
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
        if not can_segment(sock):
            sfu.outbox.longest_run = 1
        sfu.port = self
        sfu.on_deadline = self._arm
        sfu.on_fault = self._note
        aside = open_aside(sock)
        self._reports = None if aside is None else _Reports(sfu, aside)
        self._loop.add_reader(sock.fileno(), self._readable)
        self._arm()

    @classmethod
    async def open(cls, sfu: Sfu, host: str, port: int) -> "MediaPort":
        """Binds the media port and sets it in what the server advertises. Raises OSError when it is taken."""
        return cls.on(sfu, bind(socket.SOCK_DGRAM, host, port))

    @classmethod
    def on(cls, sfu: Sfu, sock: socket.socket) -> "MediaPort":
        """The same on a socket that is bound already."""
        opened = cls(sfu, sock)
        sfu.addresses = [(address, advertised or opened.port) for address, advertised in sfu.addresses]
        return opened

    def send(self, datagram: bytes, address: Address) -> None:
        """Sends one datagram; what the kernel refuses is counted and lost, as on any network."""
        if isinstance(address, Stream):
            address.send(datagram)
            return
        try:
            self._socket.sendto(datagram, for_socket(address, self._family))
            self.sent += 1
            self.sent_bytes += len(datagram)
        except OSError:
            self.refused += 1

    def flush(self, table: SendTable) -> None:
        """Sends what is prepared in a table."""
        count, refused = table.count * table.layout.run, table.send(self._socket)
        self.refused += refused
        self.sent += count - refused
        self.sent_bytes += table.bytes
        table.bytes = 0

    def _readable(self) -> None:
        """Takes in what is there, and what has come meanwhile, before anything is sent on: a sender's packets of one frame come
        one right after the other, and those that leave together cost far less."""
        sfu, ring, sock = self._sfu, self._ring, self._socket
        taken = 0
        try:
            while taken < _MOST_PER_TURN and (count := ring.receive(sock)):
                sfu.take_in(ring, count, time.monotonic())
                taken += count
        finally:
            sfu.flush()
        if self._reports is not None:
            self._reports.in_passing()

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
        if self._reports is not None:
            self._reports.close()
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()
