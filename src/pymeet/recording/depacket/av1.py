"""AV1 in RTP (AV1 RTP specification 1.0, section 4), to temporal units whose OBUs carry their sizes."""

from pymeet.recording.depacket.av1_sequence import read_sequence_header
from pymeet.recording.depacket.bits import leb128, read_leb128
from pymeet.recording.depacket.frame import Bytes, MalformedError, Picture
from pymeet.recording.depacket.video import Video

_SEQUENCE_HEADER, _DELIMITER, _FRAME_HEADER, _FRAME, _TILE_LIST, _PADDING = 1, 2, 3, 6, 8, 15


class Av1(Video):
    """See `Depacketiser`. Sequence headers stay in the stream, so it can be decoded after they change."""

    def _take(self, payload: Bytes) -> None:
        if len(payload) < 2:
            raise MalformedError("AV1: nothing behind the aggregation header")
        head, at = payload[0], 1
        is_continued, count = bool(head & 0x80), head >> 4 & 3
        if is_continued != (self._open is not None):
            raise MalformedError("AV1: an OBU without its beginning or its end")
        number = 0
        while at < len(payload):
            number += 1
            size = len(payload) - at
            if number != count:
                size, at = read_leb128(payload, at)
                if at + size > len(payload):
                    raise MalformedError("AV1: OBU cut off")
            element = payload[at : at + size]
            at += size
            whole = at < len(payload) or not head & 0x40
            if self._open is None and whole:
                self._add(element)
            else:
                self._extend(element, whole=whole)
        if count and number != count:
            raise MalformedError("AV1: fewer OBUs than announced")

    def _frame(self) -> tuple[bytes, Picture | None]:
        out = bytearray()
        picture: Picture | None = None
        is_key: bool | None = None
        for part in self._parts:
            kind, head, body = _split(bytes(part))
            if kind in (_DELIMITER, _TILE_LIST, _PADDING):
                continue
            obu = bytes([head[0] | 0x02]) + head[1:] + leb128(len(body)) + body
            if kind == _SEQUENCE_HEADER:
                picture = read_sequence_header(body, obu)
            elif kind in (_FRAME_HEADER, _FRAME) and is_key is None:
                # not shown again from before, and of type 0 (section 5.9.2 of the bitstream specification)
                is_key = bool(body) and not body[0] & 0xE0
            out += obu
        if is_key is None:
            return b"", None
        return bytes(out), picture if is_key else None


def _split(obu: bytes) -> tuple[int, bytes, bytes]:
    """Type, header and content of an OBU, which may carry its size or not (section 5.3 of the bitstream specification)."""
    if not obu or obu[0] & 0x80:
        raise MalformedError("AV1: no OBU")
    at = 2 if obu[0] & 0x04 else 1
    if len(obu) < at:
        raise MalformedError("AV1: OBU header cut off")
    head, end = obu[:at], len(obu)
    if obu[0] & 0x02:
        size, at = read_leb128(obu, at)
        end = at + size
        if end > len(obu):
            raise MalformedError("AV1: OBU cut off")
    return obu[0] >> 3 & 15, head, obu[at:end]
