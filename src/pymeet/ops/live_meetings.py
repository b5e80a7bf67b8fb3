"""The meetings that are going on, as administrators look after them from outside: by page, API and command line.

The list names nobody. Who is in a meeting is a look of its own, which the audit log keeps.
"""

from collections.abc import Callable
from typing import Any, Final

from pymeet.clock import Clock
from pymeet.db import audit
from pymeet.db.engine import Database
from pymeet.errors import ConflictError
from pymeet.rooms.commands import Remove
from pymeet.rooms.live import LiveRoom
from pymeet.rooms.registry import Registry

ENDED: Final = "An administrator ended this meeting."
REMOVED: Final = "An administrator removed you from this meeting."


class LiveMeetings:
    """Those of one server. `registry` is asked each time: the rooms open after everything else."""

    def __init__(self, db: Database, clock: Clock, registry: Callable[[], Registry]) -> None:
        self._db = db
        self._clock = clock
        self._registry = registry

    def listed(self) -> list[dict[str, Any]]:
        """Every meeting with somebody in it or waiting to come in, by the room's name. Times are UTC milliseconds."""
        meetings = [_shown(live) for live in self._registry().meetings()]
        return sorted(meetings, key=lambda each: (each["name"].casefold(), each["slug"]))

    async def people(self, slug: str, *, by: str = audit.OPERATOR) -> list[dict[str, Any]]:
        """Who is in a meeting, and who waits to come in; the look stands in the audit log. ConflictError (`no_meeting`)."""
        live = self._live(slug)
        seats = [(each, live.seat(each.id)) for each in live.participants]
        people = [
            {
                "id": each.id,
                "name": each.name,
                "role": each.role.value,
                "kind": each.kind.value,
                "member": seat.user_id is not None,
                "since": seat.since_ms,
                "waits": False,
            }
            for each, seat in seats
        ]
        people += [
            {
                "id": each.id,
                "name": each.name,
                "role": "member" if each.is_member else "guest",
                "kind": "browser",
                "member": each.is_member,
                "since": each.since_ms,
                "waits": True,
            }
            for each in live.waiting
        ]
        await self._record("meeting.looked_at", live.id, {"count": len(people)}, by)
        return people

    async def end(self, slug: str, *, by: str = audit.OPERATOR) -> None:
        """Ends a meeting for everybody in it; the room stays. ConflictError (`no_meeting`)."""
        live = self._live(slug)
        live.end(None, ENDED)
        await self._record("meeting.ended", live.id, {}, by)

    async def remove(self, slug: str, person_id: str, *, ban: bool = False, by: str = audit.OPERATOR) -> None:
        """Sends one out of a meeting; with `ban` they do not come back into it, with none of their devices.

        `person_id` is the id of their seat. ConflictError (`no_meeting`), NotFoundError for somebody who has no seat there.
        """
        live = self._live(slug)
        removed = live.seat(person_id)
        others = [seat for each in live.participants if (seat := live.seat(each.id)) is not removed]
        for seat in [removed, *(seat for seat in others if ban and seat.is_same_person(removed))]:
            live.ask(None, Remove(seat.id, REMOVED, ban=ban))
        if ban and removed.user_id is not None:
            live.remove_person(removed.user_id, REMOVED)  # who waits with this account waits no more
        await self._record("meeting.person_removed", live.id, {"ban": ban}, by)

    def _live(self, slug: str) -> LiveRoom:
        live = self._registry().live(slug)
        if live is None or not (live.participants or live.waiting):
            raise ConflictError("Nobody is in this room now.", code="no_meeting")
        return live

    async def _record(self, action: str, room_id: str, detail: audit.Detail, by: str) -> None:
        async with self._db.write() as conn:
            at_ms = self._clock.now_ms()
            await audit.record(conn, at_ms=at_ms, actor=by, action=action, target=room_id, detail=detail or None)


def _shown(live: LiveRoom) -> dict[str, Any]:
    recording = live.recording
    return {
        "slug": live.slug,
        "name": live.name,
        "since": live.since_ms,
        "people": len(live.participants),
        "waiting": len(live.waiting),
        "locked": live.state.locked,
        "recording_since": None if recording is None else recording.started_at_ms,
    }
