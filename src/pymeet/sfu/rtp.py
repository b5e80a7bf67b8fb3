"""RTP packets (RFC 3550 section 5.1, header extensions RFC 8285): just as much as a forwarder must look at."""

import struct

from pymeet.sfu.errors import DatagramError

HEADER = struct.Struct("!BBHII")
HEADER_BYTES = 12

_ONE_BYTE = 0xBEDE
_TWO_BYTE = 0x1000


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
    """The retransmission (RFC 4588) of `packet`, an RTP packet without header extensions to be kept.

    The payload is the original sequence number and the original payload.
    """
    first, second, original, timestamp, _ = HEADER.unpack_from(packet)
    start = HEADER_BYTES
    if first & 0x10:
        start += 4 + 4 * struct.unpack_from("!H", packet, HEADER_BYTES + 2)[0]
    head = HEADER.pack(first & ~0x10, (second & 0x80) | payload_type, sequence, timestamp, ssrc)
    return head + struct.pack("!H", original) + packet[start:]
