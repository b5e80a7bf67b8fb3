"""A sender of simulcast in the virtual world: three sizes of one picture, each with numbers and timestamps of its own.

It does as Chromium does: names stand in the headers until a receiver report shows that they have arrived, retransmissions always
name what they repair, sender reports come once a second, and what the server wants no more is not sent.
"""

import secrets
import struct
from dataclasses import dataclass, field

from pymeet.sfu import rtcp, rtp, vp8
from pymeet.sfu.events import Wanted
from tests.netem import Publisher, Stream, World
from tests.support.peer import MID_ID, REPAIRED_RID_ID, RID_ID, VP8, VP8_RTX

RIDS = ("l", "m", "h")
_FPS = 30


@dataclass
class Size:
    """One layer."""

    rid: str
    place: int
    width: int
    height: int
    per_frame: int
    bytes_each: int
    ssrc: int = field(default_factory=lambda: secrets.randbits(31) + 1)
    rtx_ssrc: int = field(default_factory=lambda: secrets.randbits(31) + (1 << 31))
    sequence: int = field(default_factory=lambda: secrets.randbelow(0x10000))
    rtx_sequence: int = field(default_factory=lambda: secrets.randbelow(0x4000))
    timestamp_base: int = field(default_factory=lambda: secrets.randbits(32))
    picture: int = field(default_factory=lambda: secrets.randbelow(0x8000))
    tl0: int = field(default_factory=lambda: secrets.randbelow(0x100))
    key_wanted: bool = True
    key_frames: int = 0
    is_named: bool = True
    """Whether its packets still carry its name."""
    is_announced: bool = False
    sent: dict[int, bytes] = field(default_factory=dict)
    nacked: int = 0

    def timestamp(self, number: int) -> int:
        """Of a frame with this number."""
        return (self.timestamp_base + number * (90000 // _FPS)) & 0xFFFFFFFF

    def frame(self, number: int) -> list[bytes]:
        """The packets of a frame."""
        key, self.key_wanted = self.key_wanted, False
        self.key_frames += key
        self.picture = (self.picture + 1) & vp8.LONG
        self.tl0 = (self.tl0 + 1) & 0xFF
        packets = []
        for i in range(self.per_frame):
            marker = 0x80 if i == self.per_frame - 1 else 0
            descriptor = struct.pack("!BBHB", 0x90 if i == 0 else 0x80, 0xC0, 0x8000 | self.picture, self.tl0)
            size = struct.pack("<HH", self.width, self.height)
            tag = b"" if i else (b"\x10\x02\x00\x9d\x01\x2a" + size if key else b"\x11\x02\x00" + bytes(7))
            body = struct.pack("!IHB", number, i, self.place).ljust(self.bytes_each, b".")
            packets.append(
                self._header(marker | VP8, self.sequence, self.timestamp(number), self.ssrc) + descriptor + tag + body
            )
            self.sent[self.sequence] = packets[-1]
            self.sent.pop((self.sequence - 1024) & 0xFFFF, None)
            self.sequence = (self.sequence + 1) & 0xFFFF
        return packets

    def _header(self, second: int, sequence: int, timestamp: int, ssrc: int, name: int = RID_ID) -> bytes:
        if not self.is_named and (name == RID_ID or self.is_announced):
            return rtp.HEADER.pack(0x80, second, sequence, timestamp, ssrc)
        block = struct.pack("!HHBcBc", 0xBEDE, 1, MID_ID << 4, b"1", name << 4, self.rid.encode())
        return rtp.HEADER.pack(0x90, second, sequence, timestamp, ssrc) + block

    def repair(self, sequence: int) -> bytes:
        """What was sent under this number once more."""
        packet = self.sent[sequence]
        _, second, _, timestamp, _ = rtp.HEADER.unpack_from(packet)
        head = self._header(second & 0x80 | VP8_RTX, self.rtx_sequence, timestamp, self.rtx_ssrc, REPAIRED_RID_ID)
        self.rtx_sequence = (self.rtx_sequence + 1) & 0xFFFF
        return head + struct.pack("!H", sequence) + packet[rtp.payload_at(packet) :]

    def restart(self) -> None:
        """Another SSRC and other numbers, as after a collision."""
        fresh = Size(self.rid, self.place, self.width, self.height, self.per_frame, self.bytes_each)
        self.ssrc, self.sequence, self.timestamp_base = fresh.ssrc, fresh.sequence, fresh.timestamp_base
        self.is_named = not self.is_announced
        self.key_wanted = True


class SimulcastPublisher(Publisher):
    """Sends its camera in three sizes; the camera is mid 1."""

    def __init__(self, world: World, name: str, order: tuple[str, ...] = RIDS) -> None:
        super().__init__(world, name)
        self.sizes = {
            "l": Size("l", 0, 320, 180, 1, 500),
            "m": Size("m", 1, 640, 360, 2, 900),
            "h": Size("h", 2, 1280, 720, 5, 1100),
        }
        self.order = order
        self.broken: set[str] = set()
        """Sizes that its encoder cannot send for now."""
        self.number = 0
        self.filmed_at = world.now
        self.reports = True
        self.obeys = True

    def negotiate(self, *, announce: bool = False, rtx: bool = True, codec: str = "VP8") -> None:
        """One offer and its answer. `announce`: by a group of SSRCs, as before there were names."""
        sizes = [self.sizes[rid] for rid in self.order]
        if announce:
            for size in sizes:
                size.is_announced, size.is_named = True, False
            offer = self.peer.offer("sendonly", audio_ssrc=self.audio_ssrc, rtx=rtx)
            ssrcs = " ".join(str(size.ssrc) for size in sizes)
            offer += f"a=ssrc-group:SIM {ssrcs}\r\n"
            for size in sizes:
                offer += f"a=ssrc-group:FID {size.ssrc} {size.rtx_ssrc}\r\n"
                offer += f"a=ssrc:{size.ssrc} cname:light\r\na=ssrc:{size.rtx_ssrc} cname:light\r\n"
        else:
            offer = self.peer.offer("sendonly", audio_ssrc=self.audio_ssrc, rtx=rtx, rids=self.order)
        offer = offer.replace("VP8/90000", f"{codec}/90000")
        self.answer = self.transport.answer(offer, self.wishes, self.world.now)
        self.peer.take_description(self.answer)

    def film(self) -> None:
        """Sends frames, and reports, until `is_filming` is taken back."""
        super().film()
        self._report_again()

    def _report_again(self) -> None:
        if self.is_filming and self.reports:
            self.report()
        self.world.at(self.world.now + 1.0, self._report_again)

    @property
    def wanted(self) -> tuple[str, ...]:
        """What the server said last that it wants."""
        said = [event.rids for event in self.events if isinstance(event, Wanted)]
        return said[-1] if said else RIDS

    def _is_sent(self, rid: str) -> bool:
        return rid not in self.broken and (rid in self.wanted or not self.obeys)

    def _frame(self) -> None:
        if not self.is_filming:
            return
        for rid, size in self.sizes.items():
            if self._is_sent(rid):
                for packet in size.frame(self.number):
                    self.send_packet(packet)
            else:
                size.key_wanted = True  # an encoder that begins again begins with a key frame
        self.number += 1
        self.filmed_at = self.world.now
        self.world.at(self.world.now + 1 / _FPS, self._frame)

    def report(self) -> None:
        """Sender reports of all that is sent: the wall clock against each stream's own."""
        for rid, size in self.sizes.items():
            if self._is_sent(rid) and size.sent:
                since = round((self.world.now - self.filmed_at) * 90000)
                timestamp = (size.timestamp(self.number - 1) + since) & 0xFFFFFFFF
                report = rtcp.SenderReport(size.ssrc, self.ntp(), timestamp, 1, 1)
                self.send_control(rtcp.sender_report(report))

    def got_something(self) -> None:
        messages, self.peer.rtcp = self.peer.rtcp, []
        self.asked += [(self.world.now, m) for m in messages]
        for size in self.sizes.values():
            for message in messages:
                if isinstance(message, rtcp.Nack) and message.media_ssrc == size.ssrc:
                    size.nacked += len(message.sequences)
                    for sequence in message.sequences:
                        if sequence in size.sent:
                            self.send_packet(size.repair(sequence))
                elif isinstance(message, rtcp.KeyframeRequest) and message.media_ssrc == size.ssrc:
                    size.key_wanted = True
                elif isinstance(message, rtcp.Reports) and size.ssrc in {b.ssrc for b in message.blocks}:
                    size.is_named = False

    def key_frames_asked_of(self, rid: str) -> int:
        """How often the server asked for a key frame of this size."""
        ssrc = self.sizes[rid].ssrc
        return sum(isinstance(m, rtcp.KeyframeRequest) and m.media_ssrc == ssrc for _, m in self.asked)


def simulcaster(
    world: World, name: str = "alice", order: tuple[str, ...] = RIDS, **offer: object
) -> SimulcastPublisher:
    """Somebody who sends simulcast, connected."""
    publisher = SimulcastPublisher(world, name, order)
    publisher.join(**offer)
    world.run_until(lambda: publisher.is_connected)
    return publisher


def places(stream: Stream) -> list[int]:
    """Of which size each decoded frame was: 0 is the smallest."""
    return [place for _, place in stream.seen]


def size_at(stream: Stream, when: float) -> int:
    """Of which size the newest frame decoded before this moment was."""
    return next(place for at, place in reversed(stream.seen) if at <= when)
