"""The file of a track: whole pieces, so that it can be played to wherever it ends."""

import io

import av
import pytest
from tests.support.packetising import film, packets, sound

from pymeet.recording.depacket import CODECS, for_codec
from pymeet.recording.depacket.frame import Frame, payload_of
from pymeet.recording.matroska import CLUSTER_MS, Muxer, begins_at


def frames_of(codec: str, seconds: int) -> list[Frame]:
    samples = sound(seconds) if codec == "opus" else film(codec, 20 * seconds, fps=20, keyframe_every=20)
    depacketiser = for_codec(codec)
    frames = []
    for s in packets(codec, samples, timestamp=0):
        frames += depacketiser.push(payload_of(s.packet), bool(s.packet[1] & 0x80), s.timestamp, gap=False)
    return frames


def pieces_of(codec: str, frames: list[Frame], starts_ms: int = 0) -> list[bytes]:
    muxer = Muxer(codec)
    rate = 48 if codec == "opus" else 90
    pieces = [muxer.head(frames[0].picture, 4321)]
    for frame in frames:
        if piece := muxer.add(frame, starts_ms + round(frame.rtp_timestamp / rate)):
            pieces.append(piece)
    assert not muxer.is_empty
    return [*pieces, muxer.flush()]


def played(data: bytes) -> list[int]:
    """The times, in milliseconds, of what a player shows or plays."""
    with av.open(io.BytesIO(data)) as container:
        return [round(1000 * frame.pts * frame.time_base) for frame in container.decode(container.streams[0])]


@pytest.mark.parametrize("codec", CODECS)
def test_a_file_that_ends_after_any_piece_plays_to_there(codec: str) -> None:
    """The server may be killed at any moment: what is in the file must be worth having."""
    frames = frames_of(codec, 3)
    step = 20 if codec == "opus" else 50
    pieces = pieces_of(codec, frames)
    assert len(pieces) >= 4

    shown = [played(b"".join(pieces[: i + 1])) for i in range(1, len(pieces))]

    assert shown[-1] == [step * i for i in range(len(frames))]
    for i, times in enumerate(shown):
        assert times == shown[-1][: len(times)]
        assert len(times) >= i * CLUSTER_MS // step


@pytest.mark.parametrize("codec", CODECS)
def test_a_file_cut_anywhere_plays_nearly_to_there(codec: str) -> None:
    """A power cut may leave half a piece."""
    frames = frames_of(codec, 3)
    data = b"".join(pieces_of(codec, frames))
    cut = len(data) * 2 // 3

    assert len(played(data[:cut])) > len(frames) // 2


@pytest.mark.parametrize("codec", CODECS)
def test_any_player_can_tell_what_is_in_it(codec: str) -> None:
    """Codec, size, and when it begins within its recording."""
    frames = frames_of(codec, 1)
    with av.open(io.BytesIO(b"".join(pieces_of(codec, frames)))) as container:
        stream = container.streams[0]

        assert begins_at(container.metadata) == 4321
        assert stream.codec_context.codec.canonical_name == codec
        if isinstance(stream, av.VideoStream):
            assert (stream.codec_context.width, stream.codec_context.height) == (320, 240)
        else:
            assert stream.codec_context.sample_rate == 48000


def test_times_go_on_for_hours() -> None:
    """Times within a piece have 15 bits; those of a silence or of a day need more."""
    muxer = Muxer("opus")
    data = muxer.head(None, 0)
    moments = [0, 20, 3_600_000, 3_600_020, 90_000_000]
    for at in moments:
        data += muxer.add(Frame(b"\xf8\xff\xfe", 0, True), at)
    data += muxer.flush()

    assert played(data) == moments


def test_a_large_frame_does_not_wait_for_the_end_of_its_second() -> None:
    """Pieces stay small, because until they are written they can be lost."""
    muxer = Muxer("vp8")
    large = Frame(b"\1" * 600_000, 0, False)

    assert muxer.add(large, 0) == b""
    assert len(muxer.add(large, 10)) > 600_000


def test_a_file_without_the_tag_says_nothing() -> None:
    """Files of others, and damaged ones."""
    assert begins_at({}) is None
    assert begins_at({"BEGINS_AT": "soon"}) is None
