"""Under one SSRC a sequence number names one packet for ever: two texts under one keystream would open the encryption."""

import itertools

from pymeet.sfu import rtcp, rtp
from tests.netem import World
from tests.support.peer import VP8, VP8_RTX


def _packet(sequence: int, timestamp: int, ssrc: int, text: bytes, *, key: bool = False) -> bytes:
    head = rtp.HEADER.pack(0x80, 0x80 | VP8, sequence & 0xFFFF, timestamp, ssrc)
    tag = b"\x10" + (b"\x10\x02\x00" if key else b"\x11\x02\x00")
    return head + tag + text.ljust(100, b".")


def test_a_repair_that_differs_from_the_late_original_is_not_sent_under_its_number() -> None:
    """Senders may pad the original and not the repair; the receiver gets whichever came first, once."""
    world = World(seed=6)
    alice = world.publisher()
    bob = world.subscriber("bob", [alice.video])
    world.run(0.1)
    for n in (0, 1, 3, 4):
        alice.send_packet(_packet(n, 3000 * n, alice.video_ssrc, b"%d" % n, key=n == 0))
    world.run(0.2)
    repair = rtp.rtx_packet(_packet(2, 6000, alice.video_ssrc, b"repaired"), VP8_RTX, 7, alice.video_ssrc + 1)

    alice.send_packet(repair)
    world.run(0.1)
    alice.send_packet(_packet(2, 6000, alice.video_ssrc, b"original"))
    world.run(0.1)

    world.assert_no_keystream_reuse()
    texts = [p[16:24] for _, p in sorted(bob.video_of(alice).packets.items())]
    assert texts[2] == b"repaired"
    assert len(texts) == 5


def test_two_streams_under_one_track_do_not_share_numbers() -> None:
    """A sender that never announced its SSRCs sends two streams of one payload type: only one can be the track."""
    world = World(seed=7)
    alice = world.publisher(announce=False)
    bob = world.subscriber("bob", [alice.video])
    world.run(0.1)

    for n in range(40):
        for ssrc in (11, 22):
            alice.send_packet(_packet(n, 3000 * n, ssrc, b"%d of %d" % (n, ssrc), key=n == 0))
        world.run(0.03)

    world.assert_no_keystream_reuse()
    (stream,) = bob.streams.values()
    assert len({p[16:].split()[2][:2] for p in stream.packets.values()}) == 1
    assert len(stream.packets) >= 30


def test_a_sender_that_begins_anew_under_another_ssrc_is_followed() -> None:
    """After an SSRC collision a sender picks another SSRC (RFC 3550 section 8.2): its receivers see one stream that goes on."""
    world = World(seed=8)
    alice = world.publisher(announce=False)
    bob = world.subscriber("bob", [alice.video])
    world.run(0.1)
    for n in range(1000, 1030):
        alice.send_packet(_packet(n, 3000 * n, 11, b"old %d" % n, key=n == 1000))
        world.run(0.03)

    for n in range(90):
        alice.send_packet(_packet(n, 900_000 + 3000 * n, 22, b"new %d" % n, key=n % 15 == 0))
        world.run(0.03)

    world.assert_no_keystream_reuse()
    (stream,) = bob.streams.values()
    assert sum(p[16:19] == b"new" for p in stream.packets.values()) >= 40
    sequences = [s for _, s, _ in stream.arrived]
    assert sequences == list(range(sequences[0], sequences[0] + len(sequences)))
    stamps = [t for _, _, t in stream.arrived]
    assert all(0 < (b - a) & 0xFFFFFFFF < 90000 for a, b in itertools.pairwise(stamps))


def test_a_new_offer_with_another_ssrc_does_not_reuse_numbers() -> None:
    """A browser that made its sender anew describes another SSRC in the same section."""
    world = World(seed=9)
    alice = world.publisher()
    bob = world.subscriber("bob", [alice.video])
    alice.source.sequence = 1000
    alice.film()
    world.run(2.0)

    old = alice.video_ssrc
    alice.video_ssrc = alice.source.ssrc = old ^ 0x5555
    alice.source.sequence = 900
    alice.negotiate()
    world.run(3.0)

    world.assert_no_keystream_reuse()
    assert bob.video_of(alice).numbers[-1] >= alice.source.frames - 5


def test_a_very_old_packet_is_dropped_without_harm() -> None:
    """libsrtp refuses numbers far behind its window: that refusal must stay inside."""
    world = World(seed=10)
    alice = world.publisher()
    bob = world.subscriber("bob", [alice.video])
    carol = world.subscriber("carol", [alice.video])
    world.run(0.1)
    alice.send_packet(_packet(0, 0, alice.video_ssrc, b"0", key=True))
    for n in range(5, 1500):
        alice.send_packet(_packet(n, 3000 * n, alice.video_ssrc, b"%d" % n))
    world.run(0.05)

    rtx = rtp.rtx_packet(_packet(3, 9000, alice.video_ssrc, b"repair"), VP8_RTX, 7, alice.video_ssrc + 1)
    alice.send_packet(rtx)
    world.run(0.1)
    alice.send_packet(_packet(1500, 3000 * 1500, alice.video_ssrc, b"1500"))
    world.run(0.1)

    assert [p[16:20] for p in list(bob.video_of(alice).packets.values())[-1:]] == [b"1500"]
    assert carol.peer.rejected == 0


def test_what_was_not_sent_yet_cannot_be_asked_for() -> None:
    """The ring may still hold a packet from one round of the 16-bit numbers ago, under a number that comes again."""
    world = World(seed=12)
    alice = world.publisher()
    alice.negotiate(rtx=False)
    bob = world.subscriber("bob", [alice.video])
    bob.asks = False
    world.run(0.1)
    for n in range(40):
        alice.send_packet(_packet(n, 3000 * n, alice.video_ssrc, b"first round %d" % n, key=n == 0))
    world.run(0.1)
    for n in (0x7000, 0xE000, 0xFFF0):
        alice.send_packet(_packet(n, 90000 + n, alice.video_ssrc, b"far ahead"))
        world.run(0.05)
    video = bob.video_of(alice)
    slot = bob.transport._by_ssrc[video.ssrc]
    assert slot.consumer is not None
    offset = slot.consumer.sequence_offset

    bob.send_control(rtcp.nack(1, video.ssrc, [(n + offset) & 0xFFFF for n in range(20)]))
    world.run(0.1)
    for n in range(0xFFF1, 0x10028):
        alice.send_packet(_packet(n, 90000 + n, alice.video_ssrc, b"second round %d" % n))
    world.run(0.2)

    assert bob.transport.repairs_sent == 0
    world.assert_no_keystream_reuse()
