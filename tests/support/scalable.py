"""A sender of VP9 or AV1 with spatial and temporal layers in the virtual world, and receivers that know what they could not decode."""

import contextlib
import struct

from pymeet.sfu import dependency, rtcp, rtp
from pymeet.sfu.operating_points import descriptor_of
from tests.netem import Publisher, Stream, Subscriber, World
from tests.support.layered import Decoder, LayeredSource
from tests.support.peer import TRANSPORT_ID, VP8, VP8_RTX
from tests.support.reporting import Reporter

DESCRIPTOR_ID = 9
_NAMES = {"vp8": "VP8", "vp9": "VP9", "av1": "AV1"}


class Camera:
    """Gives the pictures of a `LayeredSource` to a publisher, as they look on the wire."""

    fps = 30

    def __init__(self, publisher: Publisher, source: LayeredSource) -> None:
        self.publisher, self.source = publisher, source
        self.ssrc = publisher.video_ssrc
        self.sent: dict[int, bytes] = {}
        self.rtx_sequence = 7
        self.wide = 0
        self.nacked = 0

    @property
    def timestamp(self) -> int:
        """Of the next picture."""
        return self.source.timestamp

    def frame(self) -> list[bytes]:
        """The packets of the next picture."""
        return [self._wire(packet) for packet in self.source.next_picture()]

    def _wire(self, packet: bytes) -> bytes:
        self.wide = (self.wide + 1) & 0xFFFF
        descriptor = descriptor_of(packet) or b""
        number = struct.pack("!H", self.wide)
        if len(descriptor) > 16:
            block = bytes((TRANSPORT_ID, 2)) + number + bytes((DESCRIPTOR_ID, len(descriptor))) + descriptor
        else:
            block = bytes((TRANSPORT_ID << 4 | 1,)) + number
            block += bytes((DESCRIPTOR_ID << 4 | len(descriptor) - 1,)) + descriptor if descriptor else b""
        block += bytes(-len(block) & 3)
        head = rtp.HEADER.pack(0x90, packet[1] | VP8, *struct.unpack_from("!HI", packet, 2), self.ssrc)
        profile = 0x1000 if len(descriptor) > 16 else 0xBEDE
        payload = packet[rtp.payload_at(packet) :]
        out = head + struct.pack("!HH", profile, len(block) // 4) + block + payload
        sequence = packet[2] << 8 | packet[3]
        self.sent[sequence] = out
        self.sent.pop((sequence - 1024) & 0xFFFF, None)
        return out

    def handle_rtcp(self) -> list[bytes]:
        """Acts on what the server asked."""
        out = []
        for message in self.publisher.peer.rtcp:
            if isinstance(message, rtcp.Nack) and message.media_ssrc == self.ssrc:
                self.nacked += len(message.sequences)
                for sequence in message.sequences:
                    if sequence in self.sent:
                        out.append(rtp.rtx_packet(self.sent[sequence], VP8_RTX, self.rtx_sequence, self.ssrc + 1))
                        self.rtx_sequence = (self.rtx_sequence + 1) & 0xFFFF
            elif isinstance(message, rtcp.KeyframeRequest) and message.media_ssrc == self.ssrc:
                self.source.key_wanted = True
        self.publisher.peer.rtcp.clear()
        return out


class ScalablePublisher(Publisher):
    """Its camera, mid 1, sends one stream of many layers."""

    def __init__(self, world: World, name: str, source: LayeredSource) -> None:
        super().__init__(world, name)
        self.source = Camera(self, source)
        self.answer = ""

    def negotiate(self, *, announce: bool = True, rtx: bool = True) -> None:
        """One offer and its answer."""
        offer = self.peer.offer("sendonly", audio_ssrc=self.audio_ssrc, video_ssrc=self.video_ssrc, rtx=rtx)
        codec = self.source.source.codec
        offer = offer.replace("VP8/90000", f"{_NAMES[codec]}/90000")
        if codec == "av1":
            offer += f"a=extmap:{DESCRIPTOR_ID} {dependency.URI}\r\n"
            offer = offer.replace("t=0 0\r\n", "t=0 0\r\na=extmap-allow-mixed\r\n")
        self.answer = self.transport.answer(offer, self.wishes, self.world.now)
        self.peer.take_description(self.answer)

    def restart(self) -> None:
        """Another SSRC and other numbers, as after a change of the camera."""
        source = self.source.source
        self.video_ssrc += 10
        fresh = LayeredSource(
            source.codec, source.spatial, source.temporal, mode=source.mode, sequence=9000, timestamp=77, picture_id=5
        )
        fresh.picture = source.picture
        self.source = Camera(self, fresh)
        self.negotiate()


class ScalableStream(Stream):
    """Decodes strictly: whatever lacks a frame that it refers to is broken."""

    def __init__(self, client: Subscriber, ssrc: int) -> None:
        super().__init__(client, ssrc, is_video=True)
        self.decoder = Decoder()
        self.shown: list[tuple[float, int, int]] = []
        """When a picture was whole, its spatial and its temporal layer."""

    def _decode(self, now: float) -> None:
        assert self.next is not None
        assert self.highest is not None
        while self.next <= self.highest:
            packet = self.packets.get(self.next)
            if packet is None:
                self._blocked_since = now if self._blocked_since is None else self._blocked_since
                if now - self._blocked_since < self.give_up_s:
                    return
            else:
                self._blocked_since = None
                self._take(packet, now)
            self.packets.pop(self.next - 3000, None)
            self._asked.pop(self.next, None)
            self.next += 1

    def _take(self, packet: bytes, now: float) -> None:
        count = len(self.decoder.pictures)
        with contextlib.suppress(struct.error):  # garbage
            self.decoder.take(packet)
        for picture in self.decoder.pictures[count:]:
            if picture:
                top = picture[-1]
                self.shown.append((now, top.spatial, top.temporal))
                self.frames.append((now, top.picture, picture[0].is_key))

    def layers(self, since: float, until: float) -> set[int]:
        """Which spatial layers were on top of the pictures of this time."""
        return {spatial for at, spatial, _ in self.shown if since <= at < until}

    def rate(self, since: float, until: float) -> float:
        """Pictures per second."""
        return sum(since <= at < until for at, _, _ in self.shown) / (until - since)


class ScalableSubscriber(Subscriber):
    """Its video streams are `ScalableStream`s."""

    def __init__(self, world: World, name: str, *, takes_descriptors: bool = True) -> None:
        super().__init__(world, name)
        self.descriptors: list[bytes] = []
        """What came as dependency descriptor in each packet that has header extensions."""
        if takes_descriptors:
            answer = self.peer.answer
            self.peer.answer = lambda offer: self._with_descriptors(offer, answer(offer))

    def _with_descriptors(self, offer: str, answer: str) -> str:
        line = f"a=extmap:{rtp.DEPENDENCY_ID} {dependency.URI}\r\n"
        parts = zip(offer.split("m="), answer.split("m="), strict=True)
        return "m=".join(ours + line * (line in theirs) for theirs, ours in parts)

    def note_number(self, packet: bytes) -> None:
        """Keeps the descriptor too."""
        super().note_number(packet)
        if packet[0] & 0x10:
            elements, _ = rtp.parse_extensions(packet, 12, len(packet))
            self.descriptors.append(elements.get(rtp.DEPENDENCY_ID, b""))

    def _learn(self, description: str, ids: dict[str, str]) -> None:
        super()._learn(description, ids)
        for streams in (self.streams, self.by_track, self._rtx):
            for key, stream in list(streams.items()):
                if stream.is_video and not isinstance(stream, ScalableStream):
                    known = self.streams[stream.ssrc]
                    new = known if isinstance(known, ScalableStream) else ScalableStream(self, stream.ssrc)
                    streams[key] = new


class ScalableReporter(Reporter, ScalableSubscriber):
    """Such a receiver behind a path of limited rate."""


def scalable(
    world: World, codec: str, spatial: int, temporal: int, mode: str = "full", *, size: int = 60
) -> ScalablePublisher:
    """Somebody who sends so many layers, connected; `size` in bytes is what a packet has of a picture."""
    publisher = ScalablePublisher(world, "alice", LayeredSource(codec, spatial, temporal, mode=mode, size=size))
    publisher.join()
    world.run_until(lambda: publisher.is_connected)
    return publisher


def viewer(world: World, name: str, publisher: ScalablePublisher) -> ScalableSubscriber:
    """Somebody who receives it, connected."""
    subscriber = ScalableSubscriber(world, name)
    subscriber.receive_tracks([publisher.video])
    world.run_until(lambda: subscriber.is_connected)
    return subscriber
