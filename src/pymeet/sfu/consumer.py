"""One forwarded copy of a track: a receiver's own SSRC, numbers that go on without a gap, retransmissions, reports."""

import secrets
import struct
from typing import TYPE_CHECKING, NamedTuple

from pymeet.sfu import rtp, vp8
from pymeet.sfu.cache import PacketRing
from pymeet.sfu.history import TAG_BYTES

if TYPE_CHECKING:
    from pymeet.sfu.fanout import Fanout
    from pymeet.sfu.subscribe import SubscribeTransport

_REPAIRS_PER_S = 500.0
_REPAIR_BURST = 300.0
_FORMER_S = 1.0  # what comes again later than that, before a key frame, only makes browsers play everything later
_SOUND = 48000
_HEAD = struct.Struct("!BBHIIIHH")
_PADDING = bytes(254) + b"\xff"

Shift = tuple[int, int]
"""What is added to VP8's picture ids and to TL0PICIDX."""


class _Place(NamedTuple):
    """Where a stretch of what was sent came from, and how it was rewritten."""

    ring: PacketRing
    sequence_offset: int
    timestamp_offset: int
    shift: Shift | None
    oldest: int
    newest: int
    """The producer's numbers of the first packet and the last."""
    until: float

    def has(self, sequence: int) -> bool:
        """Whether the producer's packet of this number belongs to the stretch and can still be had."""
        # under a number still to come the ring may hold a packet of the last round of numbers
        is_recent = (self.newest - sequence) & 0xFFFF < self.ring.size
        is_own = (sequence - self.oldest) & 0xFFFF < 0x8000
        return is_recent and is_own and self.ring.get(sequence) is not None


Repair = tuple[_Place, int]


class Consumer:
    """Made for one section of a receiving connection. It may be moved from producer to producer; its SSRC stays."""

    __slots__ = (
        "_allowance",
        "_allowance_at",
        "_former",
        "_has_begun",
        "_ids",
        "_is_plain",
        "clock_rate",
        "fanout",
        "next_sequence",
        "octets_before",
        "packets_before",
        "payload_type",
        "red_payload_type",
        "resume_timestamp",
        "resumed_at",
        "rtx_payload_type",
        "rtx_sequence",
        "rtx_ssrc",
        "second_id",
        "sequence_offset",
        "ssrc",
        "start_sequence",
        "timestamp_offset",
        "transport",
        "vp8",
        "wide_id",
    )

    def __init__(
        self, transport: "SubscribeTransport", payload_type: int, rtx_payload_type: int | None, clock_rate: int
    ) -> None:
        self.transport = transport
        self.payload_type = payload_type
        self.red_payload_type: int | None = None
        """Where the receiver takes sound with redundancy."""
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
        self.vp8: vp8.Vp8Numbers | None = None
        """How picture numbers go on over a change of streams."""
        self.wide_id = 0
        """Under which id this receiver wants transport-wide numbers; 0 for not at all. What counts is what holds when it begins."""
        self.second_id = rtp.LEVEL_ID if clock_rate == _SOUND else 0
        """The same of the element that may follow: of sound its level."""
        self._has_begun = False
        self._is_plain = False
        self._ids = (0, 0)
        self._former: _Place | None = None
        self._allowance = _REPAIR_BURST
        self._allowance_at = 0.0

    def begin(self, sequence: int, timestamp: int, now: float) -> None:
        """Forwarding (re)starts with this packet of the producer."""
        self.transport.begun(now)
        if not self._has_begun:
            self._has_begun = True
            self._is_plain = self.rtx_payload_type is None
            self._ids = self.wide_id, self.second_id
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
        if self.fanout is not None:
            self._former = self._place(self.fanout)._replace(newest=last_sequence, until=now + _FORMER_S)

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

    def _place(self, fanout: "Fanout") -> _Place:
        return _Place(
            fanout.ring,
            self.sequence_offset,
            self.timestamp_offset or 0,
            self.shift,
            self.start_sequence,
            fanout.last_sequence,
            0.0,
        )

    @property
    def is_sound(self) -> bool:
        """Whether this is sound, which is not repaired and may carry its level."""
        return self.clock_rate == _SOUND

    # -- copies ---------------------------------------------------------------------------------------------------

    @property
    def shift(self) -> Shift | None:
        """What is added to VP8's picture ids and TL0PICIDX, if anything is."""
        return (self.vp8.picture, self.vp8.tl0) if self.vp8 is not None and self.vp8.is_shifting else None

    @property
    def wide_head(self) -> int:
        """The 16 bits before the number in the copies for this receiver; 0 where they are not numbered.

        Video without retransmissions of its own (RTX) is not: what is sent again under its old sequence number must be the same
        text, or AES-GCM's authentication would be lost.
        """
        wide_id, _ = self._ids
        return 0 if not wide_id or (self._is_plain and not self.is_sound) else wide_id << 4 | 1

    @property
    def second_element(self) -> int:
        """The id under which the second element stands in the copies for this receiver; 0 for not at all."""
        return self._ids[1]

    def copy(self, packet: bytes) -> bytes:
        """A producer's packet as this receiver gets it now: numbered, and remembered as sent."""
        return self._copy(packet, self.sequence_offset, self.timestamp_offset or 0, self.shift, len(packet))

    def _copy(
        self, packet: bytes, sequence_offset: int, timestamp_offset: int, shift: Shift | None, size_bytes: int
    ) -> bytes:
        """A copy of a packet, so rewritten; it will be sent as so many bytes."""
        first, second, sequence, timestamp, _, block, _, _ = _HEAD.unpack_from(packet)
        copy = bytearray(packet)
        copy[rtp.SECOND_AT :] = rtp.with_second_id(packet, self.second_element)
        if shift is not None:
            vp8.renumber(copy, 0, vp8.places(packet), *shift)
        head = self.wide_head
        _HEAD.pack_into(
            copy,
            0,
            first,
            second & 0x80 | self.payload_type,
            (sequence + sequence_offset) & 0xFFFF,
            (timestamp + timestamp_offset) & 0xFFFFFFFF,
            self.ssrc,
            block,
            head << 4 & 0xF00 | 2 if head and rtp.is_long(packet) else head,
            self.transport.history.record(size_bytes + TAG_BYTES, self.transport.sfu.now) if head else 0,
        )
        return bytes(copy)

    # -- beyond the stream ----------------------------------------------------------------------------------------

    def repair(self, sequences: tuple[int, ...], now: float) -> int:
        """Sends again what the receiver misses, as far as the ring has it and the allowance goes; how many packets."""
        return sum(self.resend(repair) > 0 for repair in self.repairs(sequences, now))

    def repairs(self, sequences: tuple[int, ...], now: float) -> list[Repair]:
        """What of these can be sent again, for `resend`."""
        if self.rtx_payload_type is None and not self._is_plain:
            return []  # RTX was taken back, and under their old numbers these would be other texts
        self._allowance = min(_REPAIR_BURST, self._allowance + (now - self._allowance_at) * _REPAIRS_PER_S)
        self._allowance_at = now
        places, fanout = [], self.fanout
        if fanout is not None:
            fanout.flush()
            if fanout.is_forwarding(self):
                places.append(self._place(fanout))
        if self._former is not None and now < self._former.until:
            places.append(self._former)
        found = []
        for wanted in sequences:
            for place in places:
                original = (wanted - place.sequence_offset) & 0xFFFF
                if self._allowance >= 1 and place.has(original):
                    self._allowance -= 1
                    found.append((place, original))
                    break
        return found

    def resend(self, repair: Repair) -> int:
        """Sends one of the `repairs`; how many bytes that was, 0 when it is no longer there."""
        place, original = repair
        packet = place.ring.get(original)
        if packet is None:
            return 0
        is_rtx = self.rtx_payload_type is not None
        size_bytes = len(packet) + 2 * is_rtx
        again = self._copy(packet, place.sequence_offset, place.timestamp_offset, place.shift, size_bytes)
        if is_rtx:
            again = rtp.rtx_packet(again, self.rtx_payload_type or 0, self.rtx_sequence, self.rtx_ssrc)
            self.rtx_sequence = (self.rtx_sequence + 1) & 0xFFFF
        self.transport.send_rtp(again)
        return len(again)

    def padding(self) -> int:
        """Sends a packet of nothing but padding (RFC 3550 section 5.1), to see what the path holds; how many bytes that was.

        It goes where retransmissions go, also while nothing is forwarded or before anything was. 0 where there is no such stream,
        or no report on it.
        """
        if self.rtx_payload_type is None:
            return 0
        timestamp = self.resume_timestamp or 0
        if self.fanout is not None and self.fanout.is_forwarding(self):
            timestamp = (self.fanout.last_timestamp + (self.timestamp_offset or 0)) & 0xFFFFFFFF
        if not self.wide_id:
            return 0  # nobody would report on it
        size, head = rtp.NORMAL_BYTES + len(_PADDING), self.wide_id << 4 | 1
        number = self.transport.history.record(size + TAG_BYTES, self.transport.sfu.now)
        about = (
            0xB0,
            self.rtx_payload_type,
            self.rtx_sequence,
            timestamp,
            self.rtx_ssrc,
            rtp.SHORT_BLOCK,
            head,
            number,
        )
        self.rtx_sequence = (self.rtx_sequence + 1) & 0xFFFF
        self.transport.send_rtp(_HEAD.pack(*about) + _PADDING)
        return size
