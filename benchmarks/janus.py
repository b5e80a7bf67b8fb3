"""Janus (Debian's package `janus`, the VideoRoom plugin over its HTTP API) as a server for the same light clients.

Unlike pymeet it is a full ICE agent: its clients answer checks, and where it offers it is the controlling one.
"""

import asyncio
import itertools
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import aiohttp
from clients import Clients
from forwarding import SERVER_CPU, cpu_s, free_port, memory_mb

PROGRAM = shutil.which("janus")
_PLUGINS = "audiobridge duktape echotest lua nosip recordplay sip streaming textroom videocall voicemail"
_TRANSPORTS = "mqtt nanomsg pfunix rabbitmq websockets"


def local_address() -> str:
    """An address of this machine other than 127.0.0.1, which Janus does not offer; what goes there never leaves the machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("198.51.100.1", 9))
        return str(probe.getsockname()[0])


class Janus:
    """`janus` as a process of one event loop, which is what costs it least on one CPU."""

    title = "Janus"

    def __init__(self, folder: str, host: str) -> None:
        port = free_port(socket.SOCK_STREAM)
        self.url = f"http://127.0.0.1:{port}/janus"
        self._transactions = itertools.count()
        self._sessions: list[int] = []
        plugins = ",".join(f"libjanus_{name}.so" for name in _PLUGINS.split())
        transports = ",".join(f"libjanus_{name}.so" for name in _TRANSPORTS.split())
        place = Path(folder)
        (place / "janus.jcfg").write_text(
            f'general: {{ configs_folder = "{folder}"\n debug_level = 3\n session_timeout = 0\n event_loops = 1 }}\n'
            f'nat: {{ ice_enforce_list = "{host}" }}\n'
            f'media: {{ rtp_port_range = "20000-40000" }}\n'
            f'plugins: {{ disable = "{plugins}" }}\n'
            f'transports: {{ disable = "{transports}" }}\n'
        )
        (place / "janus.transport.http.jcfg").write_text(
            f'general: {{ json = "compact"\n base_path = "/janus"\n http = true\n port = {port}\n ip = "127.0.0.1"\n https = false }}\n'
        )
        (place / "janus.plugin.videoroom.jcfg").write_text("general: {}\n")
        self._log = open(place / "log", "wb")  # noqa: SIM115 - closed by stop()
        self._process = subprocess.Popen([PROGRAM or "janus", "-F", folder], stdout=self._log, stderr=self._log)
        self.pid = self._process.pid
        os.sched_setaffinity(self.pid, {SERVER_CPU})

    async def ready(self, http: aiohttp.ClientSession) -> None:
        for _ in range(100):
            try:
                async with http.get(f"{self.url}/info"):
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(0.1)
        raise RuntimeError("Janus did not start")

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def cpu_s(self) -> float:
        return cpu_s(self.pid)

    def memory_mb(self) -> float:
        return memory_mb(self.pid)

    # -- signaling --------------------------------------------------------------------------------------------------

    async def _post(self, http: aiohttp.ClientSession, path: str, **message: Any) -> Any:
        message["transaction"] = str(next(self._transactions))
        async with http.post(self.url + path, json=message) as response:
            reply = await response.json(content_type=None)
        if reply["janus"] == "error":
            raise RuntimeError(reply)
        return reply

    async def _handle(self, http: aiohttp.ClientSession) -> str:
        session = (await self._post(http, "", janus="create"))["data"]["id"]
        self._sessions.append(session)
        handle = await self._post(http, f"/{session}", janus="attach", plugin="janus.plugin.videoroom")
        return f"/{session}/{handle['data']['id']}"

    async def _ask(
        self, http: aiohttp.ClientSession, handle: str, body: dict[str, Any], jsep: dict[str, str] | None = None
    ) -> tuple[Any, str]:
        """What the plugin answers to a request, and the description that comes with it."""
        extra = {"jsep": jsep} if jsep else {}
        await self._post(http, handle, janus="message", body=body, **extra)
        session = handle.split("/")[1]
        while True:
            async with http.get(f"{self.url}/{session}", params={"rid": time.time_ns(), "maxev": 1}) as response:
                events = await response.json(content_type=None)
            for event in events if isinstance(events, list) else [events]:
                if event["janus"] == "event":
                    data = event["plugindata"]["data"]
                    if "error" in data:
                        raise RuntimeError(data)
                    if data.get("videoroom") != "event" or "configured" in data or "started" in data:
                        return data, event.get("jsep", {}).get("sdp", "")

    async def end_sessions(self, http: aiohttp.ClientSession) -> None:
        for session in self._sessions:
            await self._post(http, f"/{session}", janus="destroy")
        self._sessions = []

    async def make_room(self, http: aiohttp.ClientSession) -> int:
        handle = await self._handle(http)
        body = {"request": "create", "publishers": 500, "bitrate": 0, "videocodec": "vp8", "audiocodec": "opus"}
        body["transport_wide_cc_ext"] = True  # as far as clients agree to it
        reply = await self._post(http, handle, janus="message", body=body)
        return int(reply["plugindata"]["data"]["room"])

    async def publisher(self, http: aiohttp.ClientSession, room: int, clients: Clients, with_audio: bool) -> int:
        """Somebody who sends; what receivers name them by."""
        handle = await self._handle(http)
        joined, _ = await self._ask(http, handle, {"request": "join", "ptype": "publisher", "room": room})
        number = clients.ask("new")
        offer = clients.ask("offer", number, 150, 1160, with_audio)
        wish = {"request": "configure", "video": True, "audio": with_audio}
        # Janus takes the first size named for the largest unless it is told.
        jsep = {"type": "offer", "sdp": offer, "rid_order": "lmh"}
        _, answer = await self._ask(http, handle, wish, jsep)
        clients.ask("connect", number, answer)
        return int(joined["id"])

    async def subscriber(self, http: aiohttp.ClientSession, room: int, clients: Clients, feeds: list[int]) -> int:
        """Somebody who receives these, by one connection; their number among the clients."""
        handle = await self._handle(http)
        wish = {"request": "join", "ptype": "subscriber", "room": room, "streams": [{"feed": f} for f in feeds]}
        _, offer = await self._ask(http, handle, wish)
        number: int = clients.ask("new")
        answer = clients.ask("answer", number, offer)
        await self._ask(http, handle, {"request": "start"}, {"type": "answer", "sdp": answer})
        return number
