"""The API by which administrators look after accounts (docs/protocol.md, section 4.1)."""

from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import Field

from pymeet.accounts import directory
from pymeet.accounts.mailed_links import Invited
from pymeet.accounts.model import Role, User
from pymeet.errors import InvalidInputError, NotAllowedError, NotFoundError
from pymeet.privacy.people import member as member_of
from pymeet.web.accounts import Email, mailed_links
from pymeet.web.bodies import Body, read_json
from pymeet.web.paging import wanted
from pymeet.web.parts import PARTS
from pymeet.web.personal_data import erasures
from pymeet.web.roles import administrator, allowed, record_view


class Invitation(Body):
    email: Email
    name: Annotated[str, Field(min_length=1, max_length=200)]
    """`clean_line` says how long it may be."""
    role: Literal["member", "admin", "dpo"] = "member"
    language: Literal["en", "de"] | None = None


class RoleWish(Body):
    role: Literal["member", "admin", "dpo"]


async def list_users(request: web.Request) -> web.Response:
    """People by name, page by page: `after` is the id that the page before named as `next`."""
    user = await administrator(request)
    search, after, limit = wanted(request)
    async with request.app[PARTS].database.read() as conn:
        found, following = await directory.members(conn, search=search, after=after, limit=limit)
    await record_view(request, user, "accounts", len(found))
    return web.json_response({"users": [directory.shown(each) for each in found], "next": following})


async def invite(request: web.Request) -> web.Response:
    """Makes an account and sends its link; somebody who has not come yet gets a fresh one."""
    user = await administrator(request)
    if request.app[PARTS].lifecycle.in_force.accounts.registration == "closed":
        raise NotAllowedError("Accounts are made on the command line only.", code="registration_closed")
    body = await read_json(request, Invitation)
    invited = await mailed_links(request).invite(body.name, body.email, Role(body.role), body.language, by=user.id)
    return web.json_response(await _sent(request, invited), status=201)


async def reset_password(request: web.Request) -> web.Response:
    user = await administrator(request)
    invited = await mailed_links(request).new_password(await _id(request), by=user.id)
    return web.json_response(await _sent(request, invited))


async def disable(request: web.Request) -> web.Response:
    user = await administrator(request)
    parts = request.app[PARTS]
    disabled = await parts.accounts.disable_user(await _id(request, but=user), by=user.id)
    await parts.registry.remove_person(disabled.id, "Your account was disabled.")
    return web.Response(status=204)


async def enable(request: web.Request) -> web.Response:
    user = await administrator(request)
    await request.app[PARTS].accounts.enable_user(await _id(request), by=user.id)
    return web.Response(status=204)


async def change_role(request: web.Request) -> web.Response:
    """Ends their sessions, and with them their part in a meeting that is going on."""
    user = await administrator(request)
    body = await read_json(request, RoleWish)
    await request.app[PARTS].accounts.change_role(await _id(request), Role(body.role), by=user.id)
    return web.Response(status=204)


async def delete(request: web.Request) -> web.Response:
    """The erasure of the person, with the time to think better of it."""
    user = await allowed(request, "erase.others")
    begun = await erasures(request).request(member_of(await _id(request)), "operator", user.id)
    return web.json_response({"request": begun.id, "erased_after": begun.not_before_ms})


async def _sent(request: web.Request, invited: Invited) -> dict[str, Any]:
    async with request.app[PARTS].database.read() as conn:
        found = await directory.member(conn, invited.user.id)
    shown = {"user": found and directory.shown(found)}
    return shown if invited.link is None else {**shown, "link": invited.link}


async def id_of_other(request: web.Request, user: User) -> str:
    """The id in the address, which is somebody else's. InvalidInputError for one's own, NotFoundError."""
    return await _id(request, but=user)


async def _id(request: web.Request, *, but: User | None = None) -> str:
    """The id in the address, which is nothing else that names an account; not one's own where that would lock one out."""
    user_id = request.match_info["id"]
    if but is not None and user_id == but.id:
        raise InvalidInputError("You cannot do this to your own account.")
    async with request.app[PARTS].database.read() as conn:
        if await directory.member(conn, user_id) is None:
            raise NotFoundError("There is no such account.")
    return user_id
