"""The small number-crunchers: the repair ring, the key frame throttle, RTP's headers."""

import pytest

from pymeet.sfu import rtp
from pymeet.sfu.cache import PacketRing
from pymeet.sfu.errors import DatagramError
from pymeet.sfu.keyframes import INTERVAL_S, KeyframeThrottle


def _packet(sequence: int) -> bytes:
    return rtp.HEADER.pack(0x80, 96, sequence, 0, 0) + b"x"


def test_the_ring_gives_back_only_the_packet_that_was_asked_for() -> None:
    """A slot that was written over must not serve another packet under the old number."""
    ring = PacketRing(512)
    for n in range(65_000, 65_700):
        ring.put(n & 0xFFFF, _packet(n & 0xFFFF))

    assert ring.get(65_699 & 0xFFFF) == _packet(163)
    assert ring.get(65_188) == _packet(65_188)
    assert ring.get(65_187) is None
    assert ring.get(30_000) is None
    ring.clear()
    assert ring.get(163) is None


def test_requests_for_key_frames_are_merged_and_kept_apart() -> None:
    """The first is passed on at once, all others in the interval become one at its end."""
    throttle = KeyframeThrottle()
    throttle.request()
    assert throttle.take(1000.0)
    assert not throttle.take(1000.0)
    for _ in range(10):
        throttle.request()

    assert not throttle.take(1000.0 + INTERVAL_S / 2)
    assert throttle.is_wanted
    assert throttle.take(1000.0 + INTERVAL_S)
    assert not throttle.is_wanted


def test_header_extensions_of_both_forms_are_read() -> None:
    """RFC 8285: one-byte and two-byte elements, padding between, id 15 ends."""
    one = bytes.fromhex("bede0003 10ff 00 22010203 00 f0aaaa 00".replace(" ", ""))
    two = bytes.fromhex("10000002 0102aabb 0200 0000".replace(" ", ""))

    assert rtp.parse_extensions(one, 0, len(one)) == ({1: b"\xff", 2: b"\x01\x02\x03"}, 16)
    assert rtp.parse_extensions(two, 0, len(two)) == ({1: b"\xaa\xbb", 2: b""}, 12)


@pytest.mark.parametrize(
    "data", ["", "bede00", "bede0002 1fffffff", "bede0001 1fffffff", "10000001 0109aabb", "10000001 00000001"]
)
def test_header_extensions_cut_off_are_refused(data: str) -> None:
    """Lengths inside a packet never reach past it."""
    raw = bytes.fromhex(data.replace(" ", ""))
    with pytest.raises(DatagramError):
        rtp.parse_extensions(raw, 0, len(raw))


def test_a_retransmission_carries_the_original_number_and_payload() -> None:
    """RFC 4588 section 4; header extensions stay, because the receiver's number for this very packet stands in them."""
    original = rtp.HEADER.pack(0x90, 0x80 | 96, 0x1234, 77, 1) + bytes.fromhex("bede000110aa0000") + b"payload"

    packet = rtp.rtx_packet(original, 97, 5, 9)

    head = rtp.HEADER.pack(0x90, 0x80 | 97, 5, 77, 9) + bytes.fromhex("bede000110aa0000")
    assert packet == head + b"\x12\x34payload"


def test_reports_and_media_are_told_apart_by_the_second_byte() -> None:
    """RFC 5761 section 4: 192 to 223 is RTCP."""
    assert [n for n in range(256) if rtp.is_rtcp(n)] == list(range(192, 224))
    assert rtp.sequence_newer(0, 65535)
    assert not rtp.sequence_newer(65535, 0)
    assert not rtp.sequence_newer(5, 5)
