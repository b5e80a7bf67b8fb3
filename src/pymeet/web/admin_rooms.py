"""The API by which administrators look after rooms, and meetings that are going on (docs/protocol.md, section 4.4)."""

from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from pymeet.errors import NotFoundError
from pymeet.meetings import directory
from pymeet.ops.live_meetings import LiveMeetings
from pymeet.web.bodies import Body, read_json
from pymeet.web.paging import wanted
from pymeet.web.parts import PARTS
from pymeet.web.roles import administrator, record_view


class NewOwner(Body):
    owner: Annotated[str, Field(min_length=1, max_length=64)] | None
    """The id of an account; null: nobody in particular."""


class Removal(Body):
    ban: bool = False
    """Whether they may not come back into this meeting."""


async def list_rooms(request: web.Request) -> web.Response:
    """All rooms by name, page by page: `after` is what the page before named as `next`."""
    user = await administrator(request)
    search, after, limit = wanted(request)
    async with request.app[PARTS].database.read() as conn:
        found, following = await directory.listed(conn, search=search, after=after, limit=limit)
    await record_view(request, user, "rooms", len(found))
    return web.json_response({"rooms": [_shown(request, each) for each in found], "next": following})


async def hand_over(request: web.Request) -> web.Response:
    """Gives a room another owner. In a meeting that is going on, roles stay as they are."""
    user = await administrator(request)
    body, parts = await read_json(request, NewOwner), request.app[PARTS]
    room = await parts.meetings.hand_over(request.match_info["slug"], body.owner, by=user.id)
    await parts.registry.refresh(room.slug)
    async with parts.database.read() as conn:
        found = await directory.one(conn, room.slug)
    if found is None:
        raise NotFoundError("There is no such room.")
    return web.json_response(_shown(request, found))


async def list_live(request: web.Request) -> web.Response:
    """The meetings that are going on, by the room's name. Not audited: it names nobody, and the page asks all the time."""
    await administrator(request)
    _, after, limit = wanted(request)
    meetings = _live(request).listed()
    begin = next((place + 1 for place, each in enumerate(meetings) if each["slug"] == after), 0)
    page = meetings[begin : begin + limit]
    following = page[-1]["slug"] if len(meetings) > begin + limit else None
    return web.json_response({"meetings": page, "next": following})


async def live_people(request: web.Request) -> web.Response:
    """Who is in a meeting; that somebody looked stands in the audit log."""
    user = await administrator(request)
    people = await _live(request).people(request.match_info["slug"], by=user.id)
    return web.json_response({"people": people})


async def end_live(request: web.Request) -> web.Response:
    user = await administrator(request)
    await _live(request).end(request.match_info["slug"], by=user.id)
    return web.Response(status=204)


async def remove_live(request: web.Request) -> web.Response:
    user = await administrator(request)
    body = await read_json(request, Removal)
    slug, person = request.match_info["slug"], request.match_info["person"]
    await _live(request).remove(slug, person, ban=body.ban, by=user.id)
    return web.Response(status=204)


def _live(request: web.Request) -> LiveMeetings:
    return request.app[PARTS].live


def _shown(request: web.Request, room: directory.Listed) -> dict[str, Any]:
    return directory.shown(room, request.app[PARTS].registry.people(room.slug))
