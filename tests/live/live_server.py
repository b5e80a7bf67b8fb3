"""The real server on loopback, inside the test's process or as a process of its own."""

import asyncio
import os
import re
import secrets
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
from tests.support.described import check_answer
from tests.support.migrated import prepare

from pymeet.accounts.passwords import Passwords
from pymeet.clock import Clock
from pymeet.config import Config
from pymeet.server import Server

PASSWORD = "seven purple lanterns drift"


def make_config(data_dir: Path, **sections: Any) -> Config:
    """Plain HTTP on a free port of 127.0.0.1; `sections` replaces keys, as `http={"metrics_token": …}`."""
    tree: dict[str, Any] = {
        "data_dir": data_dir,
        "http": {"host": "127.0.0.1", "port": 0, "tls": {"mode": "off"}},
        "media": {"port": 0, "addresses": ["127.0.0.1"]},
        "rooms": {"max_lag_ms": 0},  # or a busy machine would refuse people in tests that are about something else
    }
    for name, section in sections.items():
        tree[name] = {**tree.get(name, {}), **section}
    return Config.model_validate(tree)


class Visitor:
    """A browser as far as HTTP goes: it keeps cookies and names the origin of its page."""

    def __init__(self, server: Server) -> None:
        self.url = server.url
        self.http = aiohttp.ClientSession(
            base_url=server.url, cookie_jar=aiohttp.CookieJar(unsafe=True), headers={"Origin": server.url}
        )

    async def json(self, method: str, path: str, body: object | None = None) -> tuple[int, Any]:
        """Asks, and hands back status and answer, which must be as the OpenAPI document says."""
        async with self.http.request(method, path, json=body if body is not None else None) as response:
            answer = await response.json(content_type=None) if response.status != 204 else None
            check_answer(method, path, body, response.status, response.content_type, answer)
            return response.status, answer

    async def make_room(self, name: str = "Tea") -> str:
        """Makes a room and hands back its slug."""
        status, room = await self.json("POST", "/api/v1/rooms", {"name": name})
        assert status == 201, room
        return str(room["slug"])


@asynccontextmanager
async def running(config: Config, clock: Clock | None = None) -> AsyncIterator[Server]:
    """The server in this process, stopped at the end. Passwords are hashed quickly: most tests sign somebody in."""
    prepare(config.database_path)
    server = await Server.start(
        config, clock, passwords=Passwords(time_cost=1, memory_kib=8, minimum=config.accounts.minimum_password)
    )
    try:
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def visiting(server: Server) -> AsyncIterator[Visitor]:
    """Somebody who is not signed in."""
    visitor = Visitor(server)
    try:
        yield visitor
    finally:
        await visitor.http.close()


@asynccontextmanager
async def first_admin(server: Server) -> AsyncIterator[Visitor]:
    """Ada, who used the link of the first start and is signed in."""
    assert server.first_admin_token is not None
    async with visiting(server) as visitor:
        body = {
            "token": server.first_admin_token,
            "name": "Ada",
            "email": "ada@example.org",
            "password": PASSWORD,
        }
        status, answer = await visitor.json("POST", "/api/v1/links/redeem", body)
        assert status == 200, answer
        yield visitor


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses now, for datagrams and connections alike. It lies below those from which connections
    that go out are given theirs: what else runs on the machine does not take it a moment later."""
    for _ in range(100):
        port = 20_000 + secrets.randbelow(12_000)
        with (
            suppress(OSError),
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as stream,
        ):
            datagrams.bind(("127.0.0.1", port))
            stream.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


class ServeProcess:
    """`pymeet serve` as an operator starts it; what it prints is kept in `output`."""

    def __init__(self, data_dir: Path, port: int, media_port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.output = ""
        self._environ = {
            **{name: os.environ[name] for name in ("PATH", "LANG", "HOME") if name in os.environ},
            "PYMEET_DATA_DIR": str(data_dir),
            "PYMEET_HTTP__HOST": "127.0.0.1",
            "PYMEET_HTTP__PORT": str(port),
            "PYMEET_HTTP__TLS__MODE": "off",
            "PYMEET_MEDIA__PORT": str(media_port),
            "PYMEET_MEDIA__ADDRESSES": "127.0.0.1",
            "PYMEET_ROOMS__MAX_LAG_MS": "0",
            "COLUMNS": "200",
        }
        self._cwd = data_dir.parent
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._greeted = asyncio.Event()

    async def start(self, timeout_s: float = 60) -> None:
        """Starts it and waits until it answers; AssertionError with its output when it does not."""
        self.output = ""
        self._greeted.clear()
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            "import sys; from pymeet.cli import main; sys.exit(main())",
            "serve",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=self._environ,
            cwd=self._cwd,
        )
        self._reader = asyncio.create_task(self._read())
        try:
            async with asyncio.timeout(timeout_s):
                await self._answers(self._process)
        except TimeoutError:
            await self.end(signal.SIGKILL)
            raise AssertionError(f"the server did not answer within {timeout_s:.0f} s:\n{self.output}") from None
        if self._process.returncode is None:
            return
        raise AssertionError(f"the server ended with {self._process.returncode}:\n{self.output}")

    async def _answers(self, process: asyncio.subprocess.Process) -> None:
        """Waits until it does, or has ended."""
        async with aiohttp.ClientSession() as http:
            while process.returncode is None:
                try:
                    async with http.get(f"{self.url}/readyz", timeout=aiohttp.ClientTimeout(1)) as response:
                        if response.status == 200:
                            await self._greeted.wait()
                            return
                except (aiohttp.ClientConnectionError, TimeoutError):
                    await asyncio.sleep(0.05)  # a process that starts tells nobody else when it is ready

    async def end(self, how: signal.Signals = signal.SIGTERM, timeout_s: float = 10) -> int:
        """Sends the signal and hands back the exit code."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(how)
        async with asyncio.timeout(timeout_s):
            code = await self._process.wait()
            if self._reader:
                await self._reader
        return code

    @property
    def pid(self) -> int | None:
        """The process's number; None before it was started."""
        return self._process.pid if self._process else None

    @property
    def started(self) -> bool:
        """Whether there was a process at all."""
        return self._process is not None

    @property
    def first_admin_token(self) -> str | None:
        """The token of the link that the first start prints."""
        found = re.search(r"/link#([A-Za-z0-9_-]+)", self.output)
        return found[1] if found else None

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        while chunk := await self._process.stdout.read(65536):
            self.output += chunk.decode()
            if "room create" in self.output:  # the last line of the greeting
                self._greeted.set()
