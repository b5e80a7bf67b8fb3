"""Scheduled meetings: planning, changing and cancelling them, and whom they are told to. Times are UTC milliseconds.

Everything runs in the thread for long work, for working out when a series takes place is none for the event loop.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final, TypeVar

import structlog
from sqlalchemy import ColumnElement, Connection, Table, and_, or_

from pymeet.accounts.model import User
from pymeet.accounts.texts import clean_email, clean_line, clean_text
from pymeet.db import audit
from pymeet.db.schema import invitees, meetings
from pymeet.errors import (
    ConflictError,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    PymeetError,
    TooManyError,
)
from pymeet.ids import new_id
from pymeet.mail.message import LANGUAGES
from pymeet.meetings import inviting
from pymeet.meetings import schedule_store as store
from pymeet.meetings.invitations import Letters
from pymeet.meetings.recurrence import (
    Change,
    Occurrence,
    Timing,
    checked_change,
    checked_timing,
    first_start_ms,
    last_end_ms,
    named_ms,
    next_start_ms,
    occurrence,
    occurrence_name,
    occurrences,
    with_change,
)
from pymeet.meetings.scheduled import Invitee, Scheduled
from pymeet.meetings.service import Meetings
from pymeet.privacy.holds import kept
from pymeet.privacy.parts import Lifecycle
from pymeet.privacy.people import DataSubject
from pymeet.privacy.rows import delete_rows
from pymeet.privacy.visible import visible
from pymeet.retention import days

T = TypeVar("T")

log = structlog.get_logger(__name__)

TITLE_LENGTH: Final = 120
AGENDA_LENGTH: Final = 4_000

MOST_PLANNED: Final = 500
"""Meetings of one organiser that are not over."""

MOST_CHANGES: Final = 50
"""Occurrences of one series that are not as its rule says."""

LONGEST_VIEW_MS: Final = days(400)
"""So long a time can be looked at at once."""

MOST_SHOWN: Final = 5_000
"""Occurrences in one view."""

PAST_MS: Final = days(10 * 366)
FUTURE_MS: Final = days(5 * 366)
"""Series are worked out only so far from now: a rule without end would keep the server busy for as long as it is asked."""

EARLIEST_MS: Final = days(1)
"""So long after its beginning a meeting can still be entered."""


@dataclass(frozen=True)
class Details:
    """What somebody says who plans a meeting; checked here."""

    title: str
    agenda: str
    start: str
    time_zone: str
    duration_min: int
    rrule: str | None = None


@dataclass(frozen=True)
class Entry:
    """One occurrence in somebody's calendar."""

    meeting: Scheduled
    at: Occurrence
    answer: str | None
    """What they answered; None for the organiser."""


class Schedule:
    """All scheduled meetings of one server."""

    def __init__(self, lifecycle: Lifecycle, rooms: Meetings, letters: Letters) -> None:
        self._lifecycle = lifecycle
        self._db = lifecycle.db
        self._rooms = rooms
        self._letters = letters

    async def plan(
        self,
        user: User,
        details: Details,
        slug: str | None,
        invite: Sequence[tuple[str, str]],
        groups: Sequence[str] = (),
    ) -> Scheduled:
        """Plans a meeting in a room of one's own, or in a new one, and invites these `(address, language)` and everybody
        who is in these groups (their ids) now.

        InvalidInputError, NotFoundError for a room that is not theirs or a group they are not in, ConflictError
        (`already_invited`, `too_many_invitees`, `too_many_meetings`), TooManyError.
        """
        title, agenda, timing = await asyncio.to_thread(_checked, details)
        addresses = [(clean_email(email), _language(language)) for email, language in invite]
        self._refuse_long_ago(timing)
        new_room = slug is None
        if slug is None:
            slug = (await self._rooms.create_room(title[:80], user.id)).slug

        def add(conn: Connection) -> Scheduled:
            now_ms = self._now_ms()
            room_id = store.own_room(conn, slug, user.id, or_nobodys=user.is_admin)
            if room_id is None:
                raise NotFoundError("You have no such room.")
            self._refuse_too_many(conn, user, now_ms)
            meeting_id = new_id()
            times = {"created_at_ms": now_ms, "changed_at_ms": now_ms}
            own = {"id": meeting_id, "room_id": room_id, "organiser_id": user.id}
            store.add_meeting(conn, title=title, agenda=agenda, **own, **times, **_columns(timing, now_ms))
            made = self._one(conn, meeting_id)
            invited = [
                inviting.by_address(conn, made, email, language or self._letters.language, now_ms)
                for email, language in addresses
            ]
            for each in dict.fromkeys(groups):
                invited += inviting.by_group(conn, made, each, self._letters.language, now_ms)
            self._letters.invite(conn, made, invited, now_ms)
            audit.record_now(conn, now_ms, user.id, "meeting.scheduled", meeting_id, {"invited": len(invited)})
            return made

        try:
            return await self._told(add)
        except BaseException:  # whatever it was: a room that was made for this meeting alone is of no use
            if new_room:
                await self._rooms.delete_room(slug, by=user.id)
            raise

    async def change(self, user: User, meeting_id: str, details: Details) -> Scheduled:
        """Changes a meeting and tells those invited. When its time changes they are asked again, and what was said of
        single occurrences is void. InvalidInputError, NotFoundError, NotAllowedError."""
        title, agenda, timing = await asyncio.to_thread(_checked, details)

        def put(conn: Connection) -> Scheduled:
            now_ms = self._now_ms()
            before = self._own(conn, user, meeting_id)
            same = replace(before.timing, changes=()) == timing
            if same and (title, agenda) == (before.title, before.agenda):
                return before
            if (timing.starts_local, timing.time_zone) != (before.timing.starts_local, before.timing.time_zone):
                self._refuse_long_ago(timing)
            if before.ends_at_ms is not None and before.ends_at_ms <= now_ms:
                self._refuse_too_many(conn, user, now_ms)
            after = before.timing if same else timing
            store.update_meeting(conn, meeting_id, title=title, agenda=agenda)
            if not same:
                store.ask_again(conn, meeting_id)
            return self._put(conn, user, before, after, now_ms)

        return await self._told(put)

    async def cancel(self, user: User, meeting_id: str) -> None:
        """Cancels a meeting and tells those invited; nothing of it is kept. NotFoundError, NotAllowedError."""

        def remove(conn: Connection) -> None:
            now_ms = self._now_ms()
            meeting = self._own(conn, user, meeting_id)
            self._cancel(conn, [meeting], now_ms)
            audit.record_now(conn, now_ms, user.id, "meeting.cancelled", meeting_id)

        await self._told(remove)

    async def move_one(
        self, user: User, meeting_id: str, recurrence_id: str, start: str, duration_min: int | None
    ) -> Scheduled:
        """Moves one meeting of a series. InvalidInputError, NotFoundError, NotAllowedError, TooManyError, ConflictError
        (`too_many_changes`)."""

        def put(conn: Connection) -> Scheduled:
            meeting = self._own(conn, user, meeting_id)
            was = self._of_series(meeting, recurrence_id)
            length = duration_min or meeting.timing.duration_min
            change = checked_change(meeting.timing, recurrence_id, start, length)
            self._refuse_far(meeting, start)
            timing = with_change(meeting.timing, change)
            return self._put(conn, user, meeting, timing, self._now_ms(), moved=was)

        return await self._told(put)

    async def cancel_one(self, user: User, meeting_id: str, recurrence_id: str) -> None:
        """Cancels one meeting of a series. NotFoundError, NotAllowedError, TooManyError, ConflictError
        (`too_many_changes`)."""

        def put(conn: Connection) -> None:
            now_ms = self._now_ms()
            meeting = self._own(conn, user, meeting_id)
            off = self._of_series(meeting, recurrence_id)
            timing = with_change(meeting.timing, Change(recurrence_id, cancelled=True))
            after = self._put(conn, user, meeting, timing, now_ms, tell=False)
            to = store.invited(conn, invitees.c.meeting_id == meeting_id)
            self._letters.cancel(conn, after, to, now_ms, only=off)

        await self._told(put)

    async def invite(self, user: User, meeting_id: str, email: str, language: str) -> Invitee:
        """Invites somebody more. InvalidInputError, NotFoundError, TooManyError, ConflictError (`already_invited`,
        `too_many_invitees`)."""
        address = clean_email(email)
        known = _language(language) or self._letters.language

        def add(conn: Connection) -> Invitee:
            now_ms = self._now_ms()
            meeting = self._own(conn, user, meeting_id)
            invitee = inviting.by_address(conn, meeting, address, known, now_ms)
            self._letters.invite(conn, meeting, [invitee], now_ms)
            audit.record_now(conn, now_ms, user.id, "meeting.invited", meeting_id, {"invited": 1})
            return invitee

        return await self._told(add)

    async def invite_group(self, user: User, meeting_id: str, group_id: str) -> list[Invitee]:
        """Invites everybody in a group who is not invited yet; who comes into the group later is not.

        NotFoundError also for a group in which the organiser is not; NotAllowedError, TooManyError, ConflictError
        (`too_many_invitees`).
        """

        def add(conn: Connection) -> list[Invitee]:
            now_ms = self._now_ms()
            meeting = self._own(conn, user, meeting_id)
            added = inviting.by_group(conn, meeting, group_id, self._letters.language, now_ms)
            self._letters.invite(conn, meeting, added, now_ms)
            audit.record_now(conn, now_ms, user.id, "meeting.invited", meeting_id, {"invited": len(added)})
            return added

        return await self._told(add)

    async def uninvite(self, user: User, meeting_id: str, invitee_id: str) -> None:
        """Takes an invitation back and tells whoever was invited. NotFoundError, NotAllowedError."""

        def remove(conn: Connection) -> None:
            now_ms = self._now_ms()
            meeting = self._own(conn, user, meeting_id)
            mine = and_(invitees.c.meeting_id == meeting_id, invitees.c.id == invitee_id)
            found = store.invited(conn, mine)
            if not found:
                raise NotFoundError("There is no such invitation.")
            store.remove_invitee(conn, invitee_id)
            if not inviting.is_still_invited(conn, found[0]):
                self._letters.uninvite(conn, replace(meeting, sequence=meeting.sequence + 1), found[0], now_ms)
            audit.record_now(conn, now_ms, user.id, "meeting.uninvited", meeting_id)

        await self._told(remove)

    async def show(self, user: User, meeting_id: str) -> tuple[Scheduled, list[Invitee]]:
        """A meeting that somebody planned or is invited to, with who is invited. NotFoundError for anybody else."""

        def look(conn: Connection) -> tuple[Scheduled, list[Invitee]]:
            meeting = self._seen(conn, user, meeting_id)
            shown = self._shown(invitees)
            return meeting, store.invited(conn, and_(invitees.c.meeting_id == meeting_id, shown))

        return await self._db.study(look)

    async def entries(self, user: User, from_ms: int, to_ms: int) -> list[Entry]:
        """What somebody planned or is invited to in a time, in order. TooManyError for more than is shown at once.

        InvalidInputError for more than 400 days, or for a time that is too far from now.
        """
        if not 0 <= from_ms < to_ms <= from_ms + LONGEST_VIEW_MS:
            raise InvalidInputError("Ask for a time of at most 400 days, from a moment to a later one.")
        now_ms = self._now_ms()
        if from_ms < now_ms - PAST_MS or to_ms > now_ms + FUTURE_MS:
            raise InvalidInputError("Ask for a time from ten years ago to five years from now.")

        def look(conn: Connection) -> list[Entry]:
            answers = store.answers(conn, user.id)
            begun = meetings.c.starts_at_ms < to_ms + days(1)
            not_over = or_(meetings.c.ends_at_ms.is_(None), meetings.c.ends_at_ms > from_ms)
            here = and_(store.concerns(user.id), begun, not_over, self._shown(meetings))
            every = (
                Entry(meeting, each, None if meeting.organiser_id == user.id else answers.get(meeting.id))
                for meeting in store.scheduled(conn, here)
                for each in occurrences(meeting.timing, from_ms, to_ms)
            )
            found = list(islice(every, MOST_SHOWN + 1))
            if len(found) > MOST_SHOWN:
                raise TooManyError("There is too much in this time. Ask for a shorter one.")
            return sorted(found, key=lambda each: (each.at.start_ms, each.meeting.id, each.at.recurrence_id))

        return await self._db.study(look)

    async def cancel_of(self, person: DataSubject) -> None:
        """Cancels what an organiser planned for later, before they are erased; the mails name nobody and no title."""

        def remove(conn: Connection) -> None:
            if person.user_id is None:
                return
            now_ms = self._now_ms()
            theirs = and_(meetings.c.organiser_id == person.user_id, ~kept(meetings))
            found = store.scheduled(conn, theirs)
            store.forget_mails(conn, [each.id for each in found])
            later = [each for each in found if each.ends_at_ms is None or each.ends_at_ms > now_ms]
            self._cancel(conn, [replace(each, title=each.room_name, organiser_name="") for each in later], now_ms)

        await self._told(remove)

    def cancel_in(self, conn: Connection, room_id: str, now_ms: int) -> None:
        """Cancels everything that is planned in a room which is being deleted; past meetings go without a word."""
        self._cancel(conn, store.scheduled(conn, and_(meetings.c.room_id == room_id, ~kept(meetings))), now_ms)

    def _cancel(self, conn: Connection, found: Sequence[Scheduled], now_ms: int) -> None:
        for meeting in found:
            if meeting.ends_at_ms is None or meeting.ends_at_ms > now_ms:
                to = store.invited(conn, invitees.c.meeting_id == meeting.id)
                try:
                    self._letters.cancel(conn, replace(meeting, sequence=meeting.sequence + 1), to, now_ms)
                except (PymeetError, ValueError, LookupError):  # whatever is wrong with it, it must be able to go
                    log.exception("a meeting could not be cancelled by mail", meeting=meeting.id)
            delete_rows(conn, meetings, meetings.c.id == meeting.id, now_ms)

    def _put(
        self,
        conn: Connection,
        user: User,
        before: Scheduled,
        timing: Timing,
        now_ms: int,
        *,
        tell: bool = True,
        moved: Occurrence | None = None,
    ) -> Scheduled:
        if len(timing.changes) > MOST_CHANGES:
            raise ConflictError(
                f"At most {MOST_CHANGES} meetings of a series can differ. Plan a new series.", code="too_many_changes"
            )
        values = {**_columns(timing, now_ms), "changed_at_ms": now_ms, "sequence": before.sequence + 1}
        store.update_meeting(conn, before.id, **values)
        store.put_changes(conn, before.id, timing.changes)
        after = self._one(conn, before.id)
        if tell:
            to = store.invited(conn, invitees.c.meeting_id == before.id)
            if after.timing == before.timing:  # whoever declined is told only of a time at which they might come
                to = [each for each in to if each.answer != "declined"]
            self._letters.invite(conn, after, to, now_ms, changed=True, was=moved)
        audit.record_now(conn, now_ms, user.id, "meeting.changed", before.id, {"sequence": after.sequence})
        return after

    def _of_series(self, meeting: Scheduled, recurrence_id: str) -> Occurrence:
        self._refuse_far(meeting, recurrence_id)
        found = occurrence(meeting.timing, recurrence_id) if meeting.timing.rrule else None
        if found is None:
            raise NotFoundError("There is no such meeting in this series.")
        return found

    def _refuse_far(self, meeting: Scheduled, when: str) -> None:
        """InvalidInputError for a day or time, as it is written or as it names an occurrence, too far from now."""
        at_ms = named_ms(occurrence_name(when))
        now_ms = self._now_ms()
        latest_ms = max(now_ms, meeting.starts_at_ms) + FUTURE_MS
        if at_ms is not None and not now_ms - PAST_MS <= at_ms <= latest_ms:
            raise InvalidInputError("This is too far from now. Choose a time in the next five years.")

    def _refuse_long_ago(self, timing: Timing) -> None:
        if first_start_ms(timing) < self._now_ms() - EARLIEST_MS:
            raise InvalidInputError("A meeting begins today or later. Choose a time to come.")

    def _refuse_too_many(self, conn: Connection, user: User, now_ms: int) -> None:
        if store.planned_count(conn, user.id, now_ms) >= MOST_PLANNED:
            raise ConflictError(
                f"One person plans at most {MOST_PLANNED} meetings. Cancel one first.", code="too_many_meetings"
            )

    def _own(self, conn: Connection, user: User, meeting_id: str) -> Scheduled:
        meeting = self._seen(conn, user, meeting_id)
        if meeting.organiser_id != user.id:
            raise NotAllowedError("Only who planned the meeting may change it.")
        return meeting

    def _seen(self, conn: Connection, user: User, meeting_id: str) -> Scheduled:
        here = and_(meetings.c.id == meeting_id, store.concerns(user.id), self._shown(meetings))
        found = store.scheduled(conn, here)
        if not found:
            raise NotFoundError("There is no such meeting.")
        return found[0]

    def _one(self, conn: Connection, meeting_id: str) -> Scheduled:
        return store.scheduled(conn, meetings.c.id == meeting_id)[0]

    def _shown(self, table: Table) -> ColumnElement[bool]:
        return visible(table, self._lifecycle.periods, self._now_ms())

    def _now_ms(self) -> int:
        return self._lifecycle.clock.now_ms()

    async def _told(self, work: Callable[[Connection], T]) -> T:
        """Does it in one transaction; the mails that it queued go at once."""
        result = await self._db.work(work)
        self._lifecycle.poke_mail()
        return result


def _checked(details: Details) -> tuple[str, str, Timing]:
    title = clean_line(details.title, what="The title", limit=TITLE_LENGTH)
    agenda = details.agenda.strip()
    if agenda:
        agenda = clean_text(agenda, what="The agenda", limit=AGENDA_LENGTH)
    return title, agenda, checked_timing(details.start, details.time_zone, details.duration_min, details.rrule)


def _language(language: str) -> str:
    if language and language not in LANGUAGES:
        raise InvalidInputError(f"There is no such language. Choose one of: {', '.join(LANGUAGES)}.")
    return language


def _columns(timing: Timing, now_ms: int) -> dict[str, Any]:
    """What is stored of a timing besides its exceptions, with the instants that follow from it."""
    return {
        "starts_local": timing.starts_local,
        "time_zone": timing.time_zone,
        "duration_min": timing.duration_min,
        "rrule": timing.rrule,
        "starts_at_ms": first_start_ms(timing),
        "ends_at_ms": last_end_ms(timing),
        "next_at_ms": next_start_ms(timing, now_ms),
    }
