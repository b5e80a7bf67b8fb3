"""The rim for ICE over TCP: passive candidates (RFC 6544), packets with their length before them (RFC 4571).

For people whose network lets no UDP out. Whoever reads slowly loses the oldest whole packets, as on any network; nobody
waits for them. A connection that proves nothing by a check is closed soon, and there are not many of these at a time.
"""

import asyncio
import contextlib
import socket
import time
from collections import deque
from typing import cast

from pymeet.sfu.address import Stream, from_socket, pack_address
from pymeet.sfu.batch import MAX_DATAGRAM
from pymeet.sfu.service import Sfu
from pymeet.sfu.udp import bind

PROVE_S = 10.0
"""How long a connection may stand before a check of somebody's has passed on it."""
IDLE_S = 60.0
"""How long one that is in use may be silent. Browsers check every few seconds."""
STUCK_S = 10.0
"""How long one may take nothing before it is given up."""
QUEUE_BYTES = 64 << 10
"""What waits for a slow reader beside the kernel's buffer; the oldest packets go first."""
MAX_CONNECTIONS = 4096
MAX_UNPROVEN = 256
MAX_UNPROVEN_PER_NETWORK = 64
"""Of one IPv4 address, or one /64: a company behind its NAT may join at once. An honest one proves itself within a moment."""

_KERNEL_BYTES = 128 << 10  # more would be seconds of delay for somebody on a slow line
_UNPROVEN_FRAMES = 16
_CLOSING_S = 2.0
_ATTEMPTS = 10


def bind_both(host: str, port: int) -> tuple[socket.socket, socket.socket]:
    """Sockets for UDP and TCP under one number. Raises OSError, whose `filename` is the protocol."""
    for attempt in range(_ATTEMPTS):
        try:
            udp = bind(socket.SOCK_DGRAM, host, port)
        except OSError as error:
            raise OSError(error.errno, error.strerror, "UDP") from None
        try:
            return udp, bind(socket.SOCK_STREAM, host, udp.getsockname()[1])
        except OSError as error:
            udp.close()
            if port or attempt == _ATTEMPTS - 1:  # any free number was wanted, and this one is free for UDP only
                raise OSError(error.errno, error.strerror, "TCP") from None
    raise AssertionError("unreachable")


class StreamPort:
    """Takes connections for an `Sfu`, on the number of its media port."""

    def __init__(self, sfu: Sfu) -> None:
        self.sfu = sfu
        self.connections: set[Connection] = set()
        self.unproven: dict[Connection, bytes] = {}
        """Those on which no check has passed yet, the oldest first, with the network each comes from."""
        self.sent = self.sent_bytes = 0
        self.dropped = 0
        """Packets that a slow reader did not get."""
        self.refused = 0
        """Connections that were one too many."""
        self._server: asyncio.Server | None = None
        self._empty = asyncio.Event()

    @classmethod
    async def open(cls, sfu: Sfu, host: str, port: int) -> "StreamPort":
        """Listens, and sets the port in what the server advertises. Raises OSError when it is taken."""
        return await cls.on(sfu, bind(socket.SOCK_STREAM, host, port))

    @classmethod
    async def on(cls, sfu: Sfu, sock: socket.socket) -> "StreamPort":
        """The same on a socket that is bound already."""
        opened = cls(sfu)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _KERNEL_BYTES)  # connections inherit it
            bound: int = sock.getsockname()[1]
            loop = asyncio.get_running_loop()
            opened._server = await loop.create_server(lambda: Connection(opened), sock=sock, backlog=256)
        except BaseException:
            sock.close()
            raise
        sfu.stream_addresses = [(address, bound) for address, _ in sfu.addresses]
        return opened

    def came(self, connection: "Connection", network: bytes) -> bool:
        """Counts a new connection; False where there are too many, and then it counts no more."""
        of_network = sum(known == network for known in self.unproven.values())
        if len(self.connections) >= MAX_CONNECTIONS or of_network >= MAX_UNPROVEN_PER_NETWORK:
            self.refused += 1
            return False
        if len(self.unproven) >= MAX_UNPROVEN:
            self.refused += 1
            next(iter(self.unproven)).abort()
        self.connections.add(connection)
        self.unproven[connection] = network
        return True

    def went(self, connection: "Connection") -> None:
        """The connection is no more."""
        self.connections.discard(connection)
        self.unproven.pop(connection, None)
        if not self.connections:
            self._empty.set()

    async def close(self) -> None:
        """Stops listening and ends every connection."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for connection in list(self.connections):
            connection.close()
        if self.connections:
            self._empty.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    await self._empty.wait()
        for connection in list(self.connections):
            connection.abort()


class Connection(asyncio.Protocol):
    """One connection: takes packets apart, and keeps what a slow reader has not taken yet."""

    def __init__(self, port: StreamPort) -> None:
        self._port = port
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._stream = Stream(("0.0.0.0", 0), self.send, self.close)  # noqa: S104 - not bound: the peer is told below
        self._buffer = bytearray()
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._stuck_at: float | None = None
        self._heard_at = 0.0
        self._frames = 0
        self._is_proven = False
        self._timer: asyncio.TimerHandle | None = None

    # -- asyncio.Protocol -----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hook of asyncio."""
        self._transport = transport = cast(asyncio.Transport, transport)
        peer = from_socket(transport.get_extra_info("peername") or ("0.0.0.0", 0))  # noqa: S104 - gone again already
        raw = pack_address(peer)
        if not self._port.came(self, raw[4:8] if len(raw) == 8 else raw[8:16]):
            self.abort()
            return
        self._stream.peer = peer
        transport.set_write_buffer_limits(high=0)
        self._heard_at = time.monotonic()
        self._timer = self._loop.call_later(PROVE_S, self._look)

    def data_received(self, data: bytes) -> None:
        """Hook of asyncio."""
        if self._transport is None:
            return
        self._heard_at = now = time.monotonic()
        buffer, at = self._buffer, 0
        buffer += data
        while len(buffer) - at >= 2:
            size = buffer[at] << 8 | buffer[at + 1]
            if size > MAX_DATAGRAM:
                self.abort()  # this is something else than media: its beginning reads as a length that no packet has
                return
            if len(buffer) - at - 2 < size:
                break
            self._take(bytes(buffer[at + 2 : at + 2 + size]), now)
            if self._transport is None:
                return
            at += 2 + size
        del buffer[:at]

    def pause_writing(self) -> None:
        """Hook of asyncio: the kernel takes no more."""
        self._stuck_at = time.monotonic()

    def resume_writing(self) -> None:
        """Hook of asyncio: it does again."""
        self._stuck_at = None
        while self._waiting and self._stuck_at is None and self._transport is not None:
            packet = self._waiting.popleft()
            self._waiting_bytes -= len(packet)
            self._transport.write(packet)

    def connection_lost(self, exc: Exception | None) -> None:
        """Hook of asyncio."""
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()
        self._waiting.clear()
        self._port.went(self)
        self._port.sfu.forget_stream(self._stream)

    # -- packets ----------------------------------------------------------------------------------------------------

    def _take(self, packet: bytes, now: float) -> None:
        if not self._is_proven:
            self._frames += 1
            # STUN comes first (RFC 7983); what else there is, or too many checks that nobody answers for, is nobody's
            if not packet or packet[0] > 3 or self._frames > _UNPROVEN_FRAMES:
                self.abort()
                return
        self._port.sfu.receive(packet, self._stream, now)
        if not self._is_proven and self._port.sfu.is_known(self._stream):
            self._is_proven = True
            self._port.unproven.pop(self, None)

    def send(self, packet: bytes | memoryview) -> None:
        """Sends one packet, or keeps it while the reader is slow."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        frame = len(packet).to_bytes(2, "big") + packet
        self._port.sent += 1
        self._port.sent_bytes += len(frame)
        if self._stuck_at is None:
            transport.write(frame)
            return
        self._waiting.append(frame)
        self._waiting_bytes += len(frame)
        while self._waiting_bytes > QUEUE_BYTES:
            self._waiting_bytes -= len(self._waiting.popleft())
            self._port.dropped += 1

    # -- ends -------------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Gives the connection up where it proved nothing, has gone silent, or takes nothing."""
        now = time.monotonic()
        is_stuck = self._stuck_at is not None and now - self._stuck_at >= STUCK_S
        if not self._is_proven or is_stuck or now - self._heard_at >= IDLE_S:
            self.abort()
        else:
            self._timer = self._loop.call_later(PROVE_S, self._look)

    def close(self) -> None:
        """Ends the connection; what was written before is sent, as far as that takes no longer than a moment."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_later(_CLOSING_S, transport.abort)

    def abort(self) -> None:
        """Ends the connection at once."""
        transport, self._transport = self._transport, None
        self._port.went(self)
        if transport is not None:
            transport.abort()
