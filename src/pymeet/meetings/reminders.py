"""Reminders of meetings that begin soon: each is queued once, in the transaction that notes until when it was looked.

When meetings take place is worked out before that transaction, so that nobody else waits for it. What fell due while no
server ran is sent late, unless the meeting has begun.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection, and_

from pymeet.db.schema import invitees, meetings
from pymeet.meetings import schedule_store as store
from pymeet.meetings.feeds import LONGEST_REMINDER_MIN
from pymeet.meetings.invitations import Letters
from pymeet.meetings.recurrence import Occurrence, next_start_ms, occurrences
from pymeet.meetings.scheduled import Invitee, Scheduled, once_each
from pymeet.privacy.parts import Lifecycle
from pymeet.privacy.visible import visible
from pymeet.retention import minutes

log = structlog.get_logger(__name__)

_AHEAD_MS = minutes(LONGEST_REMINDER_MIN)


@dataclass(frozen=True)
class _Soon:
    meeting: Scheduled
    begin: tuple[Occurrence, ...]
    """What begins within a day."""
    next_at_ms: int | None


class Reminders:
    """Looks for what begins soon."""

    def __init__(self, lifecycle: Lifecycle, letters: Letters) -> None:
        self._lifecycle = lifecycle
        self._letters = letters

    async def send_due(self) -> int:
        """Queues what fell due since the last look; how many reminders that were."""
        now_ms = self._lifecycle.clock.now_ms()
        self._letters.limits.forget(now_ms)
        soon = await self._lifecycle.db.study(self._soon, now_ms)
        count = await self._lifecycle.db.work(self._put, soon, now_ms)
        if count:
            self._lifecycle.poke_mail()
        return count

    def _soon(self, conn: Connection, now_ms: int) -> list[_Soon]:
        shown = visible(meetings, self._lifecycle.periods, now_ms)
        found = store.scheduled(conn, and_(meetings.c.next_at_ms <= now_ms + _AHEAD_MS, shown))
        return [_worked_out(each, now_ms) for each in found]

    def _put(self, conn: Connection, soon: Sequence[_Soon], now_ms: int) -> int:
        since_ms = store.reminded_until_ms(conn)
        store.put_reminded_until(conn, now_ms)
        count = 0
        for each in soon:
            # whatever was changed since it was looked at is worked out anew: that is rare, and must not be lost
            here = store.scheduled(conn, meetings.c.id == each.meeting.id)
            if not here:
                continue
            known = each if here[0] == each.meeting else _worked_out(here[0], now_ms)
            if since_ms is not None:
                count += self._remind(conn, known.meeting, known.begin, since_ms, now_ms)
            store.put_next(conn, known.meeting.id, known.next_at_ms)
        return count

    def _remind(
        self, conn: Connection, meeting: Scheduled, begin: Sequence[Occurrence], since_ms: int, now_ms: int
    ) -> int:
        if not begin:
            return 0
        count = 0
        people = [store.organiser_of(conn, meeting), *store.invited(conn, invitees.c.meeting_id == meeting.id)]
        for person in once_each(people):
            for each in begin:
                if _comes(person) and person.reminder_min is not None:
                    due_ms = each.start_ms - minutes(person.reminder_min)
                    if since_ms < due_ms <= now_ms:
                        self._letters.remind(conn, meeting, each, person, now_ms)
                        count += 1
        return count


def _worked_out(meeting: Scheduled, now_ms: int) -> _Soon:
    try:
        found = occurrences(meeting.timing, now_ms, now_ms + _AHEAD_MS + 1)
        begin = tuple(each for each in found if each.start_ms > now_ms and not meeting.timing.all_day)
        return _Soon(meeting, begin, next_start_ms(meeting.timing, now_ms))
    except Exception:  # whatever is wrong with it, the others are reminded; it is not looked at again
        log.exception("a meeting's times cannot be worked out; nobody is reminded of it", meeting=meeting.id)
        return _Soon(meeting, (), None)


def _comes(person: Invitee) -> bool:
    """Whoever has no account cannot say that they want no reminders, and gets them when they said that they come."""
    if person.user_id is None:
        return person.answer in ("accepted", "tentative")
    return person.answer != "declined"
