"""One working day of a server, with two people of whom every text is a token that occurs nowhere else.

The server is a process of its own, as an operator starts it; what people do goes over HTTP and WebSocket, what the
operator does over the management socket.
"""

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from live_server import ServeProcess, free_port
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from pymeet.clock import SystemClock
from pymeet.config import Config
from pymeet.db.schema import group_members, recording_events, recording_group_shares, recording_shares, recording_views
from pymeet.ids import new_id
from pymeet.ops.client import call
from tests.signaling.conftest import Client
from tests.support.exports import opened
from tests.support.recordings import Made, Seat, make_recording

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
        for cookie in human.session.cookie_jar:
            human.said[cookie.key.rpartition("_")[2]] = cookie.value  # session and device
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

    async def plan(self, organiser: Human, invited: Human, slug: str) -> None:
        """A meeting to come in a room of the organiser's, a group and somebody else invited, and a feed of the calendar."""
        group = (await self.operate("group.add", name=token("group")))["id"]
        for each in (organiser, invited):
            await self.operate("group.join", group=group, email=each.email)
        body = {
            "title": organiser.made("meeting"),
            "agenda": organiser.made("agenda"),
            "start": "2099-03-23T09:00",
            "time_zone": "Europe/Berlin",
            "duration_min": 60,
            "rrule": "FREQ=WEEKLY",
            "room": slug,
            "invitees": [{"email": f"{organiser.made('invited')}@example.org"}],
            "groups": [group],
        }
        await self.ask(organiser, "POST", "/api/v1/meetings", body, 201)
        made = await self.ask(organiser, "POST", "/api/v1/calendar-feed", None, 201)
        organiser.said["feed"] = made["url"].rpartition("/")[2].removesuffix(".ics")

    async def describe(self, human: Human) -> None:
        """A field of the profile that somebody fills in."""
        field = (await self.operate("profile_field.add", label=token("field")))["id"]
        body = {"values": {field: human.made("field value")}}
        await self.ask(human, "PATCH", "/api/v1/profile/fields", body)

    async def automate(self, human: Human) -> None:
        """A program that looks at the person's rooms by a token."""
        body = {"name": human.made("token name"), "scopes": ["rooms:read"], "password": human.password}
        made = await self.ask(human, "POST", "/api/v1/security/tokens", body, 201)
        human.said["token"] = made["token"]
        headers = {"Authorization": f"Bearer {made['token']}"}
        async with (
            aiohttp.ClientSession(self.process.url, headers=headers) as http,
            http.get("/api/v1/rooms") as answer,
        ):
            assert answer.status == 200, await answer.text()

    async def record(self, host: Human, people: Sequence[Human]) -> Made:
        """A recording of the room with a track, a message and a film of everybody; members among them watched it.

        It is written as the recorder would have: rows and sealed files, beside the running server.
        """
        async with opened(self.data_dir, SystemClock(), self.config) as lifecycle:
            seats = {each.name: Seat(each.user_id or None, each.participant_id) for each in people}
            made = await make_recording(lifecycle, self.slug, host.user_id, seats, name=host.made("recording"))
            await lifecycle.db.work(_fill_recording, made, people)
        for each in people:
            each.said["track"], each.said["seat in it"] = made.track_files[each.name], made.people[each.name]
        return made

    async def meeting_recorded(self, host: Human) -> None:
        """A recording over the wire, with chat and a marker, that the host starts and ends alone."""
        async with self.seat(host) as (client, _):
            await client.ask(type="record", on=True, chat=True)
            recording = next(each["recording"]["id"] for each in client.passed if each["type"] == "recording")
            await client.ask(type="consent", recording=recording, answer="yes", language="en")
            await client.ask(type="chat", text=f"To be kept: {host.made('recorded text')}")
            await client.ask(type="marker", text=host.made("marker"))
            await client.ask(type="record", on=False)
            await client.ask(type="leave")


def _fill_recording(conn: Connection, made: Made, people: Sequence[Human]) -> None:
    for each in people:
        here = {"recording_id": made.id}
        said = recording_events.c.person_id == made.people[each.name], recording_events.c.kind == "message"
        conn.execute(update(recording_events).where(*said).values(text=f"It was {each.made('recorded')}"))
        if each.user_id:
            shared = {"id": new_id(), "kind": "member", "user_id": each.user_id, "made_at_ms": made.started_at_ms}
            conn.execute(insert(recording_shares).values(**shared, **here))
            of_group = select(group_members.c.group_id).where(group_members.c.user_id == each.user_id)
            for group_id in conn.execute(of_group).scalars().all():
                shared = {"id": new_id(), "group_id": group_id, "made_at_ms": made.started_at_ms, **here}
                conn.execute(upsert(recording_group_shares).values(**shared).on_conflict_do_nothing())
            viewed = {"user_id": each.user_id, "kind": "film", "at_ms": made.started_at_ms}
            conn.execute(insert(recording_views).values(**viewed, **here))


@asynccontextmanager
async def story(directory: Path) -> AsyncIterator[Story]:
    """A server with a room, in which two members and a guest were, and where the operator did what operators do."""
    port, media_port = free_port(), free_port()
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
