"""Each receiver of a meeting gets what its path carries, and nobody else notices."""

import itertools

import pytest

from pymeet.sfu.view import Importance, View
from tests.netem import World
from tests.support.reporting import Reporter, reporter
from tests.support.simulcast import SimulcastPublisher, places, simulcaster

LARGE = View(720)
MBIT = 1_000_000.0


def _meeting(seed: int) -> tuple[World, SimulcastPublisher]:
    world = World(seed=seed)
    alice = simulcaster(world)
    alice.film()
    alice.talk()
    return world, alice


def _watch(world: World, alice: SimulcastPublisher, name: str, rate_bps: float) -> Reporter:
    someone = reporter(world, name, [alice.video, alice.audio], rate_bps)
    someone.transport.set_view({alice.video.id: LARGE}, world.now)
    return someone


def _sound_gap(someone: Reporter, alice: SimulcastPublisher, since: float) -> float:
    times = [at for at, _, _ in someone.audio_of(alice).arrived if at >= since]
    return max(b - a for a, b in itertools.pairwise(times))


def test_three_receivers_get_three_sizes_and_do_not_pull_each_other_down() -> None:
    """Somebody on a train, somebody at home, somebody in the office: 0.3, 1 and 20 Mb/s."""
    world, alice = _meeting(81)
    train, home, office = (
        _watch(world, alice, n, r * MBIT) for n, r in (("train", 0.3), ("home", 1.0), ("office", 20))
    )
    world.run(12.0)

    for someone, place in ((train, 0), (home, 1), (office, 2)):
        stream = someone.video_of(alice)
        assert set(places(stream)[-60:]) == {place}
        assert stream.longest_gap(world.now - 5, world.now) < 0.4
        assert _sound_gap(someone, alice, world.now - 8) < 0.35
    assert office.video_of(alice).longest_gap(world.now - 10, world.now) < 0.1
    assert train.longest_queue_s(world.now - 6, world.now) < 0.3
    figures, ranks = train.transport.figures()
    assert 150_000 < figures.target_bps < 400_000
    assert ranks == {alice.video.id: 0, alice.audio.id: 0}
    world.assert_no_keystream_reuse()


def test_a_path_that_becomes_narrow_and_wide_again_is_followed() -> None:
    """3 → 0.5 → 2 Mb/s: the picture becomes smaller at once and large again within ten seconds; the sound goes on."""
    world, alice = _meeting(82)
    bob = _watch(world, alice, "bob", 3 * MBIT)
    world.run(8.0)
    assert set(places(bob.video_of(alice))[-30:]) == {2}

    bob.limit(0.5 * MBIT)
    fell = world.now
    world.run(10.0)
    stream = bob.video_of(alice)
    assert bob.transport.figures()[0].target_bps < 0.5 * MBIT * 1.1
    assert bob.longest_queue_s(fell + 3, world.now) < 0.3
    assert stream.longest_gap(fell, world.now) < 3.0
    assert set(places(stream)[-30:]) == {0}
    assert _sound_gap(bob, alice, fell) < 1.0

    bob.limit(2 * MBIT)
    world.run(10.0)
    assert set(places(stream)[-30:]) == {2}
    assert bob.bps(world.now - 2, world.now) > 0.7 * 2 * MBIT
    assert stream.longest_gap(world.now - 10, world.now) < 1.0
    world.assert_no_keystream_reuse()


@pytest.mark.parametrize("fault", ["loss", "jitter"])
def test_radio_does_not_make_the_picture_small(fault: str) -> None:
    """10 % of packets lost, or 100 ms of jitter, on a path that carries 4 Mb/s."""
    world, alice = _meeting(83)
    bob = _watch(world, alice, "bob", 4 * MBIT)
    world.run(5.0)
    setattr(bob.path, fault, 0.1)
    bob.asks = fault == "loss"
    world.run(10.0)

    assert places(bob.video_of(alice))[-200:].count(2) > 180
    assert bob.video_of(alice).longest_gap(world.now - 8, world.now) < 1.0
    world.assert_no_keystream_reuse()


def test_an_outage_is_over_three_seconds_after_it() -> None:
    """Five seconds without a network, and the picture is back soon after, in its full size a little later."""
    world, alice = _meeting(84)
    bob = _watch(world, alice, "bob", 4 * MBIT)
    world.run(5.0)
    bob.path.loss, bob.up.is_cut = 1.0, True
    world.run(5.0)
    bob.path.loss, bob.up.is_cut = 0.0, False
    back = world.now
    world.run(8.0)

    stream = bob.video_of(alice)
    assert min(at for at, _, _ in stream.frames if at > back) < back + 3
    assert places(stream)[-1] == 2
    assert _sound_gap(bob, alice, back + 1) < 0.1


def test_where_not_all_pictures_fit_the_important_one_stays() -> None:
    """Sound first, then who speaks; the other comes back when there is room."""
    world, alice = _meeting(85)
    carol = simulcaster(world, "carol")
    carol.film()
    bob = reporter(world, "bob", [alice.video, carol.video, alice.audio], 0.26 * MBIT)
    bob.transport.set_view({alice.video.id: LARGE, carol.video.id: View(720, Importance.SPEAKER)}, world.now)
    world.run(10.0)
    _, ranks = bob.transport.figures()
    assert (ranks[carol.video.id], ranks[alice.video.id]) == (0, -1)

    bob.limit(3 * MBIT)
    world.run(10.0)
    _, ranks = bob.transport.figures()
    assert ranks[carol.video.id] == 2
    assert ranks[alice.video.id] >= 1
    assert bob.video_of(carol).longest_gap(world.now - 3, world.now) < 0.2
    world.assert_no_keystream_reuse()


def test_a_camera_that_is_switched_on_again_does_not_wait() -> None:
    """While nothing is sent nothing is learned of the path, and nothing is forgotten."""
    world, alice = _meeting(86)
    bob = _watch(world, alice, "bob", 4 * MBIT)
    world.run(5.0)
    alice.video.set_muted(True, world.now)
    world.run(5.0)
    alice.video.set_muted(False, world.now)
    on = world.now
    world.run(3.0)

    frames = [at for at, _, _ in bob.video_of(alice).frames if at > on]
    assert frames[0] < on + 0.5
    assert places(bob.video_of(alice))[-1] == 2


def test_who_gets_nothing_any_more_is_not_forgotten() -> None:
    """No sound, and one picture that the path just does not carry: with nothing sent, nothing is heard of the path either."""
    world, alice = _meeting(87)
    bob = reporter(world, "bob", [alice.video], 3 * MBIT)
    bob.transport.set_view({alice.video.id: LARGE}, world.now)
    world.run(5.0)
    bob.limit(0.06 * MBIT)
    world.run(20.0)
    assert bob.transport.figures()[1] == {alice.video.id: -1}

    bob.limit(3 * MBIT)
    world.run(12.0)
    stream = bob.video_of(alice)
    assert set(places(stream)[-30:]) == {2}
    assert stream.longest_gap(world.now - 3, world.now) < 0.3
