"""Payloads to frames: what real encoders made comes out as it went in, and a loss costs no more than it must."""

import random

import av
import pytest
from tests.support.packetising import Sent, film, packets, payloads, sound

from pymeet.recording.depacket import CODECS, Depacketiser, for_codec
from pymeet.recording.depacket.frame import Frame, MalformedError, payload_of
from pymeet.recording.depacket.opus import duration_of
from pymeet.recording.depacket.reorder import Reorder
from pymeet.sfu.codecs import starts_keyframe
from pymeet.sfu.h264 import read_sps

VIDEO = [codec for codec in CODECS if codec != "opus"]
_DECODERS = {"av1": "libdav1d"}


def put_together(codec: str, sent: list[Sent], depacketiser: Depacketiser | None = None) -> list[Frame]:
    """What comes out for packets that arrive in this order."""
    reorder = Reorder(64, 0.5)
    depacketiser = depacketiser or for_codec(codec)
    frames = []
    ordered = [o for s in sent for o in reorder.push(s.packet, s.sequence, s.timestamp, s.at_s)]
    for o in [*ordered, *reorder.flush()]:
        marker = bool(o.packet[1] & 0x80)
        frames += depacketiser.push(payload_of(o.packet), marker, o.timestamp, gap=o.gap)
    return frames


def decoded(codec: str, frames: list[Frame]) -> list[tuple[int, int]]:
    """The sizes of the pictures that a decoder makes of the frames; it is told the first one's configuration."""
    context = av.CodecContext.create(_DECODERS.get(codec, codec), "r")
    context.thread_type = "NONE"
    assert frames[0].picture is not None
    if frames[0].picture.private:
        context.extradata = frames[0].picture.private
    pictures = [p for frame in frames for p in context.decode(av.Packet(frame.data))]
    return [(p.width, p.height) for p in [*pictures, *context.decode(None)]]


@pytest.mark.parametrize("codec", VIDEO)
def test_every_frame_comes_out_whole_and_can_be_decoded(codec: str) -> None:
    """Also when packets are out of order, doubled, and numbers and timestamps wrap meanwhile."""
    draw = random.Random(5)
    samples = film(codec, 40, keyframe_every=20)
    sent = packets(codec, samples)
    assert len(sent) > 60
    mixed = sorted(((i + draw.uniform(0, 5), s) for i, s in enumerate(sent[1:])), key=lambda x: x[0])
    doubled = [sent[0], *(s for _, s in mixed for _ in range(draw.choice((1, 1, 2))))]

    frames = put_together(codec, doubled)

    assert [f.rtp_timestamp for f in frames] == list(dict.fromkeys(s.timestamp for s in sent))
    assert [f.keyframe for f in frames] == [s.keyframe for s in samples]
    assert all((f.picture is not None) == f.keyframe for f in frames)
    assert decoded(codec, frames) == [(320, 240)] * 40


@pytest.mark.parametrize("codec", VIDEO)
def test_a_picture_has_the_size_that_its_bitstream_says(codec: str) -> None:
    """A player opens its window by it, and not every size is a multiple of 16."""
    samples = film(codec, 2, width=322, height=182)

    frame = put_together(codec, packets(codec, samples))[0]

    assert frame.picture is not None
    assert (frame.picture.width, frame.picture.height) == (322, 182)
    assert bool(frame.picture.private) == (codec in ("h264", "av1"))


@pytest.mark.parametrize("codec", ["vp8", "vp9"])
def test_the_very_bytes_of_the_encoder_come_out(codec: str) -> None:
    """These frames are stored as they were made."""
    samples = film(codec, 40, keyframe_every=20)

    assert [f.data for f in put_together(codec, packets(codec, samples))] == [s.data for s in samples]


@pytest.mark.parametrize("codec", VIDEO)
@pytest.mark.parametrize("lost", ["first", "last", "all"])
def test_after_a_loss_video_goes_on_with_the_next_key_frame(codec: str, lost: str) -> None:
    """Frames that refer to one that is missing show smeared faces; a key frame is asked for instead."""
    samples = film(codec, 40, keyframe_every=20)
    sent = packets(codec, samples)
    stamps = list(dict.fromkeys(s.timestamp for s in sent))
    of_fifth = [s for s in sent if s.timestamp == stamps[5]]
    gone = {"first": of_fifth[:1], "last": of_fifth[-1:], "all": of_fifth}[lost]
    depacketiser = for_codec(codec)

    put_together(codec, [s for s in sent if s.timestamp in stamps[:8] and s not in gone], depacketiser)
    assert depacketiser.wants_keyframe

    depacketiser = for_codec(codec)
    frames = put_together(codec, [s for s in sent if s not in gone], depacketiser)
    assert [f.rtp_timestamp for f in frames] == stamps[:5] + stamps[20:]
    assert not depacketiser.wants_keyframe
    assert 14 <= depacketiser.lost_frames <= 15
    assert len(decoded(codec, frames)) == 25


@pytest.mark.parametrize("codec", VIDEO)
def test_a_recording_that_begins_in_the_middle_begins_with_a_key_frame(codec: str) -> None:
    """Nothing before it is lost: it was never part of the recording."""
    samples = film(codec, 40, keyframe_every=20)
    sent = packets(codec, samples)
    depacketiser = for_codec(codec)

    frames = put_together(codec, sent[7:], depacketiser)

    assert frames[0].keyframe
    assert len(frames) == 20
    assert depacketiser.lost_frames == 0


@pytest.mark.parametrize("codec", VIDEO)
def test_the_size_may_change_in_the_middle(codec: str) -> None:
    """A browser sends smaller pictures when the line is bad. The stream carries what a decoder needs to follow."""
    small, large = film(codec, 10, width=160, height=120), film(codec, 10)
    sent = packets(codec, small)
    sent += packets(codec, large, sequence=sent[-1].sequence + 1, timestamp=sent[-1].timestamp + 3000)

    assert decoded(codec, put_together(codec, sent)) == [(160, 120)] * 10 + [(320, 240)] * 10


@pytest.mark.parametrize("codec", VIDEO)
def test_frames_without_markers_end_where_the_next_begins(codec: str) -> None:
    """The marker is a hint that a sender may forget."""
    sent = packets(codec, film(codec, 10))
    without = [Sent(s.packet[:1] + b"\0" + s.packet[2:], s.sequence, s.timestamp, s.at_s) for s in sent]

    assert len(put_together(codec, without)) == 9


@pytest.mark.parametrize("codec", VIDEO)
def test_the_server_and_the_recorder_agree_on_key_frames(codec: str) -> None:
    """The queue is emptied up to what the server takes for a key frame."""
    for sample in film(codec, 40, keyframe_every=20):
        assert starts_keyframe(codec, payloads(codec, sample)[0]) is sample.keyframe


def test_an_h264_key_frame_without_parameter_sets_gets_those_sent_before() -> None:
    """Some encoders send them once; a file must be decodable from every key frame."""
    samples = film("h264", 40, keyframe_every=20)
    sent = packets("h264", samples)
    stamps = list(dict.fromkeys(s.timestamp for s in sent))
    bare = [s for s in sent if s.timestamp != stamps[20] or s.packet[12] & 31 != 24]
    renumbered = [Sent(s.packet, i, s.timestamp, s.at_s) for i, s in enumerate(bare)]

    frames = put_together("h264", renumbered)

    assert [f.keyframe for f in frames] == [s.keyframe for s in samples]
    assert frames[20].data[4] & 31 == 7
    assert len(decoded("h264", frames[20:])) == 20


def test_an_h264_key_frame_whose_first_slice_is_missing_is_lost() -> None:
    """A part of a picture looks like a whole one to the next stage, but not to a viewer."""
    sets = b"\x78" + b"\x00\x0b\x67\x42\xc0\x1e\xd9\x00\xa0\x3d\xb0\x11\x10" + b"\x00\x04\x68\xcb\x83\xcb"
    depacketiser = for_codec("h264")

    assert depacketiser.push(sets, False, 0, gap=False) == []
    assert depacketiser.push(b"\x65\x00\x20\x10", True, 0, gap=False) == []
    assert depacketiser.wants_keyframe


def test_the_sizes_of_known_parameter_sets_are_read() -> None:
    """Cropping, interlacing and scaling lists stand between the beginning and the size."""
    high = bytes.fromhex("67640028acd940780227e5c044000003000400000300f03c60c658")

    sps = read_sps(high)

    assert (sps.profile, sps.width, sps.height, sps.chroma_format) == (100, 1920, 1080, 1)


@pytest.mark.parametrize(
    ("packet", "samples"),
    [
        ("78", 960),  # hybrid... CELT 20 ms
        ("f8fffe", 960),
        ("08", 960),  # SILK 20 ms
        ("18", 2880),  # SILK 60 ms
        ("e0", 120),  # CELT 2.5 ms
        ("79", 1920),  # two frames
        ("7b03", 2880),  # three frames
        ("7b", 0),
        ("", 0),
    ],
)
def test_the_duration_of_sound_stands_in_its_first_bytes(packet: str, samples: int) -> None:
    """RFC 6716 section 3.1, by which the end of a track is known."""
    assert duration_of(bytes.fromhex(packet)) == samples


def test_a_gap_in_sound_stays_a_gap() -> None:
    """Every packet of Opus can be played by itself: nothing is dropped but what is missing."""
    sent = packets("opus", sound(1.0))
    depacketiser = for_codec("opus")

    frames = put_together("opus", [*sent[:10], *sent[15:]], depacketiser)

    assert [f.rtp_timestamp for f in frames] == [s.timestamp for s in [*sent[:10], *sent[15:]]]
    assert depacketiser.lost_frames == 1
    assert all(f.duration == 960 for f in frames)


def test_padding_and_header_extensions_are_no_payload() -> None:
    """The server keeps padding as it was sent, and adds the loudness of sound."""
    head = b"\xb0\x00" + bytes(10)
    extension = b"\xbe\xde\x00\x01\x10\x2a\x00\x00"

    assert bytes(payload_of(head + extension + b"sound" + b"\0\0\3")) == b"sound"
    assert bytes(payload_of(b"\x80" + head[1:] + b"sound")) == b"sound"
    for cut_off in (head + extension[:3], head + extension + b"sound\xff", head + extension + b"sound\0"):
        with pytest.raises(MalformedError):
            payload_of(cut_off)
