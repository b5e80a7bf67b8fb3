"""Signing in and out, one-time links, the session cookie."""

import asyncio
from typing import Any

import pytest
from live_server import PASSWORD, Visitor, visiting

from pymeet.accounts.throttle import AttemptLimiter
from pymeet.clock import ManualClock
from pymeet.config import Config
from pymeet.server import Server


async def test_the_first_link_makes_the_first_administrator_and_works_once(server: Server, visitor: Visitor):
    """Whoever has the console sets the server up; a second use of the link is refused."""
    token = server.first_admin_token
    body = {"token": token, "name": "Ada", "email": "ada@example.org", "password": PASSWORD}

    status, link = await visitor.json("POST", "/api/v1/links/inspect", {"token": token})
    assert (status, link["purpose"]) == (200, "first_admin")
    status, answer = await visitor.json("POST", "/api/v1/links/redeem", body)
    assert status == 200
    assert answer["user"]["admin"] is True
    status, me = await visitor.json("GET", "/api/v1/me")
    assert me["user"] == answer["user"]
    assert me["may_create_rooms"] is True

    status, problem = await visitor.json("POST", "/api/v1/links/redeem", body)
    assert status in (404, 409)
    assert problem["code"]


async def test_an_unknown_link_is_a_404(visitor: Visitor):
    """A guess learns nothing."""
    status, _ = await visitor.json("POST", "/api/v1/links/inspect", {"token": "x" * 43})

    assert status == 404


async def test_nobody_is_signed_in_at_first(visitor: Visitor):
    """A fresh installation has no default account."""
    status, me = await visitor.json("GET", "/api/v1/me")

    assert status == 200
    notice = {"version": 1, "needs_acknowledgement": False}
    assert me == {
        "user": None,
        "guests_allowed": True,
        "may_create_rooms": False,
        "registration": "invitation",
        "announcement": None,
        "minimum_password": 12,
        "mail": False,
        "oidc": None,
        "confirm": None,
        "notice": notice,
    }


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(server: Server, admin: Visitor):
    """Over plain HTTP on loopback; the flags for HTTPS are in their own test."""
    async with admin.http.post("/api/v1/sign-in", json={"email": "ada@example.org", "password": PASSWORD}) as response:
        assert response.status == 200
        cookies = response.headers.getall("Set-Cookie")

    assert sorted(cookie.partition("=")[0] for cookie in cookies) == ["pymeet_device", "pymeet_session"]
    for cookie in cookies:
        assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= {part.strip() for part in cookie.split(";")}
        assert "Domain" not in cookie
        assert "Max-Age" in cookie


async def test_signing_in_again_rotates_the_session(admin: Visitor):
    """A session that somebody planted or saw before the sign-in is worth nothing after it."""
    before = {cookie.key: cookie.value for cookie in admin.http.cookie_jar}
    status, _ = await admin.json("POST", "/api/v1/sign-in", {"email": "ada@example.org", "password": PASSWORD})
    after = {cookie.key: cookie.value for cookie in admin.http.cookie_jar}

    assert status == 200
    assert before.keys() == after.keys()
    assert before["pymeet_session"] != after["pymeet_session"]
    async with admin.http.get("/api/v1/me", headers={"Cookie": f"pymeet_session={before['pymeet_session']}"}) as answer:
        assert (await answer.json())["user"] is None or "pymeet_session" in after


async def test_a_session_from_before_is_dead_after_signing_in_again(server: Server, admin: Visitor):
    """The old token is tried from elsewhere."""
    (old,) = [cookie.value for cookie in admin.http.cookie_jar if cookie.key == "pymeet_session"]
    await admin.json("POST", "/api/v1/sign-in", {"email": "ada@example.org", "password": PASSWORD})

    async with visiting(server) as thief, thief.http.get("/api/v1/me", cookies={"pymeet_session": old}) as response:
        assert (await response.json())["user"] is None


async def test_signing_out_ends_the_session_here_and_in_the_browser(server: Server, admin: Visitor):
    """A copied cookie is worth nothing after signing out."""
    (old,) = [cookie.value for cookie in admin.http.cookie_jar if cookie.key == "pymeet_session"]

    status, _ = await admin.json("POST", "/api/v1/sign-out")

    assert status == 204
    assert [cookie.key for cookie in admin.http.cookie_jar] == ["pymeet_device"]  # known again, and nothing more
    async with visiting(server) as thief, thief.http.get("/api/v1/me", cookies={"pymeet_session": old}) as response:
        assert (await response.json())["user"] is None


async def test_wrong_password_and_unknown_person_look_the_same(server: Server, admin: Visitor):
    """Nobody learns who has an account here."""
    async with visiting(server) as guesser:
        wrong = await guesser.json("POST", "/api/v1/sign-in", {"email": "ada@example.org", "password": "wrong"})
        unknown = await guesser.json("POST", "/api/v1/sign-in", {"email": "bob@example.org", "password": "wrong"})

    assert wrong[0] == 401
    assert wrong == unknown


async def test_passwords_cannot_be_tried_through(server: Server, admin: Visitor):
    """After ten failures an address waits, also when it asks in parallel."""
    async with visiting(server) as guesser:
        answers = await asyncio.gather(
            *[
                guesser.json("POST", "/api/v1/sign-in", {"email": "ada@example.org", "password": f"guess {n}"})
                for n in range(30)
            ]
        )
        async with guesser.http.post("/api/v1/sign-in", json={"email": "a@b.c", "password": "x"}) as response:
            assert response.status == 429
            assert 1 <= int(response.headers["Retry-After"]) <= 60

    statuses = [status for status, _ in answers]
    assert statuses.count(401) <= 11
    assert statuses.count(429) >= 19


async def test_who_failed_to_sign_in_is_forgotten_also_when_nobody_tries_again(
    config: Config, monkeypatch: pytest.MonkeyPatch
):
    """The inventory promises it: addresses of people must not wait in memory for the next attempt."""
    monkeypatch.setattr("pymeet.server.FORGET_EVERY_S", 0.01)
    limiters: list[AttemptLimiter] = []
    monkeypatch.setattr("pymeet.web.app.AttemptLimiter", lambda **limits: remember(limiters, **limits))
    monkeypatch.setattr("pymeet.accounts.service.AttemptLimiter", lambda **limits: remember(limiters, **limits))
    clock = ManualClock()
    server = await Server.start(config, clock)
    try:
        async with visiting(server) as guesser:
            await guesser.json("POST", "/api/v1/sign-in", {"email": "ada@example.org", "password": "wrong"})
        # the last counts connection checks, of which there was none
        assert [limiter.key_count for limiter in limiters] == [1, 1, 1, 0]

        clock.advance(301)

        async with asyncio.timeout(5):
            while any(limiter.key_count for limiter in limiters):  # noqa: ASYNC110  forgetting tells nobody
                await asyncio.sleep(0.01)
    finally:
        await server.stop()


def remember(limiters: list[AttemptLimiter], **limits: Any) -> AttemptLimiter:
    """A limiter that the test can look into."""
    limiters.append(AttemptLimiter(**limits))
    return limiters[-1]
