"""Sender reports tell receivers which moment of the wall clock a timestamp is: they must stay true for every copy."""

import pytest

from tests.netem import Subscriber, World


def _skew(world: World, viewer: Subscriber, audio_ssrc: int, video_ssrc: int) -> float:
    """Seconds by which the reports would shift sound against picture of one moment (0 when they are true)."""
    newest = {r.ssrc: r for _, r in viewer.reports}
    audio, video = newest[audio_ssrc], newest[video_ssrc]
    last = {}
    for ssrc, rate, report in ((audio_ssrc, 48000, audio), (video_ssrc, 90000, video)):
        at, _, timestamp = viewer.streams[ssrc].arrived[-1]
        ahead = ((timestamp - report.rtp_timestamp + 0x80000000) & 0xFFFFFFFF) - 0x80000000
        last[ssrc] = report.ntp / 2**32 + ahead / rate - at
    return last[audio_ssrc] - last[video_ssrc]


@pytest.mark.parametrize("joins", ["before", "after"])
def test_sound_and_picture_share_one_clock_at_every_receiver(joins: str) -> None:
    """Lips and words drift apart when a forwarder changes timestamps and not the reports."""
    world = World(seed=71)
    alice = world.publisher()
    alice.film()
    alice.talk()
    bob = world.subscriber("bob", [alice.audio, alice.video])
    world.run(1.0)
    alice.report()
    world.run(0.5)
    if joins == "after":
        bob = world.subscriber("late", [alice.audio, alice.video])
        world.run(1.0)
    alice.video.set_muted(True, world.now)
    world.run(1.0)
    alice.video.set_muted(False, world.now)
    world.run(1.0)

    skew = _skew(world, bob, bob.audio_of(alice).ssrc, bob.video_of(alice).ssrc)

    assert abs(skew) < 0.05


def test_a_players_sound_and_picture_share_one_clock_after_a_switch() -> None:
    """After the change of speaker both streams have new offsets, and their reports with them."""
    world = World(seed=72)
    alice, albert = world.publisher("alice"), world.publisher("albert")
    for publisher in (alice, albert):
        publisher.film()
        publisher.talk()
    player = world.player("tv", [alice.audio, alice.video])
    world.run(1.0)
    alice.report()
    albert.report()
    world.run(1.0)

    player.transport.set_tracks([albert.audio, albert.video], world.now)
    world.run(1.0)

    skew = _skew(world, player, player.by_track["audio"].ssrc, player.by_track["video"].ssrc)
    assert abs(skew) < 0.05


def test_a_report_counts_what_this_receiver_was_sent() -> None:
    """Receivers compute losses of reports' counts; those of the publisher mean nothing to a late joiner."""
    world = World(seed=73)
    alice = world.publisher()
    alice.film()
    bob = world.subscriber("bob", [alice.video])
    world.run(2.0)
    carol = world.subscriber("carol", [alice.video])
    world.run(1.0)

    alice.report()
    world.run(0.2)

    for viewer in (bob, carol):
        sent = len(world.wires[viewer.name, viewer.video_of(alice).ssrc].sequences)
        assert abs(viewer.reports[-1][1].packets - sent) <= 60
        assert viewer.reports[-1][1].octets >= viewer.reports[-1][1].packets * 1000
    assert carol.reports[-1][1].packets < bob.reports[-1][1].packets / 2


def test_a_flood_of_reports_is_not_multiplied() -> None:
    """Each report becomes one per receiver: a sender that sends thousands must not make the server send tens of thousands."""
    world = World(seed=74)
    alice = world.publisher()
    alice.film()
    bob = world.subscriber("bob", [alice.video])
    world.run(1.0)
    before = len(bob.reports)

    for _ in range(500):
        alice.report()
        world.run(0.002)

    assert len(bob.reports) - before <= 15
