"""Groups over HTTP: what administrators do with them, and members who share and invite by them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from live_server import Visitor
from privacy_people import Person, person
from sqlalchemy import select
from tests.support.recordings import Seat, make_recording

from pymeet.db.schema import audit_events
from pymeet.ids import new_id
from pymeet.server import Server

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADMIN = "/api/v1/admin/groups"
OWN = "/api/v1/groups"


@dataclass
class Scene:
    """Ada administers; Ann and Bob are members who may share a group, Cleo is in none."""

    server: Server
    ada: Visitor
    ann: Person
    bob: Person
    cleo: Person

    async def group(self, name: str, *people: Person) -> str:
        """A group with these people."""
        status, made = await self.ada.json("POST", ADMIN, {"name": name, "description": f"For {name}"})
        assert status == 201, made
        for each in people:
            assert (await self.ada.json("PUT", f"{ADMIN}/{made['id']}/members/{each.id}"))[0] == 204
        return str(made["id"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(shared_server: Server, shared_admin: Visitor) -> AsyncIterator[Scene]:
    async with AsyncExitStack() as stack:
        people = [await stack.enter_async_context(person(shared_server, name)) for name in ("Ann", "Bob", "Cleo")]
        yield Scene(shared_server, shared_admin, *people)


async def ok(visitor: Visitor, method: str, path: str, body: object | None = None, status: int = 200) -> Any:
    found, answer = await visitor.json(method, path, body)
    assert found == status, answer
    return answer


async def test_an_administrator_makes_changes_and_deletes_a_group(scene: Scene) -> None:
    """And sees who is in it, which is written down."""
    made = await ok(scene.ada, "POST", ADMIN, {"name": " Choir  1 "}, 201)
    assert (made["name"], made["description"], made["people"]) == ("Choir 1", "", 0)
    path = f"{ADMIN}/{made['id']}"
    assert (await scene.ada.json("POST", ADMIN, {"name": "CHOIR 1"}))[1]["code"] == "name_taken"
    assert (await ok(scene.ada, "PATCH", path, {"description": "Sings"}))["description"] == "Sings"
    for each in (scene.bob, scene.ann, scene.ann):
        assert await ok(scene.ada, "PUT", f"{path}/members/{each.id}", status=204) is None

    first = await ok(scene.ada, "GET", f"{path}?limit=1")
    second = await ok(scene.ada, "GET", f"{path}?limit=1&after={first['next']}")
    assert [each["email"] for each in (*first["members"], *second["members"])] == ["ann@example.org", "bob@example.org"]
    assert (first["people"], second["next"]) == (2, None)
    listed = await ok(scene.ada, "GET", f"{ADMIN}?search=choir")
    assert [(each["name"], each["people"]) for each in listed["groups"]] == [("Choir 1", 2)]
    async with scene.server.database.read() as conn:
        seen = select(audit_events.c.detail).where(audit_events.c.target == made["id"])
        assert (await conn.execute(seen.where(audit_events.c.action == "data.viewed"))).scalars().first()

    await ok(scene.ada, "DELETE", f"{path}/members/{scene.bob.id}", status=204)
    await ok(scene.ada, "DELETE", f"{path}/members/{scene.bob.id}", status=404)
    await ok(scene.ada, "DELETE", path, status=204)
    await ok(scene.ada, "GET", path, status=404)


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 400), ({"name": None}, 400), ({"people": 3}, 400), ({"name": "\u200b"}, 400), ({"name": "x" * 81}, 400)],
)
async def test_a_change_that_says_nothing_or_too_much_is_refused(scene: Scene, body: object, status: int) -> None:
    """With words, and nothing happens."""
    group = await scene.group(f"Refusing {new_id()}")

    found, answer = await scene.ada.json("PATCH", f"{ADMIN}/{group}", body)

    assert (found, bool(answer["detail"])) == (status, True)


async def test_members_see_their_groups_by_name_and_others_learn_nothing(scene: Scene) -> None:
    """Names of those who are in it together, and no addresses."""
    group = await scene.group("Strings", scene.ann, scene.bob)

    mine = await ok(scene.ann, "GET", f"{OWN}?search=strings")
    whole = await ok(scene.ann, "GET", f"{OWN}/{group}")

    assert [each["id"] for each in mine["groups"]] == [group]
    assert whole["members"] == [{"id": scene.ann.id, "name": "Ann"}, {"id": scene.bob.id, "name": "Bob"}]
    assert "@" not in str(whole)
    assert await ok(scene.cleo, "GET", f"{OWN}?search=strings") == {"groups": [], "next": None}
    await ok(scene.cleo, "GET", f"{OWN}/{group}", status=404)
    for method, path in (("GET", ADMIN), ("GET", f"{ADMIN}/{group}"), ("DELETE", f"{ADMIN}/{group}")):
        await ok(scene.ann, method, path, status=403)


async def test_a_recording_is_shared_with_a_group_and_looking_is_told(scene: Scene) -> None:
    """Every member of the group finds it; when they leave the group it is gone for them."""
    slug = await scene.ann.make_room("Hall")
    made = await make_recording(scene.server.lifecycle, slug, scene.ann.id, {"Ann": Seat(scene.ann.id)}, name="Concert")
    group = await scene.group("Audience", scene.ann, scene.bob)
    path = f"/api/v1/recordings/{made.id}"

    share = await ok(scene.ann, "POST", f"{path}/shares", {"group": group}, 201)
    assert (await scene.ann.json("POST", f"{path}/shares", {"group": group}))[1]["code"] == "already_shared"
    for body in (
        {"group": group, "days": 3},
        {"group": group, "password": "a long password"},
        {"group": group, "email": "b@x.yz"},
    ):
        await ok(scene.ann, "POST", f"{path}/shares", body, 400)
    async with scene.bob.http.get(f"{path}/films/{made.film}/file") as response:
        assert response.status == 200
        await response.read()
    shown = await ok(scene.ann, "GET", path)
    assert [(each["id"], each["kind"], each["name"]) for each in shown["shares"]] == [
        (share["id"], "group", "Audience")
    ]
    assert [(each["who"], each["by"]) for each in shown["views"]] == [("Bob", "member")]
    await ok(scene.cleo, "GET", path, status=404)

    await ok(scene.ada, "DELETE", f"{ADMIN}/{group}/members/{scene.bob.id}", status=204)

    await ok(scene.bob, "GET", path, status=404)
    await ok(scene.ann, "DELETE", f"{path}/shares/{share['id']}", status=204)
    assert (await ok(scene.ann, "GET", path))["shares"] == []


async def test_a_group_is_invited_and_nobodys_address_is_told(scene: Scene) -> None:
    """The organiser sees names: the addresses were never typed by them."""
    group = await scene.group("Rehearsal", scene.ann, scene.bob)
    body = {"title": "Rehearsal", "start": "2099-03-23T09:00", "time_zone": "UTC", "duration_min": 60}

    planned = await ok(scene.ann, "POST", "/api/v1/meetings", {**body, "groups": [group]}, 201)
    path = f"/api/v1/meetings/{planned['id']}"
    await ok(scene.ada, "PUT", f"{ADMIN}/{group}/members/{scene.cleo.id}", status=204)
    later = await ok(scene.ann, "POST", f"{path}/groups", {"group": group}, 201)
    shown = await ok(scene.ann, "GET", path)

    assert [(each["name"], each["email"]) for each in later["invitees"]] == [("Cleo", None)]
    assert [(each["name"], each["email"]) for each in shown["invitees"]] == [("Bob", None), ("Cleo", None)]
    assert "@" not in str(shown["invitees"])
    assert (await ok(scene.bob, "PUT", f"{path}/answer", {"answer": "accepted"})) == {"answer": "accepted"}
    await ok(scene.bob, "POST", f"{path}/groups", {"group": group}, 403)
    await ok(scene.ann, "POST", f"{path}/groups", {"group": new_id()}, 404)
    await ok(scene.cleo, "POST", "/api/v1/meetings", {**body, "groups": [new_id()]}, 404)
