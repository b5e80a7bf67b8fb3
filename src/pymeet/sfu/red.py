"""Sound with a copy of what went before (RED, RFC 2198): a lost packet can be had from the next one, without asking again.

Senders that offer it send it. To receivers that take it a second stream of a track goes while their path loses packets, made of
what the sender put in or, of others, of the packet before; everybody else, and a recording, gets the plain packets.
"""

from typing import TYPE_CHECKING

from pymeet.sfu import rtp
from pymeet.sfu.cache import PacketRing
from pymeet.sfu.consumer import Consumer
from pymeet.sfu.errors import DatagramError
from pymeet.sfu.fanout import Fanout
from pymeet.sfu.ports import Port
from pymeet.sfu.switching import Receiver

if TYPE_CHECKING:
    from pymeet.sfu.layer import Layer
    from pymeet.sfu.producer import Track

PAYLOAD_TYPE, OPUS_PAYLOAD_TYPE = 63, 111
"""The numbers that our own offers give: what stands in a block's head must be the same for all who get the packet."""

Block = tuple[int, bytes]
"""An earlier packet's payload, and by how many ticks it is older."""

_MAX_BLOCKS = 4
_MAX_TICKS, _MAX_BYTES = 1 << 14, 1 << 10
_HALF = 1 << 31


def split(data: bytes | bytearray | memoryview, start: int, end: int) -> tuple[list[Block], int]:
    """The redundant blocks of a payload, oldest first, and where the primary one begins. Raises DatagramError."""
    heads: list[tuple[int, int]] = []
    at = start
    while True:
        if at >= end:
            raise DatagramError("RED: cut off")
        if not data[at] & 0x80:
            break
        if at + 4 > end or len(heads) == _MAX_BLOCKS:
            raise DatagramError("RED: cut off, or too much of it")
        ticks_and_size = int.from_bytes(data[at + 1 : at + 4], "big")
        heads.append((ticks_and_size >> 10, ticks_and_size & _MAX_BYTES - 1))
        at += 4
    at += 1
    blocks: list[Block] = []
    for ticks, size in heads:
        blocks.append((ticks, bytes(data[at : at + size])))
        at += size
    if at > end:
        raise DatagramError("RED: cut off")
    return blocks, at


def join(blocks: list[Block], primary: bytes) -> bytes:
    """A payload of these, with the numbers of our offers."""
    heads = b"".join(
        bytes((0x80 | OPUS_PAYLOAD_TYPE,)) + (ticks << 10 | len(data)).to_bytes(3, "big") for ticks, data in blocks
    )
    return heads + bytes((OPUS_PAYLOAD_TYPE,)) + b"".join(data for _, data in blocks) + primary


class _RedFanout(Fanout):
    """A fan-out whose receivers get another payload type while they are in it. Knows what the next packet may repeat."""

    __slots__ = ("previous", "since")

    def __init__(self, port: Port) -> None:
        super().__init__(port, PacketRing(1))
        self.previous: tuple[int, int, bytes] | None = None
        """Number, timestamp and text of the packet before."""
        self.since: int | None = None
        """The timestamp at which the present stretch began."""

    def pause(self, now: float) -> None:
        super().pause(now)
        self.previous = self.since = None  # what comes while it is muted must not be had afterwards

    def add(self, consumer: Consumer) -> None:
        consumer.payload_type = PAYLOAD_TYPE
        super().add(consumer)

    def remove(self, consumer: Consumer, now: float) -> None:
        super().remove(consumer, now)
        consumer.payload_type = OPUS_PAYLOAD_TYPE


class RedLayer:
    """A stream of sound once more, each packet with the one before it. What it has of its own is its fan-out."""

    __slots__ = ("carried", "fanout", "height", "incoming", "rate_bps", "stream", "usual_bps", "width")

    def __init__(self, stream: "Layer", port: Port) -> None:
        self.stream = stream
        self.fanout = _RedFanout(port)
        self.incoming: list[Receiver] = []
        """See `Layer.incoming`."""
        self.carried: list[Block] = []
        """What the packet that is handed in next brought along."""
        self.rate_bps = self.usual_bps = 0
        self.width = self.height = 0

    @property
    def track(self) -> "Track":
        """Whose stream it is."""
        return self.stream.track

    @property
    def heard_at(self) -> float:
        """See `Layer`."""
        return self.stream.heard_at

    @property
    def clock_zero(self) -> int | None:
        """See `Layer`."""
        return self.stream.clock_zero

    def is_live(self, now: float) -> bool:
        """See `Layer`."""
        return self.stream.is_live(now)

    def request_keyframe(self, now: float) -> None:
        """There are none."""

    def take(self, packet: bytes, marker: int, sequence: int, timestamp: int, now: float) -> None:
        """Takes a plain packet, newer than all before it."""
        fanout = self.fanout
        if fanout.since is None:
            fanout.since = timestamp
        if fanout.consumers or fanout.waiting or self.incoming:
            start = rtp.payload_at(packet)
            redundant = packet[:start] + join(self._blocks(sequence, timestamp), packet[start:])
            if not self.track.withheld:
                self._begin(redundant, sequence, timestamp, now)
            fanout.forward(redundant, marker, sequence, timestamp)
        else:
            fanout.last_sequence, fanout.last_timestamp = sequence, timestamp
        fanout.previous = sequence, timestamp, packet

    def take_late(self, packet: bytes, sequence: int, timestamp: int) -> None:
        """Takes one that was overtaken."""
        if self.fanout.consumers:
            start = rtp.payload_at(packet)
            self.fanout.forward_late(packet[:start] + join([], packet[start:]), sequence, timestamp, _send)

    def _blocks(self, sequence: int, timestamp: int) -> list[Block]:
        if self.carried:
            # the sender's own redundancy could bring what was said while muted
            since = self.fanout.since or 0
            return [(ticks, data) for ticks, data in self.carried if (timestamp - ticks - since) & 0xFFFFFFFF < _HALF]
        if self.fanout.previous is None:
            return []
        number, stamp, packet = self.fanout.previous
        payload = packet[rtp.payload_at(packet) :]
        ticks = (timestamp - stamp) & 0xFFFFFFFF
        is_next = (sequence - number) & 0xFFFF == 1 and 0 < ticks < _MAX_TICKS
        is_whole = len(payload) < _MAX_BYTES and not packet[0] & 0x20  # padding would be taken for sound
        return [(ticks, payload)] if is_next and is_whole else []

    def _begin(self, packet: bytes, sequence: int, timestamp: int, now: float) -> None:
        for receiver in list(self.incoming):
            receiver.cross(now)
        if self.fanout.waiting:
            for consumer in self.fanout.waiting:
                self.track.receivers[consumer].go_on(self, packet, timestamp, now)
            for consumer in self.fanout.begin_waiting(sequence, timestamp, now):
                self.stream.send_report(consumer, self.fanout)


def _send(consumer: Consumer, packet: bytes) -> None:
    consumer.transport.send_rtp(packet)
