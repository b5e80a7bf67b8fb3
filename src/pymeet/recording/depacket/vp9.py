"""VP9 in RTP (RFC 9628)."""

from pymeet.recording.depacket.frame import Bytes, MalformedError, Picture
from pymeet.recording.depacket.video import Video
from pymeet.sfu.bits import Bits

_HEADER_BYTES = 16  # more than the part of the frame header that is read


class Vp9(Video):
    """See `Depacketiser`."""

    def _take(self, payload: Bytes) -> None:
        begins, at = _descriptor(payload)
        if not self._parts and not begins:
            self._is_broken = True
        self._add(payload[at:])

    def _frame(self) -> tuple[bytes, Picture | None]:
        data = b"".join(self._parts)
        return data, picture_of(data)


def _descriptor(payload: Bytes) -> tuple[bool, int]:
    """Whether a frame begins here, and where the payload descriptor (section 4.2) ends."""
    size = len(payload)
    if not size:
        raise MalformedError("VP9: empty")
    first, at = payload[0], 1
    is_flexible = first & 0x10
    if first & 0x80:
        at += 2 if at < size and payload[at] & 0x80 else 1
    if first & 0x20:
        at += 1 if is_flexible else 2
    if is_flexible and first & 0x40:
        for _ in range(3):
            at += 1
            if at > size or not payload[at - 1] & 1:
                break
    if first & 0x02:
        at = _scalability(payload, at)
    if at >= size:
        raise MalformedError("VP9: nothing behind the descriptor")
    return bool(first & 0x08), at


def _scalability(payload: Bytes, at: int) -> int:
    """Where the scalability structure (section 4.2.1) that begins at `at` ends."""
    try:
        head = payload[at]
        at += 1
        if head & 0x10:
            at += 4 * ((head >> 5) + 1)
        if head & 0x08:
            pictures = payload[at]
            at += 1
            for _ in range(pictures):
                at += 1 + (payload[at] >> 2 & 3)
    except IndexError:
        raise MalformedError("VP9: scalability structure cut off") from None
    return at


def picture_of(frame: bytes) -> Picture | None:
    """The size of a key frame's picture; None for other frames (VP9 bitstream specification, section 6.2). Raises MalformedError."""
    bits = Bits(frame[:_HEADER_BYTES])
    if bits.take(2) != 2:
        raise MalformedError("VP9: no frame marker")
    profile = bits.take(1) | bits.take(1) << 1
    if profile == 3:
        bits.take(1)
    if bits.flag() or bits.flag():  # shows an older frame, or is no key frame
        return None
    bits.take(2)
    if bits.take(24) != 0x498342:
        raise MalformedError("VP9: no sync code")
    if profile >= 2:
        bits.take(1)
    if bits.take(3) != 7:
        bits.take(1)
        if profile & 1:
            bits.take(3)
    elif profile & 1:
        bits.take(1)
    return Picture(bits.take(16) + 1, bits.take(16) + 1)
