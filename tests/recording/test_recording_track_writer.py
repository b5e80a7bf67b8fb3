"""One track under hostile packets, and by the second: what goes into its file, and when."""

import io
import itertools
import struct
from dataclasses import dataclass, field

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fuzz.profile import examples
from tests.support.packetising import film, packets, sound

from pymeet.recording.depacket import CODECS
from pymeet.recording.media_clock import LeastDelay
from pymeet.recording.track_writer import TrackMeta, TrackWriter


@dataclass
class Shelf:
    """Files in memory; a log is the list of what was appended."""

    logs: list[list[bytes]] = field(default_factory=list)
    synced: int = 0
    finished: int = 0

    def create_log(self, file_id: str, now_ms: int) -> "Shelf":
        self.logs.append([])
        return self

    def append(self, data: bytes) -> None:
        self.logs[-1].append(bytes(data))

    def sync(self) -> None:
        self.synced += 1

    def finish(self) -> None:
        self.finished += 1


def writer_for(codec: str, shelf: Shelf) -> TrackWriter:
    return TrackWriter(TrackMeta("track", "file", "camera", codec, "alice", 1000.0), LeastDelay(), shelf, 1.0)


_STEP = st.tuples(
    st.sampled_from(["packet", "report", "restart", "tick"]),
    st.binary(max_size=40),
    st.integers(0, 0xFFFF) | st.integers(0, 5),
    st.integers(0, 0xFFFFFFFF),
    st.integers(0, 2**64 - 1),
    st.floats(0, 30) | st.floats(0, 0.05),
    st.integers(0, 255),
)


@pytest.mark.parametrize("codec", CODECS)
@given(steps=st.lists(_STEP, max_size=40))
@examples(80)
def test_whatever_comes_ends_in_a_file_or_in_none(
    codec: str, steps: list[tuple[str, bytes, int, int, int, float, int]]
) -> None:
    """Numbers, timestamps, reports and payloads are the peer's to choose: none of them may end the thread for everybody."""
    shelf = Shelf()
    writer = writer_for(codec, shelf)
    now = 1000.0
    for kind, payload, sequence, timestamp, ntp, wait_s, first in steps:
        now += wait_s
        match kind:
            case "packet":
                head = struct.pack("!BBHII", 0x80 | first & 0x30, first & 0x80, sequence, timestamp, 0)
                begins = {"vp8": b"\x10\x10\x02\x00\x9d\x01\x2a\x40\x01\xf0\x00", "opus": b"\xf8"}.get(codec, b"")
                writer.packet(head + begins + payload, sequence, timestamp, now, 1)
            case "report":
                writer.report(ntp, timestamp, now)
            case "restart":
                writer.restarted()
            case _:
                writer.tick(now, 1)
    end = writer.end(0, None)

    assert len(shelf.logs) == (end.begins_at is not None)
    assert 0 <= end.duration_ms <= 1000 * (now - 1000) + 2000
    assert end.size_bytes == sum(len(piece) for log in shelf.logs for piece in log)


@pytest.mark.parametrize("codec", CODECS)
def test_what_was_said_a_second_ago_is_in_the_file(codec: str) -> None:
    """A crash loses what is not: at most the piece that is being filled, and what waits for a lost packet."""
    shelf = Shelf()
    writer = writer_for(codec, shelf)
    samples = sound(2.4) if codec == "opus" else film(codec, 70, keyframe_every=30)
    sent = packets(codec, samples, starts_s=1000.0)
    appended: list[tuple[float, int]] = []
    at = 1000.0
    while at < 1002.3:
        at += 0.04
        while sent and sent[0].at_s <= at:
            s = sent.pop(0)
            writer.packet(s.packet, s.sequence, s.timestamp, s.at_s, 1)
        writer.tick(at, 1)
        if shelf.logs and (not appended or appended[-1][1] != len(shelf.logs[0])):
            appended.append((at, len(shelf.logs[0])))
    writer.end(0, None)

    for at, count in appended[1:]:
        data = b"".join(shelf.logs[0][:count])
        with av.open(io.BytesIO(data)) as container:
            last = max(float(f.pts * f.time_base) for f in container.decode(container.streams[0]))
        assert at - 1000.0 - last < 0.2
    assert all(b - a < 1.2 for (a, _), (b, _) in itertools.pairwise(appended))
    assert 1 <= shelf.synced <= 3
    assert shelf.finished == 1


def test_a_picture_that_stands_still_is_in_the_file_all_the_same() -> None:
    """A shared screen may change once a minute; what it shows must not wait for the next change."""
    shelf = Shelf()
    writer = writer_for("vp9", shelf)
    for s in packets("vp9", film("vp9", 2), starts_s=1000.0):
        writer.packet(s.packet, s.sequence, s.timestamp, s.at_s, 1)
    for i in range(40):
        writer.tick(1000.1 + i * 0.04, 1)

    assert len(shelf.logs[0]) == 2
    assert shelf.synced == 1
    writer.end(0, None)
