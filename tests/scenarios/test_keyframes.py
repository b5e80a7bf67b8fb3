"""Key frames cost a sender ten times a frame: many receivers' wishes become few requests."""

from pymeet.sfu import rtcp
from tests.netem import World


def test_receivers_that_join_together_cost_one_key_frame() -> None:
    """Twenty people who follow one link at once must not make the sender stutter."""
    world = World(seed=31)
    alice = world.publisher()
    alice.film()
    bob = world.subscriber("bob", [alice.video])
    world.run(3.0)
    before = alice.source.key_frames
    asked = len(alice.keyframe_requests())

    late = [world.subscriber(f"late{i}", [alice.video]) for i in range(5)]
    world.run(2.0)

    assert alice.source.key_frames - before <= 2
    assert len(alice.keyframe_requests()) - asked <= 2
    for viewer in late:
        assert viewer.video_of(alice).frames[0][2]
        assert len(viewer.video_of(alice).frames) > 30
    assert bob.video_of(alice).longest_gap(world.now - 2, world.now) < 0.2


def test_one_late_joiner_makes_exactly_one_request() -> None:
    """One joins, one key frame: not one per retry of the timers."""
    world = World(seed=32)
    alice = world.publisher()
    world.subscriber("bob", [alice.video])
    alice.film()
    world.run(3.0)
    asked = len(alice.keyframe_requests())

    carol = world.subscriber("carol", [alice.video])
    world.run(3.0)

    assert len(alice.keyframe_requests()) - asked == 1
    assert carol.video_of(alice).frames[0][2]


def test_a_storm_of_requests_is_throttled() -> None:
    """One receiver with a broken decoder, or bad intent, does not take everybody's bandwidth."""
    world = World(seed=33)
    alice = world.publisher()
    bob = world.subscriber("bob", [alice.video])
    mallory = world.subscriber("mallory", [alice.video])
    alice.film()
    world.run(2.0)
    before = len(alice.keyframe_requests())

    for _ in range(300):
        ssrc = mallory.video_of(alice).ssrc
        mallory.send_control(rtcp.receiver_report(1, ()) + rtcp.pli(1, ssrc) + rtcp.fir(1, ssrc, 3))
        world.run(0.01)

    assert 1 <= len(alice.keyframe_requests()) - before <= 7
    assert bob.video_of(alice).longest_gap(world.now - 3, world.now) < 0.2


def test_a_lost_request_is_made_again() -> None:
    """The request travels on the network that loses things; a newcomer must not stay without picture."""
    world = World(seed=34)
    alice = world.publisher()
    alice.film()
    alice.down.is_cut = True
    carol = world.subscriber("carol", [alice.video])
    world.run(1.5)
    assert not carol.video_of(alice).frames

    alice.down.is_cut = False
    alice.source.key_wanted = False
    world.run(2.0)

    assert len(carol.video_of(alice).frames) > 10


def test_a_key_frame_whose_first_packet_was_overtaken_is_begun_with() -> None:
    """Key frames are many packets at once: on a path that reorders, the first is seldom the first to come."""
    world = World(seed=36)
    alice = world.publisher()
    bob = world.subscriber("bob", [alice.video])
    world.run(0.1)
    first, *others = alice.source.frame()

    for packet in (*others, *alice.source.frame(), first):
        alice.send_packet(packet)
        world.run(0.002)
    alice.film()
    world.run(0.5)

    stream = bob.video_of(alice)
    assert stream.numbers[:3] == [0, 1, 2]
    assert stream.frames[0][2]
    assert stream.nacks == 0
    world.assert_no_keystream_reuse()


def test_a_sender_that_knows_only_full_intra_requests_gets_those() -> None:
    """Some hardware encoders accept FIR and nothing else (RFC 5104)."""
    world = World(seed=35)
    alice = world.publisher()
    codec = alice.video.choice.codec
    codec.feedback[:] = ["ccm fir"]
    alice.film()
    world.subscriber("bob", [alice.video])
    world.run(1.0)

    kinds = {(raw[1 + i], raw[i] & 31) for raw in alice.peer.rtcp_raw for i in _starts(raw)}
    assert (206, 4) in kinds
    assert (206, 1) not in kinds


def _starts(raw: bytes) -> list[int]:
    starts, at = [], 0
    while at < len(raw):
        starts.append(at)
        at += 4 + 4 * int.from_bytes(raw[at + 2 : at + 4], "big")
    return starts
