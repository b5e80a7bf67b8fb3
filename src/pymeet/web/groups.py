"""The API of groups: what administrators do with them, and what members see of theirs (docs/protocol.md, section 4.4)."""

from typing import Annotated, Any

from aiohttp import web
from pydantic import Field, model_validator

from pymeet.accounts import directory
from pymeet.accounts.groups import DESCRIPTION_LENGTH, NAME_LENGTH, Group, Groups
from pymeet.web.bodies import Body, read_json
from pymeet.web.paging import wanted
from pymeet.web.parts import PARTS
from pymeet.web.roles import administrator, record_view
from pymeet.web.sessions import member

Name = Annotated[str, Field(min_length=1, max_length=4 * NAME_LENGTH)]
Description = Annotated[str, Field(max_length=4 * DESCRIPTION_LENGTH)]
"""Both are measured after they were made uniform."""


class NewGroup(Body):
    name: Name
    description: Description = ""


class GroupChange(Body):
    name: Name | None = None
    description: Description | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "GroupChange":
        if self.name is None and self.description is None:
            raise ValueError("give a name or a description")
        return self


async def list_own(request: web.Request) -> web.Response:
    """The groups in which the member is, page by page."""
    user = await member(request)
    return web.json_response(await _page(request, of=user.id))


async def show_own(request: web.Request) -> web.Response:
    """One of them, with the names of who else is in it."""
    user = await member(request)
    group, people = await _groups(request).own(user.id, request.match_info["id"])
    return web.json_response({**_shown(group), "members": [{"id": each.id, "name": each.name} for each in people]})


async def list_all(request: web.Request) -> web.Response:
    await administrator(request)
    return web.json_response(await _page(request, of=None))


async def show(request: web.Request) -> web.Response:
    """A group with who is in it, in pages: `after` is the id that the page before named as `next`."""
    user = await administrator(request)
    group = await _groups(request).one(request.match_info["id"])
    _, after, limit = wanted(request)
    async with request.app[PARTS].database.read() as conn:
        found, following = await directory.members(conn, after=after, limit=limit, group=group.id)
    await record_view(request, user, group.id, len(found))
    members = [directory.shown(each) for each in found]
    return web.json_response({**_shown(group), "members": members, "next": following})


async def add(request: web.Request) -> web.Response:
    user = await administrator(request)
    body = await read_json(request, NewGroup)
    return web.json_response(_shown(await _groups(request).add(body.name, body.description, by=user.id)), status=201)


async def change(request: web.Request) -> web.Response:
    user = await administrator(request)
    body = await read_json(request, GroupChange)
    changes = {name: text for name, text in body.model_dump().items() if text is not None}
    return web.json_response(_shown(await _groups(request).change(request.match_info["id"], changes, by=user.id)))


async def delete(request: web.Request) -> web.Response:
    user = await administrator(request)
    await _groups(request).delete(request.match_info["id"], by=user.id)
    return web.Response(status=204)


async def join(request: web.Request) -> web.Response:
    """Puts somebody into the group; once more is no mistake."""
    user = await administrator(request)
    await _groups(request).join(request.match_info["id"], request.match_info["person"], by=user.id)
    return web.Response(status=204)


async def leave(request: web.Request) -> web.Response:
    user = await administrator(request)
    await _groups(request).leave(request.match_info["id"], request.match_info["person"], by=user.id)
    return web.Response(status=204)


async def _page(request: web.Request, *, of: str | None) -> dict[str, Any]:
    search, after, limit = wanted(request)
    found, following = await _groups(request).page(of=of, search=search, after=after, limit=limit)
    return {"groups": [_shown(each) for each in found], "next": following}


def _shown(group: Group) -> dict[str, Any]:
    return {
        "id": group.id,
        "name": group.name,
        "description": group.description,
        "people": group.people,
        "created_at": group.created_at_ms,
    }


def _groups(request: web.Request) -> Groups:
    parts = request.app[PARTS]
    return Groups(parts.database, parts.clock)
