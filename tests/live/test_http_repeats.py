"""Requests that make something, sent twice with the same `Idempotency-Key`: a program that heard no answer asks again."""

import asyncio

import pytest
from live_server import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="module")

PLAN = {"title": "Tea", "start": "2027-03-22T09:00", "time_zone": "UTC", "duration_min": 60}


async def ask(visitor: Visitor, path: str, body: object, key: str) -> tuple[int, dict[str, object]]:
    """Posts with a key."""
    async with visitor.http.post(path, json=body, headers={"Idempotency-Key": key}) as response:
        return response.status, await response.json()


async def rooms_of(visitor: Visitor) -> list[str]:
    """The addresses of one's rooms."""
    return [room["slug"] for room in (await visitor.json("GET", "/api/v1/rooms"))[1]["rooms"]]


async def test_a_room_is_made_once_however_often_the_answer_was_lost(shared_admin: Visitor) -> None:
    """Also when the requests come at the same time."""
    before = await rooms_of(shared_admin)

    asked = [ask(shared_admin, "/api/v1/rooms", {"name": "Tea"}, "once") for _ in range(5)]
    answers = await asyncio.gather(*asked)

    assert {status for status, _ in answers} == {201}
    assert len({str(room["slug"]) for _, room in answers}) == 1
    assert len(await rooms_of(shared_admin)) == len(before) + 1


async def test_another_key_makes_another_room(shared_admin: Visitor) -> None:
    """And so does none."""
    answers = [await ask(shared_admin, "/api/v1/rooms", {"name": "Tea"}, key) for key in ("one", "two")]
    slugs = {str(room["slug"]) for _, room in answers} | {await shared_admin.make_room() for _ in range(2)}

    assert len(slugs) == 4


async def test_a_key_that_was_used_for_something_else_is_refused(shared_admin: Visitor) -> None:
    """Otherwise a program that uses keys twice by mistake would believe that it has what it never got."""
    await ask(shared_admin, "/api/v1/rooms", {"name": "Tea"}, "used")

    status, problem = await ask(shared_admin, "/api/v1/rooms", {"name": "Coffee"}, "used")

    assert (status, problem["code"]) == (422, "key_reused")


async def test_a_key_is_free_again_when_nothing_was_made(shared_admin: Visitor) -> None:
    """The name was too long: the program mends that and goes on with its key."""
    status, _ = await ask(shared_admin, "/api/v1/rooms", {"name": "T" * 500}, "mended")
    assert status == 400

    status, _ = await ask(shared_admin, "/api/v1/rooms", {"name": "Tea"}, "mended")

    assert status == 201


@pytest.mark.parametrize("key", ["", " ", "k" * 65, "ä"])
async def test_a_key_that_is_none_is_refused(shared_admin: Visitor, key: str) -> None:
    """A program that believes itself safe must hear that it is not."""
    status, problem = await ask(shared_admin, "/api/v1/rooms", {"name": "Tea"}, key)

    assert (status, problem["code"]) == (400, "invalid_input")


async def test_a_meeting_is_planned_once_and_shown_as_it_is_now(shared_admin: Visitor) -> None:
    """Nobody is invited twice, and what was changed in between is not undone."""
    _, first = await ask(shared_admin, "/api/v1/meetings", PLAN, "planned")
    await shared_admin.json("PATCH", f"/api/v1/meetings/{first['id']}", {"title": "Coffee"})

    status, second = await ask(shared_admin, "/api/v1/meetings", PLAN, "planned")

    assert (status, second["id"], second["title"]) == (201, first["id"], "Coffee")


async def test_what_is_gone_again_is_not_made_a_second_time(shared_admin: Visitor) -> None:
    """Somebody deleted it on purpose."""
    _, room = await ask(shared_admin, "/api/v1/rooms", {"name": "Tea"}, "gone")
    await shared_admin.json("DELETE", f"/api/v1/rooms/{room['slug']}")

    status, problem = await ask(shared_admin, "/api/v1/rooms", {"name": "Tea"}, "gone")

    assert (status, problem["code"]) == (404, "not_found")
