"""What the server knows of everybody's path, over links of which the test knows the truth."""

from tests.netem import World
from tests.support.reporting import reporter
from tests.support.simulcast import simulcaster


def test_what_never_comes_is_counted_and_what_comes_by_retransmission_is_not() -> None:
    """Sound has no second chance; a picture that was repaired is whole."""
    world = World(seed=91)
    alice = simulcaster(world)
    alice.talk()
    alice.film()
    reporter(world, "bob", [alice.video, alice.audio], 20e6)  # what nobody wants is not sent
    world.run(2.0)
    alice.transport.take_losses()
    world.run(2.0)
    assert [lost for _, lost in alice.transport.take_losses()] == [0, 0]

    alice.up.loss = 0.1
    world.run(6.0)
    tracks = [track.kind for track in alice.transport.tracks.values()]
    found = dict(zip(tracks, alice.transport.take_losses(), strict=True))

    due, lost = found["audio"]
    assert due > 0.8 * 6 * 50
    assert 0.04 * due < lost < 0.25 * due
    due, lost = found["video"]
    assert due > 6 * 50
    assert lost < 0.01 * due
    alice.up.loss = 0.0
    world.run(2.0)
    alice.transport.take_losses()
    world.run(2.0)
    assert [lost for _, lost in alice.transport.take_losses()] == [0, 0]


def test_a_receivers_delay_and_loss_are_known_and_forgotten_when_nothing_is_sent() -> None:
    """Figures of the past would mark a connection for ever on which nothing flows."""
    world = World(seed=92)
    alice = simulcaster(world)
    alice.talk()
    alice.film()
    bob = reporter(world, "bob", [alice.video, alice.audio], 20e6)

    bob.up.delay = 0.08
    bob.path.loss = 0.1
    world.run(6.0)
    path = bob.transport.path(world.now)
    assert path.round_trip_ms is not None
    assert 90 <= path.round_trip_ms <= 260
    assert 0.05 < path.loss < 0.2
    assert path.demand_bps > 200_000

    alice.transport.close(world.now)
    world.run(3.0)
    path = bob.transport.path(world.now)
    assert (path.loss, path.queue_ms, path.round_trip_ms) == (0.0, 0, None)
