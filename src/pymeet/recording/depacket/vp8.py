"""VP8 in RTP (RFC 7741)."""

from pymeet.recording.depacket.frame import Bytes, MalformedError, Picture
from pymeet.recording.depacket.video import Video


class Vp8(Video):
    """See `Depacketiser`."""

    def _take(self, payload: Bytes) -> None:
        begins, at = _descriptor(payload)
        if not self._parts and not begins:
            self._is_broken = True
        self._add(payload[at:])

    def _frame(self) -> tuple[bytes, Picture | None]:
        data = b"".join(self._parts)
        if len(data) < 3:
            raise MalformedError("VP8: no frame header")
        if data[0] & 1:
            return data, None
        if len(data) < 10 or data[3:6] != b"\x9d\x01\x2a":  # RFC 6386 section 9.1
            raise MalformedError("VP8: a key frame without its start code")
        width, height = int.from_bytes(data[6:8], "little") & 0x3FFF, int.from_bytes(data[8:10], "little") & 0x3FFF
        if not width or not height:
            raise MalformedError("VP8: a picture of no size")
        return data, Picture(width, height)


def _descriptor(payload: Bytes) -> tuple[bool, int]:
    """Whether a frame begins here, and where the payload descriptor (section 4.2) ends."""
    if not payload:
        raise MalformedError("VP8: empty")
    first, at = payload[0], 1
    if first & 0x80:
        if len(payload) < 2:
            raise MalformedError("VP8: descriptor cut off")
        extension, at = payload[1], 2
        if extension & 0x80:
            at += 2 if len(payload) > at and payload[at] & 0x80 else 1
        at += bool(extension & 0x40) + bool(extension & 0x30)
    if at >= len(payload):
        raise MalformedError("VP8: nothing behind the descriptor")
    return bool(first & 0x10) and not first & 0x07, at
