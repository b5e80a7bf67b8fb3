"""Notifications over HTTP: the list, what is new, who may see it, what to be told; and somebody who waits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from live_server import PASSWORD, Visitor, visiting
from privacy_people import Person, person, ready
from sqlalchemy import select, update

from pymeet.db.schema import sessions, users
from pymeet.server import Server

API = "/api/v1/notifications"
SETTINGS = "/api/v1/notification-settings"
PLAN = {"title": "Plans", "start": "2099-03-23T09:00", "time_zone": "Europe/Berlin", "duration_min": 60}


@dataclass
class Scene:
    """Ann plans, Bob is invited."""

    ann: Person
    bob: Person
    meeting: str


@pytest.fixture
async def scene(server: Server, admin: Visitor) -> AsyncIterator[Scene]:
    async with AsyncExitStack() as stack:
        ann, bob = [await stack.enter_async_context(person(server, each)) for each in ("Ann", "Bob")]
        status, made = await ann.json("POST", "/api/v1/meetings", {**PLAN, "invitees": [{"email": "bob@example.org"}]})
        assert status == 201, made
        yield Scene(ann, bob, made["id"])


async def told(visitor: Visitor) -> list[dict[str, Any]]:
    status, answer = await visitor.json("GET", API)
    assert status == 200, answer
    return list(answer["notifications"])


async def test_a_member_reads_marks_and_deletes_what_they_are_told(scene: Scene, server: Server) -> None:
    """Nobody else reaches it, and nobody at all who is not signed in."""
    ann, bob = scene.ann, scene.bob
    (invited,) = await told(bob)
    assert (invited["kind"], invited["subject"], invited["person"]) == ("meeting_invited", "Plans", "Ann")
    assert (invited["page"], invited["read"], invited["answer"]) == (f"/#meeting={scene.meeting}", False, None)
    assert (await bob.json("GET", f"{API}/unread"))[1] == {"unread": 1}
    one = f"{API}/{invited['id']}"

    for method, path in (("POST", f"{one}/read"), ("DELETE", one)):
        assert (await ann.json(method, path))[0] == 404
    async with visiting(server) as stranger:
        for method, path in (("GET", API), ("GET", f"{API}/unread"), ("DELETE", one), ("GET", SETTINGS)):
            assert (await stranger.json(method, path))[0] == 401

    assert (await bob.json("POST", f"{API}/read", {"up_to": invited["at"] - 1}))[0] == 204
    assert (await bob.json("GET", f"{API}/unread"))[1] == {"unread": 1}
    assert (await bob.json("POST", f"{one}/read"))[0] == 204
    assert (await bob.json("GET", f"{API}/unread"))[1] == {"unread": 0}
    assert (await bob.json("PUT", f"/api/v1/meetings/{scene.meeting}/answer", {"answer": "accepted"}))[0] == 200
    (answered,) = await told(ann)
    assert (answered["person"], answered["answer"], answered["subject"]) == ("Bob", "accepted", "Plans")
    assert (await bob.json("DELETE", one))[0] == 204
    assert await told(bob) == []
    for wrong in ("limit=0", "limit=101", "limit=x", "after=x"):
        assert (await bob.json("GET", f"{API}?{wrong}"))[0] == 400


async def test_what_a_page_asks_by_itself_keeps_no_session_alive(scene: Scene, server: Server) -> None:
    """The bell asks every minute: a browser that somebody left open would stay signed in, and look used, for weeks."""

    async def session() -> tuple[int, int, int]:
        mine = select(sessions.c.last_seen_at_ms, sessions.c.expires_at_ms, users.c.last_seen_at_ms).join(users)
        async with server.database.read() as conn:
            found = (await conn.execute(mine.where(users.c.email == "bob@example.org"))).one()
        return found[0], found[1], found[2]

    bob, long_ago = scene.bob, 1000
    async with server.database.write() as conn:
        who = select(users.c.id).where(users.c.email == "bob@example.org").scalar_subquery()
        await conn.execute(update(sessions).where(sessions.c.user_id == who).values(last_seen_at_ms=long_ago))
    before = await session()

    assert (await bob.json("GET", f"{API}/unread"))[1] == {"unread": 1}
    assert await session() == before

    assert len(await told(bob)) == 1
    assert (await session())[0] > long_ago


async def test_a_member_chooses_what_they_are_told(scene: Scene) -> None:
    """What is not named stays as it was, and what is for everybody's safety cannot be chosen."""
    bob = scene.bob
    settings = (await bob.json("GET", SETTINGS))[1]
    assert settings["kinds"]["meeting_invited"] == {"in_app": True, "mail": True}
    assert settings["kinds"]["meeting_answered"] == {"in_app": True}
    wish = {"mail": True, "reminder_min": 5, "kinds": {"meeting_cancelled": {"in_app": False, "mail": True}}}

    assert (await bob.json("PUT", SETTINGS, wish))[0] == 204
    assert (await scene.ann.json("DELETE", f"/api/v1/meetings/{scene.meeting}"))[0] == 204

    assert await told(bob) == []
    assert (await bob.json("PUT", SETTINGS, {"mail": False, "reminder_min": 5}))[0] == 204
    kinds = (await bob.json("GET", SETTINGS))[1]["kinds"]
    assert kinds["meeting_cancelled"] == {"in_app": False, "mail": False}
    assert kinds["recording_expiring"] == {"in_app": True, "mail": True}
    for wrong in (
        {"new_device": {"in_app": False}},
        {"meeting_answered": {"in_app": True, "mail": True}},
        {"meeting_invited": {"in_app": True}},
        {"nothing": {"in_app": True}},
    ):
        assert (await bob.json("PUT", SETTINGS, {"mail": True, "reminder_min": 5, "kinds": wrong}))[0] == 400


async def test_an_owner_who_is_away_is_told_that_somebody_waits(scene: Scene, server: Server) -> None:
    """Not while they are in the room: there they see it."""
    slug = await scene.ann.make_room("Garden")
    assert (await scene.ann.json("PATCH", f"/api/v1/rooms/{slug}/settings", {"waiting_room": "guests"}))[0] == 200
    async with visiting(server) as guest, scene.ann.http.ws_connect(f"/ws/{slug}") as seat:
        await seat.send_json({"type": "join", "v": 1, "name": "Ann"})
        assert (await seat.receive_json())["role"] == "host"
        async with guest.http.ws_connect(f"/ws/{slug}") as waiting:
            await waiting.send_json({"type": "join", "v": 1, "name": "Gail"})
            assert (await waiting.receive_json())["type"] == "waiting"
        await seat.send_json({"type": "leave"})
        async for _ in seat:
            pass
        assert await told(scene.ann) == []

        async with guest.http.ws_connect(f"/ws/{slug}") as waiting:
            await waiting.send_json({"type": "join", "v": 1, "name": "Gail"})
            assert (await waiting.receive_json())["type"] == "waiting"
            async with asyncio.timeout(5):
                while not (found := await told(scene.ann)):  # noqa: ASYNC110  pages ask again, too: nothing tells them
                    await asyncio.sleep(0.02)
    assert [(each["kind"], each["subject"], each["page"]) for each in found] == [
        ("somebody_waits", "Garden", f"/r/{slug}")
    ]


async def test_a_sign_in_with_another_browser_and_an_archive_are_told(scene: Scene, server: Server) -> None:
    """The archive until it can be fetched no longer."""
    async with visiting(server) as elsewhere:
        agent = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/130.0"}
        body = {"email": "ann@example.org", "password": PASSWORD}
        async with elsewhere.http.post("/api/v1/sign-in", json=body, headers=agent) as response:
            assert response.status == 200
    assert [(each["kind"], each["subject"]) for each in await told(scene.ann)] == [("new_device", "Firefox (Linux)")]

    status, answer = await scene.ann.json("POST", "/api/v1/my-data/exports", {"language": "en"})
    assert status == 202, answer
    await ready(scene.ann, answer["id"])
    newest = (await told(scene.ann))[0]
    assert newest["kind"] == "export_ready"
    assert newest["page"] == "/my-data"
    assert newest["moment"] > newest["at"]
