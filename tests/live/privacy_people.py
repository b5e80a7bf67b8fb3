"""People with data on the real server: members, administrators and officers by role, guests with their receipts."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from live_server import PASSWORD, Visitor, visiting

from pymeet.ops.client import call
from pymeet.server import Server


class Person(Visitor):
    """A visitor who knows their own account."""

    id: str
    email: str


@asynccontextmanager
async def person(server: Server, name: str, role: str = "member") -> AsyncIterator[Person]:
    """Somebody with an account, signed in."""
    email = f"{name.lower()}@example.org"
    added = await call(server.config, "user.add", {"name": name, "email": email})
    if role != "member":
        await call(server.config, "user.role", {"email": email, "role": role})
    someone = Person(server)
    try:
        body = {"token": added["link"].partition("#")[2], "password": PASSWORD}
        status, answer = await someone.json("POST", "/api/v1/links/redeem", body)
        assert status == 200, answer
        someone.id, someone.email = answer["user"]["id"], email
        yield someone
    finally:
        await someone.http.close()


class Seat:
    """Somebody in a meeting."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, welcome: dict[str, Any]) -> None:
        self.socket = socket
        self.id: str = welcome["you"]
        self.messages: list[str] = [message["text"] for message in welcome["messages"]]
        self.receipt: str | None = welcome.get("receipt")

    async def say(self, text: str) -> None:
        """Writes into the chat; it is stored when this returns."""
        await self.socket.send_json({"type": "chat", "id": "said", "text": text})
        async with asyncio.timeout(5):
            while (await self.socket.receive_json()).get("re") != "said":
                pass

    async def leave(self) -> None:
        """Leaves for good."""
        await self.socket.send_json({"type": "leave"})
        await self.until_the_end()

    async def until_the_end(self) -> int | None:
        """Reads on until the connection ends; with which code."""
        async with asyncio.timeout(10):
            async for _ in self.socket:
                pass
        return self.socket.close_code


@asynccontextmanager
async def seated(visitor: Visitor, slug: str, name: str) -> AsyncIterator[Seat]:
    """Takes a seat over the WebSocket."""
    async with visitor.http.ws_connect(f"/ws/{slug}") as socket:
        await socket.send_json({"type": "join", "v": 1, "name": name})
        welcome = await socket.receive_json()
        assert welcome["type"] == "joined", welcome
        yield Seat(socket, welcome)


async def was_there(visitor: Visitor, slug: str, name: str, *texts: str) -> Seat:
    """Takes a seat, writes something, and leaves."""
    async with seated(visitor, slug, name) as seat:
        for text in texts:
            await seat.say(text)
        await seat.leave()
    return seat


async def guest_was_there(server: Server, slug: str, name: str, *texts: str) -> str:
    """A guest comes, writes and leaves; what is left of them is their receipt."""
    async with visiting(server) as guest:
        seat = await was_there(guest, slug, name, *texts)
    assert seat.receipt is not None
    return seat.receipt


async def history(server: Server, slug: str) -> list[str]:
    """What somebody who comes in now reads."""
    async with visiting(server) as visitor:
        return (await was_there(visitor, slug, "Reader")).messages


async def ready(visitor: Visitor, export_id: str) -> dict[str, Any]:
    """The member's archive, once it is no longer being made."""
    async with asyncio.timeout(20):
        while True:
            _, data = await visitor.json("GET", "/api/v1/my-data")
            (found,) = [each for each in data["exports"] if each["id"] == export_id]
            if found["state"] != "building":
                return dict(found)
            await asyncio.sleep(0.02)  # pages ask again, too: nothing tells them


async def erased(visitor: Visitor, status: str) -> dict[str, Any]:
    """How an erasure stands, once it is over."""
    async with asyncio.timeout(20):
        while True:
            answered, found = await visitor.json("POST", "/api/v1/erasures/inspect", {"status": status})
            assert answered == 200, found
            if found["state"] in ("done", "partial"):
                return dict(found)
            await asyncio.sleep(0.02)  # as above


def text_of(archive: bytes) -> str:
    """Everything in an archive, as text to search in."""
    with zipfile.ZipFile(io.BytesIO(archive)) as unpacked:
        assert unpacked.testzip() is None
        return "\n".join(unpacked.read(name).decode() for name in unpacked.namelist())
