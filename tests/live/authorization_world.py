"""Who asks and for what, in the authorisation matrix: people of every kind, and things of one of them to be asked for."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final

import aiohttp
from live_server import PASSWORD, Visitor, free_port, visiting
from privacy_people import Person, guest_was_there, person, ready, seated
from sqlalchemy import ColumnElement, Connection, Table, insert, select, update
from tests.support.recordings import Seat, make_recording

from pymeet.db.schema import exports, films, identities, metadata, passkeys, requests, sessions
from pymeet.ids import new_id, new_secret
from pymeet.ops.client import call
from pymeet.privacy import consents
from pymeet.privacy.people import member as member_of
from pymeet.server import Server

PLACES: Final = {"trusted_proxies": ["127.0.0.1/32"]}
"""Every request of the matrix comes from an address of its own, or what is counted by network would answer for the rest."""


_OFFERS = Path(__file__).parents[1] / "sfu" / "offers"
OFFER: Final = (_OFFERS / "chromium-send.sdp").read_bytes(), "application/sdp"
WISH: Final = (_OFFERS / "firefox-recv.sdp").read_bytes(), "application/sdp"
"""To publish, and to play."""


def mail_of() -> dict[str, Any]:
    """Mail is written and waits: nobody listens there."""
    return {"host": "localhost", "port": free_port(), "encryption": "off", "from_address": "meet@example.org"}


TITLE, AGENDA = "Quokka planning", "Numbat and bilby"
RECORDING, SPOKEN = "Wombat recording", "by Olga"
OWNER, OUTSIDER = "olga@example.org", "outsider@example.net"

CONTENT: Final = (TITLE, AGENDA, SPOKEN)
EVERYTHING: Final = (*CONTENT, OWNER, OUTSIDER, RECORDING)

MUST_NOT_READ: Final = {
    "guest": (TITLE, AGENDA, SPOKEN, OWNER, OUTSIDER),
    "member": (OWNER, OUTSIDER),
    "owner": (),
    "admin": CONTENT,
}
"""What no answer may tell to some; everybody else reads nothing of it at all."""

Names = dict[str, str]
"""What stands in an address, by the names of its parts."""


@dataclass
class World:
    """Olga hosts a room, plans, is recorded and has archives. Mia is invited and recorded; Rob hosts a room of his own.
    A guest sits in Olga's room. Ada administers, Dot looks after data protection."""

    server: Server
    people: dict[str, Visitor]
    owner: Person
    member: Person
    slug: str
    receipt: str
    seat: str
    stack: AsyncExitStack
    kept: dict[object, Names] = field(default_factory=dict)
    _places: Any = field(default_factory=lambda: count(1))
    _names: Any = field(default_factory=lambda: count(1))

    @property
    def admin(self) -> Visitor:
        return self.people["admin"]

    def place(self) -> dict[str, str]:
        """The headers of a request from a network where nobody was before."""
        number = next(self._places)
        return {"X-Forwarded-For": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"}

    def name(self) -> str:
        """One that nobody has yet."""
        return f"Newcomer{next(self._names)}"

    async def stand_in(self, who: str) -> Visitor:
        """Somebody new of the same kind, for what people do to themselves."""
        if who in ("anonymous", "guest"):
            return await self.stack.enter_async_context(visiting(self.server))
        role = who if who in ("admin", "dpo") else "member"
        return await self.stack.enter_async_context(person(self.server, self.name(), role))


@asynccontextmanager
async def peopled(server: Server, admin: Visitor) -> AsyncIterator[World]:
    """The whole cast, on a server whose first administrator is signed in."""
    async with AsyncExitStack() as stack:
        olga, mia, rob = [await stack.enter_async_context(person(server, each)) for each in ("Olga", "Mia", "Rob")]
        dot = await stack.enter_async_context(person(server, "Dot", "dpo"))
        slug = await olga.make_room("Weekly")
        await rob.make_room("Rob's")
        guest = await stack.enter_async_context(visiting(server))
        seat = await stack.enter_async_context(seated(guest, slug, "Gus"))
        stack.callback(asyncio.create_task(_read(seat.socket)).cancel)  # or the server takes it for broken
        assert seat.receipt
        people: dict[str, Visitor] = {
            "anonymous": await stack.enter_async_context(visiting(server)),
            "guest": guest,
            "member": mia,
            "rival": rob,
            "owner": olga,
            "admin": admin,
            "dpo": dot,
        }
        world = World(server, people, olga, mia, slug, seat.receipt, seat.id, stack)
        people["expired"] = await _expired(world)
        people["forged"] = await _with_cookie(world, new_secret())
        people["wrong token"] = await _with_token(world, f"pymeet_{new_secret()}")
        yield world


async def _read(socket: aiohttp.ClientWebSocketResponse) -> None:
    async for _ in socket:
        pass


async def _expired(world: World) -> Visitor:
    """Olga's browser after the end of its session."""
    someone = await sign_in(world, world.owner)
    ids = {each["id"] for each in await sessions_of(world) if not each["current"]}

    def expire(conn: Connection) -> None:
        conn.execute(update(sessions).where(sessions.c.id.in_(ids)).values(expires_at_ms=1))

    await world.server.database.work(expire)
    return someone


async def _with_cookie(world: World, token: str) -> Visitor:
    """Somebody with a session that was made up."""
    someone = await world.stack.enter_async_context(visiting(world.server))
    (cookie,) = [each for each in world.owner.http.cookie_jar if "session" in each.key]
    someone.http.cookie_jar.update_cookies({cookie.key: token}, world.owner.http._base_url or "")
    return someone


async def _with_token(world: World, token: str) -> Visitor:
    """Olga's own browser, in which something shows an API token that is none."""
    (cookie,) = [each for each in world.owner.http.cookie_jar if "session" in each.key]
    someone = await _with_cookie(world, cookie.value)
    someone.http.headers["Authorization"] = f"Bearer {token}"
    return someone


async def sign_in(world: World, whom: Person) -> Visitor:
    """Another browser of theirs."""
    someone = await world.stack.enter_async_context(visiting(world.server))
    body = {"email": whom.email, "password": PASSWORD}
    async with someone.http.post("/api/v1/sign-in", json=body, headers=world.place()) as response:
        assert response.status == 200, await response.text()
    return someone


async def sessions_of(world: World) -> list[dict[str, Any]]:
    """Olga's sessions."""
    return list((await world.owner.json("GET", "/api/v1/security"))[1]["sessions"])


async def settled(server: Server) -> None:
    """Returns when no archive is being made, of which a server makes a few at a time only, and nobody is being erased."""

    def busy(conn: Connection) -> bool:
        now_ms, over = server.clock.now_ms(), ("done", "refused", "cancelled")
        erasing = (requests.c.right == "erasure", requests.c.not_before_ms <= now_ms, requests.c.state.not_in(over))
        looks = (
            select(exports.c.id).where(exports.c.state == "building"),
            select(requests.c.id).where(*erasing),
        )
        return any(conn.execute(each).first() for each in looks)

    async with asyncio.timeout(60):
        while True:
            if not await server.database.study(busy):
                return
            await asyncio.sleep(0.02)  # pages ask again, too: nothing tells them


_TRACES: Final = {"audit_events", "audit_head", "audit_people", "audit_anchors", "clock_marks", "reminder_marks"}
_GOES_ON: Final = {
    "exports",
    "film_people",
    "mail_outbox",
    "notifications",
    "pending_gone",
    "request_events",
    "requests",
}
"""What changes by itself for a while after an answer: archives, films, erasures, mails, and what people are told of them."""


async def snapshot(server: Server) -> dict[str, Any]:
    """Everything else that is stored: what a request changes that it should not."""
    await settled(server)

    def columns(of: Table) -> list[ColumnElement[Any]]:
        """Sessions and people are marked as seen, now and then; and films are being made, which takes its time."""
        if of is films:
            return [films.c.id, films.c.recording_id]
        return [each for each in of.c if "seen" not in each.name and each is not sessions.c.expires_at_ms]

    def look(conn: Connection) -> dict[str, Any]:
        tables = [each for each in metadata.sorted_tables if each.name not in _TRACES | _GOES_ON]
        return {each.name: sorted(map(repr, conn.execute(select(*columns(each))))) for each in tables}

    return await server.database.study(look)


# -- what can be asked for -----------------------------------------------------------------------------------------


Target = Callable[[World], Awaitable[Names]]
"""Makes something of Olga's, and says how it is named in addresses."""


async def room(world: World) -> Names:
    """A room of Olga's."""
    return {"slug": await world.owner.make_room("Another")}


async def own_room(world: World) -> Names:
    """The one in which the guest sits."""
    return {"slug": world.slug}


async def meeting(world: World) -> Names:
    """A weekly meeting to which Mia and an outsider are invited."""
    body = {
        "title": TITLE,
        "agenda": AGENDA,
        "start": "2099-03-23T09:00",
        "time_zone": "UTC",
        "duration_min": 60,
        "rrule": "FREQ=WEEKLY",
        "room": world.slug,
        "invitees": [{"email": world.member.email}, {"email": OUTSIDER}],
    }
    status, made = await world.owner.json("POST", "/api/v1/meetings", body)
    assert status == 201, made
    (outsider,) = [each["id"] for each in made["invitees"] if each["email"] == OUTSIDER]
    return {"id": made["id"], "invitee": outsider, "recurrence": "20990330T090000"}


async def recording(world: World) -> Names:
    """One that Olga made, with Mia and the guest in it; it is shared by a link."""
    people = {
        "Olga": Seat(world.owner.id),
        "Mia": Seat(world.member.id),
        "Gus": Seat(participant_id=world.seat),
    }
    made = await make_recording(world.server.lifecycle, world.slug, world.owner.id, people, name=RECORDING)
    _, shared = await world.owner.json("POST", f"/api/v1/recordings/{made.id}/shares", {"days": 1})
    return {
        "id": made.id,
        "film": made.film,
        "track": made.tracks["Olga"],
        "person": made.people["Olga"],
        "share": shared["id"],
    }


async def trashed(world: World) -> Names:
    """The same, in the trash."""
    names = await recording(world)
    assert (await world.owner.json("DELETE", f"/api/v1/recordings/{names['id']}"))[0] == 204
    return names


async def room_without_guests(world: World) -> Names:
    """A room of Olga's into which nobody comes without account or token."""
    names = await room(world)
    assert (await world.owner.json("PATCH", f"/api/v1/rooms/{names['slug']}/settings", {"guests": False}))[0] == 200
    return names


async def owner(world: World) -> Names:
    """Olga herself."""
    return {"id": world.owner.id}


async def somebody(world: World) -> Names:
    """An account that nobody uses yet."""
    name = world.name()
    email = f"{name.lower()}@example.org"
    added = await call(world.server.config, "user.add", {"name": name, "email": email})
    return {"id": added["id"], "email": email}


async def somebodys_token(world: World) -> Names:
    """The same, with an API token."""
    whose = await somebody(world)
    wanted = {"email": whose["email"], "name": "Script", "scopes": ["rooms:read"], "expires": "90d"}
    return whose | {"token": (await call(world.server.config, "token.create", wanted))["id"]}


async def somebodys_identity(world: World) -> Names:
    """The same, with an account at the provider."""
    whose = await somebody(world)
    return whose | {"identity": (await _linked(world, whose["id"]))["id"]}


async def session(world: World) -> Names:
    """Another session of Olga's."""
    before = {each["id"] for each in await sessions_of(world)}
    await sign_in(world, world.owner)
    (added,) = {each["id"] for each in await sessions_of(world)} - before
    return {"id": added}


async def device(world: World) -> Names:
    """Another browser that is known as Olga's."""
    before = {each["id"] for each in (await world.owner.json("GET", "/api/v1/security"))[1]["devices"]}
    await sign_in(world, world.owner)
    (added,) = {each["id"] for each in (await world.owner.json("GET", "/api/v1/security"))[1]["devices"]} - before
    return {"id": added}


async def passkey(world: World) -> Names:
    """A passkey of Olga's."""
    names = {"id": new_id()}
    values = {"name": "Key", "credential_id": new_secret(), "public_key": new_secret(), "sign_count": 0}

    def add(conn: Connection) -> None:
        conn.execute(insert(passkeys).values(**names, user_id=world.owner.id, created_at_ms=1, **values))

    await world.server.database.work(add)
    return names


async def identity(world: World) -> Names:
    """Olga's account at the provider."""
    return await _linked(world, world.owner.id)


async def _linked(world: World, user_id: str) -> Names:
    names = {"id": new_id()}
    values = {"issuer": "https://login.example.org", "created_at_ms": 1, "last_used_at_ms": 1}

    def add(conn: Connection) -> None:
        conn.execute(insert(identities).values(**names, user_id=user_id, subject=new_id(), **values))

    await world.server.database.work(add)
    return names


async def export(world: World) -> Names:
    """An archive of Olga's."""
    await settled(world.server)
    status, made = await world.owner.json("POST", "/api/v1/my-data/exports", {"language": "en"})
    assert status == 202, made
    assert (await ready(world.owner, made["id"]))["state"] == "ready"
    return {"id": made["id"]}


async def consent(world: World) -> Names:
    """What Olga agreed to: being recorded."""
    made = await recording(world)
    version = (await world.owner.json("GET", "/api/v1/me"))[1]["notice"]["version"]

    def agree(conn: Connection) -> str:
        now_ms, told = world.server.clock.now_ms(), {"notice_version": version, "language": "en"}
        given = consents.record(
            conn, member_of(world.owner.id), "recording", made["id"], "given", method="dialog", now_ms=now_ms, **told
        )
        return given.id

    return {"id": await world.server.database.work(agree)}


async def request(world: World) -> Names:
    """A request that Olga made by letter."""
    status, made = await world.admin.json("POST", "/api/v1/admin/requests", {"right": "access", "email": OWNER})
    assert status == 201, made
    return {"id": made["id"]}


async def hold(world: World) -> Names:
    """A legal hold on somebody."""
    status, made = await world.admin.json("POST", "/api/v1/admin/holds", await held(world, "admin"))
    assert status == 201, made
    return {"id": made["id"]}


async def token(world: World) -> Names:
    """An API token of Olga's."""
    body = {"name": "Script", "scopes": ["rooms:read"], "password": PASSWORD}
    status, made = await world.owner.json("POST", "/api/v1/security/tokens", body)
    assert status == 201, made
    return {"id": made["id"]}


async def group(world: World) -> Names:
    """A group in which Olga and Mia are."""
    status, made = await world.admin.json("POST", "/api/v1/admin/groups", {"name": world.name()})
    assert status == 201, made
    for each in (world.owner, world.member):
        status, _ = await world.admin.json("PUT", f"/api/v1/admin/groups/{made['id']}/members/{each.id}")
        assert status == 204
    return {"id": made["id"], "person": world.member.id}


async def field(world: World) -> Names:
    """A field of the profile; the same for all as long as it is there, for there cannot be many."""
    fields = (await world.admin.json("GET", "/api/v1/admin/profile-fields"))[1]["fields"]
    if fields:
        return {"id": fields[0]["id"]}
    status, made = await world.admin.json("POST", "/api/v1/admin/profile-fields", {"label": world.name()})
    assert status == 201, made
    return {"id": made["id"]}


async def notification(world: World) -> Names:
    """What Olga was told: that Mia comes."""
    names = await meeting(world)
    status, _ = await world.member.json("PUT", f"/api/v1/meetings/{names['id']}/answer", {"answer": "accepted"})
    assert status == 200
    told = (await world.owner.json("GET", "/api/v1/notifications"))[1]["notifications"]
    return {"id": told[0]["id"]}


async def mail(world: World) -> Names:
    """One that waits for the mail server."""
    await meeting(world)
    return {"id": (await world.admin.json("GET", "/api/v1/admin/mail"))[1]["mails"][0]["id"]}


async def setting(_world: World) -> Names:
    """What administrators decide while the server runs."""
    return {"name": "recording.enabled"}


async def unknown(_world: World) -> Names:
    """What nobody has, wherever it stands in the address."""
    return {}


# -- what is sent with it ------------------------------------------------------------------------------------------


async def own_receipt(world: World, who: str) -> dict[str, Any]:
    """The guest's own; anybody else's is made up."""
    return {"receipt": world.receipt if who == "guest" else "pmg1.made-up"}


def receipt_and(**more: object) -> Callable[[World, str], Awaitable[dict[str, Any]]]:
    """The same with something besides."""

    async def body(world: World, who: str) -> dict[str, Any]:
        return await own_receipt(world, who) | more

    return body


async def another_receipt(world: World, who: str) -> dict[str, Any]:
    """The receipt of a guest who can be erased; anybody else's is made up."""
    if who != "guest":
        return await own_receipt(world, who)
    return {"receipt": await guest_was_there(world.server, world.slug, "Gil")}


async def held(world: World, _who: str) -> dict[str, Any]:
    """Somebody whose data must not go."""
    return {"email": (await somebody(world))["email"], "reason": "legal_claim", "review_days": 1}


async def new_address(world: World, _who: str) -> dict[str, Any]:
    """One to which no mail was sent yet."""
    return {"email": f"{world.name().lower()}@example.net"}


async def new_address_confirmed(world: World, who: str) -> dict[str, Any]:
    """The same, and the password of whoever asks."""
    return await new_address(world, who) | {"password": PASSWORD}


async def new_name(world: World, _who: str) -> dict[str, Any]:
    """What nothing is called yet."""
    return {"name": world.name()}


async def new_label(world: World, _who: str) -> dict[str, Any]:
    """The same for a field of the profile."""
    return {"label": world.name()}


async def filled_in(world: World, _who: str) -> dict[str, Any]:
    """What somebody's field is to hold."""
    return {"values": {(await field(world))["id"]: world.name()}}


async def own_group(world: World, _who: str) -> dict[str, Any]:
    """A group in which Olga and Mia are."""
    return {"group": (await group(world))["id"]}


async def invitation(world: World, who: str) -> dict[str, Any]:
    """Of somebody new."""
    return await new_address(world, who) | {"name": "Eve"}


async def asked(
    visitor: Visitor, world: World, method: str, url: str, *, body: object = None, sent: tuple[bytes, str] | None = None
) -> tuple[int, str]:
    """Status and text of an answer to a request from a network of its own."""
    options: dict[str, Any] = {"json": body} if sent is None else {"data": sent[0]}
    headers = world.place() | ({} if sent is None else {"Content-Type": sent[1]})
    async with visitor.http.request(method, url, headers=headers, allow_redirects=False, **options) as response:
        return response.status, (await response.read()).decode(errors="replace") + str(dict(response.headers))


async def comes_in_as(visitor: Visitor, slug: str) -> str:
    """The role with which somebody comes into a room, or why they do not."""
    async with visitor.http.ws_connect(f"/ws/{slug}") as socket:
        await socket.send_json({"type": "join", "v": 1, "name": "Somebody"})
        answer = await socket.receive_json()
        await socket.send_json({"type": "leave"})
        async for message in socket:
            assert message.type is aiohttp.WSMsgType.TEXT
    return str(answer["role"] if answer["type"] == "joined" else answer["code"])
