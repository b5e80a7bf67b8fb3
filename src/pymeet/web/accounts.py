"""The API around a person: who am I, sign in, sign out, one-time links (docs/protocol.md, section 4)."""

import math
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from pymeet.accounts.model import User
from pymeet.accounts.throttle import AttemptLimiter
from pymeet.web.bodies import Body, read_json
from pymeet.web.errors import StatusError
from pymeet.web.origins import client_address, neighbourhood
from pymeet.web.parts import PARTS
from pymeet.web.sessions import begin_session, end_session, visitor

FAILED_SIGN_INS = web.AppKey("failed_sign_ins", AttemptLimiter)

Email = Annotated[str, Field(min_length=3, max_length=254)]
Password = Annotated[str, Field(min_length=1, max_length=1000)]
Token = Annotated[str, Field(min_length=1, max_length=100)]


class SignIn(Body):
    email: Email
    password: Password


class InspectLink(Body):
    token: Token


class RedeemLink(Body):
    token: Token
    name: str | None = None
    """`Accounts` says how long it may be."""
    email: Email | None = None
    password: Password


async def me(request: web.Request) -> web.Response:
    user = await visitor(request)
    return web.json_response(
        {
            "user": user and _shown(user),
            "guests_allowed": request.app[PARTS].config.rooms.guests_allowed,
            "may_create_rooms": user is not None,
        }
    )


async def sign_in(request: web.Request) -> web.Response:
    """Checks the password. An address that failed often must wait, so that passwords cannot be tried through."""
    parts = request.app[PARTS]
    failed = request.app[FAILED_SIGN_INS]
    address = neighbourhood(client_address(request, parts.config.http.trusted_proxies))
    body = await read_json(request, SignIn)
    now = parts.clock.monotonic()
    if not failed.attempt(address, now):
        wait_s = math.ceil(failed.wait_s(address, now))
        retry = {"Retry-After": str(wait_s)}
        raise StatusError(429, f"Too many attempts. Try again in {wait_s} seconds.", headers=retry)
    user = await parts.accounts.check_password(body.email, body.password)
    failed.take_back(address)
    response = web.json_response({"user": _shown(user)})
    await begin_session(request, response, user)
    return response


async def sign_out(request: web.Request) -> web.Response:
    response = web.Response(status=204)
    await end_session(request, response)
    return response


async def inspect_link(request: web.Request) -> web.Response:
    body = await read_json(request, InspectLink)
    link = await request.app[PARTS].accounts.inspect_link(body.token)
    return web.json_response({"purpose": link.purpose, "name": link.name, "email": link.email})


async def redeem_link(request: web.Request) -> web.Response:
    body = await read_json(request, RedeemLink)
    user = await request.app[PARTS].accounts.redeem_link(body.token, body.name, body.email, body.password)
    response = web.json_response({"user": _shown(user)})
    await begin_session(request, response, user)
    return response


def _shown(user: User) -> dict[str, Any]:
    return {"id": user.id, "name": user.name, "email": user.email, "admin": user.is_admin}
