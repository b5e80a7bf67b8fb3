"""What a burst of people signing in does to a meeting: everybody comes at nine, and someone is already talking.

    python benchmarks/sign_in.py [--people 200] [--rounds 5] [--calm 8] [--spread] [--json]

A real `pymeet serve` holds ten light clients who send and receive; then so many members sign in at once, each from an
address of their own (a proxy is believed), with passwords hashed as in every installation. Bursts and the same meeting
undisturbed alternate. The server is pinned to the last CPU with all its threads, the clients to the others; with `--spread`
the server may use every CPU, as it does in use.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

import aiohttp  # noqa: E402 - what follows is found through the path set above
from awake import awake  # noqa: E402
from clients import Clients  # noqa: E402
from forwarding import CLIENT_CPU, VIDEO_PPS, Participant, Scenario, Server, settled  # noqa: E402
from purge import Watch, lag_of, say_lag  # noqa: E402

from pymeet.config import Config, load  # noqa: E402
from pymeet.ops.client import call  # noqa: E402

MEETING = 10
AIM_MS = 20
PASSWORD = "nine o'clock on a grey monday"


def address(number: int) -> str:
    """Nobody's (RFC 2544): so that a burst is not taken for one client who tries passwords."""
    return f"198.18.{number // 250}.{number % 250 + 1}"


async def add_members(config: Config, http: aiohttp.ClientSession, url: str, count: int) -> list[str]:
    """Members with a password; their addresses."""
    emails = [f"member{number}@example.org" for number in range(count)]
    for number, email in enumerate(emails):
        link = (await call(config, "user.add", {"name": f"Member {number}", "email": email}))["link"]
        body = {"token": link.partition("#")[2], "password": PASSWORD}
        headers = {"X-Forwarded-For": address(number)}
        async with http.post(f"{url}/api/v1/links/redeem", json=body, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
    return emails


async def burst(http: aiohttp.ClientSession, url: str, emails: list[str]) -> list[float]:
    """Everybody signs in at once; how long each waited, in seconds."""

    async def sign_in(number: int, email: str) -> float:
        began = time.monotonic()
        headers = {"X-Forwarded-For": address(number)}
        body = {"email": email, "password": PASSWORD}
        async with http.post(f"{url}/api/v1/sign-in", json=body, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
        return time.monotonic() - began

    return await asyncio.gather(*(sign_in(number, email) for number, email in enumerate(emails)))


async def measure(folder: str, people: int, rounds: int, calm_s: float, *, spread: bool) -> dict[str, Any]:
    server = Server(folder, http=", trusted_proxies: ['127.0.0.1/32']", pinned=not spread)
    config = load(Path(folder) / "pymeet.yaml", {})
    sender = Clients(CLIENT_CPU)
    members = [Participant(f"p{number}", sender, sender) for number in range(MEETING)]
    found: dict[str, list[dict[str, Any]]] = {"calm": [], "burst": []}
    try:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as http:
            await server.ready(http)
            emails = await add_members(config, http, server.url, people)
            slug = server.make_room()
            for member in members:
                await member.join(http, server.url, slug, with_audio=True)
            sender.ask("send", True)
            await settled(sender, sender, Scenario("", MEETING, 0, mesh=True))
            sender.ask("pace", VIDEO_PPS)
            for _ in range(rounds):
                for title, turns in found.items():
                    async with Watch(config) as watch:
                        began = time.monotonic()
                        waits = await burst(http, server.url, emails) if title == "burst" else []
                        if not waits:
                            await asyncio.sleep(calm_s)
                    turns.append({"watch": watch, "seconds": time.monotonic() - began, "waits": waits})
            for member in members:
                await member.leave()
    finally:
        sender.ask("send", False)
        sender.stop()
        server.stop()
    return {"people": people, "calm": together(found["calm"]), "burst": together(found["burst"])}


def together(turns: list[dict[str, Any]]) -> dict[str, Any]:
    """All turns of one kind as one."""
    waits = sorted(wait for turn in turns for wait in turn["waits"])
    return {
        "seconds": sum(turn["seconds"] for turn in turns),
        **lag_of([turn["watch"] for turn in turns]),
        "wait_p50_s": waits[len(waits) // 2] if waits else 0.0,
        "wait_max_s": waits[-1] if waits else 0.0,
    }


def _print(r: dict[str, Any]) -> None:
    calm, busy = r["calm"], r["burst"]
    print(
        f"{r['people']} people sign in at once beside a meeting of {MEETING} (aim: lag p99 below {AIM_MS} ms)\n"
        f"with them: {say_lag(busy)}\nwithout them: {say_lag(calm)}\n"
        f"they waited {busy['wait_p50_s']:.1f} s (median), {busy['wait_max_s']:.1f} s at most"
    )


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=200, help="how many sign in at once")
    parser.add_argument("--rounds", type=int, default=5, help="bursts, each after a calm stretch")
    parser.add_argument("--calm", type=float, default=8.0, help="seconds of the meeting before each, to compare")
    parser.add_argument("--spread", action="store_true", help="let the server use every CPU instead of one")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = await measure(folder, options.people, options.rounds, options.calm, spread=options.spread)
    print(json.dumps(result, indent=2)) if options.json else _print(result)


if __name__ == "__main__":
    with awake():
        asyncio.run(main())
