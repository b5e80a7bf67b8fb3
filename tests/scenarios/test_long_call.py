"""A call that goes on for long: numbers wrap, and repair must not care."""

from pymeet.sfu import rtcp
from tests.netem import World


def test_lost_and_late_packets_are_repaired_at_every_point_of_the_sequence_numbers() -> None:
    """A receiver that joined 40,000 packets ago misses packets like any other, and late ones reach it."""
    world = World(seed=3)
    alice = world.publisher()
    bob = world.subscriber("bob", [alice.video])
    bob.asks = bob.video_of(alice).is_video = False  # nothing is decoded, only counted
    alice.film()
    refused = []

    for second in range(25):
        alice.source.sequence = (alice.source.sequence + 3100) & 0xFFFF  # as if as many had come since
        world.run(1.0)
        video = bob.video_of(alice)
        before = bob.transport.repairs_sent
        bob.send_control(rtcp.nack(1, video.ssrc, [(video.highest - 5) & 0xFFFF]))
        world.run(0.1)
        if bob.transport.repairs_sent == before:
            refused.append(second)
        alice.up.reorder = 0.2
        world.run(0.9)
        alice.up.reorder = 0.0
        world.run(0.1)
        newest = range(video.highest - 130, video.highest)
        assert [n for n in newest if n not in video.packets] == [], f"in second {second} (seed {world.seed})"

    assert video.highest - video.arrived[0][1] > 75_000
    assert refused == [], "seconds in which nothing was repaired"
