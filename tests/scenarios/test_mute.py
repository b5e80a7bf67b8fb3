"""Muting: the server, not the page, sees to it that nothing of a muted track leaves."""

import itertools

from pymeet.sfu import rtcp
from tests.netem import World


def test_nothing_is_forwarded_after_mute_whatever_is_sent() -> None:
    """A camera shown though switched off is the worst that a meeting can do (a class of its own among the published flaws)."""
    world = World(seed=21)
    alice = world.publisher()
    bob = world.subscriber("bob", [alice.audio, alice.video])
    alice.film()
    alice.talk()
    world.run(2.0)
    alice.video.set_muted(True, world.now)
    alice.audio.set_muted(True, world.now)
    counts = {key: len(wire.sequences) for key, wire in world.wires.items()}

    world.run(1.0)
    for sequence in list(alice.source.sent)[-200:]:
        alice.send_packet(alice.source.repair(sequence))
    alice.report()
    for wanted in range(20):
        bob.send_control(_nack(bob.video_of(alice).ssrc, bob.video_of(alice).highest - wanted))
    world.run(1.0)

    assert {key: len(wire.sequences) for key, wire in world.wires.items()} == counts
    assert world.sfu.levels([alice.audio]) == {alice.audio.id: ()}


def test_unmuting_goes_on_without_a_gap_and_with_a_key_frame() -> None:
    """A receiver's decoder sees one stream: no gap in the numbers that it would ask for, and a frame that it can begin with."""
    world = World(seed=22)
    alice = world.publisher()
    bob = world.subscriber("bob", [alice.video])
    alice.film()
    world.run(2.0)
    alice.video.set_muted(True, world.now)
    world.run(3.0)
    before = len(bob.video_of(alice).frames)
    frames_at_unmute = alice.source.frames

    alice.video.set_muted(False, world.now)
    world.run(2.0)

    video = bob.video_of(alice)
    sequences = [n for _, n, _ in video.arrived]
    assert sequences == list(range(sequences[0], sequences[0] + len(sequences)))
    _, number, is_key = video.frames[before]
    assert is_key
    assert number >= frames_at_unmute - 2
    stamps = [t for _, _, t in video.arrived]
    assert all((b - a) & 0xFFFFFFFF < 0x80000000 for a, b in itertools.pairwise(stamps))
    assert len(video.frames) - before >= 50
    world.assert_no_keystream_reuse()


def test_what_was_said_while_muted_is_never_had_by_asking_again() -> None:
    """The repair ring must not hold a muted minute."""
    world = World(seed=23)
    alice = world.publisher()
    bob = world.subscriber("bob", [alice.video])
    alice.film()
    world.run(1.0)
    alice.video.set_muted(True, world.now)
    first_muted = alice.source.frames + 2
    world.run(1.0)
    last_muted = alice.source.frames - 2
    alice.video.set_muted(False, world.now)
    world.run(0.5)

    video = bob.video_of(alice)
    for back in range(400):
        bob.send_control(_nack(video.ssrc, video.highest - back))
    world.run(1.0)

    seen = {int.from_bytes(p[23:27], "big") for p in video.packets.values() if p[12] == 0x10}
    assert not seen & set(range(first_muted, last_muted))


def _nack(ssrc: int, sequence: int) -> bytes:
    return rtcp.nack(1, ssrc, [sequence & 0xFFFF])
