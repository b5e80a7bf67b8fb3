"""The API around a person: who am I, sign in, sign out, one-time links (docs/protocol.md, section 4)."""

from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from pymeet.accounts.model import User
from pymeet.privacy.notices import needs_acknowledgement
from pymeet.web.attempts import attempt
from pymeet.web.bodies import Body, read_json
from pymeet.web.parts import PARTS
from pymeet.web.personal_data import notice_now
from pymeet.web.sessions import begin_session, end_session, visitor

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
    parts = request.app[PARTS]
    notice, must_read = await notice_now(parts.lifecycle, parts.clock.now_ms()), None
    if user is not None:
        async with parts.database.read() as conn:
            must_read = await conn.run_sync(needs_acknowledgement, user.id)
    return web.json_response(
        {
            "user": user and shown_user(user),
            "guests_allowed": parts.config.rooms.guests_allowed,
            "may_create_rooms": user is not None,
            "notice": {"version": notice.version, "needs_acknowledgement": must_read is not None},
        }
    )


async def sign_in(request: web.Request) -> web.Response:
    """Checks the password. An address that failed often must wait, so that passwords cannot be tried through."""
    body = await read_json(request, SignIn)
    with attempt(request):
        user = await request.app[PARTS].accounts.check_password(body.email, body.password)
    response = web.json_response({"user": shown_user(user)})
    await begin_session(request, response, user)
    return response


async def sign_out(request: web.Request) -> web.Response:
    response = web.Response(status=204)
    await end_session(request, response)
    return response


async def inspect_link(request: web.Request) -> web.Response:
    body = await read_json(request, InspectLink)
    link = await request.app[PARTS].accounts.links.inspect(body.token)
    return web.json_response({"purpose": link.purpose, "name": link.name, "email": link.email})


async def redeem_link(request: web.Request) -> web.Response:
    body = await read_json(request, RedeemLink)
    user = await request.app[PARTS].accounts.links.redeem(body.token, body.name, body.email, body.password)
    response = web.json_response({"user": shown_user(user)})
    await begin_session(request, response, user)
    return response


def shown_user(user: User) -> dict[str, Any]:
    """A member as the API shows them to themselves."""
    return {"id": user.id, "name": user.name, "email": user.email, "admin": user.is_admin, "dpo": user.is_dpo}
