"""A point of a scalable stream as a stream of its own, on networks that lose, delay and repeat."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymeet.sfu import rtp
from pymeet.sfu.thinned import Thinned
from tests.fuzz.profile import examples
from tests.sfu.test_sfu_operating_points import numbers, read, reader_of
from tests.support.layered import Decoder, LayeredSource


def settled(codec: str, spatial: int, temporal: int) -> tuple:
    """A source and a reader that has seen all its layers."""
    source, reader = LayeredSource(codec, spatial, temporal), reader_of(codec)
    for _ in range(8):
        for packet in source.next_picture():
            read(reader, packet)
    source.key_wanted = True
    return source, reader


@pytest.mark.parametrize(("codec", "spatial", "temporal"), [("vp8", 1, 3), ("vp9", 2, 2), ("av1", 2, 2)])
@pytest.mark.parametrize("seed", range(4))
def test_what_comes_late_takes_the_place_that_was_kept_for_it(
    codec: str, spatial: int, temporal: int, seed: int
) -> None:
    """A tenth comes a good deal later, in any order; at the end no number is missing, none is there twice, nothing is broken."""
    draw = random.Random(seed)
    source, reader = settled(codec, spatial, temporal)
    thinned = [Thinned(i) for i in range(len(reader.points))]
    out: list[dict[int, bytes]] = [{} for _ in thinned]
    late: list[bytes] = []

    newest = -1

    def give(packet: bytes) -> None:
        nonlocal newest
        is_newer = newest < 0 or rtp.sequence_newer(numbers(packet)[0], newest)
        newest = numbers(packet)[0] if is_newer else newest
        part = read(reader, packet, is_newer=is_newer)
        for stream, packets in zip(thinned, out, strict=True):
            take = stream.take if is_newer else stream.take_late
            kept = take(packet, numbers(packet)[0], part)
            if kept is not None:
                assert numbers(kept)[0] not in packets
                packets[numbers(kept)[0]] = kept

    for i in range(80):
        pictures = source.next_picture()
        for packet in pictures:
            if i and draw.random() < 0.1 and i < 78:
                late.append(packet)
            else:
                give(packet)
        draw.shuffle(late)
        while late and draw.random() < 0.5:
            give(late.pop())
    for packet in late:
        give(packet)

    for packets in out:
        first = next(iter(packets))
        decoder = Decoder()
        for i in range(len(packets)):
            decoder.take(packets[(first + i) & 0xFFFF])
        assert not decoder.incomplete
        assert not decoder.broken


def test_a_late_packet_of_another_layer_leaves_an_empty_one_in_its_place() -> None:
    """Its number was promised; a receiver that never gets it would ask for it again and again, and wait."""
    source, reader = settled("vp9", 1, 2)
    lowest = Thinned(0)
    packets = [p for _ in range(4) for p in source.next_picture()]
    taken = {}
    for packet in packets[:2] + packets[4:]:
        taken[numbers(packet)[0]] = lowest.take(packet, numbers(packet)[0], read(reader, packet))

    filler = lowest.take_late(packets[2], numbers(packets[2])[0], read(reader, packets[2], is_newer=False))

    assert filler is not None
    assert numbers(filler)[0] == (numbers(packets[0])[0] + 2) & 0xFFFF
    assert filler[0] & 0x20
    assert not filler[1] & 0x80
    assert filler[rtp.payload_at(filler) :] == b"\x01"


def test_a_late_vp8_picture_that_was_counted_is_given_after_all() -> None:
    """Its picture id is waited for too, and that gap could not be closed any more."""
    source, reader = settled("vp8", 1, 2)
    lowest = Thinned(0)
    packets = [p for _ in range(3) for p in source.next_picture()]
    for packet in packets[:2] + packets[4:]:
        lowest.take(packet, numbers(packet)[0], read(reader, packet))

    late = lowest.take_late(packets[2], numbers(packets[2])[0], read(reader, packets[2], is_newer=False))

    assert late == packets[2]


def test_what_was_left_out_or_is_long_gone_has_no_place() -> None:
    """A number that was never given must not be used: it would be somebody else's."""
    source, reader = settled("vp9", 1, 2)
    lowest = Thinned(0)
    packets = [p for _ in range(400) for p in source.next_picture()]
    assert lowest.take_late(packets[0], numbers(packets[0])[0], None) is None  # nothing has begun
    for packet in packets[4:]:
        lowest.take(packet, numbers(packet)[0], read(reader, packet))

    left_out = packets[-2]
    assert lowest.take_late(left_out, numbers(left_out)[0], read(reader, left_out, is_newer=False)) is None
    for old in (packets[0], packets[3], packets[40]):
        assert lowest.take_late(old, numbers(old)[0], read(reader, old, is_newer=False)) is None


def test_what_tells_nothing_of_itself_is_kept() -> None:
    """A decoder can do with more than it needs."""
    source, _ = settled("av1", 2, 1)
    lowest = Thinned(0)
    packets = source.next_picture()

    assert [lowest.take(p, numbers(p)[0], None) for p in packets] == packets


def test_as_long_as_nothing_is_left_out_packets_are_the_same_objects() -> None:
    """Copies cost."""
    source, reader = settled("vp9", 1, 2)
    lowest = Thinned(0)
    packet = source.next_picture()[0]

    assert lowest.take(packet, numbers(packet)[0], read(reader, packet)) is packet


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.booleans(), st.integers(0, 0x7FFF)), max_size=60))
@examples(100)
def test_any_numbering_is_survived(packets: list[tuple[int, bool, int]]) -> None:
    """Numbers are the sender's word: repeated, wrapped, scattered."""
    source, reader = settled("vp8", 1, 2)
    part = read(reader, source.next_picture()[0])
    thinned = Thinned(0)
    for sequence, is_newer, picture in packets:
        packet = (
            rtp.normal_header(0x80, 0, sequence, 0) + b"\x90\x80" + (picture | 0x8000).to_bytes(2, "big") + bytes(9)
        )
        about = part._replace(picture=picture, picture_at=22, picture_mask=0x7FFF, present=picture & 3)
        kept = (thinned.take if is_newer else thinned.take_late)(packet, sequence, about)
        assert kept is None or len(kept) in (len(packet), 21)
