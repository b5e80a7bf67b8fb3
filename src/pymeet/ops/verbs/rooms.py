"""The verbs of `pymeet room`."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pymeet.accounts.service import User
from pymeet.db import audit
from pymeet.errors import InvalidInputError
from pymeet.meetings.service import Room
from pymeet.meetings.settings import NAMES
from pymeet.ops import room_tokens
from pymeet.ops.addresses import public_url, room_url
from pymeet.ops.services import Operation, Services
from pymeet.ops.verbs.values import iso
from pymeet.ops.verbs.viewing import views

MAX_TOKEN_HOURS = 24 * 366


async def room_create(
    services: Services, *, name: str, slug: str | None = None, owner: str | None = None
) -> dict[str, Any]:
    """Makes a room that belongs to the account with the e-mail address `owner`; without it, to nobody in particular."""
    member = None if owner is None else await services.accounts.active_user(owner)
    room = await services.meetings.create_room(name, member.id if member else None, slug=slug, by=audit.OPERATOR)
    return _room(services, room, member)


@views("rooms")
async def room_list(services: Services) -> list[dict[str, Any]]:
    """All rooms, whose they are and how many are in each."""
    members = {user.id: user for user in await services.accounts.list_users()}
    return [_room(services, room, members.get(room.owner_id or "")) for room in await services.meetings.rooms()]


async def room_delete(services: Services, *, slug: str) -> dict[str, Any]:
    """Deletes a room with its messages and attendance; a meeting in it ends."""
    room = await services.meetings.room(slug)
    await services.meetings.delete_room(slug)
    if services.live:
        await services.live.room_deleted(slug)
    return {"slug": room.slug, "name": room.name}


@views("rooms")
async def room_show(services: Services, *, slug: str) -> dict[str, Any]:
    """One room with what was decided about it."""
    return await _whole(services, await services.meetings.room(slug))


async def room_set(services: Services, *, slug: str, changes: dict[str, Any]) -> dict[str, Any]:
    """Decides something about a room: some of `RoomSettings`, `password` (None takes it away) and `owner`, an e-mail
    address (None: nobody in particular). It holds at once, also in a meeting that is going on."""
    room = await services.meetings.room(slug)
    settings = {name: value for name, value in changes.items() if name != "owner"}
    if unknown := set(settings) - {*NAMES, "password"}:
        raise InvalidInputError(f"A room has no setting {', '.join(sorted(unknown))}.")
    if settings:
        room = await services.meetings.change_settings(slug, settings)
    if "owner" in changes:
        owner = None if changes["owner"] is None else await services.accounts.active_user(changes["owner"])
        room = await services.meetings.hand_over(slug, None if owner is None else owner.id)
    if services.live:
        await services.live.room_changed(slug)
    return await _whole(services, room)


async def room_token(services: Services, *, slug: str, name: str | None = None, hours: int = 24) -> dict[str, Any]:
    """A bearer token for WHIP and WHEP, good for `hours`."""
    if not 1 <= hours <= MAX_TOKEN_HOURS:
        raise InvalidInputError(f"A token can be good for 1 to {MAX_TOKEN_HOURS} hours.")
    if name is not None and not 1 <= len(name.strip()) <= 60:
        raise InvalidInputError("The name needs 1 to 60 characters.")
    room = await services.meetings.room(slug)
    expires_at_ms = services.clock.now_ms() + hours * 3_600_000
    key = await asyncio.to_thread(services.keys.purpose_key, room_tokens.PURPOSE)
    async with services.db.write() as conn:
        await audit.record(
            conn,
            at_ms=services.clock.now_ms(),
            actor=audit.OPERATOR,
            action="room.token_made",
            target=room.id,
            detail={"hours": hours},
        )
    base = public_url(services.config)
    return {
        "token": room_tokens.issue(key, room.id, name.strip() if name else None, expires_at_ms),
        "expires_at": iso(expires_at_ms),
        "whip": f"{base}/whip/{room.slug}",
        "whep": f"{base}/whep/{room.slug}",
    }


OPERATIONS: Mapping[str, Operation] = {
    "room.create": room_create,
    "room.list": room_list,
    "room.show": room_show,
    "room.set": room_set,
    "room.delete": room_delete,
    "room.token": room_token,
}


async def _whole(services: Services, room: Room) -> dict[str, Any]:
    owner = None if room.owner_id is None else await services.accounts.user(room.owner_id)
    return {
        **_room(services, room, owner),
        "settings": {**asdict(room.settings), "has_password": room.password_hash is not None},
    }


def _room(services: Services, room: Room, owner: User | None) -> dict[str, Any]:
    return {
        "slug": room.slug,
        "name": room.name,
        "url": room_url(services.config, room.slug),
        "owner": owner and owner.email,
        "created_at": iso(room.created_at_ms),
        "people": services.live.people(room.slug) if services.live else 0,
    }
