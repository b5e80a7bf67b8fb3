"""The sequence header of AV1 (bitstream specification, section 5.5), as far as a container must know it."""

from pymeet.recording.depacket.frame import MalformedError, Picture
from pymeet.sfu.bits import Bits


def read_sequence_header(body: bytes, obu: bytes) -> Picture:
    """Reads the content of a sequence header; `obu` is the same with header and size, as av1C carries it.

    Raises MalformedError.
    """
    bits = Bits(body[:256])
    profile = bits.take(3)
    if profile > 2:
        raise MalformedError("AV1: a profile that does not exist")
    bits.take(1)
    is_reduced = bits.flag()
    level, tier = (bits.take(5), 0) if is_reduced else _operating_points(bits)
    width_bits, height_bits = bits.take(4) + 1, bits.take(4) + 1
    width, height = bits.take(width_bits) + 1, bits.take(height_bits) + 1
    if not is_reduced and bits.flag():
        bits.take(7)
    bits.take(3)
    if not is_reduced:
        _skip_tools(bits)
    bits.take(3)
    colour = _colour(bits, profile)
    # AV1 in ISOBMFF 1.2, section 2.3.3; Matroska keeps the same
    record = bytes([0x81, profile << 5 | level, tier << 7 | colour, 0]) + obu
    return Picture(width, height, record)


def _operating_points(bits: Bits) -> tuple[int, int]:
    """Passes over timing and operating points; returns level and tier of the first."""
    delay_bits, has_model = 0, False
    if bits.flag():  # timing_info
        bits.take(64)
        if bits.flag():
            bits.ue()
        has_model = bits.flag()
        if has_model:
            delay_bits = bits.take(5) + 1
            bits.take(42)
    has_delay = bits.flag()
    first: tuple[int, int] | None = None
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        level = bits.take(5)
        tier = bits.take(1) if level > 7 else 0
        if has_model and bits.flag():
            bits.take(2 * delay_bits + 1)
        if has_delay and bits.flag():
            bits.take(4)
        first = first or (level, tier)
    return first or (0, 0)


def _skip_tools(bits: Bits) -> None:
    bits.take(4)
    has_order_hint = bits.flag()
    if has_order_hint:
        bits.take(2)
    screen = 2 if bits.flag() else bits.take(1)
    if screen and not bits.flag():
        bits.take(1)
    if has_order_hint:
        bits.take(3)


def _colour(bits: Bits, profile: int) -> int:
    """The colour configuration (section 5.5.2) as the lower seven bits of av1C's third byte."""
    is_deep = bits.flag()
    is_twelve = profile == 2 and is_deep and bits.flag()
    is_mono = profile != 1 and bits.flag()
    primaries, transfer, matrix = (bits.take(8), bits.take(8), bits.take(8)) if bits.flag() else (2, 2, 2)
    half_x, half_y, position = True, True, 0
    if is_mono:
        bits.take(1)
    elif (primaries, transfer, matrix) == (1, 13, 0):
        half_x = half_y = False
    else:
        bits.take(1)
        if profile == 1:
            half_x = half_y = False
        elif profile == 2:
            half_x = bits.flag() if is_twelve else True
            half_y = is_twelve and half_x and bits.flag()
        if half_x and half_y:
            position = bits.take(2)
    return is_deep << 6 | is_twelve << 5 | is_mono << 4 | half_x << 3 | half_y << 2 | position
