"""Receivers leave and return, senders share and stop, and everybody else does not notice."""

from pymeet.sfu.events import Closed, Connected, Disconnected
from tests.netem import Publisher, World


def test_a_receiver_leaves_and_rejoins() -> None:
    """A reload of the page is a leave and a join; the others go on undisturbed."""
    world = World(seed=41)
    alice = world.publisher()
    bob = world.subscriber("bob", [alice.video])
    carol = world.subscriber("carol", [alice.video])
    alice.film()
    world.run(1.0)

    bob.leave()
    world.run(1.0)
    again = world.subscriber("bob2", [alice.video])
    world.run(1.0)

    assert bob.events[-1] == Closed("peer closed")
    assert bob.transport not in world.sfu.transports
    assert len(again.video_of(alice).frames) > 15
    assert carol.video_of(alice).longest_gap(world.now - 2, world.now) < 0.2
    world.assert_no_keystream_reuse()


def test_nothing_is_kept_of_those_who_left() -> None:
    """A server that runs for months must not remember every visitor."""
    world = World(seed=42)
    alice = world.publisher()
    alice.film()
    for i in range(10):
        bob = world.subscriber(f"bob{i}", [alice.video])
        world.run(0.2)
        bob.leave()
        world.run(0.3)
        del world.clients[bob.address]
    alice.leave()
    world.run(1.0)

    sfu = world.sfu
    assert not sfu.transports
    assert not sfu._by_address
    assert not sfu._by_ufrag
    assert not sfu._addresses_of
    world.run(60.0)
    assert sfu.next_deadline() is None


def test_the_packets_of_a_track_are_forgotten_with_it() -> None:
    """Half a megabyte for each picture; and what was said must not lie about after its sender has gone."""
    world = World(seed=48)
    alice = world.publisher("alice")
    world.subscriber("bob", [alice.video])
    alice.film()
    world.run(1.0)
    fanout = alice.video.layers[0].fanout
    newest = fanout.last_sequence
    assert fanout.ring.get(newest) is not None

    alice.leave()
    world.run(0.5)

    assert all(fanout.ring.get((newest - back) & 0xFFFF) is None for back in range(fanout.ring.size))


def test_a_section_is_used_again_for_another_share_of_the_screen() -> None:
    """Ten shares in an hour must not make ten sections; a new share has its own SSRC and begins with a key frame."""
    world = World(seed=43)
    alice = world.publisher("alice")
    bob = world.subscriber("bob", [alice.video])
    alice.film()
    shares = []
    for turn in range(3):
        sharer = world.publisher(f"share{turn}")
        sharer.film()
        offer = bob.receive_tracks([alice.video, sharer.video])
        world.run(1.0)
        shares.append((offer.count("\r\nm="), bob.video_of(sharer)))
        sharer.is_filming = False
        bob.receive_tracks([alice.video])
        world.run(0.2)

    assert [sections for sections, _ in shares] == [2, 2, 2]
    assert len({stream.ssrc for _, stream in shares}) == 3
    assert all(stream.frames[0][2] and len(stream.frames) > 15 for _, stream in shares)
    assert bob.video_of(alice).longest_gap(world.now - 3, world.now) < 0.2
    world.assert_no_keystream_reuse()


def test_two_senders_with_the_same_ssrcs_do_not_meet() -> None:
    """SSRCs are chosen by the senders; two alike in one room are two people, not one."""
    world = World(seed=44)
    alice, albert = Publisher(world, "alice"), Publisher(world, "albert")
    albert.video_ssrc, albert.audio_ssrc = alice.video_ssrc, alice.audio_ssrc
    albert.source.ssrc = alice.source.ssrc
    for publisher in (alice, albert):
        publisher.join()
        world.run_until(lambda p=publisher: p.is_connected)
        publisher.film()
    albert.source.frames = 5000
    bob = world.subscriber("bob", [alice.video, albert.video])

    world.run(3.0)

    assert max(bob.video_of(alice).numbers) < 1000
    assert min(bob.video_of(albert).numbers) >= 5000
    assert bob.video_of(alice).ssrc != bob.video_of(albert).ssrc
    assert len(bob.video_of(alice).frames) > 60
    assert len(bob.video_of(albert).frames) > 60
    world.assert_no_keystream_reuse()


def test_a_sender_that_announced_no_ssrc_is_understood() -> None:
    """SSRC lines are optional in an offer (RFC 8829): the payload type or the MID tells whose a packet is."""
    world = World(seed=45)
    alice = world.publisher(announce=False)
    bob = world.subscriber("bob", [alice.audio, alice.video])
    alice.film()
    alice.talk()
    world.run(1.0)
    alice.up.loss = 0.05

    world.run(3.0)

    assert bob.video_of(alice).longest_gap(world.now - 3, world.now) < 0.7
    assert len(bob.audio_of(alice).arrived) > 150
    assert alice.video.layers[0].reception.received > alice.source.frames * 5 - 30


def test_a_refused_section_gets_nothing() -> None:
    """Who answers `inactive` to a section is not sent its media."""
    world = World(seed=46)
    alice = world.publisher()
    bob = world.subscriber("bob", [alice.audio])
    alice.film()
    alice.talk()
    bob.transport.set_tracks([alice.audio, alice.video], world.now)
    number, offer, _ = bob.transport.offer(world.now)
    head, video = bob.peer.answer(offer).split("m=video")
    bob.transport.accept(number, head + "m=video" + video.replace("a=recvonly", "a=inactive"), world.now)

    world.run(1.0)

    assert len([key for key in world.wires if key[0] == "bob"]) == 1
    assert isinstance(bob.events[0], Connected)
    assert not any(isinstance(e, Disconnected) for e in bob.events)
