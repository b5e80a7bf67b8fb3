"""The mails about scheduled meetings: queued in the transaction of the deed that they tell of."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from pymeet import signed
from pymeet.db import notifications
from pymeet.db.outbox import queue_statement
from pymeet.mail.message import CALENDAR, LANGUAGES, MEETING, MONTHS
from pymeet.meetings import calendar
from pymeet.meetings.calendar import Place
from pymeet.meetings.mail_limits import MailLimits
from pymeet.meetings.recurrence import Occurrence, next_start_ms, occurrence, occurrence_name, occurrences
from pymeet.meetings.scheduled import Invitee, Scheduled, once_each

PURPOSE: Final = b"answers to invitations"
"""The purpose of the key with which answers to invitations are signed."""

PREFIX: Final = "pmi1."
PAGE: Final = "/rsvp"

_DAY_MS = 86_400_000

# fmt: off
_WEEKDAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "de": ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
}
_EVERY = {
    "en": {"DAILY": ("every day", "every {n} days"), "WEEKLY": ("every week", "every {n} weeks"),
           "MONTHLY": ("every month", "every {n} months"), "YEARLY": ("every year", "every {n} years")},
    "de": {"DAILY": ("jeden Tag", "alle {n} Tage"), "WEEKLY": ("jede Woche", "alle {n} Wochen"),
           "MONTHLY": ("jeden Monat", "alle {n} Monate"), "YEARLY": ("jedes Jahr", "alle {n} Jahre")},
}
# fmt: on


@dataclass(frozen=True)
class Letters:
    """Writes the mails. Where the server sends none, nothing is queued."""

    place: Place
    key: bytes
    """Signs the links by which people answer."""
    language: str
    """For people of whom nobody knows what they read."""
    limits: MailLimits

    def invite(
        self,
        conn: Connection,
        meeting: Scheduled,
        to: Collection[Invitee],
        now_ms: int,
        *,
        changed: bool = False,
        was: Occurrence | None = None,
    ) -> None:
        """Invites, or tells those invited that something changed: where only one of the series moved, of that one, and
        when it `was`. TooManyError."""
        kind = "meeting_changed" if changed else "meeting_invited"
        wanting = self._wanting(conn, to, kind)
        self.limits.take(meeting.organiser_id, wanting, now_ms)
        following = occurrence(meeting.timing, was.recurrence_id) if was else coming(meeting, now_ms)
        _tell(conn, to, kind, meeting.id, following, now_ms, instead_of=was)
        request = calendar.Request(meeting, self.place, now_ms)
        for each in wanting:
            language = self._language(each)
            values = {
                "title": meeting.title,
                "organiser": meeting.organiser_name,
                "when": when(meeting, following, each, language),
                "repeats": "" if was else repeats(meeting, language),
                "agenda": meeting.agenda,
                "url": self.place.url(meeting),
                "answer_url": f"{self.place.site}{PAGE}#{self.token(each)}",
                CALENDAR: request.to(each),
            }
            if changed:
                values["was"] = when(meeting, was, each, language)
            self._queue(conn, meeting, each, "meeting_changed" if changed else "meeting_invitation", values, now_ms)

    def cancel(
        self,
        conn: Connection,
        meeting: Scheduled,
        to: Collection[Invitee],
        now_ms: int,
        *,
        only: Occurrence | None = None,
    ) -> None:
        """Tells that the meeting is off, or one of the series; `meeting.sequence` counts this change already.

        TooManyError for one of the series; that the whole meeting is off is told in any case.
        """
        wanting = self._wanting(conn, to, "meeting_cancelled")
        count = self.limits.note if only is None else self.limits.take
        count(meeting.organiser_id, wanting, now_ms)
        off = only or coming(meeting, now_ms)
        # of a meeting that is off nothing is kept, so what is told of it names its room
        _tell(conn, to, "meeting_cancelled", meeting.id if only else meeting.room_id, off, now_ms, instead_of=off)
        self._queue_off(conn, meeting, wanting, "meeting_cancelled", only, now_ms)

    def uninvite(self, conn: Connection, meeting: Scheduled, invitee: Invitee, now_ms: int) -> None:
        """Tells somebody that they are not invited any more; `meeting.sequence` counts this change already."""
        wanting = self._wanting(conn, [invitee], "meeting_cancelled")
        self.limits.note(meeting.organiser_id, wanting, now_ms)
        # the meeting takes place: what is told names neither it nor its room, which would read as if they were off
        _tell(conn, [invitee], "meeting_cancelled", invitee.id, coming(meeting, now_ms), now_ms)
        self._queue_off(conn, meeting, wanting, "meeting_uninvited", None, now_ms)

    def remind(self, conn: Connection, meeting: Scheduled, of: Occurrence, to: Invitee, now_ms: int) -> None:
        """Tells that it begins soon."""
        language = self._language(to)
        values = {"title": meeting.title, "when": when(meeting, of, to, language), "url": self.place.url(meeting)}
        self._queue(conn, meeting, to, "meeting_reminder", values, now_ms)

    def token(self, invitee: Invitee) -> str:
        """By which this invitee answers, in every mail the same; it ends with their row."""
        return signed.sign(self.key, PREFIX, [invitee.id])

    def invitee_of(self, token: str) -> str | None:
        """The id of the invitee whose token it is; None for one that is not ours."""
        content = signed.read(self.key, PREFIX, token)
        return content[0] if content and isinstance(content[0], str) else None

    def _wanting(self, conn: Connection, people: Collection[Invitee], kind: str) -> list[Invitee]:
        """Who gets a mail; somebody who is invited twice, by a group and by address, gets one."""
        if self.place.mail_from is None:
            return []
        return [
            each for each in once_each(people) if each.wants_mail and notifications.wants_mail(conn, each.user_id, kind)
        ]

    def _language(self, invitee: Invitee) -> str:
        return invitee.language if invitee.language in LANGUAGES else self.language

    def _queue_off(
        self,
        conn: Connection,
        meeting: Scheduled,
        to: Collection[Invitee],
        template: str,
        only: Occurrence | None,
        now_ms: int,
    ) -> None:
        """Takes one of the series out of their calendars, or all of it; of a series no meeting is named that has begun."""
        following = only or coming(meeting, now_ms)
        every = only is None and meeting.timing.rrule is not None
        if every and following and following.start_ms <= now_ms:
            following = None
        recurrence_id = only.recurrence_id if only else None
        for each in to:
            language = self._language(each)
            values = {
                "title": meeting.title,
                "when": when(meeting, following, each, language),
                "repeats": repeats(meeting, language) if every else "",
                CALENDAR: calendar.cancellation(meeting, each, self.place, now_ms, recurrence_id=recurrence_id),
            }
            self._queue(conn, meeting, each, template, values, now_ms)

    def _queue(
        self,
        conn: Connection,
        meeting: Scheduled,
        to: Invitee,
        template: str,
        values: Mapping[str, Any],
        now_ms: int,
    ) -> None:
        if self.place.mail_from is None:
            return
        conn.execute(
            queue_statement(
                now_ms=now_ms,
                user_id=to.user_id,
                to=to.write_to,
                template=template,
                values={**values, MEETING: meeting.id},
                language=self._language(to),
            )
        )


def _tell(
    conn: Connection,
    to: Collection[Invitee],
    kind: str,
    object_id: str,
    of: Occurrence | None,
    now_ms: int,
    *,
    instead_of: Occurrence | None = None,
) -> None:
    """Tells the members among them on the pages; where it is about one of a series, what they were told of others stays."""
    moment_ms = of.start_ms if of else None
    for each in to:
        if each.user_id is not None:
            notifications.tell(
                conn,
                now_ms=now_ms,
                user_id=each.user_id,
                kind=kind,
                object_id=object_id,
                moment_ms=moment_ms,
                instead_of_ms=instead_of.start_ms if instead_of else None,
            )


def coming(meeting: Scheduled, now_ms: int) -> Occurrence | None:
    """The occurrence that comes next; where none does, the one that was."""
    start_ms = next_start_ms(meeting.timing, now_ms)
    found = occurrences(meeting.timing, start_ms, start_ms + 1) if start_ms is not None else []
    for each in found:
        if each.start_ms == start_ms:
            return each
    return occurrence(meeting.timing, occurrence_name(meeting.timing.starts_local))


def when(meeting: Scheduled, of: Occurrence | None, to: Invitee, language: str) -> str:
    """When an occurrence is, in words, by the clock of whoever reads it."""
    if of is None:
        return ""
    if meeting.timing.all_day:
        zone = ZoneInfo(meeting.timing.time_zone)
        first = datetime.fromtimestamp(of.start_ms / 1000, zone)
        last = datetime.fromtimestamp((of.end_ms - 1) / 1000, zone)
        until = {"en": "to", "de": "bis"}[language]
        days = [_day(first, language)] + ([_day(last, language)] if last.date() != first.date() else [])
        return f" {until} ".join(days)
    name = to.time_zone or meeting.timing.time_zone
    start, end = (
        datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(ZoneInfo(name)) for at_ms in (of.start_ms, of.end_ms)
    )
    if language == "de":
        return f"{_day(start, language)}, {start:%H:%M} bis {end:%H:%M} Uhr ({name})"
    return f"{_day(start, language)}, {start:%H:%M} to {end:%H:%M} ({name})"


def repeats(meeting: Scheduled, language: str) -> str:
    """How often the meeting is, in words; nothing for one that is once."""
    if meeting.timing.rrule is None:
        return ""
    rule = dict(part.split("=") for part in meeting.timing.rrule.split(";"))
    one, many = _EVERY[language][rule["FREQ"]]
    count = int(rule.get("INTERVAL", "1"))
    said = one if count == 1 else many.format(n=count)
    if meeting.ends_at_ms is None:
        return said
    last = datetime.fromtimestamp(meeting.ends_at_ms / 1000, UTC).astimezone(ZoneInfo(meeting.timing.time_zone))
    last -= timedelta(milliseconds=1)
    return f"{said}, {'bis' if language == 'de' else 'until'} {_day(last, language)}"


def _day(moment: datetime, language: str) -> str:
    weekday, month = _WEEKDAYS[language][moment.weekday()], MONTHS[language][moment.month - 1]
    if language == "de":
        return f"{weekday}, {moment.day}. {month} {moment.year}"
    return f"{weekday}, {moment.day} {month} {moment.year}"
