"""A player (WHEP) chooses how much of a picture it gets: of a camera in three sizes, and of one stream of many layers."""

import itertools

import pytest

from pymeet.sfu.renditions import rank_of, renditions_of
from pymeet.sfu.view import Choice, View
from tests.netem import Subscriber, World
from tests.support.scalable import scalable, viewer
from tests.support.simulcast import SimulcastPublisher, places, simulcaster


def _choose(player: Subscriber, publisher: SimulcastPublisher, choice: Choice) -> None:
    view = View(720, choice=choice)
    player.transport.set_view({publisher.video.id: view}, player.world.now)


def test_a_player_gets_the_size_that_it_names_and_the_best_again_without_a_choice() -> None:
    """One stream to whoever decodes it: numbers without a gap, time that only grows, however often it changes its mind."""
    world = World(seed=160)
    alice = simulcaster(world)
    alice.film()
    world.run(0.5)
    player = world.player("tv", [alice.video])
    world.run(2.0)
    stream = player.by_track["video"]
    assert set(places(stream)[-20:]) == {2}

    for rid, place in (("l", 0), ("h", 2), ("m", 1)):
        _choose(player, alice, Choice(rid=rid))
        world.run(1.5)
        assert set(places(stream)[-20:]) == {place}
    _choose(player, alice, Choice(height=400))
    world.run(1.5)
    assert set(places(stream)[-20:]) == {1}
    player.transport.set_view({}, world.now)
    world.run(1.5)

    assert set(places(stream)[-20:]) == {2}
    numbers = [number for _, number, _ in stream.arrived]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert all((b - a) & 0xFFFFFFFF < 90_000 for (_, _, a), (_, _, b) in itertools.pairwise(stream.arrived))
    world.assert_no_keystream_reuse()


def test_what_a_sender_sends_is_listed_highest_first() -> None:
    """With what a player needs to choose: names, sizes, what each costs; nothing for a size that is not sent."""
    world = World(seed=161)
    alice = simulcaster(world)
    alice.obeys = False
    alice.film()
    world.player("tv", [alice.video])
    world.run(3.0)
    listed = renditions_of(alice.video, world.now)

    assert [(each.rid, each.width, each.height) for each in listed] == [
        ("h", 1280, 720),
        ("m", 640, 360),
        ("l", 320, 180),
    ]
    rates = [each.rate_bps for each in listed]
    assert rates == sorted(rates, reverse=True)
    assert min(rates) > 50_000
    alice.broken.add("h")
    world.run(2.0)
    assert [each.rate_bps > 0 for each in renditions_of(alice.video, world.now)] == [False, True, True]


@pytest.mark.parametrize("codec", ["vp9", "av1"])
def test_a_player_gets_the_layers_of_a_stream_that_it_allows(codec: str) -> None:
    """What is asked for beyond what there is comes as near as there is; a name that the sender does not have limits nothing."""
    world = World(seed=162)
    alice = scalable(world, codec, 3, 3)
    alice.film()
    bob = viewer(world, "bob", alice)
    world.run(2.0)
    highest = len(alice.video.layers) - 1
    listed = renditions_of(alice.video, world.now)
    assert (listed[0].spatial, listed[0].temporal) == (2, 2)
    assert (listed[-1].spatial, listed[-1].temporal) == (0, 0)

    assert rank_of(alice.video, Choice(rid="none")) == highest
    assert rank_of(alice.video, Choice(spatial=7, temporal=7)) == highest
    assert rank_of(alice.video, Choice(width=1)) == 0
    for spatial in (0, 1, 2):
        bob.transport.set_view({alice.video.id: View(720, choice=Choice(spatial=spatial))}, world.now)
        world.run(1.5)
        stream = bob.video_of(alice)
        assert stream.layers(world.now - 0.5, world.now) == {spatial}  # type: ignore[attr-defined]
    world.assert_no_keystream_reuse()
