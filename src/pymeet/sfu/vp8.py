"""VP8 in RTP (RFC 7741): what a payload descriptor says, and picture numbers that go on without a gap over a switch.

Receivers find lost frames by the picture id, and by TL0PICIDX what a frame of a higher temporal layer depends on. Layers of
one simulcast number their pictures each on its own, so a receiver that is switched between them gets both shifted.
"""

import struct
from typing import NamedTuple

from pymeet.sfu.errors import DatagramError

Buffer = bytes | bytearray | memoryview
Places = tuple[int, int, int, int, int]

LONG = 0x7FFF
SHORT = 0x7F
_START_CODE = b"\x9d\x01\x2a"
_SIZES = struct.Struct("<HH")
_PICTURE = struct.Struct("!H")

NOWHERE: Places = (0, 0, 0, 0, 0)
"""The `places` of a packet whose numbers are not to be touched."""


class Descriptor(NamedTuple):
    """The payload descriptor (RFC 7741 section 4.2). Numbers that are not there are -1, and offsets 0."""

    begins_frame: bool
    """Whether this is the first packet of a frame: S is set and the partition is 0."""
    is_unreferenced: bool
    """N: no other frame depends on this one."""
    picture_at: int
    picture: int
    picture_mask: int
    """LONG or SHORT (15 or 7 bits); 0 where there is no picture id."""
    tl0_at: int
    tl0: int
    temporal: int
    is_synchronised: bool
    """Y: depends on frames of the lowest temporal layer only, so here a receiver may begin with this layer."""
    end: int
    """Where the VP8 payload header or data begin."""


def parse(data: Buffer, start: int) -> Descriptor:
    """The descriptor at `start`; offsets count from the beginning of `data`. Raises DatagramError when it is cut off."""
    try:
        first, at = data[start], start + 1
        picture_at = mask = tl0_at = 0
        picture = tl0 = temporal = -1
        is_synchronised = False
        if first & 0x80:
            has, at = data[at], at + 1
            if has & 0x80:
                picture_at = at
                if data[at] & 0x80:
                    picture, mask, at = (data[at] << 8 | data[at + 1]) & LONG, LONG, at + 2
                else:
                    picture, mask, at = data[at], SHORT, at + 1
            if has & 0x40:
                tl0_at, tl0, at = at, data[at], at + 1
            if has & 0x30:
                octet, at = data[at], at + 1
                if has & 0x20:
                    temporal, is_synchronised = octet >> 6, bool(octet & 0x20)
    except IndexError:
        raise DatagramError("VP8: payload descriptor cut off") from None
    begins = first & 0x17 == 0x10
    return Descriptor(begins, bool(first & 0x20), picture_at, picture, mask, tl0_at, tl0, temporal, is_synchronised, at)


def payload_at(packet: Buffer) -> int:
    """Where the payload of an RTP packet without contributors begins. Raises DatagramError when that is cut off."""
    if len(packet) < 16:
        raise DatagramError("RTP: packet without payload")
    if not packet[0] & 0x10:
        return 12
    return 16 + 4 * (packet[14] << 8 | packet[15])


def places(packet: Buffer) -> Places:
    """Where in an RTP packet its numbers stand: picture id's offset, value and mask, TL0PICIDX's offset and value.

    Zeros for what is not there; never raises. Worked out once per packet, used for all its copies.
    """
    try:
        d = parse(packet, payload_at(packet))
    except DatagramError:
        return NOWHERE
    return d.picture_at, d.picture, d.picture_mask, d.tl0_at, d.tl0


def renumber(buffer: bytearray | memoryview, at: int, where: Places, picture: int, tl0: int) -> None:
    """Adds `picture` to the picture id and `tl0` to TL0PICIDX of the copy that begins at `at`; `where` is its `places`."""
    picture_at, was_picture, mask, tl0_at, was_tl0 = where
    if mask == LONG:
        _PICTURE.pack_into(buffer, at + picture_at, 0x8000 | (was_picture + picture) & LONG)
    elif mask:
        buffer[at + picture_at] = (was_picture + picture) & SHORT
    if tl0_at:
        buffer[at + tl0_at] = (was_tl0 + tl0) & 0xFF


class Vp8Numbers:
    """What is added to the numbers of one receiver's packets. It changes only at a switch, so late packets and repairs
    of the stream that is being forwarded get the same.
    """

    __slots__ = ("picture", "tl0")

    def __init__(self) -> None:
        self.picture = 0
        self.tl0 = 0

    def go_on(self, last: Buffer | None, first: Buffer, *, is_same_stream: bool = False) -> None:
        """After `last`, the newest packet of the stream forwarded so far, comes `first`, the beginning of a picture of another.

        Both as the ring has them. None when nothing was forwarded so far: the numbers are then left alone. Two points of one
        stream (`is_same_stream`) count their lowest temporal layer alike; any other stream is begun with a key frame, which
        belongs to the lowest.
        """
        if last is None:
            self.picture = self.tl0 = 0
            return
        _, picture, mask, tl0_at, tl0 = places(last)
        _, next_picture, next_mask, next_tl0_at, next_tl0 = places(first)
        if mask and next_mask:
            self.picture = (picture + self.picture + 1 - next_picture) & LONG
        if tl0_at and next_tl0_at and not is_same_stream:
            self.tl0 = (tl0 + self.tl0 + 1 - next_tl0) & 0xFF

    @property
    def is_shifting(self) -> bool:
        """Whether there is anything to rewrite."""
        return bool(self.picture or self.tl0)

    def rewrite(self, buffer: bytearray | memoryview, at: int, where: Places) -> None:
        """Shifts the numbers of the copy that begins at `at`, in place; `where` is `places` of the packet."""
        renumber(buffer, at, where, self.picture, self.tl0)

    def rewritten(self, packet: bytes) -> bytes:
        """The packet with its numbers shifted: for repairs and late packets."""
        where = places(packet)
        if where == NOWHERE or not self.is_shifting:
            return packet
        copy = bytearray(packet)
        renumber(copy, 0, where, self.picture, self.tl0)
        return bytes(copy)


def keyframe_size(payload: Buffer) -> tuple[int, int] | None:
    """Width and height in pixels that a key frame's first packet announces (RFC 6386 section 9.1); None for any other."""
    try:
        d = parse(payload, 0)
    except DatagramError:
        return None
    at = d.end
    if not d.begins_frame or len(payload) < at + 10 or payload[at] & 1 or payload[at + 3 : at + 6] != _START_CODE:
        return None
    width, height = _SIZES.unpack_from(payload, at + 6)
    return width & 0x3FFF, height & 0x3FFF
