"""Scalable streams seen as operating points: what each consists of, and where receivers may change between them."""

import contextlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymeet.sfu import rtp
from pymeet.sfu.errors import DatagramError
from pymeet.sfu.operating_points import Part, Point, Reader, reader_for
from pymeet.sfu.thinned import Thinned
from tests.fuzz.profile import examples
from tests.support.layered import Decoder, LayeredSource

SHAPES = [
    ("vp8", 1, 2, "full"),
    ("vp8", 1, 3, "full"),
    ("vp9", 1, 3, "full"),
    ("vp9", 3, 1, "full"),
    ("vp9", 3, 3, "full"),
    ("vp9", 3, 3, "key"),
    ("av1", 1, 3, "full"),
    ("av1", 3, 1, "key"),
    ("av1", 3, 3, "full"),
    ("av1", 2, 2, "key"),
]


def reader_of(codec: str) -> Reader:
    """The reader for this codec."""
    reader = reader_for(codec)
    assert reader is not None
    return reader


def numbers(packet: bytes) -> tuple[int, int]:
    """Sequence number and timestamp."""
    return int.from_bytes(packet[2:4], "big"), int.from_bytes(packet[4:8], "big")


def read(reader: Reader, packet: bytes, *, is_newer: bool = True) -> Part:
    """Reads a packet."""
    return reader.read(packet, numbers(packet)[1], is_newer=is_newer)


@pytest.mark.parametrize(
    ("codec", "spatial", "temporal", "points"),
    [
        ("vp8", 1, 1, [(0, 0)]),
        ("vp8", 1, 3, [(0, 0), (0, 1), (0, 2)]),
        ("vp9", 1, 2, [(0, 0), (0, 1)]),
        ("vp9", 3, 3, [(0, 0), (0, 1), (0, 2), (1, 2), (2, 2)]),
        ("av1", 3, 1, [(0, 0), (1, 0), (2, 0)]),
        ("av1", 2, 3, [(0, 0), (0, 1), (0, 2), (1, 2)]),
    ],
)
def test_a_stream_shows_which_points_it_has(
    codec: str, spatial: int, temporal: int, points: list[tuple[int, int]]
) -> None:
    """Fewer pictures of the smallest size are for the worst networks; from there sizes grow at full rate."""
    source, reader = LayeredSource(codec, spatial, temporal), reader_of(codec)
    assert reader.points == (Point(0, 0),)

    for _ in range(8):
        for packet in source.next_picture():
            read(reader, packet)

    assert list(reader.points) == points


def test_sizes_are_told_by_vp9_and_av1() -> None:
    """Which layer fills a tile is chosen by height."""
    for codec in ("vp9", "av1"):
        reader = reader_of(codec)
        read(reader, LayeredSource(codec, 3, 1).next_picture()[0])

        assert reader.sizes == {0: (320, 180), 1: (640, 360), 2: (1280, 720)}


@pytest.mark.parametrize(("codec", "spatial", "temporal", "mode"), SHAPES)
def test_every_point_is_a_stream_that_can_be_decoded(codec: str, spatial: int, temporal: int, mode: str) -> None:
    """No gap in the numbers, nothing that refers to what was left out, one marker for each picture."""
    source, reader = LayeredSource(codec, spatial, temporal, mode=mode), reader_of(codec)
    for _ in range(8):  # until all layers have been seen
        for packet in source.next_picture():
            read(reader, packet)
    thinned = [Thinned(i) for i in range(len(reader.points))]
    out: list[list[bytes]] = [[] for _ in thinned]
    source.key_wanted = True

    for i in range(60):
        source.key_wanted = source.key_wanted or i == 33
        for packet in source.next_picture():
            part = read(reader, packet)
            for stream, packets in zip(thinned, out, strict=True):
                if kept := stream.take(packet, numbers(packet)[0], part):
                    packets.append(kept)

    share = {t: sum(p <= t for p in source.pattern) / len(source.pattern) for t in range(temporal)}
    for point, packets in zip(reader.points, out, strict=True):
        decoder = Decoder()
        for packet in packets:
            decoder.take(packet)
        first = numbers(packets[0])[0]
        assert [numbers(p)[0] for p in packets] == [(first + i) & 0xFFFF for i in range(len(packets))]
        assert not decoder.broken
        assert not decoder.incomplete
        assert {max(f.spatial for f in shown) for shown in decoder.pictures} == {point.spatial}
        assert max(f.temporal for f in decoder.frames) == point.temporal
        assert len(decoder.pictures) == pytest.approx(60 * share[point.temporal], abs=3)
        if codec == "vp8":
            pictures = [int.from_bytes(p[22:24], "big") & 0x7FFF for p in packets]
            steps = {(b - a) & 0x7FFF for a, b in itertools.pairwise(pictures)}
            assert steps == {0, 1}


def test_leaving_out_costs_no_more_than_it_has_to() -> None:
    """In key mode the layers below are of use in key pictures only."""
    source, reader = LayeredSource("vp9", 3, 1, mode="key"), reader_of("vp9")
    parts = [[read(reader, p) for p in source.next_picture()] for _ in range(3)][2]

    middle = 1
    assert [p.present >> middle & 1 for p in parts] == [0, 0, 1, 1, 0, 0]


@pytest.mark.parametrize(("codec", "spatial", "temporal", "mode"), SHAPES)
def test_a_receiver_that_changes_where_it_may_decodes_everything(
    codec: str, spatial: int, temporal: int, mode: str
) -> None:
    """Changes are offered often enough, and none of them breaks the picture."""
    source, reader = LayeredSource(codec, spatial, temporal, mode=mode), reader_of(codec)
    for _ in range(8):
        for packet in source.next_picture():
            read(reader, packet)
    source.key_wanted = True
    count = len(reader.points)
    for start in range(count):
        for goal in range(count):
            decoder, at, changed = Decoder(), start, -1
            source.key_wanted = True
            for i in range(24):
                source.key_wanted = source.key_wanted or i == 16
                for packet in source.next_picture():
                    part = read(reader, packet)
                    if i >= 5 and at != goal and reader.may_switch(part, at, goal):
                        at, changed = goal, i
                    if part.present >> at & 1:
                        marked = packet[:1] + bytes((packet[1] | 0x80 * (part.ends >> at & 1),)) + packet[2:]
                        decoder.take(marked)
            assert not decoder.broken, (start, goal)
            assert not decoder.incomplete
            assert at == goal
            here, there = reader.points[start], reader.points[goal]
            if there.spatial == here.spatial and start != goal:
                assert 5 <= changed <= 5 + len(source.pattern)  # without a key frame
            elif mode == "full" and there.spatial < here.spatial:
                assert changed <= 5 + len(source.pattern)


def test_the_rates_of_all_points_are_known_without_anybody_in_them() -> None:
    """Bandwidth is shared out by what each point would cost."""
    source, reader = LayeredSource("vp9", 2, 2), reader_of("vp9")
    for _ in range(4):
        for packet in source.next_picture():
            read(reader, packet)
    reader.take_rates(1.0)
    total = 0
    for _ in range(30):
        for packet in source.next_picture():
            total += len(packet)
            read(reader, packet)

    rates = reader.take_rates(2.0)

    assert rates[-1] == total * 4
    assert rates[0] == pytest.approx(rates[-1] / 4, rel=0.05)
    assert rates[1] == pytest.approx(rates[-1] / 2, rel=0.05)
    assert reader.take_rates(1.0) == [0, 0, 0]


def test_codecs_without_layers_have_no_reader() -> None:
    """H.264 is forwarded as it comes."""
    assert reader_for("h264") is None
    assert reader_for("opus") is None


@given(st.sampled_from(("vp8", "vp9", "av1")), st.lists(st.binary(max_size=60), max_size=30), st.booleans())
@examples(100)
def test_any_packets_are_read_or_refused(codec: str, payloads: list[bytes], has_block: bool) -> None:
    """Whoever publishes may send anything; what it costs is bounded."""
    reader = reader_of(codec)
    for i, payload in enumerate(payloads):
        head = rtp.normal_header(0x80, 0, i, i // 2)
        packet = (head[:14] + payload if has_block else head + payload).ljust(16, b"\0")
        with contextlib.suppress(DatagramError):
            part = read(reader, packet, is_newer=i % 3 > 0)
            assert part.present >> len(reader.points) == 0
            for at in range(len(reader.points)):
                for to in range(len(reader.points)):
                    reader.may_switch(part, at, to)
                    Thinned(at).take(packet, i, part)
    assert len(reader.points) <= 16
    reader.take_rates(1.0)
