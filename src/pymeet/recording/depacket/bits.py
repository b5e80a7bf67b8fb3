"""The lengths of AV1: numbers of seven bits a byte."""

from pymeet.recording.depacket.frame import Bytes, MalformedError


def read_leb128(data: Bytes, at: int) -> tuple[int, int]:
    """The number at `at` and where it ends (AV1 section 4.10.5). Raises MalformedError."""
    value = 0
    for i in range(8):
        if at + i >= len(data):
            break
        byte = data[at + i]
        value |= (byte & 0x7F) << 7 * i
        if not byte & 0x80:
            return value, at + i + 1
    raise MalformedError("length cut off")


def leb128(value: int) -> bytes:
    """A number as `read_leb128` reads it."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
