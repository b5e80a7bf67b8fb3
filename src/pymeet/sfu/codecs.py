"""What we forward: which codecs are accepted, in which order they are preferred, and how a key frame is recognised.

Payload is looked at only to find where a decoder can begin; nothing is decoded.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from pymeet.sfu import h264, vp8
from pymeet.sfu.sdp import Codec, Section

VIDEO_PREFERENCE = ("vp8", "h264", "vp9", "av1")
"""VP8 first: every browser decodes it, also where H.264 has no licence."""

VIDEO_FEEDBACK = ("nack", "nack pli", "ccm fir", "transport-cc")
AUDIO_FEEDBACK = ("transport-cc",)


@dataclass(frozen=True, slots=True)
class CodecChoice:
    """The codec of a section and, for video, the payload type of its retransmissions."""

    codec: Codec
    rtx_payload_type: int | None
    red_payload_type: int | None = None
    """Of the same sound with redundancy (RFC 2198), where the sender offers that."""

    @property
    def key(self) -> tuple[str, int, int, str]:
        """What makes two codecs the same for a receiver."""
        c = self.codec
        return c.name.lower(), c.clock_rate, c.channels, parameters_for_receivers(c)

    @property
    def may_be_redundant(self) -> bool:
        """Whether it is speech: of music a second copy costs too much."""
        return self.codec.name.lower() == "opus" and self.codec.channels == 2 and not is_stereo(self.codec)


_H264_PROFILE = re.compile(r"[0-9A-Fa-f]{6}\Z")


def parameters_for_receivers(codec: Codec) -> str:
    """The format parameters that receivers are told: what they need to decode, and nothing else that the sender wrote."""
    name = codec.name.lower()
    if name == "opus":
        return "minptime=10;useinbandfec=1" + (";stereo=1;sprop-stereo=1" if is_stereo(codec) else "")
    if name == "h264":
        profile = codec.parameter("profile-level-id") or ""
        profile = profile.lower() if _H264_PROFILE.match(profile) else "42e01f"
        mode = "1" if codec.parameter("packetization-mode") == "1" else "0"
        return f"level-asymmetry-allowed=1;packetization-mode={mode};profile-level-id={profile}"
    if name == "vp9":
        return "profile-id=" + ("2" if codec.parameter("profile-id") == "2" else "0")
    return ""


def is_stereo(codec: Codec) -> bool:
    """Whether Opus is sent in two channels (RFC 7587 section 6.1)."""
    return codec.parameter("sprop-stereo") == "1"


def choose(section: Section) -> CodecChoice | None:
    """The codec we want from the offered ones; None when there is none that we forward."""
    offered = [c for n in section.formats if n.isascii() and n.isdigit() and (c := section.codecs.get(int(n)))]
    if section.kind == "audio":
        opus = next((c for c in offered if c.name.lower() == "opus" and c.clock_rate == 48000), None)
        return CodecChoice(opus, None, _red_of(offered, opus)) if opus else None
    if section.kind != "video":
        return None
    for name in VIDEO_PREFERENCE:
        of_name = [c for c in offered if c.name.lower() == name and c.clock_rate == 90000]
        if of_name:
            codec = min(of_name, key=_awkwardness)
            return CodecChoice(codec, rtx_of(section, codec.payload_type))
    return None


def _awkwardness(codec: Codec) -> int:
    """How unlikely it is that every receiver decodes this variant: 0 is best."""
    if codec.name.lower() == "h264":
        baseline = (codec.parameter("profile-level-id") or "42e01f").lower().startswith("42e0")
        return (0 if codec.parameter("packetization-mode") == "1" else 2) + (0 if baseline else 1)
    if codec.name.lower() == "vp9":
        return int((codec.parameter("profile-id") or "0") != "0")
    if codec.name.lower() == "av1":
        return int((codec.parameter("profile") or "0") != "0")
    return 0


def _red_of(offered: list[Codec], opus: Codec) -> int | None:
    """The payload type of Opus with redundancy, each block of which is Opus of the same payload type."""
    for codec in offered:
        if codec.name.lower() == "red" and set(codec.parameters.split("/")) == {str(opus.payload_type)}:
            return None if is_stereo(opus) else codec.payload_type
    return None


def rtx_of(section: Section, payload_type: int) -> int | None:
    """The payload type of the retransmissions (RFC 4588) of another payload type."""
    for codec in section.codecs.values():
        if codec.name.lower() == "rtx" and codec.parameter("apt") == str(payload_type):
            return codec.payload_type
    return None


def starts_keyframe(codec_name: str, payload: bytes | memoryview) -> bool:
    """Whether a decoder can begin with the frame whose first packet has this payload.

    Sources: RFC 7741 section 4.3 (VP8), RFC 6184 section 5 (H.264), RFC 9628 section 4.2 (VP9), AV1 RTP specification section 4.4.
    """
    if not payload:
        return False
    detect = _KEYFRAME.get(codec_name)
    return True if detect is None else detect(payload)


def _vp8(payload: bytes | memoryview) -> bool:
    first, at = payload[0], 1
    if not first & 0x10 or first & 0x07:
        return False  # not the start of the first partition
    if first & 0x80 and len(payload) > 1:
        extension, at = payload[1], 2
        if extension & 0x80:
            at += 2 if len(payload) > at and payload[at] & 0x80 else 1
        at += bool(extension & 0x40) + bool(extension & 0x30)
    return len(payload) > at and not payload[at] & 0x01


def _h264(payload: bytes | memoryview) -> bool:
    kind = payload[0] & 31
    if kind == 24:  # STAP-A
        at = 1
        while at + 3 <= len(payload):
            if payload[at + 2] & 31 in (5, 7):
                return True
            at += 2 + int.from_bytes(payload[at : at + 2], "big")
        return False
    if kind == 28:  # FU-A: only its first fragment
        return len(payload) > 1 and bool(payload[1] & 0x80) and payload[1] & 31 in (5, 7)
    return kind in (5, 7)


def _vp9(payload: bytes | memoryview) -> bool:
    first, at = payload[0], 1
    if first & 0x40 or not first & 0x08:  # predicted from others, or not the beginning of a frame
        return False
    if first & 0x80:
        at += 2 if len(payload) > at and payload[at] & 0x80 else 1
    if first & 0x20:
        return len(payload) > at and not payload[at] >> 1 & 7  # the lowest spatial layer
    return True


def _av1(payload: bytes | memoryview) -> bool:
    return bool(payload[0] & 0x08) and not payload[0] & 0x80  # N: a new coded video sequence; Z: not a continuation


_KEYFRAME = {"vp8": _vp8, "h264": _h264, "vp9": _vp9, "av1": _av1}
_SIZE: dict[str, Callable[[bytes | memoryview], tuple[int, int] | None]] = {
    "vp8": vp8.keyframe_size,
    "h264": h264.keyframe_size,
}


def keyframe_size(codec_name: str, payload: bytes | memoryview) -> tuple[int, int] | None:
    """Width and height in pixels that the first packet of a key frame announces; None where it does not."""
    read = _SIZE.get(codec_name)
    return None if read is None else read(payload)
