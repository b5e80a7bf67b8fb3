"""Senders whose packets are larger than the usual 1,200 bytes, such as GStreamer's 1,400."""

import pytest

from pymeet.sfu import rtcp
from tests.netem import World


@pytest.mark.parametrize("size", [1200, 1380, 1400, 1460])
def test_packets_of_every_size_that_is_taken_are_repaired(size: int) -> None:
    """What can be forwarded must be repairable too, else one large packet lost is a key frame asked."""
    world = World(seed=5)
    alice = world.publisher()
    alice.source.size = size - 12
    alice.source.body *= 2
    bob = world.subscriber("bob", [alice.video])
    alice.film()
    world.run(1.0)
    alice.up.reorder = 0.2

    world.run(1.0)
    video = bob.video_of(alice)
    bob.send_control(rtcp.nack(1, video.ssrc, [(video.highest - 5) & 0xFFFF]))
    world.run(0.1)

    assert bob.transport.repairs_sent >= 1
    assert len(video.frames) >= 55
    world.assert_no_keystream_reuse()
