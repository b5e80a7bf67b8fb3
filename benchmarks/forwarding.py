"""CPU per forwarded packet of a real `pymeet serve`, beside bare sendmmsg in the same run; loss, delay and memory with it.

    python benchmarks/forwarding.py [--seconds 4] [--rounds 3] [--json]

Light clients join over the real signaling and receive through real DTLS-SRTP without decoding, in processes of their own. The
server is pinned to the last CPU, the clients to the others. Everything stays on 127.0.0.1.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from awake import awake  # noqa: E402
from bare import bare_us  # noqa: E402 - found through the path set above
from clients import FRAMES_PER_S, Clients  # noqa: E402

PACKET_BYTES = 1160
VIDEO_PPS = 150
"""30 frames a second of 5 packets: 1.4 Mbit/s."""
SERVER_CPU = (os.cpu_count() or 1) - 1
CLIENT_CPU = 0 if SERVER_CPU else None


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_s(pid: int) -> float:
    """CPU seconds of all threads of a process, from the scheduler's own clock."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((t / "schedstat").read_text().split()[0]) for t in tasks) / 1e9


def memory_mb(pid: int) -> float:
    """What a process has in memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


class Server:
    """`pymeet serve` as a process."""

    def __init__(self, folder: str, more: str = "", http: str = "", *, pinned: bool = True) -> None:
        """`more` is added to its configuration, and `http` to what it says of HTTP; `pinned` keeps it on one CPU."""
        self.url = f"http://127.0.0.1:{free_port(socket.SOCK_STREAM)}"
        self._config = f"{folder}/pymeet.yaml"
        Path(self._config).write_text(
            f"data_dir: {folder}/data\n"
            f"http: {{host: 127.0.0.1, port: {self.url.rpartition(':')[2]}, tls: {{mode: 'off'}}{http}}}\n"
            f"media: {{port: {free_port(socket.SOCK_DGRAM)}, addresses: ['127.0.0.1']}}\n"
            f"rooms: {{max_participants: 500, max_lag_ms: 0, last_voices: 500}}\n{more}"
        )
        self._pymeet = str(Path(sys.executable).with_name("pymeet"))
        self._log = open(f"{folder}/log", "wb")  # noqa: SIM115 - closed by stop()
        self._process = subprocess.Popen(
            [self._pymeet, "serve", "-c", self._config], stdout=self._log, stderr=self._log, cwd=folder
        )
        self.pid = self._process.pid
        if pinned:
            os.sched_setaffinity(self.pid, {SERVER_CPU})

    async def ready(self, http: aiohttp.ClientSession) -> None:
        for _ in range(600):
            try:
                async with http.get(f"{self.url}/readyz") as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)
        raise RuntimeError("pymeet did not start")

    def make_room(self) -> str:
        command = [self._pymeet, "room", "create", "bench", "--json", "-c", self._config]
        return str(json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["slug"])

    def cpu_s(self) -> float:
        """CPU seconds of all its threads, from the scheduler's own clock."""
        return cpu_s(self.pid)

    def memory_mb(self) -> float:
        return memory_mb(self.pid)

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()


class Participant:
    """Signaling for one light client; its media lives in a client process."""

    def __init__(self, name: str, sender: Clients | None, receiver: Clients | None) -> None:
        self.name, self._sender, self._receiver = name, sender, receiver
        self._number: int | None = None
        self._sends_as: int | None = None
        self._task: asyncio.Task[None] | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._heart: asyncio.Task[None] | None = None
        self.cameras: set[str] = set()
        """Ids of the tracks that have been offered to it."""

    async def join(self, http: aiohttp.ClientSession, url: str, slug: str, with_audio: bool) -> None:
        self._socket = await http.ws_connect(f"{url}/ws/{slug}")
        await self._socket.send_json({"type": "join", "v": 1, "name": self.name})
        while (joined := await self._socket.receive_json())["type"] != "joined":
            pass
        self._beat(joined["heartbeat_s"])
        published: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._listen(published))
        if self._sender is not None:
            number = self._sends_as = self._sender.ask("new")
            offer = self._sender.ask("offer", number, VIDEO_PPS, PACKET_BYTES, with_audio)
            tracks = [{"mid": "1", "source": "camera", "muted": False}]
            if with_audio:
                tracks.append({"mid": "0", "source": "microphone", "muted": False})
            await self._socket.send_json({"type": "publish", "id": "p", "sdp": offer, "tracks": tracks})
            self._sender.ask("connect", number, await published)

    def _beat(self, every_s: float) -> None:
        """Asks again and again whether the server is there, as browsers do."""

        async def beat() -> None:
            with contextlib.suppress(aiohttp.ClientConnectionError):
                while True:
                    await asyncio.sleep(every_s)
                    await self.say(type="ping", id="p")

        self._heart = asyncio.create_task(beat())

    async def _listen(self, published: asyncio.Future[str]) -> None:
        assert self._socket is not None
        async for frame in self._socket:
            message: dict[str, Any] = json.loads(frame.data)
            self.heard(message)
            if message["type"] == "published":
                published.set_result(message["sdp"])
            elif message["type"] == "offer" and self._receiver is not None and message["tracks"]:
                self.cameras = {track["track"] for track in message["tracks"] if track["source"] == "camera"}
                if self._number is None:
                    self._number = self._receiver.ask("new")
                answer = self._receiver.ask("answer", self._number, message["sdp"])
                await self._socket.send_json({"type": "subscribed", "offer": message["offer"], "sdp": answer})
            elif message["type"] == "layers" and self._sender is not None and message["source"] == "camera":
                self._sender.ask("want", self._sends_as, message["active"])
            elif message["type"] == "error":
                raise RuntimeError(message)

    def heard(self, message: dict[str, Any]) -> None:
        """Everything that the server says comes through here."""

    async def look(self, heights: Mapping[str, int]) -> None:
        """Says in how many lines each camera is shown, by track id."""
        tiles = [{"track": track, "height": height} for track, height in heights.items()]
        await self.say(type="view", id="v", tiles=tiles)

    async def say(self, **message: Any) -> None:
        assert self._socket is not None
        await self._socket.send_json(message)

    async def leave(self) -> None:
        if self._heart is not None:
            self._heart.cancel()
        with contextlib.suppress(aiohttp.ClientConnectionError):  # the server was quicker
            if self._socket is not None:
                await self._socket.send_json({"type": "leave"})
                await self._socket.close()
            if self._task is not None:
                await self._task


@dataclass
class Scenario:
    """`publishers` send; everybody else, and with `mesh` they themselves, receive."""

    title: str
    publishers: int
    receivers: int
    mesh: bool = False
    lines: int = 720
    """At which cameras are shown, where they come in several sizes."""

    @property
    def copies(self) -> int:
        return self.publishers - 1 if self.mesh else self.receivers


async def measure(
    server: Server, http: aiohttp.ClientSession, s: Scenario, seconds: float, rounds: int
) -> dict[str, Any]:
    slug = server.make_room()
    before_mb = server.memory_mb()
    sender, receiver = Clients(CLIENT_CPU), Clients(CLIENT_CPU)
    people = [Participant(f"p{i}", sender, receiver if s.mesh else None) for i in range(s.publishers)]
    people += [Participant(f"r{i}", None, receiver) for i in range(0 if s.mesh else s.receivers)]
    try:
        for person in people:
            await person.join(http, server.url, slug, with_audio=s.mesh)
        sender.ask("send", True)
        await settled(sender, receiver, s)
        used_mb = (server.memory_mb() - before_mb) / len(people)
        sender.ask("send", False)
        idle = await one_window(server, sender, receiver, seconds)
        result: dict[str, Any] = {"scenario": s.title, "mb_per_participant": used_mb}
        for title, burst in (("even", False), ("calm", True)):
            result[title] = await _ratio(server, sender, receiver, s, VIDEO_PPS, seconds, rounds, burst=burst)
            result[title]["lost"] = await lost(sender, receiver)
        calm = result["calm"]
        result["idle_percent"] = idle["cpu_percent"]
        for title, load in (("busy", 0.5), ("loaded", 0.6)):
            # the cost of a packet falls as the load rises, so the pace is found in two steps
            pps = VIDEO_PPS * load * 100 / calm["cpu_percent"]
            sender.ask("pace", pps, True)
            sender.ask("send", True)
            await asyncio.sleep(1)
            pps *= load * 100 / (await one_window(server, sender, receiver, 1))["cpu_percent"]
            sender.ask("pace", pps, True)
            if title == "loaded":
                window = await one_window(server, sender, receiver, seconds)
                result[title] = {"cpu_percent": window["cpu_percent"], "lost": await lost(sender, receiver)}
                continue
            result[title] = await _ratio(server, sender, receiver, s, pps, seconds, rounds, burst=True)
            result[title]["lost"] = await lost(sender, receiver)
            # for the delay receivers must be awake, which costs the server (on loopback) their wake-ups
            receiver.ask("be_lazy", False)
            pps /= 1.5
            for _ in range(2):
                sender.ask("pace", pps, True)
                sender.ask("send", True)
                await asyncio.sleep(1)
                pps *= load * 100 / (await one_window(server, sender, receiver, 1))["cpu_percent"]
            sender.ask("pace", pps, True)
            window = await one_window(server, sender, receiver, seconds)
            result[title]["delay"] = {"cpu_percent": window["cpu_percent"], "ms": window["delay_ms"]}
            receiver.ask("be_lazy", True)
        return result
    finally:
        sender.ask("send", False)
        for person in people:
            await person.leave()
        sender.stop()
        receiver.stop()


async def _ratio(
    server: Server,
    sender: Clients,
    receiver: Clients,
    s: Scenario,
    pps: float,
    seconds: float,
    rounds: int,
    *,
    burst: bool,
) -> dict[str, Any]:
    """Windows of forwarding and of bare sendmmsg in turn, at the same pace; the one with the median ratio."""
    receiver.ask("be_lazy", True)
    sender.ask("pace", pps, burst)
    sound, together = (50 if s.mesh else 0), (round(pps / FRAMES_PER_S) if burst else 1)
    size = round((PACKET_BYTES * pps + 100 * sound) / (pps + sound)) + 16
    windows = []
    for _ in range(rounds):
        sender.ask("send", True)
        await asyncio.sleep(0.5)
        window = await one_window(server, sender, receiver, seconds)
        sender.ask("send", False)
        batches_per_s = s.publishers * (pps + sound) / together
        bare = bare_us(s.copies, batches_per_s, per_batch=together, size=size, cpu=SERVER_CPU, drain_cpu=CLIENT_CPU)
        windows.append({**window, "bare_us": bare, "ratio": window["us"] / bare})
    return sorted(windows, key=lambda w: w["ratio"])[len(windows) // 2]


async def settled(sender: Clients, receiver: Clients, s: Scenario) -> None:
    """Waits till everybody receives everything that is sent."""
    for _ in range(300):
        if sender.ask("up") and receiver.ask("up"):
            first = (sender.ask("counts")[0], receiver.ask("counts")[1])
            await asyncio.sleep(0.5)
            second = (sender.ask("counts")[0], receiver.ask("counts")[1])
            if second[1] - first[1] > 0.9 * (second[0] - first[0]) * s.copies:
                return
        await asyncio.sleep(0.1)
    raise RuntimeError("not everybody is connected")


async def one_window(server: Server, sender: Clients, receiver: Clients, seconds: float) -> dict[str, Any]:
    receiver.ask("counts")
    _, got0, _ = receiver.ask("counts")
    cpu0, at0 = server.cpu_s(), time.monotonic()
    await asyncio.sleep(seconds)
    cpu1, at1 = server.cpu_s(), time.monotonic()
    _, got1, delays = receiver.ask("counts")
    delays.sort()
    return {
        "out_pps": (got1 - got0) / (at1 - at0),
        "cpu_percent": 100 * (cpu1 - cpu0) / (at1 - at0),
        "us": (cpu1 - cpu0) / max(1, got1 - got0) * 1e6,
        "delay_ms": [1000 * delays[int(len(delays) * q)] for q in (0.5, 0.99)] if delays else [],
    }


async def lost(sender: Clients, receiver: Clients) -> int:
    """Packets that were sent while everybody was connected and did not arrive, from a stretch of two seconds.

    By their numbers, not by how many were sent: after a pause a server may begin with another size of a camera.
    """
    await quiet(sender, receiver)
    missing = receiver.ask("missing")
    sender.ask("send", True)
    await asyncio.sleep(2)
    await quiet(sender, receiver)
    return int(receiver.ask("missing") - missing)


async def quiet(sender: Clients, receiver: Clients) -> None:
    """Stops sending, waits till nothing arrives any more."""
    sender.ask("send", False)
    before = -1
    for _ in range(60):
        received = receiver.ask("counts")[1]
        if received == before:
            break
        before = received
        await asyncio.sleep(0.5)


SCENARIOS = [
    Scenario("1 to 20", 1, 20),
    Scenario("1 to 60", 1, 60),
    Scenario("1 to 200", 1, 200),
    Scenario("10 by 10", 10, 0, mesh=True),
]


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4.0, help="length of a window")
    parser.add_argument("--rounds", type=int, default=3, help="windows per scenario; the median ratio counts")
    parser.add_argument("--only", help="one scenario, by its title")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as folder:
        server = Server(folder)
        try:
            async with aiohttp.ClientSession() as http:
                await server.ready(http)
                for scenario in SCENARIOS:
                    if options.only in (None, scenario.title):
                        results.append(await measure(server, http, scenario, options.seconds, options.rounds))
                        if not options.json:
                            _print(results[-1])
        finally:
            server.stop()
    if options.json:
        print(json.dumps(results, indent=2))


def _print(r: dict[str, Any]) -> None:
    about = {"even": "1.4 Mbit/s, spaced evenly", "calm": "1.4 Mbit/s, in frames", "busy": "half a core, in frames"}
    for title, what in about.items():
        m = r[title]
        print(
            f"{r['scenario']:>8}, {what:>25}: {m['us']:5.1f} µs CPU per forwarded packet, bare sendmmsg {m['bare_us']:5.1f} µs, "
            f"ratio {m['ratio']:.2f}; {m['out_pps']:6.0f} packets/s at {m['cpu_percent']:2.0f} % of a core; {m['lost']} lost"
        )
    delay, loaded = r["busy"]["delay"], r["loaded"]
    print(
        f"{'':>10}delay at {delay['cpu_percent']:.0f} % of a core: p50 {delay['ms'][0]:.2f} ms, p99 {delay['ms'][1]:.2f} ms; "
        f"{loaded['lost']} lost at {loaded['cpu_percent']:.0f} %; {r['mb_per_participant']:.2f} MB per participant, "
        f"{r['idle_percent']:.1f} % of a core while nobody sends",
        flush=True,
    )


if __name__ == "__main__":
    with awake():
        asyncio.run(main())
