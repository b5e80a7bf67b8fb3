"""Where a decoder can begin, and which of the offered codecs is taken."""

import pytest

from pymeet.sfu import sdp
from pymeet.sfu.codecs import choose, keyframe_size, parameters_for_receivers, starts_keyframe
from pymeet.sfu.errors import DescriptionError
from pymeet.sfu.sdp import Codec, Section


@pytest.mark.parametrize(
    ("codec", "payload", "begins"),
    [
        ("vp8", "10 10 02 00 9d 01 2a", True),  # S, partition 0, P bit 0
        ("vp8", "10 11 02 00", False),  # inter frame
        ("vp8", "00 10 02 00", False),  # not the start of a partition
        ("vp8", "11 10 02 00", False),  # partition 1
        ("vp8", "90 80 05 10 02 00", True),  # picture id of 7 bits
        ("vp8", "90 80 85 05 10 02 00", True),  # picture id of 15 bits
        ("vp8", "90 e0 85 05 07 40 10 02", True),  # picture id, TL0PICIDX, TID
        ("vp8", "90 e0 85 05 07 40 11 02", False),
        ("vp8", "90 10 23 10 02", True),  # KEYIDX alone
        ("vp8", "90", False),
        ("vp8", "90 80", False),
        ("vp8", "90 80 85", False),
        ("h264", "65 88 84", True),  # IDR
        ("h264", "67 42 e0 1f", True),  # SPS
        ("h264", "68 ce 3c 80", False),  # PPS
        ("h264", "41 9a", False),  # P slice
        ("h264", "18 00 04 67 42 e0 1f 00 02 68 ce", True),  # STAP-A with SPS
        ("h264", "18 00 02 09 f0 00 02 65 88", True),  # STAP-A: delimiter, IDR
        ("h264", "18 00 02 09 f0 00 02 41 9a", False),
        ("h264", "18 ff ff 41", False),  # STAP-A with a lying length
        ("h264", "18", False),
        ("h264", "7c 85 88", True),  # FU-A, start, IDR
        ("h264", "7c 05 88", False),  # FU-A, middle
        ("h264", "7c 81 9a", False),  # FU-A, start, P slice
        ("h264", "7c", False),
        ("vp9", "08 00", True),  # begins, not predicted, no layers
        ("vp9", "48 00", False),  # predicted
        ("vp9", "00 00", False),  # not the beginning
        ("vp9", "88 81 23 00", True),  # picture id of 15 bits
        ("vp9", "a8 05 00 00", True),  # layer indices: spatial 0
        ("vp9", "a8 05 02 00", False),  # spatial 1
        ("vp9", "a8 81 23 00", True),
        ("vp9", "a8 81", False),
        ("av1", "18 0a 0b", True),  # N, a new coded video sequence
        ("av1", "10 32", False),
        ("av1", "98 0a", False),  # Z, continues an OBU
        ("vp8", "", False),
        ("opus", "f8 ff fe", True),
    ],
)
def test_a_key_frame_is_recognised_by_its_first_bytes(codec: str, payload: str, begins: bool) -> None:
    """A receiver that begins elsewhere sees grey or nothing."""
    data = bytes.fromhex(payload)

    assert starts_keyframe(codec, data) is begins
    assert starts_keyframe(codec, memoryview(data)) is begins


_SPS_1080 = "67640028acd940780227e5c044000003000400000300f03c60c658"


@pytest.mark.parametrize(
    ("codec", "payload", "size"),
    [
        ("vp8", "10 10 02 00 9d 01 2a 80 02 68 01", (640, 360)),
        ("h264", _SPS_1080, (1920, 1080)),
        ("h264", f"78 00 02 09f0 00 1b {_SPS_1080} 00 02 68ce", (1920, 1080)),  # STAP-A: delimiter, SPS, PPS
        ("h264", f"78 00 ff {_SPS_1080[:20]}", None),  # cut off
        ("h264", "67 42", None),
        ("h264", "65 88 84", None),  # IDR alone
        ("h264", "78", None),
        ("h264", "", None),
        ("vp9", "08 00", None),
    ],
)
def test_the_size_of_pictures_is_read_where_a_key_frame_begins(
    codec: str, payload: str, size: tuple[int, int] | None
) -> None:
    """By it the layers of a simulcast are put in order, and fitted to tiles; what cannot be read is not guessed."""
    assert keyframe_size(codec, bytes.fromhex(payload)) == size


def _video(*codecs: tuple[int, str, str]) -> Section:
    section = Section("video", 9, "UDP/TLS/RTP/SAVPF", [str(n) for n, _, _ in codecs])
    section.codecs = {n: Codec(n, name, 90000, parameters=parameters) for n, name, parameters in codecs}
    return section


def test_the_codec_that_everybody_decodes_is_preferred() -> None:
    """The order of the offer is the sender's taste; the receivers must be able to follow."""
    section = _video((98, "VP9", "profile-id=0"), (102, "H264", ""), (96, "VP8", ""), (97, "rtx", "apt=96"))

    choice = choose(section)

    assert choice is not None
    assert (choice.codec.payload_type, choice.rtx_payload_type) == (96, 97)


def test_the_most_common_kind_of_h264_is_taken_of_several() -> None:
    """Constrained baseline in packetization mode 1 is what every browser decodes."""
    section = _video(
        (1, "H264", "packetization-mode=1;profile-level-id=640c1f"),
        (2, "H264", "packetization-mode=0;profile-level-id=42e01f"),
        (3, "H264", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"),
        (4, "H264", "packetization-mode=1;profile-level-id=42001f"),
    )

    choice = choose(section)

    assert choice is not None
    assert choice.codec.payload_type == 3


@pytest.mark.parametrize(
    "section",
    [
        _video((96, "H265", ""), (97, "rtx", "apt=96"), (98, "ulpfec", "")),
        _video(),
        Section("audio", 9, "UDP/TLS/RTP/SAVPF", ["0"], codecs={0: Codec(0, "PCMU", 8000)}),
        Section("application", 9, "UDP/DTLS/SCTP", ["webrtc-datachannel"]),
    ],
)
def test_what_nobody_here_forwards_is_not_chosen(section: Section) -> None:
    """None is an answer: the section is refused."""
    assert choose(section) is None


def test_receivers_are_told_nothing_that_the_sender_made_up() -> None:
    """A format parameter of a stranger is copied into other people's browsers: only what is known is."""
    h264 = Codec(1, "H264", 90000, parameters="profile-level-id=42E01F\x00<b>;packetization-mode=9;x=y")
    opus = Codec(1, "opus", 48000, 2, "sprop-stereo=1;usedtx=1;evil=1")

    assert parameters_for_receivers(h264) == "level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f"
    assert parameters_for_receivers(opus) == "minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1"
    assert parameters_for_receivers(Codec(1, "VP8", 90000, parameters="evil")) == ""


def test_a_payload_type_too_long_to_be_a_number_is_refused() -> None:
    """Python refuses to convert numbers of thousands of digits by an error that nobody expects."""
    for format_ in ("9" * 5000, "²", "1\r2"):
        with pytest.raises(DescriptionError):
            sdp.parse(f"v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111 {format_}\r\n")
