"""What recording costs a real `pymeet serve` on top of forwarding: CPU, memory, and the delay of what is forwarded.

    python benchmarks/recording.py [--people 10] [--seconds 4] [--rounds 8] [--json]

Everybody sends a camera of 1.4 Mbit/s and a microphone, receives everybody else, and agrees. Windows with and without a
recording alternate; the median counts. The server is pinned to the last CPU, the clients to the others. A virtual machine's
processors are taken away from it at times, and then everything is late: delays are given a second time for the windows in
which (nearly) nothing was taken.
"""

import argparse
import asyncio
import json
import os
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp
from awake import awake
from clients import Clients
from forwarding import CLIENT_CPU, Participant, Scenario, Server, one_window, settled
from purge import STOLEN, stolen_s

_PASSWORD = "seven purple lanterns drift"


class Person(Participant):
    """Agrees to every recording, and knows how many do."""

    def __init__(self, name: str, clients: Clients) -> None:
        super().__init__(name, clients, clients)
        self.recorded = 0
        self._answers: set[asyncio.Task[None]] = set()
        self._asked = ""

    def heard(self, message: dict[str, Any]) -> None:
        if message["type"] == "error":
            print(message, file=sys.stderr)
        if message["type"] != "recording":
            return
        recording = message["recording"]
        self.recorded = len(recording["recorded"]) if recording else 0
        if recording and recording["id"] != self._asked:
            self._asked = recording["id"]
            self._answers.add(asyncio.create_task(self.say(type="consent", recording=self._asked, answer="yes")))


def first_link(log: Path) -> str:
    """The token of the link that the first start prints; empty before it does."""
    found = re.search(r"/link#([A-Za-z0-9_-]+)", log.read_text())
    return found[1] if found else ""


async def sign_in(server: Server, http: aiohttp.ClientSession, token: str) -> None:
    """As the administrator, who is host everywhere."""
    body = {"token": token, "name": "Ada", "email": "ada@example.org", "password": _PASSWORD}
    async with http.post(f"{server.url}/api/v1/links/redeem", json=body) as response:
        assert response.status == 200, await response.text()


async def measure(folder: str, count: int, seconds: float, rounds: int) -> dict[str, Any]:
    server = Server(folder, "recording: {film: 'off'}\n")
    sender = Clients(CLIENT_CPU)
    people = [Person(f"p{i}", sender) for i in range(count)]
    host, *others = people
    try:
        async with (
            aiohttp.ClientSession() as http,
            aiohttp.ClientSession(
                cookie_jar=aiohttp.CookieJar(unsafe=True), headers={"Origin": server.url}
            ) as admins_http,
        ):
            await server.ready(http)
            log = Path(folder, "log")
            await _until(lambda: first_link(log))
            await sign_in(server, admins_http, first_link(log))
            slug = server.make_room()
            await host.join(admins_http, server.url, slug, with_audio=True)
            for person in others:
                await person.join(http, server.url, slug, with_audio=True)
            sender.ask("send", True)
            await settled(sender, sender, Scenario("", count, 0, mesh=True))
            windows: dict[bool, list[dict[str, Any]]] = {False: [], True: []}
            for _ in range(rounds):
                for is_recording in (False, True):
                    await host.say(type="record", on=is_recording)
                    await _until(lambda wanted=count * is_recording: host.recorded == wanted)
                    await asyncio.sleep(2)
                    stolen = stolen_s()
                    window = await one_window(server, sender, sender, seconds)
                    window["stolen"] = (stolen_s() - stolen) / seconds / (os.cpu_count() or 1)
                    windows[is_recording].append({**window, "memory_mb": server.memory_mb()})
            await host.say(type="record", on=False)
            await _until(lambda: host.recorded == 0)
            for person in people:
                await person.leave()
        return _summary(count, windows[False], windows[True], Path(folder, "data"))
    finally:
        sender.ask("send", False)
        sender.stop()
        server.stop()


async def _until(condition: Any) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "the server did not do as it was told"
        await asyncio.sleep(0.05)


def _summary(count: int, without: list[dict[str, Any]], recorded: list[dict[str, Any]], data: Path) -> dict[str, Any]:
    def median(windows: list[dict[str, Any]], key: str, index: int | None = None) -> float:
        return float(statistics.median(w[key] if index is None else w[key][index] for w in windows))

    return {
        "people": count,
        "cpu_percent": [median(without, "cpu_percent"), median(recorded, "cpu_percent")],
        "memory_mb": [without[0]["memory_mb"], max(w["memory_mb"] for w in recorded)],
        "delay_p50_ms": [median(without, "delay_ms", 0), median(recorded, "delay_ms", 0)],
        "delay_p99_ms": [median(without, "delay_ms", 1), median(recorded, "delay_ms", 1)],
        "own_delay_p99_ms": [
            [round(w["delay_ms"][1], 2) for w in windows if w["stolen"] <= STOLEN] for windows in (without, recorded)
        ],
        "files": sum(1 for _ in data.glob("files/*/*.sealed*")),
        "megabytes": sum(f.stat().st_size for f in data.glob("files/*/*.sealed*")) / 1e6,
    }


def _print(r: dict[str, Any]) -> None:
    (cpu, cpu_recording), (memory, memory_recording) = r["cpu_percent"], r["memory_mb"]
    print(
        f"{r['people']} people, camera and microphone each: {cpu:.1f} % of a core forwarding, {cpu_recording:.1f} % recording too "
        f"(+{cpu_recording - cpu:.1f}); {memory:.0f} MB, {memory_recording:.0f} MB (+{memory_recording - memory:.0f})"
    )
    print(
        f"delay of forwarding p50 {r['delay_p50_ms'][0]:.2f} → {r['delay_p50_ms'][1]:.2f} ms, "
        f"p99 {r['delay_p99_ms'][0]:.2f} → {r['delay_p99_ms'][1]:.2f} ms; {r['files']} files, {r['megabytes']:.0f} MB"
    )
    for kind, own in zip(("forwarding", "recording too"), r["own_delay_p99_ms"], strict=True):
        figure = f"{statistics.median(own):.2f} ms, by window {own}" if own else "never had the machine to itself"
        print(f"p99 while the machine had its processors to itself, {kind}: {figure}")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=4.0, help="length of a window")
    parser.add_argument("--rounds", type=int, default=8, help="windows of each kind; the median counts")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = await measure(folder, options.people, options.seconds, options.rounds)
    print(json.dumps(result, indent=2)) if options.json else _print(result)


if __name__ == "__main__":
    with awake():
        asyncio.run(main())
