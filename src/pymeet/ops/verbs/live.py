"""The verbs of `pymeet live`: the meetings that are going on."""

from collections.abc import Mapping
from typing import Any

from pymeet.errors import ConflictError
from pymeet.ops.live_meetings import LiveMeetings
from pymeet.ops.services import Operation, Services
from pymeet.ops.verbs.values import iso


async def live_list(services: Services) -> list[dict[str, Any]]:
    """Every meeting that is going on: the room, since when, how many are there; nobody's name."""
    found = [] if services.running is None else services.running.listed()
    return [
        {
            **each,
            "since": iso(each["since"]),
            "recording_since": each["recording_since"] and iso(each["recording_since"]),
        }
        for each in found
    ]


async def live_people(services: Services, *, slug: str) -> list[dict[str, Any]]:
    """Who is in a meeting, and who waits to come in."""
    return [{**each, "since": iso(each["since"])} for each in await _running(services).people(slug)]


async def live_end(services: Services, *, slug: str) -> dict[str, Any]:
    """Ends a meeting for everybody in it."""
    await _running(services).end(slug)
    return {"slug": slug}


async def live_remove(services: Services, *, slug: str, person_id: str, ban: bool = False) -> dict[str, Any]:
    """Sends one out of a meeting; with `ban` they do not come back into it."""
    await _running(services).remove(slug, person_id, ban=ban)
    return {"slug": slug, "id": person_id}


OPERATIONS: Mapping[str, Operation] = {
    "live.list": live_list,
    "live.people": live_people,
    "live.end": live_end,
    "live.remove": live_remove,
}


def _running(services: Services) -> LiveMeetings:
    if services.running is None:
        raise ConflictError("No server is running, so nobody is in a meeting.", code="no_meeting")
    return services.running
