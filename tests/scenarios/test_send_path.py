"""The way out of the packet path: batches, runs, numbers, and what must hold whichever way a copy leaves."""

import itertools

import pytest

from pymeet.sfu import rtcp, rtp
from pymeet.sfu.address import pack_address
from pymeet.sfu.batch import ReceiveRing
from tests.netem import Publisher, Subscriber, World
from tests.support.peer import VP8


def _packet(sequence: int, timestamp: int, ssrc: int, text: bytes, *, size: int = 100, key: bool = False) -> bytes:
    head = rtp.HEADER.pack(0x80, 0x80 | VP8, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc)
    tag = b"\x10" + (b"\x10\x02\x00" if key else b"\x11\x02\x00")
    return head + tag + text.ljust(size, b".")


def _together(world: World, alice: Publisher, packets: list[bytes]) -> None:
    """Packets that the server finds waiting all at once."""
    assert alice.peer.srtp is not None
    ring = ReceiveRing(64)
    for i, packet in enumerate(packets):
        ring.put(i, alice.peer.srtp.protect(packet), _raw(alice))
    world.sfu.receive_ring(ring, len(packets), world.now)


def _raw(client: Publisher | Subscriber) -> bytes:
    return pack_address(client.address)


def _texts(bob: Subscriber, alice: Publisher) -> list[bytes]:
    return [p[16:].rstrip(b".") for _, p in sorted(bob.video_of(alice).packets.items())]


def _number(bob: Subscriber) -> None:
    """What a browser's answer says: it wants transport-wide numbers."""
    for slot in bob.transport._slots:
        if slot.consumer is not None:
            slot.consumer.wide_id = rtp.WIDE_ID


def test_a_frame_that_waits_together_arrives_in_order_and_whole() -> None:
    """Packets a byte apart are evened to leave as one message: whoever reads them finds the sender's packets, in order."""
    world = World(seed=81)
    alice = world.publisher()
    viewers = [world.subscriber(name, [alice.video]) for name in ("bob", "carol")]
    world.run(0.1)
    sizes = [1101, 1101, 1100, 1100, 1100, 600, 610, 640]
    packets = [_packet(n, 3000, alice.video_ssrc, b"%d" % n, size=size, key=n == 0) for n, size in enumerate(sizes)]

    _together(world, alice, packets)
    world.run(0.1)

    for viewer in viewers:
        assert _texts(viewer, alice) == [b"%d" % n for n in range(8)]
        assert [len(p) - 16 for _, p in sorted(viewer.video_of(alice).packets.items())] == sizes
        ssrc = viewer.video_of(alice).ssrc
        wire = [len(d) for d in world.wires[viewer.name, ssrc].by_sequence.values()]
        assert len(set(wire[:4])) == 1, "they leave at one size"
        assert world.wires[viewer.name, ssrc].sequences == sorted(world.wires[viewer.name, ssrc].sequences)


@pytest.mark.parametrize("rtx", [True, False])
def test_what_was_padded_is_sent_again_as_the_same_text(rtx: bool) -> None:
    """Without RTX a repair has the original's sequence number, and so its keystream: not one byte may differ."""
    world = World(seed=82)
    alice = world.publisher()
    bob = Subscriber(world, "bob")
    bob.transport.set_tracks([alice.video], world.now)
    for slot in bob.transport._slots:
        slot.consumer.rtx_payload_type = slot.consumer.rtx_payload_type if rtx else None
    bob.negotiate()
    world.run_until(lambda: bob.is_connected)
    _number(bob)
    bob.asks = False
    world.run(0.1)
    _together(
        world,
        alice,
        [_packet(n, 3000, alice.video_ssrc, b"%d" % n, size=1000 + n % 3, key=n == 0) for n in range(9)],
    )
    world.run(0.1)

    video = bob.video_of(alice)
    wire = world.wires["bob", video.ssrc]
    first = wire.sequences[0]
    for _ in range(2):
        bob.send_control(rtcp.nack(1, video.ssrc, [(first + n) & 0xFFFF for n in range(9)]))
        world.run(0.1)

    assert bob.transport.repairs_sent == 18
    assert _texts(bob, alice) == [b"%d" % n for n in range(9)]
    assert bool(bob.numbers) == rtx, "numbers change with every sending, so a text that must not change has none"
    world.assert_no_keystream_reuse()


def test_a_request_that_comes_in_the_same_batch_is_answered_after_what_it_asks_for() -> None:
    """Somebody who guesses numbers asks for a packet that is still queued: it has been sent once before it is sent again."""
    world = World(seed=83)
    alice = world.publisher()
    alice.negotiate(rtx=False)
    bob = world.subscriber("bob", [alice.video])
    bob.asks = False
    world.run(0.1)
    _together(world, alice, [_packet(0, 0, alice.video_ssrc, b"0", key=True)])
    world.run(0.1)
    video = bob.video_of(alice)
    first = world.wires["bob", video.ssrc].sequences[0]
    asked = bob.peer.srtp.protect_rtcp(rtcp.nack(1, video.ssrc, [(first + n) & 0xFFFF for n in (1, 2)]))
    ring = ReceiveRing(8)
    frames = [_packet(n, 3000, alice.video_ssrc, b"%d" % n, size=900 + n) for n in (1, 2, 3)]
    for i, packet in enumerate(frames):
        ring.put(i, alice.peer.srtp.protect(packet), _raw(alice))
    ring.put(3, asked, _raw(bob))

    world.sfu.receive_ring(ring, 4, world.now)
    world.run(0.1)

    assert _texts(bob, alice) == [b"0", b"1", b"2", b"3"]
    world.assert_no_keystream_reuse()


def test_late_packets_do_not_overtake_the_queue() -> None:
    """A receiver that sees a gap asks at once: what came late must not come before what was queued."""
    world = World(seed=84)
    alice = world.publisher()
    bob = world.subscriber("bob", [alice.video])
    world.run(0.1)
    order = [0, 1, 2, 4, 3, 5, 6]

    _together(world, alice, [_packet(n, 3000, alice.video_ssrc, b"%d" % n, key=n == 0) for n in order])
    world.run(0.1)

    sequences = world.wires["bob", bob.video_of(alice).ssrc].sequences
    assert [n - sequences[0] for n in sequences] == order
    assert _texts(bob, alice) == [b"%d" % n for n in range(7)]
    world.assert_no_keystream_reuse()


def test_every_packet_to_a_receiver_has_the_next_number_whatever_it_is() -> None:
    """Sound, pictures, retransmissions and padding share one row of numbers: by its gaps the receiver's network is judged."""
    world = World(seed=85)
    alice = world.publisher()
    bob = world.subscriber("bob", [alice.video, alice.audio])
    _number(bob)
    alice.film()
    alice.talk()
    world.run(1.0)
    alice.up.reorder = 0.05
    bob.down.loss = 0.02

    world.run(2.0)
    consumer = next(s.consumer for s in bob.transport._slots if s.sending.kind == "video")
    padded = consumer.padding()
    alice.is_filming = alice.is_talking = False
    bob.down.loss = 0.0
    world.run(1.0)

    numbers = [n for _, n in bob.numbers]
    missing = set(range(min(numbers), max(numbers) + 1)) - set(numbers)
    assert len(set(numbers)) == len(numbers)
    assert bob.transport.repairs_sent > 3
    assert len(missing) <= bob.down.lost
    assert padded > 255
    history = bob.transport.history
    assert history.next == max(numbers) + 1
    for at, number in bob.numbers[-200:]:
        sent = history.sent(number)
        assert sent is not None
        assert 0 < at - sent[0] < 0.1
        assert 80 < sent[1] < 1300
    assert history.sent(history.next) is None
    assert history.bytes_since(history.next) == 0
    assert history.bytes_since((history.next - 1) & 0xFFFF) == history.sent((history.next - 1) & 0xFFFF)[1]
    world.assert_no_keystream_reuse()


def test_a_receiver_that_wants_no_numbers_gets_none() -> None:
    """An element under an id that was never agreed on may mean something else to it; padding in its place means nothing."""
    world = World(seed=86)
    alice = world.publisher()
    bob = world.subscriber("bob", [alice.video, alice.audio])
    seen: list[bytes] = []
    bob.got_something = lambda: (seen.extend(bob.peer.rtp), bob.peer.rtp.clear())
    alice.film()
    alice.talk()
    world.run(0.5)

    assert len(seen) > 50
    for packet in seen:
        elements, _ = rtp.parse_extensions(packet, 12, len(packet))
        assert rtp.WIDE_ID not in elements


def test_a_path_that_takes_single_packets_only_gets_them_in_order() -> None:
    """Found out while sending; others keep their runs. A peer that moves is tried again."""
    world = World(seed=87)
    alice = world.publisher()
    bob, carol = (world.subscriber(name, [alice.video]) for name in ("bob", "carol"))
    alice.film()
    world.run(0.5)

    bob.transport.name.take_whole()
    world.run(0.5)
    alice.is_filming = False
    world.run(0.1)
    _together(world, alice, alice.source.frame())
    world.run(0.1)

    for viewer in (bob, carol):
        assert viewer.video_of(alice).numbers == list(range(viewer.video_of(alice).numbers[0], alice.source.frames))
        sequences = world.wires[viewer.name, viewer.video_of(alice).ssrc].sequences
        assert all((b - a) & 0xFFFF == 1 for a, b in itertools.pairwise(sequences))
    world.assert_no_keystream_reuse()


def test_a_mute_in_the_same_moment_lets_nothing_through_after_it() -> None:
    """What was queued before the mute may go; what comes after it may not, and what was said before cannot be had again."""
    world = World(seed=88)
    alice = world.publisher()
    bob = world.subscriber("bob", [alice.video])
    bob.asks = False
    world.run(0.1)
    _together(world, alice, [_packet(n, 3000, alice.video_ssrc, b"%d" % n, key=n == 0) for n in range(3)])
    alice.video.set_muted(True, world.now)
    _together(world, alice, [_packet(n, 6000, alice.video_ssrc, b"%d" % n) for n in range(3, 6)])
    world.run(0.1)
    video = bob.video_of(alice)
    first = world.wires["bob", video.ssrc].sequences[0]

    bob.send_control(rtcp.nack(1, video.ssrc, [(first + n) & 0xFFFF for n in range(6)]))
    world.run(0.1)

    assert _texts(bob, alice) == [b"0", b"1", b"2"]
    assert bob.transport.repairs_sent == 0
