"""Administrators and data protection officers answer for others: every route times every role, and what each one sees."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from live_server import PASSWORD, Visitor, first_admin, visiting
from privacy_people import Person, guest_was_there, person, text_of, was_there

from pymeet.server import Server
from pymeet.web.routes import ROUTES

ADMIN = "/api/v1/admin"
NOBODY = "A" * 22

ROUTES_AND_BODIES: dict[tuple[str, str], dict[str, Any] | None] = {
    ("GET", "/requests"): None,
    ("POST", "/requests"): {"right": "access"},
    ("POST", "/requests/{id}/decide"): {"decision": "granted"},
    ("POST", "/requests/{id}/extend"): {"reason": "complexity"},
    ("POST", "/people"): {"find": "nobody@example.org"},
    ("POST", "/people/{id}/exports"): {"language": "en"},
    ("GET", "/exports/{id}/file"): None,
    ("GET", "/people/{id}/erasure"): None,
    ("POST", "/people/{id}/erasure"): {"now": False},
    ("GET", "/holds"): None,
    ("POST", "/holds"): {"room": "nowhere", "reason": "legal_claim", "review_days": 30},
    ("POST", "/holds/{id}/release"): None,
    ("GET", "/audit"): None,
    ("POST", "/audit/verify"): None,
    ("GET", "/retention"): None,
}
"""Every route, with a body that it takes; ids in them are nobody's, so who may gets 404 where one is needed."""

WHO_MAY = {
    "admin": set(ROUTES_AND_BODIES) - {("POST", "/holds/{id}/release"), ("POST", "/audit/verify")},
    "dpo": {(method, path) for method, path in ROUTES_AND_BODIES if not path.startswith(("/people", "/exports"))},
    "member": set(),
    "nobody": set(),
}
"""Where there is a data protection officer; without one the administrators release holds and verify the log."""


@pytest.fixture
async def people(server: Server) -> AsyncIterator[dict[str, Visitor]]:
    """One of each role."""
    async with AsyncExitStack() as stack:
        admin = await stack.enter_async_context(first_admin(server))
        dpo = await stack.enter_async_context(person(server, "Dora", "dpo"))
        member = await stack.enter_async_context(person(server, "Ben"))
        nobody = await stack.enter_async_context(visiting(server))
        yield {"admin": admin, "dpo": dpo, "member": member, "nobody": nobody}


@pytest.fixture
async def place(people: dict[str, Visitor]) -> str:
    """A room of the administrator."""
    return await people["admin"].make_room()


OF_ADMINISTRATORS = tuple(
    f"{ADMIN}/{of}" for of in ("users", "invitations", "groups", "rooms", "live", "mail", "settings", "profile-fields")
)
"""Matters of administrators alone, whose rows stand in the matrix of all routes."""


def test_every_route_of_the_office_is_in_the_matrix() -> None:
    """A new one must say who may."""
    found = {
        (route.method, route.path.removeprefix(ADMIN).replace("{id:[A-Za-z0-9_-]{22}}", "{id}"))
        for route in ROUTES
        if route.path.startswith(f"{ADMIN}/") and not route.path.startswith(OF_ADMINISTRATORS)
    }

    assert found == set(ROUTES_AND_BODIES)


@pytest.mark.parametrize("role", WHO_MAY)
async def test_each_role_may_what_the_table_says(people: dict[str, Visitor], role: str) -> None:
    """The others get 403, strangers 401; nobody learns by it whether an id exists."""
    refused = 401 if role == "nobody" else 403
    for (method, path), body in ROUTES_AND_BODIES.items():
        status, _ = await people[role].json(method, ADMIN + path.replace("{id}", NOBODY), body)
        if (method, path) in WHO_MAY[role]:
            assert status in (200, 201, 404), (method, path, status)
        else:
            assert status == refused, (method, path, status)


async def test_without_an_officer_the_administrator_does_their_part(admin: Visitor, room: str) -> None:
    """A small server has nobody else."""
    hold = {"room": room, "reason": "legal_claim", "review_days": 30}
    _, placed = await admin.json("POST", f"{ADMIN}/holds", hold)

    assert (await admin.json("POST", f"{ADMIN}/holds/{placed['id']}/release"))[0] == 204
    assert (await admin.json("POST", f"{ADMIN}/audit/verify"))[1]["intact"] is True


async def test_the_officer_sees_requests_without_names(people: dict[str, Visitor]) -> None:
    """Proofs and deadlines are theirs, not who it is about; the administrator is told."""
    entered = {"right": "rectification", "email": "ben@example.org"}
    status, answer = await people["dpo"].json("POST", f"{ADMIN}/requests", entered)
    assert status == 201

    _, seen_by_dpo = await people["dpo"].json("GET", f"{ADMIN}/requests")
    _, seen_by_admin = await people["admin"].json("GET", f"{ADMIN}/requests")

    (request,) = seen_by_dpo["requests"]
    assert request["who"] is None
    assert (request["id"], request["right"], request["state"]) == (answer["id"], "rectification", "requested")
    assert 28 <= request["days_left"] <= 30
    assert request["overdue"] is False
    assert seen_by_admin["requests"] == [{**request, "who": "ben@example.org"}]


async def test_a_request_is_extended_once_and_decided_once(people: dict[str, Visitor]) -> None:
    """By fixed words only, so that nothing about anybody gets into the register."""
    dpo = people["dpo"]
    _, answer = await dpo.json("POST", f"{ADMIN}/requests", {"right": "access", "email": "ben@example.org"})
    path = f"{ADMIN}/requests/{answer['id']}"

    assert (await dpo.json("POST", f"{path}/extend", {"reason": "he is on holiday"}))[0] == 400
    assert (await dpo.json("POST", f"{path}/extend", {"reason": "complexity"}))[0] == 204
    assert (await dpo.json("POST", f"{path}/extend", {"reason": "complexity"}))[0] == 409
    assert (await dpo.json("POST", f"{path}/decide", {"decision": "no"}))[0] == 400
    assert (await dpo.json("POST", f"{path}/decide", {"decision": "unfounded"}))[0] == 204
    assert (await dpo.json("POST", f"{path}/decide", {"decision": "granted"}))[0] == 409
    (request,) = (await dpo.json("GET", f"{ADMIN}/requests"))[1]["requests"]
    assert (request["state"], request["decision"]) == ("refused", "unfounded")
    (mine,) = (await people["member"].json("GET", "/api/v1/my-data"))[1]["requests"]
    assert (mine["id"], mine["decision"]) == (answer["id"], "unfounded")


async def test_a_request_is_entered_for_whoever_is_named_exactly(
    server: Server, people: dict[str, Visitor], place: str
) -> None:
    """By address, by a guest's receipt, or as from somebody not known yet; a name or two people are not enough."""
    receipt = await guest_was_there(server, place, "Gail")
    admin = people["admin"]
    bodies = [{"right": "access"}, {"right": "access", "receipt": receipt}, {"right": "access", "received_at": 1}]
    assert [(await admin.json("POST", f"{ADMIN}/requests", body))[0] for body in bodies] == [201, 201, 201]

    for body, expected in (
        ({"right": "fame"}, 400),
        ({"right": "access", "email": "Ben"}, 404),
        ({"right": "access", "email": "zoe@example.org"}, 404),
        ({"right": "access", "receipt": "pmg1.x.y"}, 401),
        ({"right": "access", "receipt": receipt, "email": "ben@example.org"}, 400),
        ({"right": "access", "received_at": 2**62}, 400),
        ({"right": "access", "received_at": -1}, 400),
    ):
        assert (await admin.json("POST", f"{ADMIN}/requests", body))[0] == expected, body
    who = {each["who"] for each in (await admin.json("GET", f"{ADMIN}/requests"))[1]["requests"]}
    assert who == {None, "Gail"}


async def test_people_are_found_by_what_is_certain_and_the_search_is_written_down(
    server: Server, people: dict[str, Visitor], place: str
) -> None:
    """An address, an id, a receipt; by a name alone nobody is handed out. Whoever was looked at can see that later."""
    admin, ben = people["admin"], people["member"]
    assert isinstance(ben, Person)
    receipt = await guest_was_there(server, place, "Gail", "hello")
    _, by_address = await admin.json("POST", f"{ADMIN}/people", {"find": " Ben@example.org "})
    _, by_id = await admin.json("POST", f"{ADMIN}/people", {"find": ben.id})
    _, by_receipt = await admin.json("POST", f"{ADMIN}/people", {"find": receipt})

    (found,) = by_address["people"]
    assert by_id["people"] == [{**found, "counts": by_id["people"][0]["counts"]}]
    assert (found["kind"], found["id"], found["name"], found["email"]) == ("member", ben.id, "Ben", ben.email)
    assert found["counts"]["users"] == 1
    (gail,) = by_receipt["people"]
    assert (gail["kind"], gail["name"], gail["email"], gail["counts"]["messages"]) == ("guest", "Gail", None, 1)
    assert (await admin.json("POST", f"{ADMIN}/people", {"find": "Ben"}))[1] == {"people": []}
    assert (await admin.json("POST", f"{ADMIN}/people", {"find": "pmg1.forged.receipt"}))[0] == 401
    _, log = await admin.json("GET", f"{ADMIN}/audit?action=data.viewed")
    assert len(log["events"]) == 3
    assert "ben@example.org" not in str(log)


async def test_an_administrator_makes_and_fetches_the_archive_of_somebody_else(
    server: Server, people: dict[str, Visitor], place: str
) -> None:
    """For who asks by letter. The log says who fetched whose; the person sees the archive, too."""
    admin, ben = people["admin"], people["member"]
    assert isinstance(ben, Person)
    await was_there(ben, place, "Ben", "canary-of-ben-5d1c")
    await was_there(admin, place, "Ada", "canary-of-ada-77e0")

    status, made = await admin.json("POST", f"{ADMIN}/people/{ben.id}/exports", {"language": "en"})
    assert status == 202
    path = f"{ADMIN}/exports/{made['id']}/file"
    async with asyncio.timeout(20):
        while (await ben.json("GET", "/api/v1/my-data"))[1]["exports"][0]["state"] == "building":  # noqa: ASYNC110
            await asyncio.sleep(0.02)  # pages ask again, too
    async with admin.http.get(path) as response:
        assert response.status == 200
        text = text_of(await response.read())

    assert "canary-of-ben-5d1c" in text
    assert "canary-of-ada-77e0" not in text
    _, log = await people["dpo"].json("GET", f"{ADMIN}/audit?limit=2&action=export")
    _, exported = await people["dpo"].json("GET", f"{ADMIN}/audit?action=data.exported")
    assert {event["actor"] for event in log["events"]} == {event["actor"] for event in exported["events"]}
    assert len(log["events"]) == len(exported["events"]) == 1
    assert log["events"][0]["actor"] != log["events"][0]["target"]


async def test_an_administrator_erases_somebody_after_the_grace_or_now(
    server: Server, people: dict[str, Visitor], place: str
) -> None:
    """The plan says beforehand what goes; a guest is erased like a member."""
    admin, ben = people["admin"], people["member"]
    assert isinstance(ben, Person)
    await was_there(ben, place, "Ben", "goodbye")
    receipt = await guest_was_there(server, place, "Gail", "me too")
    (gail,) = (await admin.json("POST", f"{ADMIN}/people", {"find": receipt}))[1]["people"]

    status, plan = await admin.json("GET", f"{ADMIN}/people/{ben.id}/erasure")
    assert status == 200
    rows = {each["name"]: (each["action"], each["rows"]) for each in plan["tables"]}
    assert rows["users"] == ("delete", 1)
    assert rows["messages"][1] == 1
    assert all(each["title"] for each in plan["tables"])
    assert (plan["rooms"], plan["held"]) == (0, 0)

    _, later = await admin.json("POST", f"{ADMIN}/people/{ben.id}/erasure", {"now": False})
    assert later["erased_after"] >= plan["erased_after"]
    assert (await ben.json("GET", "/api/v1/me"))[1]["user"] is None
    assert (await admin.json("POST", f"{ADMIN}/requests/{later['request']}/decide", {"decision": "granted"}))[0] == 409
    _, soon = await admin.json("POST", f"{ADMIN}/people/{ben.id}/erasure", {"now": True})
    assert soon["request"] == later["request"]
    _, guest = await admin.json("POST", f"{ADMIN}/people/{gail['id']}/erasure", {"now": True})

    async with asyncio.timeout(20):
        while True:
            _, listed = await admin.json("GET", f"{ADMIN}/requests")
            if all(each["state"] == "done" for each in listed["requests"]):
                break
            await asyncio.sleep(0.02)  # as above
    assert {each["id"] for each in listed["requests"]} == {soon["request"], guest["request"]}
    assert (await ben.json("POST", "/api/v1/sign-in", {"email": ben.email, "password": PASSWORD}))[0] == 401
    assert (await admin.json("GET", f"{ADMIN}/people/{ben.id}/erasure"))[0] == 404


async def test_an_erasure_that_has_not_begun_is_stopped_by_deciding(people: dict[str, Visitor]) -> None:
    """The person is as before, and the register says why."""
    admin, ben = people["admin"], people["member"]
    assert isinstance(ben, Person)
    _, begun = await admin.json("POST", f"{ADMIN}/people/{ben.id}/erasure", {"now": False})

    path = f"{ADMIN}/requests/{begun['request']}/decide"
    assert (await people["dpo"].json("POST", path, {"decision": "unfounded"}))[0] == 204

    assert (await ben.json("POST", "/api/v1/sign-in", {"email": ben.email, "password": PASSWORD}))[0] == 200
    (request,) = (await admin.json("GET", f"{ADMIN}/requests"))[1]["requests"]
    assert (request["state"], request["decision"]) == ("refused", "unfounded")


async def test_a_hold_keeps_what_would_be_erased_and_who_placed_it_cannot_end_it(
    server: Server, people: dict[str, Visitor], place: str
) -> None:
    """Placing and releasing are separate rights; the officer sees that somebody is held, not who."""
    admin, dpo, ben = people["admin"], people["dpo"], people["member"]
    assert isinstance(ben, Person)
    await was_there(ben, place, "Ben", "evidence")
    hold = {"email": ben.email, "reason": "legal_claim", "review_days": 90}
    status, placed = await admin.json("POST", f"{ADMIN}/holds", hold)
    assert status == 201
    assert (await admin.json("POST", f"{ADMIN}/holds", hold))[0] == 409
    assert (await admin.json("POST", f"{ADMIN}/holds", {"room": place, **hold}))[0] == 400
    assert (await admin.json("POST", f"{ADMIN}/holds", {**hold, "reason": "I dislike him"}))[0] == 400
    await admin.json("POST", f"{ADMIN}/holds", {"room": place, "reason": "investigation", "review_days": 1})

    named = {each["kind"]: each["who"] for each in (await admin.json("GET", f"{ADMIN}/holds"))[1]["holds"]}
    unnamed = {each["kind"]: each["who"] for each in (await dpo.json("GET", f"{ADMIN}/holds"))[1]["holds"]}
    assert named == {"member": ben.email, "room": place}
    assert unnamed == {"member": None, "room": None}
    assert (await admin.json("GET", f"{ADMIN}/people/{ben.id}/erasure"))[1]["held"] > 0

    assert (await admin.json("POST", f"{ADMIN}/holds/{placed['id']}/release"))[0] == 403
    assert (await dpo.json("POST", f"{ADMIN}/holds/{placed['id']}/release"))[0] == 204
    assert (await dpo.json("POST", f"{ADMIN}/holds/{placed['id']}/release"))[0] == 409


async def test_the_audit_log_is_read_in_pages_and_verified(people: dict[str, Visitor]) -> None:
    """Under random names; an odd question is an error, not everything."""
    dpo = people["dpo"]
    _, first = await dpo.json("GET", f"{ADMIN}/audit?limit=3")
    oldest = first["events"][-1]["sequence"]
    _, second = await dpo.json("GET", f"{ADMIN}/audit?limit=3&before={oldest}")

    assert [event["sequence"] for event in second["events"]] == [oldest - 1, oldest - 2, oldest - 3]
    assert "example.org" not in str(first)
    status, verdict = await dpo.json("POST", f"{ADMIN}/audit/verify")
    assert (status, verdict["intact"], verdict["problems"]) == (200, True, [])
    assert verdict["events"] > 5
    for query in ("limit=0", "limit=x", "before=-1", "before=1.5", f"before={10**30}", "limit=%C2%B2"):
        assert (await dpo.json("GET", f"{ADMIN}/audit?{query}"))[0] == 400, query


async def test_retention_shows_every_class_and_how_the_sweeps_stand(people: dict[str, Visitor]) -> None:
    """What is kept for how long, and whether something is late."""
    status, shown = await people["dpo"].json("GET", f"{ADMIN}/retention")

    assert status == 200
    chat = next(each for each in shown["classes"] if each["name"] == "chat")
    assert chat == {"name": "chat", "title": "Chat messages", "period": "90d", "coming": None, "due": 0}
    assert set(shown["sweeper"]) == {"last", "next", "waiting", "refused"}


async def test_a_person_under_no_id_is_not_found(people: dict[str, Visitor]) -> None:
    """Neither an account nor a seat."""
    admin = people["admin"]
    assert (await admin.json("POST", f"{ADMIN}/people/{NOBODY}/exports", {"language": "en"}))[0] == 404
    assert (await admin.json("POST", f"{ADMIN}/people/{NOBODY}/erasure", {"now": True}))[0] == 404
    assert (await admin.json("GET", f"{ADMIN}/exports/{NOBODY}/file"))[0] == 404


async def test_a_seat_of_a_member_is_not_taken_for_a_guest(people: dict[str, Visitor], place: str) -> None:
    """Whoever has an account is answered for by that, and not by halves."""
    seat = await was_there(people["member"], place, "Ben", "hello")

    assert (await people["admin"].json("GET", f"{ADMIN}/people/{seat.id}/erasure"))[0] == 404
