"""After a fault, and in the middle of one: how long sound and picture are away, and how soon a size is back that nobody wanted."""

import itertools

import pytest

from pymeet.sfu.events import Connected, Disconnected, Unheard
from pymeet.sfu.producer import Track
from pymeet.sfu.view import View
from tests.netem import Link, World
from tests.recording.test_recording_tap import Listening
from tests.support.bottleneck import Bottleneck
from tests.support.reporting import Reporter, reporter
from tests.support.simulcast import SimulcastPublisher, places, simulcaster

LARGE, SMALL = View(720), View(180)
MBIT = 1_000_000.0


def _meeting(seed: int, rate_bps: float = 20 * MBIT, view: View = LARGE) -> tuple[World, SimulcastPublisher, Reporter]:
    world = World(seed=seed)
    alice = simulcaster(world)
    alice.film()
    alice.talk()
    bob = reporter(world, "bob", [alice.video, alice.audio], rate_bps)
    bob.transport.set_view({alice.video.id: view}, world.now)
    world.run(5.0)
    return world, alice, bob


def _sound_gap(bob: Reporter, track: Track, since: float) -> float:
    times = [since, *(at for at, _, _ in bob.by_track[track.id].arrived if at >= since), bob.world.now]
    return max(b - a for a, b in itertools.pairwise(times))


def _instead(world: World, alice: SimulcastPublisher) -> SimulcastPublisher:
    """Her browser gives the connection up and makes another one."""
    again = SimulcastPublisher(world, "alice")
    offer = again.peer.offer("sendonly", audio_ssrc=again.audio_ssrc, rids=again.order)
    again.answer = again.transport.answer(offer, again.wishes, world.now, alice.transport.tracks)
    again.peer.take_description(again.answer)
    alice.is_filming = alice.is_talking = alice.checking = False
    alice.transport.close(world.now)
    again.start()
    world.run_until(lambda: again.is_connected)
    again.film()
    again.talk()
    return again


def test_a_sender_comes_by_another_connection_and_nobody_has_to_be_told() -> None:
    """Whose UDP is blocked on the way needs one: the others keep their tracks, and their decoders notice nothing but a pause."""
    world, alice, bob = _meeting(91)
    video, audio = alice.video, alice.audio
    tap = Listening()
    audio.set_tap(tap, world.now)
    left = world.now

    again = _instead(world, alice)
    world.run(3.0)

    assert (again.video, again.audio) == (video, audio)
    assert not video.closed
    assert not bob.transport.needs_offer
    stream = bob.by_track[video.id]
    assert stream.longest_gap(left, world.now) < 0.5
    assert _sound_gap(bob, audio, left) < 0.5
    assert places(stream)[-1] == 2
    numbers = [number for _, number, _ in sorted(stream.arrived, key=lambda seen: seen[1])]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert again.wanted == ("l", "h"), "what nobody wants is still not sent"
    assert tap.packets[-1][2] > left + 2
    world.assert_no_keystream_reuse()

    again.transport.close(world.now)
    assert video.closed


def test_another_camera_on_another_connection_is_another_track() -> None:
    """Only what is offered alike goes on: sizes that receivers were told of must not change under them."""
    world, alice, _ = _meeting(92)
    video, audio = alice.video, alice.audio

    again = SimulcastPublisher(world, "alice")
    offer = again.peer.offer("sendonly", audio_ssrc=again.audio_ssrc, rids=("l", "m"))
    again.transport.answer(offer, again.wishes, world.now, alice.transport.tracks)
    alice.transport.close(world.now)

    assert again.audio is audio
    assert again.video is not video
    assert video.closed


@pytest.mark.parametrize("end", ["up", "down"])
@pytest.mark.parametrize(("loss", "jitter_s"), [(0.1, 0.0), (0.0, 0.2)])
def test_loss_and_jitter_interrupt_neither_sound_nor_picture(end: str, loss: float, jitter_s: float) -> None:
    """On the sender's way and on the receiver's: sound never stops, the picture hardly, and afterwards all is as before."""
    world, alice, bob = _meeting(93)
    links: list[Link | Bottleneck] = [alice.up, alice.down] if end == "up" else [bob.path, bob.up]
    began = world.now
    for link in links:
        link.loss, link.jitter = loss, jitter_s
    world.run(6.0)
    for link in links:
        link.loss = link.jitter = 0.0
    ended = world.now
    world.run(4.0)

    stream = bob.video_of(alice)
    assert _sound_gap(bob, alice.audio, began) < 0.5
    assert stream.longest_gap(began, ended) < 1.0
    assert stream.longest_gap(ended + 1, world.now) < 0.3
    assert places(stream)[-1] == 2
    world.assert_no_keystream_reuse()


@pytest.mark.parametrize("queue_bytes", [20_000, 150_000])
def test_a_path_that_becomes_narrow_does_not_stop_the_sound(queue_bytes: int) -> None:
    """From 4 Mb/s to 0.3 at once, whatever stands in the router's queue; and wide again, the large picture is back soon."""
    world, alice, bob = _meeting(94, 4 * MBIT)
    began = world.now
    bob.limit(0.3 * MBIT, queue_bytes=queue_bytes)
    world.run(7.0)
    stream = bob.video_of(alice)
    assert _sound_gap(bob, alice.audio, began) < 1.0
    assert stream.longest_gap(began, world.now) < 3.0

    bob.limit(4 * MBIT)
    ended = world.now
    world.run(6.0)
    assert stream.longest_gap(ended, world.now) < 1.0
    assert places(stream)[-1] == 2


def test_a_size_that_nobody_wanted_comes_back_within_a_second() -> None:
    """Somebody makes a tile large: the sender is told to begin again, and the receiver's path is believed to carry it."""
    world, alice, bob = _meeting(95, 4 * MBIT, SMALL)
    world.run(5.0)
    stream = bob.video_of(alice)
    assert alice.wanted == ("l",)
    assert set(places(stream)[-30:]) == {0}

    wanted = world.now
    bob.transport.set_view({alice.video.id: LARGE}, world.now)
    world.run(2.0)

    large = [at for at, place in stream.seen if place == 2 and at > wanted]
    assert large
    assert large[0] - wanted < 1.0
    assert stream.longest_gap(wanted, world.now) < 0.3


def _dies(bob: Reporter) -> None:
    bob.path.loss, bob.up.is_cut = 1.0, True


def test_who_only_receives_is_told_when_their_path_has_died() -> None:
    """They send nothing that could remain without an answer, so the server says it: once, and anew when it happens again."""
    world, _, bob = _meeting(96)
    for times in (1, 2):
        _dies(bob)
        world.run(3.5)
        assert bob.events.count(Unheard()) == times
        bob.path.loss, bob.up.is_cut = 0.0, False
        world.run(2.0)
    assert bob.events == [Connected(), Unheard(), Unheard()]


@pytest.mark.parametrize("quiet_s", [20.0, 21.5, 23.0, 24.5])
def test_a_path_that_died_in_a_long_silence_is_noticed_as_soon_as_somebody_begins(quiet_s: float) -> None:
    """While everybody is muted nothing is looked at for seconds."""
    world, alice, bob = _meeting(99)
    for track in (alice.video, alice.audio):
        track.set_muted(True, world.now)
    world.run(quiet_s)
    assert bob.transport.is_at_rest

    _dies(bob)
    for track in (alice.video, alice.audio):
        track.set_muted(False, world.now)
    world.run(3.5)

    assert bob.events == [Connected(), Unheard()]


@pytest.mark.parametrize("quiet_s", [20.0, 21.5, 23.0, 24.5])
def test_so_it_is_when_a_sender_who_had_merely_paused_goes_on(quiet_s: float) -> None:
    """A source that gives nothing for a while says no word of it, and nobody begins anew afterwards."""
    world, alice, bob = _meeting(102)
    alice.is_filming = alice.is_talking = False
    world.run(quiet_s)
    assert bob.transport.is_at_rest

    _dies(bob)
    alice.talk()
    world.run(3.5)

    assert bob.events == [Connected(), Unheard()]


def test_whoever_is_sent_packets_without_numbers_is_never_at_rest() -> None:
    """Of those one cannot tell whether any were sent: consent and sizes are looked at as if they were."""
    world = World(seed=101)
    alice = world.publisher("alice")
    bob = world.subscriber("bob", [alice.video, alice.audio])
    alice.film()
    alice.talk()
    world.run(5.0)
    rested = []

    for _ in range(40):
        world.run(0.25)
        rested.append(bob.transport.is_at_rest)

    assert rested == [False] * 40


def test_who_only_sends_is_heard_no_more_and_that_is_said_once() -> None:
    """Nothing is sent to a lecturer whose listeners are silent, so no report stays out when their path has died."""
    world, alice, bob = _meeting(100)
    alice.is_filming = alice.is_talking = False
    world.run(25.0)
    assert Unheard() not in alice.events  # they go on checking
    alice.film()
    alice.talk()
    world.run(5.0)

    alice.is_filming = alice.is_talking = alice.checking = False
    world.run(13.0)

    assert alice.events.count(Unheard()) == 1
    assert Disconnected() not in alice.events
    assert bob.events == [Connected()]


def test_a_meeting_that_falls_quiet_is_no_dead_path() -> None:
    """The last packet before everybody switched off may have been lost; nobody will ever report on it."""
    world, alice, bob = _meeting(97)
    alice.is_filming = alice.is_talking = False
    bob.path.loss = 1.0
    world.run(0.03)
    bob.path.loss = 0.0
    world.run(5.0)

    assert bob.events == [Connected()]


def test_after_a_restart_media_takes_the_first_way_that_works_and_begins_with_a_key_frame() -> None:
    """Chromium needs seconds to leave a dead path, and until then its requests go nowhere: the server must not wait for them."""
    world, alice, bob = _meeting(98)
    _dies(bob)
    died = world.now
    world.run(1.2)
    bob.transport.restart_ice()
    bob.peer.restart_ice()
    bob.negotiate()
    there = world.new_address()
    world.clients[there] = bob
    bob.down = Link(world.random)

    world.sfu.receive(bob.peer.check(nominate=False), there, world.now)
    world.run(1.0)

    assert bob.transport.ice.address == there
    came = [(at, is_key) for at, _, is_key in bob.video_of(alice).frames if at > died + 0.1]
    assert came[0][1]
    assert came[0][0] < died + 2.0, "1.2 until the restart, and what the decoder waits for what is missing"
    assert len(came) > 10
    world.assert_no_keystream_reuse()
