"""Writes one stream as live Matroska (RFC 9559), or WebM where the codec allows it. Pure: frames in, pieces of a file out.

Every piece is whole: the head, then clusters that stand for themselves. A file that ends after any piece can be played to
there, which is why this is not left to a library: what those write depends on being able to go back, or ends in mid-air.
"""

import struct
from collections.abc import Mapping
from typing import Final

from pymeet.recording.depacket.frame import Frame, Picture

CLUSTER_MS: Final = 1000
_CLUSTER_BYTES: Final = 512 * 1024
_BEGINS_AT: Final = "BEGINS_AT"

_CODEC_IDS: Final = {"opus": "A_OPUS", "vp8": "V_VP8", "vp9": "V_VP9", "h264": "V_MPEG4/ISO/AVC", "av1": "V_AV1"}
_OPUS_HEAD: Final = struct.pack("<8sBBHIhB", b"OpusHead", 1, 2, 0, 48000, 0, 0)
"""RFC 7845 section 5.1. Two channels, as RFC 7587 has it: a decoder makes two of one. Nothing is skipped: streams are
recorded from somewhere in their middle."""
_SEEK_PRE_ROLL_NS: Final = 80_000_000
_VIDEO, _AUDIO = 1, 2


class Muxer:
    """One file with one track. Times are milliseconds since the file's beginning, and never go back."""

    def __init__(self, codec: str) -> None:
        """`codec` is one of `depacket.CODECS`."""
        self._codec = codec
        self._blocks = bytearray()
        self._cluster_ms = 0

    def head(self, picture: Picture | None, begins_at: int) -> bytes:
        """The first piece. `begins_at`, in milliseconds of the recording, is written down as a tag."""
        doctype = "matroska" if self._codec == "h264" else "webm"
        header = _uint(0x4286, 1) + _uint(0x42F7, 1) + _uint(0x42F2, 4) + _uint(0x42F3, 8)
        header += _text(0x4282, doctype) + _uint(0x4287, 4) + _uint(0x4285, 2)
        info = _uint(0x2AD7B1, 1_000_000) + _text(0x4D80, "pymeet") + _text(0x5741, "pymeet")
        simple_tag = _element(0x67C8, _text(0x45A3, _BEGINS_AT) + _text(0x4487, str(begins_at)))
        tags = _element(0x7373, _element(0x63C0, b"") + simple_tag)
        return (
            _element(0x1A45DFA3, header)
            + b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff"  # a segment of unknown size
            + _element(0x1549A966, info)
            + _element(0x1654AE6B, _element(0xAE, self._track(picture)))
            + _element(0x1254C367, tags)
        )

    def _track(self, picture: Picture | None) -> bytes:
        entry = _uint(0xD7, 1) + _uint(0x73C5, 1) + _uint(0x9C, 0) + _text(0x86, _CODEC_IDS[self._codec])
        if picture is None:
            sound = _element(0xB5, struct.pack(">d", 48000.0)) + _uint(0x9F, 2)
            private = _element(0x63A2, _OPUS_HEAD) + _uint(0x56AA, 0) + _uint(0x56BB, _SEEK_PRE_ROLL_NS)
            return entry + _uint(0x83, _AUDIO) + private + _element(0xE1, sound)
        size = _uint(0xB0, picture.width) + _uint(0xBA, picture.height)
        private = _element(0x63A2, picture.private) if picture.private else b""
        return entry + _uint(0x83, _VIDEO) + private + _element(0xE0, size)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing that `flush` would give."""
        return not self._blocks

    def add(self, frame: Frame, at_ms: int) -> bytes:
        """Takes the next frame; returns the piece that is full with what came before it, or nothing."""
        piece = b""
        if self._blocks and (at_ms - self._cluster_ms >= CLUSTER_MS or len(self._blocks) > _CLUSTER_BYTES):
            piece = self.flush()
        if not self._blocks:
            self._cluster_ms = at_ms
        flags = 0x80 if frame.keyframe else 0
        self._blocks += b"\xa3" + _size(4 + len(frame.data))
        self._blocks += struct.pack(">BhB", 0x81, at_ms - self._cluster_ms, flags)
        self._blocks += frame.data
        return piece

    def flush(self) -> bytes:
        """The piece with everything that was taken so far; nothing when there is nothing."""
        if not self._blocks:
            return b""
        content = _uint(0xE7, self._cluster_ms) + self._blocks
        self._blocks = bytearray()
        return _element(0x1F43B675, content)


def begins_at(metadata: Mapping[str, str]) -> int | None:
    """When a track begins, in milliseconds of its recording, by the tags of its file; None when they do not say."""
    found = metadata.get(_BEGINS_AT, "")
    return int(found) if found.isascii() and found.isdigit() else None


def _size(length: int) -> bytes:
    """A length as EBML has it (RFC 8794 section 4)."""
    for width in range(1, 9):
        if length < (1 << 7 * width) - 1:
            return (1 << 7 * width | length).to_bytes(width, "big")
    raise ValueError("too long for an element")


def _element(identifier: int, content: bytes | bytearray) -> bytes:
    return identifier.to_bytes((identifier.bit_length() + 7) // 8, "big") + _size(len(content)) + content


def _uint(identifier: int, value: int) -> bytes:
    return _element(identifier, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def _text(identifier: int, text: str) -> bytes:
    return _element(identifier, text.encode())
