"""One working day of a server, with two people of whom every text is a token that occurs nowhere else.

The server is a process of its own, as an operator starts it; what people do goes over HTTP and WebSocket, what the
operator does over the management socket.
"""

import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from live_server import ServeProcess, free_port

from pymeet.config import Config
from pymeet.ops.client import call
from tests.signaling.conftest import Client

ORIGIN = "Origin"


def token(what: str) -> str:
    """A text that nobody guesses; tokens share no beginning, which an index would leave out."""
    return f"{secrets.token_hex(9)}{what}"


@dataclass
class Human:
    """Somebody in the story; `said` is everything that names them, that they wrote, or that lets in who has it."""

    label: str
    name: str = ""
    email: str = ""
    password: str = ""
    session: aiohttp.ClientSession | None = None
    user_id: str = ""
    receipt: str = ""
    participant_id: str = ""
    said: dict[str, str] = field(default_factory=dict)

    def made(self, what: str) -> str:
        self.said[what] = token(what)
        return self.said[what]


class Story:
    """A running server and the people on it."""

    def __init__(self, data_dir: Path, process: ServeProcess, config: Config, stack: AsyncExitStack) -> None:
        self.data_dir = data_dir
        self.process = process
        self.config = config
        self._stack = stack
        self.slug = ""

    async def operate(self, operation: str, **arguments: Any) -> Any:
        """What the operator does from a shell."""
        return await call(self.config, operation, arguments)

    async def browser(self) -> aiohttp.ClientSession:
        """A browser of its own, as far as HTTP goes."""
        return await self._stack.enter_async_context(
            aiohttp.ClientSession(
                base_url=self.process.url,
                cookie_jar=aiohttp.CookieJar(unsafe=True),
                headers={ORIGIN: self.process.url},
            )
        )

    async def add_member(self, label: str, *, admin: bool = False) -> Human:
        """An account, made by the operator, whose holder set a password and is signed in."""
        human = Human(label)
        human.name, human.password = human.made("name"), human.made("password")
        human.email = human.said["email"] = f"{token('mail')}@example.org"
        made = await self.operate("user.add", name=human.name, email=human.email, admin=admin)
        human.user_id = made["id"]
        human.session = await self.browser()
        link = made["link"].partition("#")[2]
        body = {"token": link, "name": human.name, "email": human.email, "password": human.password}
        await self.ask(human, "POST", "/api/v1/links/redeem", body)
        human.said["link"] = link
        cookie = next(iter(human.session.cookie_jar))
        human.said["session"] = cookie.value
        return human

    async def add_guest(self, label: str) -> Human:
        """Somebody without account, who was in the room and wrote there."""
        human = Human(label)
        human.name = human.made("name")
        human.session = await self.browser()
        async with self.seat(human) as (client, joined):
            human.receipt = human.said["receipt"] = joined["receipt"]
            human.participant_id = joined["you"]
            human.said["resume"] = joined["resume"]
            await client.ask(type="chat", text=f"I am {human.made('text')}")
            await client.ask(type="leave")
        return human

    async def ask(self, human: Human, method: str, path: str, body: object | None = None, status: int = 200) -> Any:
        """What a page asks for; AssertionError for another status than expected."""
        assert human.session is not None
        async with human.session.request(method, path, json=body) as response:
            text = await response.text()
            assert response.status == status, f"{method} {path}: {response.status} {text}"
            return await response.json() if text and "json" in response.content_type else text

    @asynccontextmanager
    async def seat(self, human: Human) -> AsyncIterator[tuple[Client, dict[str, Any]]]:
        """A seat in the room, until the block ends."""
        assert human.session is not None
        async with human.session.ws_connect(f"/ws/{self.slug}") as socket_:
            client = Client(socket_)
            joined = await client.join(human.name)
            assert joined["type"] == "joined", joined
            yield client, joined

    async def say(self, human: Human) -> None:
        """Writes into the room."""
        async with self.seat(human) as (client, joined):
            human.participant_id = joined["you"]
            await client.ask(type="chat", text=f"What I say is {human.made('text')}")
            await client.ask(type="leave")


@asynccontextmanager
async def story(directory: Path) -> AsyncIterator[Story]:
    """A server with a room, in which two members and a guest were, and where the operator did what operators do."""
    port, media_port = free_port(), free_port(socket.SOCK_DGRAM)
    data_dir = directory / "data"
    config = Config.model_validate(
        {
            "data_dir": data_dir,
            "http": {"host": "127.0.0.1", "port": port, "tls": {"mode": "off"}},
            "media": {"port": media_port, "addresses": ["127.0.0.1"]},
        }
    )
    process = ServeProcess(data_dir, port, media_port)
    async with AsyncExitStack() as stack:
        await process.start()
        try:
            yield Story(data_dir, process, config, stack)
        finally:
            await stack.aclose()
            await process.end()
