"""One forwarded copy of a track: a receiver's own SSRC, numbers that go on without a gap, retransmissions, reports."""

import secrets
from typing import TYPE_CHECKING

from pymeet.sfu import rtp

if TYPE_CHECKING:
    from pymeet.sfu.fanout import Fanout
    from pymeet.sfu.subscribe import SubscribeTransport

_REPAIRS_PER_S = 500.0
_REPAIR_BURST = 300.0


class Consumer:
    """Made for one section of a receiving connection. It may be moved from producer to producer; its SSRC stays."""

    __slots__ = (
        "_allowance",
        "_allowance_at",
        "clock_rate",
        "fanout",
        "next_sequence",
        "octets_before",
        "packets_before",
        "payload_type",
        "resume_timestamp",
        "resumed_at",
        "rtx_payload_type",
        "rtx_sequence",
        "rtx_ssrc",
        "sequence_offset",
        "ssrc",
        "start_sequence",
        "timestamp_offset",
        "transport",
    )

    def __init__(
        self, transport: "SubscribeTransport", payload_type: int, rtx_payload_type: int | None, clock_rate: int
    ) -> None:
        self.transport = transport
        self.payload_type = payload_type
        self.rtx_payload_type = rtx_payload_type
        self.clock_rate = clock_rate
        self.ssrc = transport.new_ssrc()
        self.rtx_ssrc = transport.new_ssrc() if rtx_payload_type is not None else 0
        # a start in the lower half keeps the first wrap away from the handshake (RFC 3711 section 3.3.1)
        self.next_sequence = secrets.randbelow(0x4000)
        self.rtx_sequence = secrets.randbelow(0x4000)
        self.sequence_offset = 0
        self.timestamp_offset: int | None = None
        self.resume_timestamp: int | None = None
        """The last timestamp sent, and when: the next producer's timestamps go on from there."""
        self.resumed_at = 0.0
        self.start_sequence = 0
        """The producer's sequence number at which forwarding began; older packets must never be sent."""
        self.packets_before = 0
        self.octets_before = 0
        self.fanout: Fanout | None = None
        self._allowance = _REPAIR_BURST
        self._allowance_at = 0.0

    def begin(self, sequence: int, timestamp: int, now: float) -> None:
        """Forwarding (re)starts with this packet of the producer."""
        self.start_sequence = sequence
        self.sequence_offset = (self.next_sequence - sequence) & 0xFFFF
        if self.timestamp_offset is None:
            if self.resume_timestamp is None:
                self.timestamp_offset = 0
            else:
                elapsed = max(1, round((now - self.resumed_at) * self.clock_rate))
                self.timestamp_offset = (self.resume_timestamp + elapsed - timestamp) & 0xFFFFFFFF

    def end(self, last_sequence: int, last_timestamp: int, now: float) -> None:
        """Forwarding pauses; the producer's last packet was this."""
        self.next_sequence = (last_sequence + self.sequence_offset + 1) & 0xFFFF
        self.resume_timestamp = (last_timestamp + (self.timestamp_offset or 0)) & 0xFFFFFFFF
        self.resumed_at = now

    def forget_producer(self) -> None:
        """The next packets come from another producer, whose timestamps are unrelated."""
        self.timestamp_offset = None

    def keep_up(self, newest: int) -> None:
        """Moves the start along behind the producer's newest packet, since numbers compare only within half their space.

        To be called every second or so.
        """
        if (newest - self.start_sequence) & 0xFFFF > 0x4000:
            self.start_sequence = (newest - 0x2000) & 0xFFFF

    def may_have(self, sequence: int) -> bool:
        """Whether a late packet of the producer belongs to what this receiver has been sent."""
        return (sequence - self.start_sequence) & 0xFFFF < 0x8000

    def header(self, packet: bytes, sequence: int, timestamp: int) -> bytes:
        """A producer's packet with this receiver's payload type, numbers and SSRC."""
        second = packet[1] & 0x80 | self.payload_type
        out_sequence = (sequence + self.sequence_offset) & 0xFFFF
        out_timestamp = (timestamp + (self.timestamp_offset or 0)) & 0xFFFFFFFF
        head = rtp.HEADER.pack(packet[0], second, out_sequence, out_timestamp, self.ssrc)
        return head + packet[rtp.HEADER_BYTES :]

    def repair(self, sequences: tuple[int, ...], now: float) -> list[bytes]:
        """Retransmissions of what the receiver misses, as far as the ring has it and the allowance goes."""
        fanout = self.fanout
        if fanout is None or not fanout.is_forwarding(self):
            return []
        self._allowance = min(_REPAIR_BURST, self._allowance + (now - self._allowance_at) * _REPAIRS_PER_S)
        self._allowance_at = now
        packets = []
        for wanted in sequences:
            original = (wanted - self.sequence_offset) & 0xFFFF
            # under a number still to come the ring may hold a packet of the last round of numbers
            is_recent = (fanout.last_sequence - original) & 0xFFFF < fanout.ring.size
            packet = fanout.ring.get(original) if is_recent and self.may_have(original) else None
            if packet is None or self._allowance < 1:
                continue
            self._allowance -= 1
            again = self.header(packet, original, int.from_bytes(packet[4:8], "big"))
            if self.rtx_payload_type is not None:
                again = rtp.rtx_packet(again, self.rtx_payload_type, self.rtx_sequence, self.rtx_ssrc)
                self.rtx_sequence = (self.rtx_sequence + 1) & 0xFFFF
            packets.append(again)
        return packets
