"""API tokens over HTTP: the door that they open, and the ways past it that there must not be (docs/protocol.md, 4.6)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from live_server import PASSWORD, Visitor, visiting
from sqlalchemy import select

from pymeet.config import Config
from pymeet.db.schema import audit_events
from pymeet.ops.client import call
from pymeet.server import Server
from pymeet.web.bearer import API_PATH
from pymeet.web.routes import ROUTES
from pymeet.web.scopes import CLOSED, PUBLIC, SCOPES

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOKENS = "/api/v1/security/tokens"
WRONG = f"pymeet_{'x' * 43}"


def _routes() -> set[tuple[str, str]]:
    """Method and canonical path of every route of the API."""
    app = web.Application()
    app.add_routes(ROUTES)
    found = {(each.method, each.resource.canonical) for each in app.router.routes() if each.resource}
    return {(method, path) for method, path in found if method != "HEAD" and path.startswith(API_PATH)}


async def test_every_route_says_whether_tokens_open_it_and_by_which_scope() -> None:
    """Whoever adds a route decides; one that nobody thought of would refuse tokens, and be missing from the document."""
    tables = [set(SCOPES), set(PUBLIC), set(CLOSED)]

    assert set().union(*tables) == _routes()
    assert sum(map(len, tables)) == len(_routes())
    assert not {path for method, path in SCOPES if method != "GET" and SCOPES[method, path].endswith(":read")} - {
        f"{API_PATH}admin/people",
        f"{API_PATH}admin/audit/verify",
    }, "a scope that reads lets nothing be changed"


@asynccontextmanager
async def _program(server: Server, token: str) -> AsyncIterator[Visitor]:
    """A program: no cookies, no Origin, a token."""
    async with visiting(server) as visitor:
        del visitor.http.headers["Origin"]  # type: ignore[attr-defined]
        visitor.http.headers["Authorization"] = f"Bearer {token}"  # type: ignore[index]
        yield visitor


async def _make(visitor: Visitor, *scopes: str, name: str = "Program", **more: Any) -> dict[str, Any]:
    body = {"name": name, "scopes": list(scopes), "password": PASSWORD, **more}
    status, made = await visitor.json("POST", TOKENS, body)
    assert status == 201, made
    return dict(made)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mei(shared_server: Server, shared_config: Config, shared_admin: Visitor) -> AsyncIterator[Visitor]:
    """A member, signed in."""
    settings = shared_config.model_copy(update={"http": shared_server.config.http})
    added = await call(settings, "user.add", {"name": "Mei", "email": "mei@example.org"})
    async with visiting(shared_server) as visitor:
        body = {"token": added["link"].partition("#")[2], "password": PASSWORD}
        assert (await visitor.json("POST", "/api/v1/links/redeem", body))[0] == 200
        yield visitor


async def test_a_program_works_by_its_token_alone(shared_server: Server, mei: Visitor) -> None:
    """Without cookie and without Origin, also where something is changed."""
    made = await _make(mei, "rooms:read", "rooms:write", days=7)
    assert made["scopes"] == ["rooms:read", "rooms:write"]
    assert made["expires_at"] - made["created_at"] == 7 * 86_400_000

    async with _program(shared_server, made["token"]) as program:
        slug = await program.make_room("By a program")
        rooms = (await program.json("GET", "/api/v1/rooms"))[1]["rooms"]
        assert [room["slug"] for room in rooms] == [slug]
        async with program.http.head(f"/api/v1/rooms/{slug}") as response:
            assert response.status == 200
            assert "Set-Cookie" not in response.headers
        assert (await program.json("DELETE", f"/api/v1/rooms/{slug}"))[0] == 204
        assert (await program.json("GET", "/api/v1/privacy"))[0] == 200, "what is open to everybody"

    listed = (await mei.json("GET", TOKENS))[1]["tokens"]
    (shown,) = [each for each in listed if each["id"] == made["id"]]
    assert shown["last_used_at"] % 3_600_000 == 0
    assert made["token"] not in str(listed)


async def test_administrators_see_and_end_the_tokens_of_others(
    shared_server: Server, shared_admin: Visitor, mei: Visitor
) -> None:
    """When somebody left and cannot do it, or a program runs wild; what they did is in the log, and the token is not told."""
    made = await _make(mei, "rooms:read", name="Runs wild")
    user_id = (await mei.json("GET", "/api/v1/me"))[1]["user"]["id"]
    own_id = (await shared_admin.json("GET", "/api/v1/me"))[1]["user"]["id"]
    path = f"/api/v1/admin/users/{user_id}"
    assert (await mei.json("GET", f"{path}/access"))[0] == 403

    status, shown = await shared_admin.json("GET", f"{path}/access")

    assert (status, shown["identities"]) == (200, [])
    (token,) = [each for each in shown["tokens"] if each["name"] == "Runs wild"]
    assert (token["id"], token["scopes"]) == (made["id"], ["rooms:read"])
    assert made["token"] not in str(shown)
    of_another = f"/api/v1/admin/users/{own_id}/tokens/{made['id']}"
    assert (await shared_admin.json("DELETE", of_another))[0] == 400
    assert (await shared_admin.json("DELETE", f"{path}/tokens/{'A' * 22}"))[0] == 404
    assert (await shared_admin.json("DELETE", f"{path}/tokens/{made['id']}"))[0] == 204
    async with _program(shared_server, made["token"]) as program:
        assert (await program.json("GET", "/api/v1/rooms"))[1]["code"] == "bad_token"
    assert (await shared_admin.json("DELETE", f"{path}/identities/{'A' * 22}"))[0] == 404
    async with shared_server.database.read() as conn:
        actions = (await conn.execute(select(audit_events.c.action))).scalars().all()
    assert {"data.viewed", "token.revoked"} <= set(actions)


async def test_a_scope_that_is_missing_is_named(shared_server: Server, mei: Visitor) -> None:
    """So that whoever wrote the program knows what to ask for (RFC 6750, section 3.1)."""
    made = await _make(mei, "rooms:read")

    async with _program(shared_server, made["token"]) as program:
        async with program.http.post("/api/v1/rooms", json={"name": "Trap"}) as response:
            assert response.status == 403
            assert (await response.json(content_type=None))["code"] == "missing_scope"
            assert 'error="insufficient_scope", scope="rooms:write"' in response.headers["WWW-Authenticate"]
        assert (await program.json("GET", "/api/v1/me"))[1]["code"] == "missing_scope"
    assert (await mei.json("GET", "/api/v1/rooms"))[1]["rooms"] == []


@pytest.mark.parametrize(("method", "path"), sorted(CLOSED), ids=lambda part: part.removeprefix(API_PATH))
async def test_what_is_closed_to_tokens_stays_so_with_every_scope(
    shared_server: Server, every_scope: str, method: str, path: str
) -> None:
    """Else a token could make another one, change the password, or erase its person."""
    url = path.replace("{recurrence}", "20270101")
    for name in ("id", "share", "invitee", "person", "token", "identity"):
        url = url.replace(f"{{{name}}}", "A" * 22)
    url = url.replace("{slug}", "a").replace("{picture}", "A" * 43)

    async with _program(shared_server, every_scope) as program:
        status, problem = await program.json(method, url, None if method == "GET" else {})

    assert (status, problem["code"]) == (403, "not_for_tokens")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def every_scope(shared_admin: Visitor) -> str:
    """A token of the administrator's that may do all that tokens may."""
    scopes = (await shared_admin.json("GET", TOKENS))[1]["scopes"]
    return str((await _make(shared_admin, *scopes))["token"])


async def test_a_token_never_may_more_than_its_person(
    shared_server: Server, shared_admin: Visitor, mei: Visitor
) -> None:
    """Scopes only open parts of what somebody may do: neither another's room nor what is for administrators."""
    assert "users:read" not in (await mei.json("GET", TOKENS))[1]["scopes"]
    body = {"name": "Trap", "scopes": ["users:read"], "password": PASSWORD}
    status, problem = await mei.json("POST", TOKENS, body)
    assert (status, problem["code"]) == (403, "scope_not_allowed")

    theirs = await shared_admin.make_room("Not hers")
    made = await _make(mei, "rooms:read", "rooms:write")
    async with _program(shared_server, made["token"]) as program:
        assert (await program.json("DELETE", f"/api/v1/rooms/{theirs}"))[1]["code"] == "not_allowed"
        assert (await program.json("GET", "/api/v1/admin/users"))[1]["code"] == "missing_scope"


async def test_a_good_token_gets_nothing_from_a_cookie_beside_it(shared_admin: Visitor, mei: Visitor) -> None:
    """The administrator's browser with a member's token asks as the member, and only within its scopes."""
    made = await _make(mei, "profile:read")
    headers = {"Authorization": f"Bearer {made['token']}", "Origin": "https://evil.example"}

    async with shared_admin.http.get("/api/v1/me", headers=headers) as response:
        assert (await response.json())["user"]["name"] == "Mei"
    async with shared_admin.http.get("/api/v1/admin/users", headers=headers) as response:
        assert response.status == 403
    async with shared_admin.http.post("/api/v1/sign-out", headers=headers) as response:
        assert response.status == 403


async def test_a_token_is_nothing_outside_the_api(shared_server: Server, every_scope: str) -> None:
    """Meetings are joined by people, media is published with room tokens, and pages are for browsers."""
    async with _program(shared_server, every_scope) as program:
        async with program.http.post("/whip/tea", data=b"v=0", headers={"Content-Type": "application/sdp"}) as response:
            assert response.status in (401, 404)
        async with program.http.get("/metrics") as response:
            assert response.status in (401, 404)
        async with program.http.get("/api/v1/nothing") as response:
            assert response.status == 404
        async with program.http.delete("/api/v1/me") as response:
            assert response.status == 405


async def test_making_a_token_asks_for_the_password(mei: Visitor) -> None:
    """A screen that somebody left unlocked must not be enough to get in for a year."""
    before = (await mei.json("GET", TOKENS))[1]["tokens"]
    body = {"name": "Trap", "scopes": ["rooms:read"], "password": "not hers at all"}

    assert (await mei.json("POST", TOKENS, body))[1]["code"] == "wrong_credentials"

    assert (await mei.json("GET", TOKENS))[1]["tokens"] == before


async def test_a_revoked_token_is_void_at_once_and_others_cannot_revoke_it(
    shared_server: Server, shared_admin: Visitor, mei: Visitor
) -> None:
    """One knows the other's id at most."""
    made = await _make(mei, "profile:read")
    async with _program(shared_server, made["token"]) as program:
        assert (await shared_admin.json("DELETE", f"{TOKENS}/{made['id']}"))[0] == 404
        assert (await program.json("GET", "/api/v1/me"))[0] == 200
        assert (await mei.json("DELETE", f"{TOKENS}/{made['id']}"))[0] == 204
        status, problem = await program.json("GET", "/api/v1/me")

    assert (status, problem["code"]) == (401, "bad_token")


async def test_the_operator_makes_lists_and_revokes_tokens(
    shared_server: Server, shared_config: Config, mei: Visitor
) -> None:
    """From a shell, while the server runs; it counts at once."""
    settings = shared_config.model_copy(update={"http": shared_server.config.http})
    arguments = {"email": "mei@example.org", "scopes": ["profile:read"], "expires": "1d"}
    made = await call(settings, "token.create", arguments)
    async with _program(shared_server, made["token"]) as program:
        assert (await program.json("GET", "/api/v1/me"))[1]["user"]["name"] == "Mei"
        listed = await call(settings, "token.list", {"email": "mei@example.org"})
        assert made["id"] in {each["id"] for each in listed}
        assert made["token"] not in str(listed)
        await call(settings, "token.revoke", {"token_id": made["id"]})
        assert (await program.json("GET", "/api/v1/me"))[0] == 401


# From here on this network has shown wrong tokens.


@pytest.mark.parametrize("token", [WRONG, "pymeet_", "", "pmr1.x.y", "x" * 60, "pymeet_ü", f"{WRONG} {WRONG}"])
async def test_a_wrong_token_is_not_helped_by_a_cookie(shared_admin: Visitor, token: str) -> None:
    """Neither read nor changed: a request is its token's or nobody's."""
    headers = {"Authorization": f"Bearer {token}"}
    for method, path, body in (
        ("GET", "/api/v1/me", None),
        ("POST", "/api/v1/rooms", {"name": "Trap"}),
        ("POST", "/api/v1/sign-out", None),
    ):
        async with shared_admin.http.request(method, path, json=body, headers=headers) as response:
            assert response.status in (401, 429)
            if response.status == 401:
                assert response.headers["WWW-Authenticate"] == 'Bearer realm="pymeet", error="invalid_token"'
                assert (await response.json(content_type=None))["code"] == "bad_token"
    assert (await shared_admin.json("GET", "/api/v1/me"))[1]["user"]["name"] == "Ada"


async def test_wrong_tokens_are_counted_by_network_and_lock_out_nobody(
    shared_server: Server, shared_admin: Visitor, mei: Visitor
) -> None:
    """A program whose token has ended asks on and on; the others in its office, and its own next token, must not suffer."""
    made = await _make(mei, "profile:read")
    async with aiohttp.ClientSession(shared_server.url) as http:
        answers = []
        for _ in range(12):
            async with http.get("/api/v1/me", headers={"Authorization": f"Bearer {WRONG}"}) as response:
                answers.append(response.status)
                retry_after = response.headers.get("Retry-After")
    assert answers[-1] == 429
    assert retry_after is not None
    assert int(retry_after) > 0

    async with _program(shared_server, made["token"]) as program, visiting(shared_server) as stranger:
        assert (await program.json("GET", "/api/v1/me"))[0] == 200
        body = {"email": "mei@example.org", "password": PASSWORD}
        assert (await stranger.json("POST", "/api/v1/sign-in", body))[0] == 200
