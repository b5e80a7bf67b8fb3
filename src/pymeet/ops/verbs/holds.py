"""The verbs of `pymeet hold`."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from pymeet.db import audit
from pymeet.errors import InvalidInputError
from pymeet.ops.services import Operation, Services
from pymeet.ops.verbs.requests import named_person
from pymeet.ops.verbs.values import iso
from pymeet.ops.verbs.viewing import views
from pymeet.privacy import holds
from pymeet.privacy.holds import Hold
from pymeet.retention import parse_period


async def hold_place(
    services: Services,
    *,
    reason: str,
    review: str,
    who: str | None = None,
    room: str | None = None,
    recording: str | None = None,
) -> dict[str, Any]:
    """Places a hold on a room, on a recording, or on a person named by e-mail address, account id or guest's receipt.

    `review` is a period such as `90d`. NotFoundError, ConflictError (`already_held`), InvalidInputError.
    """
    if sum(each is not None for each in (who, room, recording)) != 1:
        raise InvalidInputError("Name a person, a room or a recording.")
    person = None if who is None else await named_person(services, who)
    room_id = None if room is None else (await services.meetings.room(room)).id
    now_ms = services.clock.now_ms()
    place = partial(
        holds.place,
        reason=reason,
        review_at_ms=now_ms + parse_period(review),
        now_ms=now_ms,
        actor=audit.OPERATOR,
        person=person,
        room_id=room_id,
        recording_id=recording,
    )
    return await _shown(services, await services.db.work(place))


async def hold_release(services: Services, *, hold_id: str) -> dict[str, Any]:
    """Ends a hold. NotFoundError, ConflictError (`already_released`)."""
    release = partial(holds.release, now_ms=services.clock.now_ms(), actor=audit.OPERATOR)
    return await _shown(services, await services.db.work(release, hold_id))


@views("holds")
async def hold_list(services: Services, *, also_released: bool = False) -> list[dict[str, Any]]:
    """The holds in force, those to be looked at first in front; with `also_released` those of the past as well."""
    found = await services.db.study(partial(holds.listed, also_released=also_released))
    return [await _shown(services, each) for each in found]


OPERATIONS: Mapping[str, Operation] = {
    "hold.place": hold_place,
    "hold.release": hold_release,
    "hold.list": hold_list,
}


async def _shown(services: Services, hold: Hold) -> dict[str, Any]:
    people = {user.id: user.email for user in await services.accounts.list_users()} if hold.user_id else {}
    rooms = {room.id: room.slug for room in await services.meetings.rooms()} if hold.room_id else {}
    return {
        "id": hold.id,
        "user": hold.user_id and people.get(hold.user_id, hold.user_id),
        "guest": hold.participant_id,
        "room": hold.room_id and rooms.get(hold.room_id, hold.room_id),
        "recording": hold.recording_id,
        "reason": hold.reason,
        "placed_at": iso(hold.placed_at_ms),
        "review_at": iso(hold.review_at_ms),
        "overdue": hold.released_at_ms is None and hold.review_at_ms <= services.clock.now_ms(),
        "released_at": None if hold.released_at_ms is None else iso(hold.released_at_ms),
    }
