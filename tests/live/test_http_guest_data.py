"""Guests see, take along, restrict and erase what is held about their seat, by the receipt they got when they joined."""

import asyncio
from typing import Any

import pytest
from live_server import Visitor, visiting
from privacy_people import erased, guest_was_there, history, person, seated, text_of, was_there
from sqlalchemy import Connection, select
from tests.support.recordings import Seat, make_recording

from pymeet.db.schema import recording_tracks
from pymeet.privacy import consents, receipts, status_text
from pymeet.server import Server

GUEST = "/api/v1/guest-data"


async def test_a_guest_sees_their_seat_and_nothing_else(server: Server, room: str, visitor: Visitor) -> None:
    """The receipt comes with joining; nothing else is needed, and it opens one seat only."""
    gail = await guest_was_there(server, room, "Gail", "hello from Gail")
    hugo = await guest_was_there(server, room, "Hugo", "hello from Hugo", "and again")

    status, data = await visitor.json("POST", GUEST, {"receipt": gail})

    assert status == 200
    assert data["person"]["kind"] == "guest"
    assert (data["person"]["name"], data["person"]["room"]) == ("Gail", "Tea")
    assert {each["name"]: each["count"] for each in data["classes"]} == {"attendance": 1, "messages": 1}
    assert "Hugo" not in str(data)
    _, other = await visitor.json("POST", GUEST, {"receipt": hugo})
    assert {each["name"]: each["count"] for each in other["classes"]}["messages"] == 2


async def test_members_get_no_receipt(admin: Visitor, room: str) -> None:
    """They have an account to ask with."""
    assert (await was_there(admin, room, "Ada")).receipt is None


async def test_a_guest_takes_along_what_they_wrote_and_the_server_keeps_no_copy(
    server: Server, room: str, visitor: Visitor
) -> None:
    """Made while they wait; what others wrote is theirs."""
    gail = await guest_was_there(server, room, "Gail", "canary-of-gail-19ab")
    await guest_was_there(server, room, "Hugo", "canary-of-hugo-c2f4")

    for _ in range(2):  # nothing is left over that the next one would have to wait for
        async with visitor.http.post(f"{GUEST}/export", json={"receipt": gail, "language": "de"}) as response:
            assert response.status == 200
            assert response.headers["Content-Type"] == "application/zip"
            assert response.headers["Content-Disposition"].startswith('attachment; filename="pymeet-data-')
            archive = await response.read()
            assert len(archive) == int(response.headers["Content-Length"])

    assert "canary-of-gail-19ab" in text_of(archive)
    assert "canary-of-hugo-c2f4" not in text_of(archive)
    async with asyncio.timeout(5):
        while list(server.lifecycle.files.ids()):  # noqa: ASYNC110  the copy goes after the answer
            await asyncio.sleep(0.01)
    assert (await visitor.json("POST", GUEST, {"receipt": gail}))[1]["exports"] == []


async def test_what_a_guest_restricts_nobody_reads(server: Server, room: str, visitor: Visitor) -> None:
    """And others' messages are read as before."""
    gail = await guest_was_there(server, room, "Gail", "by Gail")
    await guest_was_there(server, room, "Hugo", "by Hugo")

    assert (await visitor.json("PUT", f"{GUEST}/restriction", {"receipt": gail, "on": True}))[0] == 204
    assert await history(server, room) == ["by Hugo"]
    assert (await visitor.json("POST", GUEST, {"receipt": gail}))[1]["limits"]["restricted"] is True

    assert (await visitor.json("PUT", f"{GUEST}/restriction", {"receipt": gail, "on": False}))[0] == 204
    assert await history(server, room) == ["by Gail", "by Hugo"]


async def test_a_guest_is_erased_at_once_also_out_of_the_meeting(server: Server, room: str, visitor: Visitor) -> None:
    """Afterwards the receipt opens nothing, and the text they got proves what was done."""
    hugo = await guest_was_there(server, room, "Hugo", "by Hugo")
    async with visiting(server) as gail, seated(gail, room, "Gail") as seat:
        await seat.say("by Gail")
        receipt = {"receipt": seat.receipt}
        (status, answer), code = await asyncio.gather(
            visitor.json("POST", f"{GUEST}/erasure", receipt), seat.until_the_end()
        )
        assert (status, code) == (200, 4410)

    done = await erased(visitor, answer["status"])

    assert (done["state"], done["result"]["complete"]) == ("done", True)
    assert done["request"] == answer["request"]
    assert "Gail" not in str(done)
    status, data = await visitor.json("POST", GUEST, receipt)
    assert (status, data["classes"]) == (200, [])
    assert (data["person"]["name"], data["person"]["room"]) == (None, None)
    for method, path, body in (
        ("POST", "/export", {**receipt, "language": "en"}),
        ("PUT", "/restriction", {**receipt, "on": True}),
        ("POST", "/erasure", receipt),
    ):
        status, problem = await visitor.json(method, f"{GUEST}{path}", body)
        assert (status, problem["code"]) == (404, "nothing_held")
    assert "by Hugo" in await history(server, room)
    assert (await visitor.json("POST", GUEST, {"receipt": hugo}))[1]["person"]["name"] == "Hugo"


async def test_a_receipt_that_is_not_ours_opens_nothing_and_all_of_them_look_alike(
    server: Server, room: str, visitor: Visitor
) -> None:
    """Forged, changed, of another kind, or nonsense: one answer."""
    good = await guest_was_there(server, room, "Gail")
    payload, _, signature = good.rpartition(".")
    bad = [
        "nonsense",
        f"{payload}.",
        f"{payload}.{'A' * len(signature)}",
        receipts.issue(b"x" * 32, "A" * 22, "B" * 22, 0),
        status_text.issue(b"x" * 32, "A" * 22),
        "pmg1.ÿÿ.ÿÿ",
    ]

    answers = [await visitor.json("POST", GUEST, {"receipt": text}) for text in bad]

    assert {status for status, _ in answers} == {401}
    assert len({str(problem) for _, problem in answers}) == 1
    assert answers[0][1]["code"] == "bad_receipt"


async def test_a_receipt_in_the_address_is_not_looked_at(server: Server, room: str, visitor: Visitor) -> None:
    """Addresses get into logs; a client that tries learns that it is the body that counts."""
    receipt = await guest_was_there(server, room, "Gail")

    assert (await visitor.json("GET", f"{GUEST}?receipt={receipt}"))[0] == 405
    assert (await visitor.json("POST", f"{GUEST}?receipt={receipt}", {}))[0] == 400


async def test_receipts_cannot_be_tried_through(server: Server, room: str, visitor: Visitor) -> None:
    """After ten bad ones the address waits, also with a good one; good ones alone are not counted."""
    good = await guest_was_there(server, room, "Gail")
    for _ in range(12):
        assert (await visitor.json("POST", GUEST, {"receipt": good}))[0] == 200

    statuses = [(await visitor.json("POST", GUEST, {"receipt": "bad"}))[0] for _ in range(11)]

    assert statuses == [401] * 10 + [429]
    async with visitor.http.post(GUEST, json={"receipt": good}) as response:
        assert response.status == 429
        assert 1 <= int(response.headers["Retry-After"]) <= 60


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "", {}),
        ("POST", "", {"receipt": ""}),
        ("POST", "", {"receipt": "x" * 1001}),
        ("POST", "", {"receipt": ["x"]}),
        ("POST", "/export", {"receipt": "x"}),
        ("PUT", "/restriction", {"receipt": "x", "on": "true"}),
        ("POST", "/erasure", {"receipt": "x", "person": "y"}),
    ],
)
async def test_bodies_are_exact(visitor: Visitor, method: str, path: str, body: dict[str, Any]) -> None:
    """Whatever else is sent is refused before the receipt is looked at."""
    assert (await visitor.json(method, f"{GUEST}{path}", body))[0] == 400


async def test_a_status_text_of_something_else_shows_nothing(server: Server, admin: Visitor, visitor: Visitor) -> None:
    """Only erasures are shown by it, and only with the server's own signature."""
    key = server.lifecycle.keys.purpose_key(status_text.PURPOSE)
    inspect = "/api/v1/erasures/inspect"
    async with person(server, "Ben") as ben:
        _, entered = await admin.json("POST", "/api/v1/admin/requests", {"right": "access", "email": ben.email})
    forged = status_text.issue(b"x" * 32, entered["id"])

    assert (await visitor.json("POST", inspect, {"status": forged}))[0] == 401
    assert (await visitor.json("POST", inspect, {"status": status_text.issue(key, entered["id"])}))[0] == 404
    assert (await visitor.json("POST", inspect, {"status": status_text.issue(key, "A" * 22)}))[0] == 404


async def test_a_guest_withdraws_a_consent_as_easily_as_it_was_given(
    server: Server, room: str, visitor: Visitor
) -> None:
    """What it allowed stops, and what was recorded by it is destroyed; another guest's receipt does not do."""
    gail = await guest_was_there(server, room, "Gail")
    hugo = await guest_was_there(server, room, "Hugo")
    key = await asyncio.to_thread(server.lifecycle.keys.purpose_key, receipts.PURPOSE)
    whose = receipts.read(key, gail).person
    other = receipts.read(key, hugo).person
    seats = {"Gail": Seat(None, whose.id), "Hugo": Seat(None, other.id)}
    made = await make_recording(server.lifecycle, room, None, seats)
    now_ms = server.lifecycle.clock.now_ms()

    def agree(conn: Connection) -> str:
        said = {"method": "dialog", "notice_version": 1, "language": "en", "now_ms": now_ms}
        return consents.record(conn, whose, "recording", made.id, "given", **said).id

    given = await server.lifecycle.db.work(agree)
    (shown,) = (await visitor.json("POST", GUEST, {"receipt": gail}))[1]["consents"]
    assert (shown["id"], shown["recording"], shown["decision"]) == (given, made.id, "given")

    path = f"{GUEST}/consents/{given}/withdraw"
    assert (await visitor.json("POST", path, {"receipt": hugo}))[0] == 404
    assert (await visitor.json("POST", path, {"receipt": gail}))[0] == 204
    assert (await visitor.json("POST", path, {"receipt": gail}))[0] == 409

    decided = (await visitor.json("POST", GUEST, {"receipt": gail}))[1]["consents"]
    assert [each["decision"] for each in decided] == ["given", "withdrawn"]
    assert await server.lifecycle.db.study(lambda conn: consents.of_object(conn, made.id)[-1].method) == "receipt"
    assert (await visitor.json("POST", GUEST, {"receipt": gail}))[1]["recordings"] == []
    assert [each["id"] for each in (await visitor.json("POST", GUEST, {"receipt": hugo}))[1]["recordings"]] == [made.id]
    left = await server.lifecycle.db.study(lambda conn: list(conn.execute(select(recording_tracks.c.id)).scalars()))
    assert left == [made.tracks["Hugo"]]
