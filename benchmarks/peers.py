"""pymeet beside other media servers in one run: the same light clients, the same streams, the same CPU, window by window in turn.

    python benchmarks/peers.py [--only "1 to 60"] [--seconds 3] [--rounds 3] [--no-storm] [--plain] [--json]

Clients are like browsers: cameras send three sizes, of which receivers are sent the largest (and leave out those that the server
says nobody wants: pymeet does, Janus does not, whose cameras go on sending all three), packets are numbered over
all streams, receivers report arrivals twenty times a second, and retransmissions are agreed upon. With --plain they do none of that.
Janus is taken from the system (Debian: `apt-get install janus`); if it is not installed it is left out, and that is said. Every server is
pinned to the last CPU, the clients to the others; everything stays on this machine. A virtual machine's speed moves by tens of
percent within minutes, so compare only what stands in one line of one run: the ratios.
"""

import argparse
import asyncio
import contextlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

import janus  # noqa: E402 - found through the path set above
from awake import awake  # noqa: E402
from clients import Clients  # noqa: E402
from forwarding import CLIENT_CPU, VIDEO_PPS, Participant, Scenario, Server, lost, one_window, settled  # noqa: E402

HALF_A_CORE = 50.0
STORM, STORM_S = 100, 5.0
IDLE_S = 20.0
"""A heartbeat: in a shorter window nobody, or everybody, might ask for a sign of life."""
STEADY_S = 4.0
"""After a pause a server looks anew for what each path carries, which is over after so long; meetings do not pause between windows."""
SCENARIOS = [
    Scenario("1 to 20", 1, 20),
    Scenario("1 to 60", 1, 60),
    Scenario("1 to 200", 1, 200),
    Scenario("12 by 12", 12, 0, mesh=True),
]


class Pymeet(Server):
    """pymeet with its signaling over the WebSocket."""

    title = "pymeet"

    def __init__(self, folder: str) -> None:
        super().__init__(folder)
        self._people: list[Participant] = []

    async def room(self, http: aiohttp.ClientSession) -> str:
        return self.make_room()

    async def publish(self, http: aiohttp.ClientSession, room: str, s: Scenario, side: "Side") -> None:
        receiver = side.receiver if s.mesh else None
        await self._join(http, room, Participant(f"p{len(self._people)}", side.sender, receiver), s.mesh)

    async def receive(self, http: aiohttp.ClientSession, room: str, s: Scenario, clients: Clients) -> None:
        if not s.mesh:  # in a mesh whoever publishes receives already
            person = Participant(f"r{len(self._people)}", None, clients)
            await self._join(http, room, person, False)
            await self._look(person, s)

    async def look(self, s: Scenario) -> None:
        """In a mesh everybody shows everybody, once all are there."""
        for person in self._people if s.mesh else []:
            await self._look(person, s)

    async def _look(self, person: Participant, s: Scenario) -> None:
        expected = s.publishers - s.mesh
        for _ in range(1000):
            if len(person.cameras) == expected:
                break
            await asyncio.sleep(0.01)
        await person.look(dict.fromkeys(person.cameras, s.lines))

    async def _join(self, http: aiohttp.ClientSession, room: str, person: Participant, with_audio: bool) -> None:
        self._people.append(person)
        await person.join(http, self.url, room, with_audio=with_audio)

    async def leave(self, http: aiohttp.ClientSession) -> None:
        for person in self._people:
            await person.leave()
        self._people = []


class Janus(janus.Janus):
    """Janus with what the plugin calls publishers and subscribers."""

    def __init__(self, folder: str) -> None:
        super().__init__(folder, janus.local_address())
        self._feeds: list[int] = []

    async def room(self, http: aiohttp.ClientSession) -> int:
        self._feeds = []
        return await self.make_room(http)

    async def publish(self, http: aiohttp.ClientSession, room: int, s: Scenario, side: "Side") -> None:
        self._feeds.append(await self.publisher(http, room, side.sender, s.mesh))

    async def receive(self, http: aiohttp.ClientSession, room: int, s: Scenario, clients: Clients) -> None:
        others = self._feeds[1:] if s.mesh else self._feeds
        if s.mesh:
            self._feeds = [*others, self._feeds[0]]
        await self.subscriber(http, room, clients, others)

    async def look(self, s: Scenario) -> None:
        """Whoever receives is sent the largest size unless they ask for another, which is not measured here."""

    async def leave(self, http: aiohttp.ClientSession) -> None:
        await self.end_sessions(http)


@dataclass
class Side:
    """One server with its clients."""

    server: Any
    sender: Clients
    receiver: Clients
    like_browsers: bool = True
    room: Any = None
    mb_per_participant: float = 0.0
    idle_percent: float = 0.0
    calm: list[dict[str, Any]] = field(default_factory=list)
    bursts: list[dict[str, Any]] = field(default_factory=list)
    capacity_pps: float = 0.0
    delay: dict[str, Any] = field(default_factory=dict)

    def close(self) -> None:
        self.sender.stop()
        self.receiver.stop()

    def new_clients(self) -> Clients:
        return new_clients(self.server, self.like_browsers)


def new_clients(server: Any, like_browsers: bool) -> Clients:
    """A process of clients that fit the server."""
    if server.title == "pymeet":
        return Clients(CLIENT_CPU, like_browsers=like_browsers)
    return Clients(CLIENT_CPU, janus.local_address(), is_full=True, like_browsers=like_browsers)


@contextlib.asynccontextmanager
async def meeting(
    server: Any, http: aiohttp.ClientSession, s: Scenario, like_browsers: bool = True
) -> AsyncIterator[Side]:
    """Everybody of a scenario, connected."""
    before_mb = server.memory_mb()
    side = Side(server, new_clients(server, like_browsers), new_clients(server, like_browsers), like_browsers)
    try:
        side.room = await server.room(http)
        for _ in range(s.publishers):
            await server.publish(http, side.room, s, side)
        for _ in range(100):
            await asyncio.sleep(0.2)  # Janus names a stream to others when its connection stands
            if side.sender.ask("up"):
                break
        await asyncio.sleep(0.3)
        for _ in range(s.publishers if s.mesh else s.receivers):
            await server.receive(http, side.room, s, side.receiver)
        await server.look(s)
        side.sender.ask("count", s.lines)
        side.sender.ask("send", True)
        await settled(side.sender, side.receiver, s)
        side.mb_per_participant = (server.memory_mb() - before_mb) / (s.publishers + s.receivers)
        side.sender.ask("send", False)
        yield side
    finally:
        side.sender.ask("send", False)
        await server.leave(http)
        side.close()


async def compare(
    servers: list[Any], http: aiohttp.ClientSession, s: Scenario, seconds: float, rounds: int, like_browsers: bool
) -> dict[str, Any]:
    """Windows of all servers in turn."""
    async with contextlib.AsyncExitStack() as stack:
        sides = [await stack.enter_async_context(meeting(server, http, s, like_browsers)) for server in servers]
        for side in sides:
            side.idle_percent = (await one_window(side.server, side.sender, side.receiver, IDLE_S))["cpu_percent"]
        for _ in range(rounds):
            for side in sides:
                side.calm.append(await _sending(side, seconds, VIDEO_PPS, burst=False))
                side.bursts.append(await _sending(side, seconds, VIDEO_PPS, burst=True))
        for side in sides:
            side.capacity_pps = await _capacity(side, seconds)
        slowest = min(side.capacity_pps for side in sides)
        for side in sides:
            # at one pace for all, which is half a core for the slowest: receivers are awake then, as in the world
            side.receiver.ask("be_lazy", False)
            found = await _sending(side, seconds, slowest / s.copies / s.publishers, burst=True, is_lazy=False)
            side.delay = {"cpu_percent": found["cpu_percent"], "ms": found["delay_ms"], "pps": found["out_pps"]}
            side.delay["lost"] = await lost(side.sender, side.receiver)
        return {side.server.title: _summary(side) for side in sides}


async def _sending(side: Side, seconds: float, pps: float, *, burst: bool, is_lazy: bool = True) -> dict[str, Any]:
    side.receiver.ask("be_lazy", is_lazy)
    side.sender.ask("pace", pps, burst)
    side.sender.ask("send", True)
    await asyncio.sleep(STEADY_S)
    found = await one_window(side.server, side.sender, side.receiver, seconds)
    side.sender.ask("send", False)
    side.receiver.ask("be_lazy", False)
    await asyncio.sleep(0.2)
    return found


async def _capacity(side: Side, seconds: float) -> float:
    """Packets a second that half a core forwards, frames sent as browsers send them; the cost of one falls as the load rises."""
    pps = VIDEO_PPS * HALF_A_CORE / statistics.median(w["cpu_percent"] for w in side.bursts)
    for _ in range(3):
        found = await _sending(side, seconds, pps, burst=True)
        pps *= HALF_A_CORE / found["cpu_percent"]
    return float(found["out_pps"] * HALF_A_CORE / found["cpu_percent"])


def _summary(side: Side) -> dict[str, Any]:
    def middle(windows: list[dict[str, Any]]) -> float:
        return float(statistics.median(w["us"] for w in windows))

    return {
        "us_even": middle(side.calm),
        "us_bursts": middle(side.bursts),
        "us_all": [[w["us"] for w in side.calm], [w["us"] for w in side.bursts]],
        "capacity_pps": side.capacity_pps,
        "delay": side.delay,
        "idle_percent": side.idle_percent,
        "mb_per_participant": side.mb_per_participant,
    }


async def storm(server: Any, http: aiohttp.ClientSession, like_browsers: bool) -> dict[str, Any]:
    """A hundred people come to a meeting of one camera and twenty receivers within five seconds."""
    s = Scenario("storm", 1, 20)
    async with meeting(server, http, s, like_browsers) as side:
        joiners = side.new_clients()
        side.sender.ask("pace", VIDEO_PPS, True)
        side.sender.ask("send", True)
        await one_window(server, side.sender, side.receiver, 1.0)
        cpu, begun = server.cpu_s(), time.monotonic()
        starts: list[float] = []

        async def join(at: float) -> None:
            await asyncio.sleep(begun + at - time.monotonic())
            starts.append(time.monotonic())
            await server.receive(http, side.room, s, joiners)

        try:
            async with asyncio.TaskGroup() as group:
                for i in range(STORM):
                    group.create_task(join(i * STORM_S / STORM))
            firsts: list[float] = []
            for _ in range(100):
                firsts = joiners.ask("firsts")
                if len(firsts) == STORM and all(firsts):
                    break
                await asyncio.sleep(0.1)
            used = server.cpu_s() - cpu
            _, _, delays = side.receiver.ask("counts")
            # who came first need not be served first, so only the whole crowd's times mean something
            waits = sorted(f - s for f, s in zip(sorted(firsts), sorted(starts), strict=False) if f)
            delays.sort()
            return {
                "joined": sum(bool(f) for f in firsts),
                "last_after_s": max(firsts) - begun if firsts else None,
                "wait_p50_s": waits[len(waits) // 2] if waits else None,
                "wait_p99_s": waits[int(len(waits) * 0.99)] if waits else None,
                "cpu_s": used,
                "delay_of_others_ms": [1000 * delays[int(len(delays) * q)] for q in (0.5, 0.99)] if delays else [],
                "lost_by_others": await lost(side.sender, side.receiver),
            }
        finally:
            side.sender.ask("send", False)
            joiners.stop()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0, help="length of a window")
    parser.add_argument(
        "--rounds", type=int, default=3, help="windows of each server and pace, in turn; the median counts"
    )
    parser.add_argument("--only", action="append", help="a scenario by its title; may be repeated")
    parser.add_argument("--plain", action="store_true", help="one size, no numbers over all streams, no reports")
    parser.add_argument("--no-storm", action="store_true", help="leave the crowd of joins out")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    absent = [] if janus.PROGRAM else ["Janus"]
    results: dict[str, Any] = {"left_out": absent}
    with contextlib.ExitStack() as stack:
        folders = [stack.enter_context(tempfile.TemporaryDirectory()) for _ in range(2)]
        servers: list[Any] = [Pymeet(folders[0])]
        stack.callback(servers[0].stop)
        if janus.PROGRAM:
            servers.append(Janus(folders[1]))
            stack.callback(servers[1].stop)
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as http:
            for server in servers:
                await server.ready(http)
            for scenario in SCENARIOS:
                if not options.only or scenario.title in options.only:
                    turns = options.seconds, options.rounds
                    results[scenario.title] = await compare(servers, http, scenario, *turns, not options.plain)
                    if not options.json:
                        _print(scenario.title, results[scenario.title])
            if not options.no_storm:
                results["storm"] = {server.title: await storm(server, http, not options.plain) for server in servers}
                if not options.json:
                    _print_storm(results["storm"])
    if options.json:
        print(json.dumps(results, indent=2))
    elif absent:
        print(f"Not installed and so left out: {', '.join(absent)}")


def _print(title: str, sides: dict[str, Any]) -> None:
    for name, r in sides.items():
        delay = r["delay"]
        print(
            f"{title:>8}, {name:>6}: {r['us_even']:5.1f} µs CPU per forwarded packet spaced evenly, {r['us_bursts']:5.1f} in frames; "
            f"half a core forwards {r['capacity_pps']:6.0f} packets/s; at {delay['pps']:6.0f} packets/s delay p50 {delay['ms'][0]:.2f} ms, "
            f"p99 {delay['ms'][1]:.2f} ms, {delay['lost']} lost; {r['mb_per_participant']:.2f} MB per participant, "
            f"{r['idle_percent']:.1f} % of a core while nobody sends"
        )
    if len(sides) == 2:
        ours, theirs = sides.values()
        print(
            f"{'':>8}  Janus in pymeets: {theirs['us_even'] / ours['us_even']:.2f} of the CPU spaced evenly, "
            f"{theirs['us_bursts'] / ours['us_bursts']:.2f} in frames; pymeet forwards "
            f"{ours['capacity_pps'] / theirs['capacity_pps']:.2f} times as much with half a core",
            flush=True,
        )


def _print_storm(sides: dict[str, Any]) -> None:
    for name, r in sides.items():
        print(
            f"{STORM} joins in {STORM_S:.0f} s, {name:>6}: {r['joined']} joined, the last saw a picture after {r['last_after_s']:.1f} s, "
            f"wait p50 {r['wait_p50_s']:.2f} s, p99 {r['wait_p99_s']:.2f} s; {r['cpu_s']:.1f} s of CPU; who was there before: delay p99 "
            f"{r['delay_of_others_ms'][1]:.1f} ms, {r['lost_by_others']} lost",
            flush=True,
        )


if __name__ == "__main__":
    with awake():
        asyncio.run(main())
