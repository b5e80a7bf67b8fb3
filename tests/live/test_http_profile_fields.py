"""Fields that administrators add to the profile, over HTTP."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from live_server import Visitor
from privacy_people import Person, person
from sqlalchemy import select
from tests.support.exports import archive_of

from pymeet.db.schema import audit_events, audit_people
from pymeet.privacy.people import member
from pymeet.server import Server

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADMIN = "/api/v1/admin/profile-fields"
OWN = "/api/v1/profile/fields"
NOBODYS = "0agEU-6KPdDHeZZRDE9GOg"
"""An id as they look, which nothing has. Always the same: tests are named by it."""


@dataclass
class Scene:
    """Ada administers, Ann is a member; there is a field for her to fill in, and one for Ada."""

    server: Server
    ada: Visitor
    ann: Person
    department: str
    number: str

    @property
    def of_ann(self) -> str:
        return f"/api/v1/admin/users/{self.ann.id}/profile-fields"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(shared_server: Server, shared_admin: Visitor) -> AsyncIterator[Scene]:
    async with AsyncExitStack() as stack:
        ann = await stack.enter_async_context(person(shared_server, "Ann-Kathrin"))
        made = [
            (await ok(shared_admin, "POST", ADMIN, {"label": label, "editable": editable}, 201))["id"]
            for label, editable in (("Department", True), ("Staff number", False))
        ]
        yield Scene(shared_server, shared_admin, ann, *made)
        for each in made:
            await ok(shared_admin, "DELETE", f"{ADMIN}/{each}", status=204)


async def ok(visitor: Visitor, method: str, path: str, body: object | None = None, status: int = 200) -> Any:
    found, answer = await visitor.json(method, path, body)
    assert found == status, answer
    return answer


async def test_a_member_fills_in_their_fields_and_an_administrator_the_others(scene: Scene) -> None:
    """Both see the same then; that the administrator looked is written down."""
    await ok(scene.ann, "PATCH", OWN, {"values": {scene.department: "Garden"}})
    refused = await ok(scene.ann, "PATCH", OWN, {"values": {scene.department: "Kitchen", scene.number: "1"}}, 403)
    assert refused["code"] == "field_not_editable"
    await ok(scene.ada, "PATCH", scene.of_ann, {"values": {scene.number: "4711"}})

    mine, seen = await ok(scene.ann, "GET", OWN), await ok(scene.ada, "GET", scene.of_ann)

    assert mine == seen
    assert mine["fields"] == [
        {"id": scene.department, "label": "Department", "editable": True, "value": "Garden"},
        {"id": scene.number, "label": "Staff number", "editable": False, "value": "4711"},
    ]
    assert [each["people"] for each in (await ok(scene.ada, "GET", ADMIN))["fields"]] == [1, 1]
    async with scene.server.database.read() as conn:
        about_ann = select(audit_events.c.action).join(audit_people, audit_people.c.pseudonym == audit_events.c.target)
        actions = (await conn.execute(about_ann.where(audit_people.c.user_id == scene.ann.id))).scalars().all()
    assert "data.viewed" in actions


async def test_nobody_but_the_person_and_administrators_sees_a_value(scene: Scene) -> None:
    """Not even members who are in a group with them."""
    await ok(scene.ann, "PATCH", OWN, {"values": {scene.department: "Secret garden"}})

    async with person(scene.server, "Curious") as other:
        for path in (scene.of_ann, ADMIN):
            await ok(other, "GET", path, status=403)
        theirs = await ok(other, "GET", OWN)

    assert "Secret garden" not in str(theirs)


async def test_an_archive_has_the_fields_with_their_labels(scene: Scene) -> None:
    """What was asked stands beside what was answered, or nobody understood it elsewhere."""
    await ok(scene.ann, "PATCH", OWN, {"values": {scene.department: "Greenhouse"}})

    archive = await archive_of(scene.server.lifecycle, member(scene.ann.id))

    values = {row["field_id"]: row["value"] for row in archive.rows("profile_values")}
    labels = {row["id"]: row["label"] for row in archive.rows("profile_fields")}
    assert (values[scene.department], labels[scene.department]) == ("Greenhouse", "Department")


async def test_a_field_is_renamed_moved_and_deleted(scene: Scene) -> None:
    """What stands in it stays until the field goes."""
    made = await ok(scene.ada, "POST", ADMIN, {"label": "Room"}, 201)
    path = f"{ADMIN}/{made['id']}"
    await ok(scene.ann, "PATCH", OWN, {"values": {made["id"]: "12"}})
    assert (await ok(scene.ada, "PATCH", path, {"label": "DEPARTMENT"}, 409))["code"] == "label_taken"

    changed = await ok(scene.ada, "PATCH", path, {"label": "Office", "place": 1})

    assert (changed["label"], changed["editable"], changed["people"]) == ("Office", True, 1)
    first = (await ok(scene.ann, "GET", OWN))["fields"][0]
    assert (first["label"], first["value"]) == ("Office", "12")
    await ok(scene.ada, "DELETE", path, status=204)
    await ok(scene.ada, "DELETE", path, status=404)
    assert "Office" not in json.dumps(await ok(scene.ann, "GET", OWN))


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (OWN, {}, 400),
        (OWN, {"values": {}}, 400),
        (OWN, {"values": {"department": "x"}}, 400),
        (OWN, {"values": {NOBODYS: "x"}}, 404),
        (OWN, {"values": {NOBODYS: 7}}, 400),
        (f"{ADMIN}/{NOBODYS}", {"label": "x"}, 404),
        (f"{ADMIN}/{NOBODYS}", {}, 400),
        (f"{ADMIN}/{NOBODYS}", {"place": 0}, 400),
        (f"/api/v1/admin/users/{NOBODYS}/profile-fields", {"values": {NOBODYS: "x"}}, 404),
    ],
)
async def test_what_makes_no_sense_is_refused(scene: Scene, path: str, body: object, status: int) -> None:
    """With words."""
    found, answer = await scene.ada.json("PATCH", path, body)

    assert (found, bool(answer["detail"])) == (status, True)
