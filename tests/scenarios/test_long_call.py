"""A call that goes on for long: numbers wrap, and repair must not care."""

from pymeet.sfu import rtcp
from tests.netem import World


def test_lost_and_late_packets_are_repaired_at_every_point_of_the_sequence_numbers() -> None:
    """A receiver that joined 40,000 packets ago misses packets like any other, and late ones reach it."""
    world = World(seed=3)
    alice = world.publisher()
    bob = world.subscriber("bob", [alice.video])
    alice.source.per_frame, alice.source.size, alice.source.fps = 200, 60, 10
    alice.up.reorder = 0.02
    alice.film()
    refused = []

    for second in range(24):
        world.run(1.0)
        video = bob.video_of(alice)
        before = bob.transport.repairs_sent
        bob.send_control(rtcp.nack(1, video.ssrc, [(video.highest - 5) & 0xFFFF]))
        world.run(0.06)
        if bob.transport.repairs_sent == before:
            refused.append(second)
    bob.asks = False
    world.run(0.5)

    assert video.highest - video.arrived[0][1] > 40_000
    assert refused == [], "seconds in which nothing was repaired"
    newest = range(video.highest - 2000, video.highest - 400)
    assert [n for n in newest if n not in video.packets] == []
