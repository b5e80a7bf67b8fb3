"""Addresses change, names and passwords are made anew, the network goes away and returns: the session stays."""

import pytest

from pymeet.sfu.errors import DescriptionError
from pymeet.sfu.events import Closed, Connected, Disconnected
from tests.netem import Publisher, Subscriber, World


def _meeting(seed: int) -> tuple[World, Publisher, Subscriber]:
    world = World(seed)
    alice = world.publisher()
    bob = world.subscriber("bob", [alice.video])
    alice.film()
    world.run(1.0)
    return world, alice, bob


def test_a_receiver_behind_a_rebinding_nat_is_followed() -> None:
    """A NAT that forgets its binding gives the same peer another port; the server's sending address must move too."""
    world, alice, bob = _meeting(51)
    old = bob.address

    bob.move()
    world.run(5.0)

    assert bob.transport.ice.address == bob.address
    assert bob.video_of(alice).longest_gap(world.now - 6, world.now) < 2.0
    strays = len([a for _, a in world.strays if a == old])
    world.run(1.0)
    assert len([a for _, a in world.strays if a == old]) == strays, "still sends to the old address"
    assert bob.events == [Connected()]


def test_a_sender_behind_a_rebinding_nat_is_followed() -> None:
    """The same on the other leg."""
    world, alice, bob = _meeting(52)

    alice.move()
    world.run(5.0)

    assert bob.video_of(alice).longest_gap(world.now - 6, world.now) < 2.0
    assert bob.video_of(alice).numbers[-1] >= alice.source.frames - 5


def test_a_sender_restarts_ice_by_a_new_offer() -> None:
    """Browsers come back after a change of network only by an ICE restart: new names, the same session."""
    world, alice, bob = _meeting(53)

    alice.move()
    alice.peer.restart_ice()
    alice.negotiate()
    alice.send(alice.peer.check())
    world.run(2.0)

    assert bob.video_of(alice).longest_gap(world.now - 2.5, world.now) < 1.0
    assert alice.transport.ice.previous is None
    assert alice.events == [Connected()]
    assert bob.video_of(alice).numbers[-1] >= alice.source.frames - 5
    world.assert_no_keystream_reuse()


def test_a_receiver_restarts_ice_by_a_new_offer_of_the_server() -> None:
    """The receiving connection is offered by the server, so the server makes the new names."""
    world, alice, bob = _meeting(54)
    before = bob.transport.ice.local

    bob.transport.restart_ice()
    bob.move()
    bob.peer.restart_ice()
    bob.negotiate()
    offered = bob.peer.remote.ufrag
    bob.send(bob.peer.check())
    world.run(2.0)

    assert bob.transport.ice.local.ufrag == offered != before.ufrag
    assert bob.transport.ice.previous is None
    assert bob.video_of(alice).longest_gap(world.now - 2.5, world.now) < 1.0
    bob.negotiate()
    assert bob.peer.remote.ufrag == offered, "every later offer would restart ICE again"


def test_the_old_path_carries_on_until_the_restart_is_confirmed() -> None:
    """A restart whose answer never arrives must not cost the call; nor must a second one after it."""
    world, alice, bob = _meeting(55)

    for _ in range(2):
        bob.transport.restart_ice()
        bob.transport.offer(world.now)
    world.run(40.0)

    assert bob.events == [Connected()]
    assert bob.video_of(alice).longest_gap(world.now - 40, world.now) < 0.2


def test_lost_consent_stops_the_sending_and_a_check_brings_it_back() -> None:
    """RFC 7675: who no longer says that it wants packets gets none; who comes back gets them again, from a key frame on."""
    world, alice, bob = _meeting(56)
    bob.up.is_cut = True
    world.run(33.0)
    assert bob.events == [Connected(), Disconnected()]
    wire = world.wires["bob", bob.video_of(alice).ssrc]
    sent = len(wire.sequences)
    world.run(5.0)
    assert len(wire.sequences) == sent, "sends without consent"
    frames = len(bob.video_of(alice).frames)

    bob.up.is_cut = False
    world.run(3.0)

    assert bob.events == [Connected(), Disconnected(), Connected()]
    video = bob.video_of(alice)
    assert len(video.frames) - frames > 30
    assert video.frames[frames][2]
    assert wire.sequences == [(wire.sequences[0] + i) & 0xFFFF for i in range(len(wire.sequences))]
    world.assert_no_keystream_reuse()


def test_a_sender_that_lost_consent_comes_back() -> None:
    """The publishing side is treated alike."""
    world, alice, bob = _meeting(57)
    alice.up.is_cut = alice.down.is_cut = True
    world.run(35.0)
    assert alice.events[-1] == Disconnected()

    alice.up.is_cut = alice.down.is_cut = False
    world.run(3.0)

    assert alice.events[-1] == Connected()
    assert bob.video_of(alice).numbers[-1] >= alice.source.frames - 5
    world.assert_no_keystream_reuse()


def test_another_certificate_in_a_restart_is_refused_and_changes_nothing() -> None:
    """Whoever steals a signaling session must not put another end to a running encryption."""
    world, alice, bob = _meeting(58)
    offer = alice.peer.offer("sendonly", audio_ssrc=alice.audio_ssrc, video_ssrc=alice.video_ssrc)
    at = offer.index("sha-256 ") + 8
    forged = offer.replace(offer[at : at + 95], ":".join(["AA"] * 32))

    with pytest.raises(DescriptionError, match="certificate"):
        alice.transport.answer(forged, alice.wishes, world.now)
    world.run(1.0)

    assert bob.video_of(alice).longest_gap(world.now - 1, world.now) < 0.2


def test_who_never_connects_is_given_up() -> None:
    """A page that is closed during its start leaves nothing behind."""
    world = World(59)
    ghost = Publisher(world, "ghost")
    ghost.checking = False
    ghost.join()

    world.run(31.0)

    assert ghost.events == [Closed("no connection")]
    assert not world.sfu.transports
