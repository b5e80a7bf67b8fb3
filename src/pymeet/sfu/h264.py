"""The sequence parameter set of H.264 (ITU-T H.264 section 7.3.2.1), where the size of pictures stands: as far as a container must
know it, and where RTP carries it (RFC 6184)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pymeet.sfu.bits import Bits, MalformedError

_SPS, _STAP_A = 7, 24
_WITH_CHROMA = (100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135)


@dataclass(frozen=True, slots=True)
class Sps:
    """Sizes in pixels, after cropping; depths in bits."""

    profile: int
    width: int
    height: int
    chroma_format: int
    luma_bits: int
    chroma_bits: int


def read_sps(unit: bytes) -> Sps:
    """Reads a whole NAL unit. Raises MalformedError."""
    bits = Bits(re.sub(rb"\x00\x00\x03", b"\x00\x00", unit[1:1024]))  # without emulation prevention, section 7.4.1.1
    profile = bits.take(8)
    bits.take(16)
    bits.ue()
    chroma, luma_bits, chroma_bits, planes = 1, 8, 8, False
    if profile in _WITH_CHROMA:
        chroma = bits.ue()
        if chroma == 3:
            planes = bits.flag()
        luma_bits, chroma_bits = 8 + bits.ue(), 8 + bits.ue()
        bits.take(1)
        if bits.flag():
            for i in range(12 if chroma == 3 else 8):
                if bits.flag():
                    _skip_scaling_list(bits, 16 if i < 6 else 64)
    if chroma > 3 or luma_bits > 14 or chroma_bits > 14:
        raise MalformedError("H.264: a format that does not exist")
    bits.ue()
    order = bits.ue()
    if order == 0:
        bits.ue()
    elif order == 1:
        bits.take(1)
        bits.se()
        bits.se()
        for _ in range(min(bits.ue(), 256)):
            bits.se()
    bits.ue()
    bits.take(1)
    width, height = 16 * (bits.ue() + 1), 16 * (bits.ue() + 1)
    is_progressive = bits.flag()
    if not is_progressive:
        height *= 2
        bits.take(1)
    bits.take(1)
    if bits.flag():
        left, right, top, bottom = bits.ue(), bits.ue(), bits.ue(), bits.ue()
        has_half_width, has_half_height = chroma in (1, 2) and not planes, chroma == 1 and not planes
        width -= (left + right) * (2 if has_half_width else 1)
        height -= (top + bottom) * (2 if has_half_height else 1) * (1 if is_progressive else 2)
    if not 0 < width <= 16384 or not 0 < height <= 16384:
        raise MalformedError("H.264: a picture of no possible size")
    return Sps(profile, width, height, chroma, luma_bits, chroma_bits)


def keyframe_size(payload: bytes | memoryview) -> tuple[int, int] | None:
    """Width and height in pixels, where this payload carries the parameter set that says so; None where it does not."""
    try:
        for unit in _units(payload):
            if unit and unit[0] & 31 == _SPS:
                sps = read_sps(bytes(unit))
                return sps.width, sps.height
    except MalformedError:
        pass
    return None


def _units(payload: bytes | memoryview) -> Iterator[bytes | memoryview]:
    """The whole NAL units of a payload: itself, or those that are put together in it (STAP-A, section 5.7.1)."""
    if not payload or payload[0] & 31 != _STAP_A:
        yield payload
        return
    at = 1
    while at + 2 < len(payload):
        size = int.from_bytes(payload[at : at + 2], "big")
        yield payload[at + 2 : at + 2 + size]
        at += 2 + size


def _skip_scaling_list(bits: Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.se()) & 0xFF
        last = following or last
