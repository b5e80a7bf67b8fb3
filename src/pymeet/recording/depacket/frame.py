"""What comes out of depacketising: frames, and the parts of an RTP packet that it begins with."""

from dataclasses import dataclass

from pymeet.sfu import bits

Bytes = bytes | memoryview


MalformedError = bits.MalformedError
"""A payload does not follow its format. It stays inside this package, where it is counted."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What a decoder must know before its first frame."""

    width: int
    height: int
    private: bytes = b""
    """The codec's own configuration as Matroska and MP4 keep it: avcC, av1C; empty for VP8 and VP9."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One encoded picture, or one packet of sound."""

    data: bytes
    rtp_timestamp: int
    keyframe: bool
    picture: Picture | None = None
    """With every key frame of video."""
    duration: int = 0
    """In units of the RTP clock; 0 where the format does not say, as with pictures."""


def payload_of(packet: bytes) -> memoryview:
    """The payload of an RTP packet (RFC 3550 section 5.1), without padding. Raises MalformedError."""
    first, start, end = packet[0], 12, len(packet)
    start += 4 * (first & 15)
    if first & 0x10:
        if start + 4 > end:
            raise MalformedError("header extension cut off")
        start += 4 + 4 * (packet[start + 2] << 8 | packet[start + 3])
    if first & 0x20 and start < end:
        padding = packet[end - 1]
        if padding == 0:
            raise MalformedError("padding of no length")
        end -= padding
    if start > end:
        raise MalformedError("header or padding longer than the packet")
    return memoryview(packet)[start:end]
