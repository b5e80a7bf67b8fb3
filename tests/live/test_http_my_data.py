"""Members see, correct, take along, restrict and erase what is held about them, over HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from live_server import PASSWORD, Visitor, visiting
from privacy_people import Person, erased, guest_was_there, history, person, ready, seated, text_of, was_there

from pymeet.clock import ManualClock
from pymeet.config import Config
from pymeet.ops.client import call
from pymeet.privacy.erasure import Erasures
from pymeet.server import Server

DAY_S = 86_400


@pytest.fixture
async def ben(server: Server, admin: Visitor) -> AsyncIterator[Person]:
    """A member; Ada is the administrator."""
    async with person(server, "Ben") as ben:
        yield ben


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_ben(shared_server: Server, shared_admin: Visitor) -> AsyncIterator[Person]:
    """The same, where nothing that is asked for is done."""
    async with person(shared_server, "Ben") as ben:
        yield ben


def of(data: dict[str, Any]) -> dict[str, int]:
    """How much of each kind there is."""
    return {each["name"]: each["count"] for each in data["classes"]}


async def test_nobody_sees_anything_without_signing_in(visitor: Visitor) -> None:
    """Every route of this kind is for the person themselves."""
    assert (await visitor.json("GET", "/api/v1/my-data"))[0] == 401
    assert (await visitor.json("PATCH", "/api/v1/my-data", {"name": "x"}))[0] == 401
    assert (await visitor.json("POST", "/api/v1/my-data/exports", {"language": "en"}))[0] == 401
    assert (await visitor.json("GET", f"/api/v1/my-data/exports/{'A' * 22}/file"))[0] == 401
    assert (await visitor.json("PUT", "/api/v1/my-data/restriction", {"on": True}))[0] == 401
    assert (await visitor.json("PUT", "/api/v1/my-data/objection", {"on": True}))[0] == 401
    assert (await visitor.json("POST", "/api/v1/my-data/erasure", {"password": PASSWORD}))[0] == 401
    assert (await visitor.json("POST", f"/api/v1/my-data/consents/{'A' * 22}/withdraw"))[0] == 401
    assert (await visitor.json("GET", f"/api/v1/my-data/consents/{'A' * 22}/receipt"))[0] == 401
    assert (await visitor.json("POST", "/api/v1/my-data/notice", {"version": 1, "language": "en"}))[0] == 401


async def test_a_member_sees_what_is_held_in_words_and_numbers(room: str, ben: Person) -> None:
    """For each kind: what it is, why, until when at the latest, and who sees it."""
    await was_there(ben, room, "Ben", "one", "two")

    status, data = await ben.json("GET", "/api/v1/my-data")

    assert status == 200
    assert data["person"] == {"kind": "member", "name": "Ben", "email": "ben@example.org"}
    assert of(data)["messages"] == 2
    assert of(data)["users"] == of(data)["attendance"] == 1
    (chat,) = [each for each in data["classes"] if each["name"] == "messages"]
    assert chat["title"] == "What you write in the chat"
    assert chat["keep"]["period"] == "90 days"
    assert chat["keep"]["begins"] == "after the message was written"
    assert chat["keep"]["gone_by"] > 1_000 * DAY_S * 90
    assert chat["recipients"]
    assert data["limits"] == {"restricted": False, "objecting": False}
    assert data["erasure"] is None
    assert (data["exports"], data["consents"], data["requests"]) == ([], [], [])
    assert data["notice"]["acknowledged"] is False


async def test_words_come_in_the_language_of_the_browser(ben: Person) -> None:
    """German for who reads German."""
    async with ben.http.get("/api/v1/my-data", headers={"Accept-Language": "de-AT, en;q=0.5"}) as response:
        data = await response.json()

    assert "Ihr Konto" in str(data) or "Dein Konto" in str(data)


async def test_what_has_not_ended_has_no_day_on_which_it_is_gone(server: Server, room: str, ben: Person) -> None:
    """Whoever sits in a meeting cannot be told when it is forgotten."""
    async with seated(ben, room, "Ben"):
        _, data = await ben.json("GET", "/api/v1/my-data")

    (attendance,) = [each for each in data["classes"] if each["name"] == "attendance"]
    assert attendance["keep"]["gone_by"] is None


async def test_a_member_corrects_their_name(ben: Person) -> None:
    """Article 16, without asking anybody."""
    assert (await ben.json("PATCH", "/api/v1/my-data", {"name": " Benjamin "}))[0] == 204
    assert (await ben.json("GET", "/api/v1/me"))[1]["user"]["name"] == "Benjamin"
    assert (await ben.json("PATCH", "/api/v1/my-data", {"name": ""}))[0] == 400
    assert (await ben.json("PATCH", "/api/v1/my-data", {"name": "Ben", "admin": True}))[0] == 400
    assert (await ben.json("PATCH", "/api/v1/my-data", {"email": "ada@example.org"}))[0] == 400


async def test_a_member_takes_along_their_own_data_and_nobody_elses(
    server: Server, admin: Visitor, room: str, ben: Person
) -> None:
    """Made in the background, fetched as an attachment, told to the register of requests."""
    await was_there(ben, room, "Ben", "canary-of-ben-5d1c")
    await was_there(admin, room, "Ada", "canary-of-ada-77e0")

    status, answer = await ben.json("POST", "/api/v1/my-data/exports", {"language": "en"})
    assert status == 202
    made = await ready(ben, answer["id"])
    assert (made["state"], made["downloads_left"]) == ("ready", 5)
    async with ben.http.get(f"/api/v1/my-data/exports/{answer['id']}/file") as response:
        assert response.status == 200
        archive = await response.read()
        headers = response.headers

    assert len(archive) == made["size"] == int(headers["Content-Length"])
    assert headers["Content-Type"] == "application/zip"
    assert headers["Content-Disposition"].startswith('attachment; filename="pymeet-data-20')
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "canary-of-ben-5d1c" in text_of(archive)
    assert "canary-of-ada-77e0" not in text_of(archive)
    _, data = await ben.json("GET", "/api/v1/my-data")
    (fetched,) = data["exports"]
    assert (fetched["state"], fetched["downloads_left"]) == ("fetched", 4)
    assert fetched["requested_at"] <= fetched["ready_at"] < fetched["link_until"]
    (entry,) = data["requests"]
    assert (entry["right"], entry["state"], entry["decision"]) == ("access", "done", "granted")


async def test_an_archive_is_fetched_five_times_and_the_next_one_has_to_wait(ben: Person) -> None:
    """Whoever copies a cookie cannot fetch for ever, and nobody keeps the server busy with archives."""
    _, answer = await ben.json("POST", "/api/v1/my-data/exports", {"language": "de"})
    await ready(ben, answer["id"])
    path = f"/api/v1/my-data/exports/{answer['id']}/file"

    async with ben.http.post("/api/v1/my-data/exports", json={"language": "de"}) as response:
        assert response.status == 429
        assert 1 <= int(response.headers["Retry-After"]) <= 600
    statuses = []
    for _ in range(6):
        async with ben.http.get(path) as response:
            statuses.append(response.status)
            await response.read()

    assert statuses == [200] * 5 + [404]


async def test_a_download_that_is_broken_off_counts_once(ben: Person) -> None:
    """It counts when it begins: whether it arrived nobody can know. The server goes on."""
    _, answer = await ben.json("POST", "/api/v1/my-data/exports", {"language": "en"})
    await ready(ben, answer["id"])

    response = await ben.http.get(f"/api/v1/my-data/exports/{answer['id']}/file")
    response.close()

    assert (await ready(ben, answer["id"]))["downloads_left"] == 4
    async with ben.http.get(f"/api/v1/my-data/exports/{answer['id']}/file") as again:
        assert again.status == 200
        text_of(await again.read())


async def test_a_server_that_stops_leaves_no_half_of_an_archive(config: Config) -> None:
    """Made in the background means also: ended with the server, and nothing of it stays on the disk."""
    server = await Server.start(config)
    try:
        async with person(server, "Ben") as ben:
            _, answer = await ben.json("POST", "/api/v1/my-data/exports", {"language": "en"})
            cookies = {cookie.key: cookie.value for cookie in ben.http.cookie_jar}
    finally:
        await server.stop()

    server = await Server.start(config)
    try:
        async with visiting(server) as ben:
            ben.http.cookie_jar.update_cookies(cookies)
            made = await ready(ben, answer["id"])
            files = list(server.lifecycle.files.ids())
        assert (made["state"], len(files)) in (("failed", 0), ("ready", 1))
    finally:
        await server.stop()


async def test_looking_whether_there_is_an_archive_is_no_download(ben: Person) -> None:
    """HEAD must not use up what is counted."""
    _, answer = await ben.json("POST", "/api/v1/my-data/exports", {"language": "en"})
    await ready(ben, answer["id"])

    async with ben.http.head(f"/api/v1/my-data/exports/{answer['id']}/file") as response:
        assert response.status == 405
    assert (await ready(ben, answer["id"]))["downloads_left"] == 5


async def test_somebody_elses_archive_is_as_unknown_as_one_that_never_was(admin: Visitor, ben: Person) -> None:
    """The same 404, so that ids cannot be told apart; the administrator has a route of their own for this."""
    _, answer = await ben.json("POST", "/api/v1/my-data/exports", {"language": "en"})
    await ready(ben, answer["id"])

    stranger = await admin.json("GET", f"/api/v1/my-data/exports/{answer['id']}/file")
    nobody = await admin.json("GET", f"/api/v1/my-data/exports/{'A' * 22}/file")

    assert stranger[0] == 404
    assert stranger == nobody
    assert (await ready(ben, answer["id"]))["downloads_left"] == 5


async def test_what_a_member_restricts_nobody_reads_until_they_lift_it(server: Server, room: str, ben: Person) -> None:
    """Article 18: kept, and not used. Doing it twice changes nothing."""
    await was_there(ben, room, "Ben", "now you see me")
    for on, seen in ((True, []), (True, []), (False, ["now you see me"]), (False, ["now you see me"])):
        assert (await ben.json("PUT", "/api/v1/my-data/restriction", {"on": on}))[0] == 204
        assert await history(server, room) == seen
        _, data = await ben.json("GET", "/api/v1/my-data")
        assert data["limits"]["restricted"] is on
        assert of(data)["messages"] == 1


async def test_a_member_objects_and_is_no_longer_in_the_list_of_who_took_part(room: str, ben: Person) -> None:
    """Article 21, for what rests on legitimate interests."""
    await was_there(ben, room, "Ben")
    assert (await ben.json("PUT", "/api/v1/my-data/objection", {"on": True}))[0] == 204

    _, data = await ben.json("GET", "/api/v1/my-data")
    assert data["limits"]["objecting"] is True
    assert "attendance" not in of(data)

    assert (await ben.json("PUT", "/api/v1/my-data/objection", {"on": False}))[0] == 204
    assert (await ben.json("GET", "/api/v1/my-data"))[1]["limits"]["objecting"] is False


async def test_reading_the_notice_is_recorded_once_and_proved_by_a_receipt(
    server: Server, admin: Visitor, ben: Person
) -> None:
    """The page asks until it was read; what it recorded can be downloaded, and checked by the operator."""
    _, me = await ben.json("GET", "/api/v1/me")
    assert me["notice"]["needs_acknowledgement"] is True
    read = {"version": me["notice"]["version"], "language": "de"}
    assert (await ben.json("POST", "/api/v1/my-data/notice", {**read, "version": 999}))[0] == 404
    assert (await ben.json("POST", "/api/v1/my-data/notice", {**read, "language": "xx"}))[0] == 404

    assert (await ben.json("POST", "/api/v1/my-data/notice", read))[0] == 204
    assert (await ben.json("POST", "/api/v1/my-data/notice", read))[0] == 204

    assert (await ben.json("GET", "/api/v1/me"))[1]["notice"]["needs_acknowledgement"] is False
    _, data = await ben.json("GET", "/api/v1/my-data")
    assert data["notice"]["acknowledged"] is True
    (consent,) = data["consents"]
    assert (consent["purpose"], consent["decision"]) == ("privacy_notice", "acknowledged")
    path = f"/api/v1/my-data/consents/{consent['id']}"
    async with ben.http.get(f"{path}/receipt") as response:
        assert response.status == 200
        assert response.headers["Content-Disposition"].startswith("attachment;")
        receipt = await response.text()
    verified = await call(server.config, "consent.verify", {"text": receipt})
    assert verified["record_id"] == consent["id"]
    assert "Ben" not in json.dumps(json.loads(receipt))
    assert (await ben.json("POST", f"{path}/withdraw"))[0] == 409
    assert (await admin.json("GET", f"{path}/receipt"))[0] == 404
    assert (await admin.json("POST", f"{path}/withdraw"))[0] == 404


async def test_a_visitor_is_not_asked_to_read_the_notice(visitor: Visitor) -> None:
    """They are shown the link; only members are asked."""
    _, me = await visitor.json("GET", "/api/v1/me")

    assert me["notice"] == {"version": 1, "needs_acknowledgement": False}


async def test_an_erasure_locks_at_once_and_can_be_cancelled(server: Server, room: str, ben: Person) -> None:
    """Signed out everywhere, out of meetings, unread by others; with the password everything is as before."""
    await was_there(ben, room, "Ben", "do not forget me")
    async with visiting(server) as other:
        await other.json("POST", "/api/v1/sign-in", {"email": ben.email, "password": PASSWORD})
        async with seated(ben, room, "Ben") as seat, other.http.ws_connect(f"/ws/{room}") as waiting:
            (status, answer), code = await asyncio.gather(
                ben.json("POST", "/api/v1/my-data/erasure", {"password": PASSWORD}), seat.until_the_end()
            )
            assert (status, code) == (200, 4410)
            assert answer["status"].startswith("pme1.")
            await waiting.send_json({"type": "join", "v": 1, "name": "Ben"})
            assert (await waiting.receive_json())["code"] == "not_signed_in"
        assert list(ben.http.cookie_jar) == []
        assert (await other.json("GET", "/api/v1/me"))[1]["user"] is None
        assert await history(server, room) == []

        right = {"email": ben.email, "password": PASSWORD}
        status, problem = await other.json("POST", "/api/v1/sign-in", right)
        assert (status, problem["code"]) == (409, "erasure_pending")
        day = datetime.fromtimestamp(answer["erased_after"] / 1000, UTC).date().isoformat()
        assert day in problem["detail"]
        wrong = await other.json("POST", "/api/v1/sign-in", {**right, "password": "wrong"})
        unknown = await other.json("POST", "/api/v1/sign-in", {**right, "email": "nobody@example.org"})
        assert wrong == unknown
        assert wrong[0] == 401
        assert (await other.json("POST", "/api/v1/erasures/cancel", {**right, "password": "wrong"}))[0] == 401

        status, progress = await other.json("POST", "/api/v1/erasures/inspect", {"status": answer["status"]})
        assert (status, progress["state"], progress["result"]) == (200, "restricted", None)
        assert progress["erased_after"] == answer["erased_after"]

        status, back = await other.json("POST", "/api/v1/erasures/cancel", right)
        assert (status, back["user"]["email"]) == (200, ben.email)
        assert (await other.json("GET", "/api/v1/me"))[1]["user"]["id"] == ben.id
        assert await history(server, room) == ["do not forget me"]
        assert (await other.json("POST", "/api/v1/erasures/cancel", right))[1]["code"] == "no_erasure"
        _, progress = await other.json("POST", "/api/v1/erasures/inspect", {"status": answer["status"]})
        assert [step["state"] for step in progress["events"]] == ["requested", "verified", "restricted", "cancelled"]


async def test_after_the_grace_the_account_never_was(config: Config) -> None:
    """Two weeks later, by the clock alone: the sign-in is unknown, the messages name nobody, the proof stays readable."""
    clock = ManualClock()
    server = await Server.start(config, clock)
    try:
        token = server.first_admin_token
        async with visiting(server) as admin, person(server, "Ben") as ben:
            body = {"token": token, "name": "Ada", "email": "ada@example.org", "password": PASSWORD}
            await admin.json("POST", "/api/v1/links/redeem", body)
            room = await admin.make_room()
            await was_there(ben, room, "Ben", "soon to be nobody's")
            _, answer = await ben.json("POST", "/api/v1/my-data/erasure", {"password": PASSWORD})
            assert answer["erased_after"] == clock.now_ms() + 14 * DAY_S * 1000

            clock.advance(14 * DAY_S)
            await Erasures(server.lifecycle).due(clock.now_ms())

            done = await erased(admin, answer["status"])
            assert done["state"] == "done"
            assert done["result"]["complete"] is True
            assert "ben" not in json.dumps(done).lower()
            right = {"email": ben.email, "password": PASSWORD}
            gone = await ben.json("POST", "/api/v1/sign-in", right)
            assert gone == await ben.json("POST", "/api/v1/sign-in", {**right, "email": "nobody@example.org"})
            assert gone[0] == 401
            assert (await ben.json("POST", "/api/v1/erasures/cancel", right))[0] == 401
    finally:
        await server.stop()


async def test_the_last_administrator_cannot_vanish(admin: Visitor) -> None:
    """Nobody could answer requests any more."""
    status, problem = await admin.json("POST", "/api/v1/my-data/erasure", {"password": PASSWORD})

    assert (status, problem["code"]) == (409, "last_administrator")
    assert (await admin.json("GET", "/api/v1/me"))[1]["user"]["name"] == "Ada"


async def test_an_open_session_is_not_enough_to_erase_and_passwords_cannot_be_tried_there(ben: Person) -> None:
    """The password is asked for once more, and counted as at signing in."""
    answers = [
        (await ben.json("POST", "/api/v1/my-data/erasure", {"password": f"guess {number}"}))[0] for number in range(12)
    ]

    assert set(answers) == {401, 429}
    assert answers[-1] == 429
    assert (await ben.json("GET", "/api/v1/me"))[1]["user"] is not None


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/api/v1/my-data/restriction", {"on": "yes"}),
        ("PUT", "/api/v1/my-data/objection", {"on": 1}),
        ("PUT", "/api/v1/my-data/restriction", {}),
        ("POST", "/api/v1/my-data/exports", {}),
        ("POST", "/api/v1/my-data/exports", {"language": "en", "person": "somebody"}),
        ("POST", "/api/v1/my-data/erasure", {"password": ""}),
        ("POST", "/api/v1/my-data/notice", {"version": "1", "language": "en"}),
        ("POST", "/api/v1/my-data/notice", {"version": 2**70, "language": "en"}),
        ("POST", "/api/v1/erasures/inspect", {"status": 5}),
        ("POST", "/api/v1/erasures/cancel", {"email": "ben@example.org"}),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_bodies_are_exact(shared_ben: Person, method: str, path: str, body: dict[str, Any]) -> None:
    """Whatever else is sent changes nothing."""
    assert (await shared_ben.json(method, path, body))[0] == 400


async def test_a_guests_receipt_is_no_sign_in(server: Server, room: str, visitor: Visitor) -> None:
    """It opens a seat, never an account."""
    receipt = await guest_was_there(server, room, "Gail")

    async with visitor.http.get("/api/v1/my-data", headers={"Authorization": f"Bearer {receipt}"}) as response:
        assert response.status == 401
