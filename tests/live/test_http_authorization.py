"""Who may do what over HTTP (CVE classes 10, 11, 12, 20): every route that changes something × who asks."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from live_server import PASSWORD, Visitor, visiting
from whip_client import FRAGMENT, SDP, publisher

from pymeet.config import Config
from pymeet.ops.client import call
from pymeet.server import Server
from pymeet.web.routes import ROUTES

ROOM, OTHER = "/api/v1/rooms/{slug}", "/api/v1/rooms"

API = "/api/v1"

BODIES: dict[tuple[str, str], dict[str, Any] | None] = {
    ("POST", "/api/v1/sign-in"): {"email": "ada@example.org", "password": PASSWORD},
    ("POST", "/api/v1/sign-out"): None,
    ("POST", f"{API}/sign-in/oidc"): {},
    ("POST", f"{API}/sign-in/oidc/finish"): {"state": "x", "code": "x"},
    ("POST", "/oidc/backchannel-logout"): None,
    ("POST", f"{API}/security/confirm"): {},
    ("POST", f"{API}/security/identities"): {"password": PASSWORD},
    ("POST", f"{API}/security/identities/{{id}}/remove"): {"password": PASSWORD},
    ("POST", f"{API}/sign-in/second-factor"): {"ticket": "x", "code": "000000"},
    ("POST", f"{API}/sign-in/passkey/options"): None,
    ("POST", f"{API}/sign-in/passkey"): {"ticket": "x", "credential": {}},
    ("POST", f"{API}/security/totp"): {"password": PASSWORD},
    ("POST", f"{API}/security/totp/confirm"): {"code": "000000"},
    ("POST", f"{API}/security/totp/remove"): {"password": PASSWORD},
    ("POST", f"{API}/security/recovery-codes"): {"password": PASSWORD},
    ("POST", f"{API}/security/passkeys/options"): {"password": PASSWORD},
    ("POST", f"{API}/security/passkeys"): {"name": "Trap", "credential": {}},
    ("PATCH", f"{API}/security/passkeys/{{id}}"): {"name": "Trap"},
    ("POST", f"{API}/security/passkeys/{{id}}/remove"): {"password": PASSWORD},
    ("POST", f"{API}/security/password"): {"current": PASSWORD, "new": "a trap with a long name"},
    ("POST", f"{API}/security/sessions/end-others"): None,
    ("DELETE", f"{API}/security/sessions/{{id}}"): None,
    ("DELETE", f"{API}/security/devices/{{id}}"): None,
    ("POST", f"{API}/security/tokens"): {"name": "Trap", "scopes": ["rooms:read"], "password": PASSWORD},
    ("DELETE", f"{API}/security/tokens/{{id}}"): None,
    ("POST", f"{API}/admin/users/{{id}}/remove-second-factor"): None,
    ("POST", "/api/v1/links/inspect"): {"token": "x"},
    ("POST", "/api/v1/links/redeem"): {"token": "x", "password": PASSWORD},
    ("POST", OTHER): {"name": "Trap"},
    ("DELETE", ROOM): None,
    ("PATCH", f"{ROOM}/settings"): {"waiting_room": "everybody"},
    ("POST", f"{API}/meetings"): {
        "title": "Trap",
        "start": "2027-03-22T09:00",
        "time_zone": "UTC",
        "duration_min": 60,
    },
    ("PATCH", f"{API}/meetings/{{id}}"): {"title": "Trap"},
    ("DELETE", f"{API}/meetings/{{id}}"): None,
    ("PATCH", f"{API}/meetings/{{id}}/occurrences/{{recurrence}}"): {"start": "2027-03-23T09:00"},
    ("DELETE", f"{API}/meetings/{{id}}/occurrences/{{recurrence}}"): None,
    ("POST", f"{API}/meetings/{{id}}/invitees"): {"email": "eve@example.org"},
    ("POST", f"{API}/meetings/{{id}}/groups"): {"group": "A" * 22},
    ("DELETE", f"{API}/meetings/{{id}}/invitees/{{invitee}}"): None,
    ("PUT", f"{API}/meetings/{{id}}/answer"): {"answer": "accepted"},
    ("POST", f"{API}/connection-check"): {},
    ("POST", f"{API}/rsvp/inspect"): {"token": "x"},
    ("POST", f"{API}/rsvp/answer"): {"token": "x", "answer": "accepted"},
    ("POST", f"{API}/personal-room"): None,
    ("POST", f"{API}/calendar-feed"): None,
    ("DELETE", f"{API}/calendar-feed"): None,
    ("POST", f"{API}/notifications/read"): {"up_to": 1},
    ("POST", f"{API}/notifications/{{id}}/read"): None,
    ("DELETE", f"{API}/notifications/{{id}}"): None,
    ("PUT", f"{API}/notification-settings"): {"mail": True, "reminder_min": None},
    ("PATCH", f"{API}/recordings/{{id}}"): {"name": "Trap"},
    ("DELETE", f"{API}/recordings/{{id}}"): None,
    ("POST", f"{API}/recordings/{{id}}/restore"): None,
    ("POST", f"{API}/recordings/{{id}}/films"): {"layout": "grid", "format": "mp4", "height": 720, "names": True},
    ("POST", f"{API}/recordings/{{id}}/films/{{film}}/cancel"): None,
    ("POST", f"{API}/recordings/{{id}}/films/{{film}}/retry"): None,
    ("DELETE", f"{API}/recordings/{{id}}/films/{{film}}"): None,
    ("POST", f"{API}/recordings/{{id}}/people/{{person}}/remove"): None,
    ("POST", f"{API}/recordings/{{id}}/shares"): {"days": 7},
    ("DELETE", f"{API}/recordings/{{id}}/shares/{{share}}"): None,
    ("POST", f"{API}/shared-recordings"): {"token": "x"},
    ("POST", f"{API}/guest-data/consents/{{id}}/withdraw"): {"receipt": "x"},
    ("POST", f"{API}/guest-data/recordings/{{id}}/remove"): {"receipt": "x"},
    ("PATCH", f"{API}/my-data"): {"name": "Trap"},
    ("POST", f"{API}/my-data/exports"): {"language": "en"},
    ("PUT", f"{API}/my-data/restriction"): {"on": True},
    ("PUT", f"{API}/my-data/objection"): {"on": True},
    ("POST", f"{API}/my-data/erasure"): {"password": PASSWORD},
    ("POST", f"{API}/my-data/consents/{{id}}/withdraw"): None,
    ("POST", f"{API}/my-data/recordings/{{id}}/remove"): None,
    ("POST", f"{API}/my-data/notice"): {"version": 1, "language": "en"},
    ("POST", f"{API}/guest-data"): {"receipt": "x"},
    ("POST", f"{API}/guest-data/export"): {"receipt": "x", "language": "en"},
    ("PUT", f"{API}/guest-data/restriction"): {"receipt": "x", "on": True},
    ("POST", f"{API}/guest-data/erasure"): {"receipt": "x"},
    ("POST", f"{API}/erasures/inspect"): {"status": "x"},
    ("POST", f"{API}/erasures/cancel"): {"email": "ada@example.org", "password": PASSWORD},
    ("POST", f"{API}/register"): {"email": "eve@example.org"},
    ("POST", f"{API}/reset-password"): {"email": "ada@example.org"},
    ("POST", f"{API}/sign-in-link"): {"email": "ada@example.org"},
    ("PATCH", f"{API}/profile"): {"name": "Trap"},
    ("PATCH", f"{API}/profile/fields"): {"values": {"A" * 22: "Trap"}},
    ("PUT", f"{API}/profile/avatar"): None,
    ("DELETE", f"{API}/profile/avatar"): None,
    ("POST", f"{API}/profile/email"): {"email": "eve@example.org", "password": PASSWORD},
    ("POST", f"{API}/admin/invitations"): {"email": "eve@example.org", "name": "Eve"},
    ("POST", f"{API}/admin/users/{{id}}/disable"): None,
    ("POST", f"{API}/admin/users/{{id}}/enable"): None,
    ("POST", f"{API}/admin/users/{{id}}/reset-password"): None,
    ("PUT", f"{API}/admin/users/{{id}}/role"): {"role": "admin"},
    ("DELETE", f"{API}/admin/users/{{id}}"): None,
    ("DELETE", f"{API}/admin/users/{{id}}/tokens/{{token}}"): None,
    ("DELETE", f"{API}/admin/users/{{id}}/identities/{{identity}}"): None,
    ("PATCH", f"{API}/admin/users/{{id}}/profile-fields"): {"values": {"A" * 22: "Trap"}},
    ("POST", f"{API}/admin/profile-fields"): {"label": "Trap"},
    ("PATCH", f"{API}/admin/profile-fields/{{id}}"): {"label": "Trap"},
    ("DELETE", f"{API}/admin/profile-fields/{{id}}"): None,
    ("POST", f"{API}/admin/groups"): {"name": "Trap"},
    ("PATCH", f"{API}/admin/groups/{{id}}"): {"name": "Trap"},
    ("DELETE", f"{API}/admin/groups/{{id}}"): None,
    ("PUT", f"{API}/admin/groups/{{id}}/members/{{person}}"): None,
    ("DELETE", f"{API}/admin/groups/{{id}}/members/{{person}}"): None,
    ("PUT", f"{API}/admin/rooms/{{slug}}/owner"): {"owner": None},
    ("POST", f"{API}/admin/live/{{slug}}/end"): None,
    ("POST", f"{API}/admin/live/{{slug}}/people/{{person}}/remove"): {"ban": True},
    ("POST", f"{API}/admin/mail/retry"): None,
    ("POST", f"{API}/admin/mail/{{id}}/retry"): None,
    ("POST", f"{API}/admin/mail/{{id}}/drop"): None,
    ("PUT", f"{API}/admin/settings/{{name}}"): {"value": True},
    ("DELETE", f"{API}/admin/settings/{{name}}"): None,
    ("POST", f"{API}/admin/requests"): {"right": "access"},
    ("POST", f"{API}/admin/requests/{{id}}/decide"): {"decision": "granted"},
    ("POST", f"{API}/admin/requests/{{id}}/extend"): {"reason": "complexity"},
    ("POST", f"{API}/admin/people"): {"find": "ada@example.org"},
    ("POST", f"{API}/admin/people/{{id}}/exports"): {"language": "en"},
    ("POST", f"{API}/admin/people/{{id}}/erasure"): {"now": True},
    ("POST", f"{API}/admin/holds"): {"email": "ada@example.org", "reason": "legal_claim", "review_days": 1},
    ("POST", f"{API}/admin/holds/{{id}}/release"): None,
    ("POST", f"{API}/admin/audit/verify"): None,
}
"""Every route that changes something and counts the cookie, with a body that it takes."""


def test_every_route_that_changes_something_is_named_here() -> None:
    """A new route must say what a foreign page and a stranger get from it."""
    changing = {
        (route.method, re.sub(r"\{(\w+):.*?\](?:\{[\d,]+\})?\}", r"{\1}", route.path))
        for route in ROUTES
        if route.method not in ("GET", "OPTIONS")
    }

    assert {(method, path) for method, path in changing if not path.startswith(("/whip", "/whep", "/{kind"))} == set(
        BODIES
    )


@asynccontextmanager
async def member(server: Server, config: Config, name: str) -> AsyncIterator[Visitor]:
    """Somebody with an account, signed in by their link."""
    settings = config.model_copy(update={"http": server.config.http})
    added = await call(settings, "user.add", {"name": name, "email": f"{name.lower()}@example.org"})
    async with visiting(server) as visitor:
        body = {"token": added["link"].partition("#")[2], "password": PASSWORD}
        status, answer = await visitor.json("POST", "/api/v1/links/redeem", body)
        assert status == 200, answer
        yield visitor


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def only_room(shared_admin: Visitor) -> str:
    """The slug of the one room of the shared server, which must be there after every request that is refused."""
    return await shared_admin.make_room()


@pytest.mark.parametrize(("method", "path"), BODIES)
@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "", "Sec-Fetch-Site": "cross-site"}]
)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_foreign_page_changes_nothing_by_any_route(
    shared_admin: Visitor, only_room: str, method: str, path: str, headers: dict[str, str]
) -> None:
    """Whatever the browser sends along, the answer is 403 and the session, the rooms and the account are as they were."""
    url = re.sub(r"\{\w+\}", "A" * 22, path.replace("{slug}", only_room))
    async with shared_admin.http.request(method, url, json=BODIES[method, path], headers=headers) as response:
        assert response.status == 403
        assert (await response.json(content_type=None))["code"] == "foreign_origin"
        assert "Set-Cookie" not in response.headers

    assert (await shared_admin.json("GET", "/api/v1/me"))[1]["user"]["name"] == "Ada"
    assert [entry["slug"] for entry in (await shared_admin.json("GET", "/api/v1/rooms"))[1]["rooms"]] == [only_room]


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_a_form_is_no_request(admin: Visitor, content_type: str) -> None:
    """These are the types that a page may send anywhere without asking first."""
    async with admin.http.post(
        "/api/v1/rooms", data=b'{"name": "Trap"}', headers={"Content-Type": content_type}
    ) as response:
        assert response.status == 415


async def test_another_member_neither_sees_nor_deletes_a_room(
    server: Server, config: Config, admin: Visitor, room: str
) -> None:
    """Rooms are listed for their owner; knowing the address makes nobody its owner."""
    async with member(server, config, "Eve") as eve:
        own = await eve.make_room("Eve's")
        assert [entry["slug"] for entry in (await eve.json("GET", "/api/v1/rooms"))[1]["rooms"]] == [own]
        assert (await eve.json("GET", f"/api/v1/rooms/{room}"))[1]["role"] == "member"

        status, problem = await eve.json("DELETE", f"/api/v1/rooms/{room}")

        assert (status, problem["code"]) == (403, "not_allowed")
        assert (await eve.json("DELETE", f"/api/v1/rooms/{own}"))[0] == 204
    assert (await admin.json("GET", f"/api/v1/rooms/{room}"))[0] == 200


async def test_an_account_that_is_disabled_is_out_everywhere_at_once(
    server: Server, config: Config, admin: Visitor
) -> None:
    """The session, the meeting that goes on, a connection that has not joined yet, and signing in again."""
    settings = config.model_copy(update={"http": server.config.http})
    async with member(server, config, "Eve") as eve:
        slug = await eve.make_room("Eve's")
        async with eve.http.ws_connect(f"/ws/{slug}") as joined, eve.http.ws_connect(f"/ws/{slug}") as waiting:
            await joined.send_json({"type": "join", "v": 1, "name": "Eve"})
            assert (await joined.receive_json())["role"] == "host"

            await call(settings, "user.disable", {"email": "eve@example.org"})
            await waiting.send_json({"type": "join", "v": 1, "name": "Eve"})

            async with asyncio.timeout(5):
                said = [message.json() async for message in joined if message.type is aiohttp.WSMsgType.TEXT]
                refused = await waiting.receive_json()
            assert said[-1]["type"] == "removed"
            assert joined.close_code == 4410
            assert (refused["type"], refused["code"]) == ("error", "not_signed_in")
        assert (await eve.json("GET", "/api/v1/me"))[1]["user"] is None
        assert (await eve.json("POST", "/api/v1/rooms", {"name": "x"}))[0] == 401
        body = {"email": "eve@example.org", "password": PASSWORD}
        assert (await eve.json("POST", "/api/v1/sign-in", body))[0] == 401
    assert (await admin.json("GET", f"/api/v1/rooms/{slug}"))[1]["people"] == 0


async def test_a_link_works_once(server: Server, config: Config, admin: Visitor) -> None:
    """Whoever finds it afterwards in a mailbox can do nothing with it, and does not learn whose it was."""
    settings = config.model_copy(update={"http": server.config.http})
    added = await call(settings, "user.add", {"name": "Eve", "email": "eve@example.org"})
    token = added["link"].partition("#")[2]
    async with visiting(server) as first, visiting(server) as second:
        used = await first.json("POST", "/api/v1/links/redeem", {"token": token, "password": PASSWORD})
        again = await second.json("POST", "/api/v1/links/redeem", {"token": token, "password": "another password"})
        looked = await second.json("POST", "/api/v1/links/inspect", {"token": token})
        assert (await second.json("GET", "/api/v1/me"))[1]["user"] is None

    assert used[0] == 200
    assert (again[0], looked[0]) == (404, 404)
    assert "eve@example.org" not in str(looked[1])


async def test_a_session_is_new_at_every_sign_in(server: Server, admin: Visitor) -> None:
    """One that was planted before is no session afterwards (CVE class 20)."""
    (planted,) = [cookie for cookie in admin.http.cookie_jar if "session" in cookie.key]
    former = {planted.key: planted.value}
    body = {"email": "ada@example.org", "password": PASSWORD}

    assert (await admin.json("POST", "/api/v1/sign-in", body))[0] == 200

    (fresh,) = [cookie for cookie in admin.http.cookie_jar if "session" in cookie.key]
    assert fresh.value != planted.value
    async with aiohttp.ClientSession(server.url) as bare, bare.get("/api/v1/me", cookies=former) as response:
        assert (await response.json())["user"] is None


async def test_the_address_of_a_session_counts_in_its_own_room_only(admin: Visitor, room: str) -> None:
    """A WHIP session under another room, or as a WHEP session, is as unknown as one that was guessed (CVE class 10)."""
    other = await admin.make_room("Other")
    async with publisher() as peer:
        async with admin.http.post(f"/whip/{room}", data=peer.offer, headers=SDP) as response:
            assert response.status == 201
            session = response.headers["Location"].rpartition("/")[2]
        paths = [f"/whip/{other}/{session}", f"/whep/{room}/{session}", f"/whip/{room}/{'A' * 22}"]

        for path in paths:
            async with admin.http.delete(path) as response:
                answers = {await response.text()}
                assert response.status == 404
            async with admin.http.patch(path, data=b"a=ice-ufrag:abcd\r\n", headers=FRAGMENT) as response:
                answers.add(await response.text())
                assert response.status == 404
            assert len(answers) == 1

        assert (await admin.json("GET", f"/api/v1/rooms/{room}"))[1]["people"] == 1
        async with admin.http.delete(f"/whip/{room}/{session}") as response:
            assert response.status == 200
