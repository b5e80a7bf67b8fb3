"""People change the way by which they reach the server: from IPv4 to IPv6, from UDP to TCP and back. The call goes on."""

import re

import pytest

from pymeet.sfu.address import Address, Stream
from pymeet.sfu.events import Connected, Disconnected
from tests.netem import Client, Publisher, Subscriber, World


def _goes_on(world: World, client: Client, address: Address) -> None:
    """From now on the client is there; what was under way to the old address is lost."""
    del world.clients[client.address]
    client.address = address
    world.clients[address] = client


def _connection(world: World) -> Stream:
    """A TCP connection between the world and the server."""
    closed: list[bool] = []
    stream = Stream(
        world.new_address(),
        lambda packet: world._from_server(bytes(packet), stream),
        lambda: closed.append(True),
    )
    return stream


def _meeting(seed: int) -> tuple[World, Publisher, Subscriber]:
    world = World(seed)
    alice = world.publisher()
    bob = world.subscriber("bob", [alice.video])
    alice.film()
    world.run(1.0)
    return world, alice, bob


@pytest.mark.parametrize("who", ["sender", "receiver"])
@pytest.mark.parametrize("way", ["IPv6", "TCP"])
def test_a_call_goes_on_when_somebody_takes_another_way(who: str, way: str) -> None:
    """Wi-Fi with IPv4 and UDP, then a mobile network with IPv6 only, or one that blocks UDP."""
    world, alice, bob = _meeting(71)
    mover: Client = alice if who == "sender" else bob
    there: Address = ("2001:db8::7", 40001) if way == "IPv6" else _connection(world)

    _goes_on(world, mover, there)
    world.run(5.0)

    assert mover.transport.ice.address == there
    assert bob.video_of(alice).longest_gap(world.now - 5.5, world.now) < 2.0
    assert bob.video_of(alice).numbers[-1] >= alice.source.frames - 5
    assert mover.events == [Connected()]
    world.assert_no_keystream_reuse()


@pytest.mark.parametrize("who", ["sender", "receiver"])
def test_a_connection_that_breaks_falls_back_to_the_way_from_before(who: str) -> None:
    """A browser keeps several ways open; the end of one is told at once, and nobody waits for its silence."""
    world, alice, bob = _meeting(72)
    mover: Client = alice if who == "sender" else bob
    by_udp = mover.address
    stream = _connection(world)
    _goes_on(world, mover, stream)
    world.run(4.0)
    assert mover.transport.ice.address is stream

    _goes_on(world, mover, by_udp)
    world.sfu.forget_stream(stream)
    assert mover.transport.ice.address == by_udp
    world.run(2.0)

    assert not world.sfu.is_known(stream)
    assert bob.video_of(alice).longest_gap(world.now - 2.5, world.now) < 1.0
    assert mover.events == [Connected()]


def test_who_has_nothing_but_a_connection_and_loses_it_comes_back_on_another() -> None:
    """A proxy that ends connections after a while: the browser makes a new one, with the same credentials."""
    world, alice, bob = _meeting(73)
    first, second = _connection(world), _connection(world)
    _goes_on(world, bob, first)
    world.run(3.0)
    bob.transport.ice.forget(next(a for a in bob.transport.ice.valid if a is not first))

    bob.checking = False
    world.sfu.forget_stream(first)
    world.run(3.0)
    assert bob.events == [Connected(), Disconnected()]
    _goes_on(world, bob, second)
    bob.checking = True
    world.run(4.0)

    assert bob.events == [Connected(), Disconnected(), Connected()]
    assert bob.transport.ice.address is second
    assert bob.video_of(alice).longest_gap(world.now - 1.0, world.now) < 0.2
    world.assert_no_keystream_reuse()


def test_a_transport_that_ends_closes_its_connection() -> None:
    """A connection that nobody uses any more must not stay open."""
    world, _, bob = _meeting(74)
    closed: list[bool] = []
    stream = Stream(
        world.new_address(), lambda packet: world._from_server(bytes(packet), stream), lambda: closed.append(True)
    )
    _goes_on(world, bob, stream)
    world.run(3.0)

    bob.transport.close(world.now)

    assert closed == [True]
    assert not world.sfu.is_known(stream)


@pytest.mark.parametrize("candidates", [["{}.local"], ["10.1.2.3"], ["fe80::1"], ["not-an-address", "{}.local"]])
def test_what_a_client_says_of_its_own_addresses_is_not_looked_at(candidates: list[str]) -> None:
    """Browsers hide their addresses behind mDNS names, which nobody else can resolve: where a check comes from is enough."""
    world = World(75)
    alice = Publisher(world, "alice")
    ssrcs = {"audio_ssrc": alice.audio_ssrc, "video_ssrc": alice.video_ssrc}
    offer = alice.peer.offer("sendonly", **ssrcs)
    lines = "".join(
        f"a=candidate:{i} 1 udp 2113937151 {host.format('1f4712db-ea17-4bcf-a596-105139dfd8bf')} 54596 typ host generation 0\r\n"
        for i, host in enumerate(candidates)
    )
    offer = re.sub(r"(a=mid:[01]\r\n)", lambda found: found[0] + lines, offer)

    alice.peer.take_description(alice.transport.answer(offer, alice.wishes, world.now))
    alice.start()
    world.run_until(lambda: alice.is_connected)

    assert not world.strays
    assert world.bytes_out.keys() == {alice.address}
