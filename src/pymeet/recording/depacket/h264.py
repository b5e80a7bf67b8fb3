"""H.264 in RTP (RFC 6184, packetization modes 0 and 1), to the length-prefixed form that Matroska and MP4 keep."""

from pymeet.recording.depacket.frame import Bytes, MalformedError, Picture
from pymeet.recording.depacket.video import Video
from pymeet.sfu.h264 import read_sps

_SLICE, _IDR, _SPS, _PPS, _DELIMITER, _FILLER = 1, 5, 7, 8, 9, 12
_STAP_A, _FU_A = 24, 28
_MAX_SETS = 32


class H264(Video):
    """See `Depacketiser`. Parameter sets stay in the stream, so it can be decoded after they change."""

    def __init__(self) -> None:
        super().__init__()
        self._sps = b""
        self._pps: list[bytes] = []

    def _take(self, payload: Bytes) -> None:
        if not payload:
            raise MalformedError("H.264: empty")
        kind = payload[0] & 31
        if kind == _FU_A:
            self._take_fragment(payload)
            return
        if self._open is not None:
            raise MalformedError("H.264: a fragment without its end")
        if 1 <= kind <= 23:
            self._add(payload)
        elif kind == _STAP_A:
            at = 1
            while at < len(payload):
                size = int.from_bytes(payload[at : at + 2], "big")
                if not size or at + 2 + size > len(payload):
                    raise MalformedError("H.264: aggregate cut off")
                self._add(payload[at + 2 : at + 2 + size])
                at += 2 + size
        else:
            raise MalformedError("H.264: a packet of a mode that was not agreed on")

    def _take_fragment(self, payload: Bytes) -> None:
        if len(payload) < 3:
            raise MalformedError("H.264: fragment cut off")
        header = payload[1]
        if header & 0x80:
            if self._open is not None:
                raise MalformedError("H.264: a fragment without its end")
            self._open = bytearray([payload[0] & 0xE0 | header & 31])
        elif self._open is None:
            self._is_broken = True  # its beginning was lost
            return
        self._extend(payload[2:], whole=bool(header & 0x40))

    def _frame(self) -> tuple[bytes, Picture | None]:
        units = [bytes(part) for part in self._parts if part[0] & 31 not in (_DELIMITER, _FILLER)]
        kinds = [unit[0] & 31 for unit in units]
        self._learn_sets(units)
        slices = [unit for unit, kind in zip(units, kinds, strict=True) if kind in (_SLICE, _IDR)]
        if not slices:
            return b"", None  # parameter sets under a timestamp of their own: kept for the next key frame
        if len(slices[0]) < 2 or not slices[0][1] & 0x80:  # first_mb_in_slice is not 0
            raise MalformedError("H.264: the picture's first slice is missing")
        picture = None
        if _IDR in kinds:
            if not self._sps or not self._pps:
                raise MalformedError("H.264: a key frame without parameter sets")
            if _SPS not in kinds:
                units = [self._sps, *self._pps, *units]
            picture = self._picture()
        return b"".join(len(unit).to_bytes(4, "big") + unit for unit in units), picture

    def _learn_sets(self, units: list[bytes]) -> None:
        for unit in units:
            kind = unit[0] & 31
            if kind == _SPS and unit != self._sps:
                self._sps, self._pps = unit, []
            elif kind == _PPS and unit not in self._pps:
                self._pps = [*self._pps, unit][-_MAX_SETS:]

    def _picture(self) -> Picture:
        """The configuration record avcC (ISO/IEC 14496-15 section 5.3.3.1) of the present parameter sets."""
        sps = read_sps(self._sps)
        record = bytes([1]) + self._sps[1:4] + b"\xff\xe1" + len(self._sps).to_bytes(2, "big") + self._sps
        record += bytes([len(self._pps)]) + b"".join(len(p).to_bytes(2, "big") + p for p in self._pps)
        if sps.profile in (100, 110, 122, 144):
            record += bytes([0xFC | sps.chroma_format, 0xF8 | sps.luma_bits - 8, 0xF8 | sps.chroma_bits - 8, 0])
        return Picture(sps.width, sps.height, record)
