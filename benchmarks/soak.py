"""A meeting server for a long time: people come, go and have bad luck, and in the end nothing of them may be left behind.

    python benchmarks/soak.py [--minutes 30] [--people 24] [--rooms 4] [--browsers 0] [--seed 1] [--trace] [--json FILE]

Light people with real signaling and real media, over UDP and TCP, come into several rooms for up to a minute each. Their packets
are lost, they change networks, lose their connections, reload, hang, talk nonsense and vanish; hosts record, lock, remove and end.
Encoders and players come by WHIP and WHEP. After a first wave everybody leaves and the server is looked at; then it goes on for
the minutes asked for, everybody leaves again, and what is there is compared: tasks, sockets, files, threads, objects, memory, and
errors in the log. The exit code is 1 when something was left behind. `--trace` says by tracemalloc where memory grew, and is slow.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from forwarding import cpu_s, free_port, memory_mb  # noqa: E402 - found through the path set above
from soak_people import Person, World, encode  # noqa: E402
from soak_verdict import SHORTEST_MIN, Run, Sample, compare, is_of_meetings, judge_memory, mb_per_hour  # noqa: E402

from pymeet.ops.memory import EVERY_S  # noqa: E402
from recording import first_link, sign_in  # noqa: E402

TOKEN = "a token for the metrics of this server"
SAMPLE_S = 5.0
FIRST_WAVE_S = 90.0
"""Until everything was there once: thread pools, caches and the allocator's arenas have their size then."""
IDLE_S = 180.0
"""Within this, after the last one has left, nothing of a meeting is there: seats are kept for a minute, and rooms for another."""
GIVEN_BACK_S = EVERY_S + 5
"""So long after that, memory of those who left is the system's again."""
LEAVE_S = 45.0


class Server:
    """`pymeet serve` with a window into it (soak_inside.py)."""

    def __init__(self, folder: Path, *, trace: bool) -> None:
        self.url = f"http://127.0.0.1:{free_port(socket.SOCK_STREAM)}"
        self.media = ("127.0.0.1", free_port(socket.SOCK_DGRAM))
        self.log = folder / "log"
        self._window = folder / "window.json"
        config = folder / "pymeet.yaml"
        config.write_text(
            f"data_dir: {folder}/data\n"
            f"http: {{host: 127.0.0.1, port: {self.url.rpartition(':')[2]}, tls: {{mode: 'off'}}, metrics_token: '{TOKEN}'}}\n"
            f"media: {{port: {self.media[1]}, addresses: ['127.0.0.1']}}\n"
            "recording: {film: 'off'}\nlog: {format: json}\nrooms: {max_lag_ms: 0}\n"  # what else the machine does refuses nobody
        )
        environ = {**os.environ, "SOAK_FILE": str(self._window), **({"PYTHONTRACEMALLOC": "8"} if trace else {})}
        program = [sys.executable, str(Path(__file__).with_name("soak_inside.py")), "serve", "-c", str(config)]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(program, stdout=log, stderr=log, cwd=folder, env=environ)
        self.pid = self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    async def ready(self, http: aiohttp.ClientSession) -> None:
        for _ in range(600):
            with contextlib.suppress(aiohttp.ClientError):
                async with http.get(f"{self.url}/readyz") as response:
                    if response.status == 200 and first_link(self.log):
                        return
            await asyncio.sleep(0.1)
        raise RuntimeError(f"pymeet did not start: {self.log.read_text()}")

    async def look(self) -> dict[str, Any]:
        """What the process holds."""
        self._window.unlink(missing_ok=True)
        os.kill(self.pid, signal.SIGUSR2)
        for _ in range(600):
            if self._window.exists():
                return dict(json.loads(self._window.read_text()))
            await asyncio.sleep(0.1)
        raise RuntimeError("the server does not answer")

    def descriptors(self) -> Counter[str]:
        """Its open files by kind: sockets, the database's and others."""
        kinds: Counter[str] = Counter()
        for each in Path(f"/proc/{self.pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                target = os.readlink(each)
                kinds["sockets" if target.startswith("socket:") else "files" if target[0] == "/" else "other"] += 1
        return kinds

    def threads(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/task").iterdir()))

    async def metrics(self, http: aiohttp.ClientSession) -> dict[str, float]:
        async with http.get(f"{self.url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}) as response:
            lines = (await response.text()).splitlines()
        return {name: float(value) for name, _, value in (x.rpartition(" ") for x in lines if not x.startswith("#"))}

    def errors(self) -> Counter[str]:
        """What the log says that nobody foresaw, and how often."""
        found: Counter[str] = Counter()
        for line in self.log.read_text().splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                if "Traceback" in line or "Error" in line or "Warning" in line:
                    found[line[:200]] += 1
                continue
            if entry.get("level") in ("error", "critical") or "error" in entry:
                found[f"{entry.get('event')}: {entry.get('error')} {entry.get('where', '')} {entry.get('at', '')}"] += 1
        return found

    async def stop(self) -> int:
        """Ends it as an operator would; its exit code."""
        if self.is_alive:
            self._process.send_signal(signal.SIGTERM)
        try:
            return await asyncio.to_thread(self._process.wait, 15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


async def wave(server: Server, world: World, people: int, seconds: float, run: Run) -> None:
    """Lets people come for so long; returns when all have left."""
    world.is_open = True
    begun = time.monotonic()
    guests = [Person(world, f"Person {n}", is_host=n % 6 == 0) for n in range(people)]
    tasks = [asyncio.create_task(each.live()) for each in guests]
    tasks += [asyncio.create_task(encode(world)) for _ in range(3)]
    media = asyncio.create_task(world.turn())
    before = await server.metrics(world.http)
    try:
        while (now := time.monotonic()) < begun + seconds and server.is_alive:
            await asyncio.sleep(min(SAMPLE_S, max(0.1, begun + seconds - now)))
            for task in [task for task in (*tasks, media) if task.done()]:
                task.result()  # none of them ends by itself: this shows why it did
            after = await server.metrics(world.http)
            kinds = server.descriptors()
            sample = Sample(
                time.monotonic() - begun,
                memory_mb(server.pid),
                kinds["sockets"],
                kinds["files"],
                server.threads(),
                int(after["pymeet_participants"]),
                1000 * percentile(before, after, 0.95),
            )
            before = after
            run.samples.append(sample)
            if len(run.samples) % 12 == 0:
                print(show(sample), flush=True)
        world.is_open = False
        _, late = await asyncio.wait(tasks, timeout=LEAVE_S)
        if late:
            run.problems.append(f"{len(late)} people could not leave")
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        for task in (*tasks, media):
            task.cancel()
        await asyncio.gather(*tasks, media, return_exceptions=True)
        for connection in list(world.connections):
            world.drop(connection, politely=False)
    run.worst_late_s = max(run.worst_late_s, world.late_s)


def percentile(before: dict[str, float], after: dict[str, float], share: float) -> float:
    """Of the loop's lag between two readings: the upper end of the bucket in which it lies. Seconds."""
    name = "pymeet_event_loop_lag_seconds_bucket{le="
    grown = {
        float(key[len(name) + 1 : -2]): value - before.get(key, 0)
        for key, value in after.items()
        if key.startswith(name)
    }
    total = grown[float("inf")]
    return min(end for end, count in grown.items() if count >= share * total)


async def idle(server: Server, http: aiohttp.ClientSession, run: Run) -> dict[str, Any]:
    """Waits till nothing of a meeting is there any more, and says what the process holds then."""
    begun = time.monotonic()
    while True:
        seen = await server.look()
        left = {kind: n for kind, n in seen["objects"].items() if is_of_meetings(kind)}
        if not left and not (await server.metrics(http))["pymeet_transports"]:
            break
        print(f"waiting for the end of {left}", flush=True)
        if time.monotonic() - begun > IDLE_S:
            run.problems.append(f"after {IDLE_S:.0f} s without anybody there are {left}")
            break
        await asyncio.sleep(5)
    await asyncio.sleep(GIVEN_BACK_S)
    kinds = server.descriptors()
    return {
        **seen,
        "memory_mb": memory_mb(server.pid),
        "sockets": kinds["sockets"],
        "files": kinds["files"],
        # asyncio's own pool grows to a fixed size, when there is as much to do at once
        "threads": server.threads() - seen["pool"],
    }


def show(sample: Sample) -> str:
    return (
        f"{sample.at_s:6.0f} s: {sample.memory_mb:6.1f} MB, {sample.sockets} sockets, {sample.files} files, {sample.threads} threads, "
        f"{sample.people} people, lag p95 at most {sample.lag_p95_ms:.0f} ms"
    )


@contextlib.asynccontextmanager
async def browsers(count: int, url: str, slug: str) -> AsyncIterator[None]:
    """So many Chromiums in a room, for as long as it is entered."""
    if not count:
        yield
        return
    sys.path.append(str(Path(__file__).parents[1] / "tests" / "live"))
    from tests.browser.people import chromium, enter

    async with chromium() as browser:
        for number in range(count):
            person = await enter(browser, url, f"Browser {number}")
            await person.join(slug)
        yield


async def soak(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    server, run = Server(folder, trace=options.trace), Run()
    connector, hosts_connector = aiohttp.TCPConnector(limit=0), aiohttp.TCPConnector(limit=0)
    try:
        async with (
            aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as http,
            aiohttp.ClientSession(
                connector=hosts_connector,
                cookie_jar=aiohttp.CookieJar(unsafe=True),
                headers={"Origin": server.url},
            ) as hosts_http,
        ):
            await server.ready(http)
            await sign_in(server, hosts_http, first_link(server.log))  # type: ignore[arg-type] # it asks for the url only
            rooms = [await make_room(hosts_http, server.url, f"Room {n}") for n in range(options.rooms + 1)]
            world = World(server.url, http, hosts_http, rooms[:-1], server.media)
            await wave(server, world, options.people, min(FIRST_WAVE_S, 60 * options.minutes), run)
            before = await idle(server, http, run)
            run.samples.clear()
            world.received, world.late_s, started = 0, 0.0, time.monotonic()
            cpu = cpu_s(server.pid)
            async with browsers(options.browsers, server.url, rooms[-1]):
                await wave(server, world, options.people, 60 * options.minutes, run)
            cpu, took_s = cpu_s(server.pid) - cpu, time.monotonic() - started
            metrics = await server.metrics(http)
            after = await idle(server, http, run)
        compare(before, after, run)
        if not options.trace:
            judge_memory(before, after, options.minutes, run)
        code = await server.stop()
        if code:
            run.problems.append(f"the server ended with {code}")
        errors = server.errors()
        run.problems += [f"in the log, {n} times: {what}" for what, n in errors.items()]
        return {
            "minutes": options.minutes,
            "problems": run.problems,
            "mb_per_hour": mb_per_hour(run.samples),
            "before": {k: v for k, v in before.items() if k != "objects"},
            "after": {k: v for k, v in after.items() if k != "objects"},
            "grown": (Counter(after["objects"]) - Counter(before["objects"])).most_common(15),
            "done": dict(world.done),
            "packets_received": world.received,
            "cpu_percent": 100 * cpu / took_s,
            "program_late_ms": 1000 * run.worst_late_s,
            "metrics": {
                name: value for name, value in metrics.items() if "bucket" not in name and "retention" not in name
            },
            "samples": [vars(sample) for sample in run.samples],
        }
    finally:
        await server.stop()


async def make_room(http: aiohttp.ClientSession, url: str, name: str) -> str:
    async with http.post(f"{url}/api/v1/rooms", json={"name": name}) as response:
        assert response.status == 201, await response.text()
        return str((await response.json())["slug"])


def report(found: dict[str, Any]) -> None:
    before, after = found["before"], found["after"]
    print(f"\n{found['minutes']:g} minutes, {found['packets_received']} packets received by people:")
    for what, times in sorted(found["done"].items()):
        print(f"  {times:6} × {what.replace('_', ' ')}")
    for kind in ("memory_mb", "sockets", "files", "threads"):
        print(f"  {kind.replace('_mb', ', MB')}: {before[kind]:.4g} before, {after[kind]:.4g} after")
    print(f"  threads of the pool for blocking calls: {before['pool']} before, {after['pool']} after")
    print(f"  tasks: {sum(before['tasks'].values())} before, {sum(after['tasks'].values())} after")
    print(f"  Python's blocks of memory: {before['blocks']} before, {after['blocks']} after")
    slope, by_chance = found["mb_per_hour"]
    print(f"  memory in the second half: {slope:+.1f} MB an hour, give or take {by_chance:.1f}")
    print(f"  CPU: {found['cpu_percent']:.1f} % of a core")
    if found["minutes"] < SHORTEST_MIN:
        print(f"  (growth of memory is judged in runs of {SHORTEST_MIN} minutes and more only)")
    print(f"  most grown: {', '.join(f'{kind} {n:+}' for kind, n in found['grown'])}")
    for size, count, lines in after.get("grown", []):
        print(f"  {size:+} bytes in {count:+} pieces\n    " + "\n    ".join(lines))
    for problem in found["problems"]:
        print(f"PROBLEM: {problem}")
    if not found["problems"]:
        print("Nothing was left behind.")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0, help="after the first wave")
    parser.add_argument("--people", type=int, default=24)
    parser.add_argument("--rooms", type=int, default=4)
    parser.add_argument("--browsers", type=int, default=0, help="Chromiums that stay in a room of their own meanwhile")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--trace", action="store_true", help="say by tracemalloc where memory grew")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was seen there")
    options = parser.parse_args()
    random.seed(options.seed)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the server must not stay behind either
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(soak(options, Path(folder)))
    if options.json:
        options.json.write_text(json.dumps(found, indent=2))
    report(found)
    return 1 if found["problems"] else 0


if __name__ == "__main__":
    sys.exit(main())
