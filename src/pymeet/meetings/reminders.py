"""Reminders of meetings that begin soon: each is queued once, in the transaction that notes until when it was looked.

What fell due while no server ran is sent late, unless the meeting has begun.
"""

from sqlalchemy import Connection, and_

from pymeet.db.schema import invitees, meetings
from pymeet.meetings import schedule_store as store
from pymeet.meetings.feeds import LONGEST_REMINDER_MIN
from pymeet.meetings.invitations import Letters
from pymeet.meetings.recurrence import next_start_ms, occurrences
from pymeet.meetings.scheduled import Invitee, Scheduled
from pymeet.privacy.parts import Lifecycle
from pymeet.privacy.visible import visible
from pymeet.retention import minutes

_AHEAD_MS = minutes(LONGEST_REMINDER_MIN)


class Reminders:
    """Looks for what begins soon."""

    def __init__(self, lifecycle: Lifecycle, letters: Letters) -> None:
        self._lifecycle = lifecycle
        self._letters = letters

    async def send_due(self) -> int:
        """Queues what fell due since the last look; how many reminders that were."""
        count = await self._lifecycle.db.work(self._look)
        if count:
            self._lifecycle.poke_mail()
        return count

    def _look(self, conn: Connection) -> int:
        now_ms = self._lifecycle.clock.now_ms()
        since_ms = store.reminded_until_ms(conn)
        store.put_reminded_until(conn, now_ms)
        shown = visible(meetings, self._lifecycle.periods, now_ms)
        soon = store.scheduled(conn, and_(meetings.c.next_at_ms <= now_ms + _AHEAD_MS, shown))
        count = sum(self._remind(conn, meeting, since_ms, now_ms) for meeting in soon if since_ms is not None)
        for meeting in soon:
            store.update_meeting(conn, meeting.id, next_at_ms=next_start_ms(meeting.timing, now_ms))
        return count

    def _remind(self, conn: Connection, meeting: Scheduled, since_ms: int, now_ms: int) -> int:
        found = occurrences(meeting.timing, now_ms, now_ms + _AHEAD_MS + 1)
        begin = [each for each in found if each.start_ms > now_ms and not meeting.timing.all_day]
        if not begin:
            return 0
        count = 0
        people = [store.organiser_of(conn, meeting), *store.invited(conn, invitees.c.meeting_id == meeting.id)]
        for person in people:
            for each in begin:
                if _comes(person) and person.reminder_min is not None:
                    due_ms = each.start_ms - minutes(person.reminder_min)
                    if since_ms < due_ms <= now_ms:
                        self._letters.remind(conn, meeting, each, person, now_ms)
                        count += 1
        return count


def _comes(person: Invitee) -> bool:
    """Whoever has no account cannot say that they want no reminders, and gets them when they said that they come."""
    if person.user_id is None:
        return person.answer in ("accepted", "tentative")
    return person.answer != "declined"
