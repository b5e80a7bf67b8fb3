"""Whole meetings on one core: what they take of it, and by how much later pictures and sound come for going through the server.

    python benchmarks/meetings.py [--only webinar] [--seconds 5] [--rounds 3] [--json]

Clients are like browsers: see peers.py. Frames leave their senders back to back, and each sender when it likes. A packet's delay ends
when it has come to its receiver's socket. Everything stays on 127.0.0.1; the server is pinned to the last CPU.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import aiohttp

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from awake import awake  # noqa: E402 - found through the path set above
from forwarding import VIDEO_PPS, Scenario, lost, one_window  # noqa: E402
from peers import Pymeet, meeting  # noqa: E402

SCENARIOS = [
    Scenario("12 by 12", 12, 0, mesh=True),
    Scenario("webinar", 3, 200, lines=360),
]


async def measure(server: Pymeet, http: aiohttp.ClientSession, s: Scenario, seconds: float, rounds: int) -> Any:
    async with meeting(server, http, s) as side:
        side.receiver.ask("be_lazy", True)
        side.sender.ask("pace", VIDEO_PPS, True)
        side.sender.ask("send", True)
        await asyncio.sleep(2)
        windows = [await one_window(side.server, side.sender, side.receiver, seconds) for _ in range(rounds)]

        def middle(name: str, *index: int) -> float:
            return float(statistics.median(w[name][index[0]] if index else w[name] for w in windows))

        return {
            "cpu_percent": middle("cpu_percent"),
            "us": middle("us"),
            "pps": middle("out_pps"),
            "delay_ms": [middle("delay_ms", 0), middle("delay_ms", 1)],
            "delay_p99_ms_all": [w["delay_ms"][1] for w in windows],
            "lost": await lost(side.sender, side.receiver),
            "mb_per_participant": side.mb_per_participant,
        }


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0, help="length of a window")
    parser.add_argument("--rounds", type=int, default=3, help="windows; the median counts")
    parser.add_argument("--only", help="one scenario, by its title")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        server = Pymeet(folder)
        try:
            connector = aiohttp.TCPConnector(limit=0)
            async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as http:
                await server.ready(http)
                for s in SCENARIOS:
                    if options.only in (None, s.title):
                        r = results[s.title] = await measure(server, http, s, options.seconds, options.rounds)
                        if not options.json:
                            print(
                                f"{s.title:>8}: {r['cpu_percent']:.0f} % of a core, {r['us']:.1f} µs CPU per forwarded packet, "
                                f"{r['pps']:.0f} packets/s; delay p50 {r['delay_ms'][0]:.2f} ms, p99 {r['delay_ms'][1]:.2f} ms; "
                                f"{r['lost']} lost; {r['mb_per_participant']:.2f} MB per participant",
                                flush=True,
                            )
        finally:
            server.stop()
    if options.json:
        print(json.dumps(results, indent=2))


if __name__ == "__main__":
    with awake():
        asyncio.run(main())
