"""The façade of the media server: opens transports, finds whose a datagram is, and keeps the one list of deadlines.

A pure machine: datagrams and `now` go in by `receive` and `receive_ring`, time by `handle_timer`; datagrams come out through a `Port`.
"""

import heapq
import itertools
from collections.abc import Callable, Iterable

from pymeet.sfu import ice, stun
from pymeet.sfu.address import Address, RawAddress, Stream, pack_address, unpack_address
from pymeet.sfu.batch import MAX_DATAGRAM, SLOT_BYTES, ReceiveRing
from pymeet.sfu.dtls import Certificate, make_context
from pymeet.sfu.errors import DatagramError
from pymeet.sfu.events import TransportEvent
from pymeet.sfu.fanout import Fanout
from pymeet.sfu.ports import Port
from pymeet.sfu.probe import Probe, Ways
from pymeet.sfu.producer import Track
from pymeet.sfu.publish import PublishTransport
from pymeet.sfu.rtp import is_rtcp
from pymeet.sfu.sending import SendTable
from pymeet.sfu.subscribe import SubscribeTransport
from pymeet.sfu.transport import Transport


class _NoPort:
    """Before the socket is open nothing can be sent."""

    def send(self, datagram: bytes, address: Address) -> None:
        pass

    def flush(self, table: SendTable) -> None:
        table.count = 0


def _raise(error: Exception) -> None:
    raise error


class Sfu:
    """Every transport of every participant behind one port."""

    def __init__(self, certificate: Certificate, addresses: list[tuple[str, int]]) -> None:
        self.certificate = certificate
        self.addresses = addresses
        """What descriptions advertise: pairs of IP address and UDP port."""
        self.stream_addresses: list[tuple[str, int]] = []
        """The same for TCP."""
        self.probe = Probe()
        self.dtls_context = make_context(certificate)
        self.port: Port = _NoPort()
        self.on_deadline: Callable[[], None] = lambda: None
        """Called when something was scheduled from outside, so that the rim may set its timer anew."""
        self.on_fault: Callable[[Exception], None] = _raise
        """Called with an error that nobody foresaw; the rim, which must go on, logs it. The transport concerned is ended."""
        self.transports: set[Transport] = set()
        self.datagrams = 0
        self.repairs_asked = self.repairs_sent = self.keyframes_asked = 0
        self.dropped = 0
        """Datagrams that were malformed, forged, or nobody's."""
        self.now = 0.0
        """The time that was handed in last: when what is being handled came, or was due."""
        self.outbox = SendTable()
        """Copies on their way out; every fan-out fills it."""
        self.revisions = 0
        """Counts the changes by which receivers share their bandwidth, of all tracks."""
        self.queued: list[Fanout] = []
        """Who has something to make copies of."""
        self._by_ufrag: dict[str, Transport] = {}
        self._by_address: dict[RawAddress, Transport] = {}
        self._addresses_of: dict[Transport, set[RawAddress]] = {}
        self._streams: dict[RawAddress, Stream] = {}
        self._deadlines: list[tuple[float, int, Transport]] = []
        self._counter = itertools.count()
        self._single = ReceiveRing(1)

    # -- transports -----------------------------------------------------------------------------------------------

    def publisher(self, owner: str, on_event: Callable[[TransportEvent], None], now: float) -> PublishTransport:
        """A connection on which `owner` will send: call its `answer` with an offer."""
        return PublishTransport(self, owner, on_event, now)

    def subscriber(self, owner: str, on_event: Callable[[TransportEvent], None], now: float) -> SubscribeTransport:
        """A connection on which `owner` will receive: `set_tracks` and `offer`, or `answer` for a player."""
        return SubscribeTransport(self, owner, on_event, now)

    def ways(self, now: float) -> Ways:
        """What somebody needs to look whether the media port can be reached, without being in any meeting."""
        return Ways(self.probe.issue(now), tuple(self.addresses), tuple(self.stream_addresses))

    def levels(self, tracks: Iterable[Track]) -> dict[str, tuple[int, ...]]:
        """How loud each packet of these was since the last call, by track id: 0 (silence) to 127."""
        return {t.id: t.take_levels() for t in tracks}

    # -- what transports ask of their house -------------------------------------------------------------------------

    def adopt(self, transport: Transport) -> None:
        """Takes a new transport in."""
        self.transports.add(transport)
        self._addresses_of[transport] = set()
        self.learn_ufrags(transport)

    def learn_ufrags(self, transport: Transport) -> None:
        """Checks for these names now reach the transport."""
        for ufrag in transport.ice.ufrags():
            self._by_ufrag[ufrag] = transport

    def forget_ufrags(self, transport: Transport) -> None:
        """Checks for its names no longer do."""
        for ufrag in [u for u, t in self._by_ufrag.items() if t is transport]:
            del self._by_ufrag[ufrag]

    def learn_address(self, transport: Transport, address: Address) -> None:
        """Datagrams from this address, which has just passed a check, are the transport's."""
        raw = pack_address(address)
        owner = self._by_address.get(raw)
        if owner is transport:
            return
        if owner is not None:
            self._addresses_of[owner].discard(raw)
        self._by_address[raw] = transport
        mine = self._addresses_of[transport]
        mine.add(raw)
        for stale in mine - {pack_address(a) for a in transport.ice.valid}:
            mine.discard(stale)
            del self._by_address[stale]
            self._close_stream(stale)

    def is_known(self, address: Address) -> bool:
        """Whether somebody's check has passed from there."""
        return pack_address(address) in self._by_address

    def forget_stream(self, stream: Stream) -> None:
        """The connection has ended: whoever used it is to be reached elsewhere, or not at all."""
        self._streams.pop(stream.key, None)
        transport = self._by_address.pop(stream.key, None)
        if transport is not None:
            self._addresses_of[transport].discard(stream.key)
            transport.lose(stream)

    def _close_stream(self, raw: RawAddress) -> None:
        stream = self._streams.pop(raw, None)
        if stream is not None:
            stream.close()

    def abandon(self, transport: Transport) -> None:
        """The transport is closed: nothing reaches it any more."""
        self.transports.discard(transport)
        self.forget_ufrags(transport)
        for raw in self._addresses_of.pop(transport, ()):
            del self._by_address[raw]
            self._close_stream(raw)
        transport.deadline = None

    def _end_faulty(self, transport: Transport | None, error: Exception, now: float) -> None:
        """A fault of ours ends the transport that met it; nobody else notices."""
        self.on_fault(error)
        if transport is None:
            return
        try:
            transport.close(now, "internal error")
        except Exception as another:
            self.on_fault(another)
        self.abandon(transport)

    # -- datagrams ----------------------------------------------------------------------------------------------------

    def receive(self, datagram: bytes, address: Address, now: float) -> None:
        """Takes one datagram. Whatever is wrong with it, it is dropped and counted; nothing is raised.

        Whoever hands in what came from a stream tells its end by `forget_stream`.
        """
        if len(datagram) <= SLOT_BYTES:
            if isinstance(address, Stream):
                self._streams[address.key] = address
            self._single.put(0, datagram, pack_address(address))
            self.receive_ring(self._single, 1, now)

    def receive_ring(self, ring: ReceiveRing, count: int, now: float) -> None:
        """Takes the first `count` datagrams of a ring, and sends on what came with them."""
        self.take_in(ring, count, now)
        self.flush()

    def take_in(self, ring: ReceiveRing, count: int, now: float) -> None:
        """The same, but what they bring waits for `flush`."""
        self.now = now
        by_address, buffer = self._by_address, ring.buffer
        self.datagrams += count
        for i in range(count):
            at, size = i * SLOT_BYTES, ring.size(i)
            transport: Transport | None = None
            try:
                if size < 12 or size > MAX_DATAGRAM:
                    raise DatagramError("too short or too long")
                first = buffer[at]
                sender = ring.sender(i)
                if 128 <= first <= 191:
                    transport = by_address.get(sender)
                    if transport is None:
                        raise DatagramError("nobody's media")
                    if is_rtcp(buffer[at + 1]):
                        transport.receive_rtcp(bytes(ring.view[at : at + size]), now)
                    elif transport.connected:
                        transport.receive_rtp(ring, at, size, now)
                elif first <= 3:
                    message = stun.parse(bytes(ring.view[at : at + size]))
                    if message.type == stun.BINDING_REQUEST:
                        address = self._streams.get(sender) or unpack_address(sender)
                        transport = self._by_ufrag.get(ice.local_ufrag(message))
                        if transport is not None:
                            transport.receive_stun(message, address, now)
                        else:
                            self.port.send(self.probe.answer(message, address, now), address)
                elif 20 <= first <= 63:
                    # RFC 7983; DTLS only from addresses that have passed a check, so that nobody can race a handshake
                    transport = by_address.get(sender)
                    if transport is None:
                        raise DatagramError("nobody's DTLS")
                    transport.receive_dtls(bytes(ring.view[at : at + size]), now)
                else:
                    raise DatagramError("not STUN, DTLS or RTP")
            except DatagramError:
                self.dropped += 1
            except Exception as error:
                self._end_faulty(transport, error, now)

    def flush(self) -> None:
        """Sends the copies of everything that was taken in; each receiver gets all of one stream's in one go."""
        queued, self.queued = self.queued, []
        for fanout in queued:
            try:
                fanout.prepare()
            except Exception as error:
                self.on_fault(error)
        if self.outbox.count:
            self.port.flush(self.outbox)

    # -- time ---------------------------------------------------------------------------------------------------------

    def schedule(self, transport: Transport, when: float) -> None:
        """Asks for a call of the transport's `handle_timer` at `when`, unless one is due earlier."""
        if transport.closed or (transport.deadline is not None and transport.deadline <= when):
            return
        transport.deadline = when
        heapq.heappush(self._deadlines, (when, next(self._counter), transport))
        if self._deadlines[0][2] is transport:
            self.on_deadline()

    def next_deadline(self) -> float | None:
        """When `handle_timer` wants to be called; None for never."""
        while self._deadlines and self._deadlines[0][2].deadline != self._deadlines[0][0]:
            heapq.heappop(self._deadlines)
        return self._deadlines[0][0] if self._deadlines else None

    def handle_timer(self, now: float) -> None:
        """Does everything that is due."""
        self.now = now
        due = []
        while (when := self.next_deadline()) is not None and when <= now:
            _, _, transport = heapq.heappop(self._deadlines)
            transport.deadline = None
            due.append(transport)
        for transport in due:
            try:
                transport.handle_timer(now)
            except Exception as error:
                self._end_faulty(transport, error, now)
        if self.queued:
            self.flush()

    def close(self, now: float) -> None:
        """Ends every transport; the peers are told."""
        for transport in list(self.transports):
            try:
                transport.close(now)
            except Exception as error:
                self._end_faulty(transport, error, now)

    def stats(self) -> dict[str, int]:
        """Counters and gauges for the metrics, without anything about persons."""
        publishers = [t for t in self.transports if isinstance(t, PublishTransport)]
        subscribers = [t for t in self.transports if isinstance(t, SubscribeTransport)]
        return {
            "transports": len(self.transports),
            "publishers": len(publishers),
            "subscribers": len(subscribers),
            "tracks": sum(len(t.tracks) for t in publishers),
            "datagrams_received": self.datagrams,
            "datagrams_dropped": self.dropped,
            "repairs_asked": self.repairs_asked,
            "repairs_sent": self.repairs_sent,
            "keyframes_asked": self.keyframes_asked,
        }
