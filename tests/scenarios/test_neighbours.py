"""One participant's trouble, or bad intent, stays with that participant."""

import socket

import pytest

from pymeet.sfu import rtcp
from pymeet.sfu.errors import DescriptionError
from pymeet.sfu.srtp import lib
from tests.netem import World


def test_a_lossy_receiver_does_not_disturb_the_other() -> None:
    """The train passenger's repairs are served from the server's ring: the sender is not even asked."""
    world = World(seed=81)
    alice = world.publisher()
    bob = world.subscriber("bob", [alice.video])
    carol = world.subscriber("carol", [alice.video])
    alice.film()
    world.run(1.0)
    since = world.now
    carol.make_bad(0.2)

    world.run(6.0)

    assert bob.video_of(alice).longest_gap(since, world.now) < 0.1
    assert carol.transport.repairs_sent > 50
    assert bob.transport.repairs_sent == 0
    assert not [m for _, m in alice.asked if isinstance(m, rtcp.Nack)]
    assert carol.video_of(alice).longest_gap(since, world.now) < 1.5


def test_a_flood_of_repair_requests_is_limited() -> None:
    """A small request names many large packets: without an allowance it is a lever on the server's bandwidth."""
    world = World(seed=82)
    alice = world.publisher()
    bob = world.subscriber("bob", [alice.video])
    mallory = world.subscriber("mallory", [alice.video])
    alice.film()
    world.run(2.0)
    since = world.now
    video = mallory.video_of(alice)

    for _ in range(100):
        wanted = [(video.highest - i) & 0xFFFF for i in range(250, 0, -1)]
        request = rtcp.nack(1, video.ssrc, wanted)
        mallory.send_control(rtcp.receiver_report(1, ()) + request * 8)
        world.run(0.02)

    assert mallory.transport.repairs_sent <= 300 + 500 * 2.1 + 10
    assert bob.video_of(alice).longest_gap(since, world.now) < 0.1


def test_nothing_is_repaired_for_an_ssrc_that_is_not_ones_own() -> None:
    """Guessing another receiver's numbers yields nothing."""
    world = World(seed=83)
    alice = world.publisher()
    bob = world.subscriber("bob", [alice.video])
    mallory = world.subscriber("mallory", [alice.audio])
    alice.film()
    world.run(1.0)
    video = bob.video_of(alice)

    for ssrc in (video.ssrc, alice.video_ssrc):
        mallory.send_control(rtcp.nack(1, ssrc, [(video.highest - 3) & 0xFFFF]) + rtcp.pli(1, ssrc))
    world.run(0.5)

    assert mallory.transport.repairs_sent == 0
    assert not [key for key in world.wires if key[0] == "mallory"]


def test_one_sender_cannot_make_the_server_remember_endless_streams() -> None:
    """libsrtp keeps state for every SSRC that it has authenticated, and looks through all of them for each packet."""
    world = World(seed=84)
    mallory = world.publisher("mallory")
    handle = mallory.transport
    packet = mallory.sound_packet()

    for ssrc in range(1200):
        mallory.send_packet(packet[:8] + ssrc.to_bytes(4, "big") + packet[12:])
        mallory.send_control(rtcp.receiver_report(100_000 + ssrc, ()))
    world.run(1.0)

    assert handle.ssrcs_met <= 512


def test_one_sender_cannot_announce_endless_streams() -> None:
    """The same by one offer after another, each with streams of its own; a new connection begins to count anew."""
    world = World(seed=85)
    mallory = world.publisher("mallory")
    before = mallory.transport.tracks

    def announce_many() -> None:
        for _ in range(1000):
            mallory.video_ssrc += 2
            mallory.negotiate()

    with pytest.raises(DescriptionError, match="new one"):
        announce_many()

    assert mallory.transport.tracks == before
    assert mallory.transport.connected


def test_a_sender_that_comes_and_goes_leaves_nothing_behind_at_receivers() -> None:
    """Each time is a new stream to every receiver; kept for ever, they would slow down all that is sent there."""
    world = World(seed=86)
    mallory, alice = world.publisher("mallory"), world.publisher("alice")
    bob = world.subscriber("bob", [mallory.video, alice.video])
    mallory.film()
    alice.film()
    world.run(1.0)
    since = world.now
    everything = dict(mallory.wishes)

    for _ in range(5):
        mallory.wishes = {}
        mallory.negotiate()
        bob.receive_tracks([alice.video])
        mallory.wishes = everything
        mallory.negotiate()
        bob.receive_tracks([mallory.video, alice.video])
        bob.make_bad(0.1)
        world.run(0.5)

    sent = {ssrc for name, ssrc in world.wires if name == "bob"}
    live = {number for group in bob._rtx.items() for number in (group[0], group[1].ssrc)}
    now = {bob.video_of(mallory).ssrc, bob.video_of(alice).ssrc}
    kept = {ssrc for ssrc in sent if lib.srtp_remove_stream(bob.transport.send_handle, socket.htonl(ssrc)) == 0}
    assert len(sent & live) > 10
    assert now <= kept
    assert len(kept) <= 4
    assert bob.video_of(alice).longest_gap(since, world.now) < 1.5
    world.assert_no_keystream_reuse()


def test_a_flood_of_media_by_one_costs_the_others_nothing() -> None:
    """Twenty times the usual bit rate, with the right keys: whoever watches somebody else loses no packet (CVE class 23)."""
    world = World(seed=87)
    alice, mallory = world.publisher("alice"), world.publisher("mallory")
    bob = world.subscriber("bob", [alice.video, alice.audio])
    carol = world.subscriber("carol", [mallory.video])
    alice.film()
    alice.talk()
    world.run(1.0)
    since = world.now

    for _ in range(60):
        for _ in range(20):
            for packet in mallory.source.frame():
                mallory.send_packet(packet)
        world.run(1 / 30)

    video = bob.video_of(alice)
    assert video.longest_gap(since, world.now) < 0.1
    assert video.highest - min(video.packets) + 1 == len(video.packets)
    assert carol.video_of(mallory).arrived
    assert len(mallory.transport._arrivals.arrivals) <= 2000
    world.assert_no_keystream_reuse()
