"""Offers and answers between real stacks and this server."""

import re

import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription

from pymeet.sfu import negotiate, sdp
from pymeet.sfu.errors import DescriptionError, UnusableOfferError
from pymeet.sfu.publish import PublishTransport, TrackWish
from pymeet.sfu.service import Sfu
from pymeet.sfu.subscribe import SubscribeTransport
from tests.netem import CERTIFICATE, SERVER
from tests.sfu.descriptions import AUDIO, PLAYERS, SENDERS, VIDEO, offer, section, session
from tests.support.peer import LightPeer


def _sfu() -> Sfu:
    return Sfu(CERTIFICATE, [SERVER])


def _publisher(sfu: Sfu | None = None) -> PublishTransport:
    return (sfu or _sfu()).publisher("alice", print, 0.0)


def _wishes(text: str) -> dict[str, TrackWish]:
    return {
        s.mid: TrackWish("microphone" if s.kind == "audio" else "camera")
        for s in sdp.parse(text).sections
        if s.kind in ("audio", "video")
    }


@pytest.mark.parametrize("name", SENDERS)
def test_the_offers_of_real_senders_are_answered(name: str) -> None:
    """One passive side, one SHA-256 fingerprint, one codec with its repair: independent stacks stumble over each alternative."""
    text = offer(name)
    transport = _publisher()

    answer = transport.answer(text, _wishes(text), 0.0)

    description = sdp.parse(answer)
    assert answer.count("a=fingerprint:sha-256 ") == answer.count("a=fingerprint:") == 2
    assert re.findall(r"a=setup:(\w+)", answer) == ["passive"] * 2
    assert "a=ice-lite\r\n" in answer
    assert answer.count(f"{SERVER[0]} {SERVER[1]} typ host") == 1
    for offered, answered in zip(sdp.parse(text).sections, description.sections, strict=True):
        assert (answered.kind, answered.mid, answered.direction) == (offered.kind, offered.mid, "recvonly")
        assert answered.port == 9
        assert answered.rtcp_mux
        assert set(answered.formats) <= set(offered.formats)
        assert set(answered.extensions.items()) <= set(offered.extensions.items())
        assert len([c for c in answered.codecs.values() if c.name.lower() not in ("rtx", "red")]) == 1
        for number, codec in answered.codecs.items():
            assert set(codec.feedback) <= set(offered.codecs[number].feedback)
    assert {t.kind: t.codec for t in transport.tracks.values()} == {
        "audio": "opus",
        "video": "h264" if name.startswith("ffmpeg") else "vp8",
    }


async def test_aiortc_takes_our_answer_and_our_offer() -> None:
    """Text that we find right must be right to somebody else's negotiation too."""
    sfu = _sfu()
    peer, viewer = RTCPeerConnection(), RTCPeerConnection()
    peer.addTransceiver("audio", direction="sendonly")
    peer.addTransceiver("video", direction="sendonly")
    await peer.setLocalDescription(await peer.createOffer())
    text = peer.localDescription.sdp
    publisher = _publisher(sfu)

    await peer.setRemoteDescription(RTCSessionDescription(publisher.answer(text, _wishes(text), 0.0), "answer"))
    subscriber = sfu.subscriber("bob", print, 0.0)
    subscriber.set_tracks(list(publisher.tracks.values()), 0.0)
    number, ours, sections = subscriber.offer(0.0)
    await viewer.setRemoteDescription(RTCSessionDescription(ours, "offer"))
    await viewer.setLocalDescription(await viewer.createAnswer())
    assert subscriber.accept(number, viewer.localDescription.sdp, 0.0)
    await peer.close()
    await viewer.close()

    assert set(sections.values()) == set(publisher.tracks.values())
    assert [t.receiver.track.kind for t in viewer.getTransceivers()] == ["audio", "video"]


def test_the_repair_stream_of_ffmpeg_is_known_though_declared_nowhere() -> None:
    """It stands in the FID group only; Chromium refuses such an offer, a server must not."""
    text = offer("ffmpeg-send")
    transport = _publisher()
    transport.answer(text, _wishes(text), 0.0)

    assert transport._streams[2613462875].is_repair
    assert not transport._streams[2613462874].is_repair


def test_refused_sections_keep_their_place() -> None:
    """The answer has a section for each of the offer, in order (RFC 3264 section 6)."""
    data = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:2\r\n"
    pcmu = section("audio", "3", "0", "rtpmap:0 PCMU/8000")
    text = session(data, AUDIO, pcmu, VIDEO, bundle="2 0 3 1")
    transport = _publisher()

    answer = sdp.parse(transport.answer(text, {"0": TrackWish("microphone")}, 0.0))

    assert [(s.mid, s.port) for s in answer.sections] == [("2", 0), ("0", 9), ("3", 0), ("1", 9)]
    assert answer.bundle == ["0", "1"]


def test_inactive_sections_stay_inactive() -> None:
    """A camera that is off is not answered as wanted."""
    off = section("video", "1", "96", "rtpmap:96 VP8/90000", direction="inactive")

    answer = sdp.parse(_publisher().answer(session(AUDIO, off), {"0": TrackWish("microphone")}, 0.0))

    assert [s.direction for s in answer.sections] == ["recvonly", "inactive"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (session(AUDIO, VIDEO, bundle=""), "nothing that this server forwards"),
        (session(AUDIO.replace("a=rtcp-mux\r\n", "")), "nothing that this server forwards"),
        (session(section("audio", "0", "0", "rtpmap:0 PCMU/8000")), "nothing that this server forwards"),
        (session(), "no media section"),
        (session(AUDIO.replace("a=mid:0\r\n", ""), bundle=""), "mid"),
        (session(AUDIO.replace("SAVPF", "AVP")), "nothing that this server forwards"),
        (session(AUDIO, VIDEO.replace("ssrc:22", "ssrc:11")), "same SSRC"),
        (session(AUDIO, VIDEO.replace("a=mid:1", "a=mid:0"), bundle="0"), "same mid"),
        (session(re.sub("a=fingerprint.*?\r\n", "", AUDIO)), "fingerprint"),
        (session(re.sub("a=ice-pwd.*?\r\n", "", AUDIO)), "credentials"),
        (session(AUDIO.replace("sendonly", "recvonly")), "mid '0'"),
    ],
)
def test_an_offer_that_cannot_be_used_is_refused_and_changes_nothing(text: str, says: str) -> None:
    """The sentence names what to change; a call that runs goes on as it was."""
    transport = _publisher()
    transport.answer(session(AUDIO, VIDEO), {"0": TrackWish("microphone")}, 0.0)
    before = (dict(transport.tracks), transport.ice.local, transport.ice.remote_ufrag, dict(transport._streams))

    with pytest.raises(DescriptionError, match=re.escape(says)):
        transport.answer(text.replace("ice-ufrag:abcd", "ice-ufrag:newname"), {"0": TrackWish("microphone")}, 0.0)

    assert (dict(transport.tracks), transport.ice.local, transport.ice.remote_ufrag, dict(transport._streams)) == before


def test_tracks_live_as_long_as_they_are_wished_for() -> None:
    """The same section with the same source is the same track; another source is another."""
    transport = _publisher()
    text = session(AUDIO, VIDEO)
    transport.answer(text, {"0": TrackWish("microphone"), "1": TrackWish("camera")}, 0.0)
    microphone, camera = transport.tracks["0"], transport.tracks["1"]

    transport.answer(text, {"0": TrackWish("microphone", muted=True), "1": TrackWish("screen")}, 1.0)

    assert transport.tracks["0"] is microphone
    assert microphone.muted
    assert camera.closed
    assert transport.tracks["1"].source == "screen"
    transport.answer(text, {}, 2.0)
    assert microphone.closed
    assert transport.tracks == {}


def _viewer(sfu: Sfu) -> tuple[SubscribeTransport, LightPeer]:
    return sfu.subscriber("bob", print, 0.0), LightPeer()


def _publish(sfu: Sfu, name: str, video: str = "VP8/90000", fmtp: str = "") -> PublishTransport:
    lines = [f"rtpmap:96 {video}", "rtpmap:97 rtx/90000", "fmtp:97 apt=96"] + ([f"fmtp:96 {fmtp}"] if fmtp else [])
    transport = sfu.publisher(name, print, 0.0)
    text = session(AUDIO, section("video", "1", "96 97", *lines))
    transport.answer(text, {"0": TrackWish("microphone"), "1": TrackWish("camera")}, 0.0)
    return transport


def _negotiate(subscriber: SubscribeTransport, peer: LightPeer) -> sdp.Description:
    number, text, _ = subscriber.offer(0.0)
    assert subscriber.accept(number, peer.answer(text), 0.0)
    return sdp.parse(text)


@pytest.mark.parametrize(
    ("video", "fmtp", "expected"),
    [
        ("VP8/90000", "", "x-google-start-bitrate=1000"),
        (
            "H264/90000",
            "packetization-mode=1;profile-level-id=42e01f",
            "packetization-mode=1;profile-level-id=42e01f;x-google-start-bitrate=1000",
        ),
    ],
)
def test_who_films_is_told_with_which_bandwidth_to_begin(video: str, fmtp: str, expected: str) -> None:
    """Or browsers begin with 300 kbit/s, and where their first probes fail a large picture comes late."""
    lines = [f"rtpmap:96 {video}", *([f"fmtp:96 {fmtp}"] if fmtp else [])]
    transport = _sfu().publisher("alice", print, 0.0)
    text = session(AUDIO, section("video", "1", "96", *lines))

    answer = sdp.parse(transport.answer(text, {"0": TrackWish("microphone"), "1": TrackWish("camera")}, 0.0))

    assert answer.sections[1].codecs[96].parameters == expected
    assert all("x-google" not in codec.parameters for codec in answer.sections[0].codecs.values())
    assert transport.tracks["1"].choice.codec.parameters == fmtp


def test_our_offer_leaves_the_role_open_and_names_each_stream() -> None:
    """RFC 8842 wants actpass in an offer; SSRCs and their repair are told beforehand."""
    sfu = _sfu()
    alice = _publish(sfu, "alice")
    subscriber, peer = _viewer(sfu)
    subscriber.set_tracks([alice.tracks["0"], alice.tracks["1"]], 0.0)

    description = _negotiate(subscriber, peer)

    assert [s.direction for s in description.sections] == ["sendonly", "sendonly"]
    assert {s.transport.setup for s in description.sections} == {"actpass"}
    ssrcs = [n for s in description.sections for n in s.ssrcs]
    assert len(set(ssrcs)) == 3
    assert description.sections[1].ssrc_groups[0][1] == tuple(description.sections[1].ssrcs)


def test_one_payload_type_means_one_codec_in_all_sections_for_ever() -> None:
    """In a bundle a payload type that changes its meaning makes browsers refuse the whole offer (RFC 9143 section 9.1)."""
    sfu = _sfu()
    kinds = [
        ("VP8/90000", ""),
        ("H264/90000", "packetization-mode=1;profile-level-id=42e01f"),
        ("VP9/90000", "profile-id=0"),
    ]
    kinds += [("H264/90000", "packetization-mode=0;profile-level-id=640c1f"), ("AV1/90000", "")]
    tracks = [_publish(sfu, f"p{i}", *kind).tracks for i, kind in enumerate(kinds)]
    subscriber, peer = _viewer(sfu)
    meaning: dict[int, tuple[str, str]] = {}

    for wanted in (
        [tracks[0]["0"], tracks[0]["1"], tracks[1]["1"]],
        [tracks[0]["1"]],
        [tracks[1]["1"]],
        [tracks[2]["1"]],
        [tracks[3]["1"], tracks[2]["1"]],
        [tracks[4]["1"]],
        [tracks[0]["0"], tracks[0]["1"]],
    ):
        subscriber.set_tracks(wanted, 0.0)
        for part in _negotiate(subscriber, peer).sections:
            for number, codec in part.codecs.items():
                said = (codec.name.lower(), codec.parameters)
                assert meaning.setdefault(number, said) == said


def test_more_codecs_than_numbers_are_survived() -> None:
    """A hostile room cannot use the payload types up for ever: those that no section names any more are used again."""
    sfu = _sfu()
    subscriber, peer = _viewer(sfu)

    for n in range(80):
        profile = f"packetization-mode=1;profile-level-id=42{n:02x}1f"
        track = _publish(sfu, f"p{n}", "H264/90000", profile).tracks["1"]
        subscriber.set_tracks([track], 0.0)
        (part,) = _negotiate(subscriber, peer).sections
        assert part.direction == "sendonly", n


def test_an_old_or_foreign_answer_is_not_taken() -> None:
    """Answers cross with new offers on the wire."""
    sfu = _sfu()
    alice = _publish(sfu, "alice")
    subscriber, peer = _viewer(sfu)
    subscriber.set_tracks([alice.tracks["0"]], 0.0)
    number, text, _ = subscriber.offer(0.0)
    old = peer.answer(text)
    subscriber.offer(0.0)

    assert not subscriber.accept(number, old, 0.0)
    for foreign in (session(AUDIO, VIDEO), session(), session(AUDIO.replace("a=mid:0", "a=mid:7"))):
        with pytest.raises(DescriptionError):
            subscriber.accept(number + 1, foreign, 0.0)
    assert subscriber.ice.remote_ufrag == ""


@pytest.mark.parametrize("name", PLAYERS)
def test_the_offers_of_real_players_are_answered(name: str) -> None:
    """WHEP: the client's payload types, our SSRCs, one track behind each section."""
    sfu = _sfu()
    alice = _publish(sfu, "alice")
    player = sfu.subscriber("tv", print, 0.0)

    text = player.answer(offer(name), list(alice.tracks.values()), 0.0)

    answer, offered = sdp.parse(text), sdp.parse(offer(name))
    for theirs, ours in zip(offered.sections, answer.sections, strict=True):
        assert (ours.mid, ours.direction, ours.transport.setup) == (theirs.mid, "sendonly", "passive")
        number = int(ours.formats[0])
        assert ours.codecs[number].name == theirs.codecs[number].name
        assert len(ours.ssrcs) == len([n for n in ours.formats if ours.codecs[int(n)].name != "red"])
    assert {s.track for s in player._slots} == set(alice.tracks.values())


def test_a_player_that_decodes_nothing_of_ours_is_told_so() -> None:
    """Better an error than an answer without media."""
    sfu = _sfu()
    for text in (session(section("audio", "0", "0", "rtpmap:0 PCMU/8000", direction="recvonly")), session(AUDIO)):
        with pytest.raises(UnusableOfferError):
            sfu.subscriber("tv", print, 0.0).answer(text, [], 0.0)


_NAMED = ("extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid", "extmap:5 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id")


def _simulcast(codec: str, *lines: str, named: tuple[str, ...] = _NAMED) -> str:
    return session(section("video", "1", "96", f"rtpmap:96 {codec}/90000", *named, *lines))


@pytest.mark.parametrize(
    ("text", "rids"),
    [
        (_simulcast("VP8", "rid:a send", "rid:b send", "simulcast:send a;b"), ("a", "b")),
        (_simulcast("H264", "rid:a send", "rid:b send", "simulcast:send a;b"), ("a", "b")),
        (_simulcast("VP8", *(f"rid:{i} send" for i in range(5)), "simulcast:send 0;1;2;3;4"), ("0", "1", "2")),
        (_simulcast("VP8", "rid:a send", "rid:b send", "rid:c send", "simulcast:send a,c;~b"), ("a", "b")),
        (_simulcast("VP8", "rid:a send max-width=640", "rid:b recv", "simulcast:send a recv b"), ("a",)),
        (_simulcast("VP8", "rid:a", "rid:ä send", "rid:b send", "simulcast:send a;b"), ("b",)),
        (_simulcast("VP8", "rid:a send", "simulcast:send a;b;ö"), ()),
        (_simulcast("VP8", "rid:a send", "rid:b send", "simulcast:send a;a"), ("a",)),
        (_simulcast("VP9", "rid:a send", "rid:b send", "simulcast:send a;b"), ()),
        (_simulcast("VP8", "rid:a send", "rid:b send", "simulcast:send a;b", named=_NAMED[:1]), ()),
    ],
)
def test_simulcast_is_taken_as_far_as_it_can_be(text: str, rids: tuple[str, ...]) -> None:
    """What is not in the answer a sender does not send (RFC 8853 section 5.3): nothing may come that nobody can tell apart."""
    transport = _publisher()

    answered = sdp.parse(transport.answer(text, {"1": TrackWish("camera")}, 0.0)).sections[0]

    assert answered.simulcast == ({"recv": rids} if rids else {})
    assert answered.rids == dict.fromkeys(rids, "recv")
    assert tuple(layer.rid for layer in transport.tracks["1"].layers) == (rids or ("",))


def test_other_layers_are_another_track() -> None:
    """A camera that begins to send simulcast is taken anew: its receivers must not wait for a stream that has ended."""
    transport = _publisher()
    wishes = {"1": TrackWish("camera")}
    transport.answer(_simulcast("VP8"), wishes, 0.0)
    plain = transport.tracks["1"]

    transport.answer(_simulcast("VP8", "rid:a send", "rid:b send", "simulcast:send a;b"), wishes, 1.0)

    assert plain.closed
    assert len(transport.tracks["1"].layers) == 2


@pytest.mark.parametrize("name", PLAYERS)
def test_players_are_asked_for_reports_they_offered(name: str) -> None:
    """An answer must not want what was not offered, and a receiver's own ids count."""
    sfu = _sfu()
    alice = _publish(sfu, "alice")
    player = sfu.subscriber("tv", print, 0.0)
    offered = sdp.parse(offer(name))

    answer = sdp.parse(player.answer(offer(name), list(alice.tracks.values()), 0.0))

    for theirs, ours in zip(offered.sections, answer.sections, strict=True):
        assert set(ours.extensions.items()) <= set(theirs.extensions.items())
        for number, codec in ours.codecs.items():
            assert set(codec.feedback) <= set(theirs.codecs[number].feedback)
    assert player.has_wide_feedback
    assert "transport-cc" in answer.sections[1].codecs[int(answer.sections[1].formats[0])].feedback


def test_a_receiver_that_wants_no_numbers_gets_none() -> None:
    """Numbers without reports would only cost room; only what the answer names is used."""
    sfu = _sfu()
    alice = _publish(sfu, "alice")
    for keeps in (True, False):
        subscriber, peer = _viewer(sfu)
        subscriber.set_tracks([alice.tracks["1"]], 0.0)
        number, text, _ = subscriber.offer(0.0)
        assert "a=rtcp-fb:96 transport-cc\r\n" in text
        extension = next(line for line in text.split("\r\n") if "transport-wide" in line)
        answer = peer.answer(text)

        assert subscriber.accept(number, answer + (f"{extension}\r\n" if keeps else ""), 0.0)

        assert subscriber.has_wide_feedback is keeps


@pytest.mark.parametrize("name", ["chromium-simulcast", "firefox-simulcast"])
def test_the_layers_of_real_browsers_are_taken(name: str) -> None:
    """Firefox announces SSRCs beside the names, Chromium does not; the names count in both."""
    text = offer(name)
    transport = _publisher()

    answer = sdp.parse(transport.answer(text, _wishes(text), 0.0))

    assert answer.sections[1].simulcast == {"recv": ("l", "m", "h")}
    assert [layer.rid for layer in transport.tracks["1"].layers] == ["l", "m", "h"]
    assert {negotiate.RID_URI, negotiate.REPAIRED_RID_URI} <= set(answer.sections[1].extensions.values())
