"""A world without wires: a virtual clock, seeded bad links, and light peers on both sides of a real `Sfu`.

Nothing here sleeps or opens a socket. OpenSSL's DTLS keeps its own clock, so handshakes run over good links; make them bad afterwards.
"""

import heapq
import itertools
import random
import secrets
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from pymeet.sfu import rtcp, rtp, vp8
from pymeet.sfu.dtls import Certificate
from pymeet.sfu.events import TransportEvent
from pymeet.sfu.producer import Track
from pymeet.sfu.publish import PublishTransport, TrackWish
from pymeet.sfu.sending import SendTable
from pymeet.sfu.service import Sfu
from pymeet.sfu.subscribe import SubscribeTransport
from tests.support.peer import OPUS, LightPeer, Vp8Source

SERVER = ("192.0.2.1", 5004)
CERTIFICATE = Certificate.generate()
START = 1000.0
NTP_1900 = 2_208_988_800
Address = tuple[str, int]


@dataclass
class Link:
    """One direction of a path. All faults are probabilities per datagram; times in seconds."""

    random: random.Random
    delay: float = 0.02
    jitter: float = 0.0
    loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    is_cut: bool = False
    lost: int = 0

    def arrivals(self, now: float, size_bytes: int = 0) -> list[float]:
        """When the copies of a datagram sent now arrive; none when it is lost."""
        draw = self.random.random
        if self.is_cut or draw() < self.loss:
            self.lost += 1
            return []
        at = now + self.delay + self.jitter * draw()
        if draw() < self.reorder:
            at += 0.005 + 0.03 * draw()
        return [at, at + 0.001 + 0.02 * draw()] if draw() < self.duplicate else [at]


def lossy(link: Link, share: float) -> None:
    """The bad network of these tests: this share lost, and reordered and duplicated in proportion."""
    link.loss, link.reorder, link.duplicate, link.jitter = share, share / 2, share / 4, 0.004 if share else 0.0


@dataclass
class Wire:
    """What the server sent to one SSRC's receiver, as seen on the wire."""

    by_sequence: dict[int, bytes] = field(default_factory=dict)
    sequences: list[int] = field(default_factory=list)
    conflicts: int = 0
    highest: int = 0
    """The highest sequence number, counted on past 65535 as SRTP counts it."""

    def saw(self, sequence: int, datagram: bytes) -> None:
        """Encryption is deterministic: another datagram under the same number is another text under the same keystream."""
        extended = self.highest + ((sequence - self.highest + 0x8000) & 0xFFFF) - 0x8000 if self.sequences else sequence
        self.highest = max(self.highest, extended)
        known = self.by_sequence.get(extended)
        if known is not None:
            self.conflicts += known != datagram
            return
        self.by_sequence[extended] = datagram
        self.by_sequence.pop(extended - 0x1000, None)
        self.sequences.append(sequence)


class CollectingPort:
    """A `Port` that hands everything to the world."""

    def __init__(self, deliver: Callable[[bytes, Address], None]) -> None:
        self._deliver = deliver

    def send(self, datagram: bytes, address: Address) -> None:
        self._deliver(bytes(datagram), address)

    def flush(self, table: SendTable) -> None:
        for datagram, name in table.datagrams():
            self._deliver(bytes(datagram), name.address)
        table.count = 0


class World:
    """One server, any number of clients, one clock."""

    def __init__(self, seed: int = 1) -> None:
        self.seed = seed
        self.random = random.Random(seed)
        self.now = START
        self.sfu = Sfu(CERTIFICATE, [SERVER])
        self.sfu.port = CollectingPort(self._from_server)
        self.clients: dict[Address, Client] = {}
        self.strays: list[tuple[bytes, Address]] = []
        """Datagrams that the server sent where nobody lives."""
        self.bytes_out: dict[Address, int] = {}
        self.wires: dict[tuple[str, int], Wire] = {}
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._hosts = itertools.count(1)

    # -- time -----------------------------------------------------------------------------------------------------

    def at(self, when: float, do: Callable[[], None]) -> None:
        """Calls at a moment of virtual time."""
        heapq.heappush(self._queue, (when, next(self._order), do))

    def run(self, seconds: float) -> None:
        """Lets virtual time pass."""
        end = self.now + seconds
        while True:
            deadline = self.sfu.next_deadline()
            top = self._queue[0][0] if self._queue else end
            when = min(top, end if deadline is None else deadline)
            if when >= end:
                break
            self.now = max(self.now, when)
            if deadline is not None and deadline <= self.now:
                self.sfu.handle_timer(self.now)
            else:
                heapq.heappop(self._queue)[2]()
        self.now = end

    def run_until(self, reached: Callable[[], bool], seconds: float = 5.0) -> None:
        """Lets time pass until something holds; fails when it does not come true in time."""
        end = self.now + seconds
        while not reached():
            assert self.now < end, f"did not happen within {seconds} s (seed {self.seed})"
            self.run(0.01)

    # -- datagrams ------------------------------------------------------------------------------------------------

    def new_address(self) -> Address:
        """An address that nobody has."""
        return f"198.51.{next(self._hosts) % 100}.7", 40000 + next(self._hosts)

    def _from_server(self, datagram: bytes, address: Address) -> None:
        self.bytes_out[address] = self.bytes_out.get(address, 0) + len(datagram)
        client = self.clients.get(address)
        if len(datagram) >= 12 and 128 <= datagram[0] <= 191 and not rtp.is_rtcp(datagram[1]):
            sequence, ssrc = struct.unpack_from("!H4xI", datagram, 2)
            name = client.name if client is not None else str(address)
            self.wires.setdefault((name, ssrc), Wire()).saw(sequence, datagram)
        if client is None:
            self.strays.append((datagram, address))
            return
        for when in client.down.arrivals(self.now, len(datagram)):
            self.at(when, lambda: client.receive(datagram))

    def from_client(self, client: "Client", datagram: bytes) -> None:
        """A client sends."""
        address = client.address
        for when in client.up.arrivals(self.now, len(datagram)):
            self.at(when, lambda: self.sfu.receive(datagram, address, self.now))

    def assert_no_keystream_reuse(self) -> None:
        """The one thing that must never happen: two texts under one SSRC and sequence number."""
        bad = [key for key, wire in self.wires.items() if wire.conflicts]
        assert not bad, f"two payloads under one SSRC and sequence number: {bad} (seed {self.seed})"

    # -- people ---------------------------------------------------------------------------------------------------

    def publisher(self, name: str = "alice", **offer: object) -> "Publisher":
        """Somebody who sends, connected."""
        publisher = Publisher(self, name)
        publisher.join(**offer)
        self.run_until(lambda: publisher.is_connected)
        return publisher

    def subscriber(self, name: str, tracks: list[Track]) -> "Subscriber":
        """Somebody who receives by the server's offers, connected."""
        subscriber = Subscriber(self, name)
        subscriber.receive_tracks(tracks)
        self.run_until(lambda: subscriber.is_connected)
        return subscriber

    def player(self, name: str, tracks: list[Track]) -> "Subscriber":
        """Somebody who receives by an offer of their own (WHEP), connected."""
        player = Subscriber(self, name)
        player.play(tracks)
        self.run_until(lambda: player.is_connected)
        return player


class Client:
    """One peer connection of somebody, with an address and two links."""

    transport: PublishTransport | SubscribeTransport

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name
        self.peer = LightPeer()
        self.address = world.new_address()
        self.up, self.down = Link(world.random), Link(world.random)
        self.events: list[TransportEvent] = []
        self.checking = True
        world.clients[self.address] = self

    @property
    def is_connected(self) -> bool:
        return self.peer.connected and self.transport.connected

    def start(self) -> None:
        """Begins to check connectivity, once a second for ever, as browsers do."""
        if self.checking:
            self.send(self.peer.check())
        self.world.at(self.world.now + 1.0, self.start)

    def send(self, datagram: bytes) -> None:
        self.world.from_client(self, datagram)

    def send_control(self, packet: bytes) -> None:
        assert self.peer.srtp is not None
        self.send(self.peer.srtp.protect_rtcp(packet))

    def receive(self, datagram: bytes) -> None:
        if not datagram:
            return
        self.peer.receive(datagram)
        self._flush()
        if self.peer.connected:
            self.got_something()

    def got_something(self) -> None:
        """Hook: look at what came."""

    def move(self) -> None:
        """The network changes: another address from now on, datagrams under way to the old one are lost."""
        del self.world.clients[self.address]
        self.address = self.world.new_address()
        self.world.clients[self.address] = self

    def leave(self) -> None:
        """Says good-bye and stops."""
        self.peer.close()
        self._flush()
        self.checking = False

    def _flush(self) -> None:
        for datagram in self.peer.outgoing:
            self.send(datagram)
        self.peer.outgoing.clear()

    def make_bad(self, share: float) -> None:
        """Both directions lose this share."""
        lossy(self.up, share)
        lossy(self.down, share)


class Publisher(Client):
    """Sends synthetic VP8 and Opus, answers NACKs by RTX and key frame requests by key frames."""

    transport: PublishTransport

    def __init__(self, world: World, name: str) -> None:
        super().__init__(world, name)
        self.transport = world.sfu.publisher(name, self.events.append, world.now)
        self.video_ssrc = secrets.randbits(30) + 2
        self.audio_ssrc = secrets.randbits(30) + (1 << 30)
        self.source = Vp8Source(self.peer, self.video_ssrc)
        self.audio_sequence = secrets.randbelow(0x10000)
        self.audio_timestamp = secrets.randbits(32)
        self.asked: list[tuple[float, rtcp.Message]] = []
        """Every message that the server sent, with its time."""
        self.is_filming = self.is_talking = False
        self.wishes = {"0": TrackWish("microphone"), "1": TrackWish("camera")}
        self.clock_offset = world.random.uniform(-500, 500)

    def join(self, **offer: object) -> None:
        """Offers and begins to check."""
        self.negotiate(**offer)
        self.start()

    def negotiate(self, *, announce: bool = True, rtx: bool = True) -> None:
        """One offer and its answer."""
        ssrcs = {"audio_ssrc": self.audio_ssrc, "video_ssrc": self.video_ssrc} if announce else {}
        offer = self.peer.offer("sendonly", rtx=rtx, **ssrcs)
        self.peer.take_description(self.transport.answer(offer, self.wishes, self.world.now))

    @property
    def video(self) -> Track:
        return self.transport.tracks["1"]

    @property
    def audio(self) -> Track:
        return self.transport.tracks["0"]

    def film(self) -> None:
        """Sends frames until `is_filming` is taken back."""
        self.is_filming = True
        self._frame()

    def talk(self, level: int = 40) -> None:
        """Sends sound until `is_talking` is taken back."""
        self.is_talking = True
        self._sound(level)

    def _frame(self) -> None:
        if not self.is_filming:
            return
        for packet in self.source.frame():
            self.send_packet(packet)
        self.world.at(self.world.now + 1 / self.source.fps, self._frame)

    def _sound(self, level: int) -> None:
        if not self.is_talking:
            return
        self.send_packet(self.sound_packet(level))
        self.world.at(self.world.now + 0.02, lambda: self._sound(level))

    def sound_packet(self, level: int = 40) -> bytes:
        """The next packet of sound, its loudness beside it."""
        head = rtp.HEADER.pack(0x90, OPUS, self.audio_sequence, self.audio_timestamp, self.audio_ssrc)
        packet = head + struct.pack("!HHBBH", 0xBEDE, 1, 2 << 4, level, 0) + struct.pack("!I", self.audio_sequence) * 20
        self.audio_sequence = (self.audio_sequence + 1) & 0xFFFF
        self.audio_timestamp = (self.audio_timestamp + 960) & 0xFFFFFFFF
        return packet

    def send_packet(self, packet: bytes) -> None:
        assert self.peer.srtp is not None
        self.send(self.peer.srtp.protect(packet))

    def ntp(self) -> int:
        """The client's own wall clock, which is wrong, as clocks are."""
        return int((self.world.now + NTP_1900 + self.clock_offset) * (1 << 32))

    def report(self) -> None:
        """Sends sender reports of both streams: wall clock against media clock, at this moment."""
        for ssrc, timestamp in ((self.video_ssrc, self.source.timestamp), (self.audio_ssrc, self.audio_timestamp)):
            self.send_control(rtcp.sender_report(rtcp.SenderReport(ssrc, self.ntp(), timestamp, 1, 1)))

    def got_something(self) -> None:
        self.asked += [(self.world.now, m) for m in self.peer.rtcp]
        for packet in self.source.handle_rtcp():
            self.send_packet(packet)

    def keyframe_requests(self) -> list[float]:
        """When key frames were asked for."""
        return [at for at, m in self.asked if isinstance(m, rtcp.KeyframeRequest)]


class Subscriber(Client):
    """Receives; asks again for what it misses, and for a key frame when it cannot go on."""

    transport: SubscribeTransport

    def __init__(self, world: World, name: str) -> None:
        super().__init__(world, name)
        self.transport = world.sfu.subscriber(name, self.events.append, world.now)
        self.sections: dict[str, Track] = {}
        self.streams: dict[int, Stream] = {}
        """Media SSRC → what came of it."""
        self.by_track: dict[str, Stream] = {}
        self.reports: list[tuple[float, rtcp.SenderReport]] = []
        self.asks = True
        self.numbers: list[tuple[float, int]] = []
        """When a packet came, and its transport-wide number."""
        self._rtx: dict[int, Stream] = {}
        self._is_started = False

    def receive_tracks(self, tracks: list[Track]) -> str:
        """Says what it wants, takes the server's offer, answers it; returns the offer."""
        self.transport.set_tracks(tracks, self.world.now)
        return self.negotiate()

    def negotiate(self) -> str:
        """One offer of the server and its answer."""
        number, offer, sections = self.transport.offer(self.world.now)
        answer = self.peer.answer(offer)
        self.sections = sections
        self._learn(offer, {mid: track.id for mid, track in sections.items()})
        assert self.transport.accept(number, answer, self.world.now)
        self._begin()
        return offer

    def play(self, tracks: list[Track]) -> str:
        """Offers to receive sound and picture (WHEP)."""
        answer = self.transport.answer(self.peer.offer("recvonly"), tracks, self.world.now)
        self.peer.take_description(answer)
        self._learn(answer, {"0": "audio", "1": "video"})
        self._begin()
        return answer

    def _begin(self) -> None:
        if not self._is_started:
            self._is_started = True
            self.start()
            self._tick()

    def _learn(self, description: str, ids: dict[str, str]) -> None:
        for part in description.split("\r\nm=")[1:]:
            lines = part.split("\r\n")
            mid = next(line[6:] for line in lines if line.startswith("a=mid:"))
            group = next((line.split()[1:] for line in lines if line.startswith("a=ssrc-group:FID")), None)
            ssrcs = group or [line[7:].split()[0] for line in lines if line.startswith("a=ssrc:")][:1]
            if not ssrcs or int(ssrcs[0]) in self.streams:
                continue
            stream = Stream(self, int(ssrcs[0]), is_video=part.startswith("video"))
            self.streams[stream.ssrc] = stream
            self.by_track[ids[mid]] = stream
            if group:
                self._rtx[int(group[1])] = stream

    def got_something(self) -> None:
        self.reports += [(self.world.now, m) for m in self.peer.rtcp if isinstance(m, rtcp.SenderReport)]
        self.peer.rtcp.clear()
        for packet in self.peer.rtp:
            ssrc = struct.unpack_from("!I", packet, 8)[0]
            self.note_number(packet)
            if ssrc in self.streams:
                stream = self.streams[ssrc]
                stream.receive(bare(packet) if stream.is_video else packet, self.world.now)
            elif ssrc in self._rtx and len(bare(packet)) >= 14:
                again = bare(packet)
                self._rtx[ssrc].receive(again[:2] + again[12:14] + again[4:12] + again[14:], self.world.now)
        self.peer.rtp.clear()

    def note_number(self, packet: bytes) -> None:
        """Keeps the transport-wide number, as a receiver does to tell when each packet came."""
        if packet[0] & 0x10:
            elements, _ = rtp.parse_extensions(packet, 12, len(packet))
            if rtp.WIDE_ID in elements:
                self.numbers.append((self.world.now, int.from_bytes(elements[rtp.WIDE_ID], "big")))

    def _tick(self) -> None:
        for stream in self.streams.values():
            if stream.is_video and self.is_connected and self.asks:
                for packet in stream.wishes(self.world.now):
                    self.send_control(packet)
        self.world.at(self.world.now + 0.02, self._tick)

    def video_of(self, publisher: Publisher) -> "Stream":
        return self.by_track[publisher.video.id]

    def audio_of(self, publisher: Publisher) -> "Stream":
        return self.by_track[publisher.audio.id]


def bare(packet: bytes) -> bytes:
    """An RTP packet without header extensions and padding."""
    end = len(packet) - packet[-1] if packet[0] & 0x20 else len(packet)
    return bytes((packet[0] & ~0x30,)) + packet[1:12] + packet[rtp.payload_at(packet) : end]


class Stream:
    """A small jitter buffer and "decoder" of one stream: knows which frames were whole, in order, and when."""

    give_up_s = 0.6

    def __init__(self, client: Subscriber, ssrc: int, *, is_video: bool) -> None:
        self.client, self.ssrc, self.is_video = client, ssrc, is_video
        self.packets: dict[int, bytes] = {}
        """By sequence number counted on past 65535."""
        self.arrived: list[tuple[float, int, int]] = []
        """Time, extended sequence number and timestamp of each first arrival."""
        self.frames: list[tuple[float, int, bool]] = []
        """When each frame was decoded, its number at the source, and whether it was a key frame."""
        self.seen: list[tuple[float, int]] = []
        """When each frame was decoded, and which size of a simulcast it was."""
        self.highest: int | None = None
        self.next: int | None = None
        self._asked: dict[int, tuple[float, int]] = {}
        self._blocked_since: float | None = None
        self._pli_at = 0.0
        self.plis = self.nacks = 0

    def receive(self, packet: bytes, now: float) -> None:
        sequence, timestamp = struct.unpack_from("!HI", packet, 2)
        if self.highest is None:
            self.highest = self.next = sequence
        extended = self.highest + ((sequence - self.highest + 0x8000) & 0xFFFF) - 0x8000
        if extended in self.packets or (self.next is not None and extended < self.next):
            return
        self.packets[extended] = packet
        self.highest = max(self.highest, extended)
        self.arrived.append((now, extended, timestamp))
        if self.is_video:
            self._decode(now)

    def _whole_frame(self, start: int) -> int | None:
        """The last packet's number of the frame that begins here, if all of it is there."""
        first = self.packets.get(start)
        if first is None or not vp8.parse(first, 12).begins_frame:
            return None
        at = start
        while (packet := self.packets.get(at)) is not None and packet[4:8] == first[4:8]:
            if packet[1] & 0x80:
                return at
            at += 1
        return None

    def _decode(self, now: float) -> None:
        assert self.next is not None
        assert self.highest is not None
        while self.next <= self.highest:
            end = self._whole_frame(self.next)
            if end is None:
                if self._blocked_since is None:
                    self._blocked_since = now
                if now - self._blocked_since < self.give_up_s:
                    return
                start = self._next_keyframe()
                if start is None:
                    return
                self.next, end = start, self._whole_frame(start)
                assert end is not None
            self._blocked_since = None
            packet = self.packets[self.next]
            at = vp8.parse(packet, 12).end
            self.frames.append((now, struct.unpack_from("!I", packet, at + 10)[0], not packet[at] & 1))
            self.seen.append((now, packet[at + 16] if len(packet) > at + 16 else 0))
            for at in range(self.next, end + 1):
                self._asked.pop(at, None)
                self.packets.pop(at - 3000, None)
            self.next = end + 1

    def _next_keyframe(self) -> int | None:
        assert self.next is not None
        assert self.highest is not None
        for at in range(self.next + 1, self.highest + 1):
            packet = self.packets.get(at)
            if packet is not None and self._whole_frame(at) is not None and not packet[vp8.parse(packet, 12).end] & 1:
                return at
        return None

    def wishes(self, now: float) -> list[bytes]:
        """What to ask of the server now."""
        if self.next is None or self.highest is None or self.next > self.highest:
            return []
        self._decode(now)
        out = []
        missing = []
        for at in range(max(self.next, self.highest - 400), self.highest):
            asked, tries = self._asked.get(at, (0.0, 0))
            if at not in self.packets and now - asked > 0.06 and tries < 10:
                self._asked[at] = (now, tries + 1)
                missing.append(at & 0xFFFF)
        if missing:
            self.nacks += 1
            out.append(rtcp.nack(1, self.ssrc, missing))
        if self._blocked_since is not None and now - self._blocked_since > self.give_up_s and now - self._pli_at > 0.3:
            self._pli_at = now
            self.plis += 1
            out.append(rtcp.pli(1, self.ssrc))
        return [rtcp.receiver_report(1, ()) + packet for packet in out]

    @property
    def numbers(self) -> list[int]:
        """The source's numbers of the frames that were decoded."""
        return [n for _, n, _ in self.frames]

    def longest_gap(self, since: float, until: float) -> float:
        """The longest time without a decoded frame."""
        times = [since, *(at for at, _, _ in self.frames if since <= at <= until), until]
        return max(b - a for a, b in itertools.pairwise(times))
