"""Scheduled meetings as calendars read them: invitations and cancellations (RFC 5546), and a member's feed (RFC 5545).

The organiser of every event is the server's own address, because nobody else's is shown to those invited.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache

from icalendar import Calendar, Event, Timezone, vCalAddress, vText
from icalendar.parser import Contentline

from pymeet.meetings.recurrence import Timing, events, one_event
from pymeet.meetings.scheduled import Invitee, Scheduled

_ANSWERS = {"none": "NEEDS-ACTION", "accepted": "ACCEPTED", "tentative": "TENTATIVE", "declined": "DECLINED"}


@dataclass(frozen=True)
class Place:
    """Where meetings are held, and who writes about them."""

    site: str
    """The address that people open, without a slash at its end."""
    mail_from: str | None
    """The server's own mail address; None where it sends no mail."""

    def url(self, meeting: Scheduled) -> str:
        """The address of the meeting's room."""
        return f"{self.site}/r/{meeting.slug}"


class Request:
    """An invitation, or an update of one: the whole series with everything that is not as its rule says.

    It is worked out once for all who are invited, and differs only in whom it is addressed to.
    """

    def __init__(self, meeting: Scheduled, place: Place, now_ms: int) -> None:
        calendar = _calendar("REQUEST", meeting.timing)
        for event in events(meeting.timing, meeting.uid):
            _describe(event, meeting, place)
            _organise(event, place, meeting.organiser_name)
            event.add("dtstamp", _moment(now_ms))
            event.add("status", "CONFIRMED")
            calendar.add_component(event)
        self._text = _written(calendar)

    def to(self, invitee: Invitee) -> str:
        """The same for one of those invited."""
        address = _attendee(invitee)
        line = Contentline.from_parts("ATTENDEE", address.params, address).to_ical().decode()
        # nothing that a person wrote can stand alone on a line: its line breaks are written as \n
        return self._text.replace("\r\nEND:VEVENT\r\n", f"\r\n{line}\r\nEND:VEVENT\r\n")


def cancellation(
    meeting: Scheduled, invitee: Invitee, place: Place, now_ms: int, *, recurrence_id: str | None = None
) -> str:
    """Takes back the meeting, or one of the series."""
    calendar = _calendar("CANCEL", meeting.timing)
    timing, uid = meeting.timing, meeting.uid
    event = next(events(timing, uid)) if recurrence_id is None else one_event(timing, uid, recurrence_id)
    event.add("sequence", meeting.sequence)
    event.add("summary", meeting.title)
    _organise(event, place, meeting.organiser_name)
    event.add("attendee", _attendee(invitee))
    event.add("dtstamp", _moment(now_ms))
    event.add("status", "CANCELLED")
    calendar.add_component(event)
    return _written(calendar)


def feed(meetings: Iterable[Scheduled], place: Place) -> str:
    """A member's meetings, for a calendar that looks by itself now and then."""
    calendar = _calendar(None)
    calendar.add("x-wr-calname", "pymeet")
    calendar.add("refresh-interval", timedelta(hours=1), parameters={"VALUE": "DURATION"})
    zones: set[str] = set()
    for meeting in meetings:
        if not meeting.timing.all_day and meeting.timing.time_zone not in zones:
            zones.add(meeting.timing.time_zone)
            calendar.add_component(_zone(meeting.timing.time_zone))
        for event in events(meeting.timing, meeting.uid):
            _describe(event, meeting, place)
            event.add("dtstamp", _moment(meeting.changed_at_ms))
            calendar.add_component(event)
    return _written(calendar)


def _calendar(method: str | None, timing: Timing | None = None) -> Calendar:
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//pymeet//schedule//EN")
    if method:
        calendar.add("method", method)
    if timing is not None and not timing.all_day:
        calendar.add_component(_zone(timing.time_zone))
    return calendar


@cache
def _zone(name: str) -> Timezone:
    """How the zone's clocks go, for calendars that do not know its name."""
    return Timezone.from_tzid(name, first_date=date(2020, 1, 1), last_date=date(2060, 1, 1))


def _describe(event: Event, meeting: Scheduled, place: Place) -> None:
    url = place.url(meeting)
    event.add("sequence", meeting.sequence)
    event.add("summary", meeting.title)
    # the agenda stands in the series once, not in each meeting of it that was moved
    agenda = meeting.agenda if "recurrence-id" not in event else ""
    event.add("description", f"{agenda}\n\n{url}" if agenda else url)
    event.add("location", url)
    event.add("url", url)


def _organise(event: Event, place: Place, organiser: str) -> None:
    if place.mail_from is not None:
        by = vCalAddress(f"mailto:{place.mail_from}")
        if organiser:
            by.params["CN"] = vText(organiser)
        event.add("organizer", by)


def _attendee(invitee: Invitee) -> vCalAddress:
    to = vCalAddress(f"mailto:{invitee.write_to}")
    to.params["ROLE"] = vText("REQ-PARTICIPANT")
    to.params["PARTSTAT"] = vText(_ANSWERS[invitee.answer])
    # answers go through the link in the mail: nobody reads what comes to the server's address
    to.params["RSVP"] = vText("FALSE")
    return to


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms // 1000, UTC)


def _written(calendar: Calendar) -> str:
    return str(calendar.to_ical().decode())
