"""The API around rooms (docs/protocol.md, section 4)."""

from dataclasses import asdict
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from pymeet.accounts.model import User
from pymeet.errors import NotAllowedError
from pymeet.meetings.model import Room
from pymeet.meetings.settings import MayRecord, MayShare, WaitingRoom
from pymeet.rooms.live import LiveRoom
from pymeet.rooms.people import Role
from pymeet.rooms.permissions import role_for
from pymeet.web.bodies import Body, read_json
from pymeet.web.origins import public_base
from pymeet.web.paging import cut
from pymeet.web.parts import PARTS
from pymeet.web.repeats import once
from pymeet.web.sessions import member, visitor


class CreateRoom(Body):
    name: str
    """`Meetings` says how long it may be."""


class ChangeSettings(Body):
    """What is not there stays as it is."""

    guests: bool | None = None
    waiting_room: WaitingRoom = "off"
    password: Annotated[str, Field(max_length=1_024)] | None = None
    """Null takes it away."""
    capacity: int | None = None
    may_share: MayShare = "everybody"
    may_record: MayRecord = "hosts"
    chat_history: bool = True
    chat_limit: int | None = None


async def list_own(request: web.Request) -> web.Response:
    """The asker's rooms; to administrators also those that belong to nobody, for nobody else hosts them."""
    parts = request.app[PARTS]
    user = await member(request)
    rooms, following = cut(
        request, await parts.meetings.rooms(user.id, or_nobody=user.is_admin), lambda room: room.slug
    )
    return web.json_response(
        {
            "rooms": [
                {**_shown(request, room), "created_at": room.created_at_ms, "people": _people(request, room)}
                for room in rooms
            ],
            "next": following,
        }
    )


async def create(request: web.Request) -> web.Response:
    user = await member(request)
    body = await read_json(request, CreateRoom)
    meetings = request.app[PARTS].meetings

    async def make() -> str:
        return (await meetings.create_room(body.name, user.id)).slug

    room = await meetings.room(await once(request, user, body, make))
    return web.json_response(_shown(request, room), status=201, headers={"Location": f"/api/v1/rooms/{room.slug}"})


async def preview(request: web.Request) -> web.Response:
    """What is shown before joining, also to people who are not signed in."""
    parts = request.app[PARTS]
    config = parts.lifecycle.in_force
    room = await parts.meetings.room(request.match_info["slug"])
    user = await visitor(request)
    role = role_for(user, owner_id=room.owner_id, guests_allowed=True)
    live = parts.registry.live(room.slug)
    settings = room.settings
    is_host = role is Role.HOST
    return web.json_response(
        {
            "slug": room.slug,
            "name": room.name,
            "people": _people(request, room),
            "max_participants": settings.max_participants(config.rooms.max_participants),
            "may_join": user is not None or settings.guests_allowed(config.rooms.guests_allowed),
            "has_password": room.password_hash is not None and not is_host,
            "waiting_room": (settings.waiting_room == "everybody" and not is_host)
            or (settings.waiting_room == "guests" and role is Role.GUEST),
            "locked": live is not None and live.state.locked and not is_host,
            "role": role.value,
            "recording": _recording(live),
            "recordings_allowed": config.recording.enabled and settings.may_record == "hosts",
        }
    )


async def delete(request: web.Request) -> web.Response:
    """Ends a meeting that is going on and forgets the room; for its owner and administrators."""
    parts = request.app[PARTS]
    user = await member(request)
    room = await parts.meetings.room(request.match_info["slug"])
    _check_owner(room, user, "delete it")
    await parts.meetings.delete_room(room.slug, by=user.id)
    await parts.registry.end(room.slug, "The room was deleted.")
    return web.Response(status=204)


async def show_settings(request: web.Request) -> web.Response:
    """What was decided about the room; for its owner and administrators."""
    user = await member(request)
    room = await request.app[PARTS].meetings.room(request.match_info["slug"])
    _check_owner(room, user, "see its settings")
    return web.json_response(_settings(request, room))


async def change_settings(request: web.Request) -> web.Response:
    """Decides something about the room; it holds at once, also in a meeting that is going on."""
    parts = request.app[PARTS]
    user = await member(request)
    room = await parts.meetings.room(request.match_info["slug"])
    _check_owner(room, user, "change its settings")
    body = await read_json(request, ChangeSettings)
    changed = await parts.meetings.change_settings(room.slug, body.model_dump(exclude_unset=True), by=user.id)
    await parts.registry.refresh(room.slug)
    return web.json_response(_settings(request, changed))


async def attendance(request: web.Request) -> web.Response:
    """Who was in the room, and when; for its owner alone."""
    parts = request.app[PARTS]
    user = await member(request)
    room = await parts.meetings.room(request.match_info["slug"])
    if room.owner_id != user.id:
        raise NotAllowedError("Only the room's owner may see who was there.")
    people = [
        {
            "name": each.name,
            "member": each.is_member,
            "kind": each.kind,
            "joined_at": each.joined_at_ms,
            "left_at": each.left_at_ms,
        }
        for each in await parts.meetings.attendance(room.id)
    ]
    return web.json_response({"people": people})


def _check_owner(room: Room, user: User, what: str) -> None:
    if room.owner_id != user.id and not user.is_admin:
        raise NotAllowedError(f"Only the room's owner may {what}.")


def _settings(request: web.Request, room: Room) -> dict[str, Any]:
    rooms = request.app[PARTS].lifecycle.in_force.rooms
    return {
        **asdict(room.settings),
        "has_password": room.password_hash is not None,
        "server": {"guests": rooms.guests_allowed, "capacity": rooms.max_participants},
    }


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
