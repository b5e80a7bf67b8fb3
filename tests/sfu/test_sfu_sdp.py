"""Session descriptions: what real stacks write is read, what we write is read by others, nonsense is refused politely."""

import dataclasses

import pytest
from aiortc import RTCPeerConnection
from aiortc.sdp import SessionDescription

from pymeet.sfu import sdp
from pymeet.sfu.errors import DescriptionError
from tests.sfu.descriptions import AUDIO, PLAYERS, SENDERS, VIDEO, offer, section, session


@pytest.mark.parametrize("name", [*SENDERS, *PLAYERS])
def test_what_is_read_is_written_and_read_the_same(name: str) -> None:
    """A round trip through our own text keeps everything that we know of a section that is in use."""
    description = sdp.parse(offer(name))
    for part in description.sections:
        part.port = 9
        part.transport = description.transport_of(part)
        part.codecs = {n: c for n, c in part.codecs.items() if c.clock_rate}

    again = sdp.parse(sdp.build(description))

    for before, after in zip(description.sections, again.sections, strict=True):
        assert dataclasses.replace(before, lines=[]) == dataclasses.replace(after, lines=[])
    assert again.bundle == description.bundle


@pytest.mark.parametrize("name", SENDERS)
def test_what_senders_offer_is_understood(name: str) -> None:
    """The fields by which everything else is decided, from stacks as they are."""
    description = sdp.parse(offer(name))

    kinds = {s.kind: s for s in description.sections}
    assert set(kinds) == {"audio", "video"}
    for part in description.sections:
        transport = description.transport_of(part)
        assert transport.ufrag
        assert len(transport.password) >= 22
        assert transport.fingerprints[0][0] == "sha-256"
        assert part.rtcp_mux
        assert part.mid in description.bundle
        assert part.direction == "sendonly"
        assert part.ssrcs or part.simulcast["send"]
    opus = next(c for c in kinds["audio"].codecs.values() if c.name.lower() == "opus")
    assert (opus.clock_rate, opus.channels) == (48000, 2)


async def test_what_aiortc_offers_is_understood() -> None:
    """Another stack whose text is made now and not recorded once."""
    peer = RTCPeerConnection()
    peer.addTransceiver("audio", direction="recvonly")
    peer.addTransceiver("video", direction="recvonly")
    text = (await peer.createOffer()).sdp
    await peer.close()

    description = sdp.parse(text)

    assert [s.kind for s in description.sections] == ["audio", "video"]
    assert {c.name.lower() for c in description.sections[1].codecs.values()} >= {"vp8", "h264", "rtx"}


@pytest.mark.parametrize("name", ["chromium-send", "firefox-send", "ffmpeg-send"])
def test_another_stack_reads_what_we_write(name: str) -> None:
    """aiortc's parser agrees on codecs, extensions, transport and SSRCs."""
    description = sdp.parse(offer(name))
    for part in description.sections:
        part.transport = description.transport_of(part)
        part.transport.setup = "actpass"

    theirs = SessionDescription.parse(sdp.build(description))

    for mine, media in zip(description.sections, theirs.media, strict=True):
        assert (media.kind, media.rtp.muxId, media.direction) == (mine.kind, mine.mid, mine.direction)
        assert {c.payloadType for c in media.rtp.codecs} == {n for n, c in mine.codecs.items()}
        assert {h.id: h.uri for h in media.rtp.headerExtensions} == mine.extensions
        assert {s.ssrc for s in media.ssrc} == set(mine.ssrcs)
        assert media.ice.usernameFragment == mine.transport.ufrag
        assert media.dtls.fingerprints[0].value == mine.transport.fingerprints[0][1]


def test_attributes_at_the_top_hold_for_every_section() -> None:
    """Firefox writes its fingerprint once (RFC 8839, RFC 8842)."""
    top = (
        "a=ice-ufrag:topp\r\na=ice-pwd:"
        + "q" * 22
        + "\r\na=fingerprint:SHA-256 "
        + ":".join(["0f"] * 32)
        + "\r\na=setup:active\r\n"
    )
    bare = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n"
    own = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=ice-ufrag:mine\r\n"

    description = sdp.parse("v=0\r\n" + top + bare + own)

    first, second = (description.transport_of(s) for s in description.sections)
    assert (first.ufrag, first.setup) == ("topp", "active")
    assert first.fingerprints == [("sha-256", ":".join(["0F"] * 32))]
    assert (second.ufrag, second.password) == ("mine", "q" * 22)


def test_line_ends_of_both_kinds_are_taken() -> None:
    """Some libraries write LF alone."""
    assert sdp.parse(session(AUDIO, VIDEO).replace("\r\n", "\n")) == sdp.parse(session(AUDIO, VIDEO))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v=1\r\n",
        "hello",
        "v=0\r\nm=audio\r\n",
        "v=0\r\nm=audio x UDP/TLS/RTP/SAVPF 1\r\n",
        "v=0\r\nm=audio 99999 UDP/TLS/RTP/SAVPF 1\r\n",
        "v=0\r\nm=au\u00e4dio 9 UDP/TLS/RTP/SAVPF 1\r\n",
        "v=0\r\nm=audio 9 UDP/\x00 1\r\n",
        "v=0\r\nx\r\n",
        "v=0\r\na=rtpmap:1 opus/48000\r\n",
        "v=0\r\na=ice-ufrag:a b\r\n",
        "v=0\r\na=ice-pwd:short\r\n",
        "v=0\r\na=fingerprint:sha-256 zz\r\n",
        "v=0\r\na=setup:maybe\r\n",
        "v=0\r\na=mid:0\r\n",
        "v=0\r\n" + "m=audio 9 RTP/AVP 0\r\na=mid:0\r\n" * 2,
        "v=0\r\n" + "m=audio 9 RTP/AVP 0\r\n" * 501,
        "v=0\r\n" + "a=x\r\n" * 12_001,
        "v=0\r\n" + "a=" + "x" * 400_001,
        "v=0\r\nm=audio 9 RTP/AVP " + "0 " * 257 + "\r\n",
        *(
            f"v=0\r\nm=audio 9 RTP/AVP 0\r\na={line}\r\n"
            for line in (
                "rtpmap:0",
                "rtpmap:999 a/1",
                "rtpmap:-1 a/1",
                "rtpmap:0 a",
                "rtpmap:0 a/99999999999999999999999",
                "rtpmap:٣ a/8000",
                "fmtp:0",
                "fmtp:0 " + "x" * 1001,
                "rtcp-fb:0",
                "extmap:1",
                "extmap:256 urn:x",
                "ssrc:x cname:y",
                "ssrc:4294967296 cname:y",
                "ssrc-group:",
                "ssrc-group:FID 1 x",
                "mid:a b",
                "mid:" + "x" * 65,
            )
        ),
    ],
)
def test_nonsense_is_refused_with_a_sentence(text: str) -> None:
    """The client's developer reads which line it was; nothing else ever comes out of the parser."""
    with pytest.raises(DescriptionError) as caught:
        sdp.parse(text)
    assert len(caught.value.message) < 200


def test_what_is_unknown_is_passed_over() -> None:
    """Every year brings new attributes."""
    text = session(section("audio", "0", "111", "rtpmap:111 opus/48000/2", "new-thing", "new:thing", "rtcp-fb:* nack"))

    assert sdp.parse("v=0\r\nz=whatever\r\n" + text[5:]).sections[0].codecs[111].name == "opus"


def test_repeated_lines_do_not_grow_without_bound() -> None:
    """Each list that a description fills has an end."""
    lines = [f"ssrc:{n} cname:x" for n in range(600)] + [f"ssrc-group:FID {n} {n}" for n in range(600)]
    lines += ["rtcp-fb:111 x"] * 600 + [f"extmap:{n % 256} urn:{n}" for n in range(600)] + ["rid:x send"] * 600
    lines += ["fingerprint:sha-256 " + ":".join(["AB"] * 32)] * 600

    (part,) = sdp.parse(session(section("audio", "0", "111", *lines))).sections

    assert len(part.ssrcs) <= 256
    assert len(part.ssrc_groups) <= 32
    assert len(part.codecs[111].feedback) <= 32
    assert len(part.extensions) <= 64
    assert len(part.rids) <= 16
    assert len(part.transport.fingerprints) <= 8
