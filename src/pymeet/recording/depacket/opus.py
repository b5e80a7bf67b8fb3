"""Opus in RTP (RFC 7587): every payload is one packet of sound, and every packet can be decoded after a gap."""

from pymeet.recording.depacket.frame import Bytes, Frame

_MAX_DURATION = 5760  # 120 ms, RFC 6716 section 3.2.5


class Opus:
    """See `Depacketiser`. Gaps stay gaps: the timestamps tell."""

    wants_keyframe = False

    def __init__(self) -> None:
        self.lost_frames = 0
        self.malformed = 0

    def push(self, payload: Bytes, marker: bool, timestamp: int, *, gap: bool) -> list[Frame]:
        """See `Depacketiser`. The marker (a talk spurt begins) says nothing of frames."""
        self.lost_frames += gap
        duration = duration_of(payload)
        if not 0 < duration <= _MAX_DURATION:
            self.malformed += 1
            return []
        return [Frame(bytes(payload), timestamp, True, None, duration)]


def duration_of(packet: Bytes) -> int:
    """How long an Opus packet sounds, in samples of 48 kHz, by its first bytes (RFC 6716 section 3.1); 0 when malformed."""
    if not packet:
        return 0
    configuration, code = packet[0] >> 3, packet[0] & 3
    if configuration < 12:  # SILK: 10, 20, 40, 60 ms
        frame = (480, 960, 1920, 2880)[configuration & 3]
    elif configuration < 16:  # hybrid: 10, 20 ms
        frame = (480, 960)[configuration & 1]
    else:  # CELT: 2.5, 5, 10, 20 ms
        frame = (120, 240, 480, 960)[configuration & 3]
    if code < 3:
        return frame * (2 if code else 1)
    return frame * (packet[1] & 0x3F) if len(packet) > 1 else 0
