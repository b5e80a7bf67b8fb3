"""A real HTTP server on loopback with the WebSocket on it, a real database behind, and a media server that forwards nothing.

Who is signed in is told by a header here: the cookie is the web layer's business.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from pymeet.accounts.model import User
from pymeet.accounts.passwords import Passwords
from pymeet.accounts.service import Accounts
from pymeet.clock import ManualClock
from pymeet.config import Config
from pymeet.db.engine import Database
from pymeet.errors import NotFoundError
from pymeet.meetings.service import Meetings, Room
from pymeet.rooms.registry import Registry
from pymeet.signaling import session
from pymeet.signaling.session import Timing
from tests.rooms.fake_media import FakeMedia
from tests.rooms.fake_recorder import FakeRecordings
from tests.support.migrated import prepare

WAIT_S = 10.0
"""How long a test waits for something that must come; none waits this long when all is well."""


class Client:
    """A browser's end of the WebSocket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.passed: list[dict[str, Any]] = []
        """Everything that was received, oldest first."""

    async def send(self, **message: Any) -> None:
        await self.socket.send_str(json.dumps(message))

    async def receive(self) -> dict[str, Any]:
        """The next message; AssertionError when the connection ends instead."""
        async with asyncio.timeout(WAIT_S):
            while (frame := await self.socket.receive()).type is aiohttp.WSMsgType.PING:
                pass
        assert frame.type is aiohttp.WSMsgType.TEXT, f"{frame.type.name} {self.socket.close_code}"
        self.passed.append(json.loads(frame.data))
        return self.passed[-1]

    async def until(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Reads on to the next message of this type with these fields."""
        while True:
            message = await self.receive()
            if message["type"] == kind and all(message.get(name) == value for name, value in fields.items()):
                return message

    async def ask(self, **message: Any) -> dict[str, Any]:
        """Sends a message with an id and reads on to its answer."""
        await self.send(id="q", **message)
        while True:
            answer = await self.receive()
            if answer.get("re") == "q":
                return answer

    async def join(self, name: str, **fields: Any) -> dict[str, Any]:
        """Joins and returns `joined`, or the error."""
        return await self.ask(type="join", v=1, name=name, **fields)

    async def closed(self) -> int | None:
        """Reads to the end and returns the close code."""
        async with asyncio.timeout(WAIT_S):
            async for frame in self.socket:
                if frame.type is aiohttp.WSMsgType.TEXT:
                    self.passed.append(json.loads(frame.data))
        return self.socket.close_code

    async def drop(self) -> None:
        """Breaks the connection without a goodbye."""
        self._transport().abort()
        await self.socket.close()

    def pause_reading(self) -> None:
        """Takes nothing more from the network."""
        self._transport().pause_reading()

    def _transport(self) -> Any:
        connection = self.socket._response.connection
        assert connection is not None
        return connection.transport


class House:
    """The server and everything behind it."""

    def __init__(self, db: Database, config: Config, timing: Timing) -> None:
        self.clock = ManualClock()
        self.media = FakeMedia()
        self.meetings = Meetings(db, self.clock)
        self.accounts = Accounts(db, self.clock, passwords=Passwords(time_cost=1, memory_kib=8))
        self.recordings = FakeRecordings()
        self.registry = Registry(
            meetings=self.meetings, sfu=self.media, clock=self.clock, config=config, recordings=self.recordings
        )
        self.timing = timing
        self.users: dict[str, User] = {}
        self.rooms: dict[str, Room] = {}
        self._clients: list[aiohttp.ClientWebSocketResponse] = []

    async def __aenter__(self) -> "House":
        app = web.Application()
        app.router.add_get("/ws/{slug}", self._serve)
        self._server = TestServer(app, host="127.0.0.1")
        await self._server.start_server()
        self._http = aiohttp.ClientSession()
        for name in ("ann", "bob"):
            self.users[name] = (await self.accounts.add_user(name.title(), f"{name}@example.org", False))[0]
        self.rooms["standup"] = await self.meetings.create_room("Standup", self.users["ann"].id, "standup")
        self.rooms["other"] = await self.meetings.create_room("Other", self.users["bob"].id, "other")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self._clients:
            await client.close()
        await self.registry.close("The test is over.", 1)
        await self._http.close()
        await self._server.close()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        user = self.users.get(request.headers.get("X-User", ""))
        try:
            room = await self.meetings.room(request.match_info["slug"])
        except NotFoundError:
            room = None
        return await session.handle(
            request, registry=self.registry, user=user, room=room, clock=self.clock, timing=self.timing
        )

    async def connect(self, slug: str = "standup", *, user: str | None = None, **options: Any) -> Client:
        """A new connection that has not joined."""
        headers = {"X-User": user} if user else {}
        socket = await self._http.ws_connect(self._server.make_url(f"/ws/{slug}"), headers=headers, **options)
        self._clients.append(socket)
        return Client(socket)

    async def enter(self, name: str, slug: str = "standup", *, user: str | None = None) -> tuple[Client, str]:
        """Somebody who has joined, and their participant id."""
        client = await self.connect(slug, user=user)
        joined = await client.join(name)
        assert joined["type"] == "joined", joined
        return client, joined["you"]


@pytest.fixture
def timing() -> Timing:
    return Timing()


@pytest.fixture
def config() -> Config:
    return Config()


@pytest.fixture
async def house(tmp_path: Path, config: Config, timing: Timing) -> AsyncIterator[House]:
    db = await Database.open(prepare(tmp_path / "pymeet.db"))
    async with House(db, config, timing) as made:
        yield made
    await db.close()
