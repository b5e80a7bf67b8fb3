"""Whatever a peer sends, depacketising goes on: nothing is raised, memory is bounded, what follows is recorded."""

import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fuzz.profile import examples, mutated, rounds
from tests.support.packetising import film, packets, payloads, sound

from pymeet.recording.depacket import CODECS, for_codec
from pymeet.recording.depacket.frame import MalformedError, payload_of
from pymeet.recording.depacket.video import MAX_FRAME_BYTES
from pymeet.sfu.h264 import read_sps

_PUSH = st.tuples(st.binary(max_size=80), st.booleans(), st.integers(0, 3), st.booleans())


@pytest.mark.parametrize("codec", CODECS)
@given(pushes=st.lists(_PUSH, max_size=30))
@examples(150)
def test_any_bytes_are_survived(codec: str, pushes: list[tuple[bytes, bool, int, bool]]) -> None:
    """The recorder's thread serves everybody: one peer's nonsense must not end it."""
    depacketiser = for_codec(codec)
    for payload, marker, timestamp, gap in pushes:
        for frame in depacketiser.push(payload, marker, timestamp, gap=gap):
            assert frame.data


@pytest.mark.parametrize("codec", CODECS)
def test_damaged_streams_are_survived_and_recovered_from(codec: str) -> None:
    """Nonsense that begins like sense reaches deeper. After it a clean key frame is recorded again."""
    samples = sound(1.0) if codec == "opus" else film(codec, 40, keyframe_every=20)
    cut = [payloads(codec, sample) for sample in samples]
    draw = random.Random(9)
    for _ in range(rounds(20)):
        depacketiser = for_codec(codec)
        for i, parts in enumerate(cut):
            for k, part in enumerate(parts):
                damaged = mutated(draw, part) if draw.random() < 0.2 else part
                depacketiser.push(damaged, k == len(parts) - 1, i, gap=draw.random() < 0.02)
        whole = []
        for k, part in enumerate(cut[0]):
            whole += depacketiser.push(part, k == len(cut[0]) - 1, 9999, gap=False)
        assert whole


@given(data=st.binary(max_size=60))
@examples(300)
def test_any_packet_and_any_parameter_set_is_read_or_refused(data: bytes) -> None:
    """One kind of error, which the callers count."""
    for read in (
        lambda: payload_of(b"\x80\0" + bytes(10) + data),
        lambda: payload_of(data + bytes(12)),
        lambda: read_sps(data),
    ):
        try:
            read()
        except MalformedError:
            continue


@pytest.mark.parametrize(
    ("codec", "endless"), [("vp8", b"\x00"), ("vp9", b"\x00"), ("h264", b"\x7c\x05"), ("av1", b"\xd0")]
)
def test_a_frame_without_end_does_not_fill_the_memory(codec: str, endless: bytes) -> None:
    """A peer that never sets the marker would otherwise be kept for hours."""
    depacketiser = for_codec(codec)
    begins = {"vp8": b"\x10", "vp9": b"\x08", "h264": b"\x7c\x85", "av1": b"\x58"}[codec]
    tracemalloc.start()
    depacketiser.push(begins + bytes(1000), False, 1, gap=False)
    for _ in range(4 * MAX_FRAME_BYTES // 1000):
        depacketiser.push(endless + bytes(1000), False, 1, gap=False)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 4 * MAX_FRAME_BYTES
    assert depacketiser.malformed
    assert depacketiser.push(begins + bytes(10), True, 1, gap=False) == []


def test_packets_of_a_mode_that_was_not_agreed_on_are_counted() -> None:
    """H.264 has packets that no browser sends."""
    depacketiser = for_codec("h264")
    for kind in (0, 25, 26, 27, 29, 30, 31):
        depacketiser.push(bytes([kind]) + bytes(20), True, kind, gap=False)

    assert depacketiser.malformed == 7
    assert len(packets("h264", film("h264", 10))) >= 10
