"""The API around rooms (docs/protocol.md, section 4)."""

from typing import Any

from aiohttp import web

from pymeet.errors import NotAllowedError
from pymeet.meetings.model import Room
from pymeet.rooms.live import LiveRoom
from pymeet.rooms.permissions import role_for
from pymeet.web.bodies import Body, read_json
from pymeet.web.origins import public_base
from pymeet.web.parts import PARTS
from pymeet.web.sessions import member, visitor


class CreateRoom(Body):
    name: str
    """`Meetings` says how long it may be."""


async def list_own(request: web.Request) -> web.Response:
    """The asker's rooms; to administrators also those that belong to nobody, for nobody else hosts them."""
    parts = request.app[PARTS]
    user = await member(request)
    rooms = await parts.meetings.rooms(user.id, or_nobody=user.is_admin)
    return web.json_response(
        {
            "rooms": [
                {**_shown(request, room), "created_at": room.created_at_ms, "people": _people(request, room)}
                for room in rooms
            ]
        }
    )


async def create(request: web.Request) -> web.Response:
    user = await member(request)
    body = await read_json(request, CreateRoom)
    room = await request.app[PARTS].meetings.create_room(body.name, user.id)
    return web.json_response(_shown(request, room), status=201, headers={"Location": f"/api/v1/rooms/{room.slug}"})


async def preview(request: web.Request) -> web.Response:
    """What is shown before joining, also to people who are not signed in."""
    parts = request.app[PARTS]
    room = await parts.meetings.room(request.match_info["slug"])
    user = await visitor(request)
    role = role_for(user, owner_id=room.owner_id, guests_allowed=True)
    return web.json_response(
        {
            "slug": room.slug,
            "name": room.name,
            "people": _people(request, room),
            "max_participants": parts.config.rooms.max_participants,
            "may_join": user is not None or parts.config.rooms.guests_allowed,
            "role": role.value,
            "recording": _recording(parts.registry.live(room.slug)),
            "recordings_allowed": parts.config.recording.enabled,
        }
    )


async def delete(request: web.Request) -> web.Response:
    """Ends a meeting that is going on and forgets the room; for its owner and administrators."""
    parts = request.app[PARTS]
    user = await member(request)
    room = await parts.meetings.room(request.match_info["slug"])
    if room.owner_id != user.id and not user.is_admin:
        raise NotAllowedError("Only the room's owner may delete it.")
    await parts.meetings.delete_room(room.slug, by=user.id)
    await parts.registry.end(room.slug, "The room was deleted.")
    return web.Response(status=204)


def _shown(request: web.Request, room: Room) -> dict[str, Any]:
    return {"slug": room.slug, "name": room.name, "url": f"{public_base(request)}/r/{room.slug}"}


def _recording(live: LiveRoom | None) -> dict[str, Any] | None:
    """What somebody must know who is asked before they come in."""
    recording = None if live is None else live.recording
    if recording is None:
        return None
    return {
        "id": recording.id,
        "started_at": recording.started_at_ms,
        "chat": recording.with_chat,
        "keep_until": recording.keep_until_ms,
    }


def _people(request: web.Request, room: Room) -> int:
    return request.app[PARTS].registry.people(room.slug)
