"""VP8's own numbers (RFC 7741): read where they stand, and going on without a gap when a receiver changes streams."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymeet.sfu import vp8
from pymeet.sfu.errors import DatagramError
from pymeet.sfu.vp8 import Vp8Numbers
from tests.fuzz.profile import examples

KEY = bytes.fromhex("100200 9d012a 8002 6801")
INTER = bytes.fromhex("110200 000000 0000 0000")


def packet(
    picture: int, tl0: int, temporal: int = 0, *, body: bytes = INTER, long: bool = True, extension: bool = False
) -> bytes:
    """The first packet of a frame, as it lies in the ring."""
    head = struct.pack("!BBHII", 0x90 if extension else 0x80, 0, 7, 1000, 0)
    if extension:
        head += bytes.fromhex("bede0001 21000000")
    number = struct.pack("!H", 0x8000 | picture) if long else bytes([picture])
    return head + b"\x90\xe0" + number + bytes([tl0, temporal << 6]) + body


def numbers(data: bytes) -> tuple[int, int]:
    """Picture id and TL0PICIDX of a packet."""
    d = vp8.parse(data, vp8.payload_at(data))
    return d.picture, d.tl0


@pytest.mark.parametrize(
    ("payload", "begins", "picture", "tl0", "temporal", "end"),
    [
        ("10 11", True, -1, -1, -1, 1),
        ("00 11", False, -1, -1, -1, 1),
        ("11 11", False, -1, -1, -1, 1),  # partition 1
        ("90 80 05 11", True, 5, -1, -1, 3),
        ("90 80 85 05 11", True, 0x505, -1, -1, 4),
        ("90 e0 85 05 07 40 11", True, 0x505, 7, 1, 6),
        ("90 40 07 11", True, -1, 7, -1, 3),
        ("90 20 80 11", True, -1, -1, 2, 3),
        ("90 10 03 11", True, -1, -1, -1, 3),  # KEYIDX alone says nothing of temporal layers
        ("90 f0 ff ff 09 c3 11", True, 0x7FFF, 9, 3, 6),
    ],
)
def test_a_payload_descriptor_is_read_with_every_combination_of_its_fields(
    payload: str, begins: bool, picture: int, tl0: int, temporal: int, end: int
) -> None:
    """Each field moves those behind it."""
    d = vp8.parse(bytes.fromhex(payload), 0)

    assert (d.begins_frame, d.picture, d.tl0, d.temporal, d.end) == (begins, picture, tl0, temporal, end)


def test_the_offsets_of_the_numbers_count_from_the_start_of_the_packet() -> None:
    """They are used to write into a slot, with and without a header extension before the payload."""
    for extension in (False, True):
        data = packet(300, 8, extension=extension)
        picture_at, picture, mask, tl0_at, tl0 = vp8.places(data)

        assert struct.unpack_from("!H", data, picture_at)[0] == 0x8000 | 300
        assert (picture, mask, tl0, data[tl0_at]) == (300, vp8.LONG, 8, 8)


def test_frames_that_nothing_depends_on_and_switch_points_are_told() -> None:
    """N and Y are what makes temporal layers droppable and rejoinable."""
    assert vp8.parse(bytes.fromhex("b020a0"), 0).is_unreferenced
    assert vp8.parse(bytes.fromhex("b020a0"), 0).is_synchronised
    assert not vp8.parse(bytes.fromhex("902080"), 0).is_synchronised


@given(st.binary(max_size=12), st.integers(0, 12))
@examples(300)
def test_any_bytes_are_a_descriptor_or_refused(data: bytes, start: int) -> None:
    """Whoever publishes may send anything."""
    try:
        d = vp8.parse(data, start)
    except DatagramError:
        return
    assert start < d.end <= len(data)
    assert max(d.picture_at, d.tl0_at) < d.end


@given(st.binary(max_size=40))
@examples(300)
def test_looking_for_numbers_and_sizes_never_raises(data: bytes) -> None:
    """These stand on the path of every packet."""
    where = vp8.places(data)
    assert max(where[0] + (where[2] == vp8.LONG), where[3]) < max(len(data), 1)
    vp8.keyframe_size(data)
    shift = Vp8Numbers()
    shift.picture, shift.tl0 = 99, 5
    assert len(shift.rewritten(data)) == len(data)


def test_numbers_go_on_by_one_over_a_switch_and_back() -> None:
    """A gap is a lost frame to a receiver: it would wait for it, then ask for a key frame: the stall that a switch must not be."""
    shift = Vp8Numbers()
    sent = [numbers(shift.rewritten(packet(p, p)) if shift.is_shifting else packet(p, p)) for p in (10, 11)]

    shift.go_on(packet(11, 11), packet(0x7FFE, 200, body=KEY))
    sent += [numbers(shift.rewritten(packet(0x7FFE + i & 0x7FFF, 200 + i))) for i in range(3)]
    shift.go_on(packet(0, 202), packet(40, 3, body=KEY))
    sent += [numbers(shift.rewritten(packet(40 + i, 3 + i))) for i in range(2)]

    assert sent == [(10 + i, 10 + i) for i in range(7)]


def test_between_points_of_one_stream_the_lowest_layer_is_counted_on() -> None:
    """Pictures left out by one of them have moved its picture ids, but none was of the lowest layer."""
    shift = Vp8Numbers()

    shift.go_on(packet(20, 5), packet(31, 5, 2), is_same_stream=True)

    assert numbers(shift.rewritten(packet(31, 5, 2))) == (21, 5)


def test_late_packets_and_repairs_get_the_numbers_of_their_frame() -> None:
    """A late packet's frame has one picture id, whenever its packets come."""
    shift = Vp8Numbers()
    shift.go_on(packet(5, 5), packet(100, 50, body=KEY))
    in_time = [numbers(shift.rewritten(packet(p, 50 + p - 100))) for p in (100, 101, 102)]
    late = numbers(shift.rewritten(packet(101, 51)))

    assert late == in_time[1] == (7, 7)


def test_a_copy_is_renumbered_in_place_as_the_slow_way_does() -> None:
    """The path of every packet and the path of repairs must agree, or one number would have two texts."""
    shift = Vp8Numbers()
    shift.go_on(packet(0x7FFF, 255), packet(3, 9, body=KEY))
    data = packet(4, 10, 2, extension=True)
    slots = bytearray(3000)
    slots[1536 : 1536 + len(data)] = data

    shift.rewrite(slots, 1536, vp8.places(data))

    assert bytes(slots[1536 : 1536 + len(data)]) == shift.rewritten(data)
    assert numbers(shift.rewritten(data)) == (1, 1)
    assert not any(slots[:1536])


def test_short_picture_ids_stay_short() -> None:
    """A sender of 7 bits has no room for more."""
    shift = Vp8Numbers()
    shift.go_on(packet(0x7F, 1, long=False), packet(50, 60, body=KEY, long=False))

    assert numbers(shift.rewritten(packet(50, 60, long=False))) == (0, 2)


def test_a_stream_without_numbers_is_left_as_it_is() -> None:
    """Nothing to go on from, nothing to write."""
    bare = bytes(12) + b"\x10" + KEY
    shift = Vp8Numbers()
    shift.go_on(bare, packet(5, 5, body=KEY))

    assert not shift.is_shifting
    shift.go_on(packet(9, 9), packet(5, 5, body=KEY))
    assert shift.rewritten(bare) == bare


def test_the_first_stream_of_a_receiver_keeps_its_numbers() -> None:
    """Without a stream before it there is nothing to go on from."""
    shift = Vp8Numbers()
    shift.go_on(None, packet(5, 5, body=KEY))

    assert not shift.is_shifting


def test_a_key_frame_tells_its_size() -> None:
    """Which layer fills a tile is chosen by height."""
    assert vp8.keyframe_size(b"\x90\x80\x05" + KEY) == (640, 360)
    assert vp8.keyframe_size(b"\x10" + KEY) == (640, 360)
    assert vp8.keyframe_size(b"\x10" + INTER) is None
    assert vp8.keyframe_size(b"\x00" + KEY) is None  # the middle of a frame
    assert vp8.keyframe_size(b"\x10" + KEY[:8]) is None
    assert vp8.keyframe_size(b"\x10" + KEY[:3] + b"\x00" + KEY[4:]) is None
