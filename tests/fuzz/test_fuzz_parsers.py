"""Every parser, given anything: a value or the declared error, quickly, and never anything else."""

import contextlib
import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymeet.sfu import rtcp, rtp, sdp, stun
from pymeet.sfu.codecs import starts_keyframe
from pymeet.sfu.errors import DatagramError, DescriptionError
from pymeet.sfu.feedback import ArrivalLog
from pymeet.sfu.nack import Reception
from pymeet.sfu.publish import TrackWish
from pymeet.sfu.service import Sfu
from tests.fuzz.profile import SEED, corpus, examples, mutated, mutated_text, rounds
from tests.netem import CERTIFICATE, SERVER
from tests.sfu.descriptions import AUDIO, PLAYERS, SENDERS, VIDEO, offer, session
from tests.sfu.test_sfu_rtcp import decode_transport_feedback
from tests.sfu.test_sfu_stun import REQUEST, RESPONSE_V4, RESPONSE_V6
from tests.support.peer import LightPeer

u8, u16, u32 = (st.integers(0, (1 << bits) - 1) for bits in (8, 16, 32))
attributes = st.lists(st.tuples(u16, st.binary(max_size=40)), max_size=40)


@given(st.binary(max_size=1600))
@examples(300)
def test_any_bytes_are_stun_or_refused(data: bytes) -> None:
    """The first parser that a stranger reaches."""
    with contextlib.suppress(DatagramError):
        stun.parse(data)


@given(st.sampled_from((1, 0x101, 0x111)), attributes, st.binary(min_size=12, max_size=12))
@examples(150)
def test_any_attributes_are_read_back_or_refused(kind: int, items: list[tuple[int, bytes]], transaction: bytes) -> None:
    """Whatever is well formed is understood as it was meant."""
    data = stun.build(kind, transaction, items, "password")
    try:
        message = stun.parse(data)
    except DatagramError:
        return
    assert message.type == kind
    assert message.is_authentic("password") or any(a in (stun.MESSAGE_INTEGRITY, stun.FINGERPRINT) for a, _ in items)


@given(st.binary(max_size=1500))
@examples(300)
def test_any_bytes_are_rtcp_or_refused(data: bytes) -> None:
    """What comes out can be counted."""
    with contextlib.suppress(DatagramError):
        assert len(rtcp.parse(data)) < 2000


@st.composite
def compounds(draw: st.DrawFn) -> bytes:
    """RTCP packets of true lengths and lying counts."""
    out = b""
    for _ in range(draw(st.integers(1, 6))):
        body = draw(st.binary(max_size=120))
        body += bytes(-len(body) & 3)
        kind = draw(st.sampled_from((200, 201, 202, 203, 204, 205, 206, 207)) | u8)
        out += struct.pack("!BBH", 0x80 | draw(st.integers(0, 63)), kind, len(body) // 4) + body
    return out


@given(compounds())
@examples(150)
def test_well_framed_rtcp_is_read_or_refused(data: bytes) -> None:
    """Lengths are right, everything inside is not."""
    with contextlib.suppress(DatagramError):
        rtcp.parse(data)


@given(st.lists(st.tuples(u16, st.floats(0, 3)), min_size=1, max_size=300))
@examples(100)
def test_any_arrivals_make_feedback_that_decodes(arrivals: list[tuple[int, float]]) -> None:
    """Transport numbers are the sender's word: repeated, wrapped, scattered."""
    log = ArrivalLog()
    log.arrivals = list(arrivals)
    told: set[int] = set()
    for packet in log.feedback(1, 2):
        told |= decode_transport_feedback(packet)[1].keys()
    assert told == {n for n, _ in arrivals}


@given(st.binary(max_size=200), st.integers(0, 220), st.integers(0, 220))
@examples(300)
def test_any_bytes_are_header_extensions_or_refused(data: bytes, start: int, end: int) -> None:
    """Bounds are kept also when the caller's are odd."""
    with contextlib.suppress(DatagramError):
        rtp.parse_extensions(data, start, min(end, len(data)))


@given(st.sampled_from(("vp8", "h264", "vp9", "av1", "opus", "")), st.binary(max_size=40))
@examples(400)
def test_any_payload_begins_a_key_frame_or_does_not(codec: str, payload: bytes) -> None:
    """No payload is too short."""
    assert starts_keyframe(codec, payload) in (True, False)
    assert starts_keyframe(codec, memoryview(payload)) == starts_keyframe(codec, payload)


@given(st.lists(st.tuples(u16, u32, st.floats(0, 0.2)), max_size=200))
@examples(100)
def test_any_sequence_numbers_keep_the_accounts_bounded(packets: list[tuple[int, int, float]]) -> None:
    """A hostile numbering makes neither endless requests nor numbers that do not fit their field."""
    reception, now = Reception(90000, wants_repair=True), 0.0
    for sequence, timestamp, pause in packets:
        now += pause
        reception.arrived(sequence, timestamp, now)
        due = reception.due(now)
        assert len(due) <= 256
        assert len(reception._missing) <= 256
        block = reception.report(1, now)
        assert block is not None
        rtcp.receiver_report(1, [block])
        rtcp.nack(1, 2, due)


# -- descriptions ---------------------------------------------------------------------------------------------------


@given(st.text(max_size=300))
@examples(200)
def test_any_text_is_a_description_or_refused(text: str) -> None:
    """Also without the first line being right."""
    for candidate in (text, "v=0\r\n" + text, "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=" + text):
        with contextlib.suppress(DescriptionError):
            sdp.build(sdp.parse(candidate))


def _wishes(text: str) -> dict[str, TrackWish]:
    return {s.mid: TrackWish("camera") for s in sdp.parse(text).sections if s.direction == "sendonly"}


def _negotiate_everything(sfu: Sfu, text: str) -> None:
    """Gives one text to every place that takes a description."""
    publisher, player = sfu.publisher("a", print, 0.0), sfu.subscriber("b", print, 0.0)
    tracks = list(_STANDING.tracks.values())
    with contextlib.suppress(DescriptionError):
        sdp.parse(publisher.answer(text, _wishes(text), 0.0))
        sdp.parse(publisher.answer(session(AUDIO, VIDEO), {}, 0.0))
    with contextlib.suppress(DescriptionError):
        sdp.parse(player.answer(text, tracks, 0.0))
    receiver = sfu.subscriber("c", print, 0.0)
    receiver.set_tracks([*tracks, *publisher.tracks.values()], 0.0)
    number, ours, _ = receiver.offer(0.0)
    sdp.parse(ours)
    with contextlib.suppress(DescriptionError):
        receiver.accept(number, text, 0.0)
    for transport in (publisher, player, receiver):
        transport.close(1.0)


_SFU = Sfu(CERTIFICATE, [SERVER])
_STANDING = _SFU.publisher("standing", print, 0.0)
_STANDING.answer(session(AUDIO, VIDEO), {"0": TrackWish("microphone"), "1": TrackWish("camera")}, 0.0)


def _seeds() -> list[str]:
    subscriber = _SFU.subscriber("seed", print, 0.0)
    subscriber.set_tracks(list(_STANDING.tracks.values()), 0.0)
    _, ours, _ = subscriber.offer(0.0)
    subscriber.close(0.0)
    return [*(offer(name) for name in (*SENDERS, *PLAYERS)), session(AUDIO, VIDEO), LightPeer().answer(ours), ours]


def test_mutated_descriptions_of_real_stacks_do_no_harm() -> None:
    """Ten thousand in the long run: only the declared error comes out, and what is answered can be read."""
    seeds = _seeds()
    for i in range(rounds(1000)):
        draw = random.Random(f"{SEED}-{i}")
        text = mutated_text(draw, draw.choice(seeds))
        try:
            _negotiate_everything(_SFU, text)
        except Exception as error:
            raise AssertionError(f"description {i} of seed {SEED}: {text!r}") from error


@pytest.mark.parametrize("kind", ["stun", "rtcp"])
def test_mutated_messages_do_no_harm(kind: str) -> None:
    """Small changes of true messages reach deeper than noise."""
    compound = rtcp.sender_report(rtcp.SenderReport(9, 1, 2, 3, 4)) + rtcp.source_description(9, "x")
    compound += rtcp.nack(1, 2, range(5, 300, 3)) + rtcp.fir(1, 2, 3) + rtcp.bye([1])
    seeds = [REQUEST, RESPONSE_V4, RESPONSE_V6] if kind == "stun" else [compound]
    parse = stun.parse if kind == "stun" else rtcp.parse
    for i in range(rounds(3000)):
        draw = random.Random(f"{SEED}-{kind}-{i}")
        data = mutated(draw, draw.choice(seeds))
        try:
            parse(data)
        except DatagramError:
            pass
        except Exception as error:
            raise AssertionError(f"{kind} {i} of seed {SEED}: {data.hex()}") from error


def test_inputs_that_once_did_harm_do_none() -> None:
    """The corpus grows with every find."""
    for path in corpus("stun"):
        with contextlib.suppress(DatagramError):
            stun.parse(path.read_bytes())
    for path in corpus("rtcp"):
        with contextlib.suppress(DatagramError):
            rtcp.parse(path.read_bytes())
    for path in corpus("sdp"):
        _negotiate_everything(_SFU, path.read_bytes().decode("utf-8", "surrogatepass"))
