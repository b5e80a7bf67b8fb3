"""RTP payloads to frames: pure, and content with whatever a peer sends. Malformed payloads are counted, never raised."""

from typing import Protocol

from pymeet.recording.depacket.av1 import Av1
from pymeet.recording.depacket.frame import Bytes, Frame
from pymeet.recording.depacket.h264 import H264
from pymeet.recording.depacket.opus import Opus
from pymeet.recording.depacket.vp8 import Vp8
from pymeet.recording.depacket.vp9 import Vp9


class Depacketiser(Protocol):
    """What puts the payloads of one stream, handed in in order, together to frames."""

    wants_keyframe: bool
    """Whether nothing can be made of what comes before the next key frame."""
    lost_frames: int
    """Frames of which something was missing, or which refer to such a one."""
    malformed: int
    """Payloads that do not follow their format."""

    def push(self, payload: Bytes, marker: bool, timestamp: int, *, gap: bool) -> list[Frame]:
        """Takes the next payload, `gap` when packets before it are missing; returns the frames that are whole now."""


_CODECS: dict[str, type[Depacketiser]] = {"opus": Opus, "vp8": Vp8, "vp9": Vp9, "h264": H264, "av1": Av1}

CODECS = tuple(_CODECS)
"""What can be recorded, named as in a description, in lower case."""


def for_codec(codec: str) -> Depacketiser:
    """A new depacketiser. KeyError for a codec that is not in `CODECS`."""
    return _CODECS[codec]()
