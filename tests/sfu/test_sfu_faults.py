"""A fault of ours in one connection: it ends that connection, is told to whoever watches, and nobody else notices."""

import asyncio

import pytest

from pymeet.sfu.events import Closed, Connected, Disconnected, TransportEvent, Unheard
from pymeet.sfu.service import Sfu
from pymeet.sfu.udp import MediaPort
from tests.netem import CERTIFICATE, Publisher, Subscriber, World


class BrokenError(Exception):
    """What no code of ours raises on purpose."""


def fails_at(kind: type[TransportEvent], heard: list[TransportEvent]):
    """An owner whose code has a fault that one event brings out."""

    def hear(event: TransportEvent) -> None:
        heard.append(event)
        if isinstance(event, kind):
            raise BrokenError

    return hear


def noted(world: World) -> list[Exception]:
    """From here on faults are collected, as the server's rim does, and not raised."""
    faults: list[Exception] = []
    world.sfu.on_fault = faults.append
    return faults


def test_a_fault_at_a_packet_ends_only_the_connection_it_came_by() -> None:
    """A call in the same room goes on, and the next datagram of the same batch is not lost."""
    world = World(seed=1)
    alice = world.publisher("alice")
    bob = world.subscriber("bob", [alice.video])
    alice.film()
    world.run(0.5)
    faults = noted(world)
    since = world.now
    mallory = Publisher(world, "mallory")
    mallory.transport._on_event = fails_at(Connected, mallory.events)

    mallory.join()
    world.run(2.0)

    assert mallory.events == [Connected(), Closed("internal error")]
    assert mallory.transport not in world.sfu.transports
    assert [type(fault) for fault in faults] == [BrokenError]
    assert bob.video_of(alice).longest_gap(since, world.now) < 0.1


def test_a_fault_at_a_timer_does_not_stop_the_clocks_of_others() -> None:
    """All that were due at the same moment are served, and come to be due again."""
    world = World(seed=2)
    faults = noted(world)
    callers = [world.publisher(f"caller{n}") for n in range(3)]
    callers[1].transport._on_event = fails_at(Disconnected, callers[1].events)
    for caller in callers:
        caller.checking = False

    world.run(40.0)

    assert callers[1].events == [Connected(), Unheard(), Disconnected(), Closed("internal error")]
    assert [caller.events for caller in (callers[0], callers[2])] == [[Connected(), Unheard(), Disconnected()]] * 2
    assert all(caller.transport.deadline is not None for caller in (callers[0], callers[2]))
    assert [type(fault) for fault in faults] == [BrokenError]


def test_a_connection_that_fails_even_at_closing_is_let_go_all_the_same() -> None:
    """Its names and addresses lead nowhere any more."""
    world = World(seed=3)
    faults = noted(world)
    mallory = Publisher(world, "mallory")

    def hear(event: TransportEvent) -> None:
        raise BrokenError

    mallory.transport._on_event = hear

    mallory.join()
    world.run(1.0)

    assert len(faults) == 2
    assert not world.sfu.transports
    assert not world.sfu._by_address
    assert not world.sfu._by_ufrag


def test_one_that_fails_at_closing_does_not_keep_the_server_from_stopping() -> None:
    """Everybody else still hears the good-bye."""
    world = World(seed=4)
    faults = noted(world)
    callers: list[Publisher | Subscriber] = [world.publisher(f"caller{n}") for n in range(3)]
    callers[0].transport._on_event = fails_at(Closed, callers[0].events)

    world.sfu.close(world.now)
    world.run(0.5)

    assert all(caller.peer.closed for caller in callers)
    assert [type(fault) for fault in faults] == [BrokenError]


def test_without_a_watcher_a_fault_is_raised() -> None:
    """A test must not pass over one."""
    world = World(seed=5)
    mallory = Publisher(world, "mallory")
    mallory.transport._on_event = fails_at(Connected, mallory.events)
    mallory.join()

    with pytest.raises(BrokenError):
        world.run(1.0)


async def test_the_timer_of_the_media_port_goes_on_after_a_fault() -> None:
    """Else nobody would be asked for a key frame, or given up, until the server is started anew."""
    loop = asyncio.get_running_loop()
    sfu = Sfu(CERTIFICATE, [])
    port = await MediaPort.open(sfu, "127.0.0.1", 0)
    ended = asyncio.Event()
    heard: list[TransportEvent] = []
    faulty = sfu.publisher("mallory", fails_at(Closed, heard), loop.time() - 29.99)
    healthy = sfu.publisher("alice", lambda event: ended.set(), loop.time() - 29.9)

    async with asyncio.timeout(5):
        await ended.wait()

    assert heard == [Closed("no connection")]
    assert faulty.closed
    assert healthy.closed
    assert port.faults == 1
    await port.close()
