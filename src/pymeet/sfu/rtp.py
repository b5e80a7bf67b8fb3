"""RTP packets (RFC 3550 section 5.1, header extensions RFC 8285): just as much as a forwarder must look at."""

import struct

from pymeet.sfu.errors import DatagramError

HEADER = struct.Struct("!BBHII")
HEADER_BYTES = 12

_ONE_BYTE = 0xBEDE
_TWO_BYTE = 0x1000

# Inside the server every packet has the same header: a block of header extensions that begins with room for the
# transport-wide number, which each copy for a receiver gets anew. A second element may follow: the level of sound, or the
# dependency descriptor of AV1, which on key frames is so long that it takes the two-byte form.
#
#     12 bytes | BE DE 00 01 | 00 | 21 n n | payload                     12 bytes | BE DE 00 02 | 00 | 21 n n | 10 L 0 0 | payload
#     12 bytes | 10 00 00 ww | 02 02 n n | 03 length … | payload

WIDE_ID, LEVEL_ID, DEPENDENCY_ID = 2, 1, 3
"""The ids that our own offers give the elements."""
WIDE_HEAD = WIDE_ID << 4 | 1
"""The 16 bits before the number in the one-byte form. 0 makes padding of the element, if the number is 0 too."""
NUMBER_AT, SECOND_AT = 18, 20
NORMAL_BYTES, LEVEL_BYTES = 20, 24
"""Where the payload begins, without and with a level and nothing else."""
_NORMAL = struct.Struct("!BBHIIIHH")
_LEVEL = struct.Struct("!BBxx")
SHORT_BLOCK, _LEVEL_BLOCK = _ONE_BYTE << 16 | 1, _ONE_BYTE << 16 | 2


def normal_header(
    first: int, marker: int, sequence: int, timestamp: int, level: int = -1, descriptor: bytes = b""
) -> bytes:
    """The header of a packet inside the server: what is the receiver's own (payload type, SSRC, number) is 0.

    Of `first` only version and padding bit are kept. `level` is the byte of the audio level's element (RFC 6464), -1 for none;
    `descriptor` the dependency descriptor of video (AV1 RTP specification, appendix A), at most 255 bytes, empty for none.
    """
    first = first & 0xA0 | 0x10
    if descriptor:
        return _described_header(first, marker, sequence, timestamp, descriptor)
    if level < 0:
        return _NORMAL.pack(first, marker, sequence, timestamp, 0, SHORT_BLOCK, WIDE_HEAD, 0)
    return _NORMAL.pack(first, marker, sequence, timestamp, 0, _LEVEL_BLOCK, WIDE_HEAD, 0) + _LEVEL.pack(
        LEVEL_ID << 4, level
    )


def _described_header(first: int, marker: int, sequence: int, timestamp: int, descriptor: bytes) -> bytes:
    size = len(descriptor)
    if size <= 16:
        profile, head, element = _ONE_BYTE, WIDE_HEAD, bytes((DEPENDENCY_ID << 4 | size - 1,)) + descriptor
    else:
        profile, head, element = _TWO_BYTE, WIDE_ID << 8 | 2, bytes((DEPENDENCY_ID, size)) + descriptor
    element += bytes(-len(element) & 3)
    block = profile << 16 | 1 + len(element) // 4
    return _NORMAL.pack(first, marker, sequence, timestamp, 0, block, head, 0) + element


def payload_at(packet: bytes) -> int:
    """Where the payload of a packet inside the server begins."""
    return HEADER_BYTES + (4 + 4 * (packet[14] << 8 | packet[15]) if packet[0] & 0x10 else 0)


def is_long(packet: bytes) -> bool:
    """Whether a packet inside the server has its header extensions in the two-byte form."""
    return packet[12] == _TWO_BYTE >> 8


def with_second_id(packet: bytes, identifier: int) -> bytes:
    """What follows the number in a packet inside the server, its second element under a receiver's own id; 0 blanks it."""
    rest = packet[SECOND_AT:]
    if packet[15] < 2:
        return rest
    if is_long(packet):
        return bytes((identifier,)) + rest[1:] if identifier else bytes(2 + rest[1]) + rest[2 + rest[1] :]
    size = rest[0] & 15
    return bytes((identifier << 4 | size,)) + rest[1:] if identifier else bytes(2 + size) + rest[2 + size :]


def is_rtcp(second_byte: int) -> bool:
    """Whether a packet on a multiplexed port is RTCP, by its second byte (RFC 5761 section 4)."""
    return 192 <= second_byte <= 223


def parse_extensions(data: bytes | bytearray | memoryview, start: int, end: int) -> tuple[dict[int, bytes], int]:
    """The header extension block that begins at `start`: its elements by id, and where the payload begins.

    Raises DatagramError when the block does not fit before `end`.
    """
    if start + 4 > end:
        raise DatagramError("RTP: header extension cut off")
    profile, words = struct.unpack_from("!HH", data, start)
    at, stop = start + 4, start + 4 + 4 * words
    if stop > end:
        raise DatagramError("RTP: header extension cut off")
    elements: dict[int, bytes] = {}
    if profile == _ONE_BYTE:
        while at < stop:
            head = data[at]
            at += 1
            if head == 0:
                continue
            identifier, size = head >> 4, (head & 15) + 1
            if identifier == 15:
                break
            if at + size > stop:
                raise DatagramError("RTP: header extension cut off")
            elements[identifier] = bytes(data[at : at + size])
            at += size
    elif profile & 0xFFF0 == _TWO_BYTE:
        while at < stop:
            identifier = data[at]
            at += 1
            if identifier == 0:
                continue
            if at >= stop or at + 1 + data[at] > stop:
                raise DatagramError("RTP: header extension cut off")
            size = data[at]
            elements[identifier] = bytes(data[at + 1 : at + 1 + size])
            at += 1 + size
    return elements, stop


def sequence_newer(a: int, b: int) -> bool:
    """Whether 16-bit sequence number `a` comes after `b` (RFC 1982)."""
    return 0 < (a - b) & 0xFFFF < 0x8000


def rtx_packet(packet: bytes, payload_type: int, sequence: int, ssrc: int) -> bytes:
    """The retransmission (RFC 4588) of `packet`: the payload is the original sequence number and the original payload."""
    first, second, original, timestamp, _ = HEADER.unpack_from(packet)
    start = payload_at(packet)
    head = HEADER.pack(first, (second & 0x80) | payload_type, sequence, timestamp, ssrc)
    return head + packet[HEADER_BYTES:start] + struct.pack("!H", original) + packet[start:]
