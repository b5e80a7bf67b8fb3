"""What tests of recording need: tracks that send what they are told to, as the media server hands it to a tap."""

import struct
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from typing import cast

import av

from pymeet.ids import new_id
from pymeet.sfu.producer import Source, Track
from pymeet.sfu.tap import Tap

OPUS_SILENCE = b"\xf8\xff\xfe"
"""A frame of 20 ms."""


class SentTrack:
    """A published track as a recorder meets it. `as_track` hands it over under the type it stands for."""

    def __init__(self, owner: str, source: Source, codec: str | None = None, transport: object | None = None) -> None:
        self.id = new_id()
        self.owner = owner
        self.source = source
        self.codec = codec or ("opus" if source in ("microphone", "screen_audio") else "vp8")
        self.transport = transport or _Transport()
        self.tap: Tap | None = None
        self.keyframes_wanted = 0
        self._sequence = 1000
        self._pictures = vp8_pictures()
        if self.codec == "vp8":
            _second_of_vp8()  # before the clock is looked at: encoding takes a while

    def as_track(self) -> Track:
        return cast(Track, self)

    def set_tap(self, tap: Tap | None, now: float) -> None:
        self.tap = tap

    def request_keyframe(self, now: float) -> None:
        self.keyframes_wanted += 1

    def send(self, now: float, media_s: float) -> None:
        """One frame whose time in the stream is `media_s`, arriving at `now`; it goes nowhere without a tap."""
        if self.codec == "opus":
            self._packet(OPUS_SILENCE, round(media_s * 48_000), now, marker=False)
            return
        timestamp = round(media_s * 90_000)
        picture = next(self._pictures)
        pieces = [picture[start : start + 1100] for start in range(0, len(picture), 1100)]
        for number, piece in enumerate(pieces):
            descriptor = b"\x10" if number == 0 else b"\x00"  # RFC 7741 section 4.2: S marks the first packet
            self._packet(descriptor + piece, timestamp, now, marker=number == len(pieces) - 1)

    def _packet(self, payload: bytes, timestamp: int, now: float, *, marker: bool) -> None:
        sequence, timestamp = self._sequence & 0xFFFF, timestamp & 0xFFFFFFFF
        self._sequence += 1
        header = struct.pack(">BBHII", 0x80, 0x80 * marker | 96, sequence, timestamp, 0x1234)
        if self.tap is not None:
            self.tap.packet(header + payload, sequence, timestamp, now)


class _Transport:
    """A publishing connection."""


def vp8_pictures() -> Iterator[bytes]:
    """Encoded pictures without end, 30 to a second, a key frame every second."""
    while True:
        yield from _second_of_vp8()


@cache
def _second_of_vp8() -> tuple[bytes, ...]:
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 160, 120, "yuv420p"
    encoder.time_base, encoder.bit_rate, encoder.gop_size = Fraction(1, 30), 200_000, 1000
    encoder.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
    pictures = []
    for number in range(30):
        frame = av.VideoFrame(160, 120, "yuv420p")
        for plane_number, plane in enumerate(frame.planes):
            plane.update(bytes([(number * 7 + plane_number * 40) % 256]) * plane.buffer_size)
        frame.pts, frame.time_base = number, Fraction(1, 30)
        pictures += [bytes(packet) for packet in encoder.encode(frame)]
    return tuple(pictures)
